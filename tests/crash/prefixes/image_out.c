/* image_out: an image onto the real disk and back: what is left after a cut is written, listed, hashed
 * and compared. */
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prefixes.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

/* ---- what is left ---- */

struct walk {
	const struct image *im;
	enum image_cut cut;
	uint64_t seed;
	image_fn *fn;
	void *ctx;
};

/* The same for one thing at one seed, whatever else there is. */
static uint64_t chance(uint64_t seed, const char *path)
{
	uint64_t h = 0xcbf29ce484222325u ^ seed * 0x9e3779b97f4a7c15u;
	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3u;
	return (h ^ h >> 29) * 0xbf58476d1ce4e5b9u >> 33;
}

static struct node *left(const struct walk *w, const struct entry *en, const char *path)
{
	if (w->cut == CUT_ALL || w->cut == CUT_NAMES)
		return en->now;
	/* A journal keeps the order of names: all, or those before its last write. */
	if (w->cut == CUT_LOST || (w->im->disk == DISK_JOURNAL && chance(w->seed, "") % 2))
		return en->disk;
	if (w->im->disk == DISK_JOURNAL)
		return en->now;
	return chance(w->seed, en->now ? path : "removed") % 2 ? en->now : en->disk;
}

static void give_file(const struct walk *w, const char *path, const struct node *n)
{
	const struct str *kept = w->im->disk == DISK_JOURNAL && n->has_range ? &n->ranged : &n->flushed;
	size_t len = kept->len;
	bool named = w->cut == CUT_NAMES || w->cut == CUT_MIX;

	if (w->cut == CUT_LOST)
		kept = &n->flushed, len = kept->len;
	else if (named && kept == &n->flushed && n->cut < len)
		len = n->cut;
	uint64_t luck = w->cut == CUT_MIX ? chance(w->seed ^ 0x5555, path) % 3 : 0;
	if (w->cut == CUT_ALL || luck == 2)
		kept = &n->bytes, len = kept->len;
	else if (luck == 1 && n->bytes.len > len && !str_ends(path, ".mdb")) /* the beginning of what was written */
		kept = &n->bytes, len = len + (n->bytes.len - len) / 2;
	w->fn(w->ctx, path, n, str_text(kept), len);
}

static void go(const struct walk *w, const char *path, const struct node *dir)
{
	for (size_t i = 0; i < dir->n; i++) {
		const struct entry *en = &dir->entries[i];
		AUTO_FREE char *name = mem_printf("%s%s%s", path, *path ? "/" : "", en->name);
		const struct node *n = left(w, en, name);
		if (!n)
			continue;
		if (n->kind == NODE_FILE)
			give_file(w, name, n);
		else
			w->fn(w->ctx, name, n, str_text(&n->bytes), n->bytes.len);
		if (n->kind == NODE_DIR)
			go(w, name, n);
	}
}

void image_each(const struct image *im, enum image_cut cut, uint64_t seed, image_fn *fn, void *ctx)
{
	struct walk w = {im, cut, seed, fn, ctx};
	go(&w, "", im->root);
}

/* ---- onto the disk ---- */

static void write_one(void *ctx, const char *path, const struct node *n, const char *bytes, size_t len)
{
	AUTO_FREE char *full = mem_printf("%s/%s", (const char *)ctx, path);
	struct err e = {0};
	int rc = 0;

	if (n->kind == NODE_DIR) {
		rc = mkdir(full, 0700) != 0 || chmod(full, n->mode & 07777) != 0;
	} else if (n->kind == NODE_LINK) {
		rc = symlink(bytes, full);
	} else if (n->kind == NODE_FIFO) {
		rc = mkfifo(full, n->mode & 07777);
	} else {
		/* Two names of one file become two files: nothing here writes through one of them. */
		AUTO_CLOSE int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		rc = fd < 0 || fs_write_all(fd, bytes, len, &e) != 0 || fchmod(fd, n->mode & 07777) != 0;
	}
	if (rc != 0)
		prefixes_die("cannot make %s: %s", full, strerror(errno));
}

void image_write(const struct image *im, enum image_cut cut, uint64_t seed, const char *base)
{
	image_each(im, cut, seed, write_one, (void *)base);
}

/* ---- hash: two cuts that leave the same need one round ---- */

static uint64_t mix(uint64_t h, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return h;
}

static void hash_one(void *ctx, const char *path, const struct node *n, const char *bytes, size_t len)
{
	uint64_t *sum = ctx, h = mix(0xcbf29ce484222325u, path, strlen(path) + 1);

	/* What logs and locks hold decides nothing. */
	if (strstr(path, "/.git/bosk/logs/") || str_ends(path, "/writer.lock") || str_ends(path, "/lock.mdb"))
		len = 0;
	if (bytes == n->bytes.p && len == n->bytes.len) {
		struct node *cache = (struct node *)n;
		if (!cache->hash)
			cache->hash = mix(1, bytes, len) | 1;
		h ^= cache->hash * 31;
	} else {
		h ^= (mix(1, bytes, len) | 1) * 31;
	}
	*sum += h * (2 * n->kind + 1); /* in any order */
}

uint64_t image_hash(const struct image *im, enum image_cut cut, uint64_t seed)
{
	uint64_t sum = 0;
	image_each(im, cut, seed, hash_one, &sum);
	return sum;
}

/* ---- from the disk ---- */

static void load(struct image *im, struct node *dir, const char *path)
{
	DIR *d = opendir(path);
	struct dirent *de;

	if (!d)
		prefixes_die("cannot read %s: %s", path, strerror(errno));
	while ((de = readdir(d))) {
		AUTO_FREE char *full = mem_printf("%s/%s", path, de->d_name);
		struct stat st;
		struct err e = {0};
		if (str_eq(de->d_name, ".") || str_eq(de->d_name, "..") || lstat(full, &st) != 0)
			continue;
		struct node *n = mem_alloc(sizeof *n);
		*n = (struct node){.mode = st.st_mode & 07777, .cut = SIZE_MAX, .next = im->all};
		im->all = n;
		n->kind = S_ISDIR(st.st_mode)   ? NODE_DIR
		          : S_ISLNK(st.st_mode) ? NODE_LINK
		          : S_ISFIFO(st.st_mode) ? NODE_FIFO
		                                 : NODE_FILE;
		if (n->kind == NODE_LINK) {
			char target[4096];
			ssize_t len = readlink(full, target, sizeof target);
			str_addn(&n->bytes, target, len > 0 ? (size_t)len : 0);
		} else if (n->kind == NODE_FILE && fs_read(full, SIZE_MAX, &n->bytes, &e) != 0) {
			prefixes_die("%s", e.text);
		}
		str_addn(&n->flushed, str_text(&n->bytes), n->bytes.len);
		dir->entries = mem_grow(dir->entries, dir->n + 1, sizeof *dir->entries);
		dir->entries[dir->n++] = (struct entry){mem_strdup(de->d_name), n, n};
		if (n->kind == NODE_DIR)
			load(im, n, full);
	}
	closedir(d);
}

void image_init(struct image *im, enum image_disk disk)
{
	struct node *root = mem_alloc(sizeof *root);

	*root = (struct node){.kind = NODE_DIR, .mode = 0700, .cut = SIZE_MAX};
	*im = (struct image){.disk = disk, .root = root, .all = root};
}

void image_load(struct image *im, const char *from, const char *as)
{
	struct node *top = mem_alloc(sizeof *top), *root = im->root;

	*top = (struct node){.kind = NODE_DIR, .mode = 0755, .cut = SIZE_MAX, .next = im->all};
	im->all = top;
	root->entries = mem_grow(root->entries, root->n + 1, sizeof *root->entries);
	root->entries[root->n++] = (struct entry){mem_strdup(as), top, top};
	load(im, top, from);
}

struct compare {
	const char *base;
	size_t wrong, seen;
};

static void compare_one(void *ctx, const char *path, const struct node *n, const char *bytes, size_t len)
{
	struct compare *c = ctx;
	AUTO_FREE char *full = mem_printf("%s/%s", c->base, path);
	AUTO_STR struct str now = {0};
	struct stat st;
	struct err e = {0};

	c->seen++;
	if (lstat(full, &st) != 0) {
		printf("%s is in the image only\n", path);
		c->wrong++;
	} else if (n->kind == NODE_FILE && !str_ends(path, "/lock.mdb") &&
	           (fs_read(full, SIZE_MAX, &now, &e) != 0 || now.len != len || memcmp(str_text(&now), bytes, len) != 0)) {
		printf("%s has %zu bytes, in the image %zu; or others\n", path, now.len, len);
		c->wrong++;
	} else if (n->kind == NODE_FILE && n->made && (st.st_mode & 07777) != n->mode) {
		printf("%s has mode %o, in the image %o\n", path, st.st_mode & 07777, n->mode);
		c->wrong++;
	}
}

static size_t count(const char *path)
{
	size_t n = 0;
	DIR *d = opendir(path);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		AUTO_FREE char *full = mem_printf("%s/%s", path, de->d_name);
		struct stat st;
		if (str_eq(de->d_name, ".") || str_eq(de->d_name, "..") || lstat(full, &st) != 0)
			continue;
		n += 1 + (S_ISDIR(st.st_mode) ? count(full) : 0);
	}
	if (d)
		closedir(d);
	return n;
}

bool image_same(const struct image *im, const char *base)
{
	struct compare c = {.base = base};

	image_each(im, CUT_ALL, 0, compare_one, &c);
	size_t there = 0;
	for (size_t i = 0; i < im->root->n; i++) {
		AUTO_FREE char *top = mem_printf("%s/%s", base, im->root->entries[i].name);
		there += im->root->entries[i].now ? 1 + count(top) : 0;
	}
	if (there != c.seen)
		printf("%zu things are there, %zu in the image\n", there, c.seen);
	return !c.wrong && there == c.seen;
}
