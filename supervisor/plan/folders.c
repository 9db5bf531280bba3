/* folders: finds and reads texts; what is in them is its callers' business. */
#include "folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

char *folders_path(const char *base, const char *text)
{
	const char *home = getenv("HOME");

	if (*text == '/')
		return mem_strdup(text);
	if (*text == '~' && (text[1] == '/' || !text[1]))
		return home && *home == '/' ? mem_printf("%s%s", home, text + 1) : NULL;
	return base ? mem_printf("%s/%s", base, text) : NULL;
}

static bool below(const char *folder, const char *path)
{
	size_t n = strlen(folder);
	return strncmp(folder, path, n) == 0 && path[n] == '/';
}

/* Is it written as a file of the repository, but is none? */
static bool leads_out(const struct plan_context *ctx, const char *path)
{
	const char *const tops[] = {ctx->top, ctx->root};

	for (size_t i = 0; i < MEM_COUNT(tops); i++) {
		if (!tops[i] || !below(tops[i], path))
			continue;
		AUTO_FREE char *top = realpath(tops[i], NULL), *real = realpath(path, NULL);
		return !top || !real || !below(top, real);
	}
	return false;
}

int folders_read(const struct plan_context *ctx, const char *path, struct str *out, char **why)
{
	struct err e = {0};
	struct stat st;

	*why = NULL;
	if (stat(path, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		*why = mem_printf("%s cannot be read: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) { /* opening a named pipe would wait for ever */
		*why = mem_printf("%s is not a file", path);
	} else if (leads_out(ctx, path)) {
		*why = mem_printf("%s is a link that leads out of the repository", path);
	} else if (fs_read(path, PLAN_MAX_TEXT, out, &e) != 0) {
		*why = e.code ? mem_printf("%s cannot be read: %s", path, strerror(e.code))
		              : mem_printf("%s is larger than 512 KiB", path);
	} else if (!str_utf8(str_text(out), out->len)) {
		*why = mem_printf("%s is not valid UTF-8 text", path);
	}
	return *why ? -1 : 1;
}

void folders_list(const struct strv *paths, struct str *out)
{
	for (size_t i = 0; i < paths->n; i++)
		str_addf(out, "%s%s", !i ? "" : i + 1 < paths->n ? ", " : " and ", paths->v[i]);
}
