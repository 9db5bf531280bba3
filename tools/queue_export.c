/* queue_export: a queue as text, into a file or a folder. */
#include "queue_export.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/queue/export.h"

static int to_folder(struct export_view *v, const struct export_as *as, const char *folder)
{
	AUTO_STRV struct strv said = {0}, warnings = {0};
	AUTO_STR struct str text = {0};
	struct err e = {0};

	int rc = export_folder(v, as, folder, &said, &warnings, &e);
	for (size_t i = 0; i < said.n; i++)
		str_addf(&text, "%s\n", said.v[i]);
	cmd_print(&text);
	for (size_t i = 0; i < warnings.n; i++)
		log_warn("%s", warnings.v[i]);
	if (rc == 0 && !said.n)
		log_info("%s is as the queue is: nothing was written", folder);
	return rc == 0 ? 0 : cmd_fail(&e);
}

/* One file; a folder and a name, so that it is replaced as those of a folder are. */
static int to_file(const struct str *text, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder = slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
	AUTO_STRV struct strv said = {0};
	struct export_file f;

	int rc = export_read(&f, slash && !*folder ? "/" : folder, slash ? slash + 1 : path, e);
	if (rc == 0)
		rc = export_write(&f, text, &said, e);
	export_file_fini(&f);
	return rc;
}

int queue_export(const struct cmd_line *l, struct site *site, const char *id)
{
	const char *format = cmd_value(l, "format"), *folder = cmd_value(l, "to"), *file = cmd_value(l, "out");
	struct export_as as = {.seed = str_eq(format, "seed")};
	struct export_view view;
	AUTO_STR struct str text = {0};
	struct err e = {0};

	if (format && !as.seed && !str_eq(format, "ccw")) {
		log_error("--format takes seed or ccw, not '%s'", format);
		return 2;
	}
	if ((folder && !*folder) || (file && !*file)) {
		log_error("bosk queue export: the name of --%s is empty; it takes a %s", folder && !*folder ? "to" : "out",
		          folder && !*folder ? "folder" : "file");
		return 2;
	}
	if (folder && file) {
		log_error("bosk queue export: --to FOLDER or --out FILE, not both");
		return 2;
	}
	if (folder) { /* what was written is noted */
		bool store = site->db != NULL;
		site_close(site);
		if (store && site_open(site, l->dir, SITE_WRITE, &e) != 0)
			return cmd_fail(&e);
	}
	if (!site->db) {
		err_set(&e, ERR_MISSING, "there is no queue %s; bosk queue list", id);
		return cmd_fail(&e);
	}
	int rc = export_view_load(&view, site, id, &e);
	int code = rc == 0 && folder ? to_folder(&view, &as, folder) : 0;
	if (rc == 0 && !folder)
		rc = export_queue(&text, &view, &as, &e);
	if (rc == 0 && file)
		rc = to_file(&text, file, &e);
	export_view_fini(&view);
	if (rc != 0)
		return cmd_fail(&e);
	if (!folder && !file && isatty(STDOUT_FILENO))
		cmd_print(&text);
	else if (!folder && !file) /* the file's own bytes */
		fwrite(str_text(&text), 1, text.len, stdout);
	return code;
}
