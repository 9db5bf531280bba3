/* export_folder: a queue into a folder of issues: what belongs to it, file by file. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "export.h"
#include "store/base/mem.h"

static int export_file(const struct export_view *v, const struct export_as *as, const char *folder, struct strv *said,
                       struct err *e)
{
	const char *id = v->queue.id;
	AUTO_FREE char *name = mem_printf("queues/%s.json", id);
	AUTO_STR struct str text = {0};
	struct export_file f;
	bool known = true;

	int rc = export_read(&f, folder, name, e);
	if (rc == 0)
		rc = export_queue(&text, v, as, e);
	if (rc == 0 && f.there && (f.text.len != text.len || memcmp(str_text(&f.text), text.p, text.len) != 0))
		rc = export_known(&known, v, &f.text, e);
	if (rc == 0 && !known)
		rc = err_set(e, ERR_MOVED, "%s was changed since queue %s was added: nothing was written; see bosk queue export "
		             "%s --out FILE", f.path, id, id);
	/* Before it is written: cut off in between, the next export knows both. */
	if (rc == 0 && said)
		rc = export_known_add(v, &text, e);
	if (rc == 0)
		rc = export_write(&f, &text, said, e);
	export_file_fini(&f);
	return rc;
}

/* First what is only added to, and the queue last but the index: who reads it finds the rest. */
static int export_parts(const struct export_view *v, const struct export_as *as, const char *folder, struct strv *said,
                        struct strv *warnings, struct err *e)
{
	return export_solutions(v, folder, said, warnings, e) != 0 || export_file(v, as, folder, said, e) != 0 ||
	                       export_issues(v, folder, said, warnings, e) != 0 || export_index(v, folder, said, e) != 0
	               ? -1
	               : 0;
}

int export_folder(struct export_view *v, const struct export_as *as, const char *folder, struct strv *said,
                  struct strv *warnings, struct err *e)
{
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return err_sys(e, "cannot make the folder %s", folder);
	if (export_make_folder(folder, "queues", e) != 0 || export_make_folder(folder, "solutions", e) != 0)
		return -1;
	if (export_sessions(v, e) != 0)
		return -1;
	/* What can be refused is, before anything is written: half of it would be nobody's. */
	AUTO_STRV struct strv again = {0};
	return export_parts(v, as, folder, NULL, &again, e) != 0 ? -1 : export_parts(v, as, folder, said, warnings, e);
}
