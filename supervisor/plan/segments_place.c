/* segments_place: where a segment's own worktree may be, and what its branch may be called. */
#include "segments.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/gitx.h"

/* What exists of the path by its real name, as git writes it down; the rest as it is. NULL: it cannot be told. */
static char *real_path(const char *path)
{
	AUTO_FREE char *at = mem_strdup(path);

	for (char *slash; !fs_exists(at) && (slash = strrchr(at, '/'));)
		*slash = '\0';
	char *real = realpath(*at ? at : "/", NULL); /* NULL: a link that leads nowhere */
	if (!real)
		return NULL;
	char *all = mem_printf("%s%s", strcmp(real, "/") == 0 ? "" : real, path + strlen(at));
	free(real);
	return all;
}

static bool below(const char *folder, const char *path)
{
	AUTO_FREE char *real = folder ? real_path(folder) : NULL;
	size_t n = real ? strlen(real) : 0;

	return n && strncmp(real, path, n) == 0 && path[n] == '/';
}

char *segments_place_fault(const struct plan_context *ctx, const char *path)
{
	const char *wrong = *path == '/' ? plan_path_fault(path + 1, NULL) : "must be absolute";
	AUTO_FREE char *real = wrong ? NULL : real_path(path);

	if (wrong)
		return mem_strdup(wrong);
	if (real && (below(ctx->root, real) || below(ctx->worktrees_dir, real)))
		return NULL;
	return mem_printf("lies neither in the repository (%s) nor in the folder of worktrees (%s)",
	                  ctx->root ? ctx->root : "it has no checkout", ctx->worktrees_dir ? ctx->worktrees_dir : "?");
}

/* The path that a text means, NULL = none. */
static char *expand(const struct plan_context *ctx, const char *text, bool parallel)
{
	static const char *const roots[] = {"$ROOT", "${ROOT}"};

	for (size_t i = 0; i < MEM_COUNT(roots); i++) {
		size_t n = strlen(roots[i]);
		if (str_starts(text, roots[i]) && (text[n] == '/' || !text[n]))
			return ctx->root ? mem_printf("%s%s", ctx->root, text + n) : NULL;
	}
	if (*text == '/')
		return mem_strdup(text);
	const char *base = parallel ? ctx->worktrees_dir : ctx->root;
	return base ? mem_printf("%s/%s", base, text) : NULL;
}

char *segments_place(struct plan_reader *r, const struct yaml_node *at, const char *text, bool parallel)
{
	const struct plan_context *ctx = r->l->ctx;
	AUTO_FREE char *path = ctx ? expand(ctx, text, parallel) : NULL;
	AUTO_STR struct str normal = {0};

	if (!path) {
		/* Where the folder of worktrees is not known: that is another fault, and said. */
		if (!ctx || !parallel || ctx->worktrees_dir)
			PLAN_FAULT(r, at, "worktree", "\"%.80s\" cannot be found: the repository has no checkout here", text);
		return NULL;
	}
	const char *dollar = strchr(str_starts(text, "$ROOT") || str_starts(text, "${ROOT}") ? text + 1 : text, '$');
	if (dollar || *text == '~') {
		PLAN_FAULT(r, at, "worktree", "\"%.80s\": only $ROOT, the top of the repository, is replaced", text);
		return NULL;
	}
	AUTO_FREE char *wrong = mem_strdup(plan_path_fault(path + 1, &normal));
	AUTO_FREE char *clean = wrong ? NULL : mem_printf("/%s", normal.p);
	if (!wrong)
		wrong = segments_place_fault(ctx, clean);
	char *real = wrong ? NULL : real_path(clean);
	if (!wrong && (!real || strlen(real) > PLAN_PATH_MAX))
		wrong = mem_strdup("is longer than 1024 bytes");
	if (wrong) {
		PLAN_FAULT(r, at, "worktree", "\"%.80s\": %s", text, wrong);
		mem_freep(&real);
	}
	return real;
}

const char *segments_branch_fault(const char *branch)
{
	if (!gitx_branch_name_ok(branch))
		return "git does not accept this name of a branch";
	if (strcmp(branch, "bosk") == 0 || str_starts(branch, "bosk/"))
		return "branches bosk/... are those of tasks that name none";
	if (str_starts(branch, "integration-"))
		return "branches integration-... are those of sessions";
	return NULL;
}
