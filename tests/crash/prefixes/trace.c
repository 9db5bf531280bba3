/* trace: from the lines of strace to operations on files: which path, which bytes, where. */
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prefixes.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "trace_line.h"

/* Where each process stands, and how far its descriptors have been written. */
struct cursor {
	int pid, fd;
	char *path;
	off_t at;
	bool dsync;
};

struct reading {
	struct trace *out;
	const char *base, *const *tops;
	struct cursor *cursors; /* fd < 0: the folder the process stands in */
	size_t n_cursors;
};

/* ---- paths and descriptors ---- */

static struct cursor *cursor(struct reading *r, int pid, int fd)
{
	for (size_t i = 0; i < r->n_cursors; i++)
		if (r->cursors[i].pid == pid && r->cursors[i].fd == fd)
			return &r->cursors[i];
	r->cursors = mem_grow(r->cursors, r->n_cursors + 1, sizeof *r->cursors);
	r->cursors[r->n_cursors] = (struct cursor){.pid = pid, .fd = fd, .at = -1};
	return &r->cursors[r->n_cursors++];
}

/* Absolute, without "." and "..". */
static char *normal(const char *path)
{
	AUTO_STR struct str out = {0};
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			char *slash = out.len ? strrchr(out.p, '/') : NULL;
			out.len = slash ? (size_t)(slash - out.p) : 0;
			if (slash)
				*slash = '\0';
		} else if (n && !(n == 1 && *p == '.')) {
			str_addc(&out, '/');
			str_addn(&out, p, n);
		}
		p += n + (p[n] == '/');
	}
	return str_take(&out);
}

/* Below the base in one of the folders that count, relative to the base; else NULL. */
static char *inside(const struct reading *r, const char *absolute)
{
	AUTO_FREE char *path = normal(absolute);
	size_t n = strlen(r->base);
	if (strncmp(path, r->base, n) != 0 || path[n] != '/')
		return NULL;
	for (size_t i = 0; r->tops[i]; i++) {
		size_t top = strlen(r->tops[i]);
		if (strncmp(path + n + 1, r->tops[i], top) == 0 && (!path[n + 1 + top] || path[n + 1 + top] == '/'))
			return mem_strdup(path + n + 1);
	}
	return NULL;
}

/* A path argument, seen from the folder argument before it (NULL: where the process stands). */
static char *named(struct reading *r, const struct line *l, const char *dir, const char *name)
{
	AUTO_STR struct str text = {0};
	AUTO_FREE char *from = dir ? line_fd_path(dir) : NULL;

	if (!line_text(name, &text))
		line_die(l, "no path");
	if (text.len && text.p[0] == '/')
		return inside(r, text.p);
	const char *cwd = from ? from : cursor(r, l->pid, -1)->path;
	if (!cwd)
		line_die(l, "a relative path of a process that stands nowhere");
	AUTO_FREE char *whole = mem_printf("%s/%s", cwd, str_text(&text));
	return inside(r, whole);
}

static struct op *add(struct reading *r, const struct line *l, enum op_kind kind, char *path)
{
	struct trace *t = r->out;
	t->ops = mem_grow(t->ops, t->n + 1, sizeof *t->ops);
	t->ops[t->n] = (struct op){.kind = kind, .path = path, .line = l->number, .pid = l->pid, .at = -1};
	return &t->ops[t->n++];
}

/* On a descriptor: the path when it counts. */
static char *on_fd(struct reading *r, const struct line *l)
{
	AUTO_FREE char *path = line_fd_path(line_arg(l, 0));
	return path ? inside(r, path) : NULL;
}

/* ---- the calls ---- */

static void stands(struct reading *r, const struct line *l, char *path)
{
	struct cursor *c = cursor(r, l->pid, -1);
	if (path && path[0] != '/' && c->path) {
		AUTO_FREE char *relative = path;
		path = mem_printf("%s/%s", c->path, relative);
	}
	free(c->path);
	c->path = path;
}

static void opened(struct reading *r, const struct line *l, const char *dir, const char *name, const char *flags,
                   const char *mode)
{
	bool trunc = strstr(flags, "O_TRUNC") != NULL, makes = strstr(flags, "O_CREAT") != NULL;

	if (strstr(flags, "O_TMPFILE"))
		line_die(l, "O_TMPFILE");
	if (strstr(dir ? dir : "", "AT_FDCWD"))
		stands(r, l, line_fd_path(dir));
	struct cursor *c = cursor(r, l->pid, (int)l->result);
	mem_freep(&c->path);
	if (!l->opened)
		return; /* gone again by now */
	c->path = mem_strdup(l->opened);
	c->at = strstr(flags, "O_APPEND") ? -1 : 0;
	c->dsync = strstr(flags, "O_DSYNC") || strstr(flags, "O_SYNC");
	char *path = makes || trunc ? inside(r, l->opened) : NULL;
	(void)name;
	if (path) {
		struct op *op = add(r, l, OP_CREATE, path);
		op->flag = trunc;
		op->mode = makes ? (mode_t)strtol(mode, NULL, 8) : 0666;
	}
}

/* [{iov_base="..", iov_len=N}, ...] or one "..". */
static void written_bytes(const struct line *l, const char *text, struct str *out)
{
	if (*text == '"') {
		line_text(text, out);
		return;
	}
	for (const char *p = text; (p = strstr(p, "iov_base=\"")); ) {
		p += strlen("iov_base=\"");
		const char *end = strchr(p, '"');
		line_unhex(out, p, end);
		p = end;
	}
	if (strstr(text, "\"..."))
		line_die(l, "cut: strace -s was too small");
}

static void wrote(struct reading *r, const struct line *l, off_t at)
{
	char *path = on_fd(r, l);
	int fd = atoi(line_arg(l, 0));
	struct cursor *c = cursor(r, l->pid, fd);
	AUTO_FREE char *now = line_fd_path(line_arg(l, 0));
	bool known = c->path && now && str_eq(c->path, now);

	if (!path)
		return;
	struct op *op = add(r, l, OP_WRITE, path);
	written_bytes(l, line_arg(l, 1), &op->data);
	if (op->data.len < (size_t)l->result)
		line_die(l, "cut: strace -s was too small");
	op->data.len = (size_t)l->result;
	op->at = at >= 0 ? at : known ? c->at : -1;
	op->flag = known && c->dsync;
	if (at < 0 && known && c->at >= 0)
		c->at += l->result;
}

static void two_paths(struct reading *r, const struct line *l, enum op_kind kind, const char *dir1, const char *name1,
                      const char *dir2, const char *name2)
{
	char *from = named(r, l, dir1, name1), *to = named(r, l, dir2, name2);
	if (!from && !to)
		return;
	if (!from || !to)
		line_die(l, "from or to a place outside");
	add(r, l, kind, from)->to = to;
}

static void one_path(struct reading *r, const struct line *l, enum op_kind kind, const char *dir, const char *name,
                     const char *mode)
{
	char *path = named(r, l, dir, name);
	if (path)
		add(r, l, kind, path)->mode = mode ? (mode_t)strtol(mode, NULL, 8) : 0;
}

static void flushed(struct reading *r, const struct line *l, enum op_kind kind)
{
	char *path = on_fd(r, l);
	if (path)
		add(r, l, kind, path);
}

static void sized(struct reading *r, const struct line *l, char *path, const char *size, bool grow)
{
	if (!path)
		return;
	struct op *op = add(r, l, OP_SIZE, path);
	op->at = (off_t)strtoll(size, NULL, 0);
	op->flag = grow;
}

/* A file written through a shared mapping would not show here. lock.mdb is one, and needs no replay. */
static void mapped(struct reading *r, const struct line *l)
{
	AUTO_FREE char *file = l->args.n > 4 ? line_fd_path(line_arg(l, 4)) : NULL;
	AUTO_FREE char *path = file ? inside(r, file) : NULL;
	if (path && strstr(line_arg(l, 3), "MAP_SHARED") && strstr(line_arg(l, 2), "PROT_WRITE") &&
	    !str_ends(path, "/lock.mdb"))
		line_die(l, "a file is written through memory");
}

static void take(struct reading *r, const struct line *l)
{
	const char *n = l->name;
	AUTO_STR struct str text = {0};

	if (str_eq(n, "openat"))
		opened(r, l, line_arg(l, 0), line_arg(l, 1), line_arg(l, 2), l->args.n > 3 ? line_arg(l, 3) : "");
	else if (str_eq(n, "open") || str_eq(n, "creat"))
		opened(r, l, NULL, line_arg(l, 0), *n == 'c' ? "O_CREAT|O_TRUNC" : line_arg(l, 1),
		       *n == 'c' ? line_arg(l, 1) : l->args.n > 2 ? line_arg(l, 2) : "");
	else if (str_eq(n, "write") || str_eq(n, "writev"))
		wrote(r, l, -1);
	else if (str_eq(n, "pwrite64") || str_eq(n, "pwritev"))
		wrote(r, l, (off_t)strtoll(line_arg(l, 3), NULL, 0));
	else if (str_eq(n, "lseek"))
		cursor(r, l->pid, atoi(line_arg(l, 0)))->at = (off_t)l->result;
	else if (str_eq(n, "rename") || str_eq(n, "link"))
		two_paths(r, l, *n == 'r' ? OP_RENAME : OP_LINK, NULL, line_arg(l, 0), NULL, line_arg(l, 1));
	else if (str_eq(n, "renameat") || str_eq(n, "renameat2") || str_eq(n, "linkat"))
		two_paths(r, l, *n == 'r' ? OP_RENAME : OP_LINK, line_arg(l, 0), line_arg(l, 1), line_arg(l, 2), line_arg(l, 3));
	else if (str_eq(n, "unlink") || str_eq(n, "rmdir"))
		one_path(r, l, *n == 'u' ? OP_UNLINK : OP_RMDIR, NULL, line_arg(l, 0), NULL);
	else if (str_eq(n, "unlinkat"))
		one_path(r, l, strstr(line_arg(l, 2), "REMOVEDIR") ? OP_RMDIR : OP_UNLINK, line_arg(l, 0), line_arg(l, 1), NULL);
	else if (str_eq(n, "mkdir"))
		one_path(r, l, OP_MKDIR, NULL, line_arg(l, 0), line_arg(l, 1));
	else if (str_eq(n, "mkdirat"))
		one_path(r, l, OP_MKDIR, line_arg(l, 0), line_arg(l, 1), line_arg(l, 2));
	else if (str_eq(n, "mknod") || str_eq(n, "mknodat"))
		one_path(r, l, OP_FIFO, n[5] ? line_arg(l, 0) : NULL, line_arg(l, n[5] ? 1 : 0), "0600");
	else if (str_eq(n, "symlink") || str_eq(n, "symlinkat")) {
		bool at = n[7] != '\0';
		line_text(line_arg(l, 0), &text);
		char *path = named(r, l, at ? line_arg(l, 1) : NULL, line_arg(l, at ? 2 : 1));
		if (path)
			str_addn(&add(r, l, OP_SYMLINK, path)->data, str_text(&text), text.len);
	} else if (str_eq(n, "chmod"))
		one_path(r, l, OP_CHMOD, NULL, line_arg(l, 0), line_arg(l, 1));
	else if (str_eq(n, "fchmodat"))
		one_path(r, l, OP_CHMOD, line_arg(l, 0), line_arg(l, 1), line_arg(l, 2));
	else if (str_eq(n, "fchmod")) {
		char *path = on_fd(r, l);
		if (path)
			add(r, l, OP_CHMOD, path)->mode = (mode_t)strtol(line_arg(l, 1), NULL, 8);
	} else if (str_eq(n, "fsync"))
		flushed(r, l, OP_FSYNC);
	else if (str_eq(n, "fdatasync"))
		flushed(r, l, OP_FDATASYNC);
	else if (str_eq(n, "sync_file_range"))
		flushed(r, l, OP_RANGE);
	else if (str_eq(n, "ftruncate"))
		sized(r, l, on_fd(r, l), line_arg(l, 1), false);
	else if (str_eq(n, "truncate"))
		sized(r, l, named(r, l, NULL, line_arg(l, 0)), line_arg(l, 1), false);
	else if (str_eq(n, "fallocate"))
		sized(r, l, on_fd(r, l), line_arg(l, 3), true);
	else if (str_eq(n, "mmap"))
		mapped(r, l);
	else if (str_eq(n, "chdir"))
		stands(r, l, line_text(line_arg(l, 0), &text) ? str_take(&text) : NULL);
	else if (str_eq(n, "fchdir"))
		stands(r, l, line_fd_path(line_arg(l, 0)));
	else if (str_eq(n, "copy_file_range") || str_eq(n, "sendfile") || str_eq(n, "splice")) {
		AUTO_FREE char *to = line_fd_path(line_arg(l, *n == 's' && n[1] == 'e' ? 0 : 2));
		AUTO_FREE char *path = to ? inside(r, to) : NULL;
		if (path)
			line_die(l, "a copy within the kernel");
	} else if (!str_eq(n, "statfs") && !str_eq(n, "fstatfs"))
		line_die(l, "not known here");
}

/* ---- the file ---- */

/* A call that others came between is written in two parts: joined where it began. */
static void join(struct strv *lines)
{
	static const char cut[] = " <unfinished ...>";

	for (size_t i = 0; i < lines->n; i++) {
		char *line = lines->v[i];
		if (!str_ends(line, cut))
			continue;
		line[strlen(line) - strlen(cut)] = '\0';
		long pid = strtol(line, NULL, 10);
		for (size_t k = i + 1; k < lines->n; k++) {
			char *rest = strstr(lines->v[k], " resumed>");
			char *end;
			if (strtol(lines->v[k], &end, 10) != pid || !rest || strncmp(end + strspn(end, " "), "<... ", 5) != 0)
				continue;
			lines->v[i] = mem_printf("%s%s", line, rest + strlen(" resumed>"));
			free(line);
			lines->v[k][0] = '\0';
			break;
		}
	}
}

void trace_read(struct trace *out, const char *path, const char *base, const char *const *tops)
{
	struct reading r = {.out = out, .base = base, .tops = tops};
	AUTO_STR struct str text = {0};
	AUTO_STRV struct strv lines = {0};
	struct err e = {0};

	*out = (struct trace){0};
	if (fs_read(path, SIZE_MAX, &text, &e) != 0)
		prefixes_die("%s", e.text);
	for (char *p = text.p, *end; p < text.p + text.len && (end = strchr(p, '\n')); p = end + 1)
		strv_give(&lines, mem_strndup(p, (size_t)(end - p)));
	join(&lines);
	for (size_t i = 0; i < lines.n; i++) {
		char *rest;
		struct line l = {.pid = (int)strtol(lines.v[i], &rest, 10), .number = i + 1, .name = "?"};
		rest += strspn(rest, " ");
		if (*rest && *rest != '<' && *rest != '+' && *rest != '-' && line_parse(&l, rest))
			take(&r, &l);
		strv_fini(&l.args);
		free(l.opened);
	}
	for (size_t i = 0; i < r.n_cursors; i++)
		free(r.cursors[i].path);
	free(r.cursors);
}

void trace_fini(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->ops[i].path);
		free(t->ops[i].to);
		str_fini(&t->ops[i].data);
	}
	free(t->ops);
}

const char *trace_name(enum op_kind kind)
{
	static const char *const names[] = {"create", "write", "size",  "rename", "link",  "symlink",   "unlink",
	                                    "rmdir",  "mkdir", "fifo",  "chmod",  "fsync", "fdatasync", "range"};
	return names[kind];
}
