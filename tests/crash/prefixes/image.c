/* image: what the operations of a run do to files and names, and what their flushes put on the disk.
 *
 * The model of durability:
 *   fsync or fdatasync of a file: its bytes as they are. A write to a file opened with O_DSYNC: the same.
 *   fsync of a folder: the names in it, as they are now - not the folder's own name.
 *   `each`: nothing more than that. A new file's fsync does not carry its name; sync_file_range nothing.
 *   `journal`: names, sizes and modes reach the disk in their order, all up to a flush that has to
 *     write the journal: an fsync of what was changed since (data alone does not count for fdatasync).
 *     sync_file_range puts bytes there, which count once the journal has been written.
 * An unflushed file that has its name nevertheless (CUT_NAMES) is empty, or as last flushed, cut to the
 * shortest it was since. Left out: bytes of a file torn within a flush, sectors that the disk lost or
 * garbled, disks that lie about a flush, names that reach the disk in another order than they were made in
 * (but for CUT_MIX with `each`; there too, of what was removed all is back or nothing), times and owners of files. */
#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "prefixes.h"
#include "store/base/mem.h"

static void copy(struct str *to, const struct str *from)
{
	str_clear(to);
	str_addn(to, str_text(from), from->len);
}

static struct node *new_node(struct image *im, enum node_kind kind, mode_t mode)
{
	struct node *n = mem_alloc(sizeof *n);
	*n = (struct node){.kind = kind, .mode = mode, .cut = SIZE_MAX, .made = true, .next = im->all};
	n->meta = n->sizes = im->clock;
	im->all = n;
	return n;
}

void image_fini(struct image *im)
{
	for (struct node *n = im->all, *next; n; n = next) {
		next = n->next;
		for (size_t i = 0; i < n->n; i++)
			free(n->entries[i].name);
		free(n->entries);
		str_fini(&n->bytes);
		str_fini(&n->flushed);
		str_fini(&n->ranged);
		free(n);
	}
	*im = (struct image){0};
}

/* ---- names ---- */

static struct entry *entry_of(struct node *dir, const char *name, size_t len, bool make)
{
	for (size_t i = 0; i < dir->n; i++)
		if (strncmp(dir->entries[i].name, name, len) == 0 && !dir->entries[i].name[len])
			return &dir->entries[i];
	if (!make)
		return NULL;
	dir->entries = mem_grow(dir->entries, dir->n + 1, sizeof *dir->entries);
	dir->entries[dir->n] = (struct entry){.name = mem_strndup(name, len)};
	return &dir->entries[dir->n++];
}

/* The entry of the last part, in the folder that has it now. */
static struct entry *walk(const struct image *im, const char *path, bool disk, bool make, struct node **dir)
{
	struct node *at = im->root;

	for (const char *p = path;;) {
		size_t len = strcspn(p, "/");
		bool last = !p[len];
		if (!at || at->kind != NODE_DIR)
			return NULL;
		struct entry *en = entry_of(at, p, len, last && make);
		if (last || !en) {
			*dir = at;
			return en;
		}
		at = disk ? en->disk : en->now;
		p += len + 1;
	}
}

struct node *image_find(const struct image *im, const char *path)
{
	struct node *dir;
	struct entry *en = walk(im, path, false, false, &dir);
	return en ? en->now : NULL;
}

struct node *image_on_disk(const struct image *im, const char *path)
{
	struct node *dir;
	struct entry *en = walk(im, path, true, false, &dir);
	return en ? en->disk : NULL;
}

static struct node *need(const struct image *im, const struct op *op, const char *path)
{
	struct node *n = image_find(im, path);
	if (!n)
		prefixes_die("trace, line %zu: %s of %s, which is not there", op->line, trace_name(op->kind), path);
	return n;
}

static struct entry *place(struct image *im, const struct op *op, const char *path)
{
	struct node *dir;
	struct entry *en = walk(im, path, false, true, &dir);
	if (!en)
		prefixes_die("trace, line %zu: no folder for %s", op->line, path);
	dir->meta = im->clock;
	return en;
}

/* ---- bytes ---- */

static void resize(struct image *im, struct node *n, size_t size)
{
	if (size < n->bytes.len) {
		n->bytes.len = size;
		if (size < n->cut)
			n->cut = size;
	}
	while (n->bytes.len < size)
		str_addc(&n->bytes, '\0');
	n->hash = 0;
	n->changed = true;
	n->meta = n->sizes = im->clock;
}

static void flush_data(struct node *n)
{
	copy(&n->flushed, &n->bytes);
	n->cut = SIZE_MAX;
	n->has_range = false;
}

static void put_bytes(struct image *im, struct node *n, const struct op *op)
{
	size_t at = op->at < 0 ? n->bytes.len : (size_t)op->at;
	if (at + op->data.len > n->bytes.len)
		resize(im, n, at + op->data.len);
	if (op->data.len) /* of an empty file there are no bytes to point to */
		memcpy(n->bytes.p + at, op->data.p, op->data.len);
	n->hash = 0;
	n->changed = true;
	n->meta = im->clock;
	if (op->flag)
		flush_data(n);
}

/* ---- flushes ---- */

static void carry_journal(struct image *im)
{
	for (struct node *n = im->all; n; n = n->next) {
		for (size_t i = 0; i < n->n; i++)
			n->entries[i].disk = n->entries[i].now;
		if (n->has_range)
			copy(&n->flushed, &n->ranged);
		else if (n->cut < n->flushed.len)
			n->flushed.len = n->cut;
		n->has_range = false;
		n->cut = SIZE_MAX;
	}
	im->journal = im->clock;
}

static void flush(struct image *im, struct node *n, bool data_only)
{
	if (n->kind == NODE_FILE)
		flush_data(n);
	if (im->disk == DISK_JOURNAL) {
		if ((data_only ? n->sizes : n->meta) > im->journal)
			carry_journal(im);
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		n->entries[i].disk = n->entries[i].now;
}

/* ---- operations ---- */

static void create(struct image *im, const struct op *op)
{
	struct node *n = image_find(im, op->path);
	if (!n) {
		n = new_node(im, NODE_FILE, op->mode & ~(mode_t)022);
		place(im, op, op->path)->now = n;
		n->changed = true;
	} else if (op->flag) {
		resize(im, n, 0);
	}
}

static void rename_to(struct image *im, const struct op *op)
{
	struct node *n = need(im, op, op->path);
	place(im, op, op->path)->now = NULL;
	place(im, op, op->to)->now = n;
	n->meta = n->sizes = im->clock;
}

static void make(struct image *im, const struct op *op, enum node_kind kind)
{
	struct node *n = new_node(im, kind, op->mode & ~(mode_t)022);
	str_addn(&n->bytes, str_text(&op->data), op->data.len);
	copy(&n->flushed, &n->bytes);
	place(im, op, op->path)->now = n;
}

void image_apply(struct image *im, const struct op *op)
{
	im->clock++;
	switch (op->kind) {
	case OP_CREATE:
		create(im, op);
		break;
	case OP_WRITE:
		put_bytes(im, need(im, op, op->path), op);
		break;
	case OP_SIZE: {
		struct node *n = need(im, op, op->path);
		if (!op->flag || n->bytes.len < (size_t)op->at)
			resize(im, n, (size_t)op->at);
		break;
	}
	case OP_RENAME:
		rename_to(im, op);
		break;
	case OP_LINK:
		place(im, op, op->to)->now = need(im, op, op->path);
		need(im, op, op->path)->meta = im->clock;
		break;
	case OP_SYMLINK:
		make(im, op, NODE_LINK);
		break;
	case OP_UNLINK:
	case OP_RMDIR:
		need(im, op, op->path);
		place(im, op, op->path)->now = NULL;
		break;
	case OP_MKDIR:
		make(im, op, NODE_DIR);
		break;
	case OP_FIFO:
		make(im, op, NODE_FIFO);
		break;
	case OP_CHMOD:
		need(im, op, op->path)->mode = op->mode;
		break;
	case OP_FSYNC:
	case OP_FDATASYNC:
		flush(im, need(im, op, op->path), op->kind == OP_FDATASYNC);
		break;
	case OP_RANGE:
		if (im->disk == DISK_JOURNAL) {
			struct node *n = need(im, op, op->path);
			copy(&n->ranged, &n->bytes);
			n->has_range = true;
		}
		break;
	}
}

/* ---- questions ---- */

bool image_data_flushed(const struct node *n)
{
	return n->cut == SIZE_MAX && n->bytes.len == n->flushed.len &&
	       memcmp(str_text(&n->bytes), str_text(&n->flushed), n->bytes.len) == 0;
}

bool image_durable(const struct image *im, const char *path)
{
	struct node *n = image_find(im, path);
	return n && image_on_disk(im, path) == n && (n->kind != NODE_FILE || image_data_flushed(n));
}
