/* dbfile: a look at data.mdb before LMDB maps it. Reads, never writes; includes no LMDB.
 *
 * The layout below is that of LMDB 0.9 (data version 1), which the library checks by the same
 * magic and version. */
#include "dbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

enum { PAGE_BRANCH = 0x01, PAGE_LEAF = 0x02, PAGE_META = 0x08, NODE_OVERFLOW = 0x01 };
enum { TREE_NUMBERED = 0x08 }; /* keys are numbers: the tree of free pages, always */
enum { PAGE_MIN = 512, PAGE_MAX = 32768, TREE_MAX_DEPTH = 16 };
#define MAGIC 0xBEEFC0DEu

struct page {
	size_t number;
	uint16_t pad, flags, lower, upper;
};
struct tree {
	uint32_t page_size; /* in the first tree only: of the file */
	uint16_t flags, depth;
	size_t branch_pages, leaf_pages, overflow_pages, entries, root;
};
struct meta {
	struct page page;
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct tree free, main;
	size_t last_page, txn;
};
struct node {
	uint16_t low, high, flags, key_size;
};
_Static_assert(sizeof(struct page) == sizeof(size_t) + 8, "page header without holes");
_Static_assert(sizeof(struct node) == 8, "node header without holes");

struct look {
	const char *path;
	int fd;
	size_t page_size, pages; /* whole pages in the file */
	size_t counted;          /* pages of the newest commit */
	size_t missing_free;     /* pages beyond its end that the free list names */
	size_t visited;          /* pages of the free list's tree: a loop in it must end */
	struct err *e;
};

int dbfile_damaged(const char *path, struct err *e, const char *fmt, ...)
{
	AUTO_STR struct str why = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&why, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_DAMAGED,
	               "%s is not a usable store: %s; bosk verify --repair moves it aside and makes it again "
	               "from git (tasks, states and merges, not logs or history)",
	               path, str_text(&why));
}

#define damaged(l, ...) dbfile_damaged((l)->path, (l)->e, __VA_ARGS__)

static int cut_off(struct look *l)
{
	return damaged(l, "it has %zu pages of %zu, the rest was cut off", l->pages, l->counted);
}

static int read_at(struct look *l, void *out, size_t n, size_t offset)
{
	for (char *p = out; n;) {
		ssize_t got = pread(l->fd, p, n, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(l->e, "cannot read %s", l->path);
		if (got == 0)
			return damaged(l, "it ends at byte %zu", offset);
		p += got;
		n -= (size_t)got;
		offset += (size_t)got;
	}
	return 0;
}

static int meta_read(struct look *l, struct meta *m, size_t offset)
{
	if (read_at(l, m, sizeof *m, offset) != 0)
		return -1;
	if (!(m->page.flags & PAGE_META) || m->magic != MAGIC)
		return damaged(l, "no LMDB header at byte %zu", offset);
	if (m->version != 1)
		return damaged(l, "LMDB data version %u, this bosk reads 1", m->version);
	return 0;
}

/* ---- a file shorter than its page count ---- */

/* Entries of one list of free pages: how many lie beyond the end of the file? */
static int count_free(struct look *l, const unsigned char *list, size_t n)
{
	size_t count, number;

	memcpy(&count, list, sizeof count);
	if (count > n / sizeof number - 1)
		return damaged(l, "a free list is cut off");
	for (size_t i = 1; i <= count; i++) {
		memcpy(&number, list + i * sizeof number, sizeof number);
		l->missing_free += number >= l->pages;
	}
	return 0;
}

static int count_overflow(struct look *l, size_t number, size_t n)
{
	if (number >= l->pages || n > (l->pages - number) * l->page_size - sizeof(struct page))
		return cut_off(l);
	AUTO_FREE unsigned char *list = mem_alloc(n);
	if (read_at(l, list, n, number * l->page_size + sizeof(struct page)) != 0)
		return -1;
	return count_free(l, list, n);
}

static int count_leaf(struct look *l, const struct node *node, const unsigned char *bytes,
                      size_t room)
{
	size_t n = node->low | (size_t)node->high << 16, number;
	bool overflow = node->flags & NODE_OVERFLOW;
	size_t here = overflow ? sizeof number : n;

	if (n < sizeof number || node->key_size > room || here > room - node->key_size)
		return damaged(l, "a free list is cut off");
	if (!overflow)
		return count_free(l, bytes + node->key_size, n);
	memcpy(&number, bytes + node->key_size, sizeof number);
	return count_overflow(l, number, n);
}

static int count_tree(struct look *l, size_t number, unsigned depth)
{
	struct page page;
	struct node node;

	if (number >= l->pages)
		return cut_off(l);
	if (depth == TREE_MAX_DEPTH || l->visited++ == l->pages)
		return damaged(l, "its free list has a loop");
	AUTO_FREE unsigned char *bytes = mem_alloc(l->page_size);
	if (read_at(l, bytes, l->page_size, number * l->page_size) != 0)
		return -1;
	memcpy(&page, bytes, sizeof page);
	if (page.number != number || !(page.flags & (PAGE_BRANCH | PAGE_LEAF)) ||
	    page.lower < sizeof page || page.lower > l->page_size)
		return damaged(l, "page %zu is garbled", number);
	for (size_t at = sizeof page; at + 2 <= page.lower; at += 2) {
		uint16_t offset;
		memcpy(&offset, bytes + at, sizeof offset);
		if (offset < page.lower || offset + sizeof node > l->page_size)
			return damaged(l, "page %zu is garbled", number);
		memcpy(&node, bytes + offset, sizeof node);
		size_t child = node.low | (size_t)node.high << 16 | (size_t)node.flags << 16 << 16;
		offset += sizeof node;
		int rc = page.flags & PAGE_BRANCH
		                 ? count_tree(l, child, depth + 1)
		                 : count_leaf(l, &node, bytes + offset, l->page_size - offset);
		if (rc != 0)
			return -1;
	}
	return 0;
}

/* Pages that a transaction took from the end and gave back before its commit are counted but were
 * never written: a sound file may end early, when the free list names every page beyond its end
 * (seen: a batch that puts and deletes large values). Anything else has been truncated. */
static int check_length(struct look *l, const struct meta *m)
{
	if (m->last_page < l->pages)
		return 0;
	l->counted = m->last_page + 1;
	if (m->free.root != SIZE_MAX && count_tree(l, m->free.root, 0) != 0)
		return -1;
	return l->missing_free == l->counted - l->pages ? 0 : cut_off(l);
}

/* ---- the look ---- */

static int check_tree(struct look *l, const struct tree *t, unsigned flags, const char *name)
{
	struct page page;
	uint16_t expected = t->depth > 1 ? PAGE_BRANCH : PAGE_LEAF;

	if (t->flags != flags)
		return damaged(l, "its %s tree is not of our kind", name);
	if (t->root == SIZE_MAX) /* empty */
		return 0;
	if (t->root < 2 || t->root >= l->pages)
		return damaged(l, "its %s tree begins at page %zu of %zu", name, t->root, l->pages);
	if (read_at(l, &page, sizeof page, t->root * l->page_size) != 0)
		return -1;
	if (page.number != t->root || page.flags != expected || t->depth > TREE_MAX_DEPTH)
		return damaged(l, "its %s tree is garbled", name);
	return 0;
}

/* The newer header, and that the older is its predecessor: commits write them in turn, so that
 * the number of a commit says which of the two it wrote. */
static int check_meta(struct look *l, const struct meta *m, const struct meta *older)
{
	if (m->free.page_size != older->free.page_size)
		return damaged(l, "its two headers differ in page size");
	if (m->txn != 0 && m->txn - 1 != older->txn)
		return damaged(l, "its headers are of commits %zu and %zu", older->txn, m->txn);
	if (m->map_size > SIZE_MAX >> 17) /* beyond any address space */
		return damaged(l, "map size %zu", m->map_size);
	if (check_length(l, m) != 0 || check_tree(l, &m->free, TREE_NUMBERED, "free page") != 0)
		return -1;
	return check_tree(l, &m->main, 0, "main");
}

static int look(struct look *l, size_t size, struct dbfile *out)
{
	struct meta first, second;

	if (meta_read(l, &first, 0) != 0)
		return -1;
	l->page_size = first.free.page_size;
	if (l->page_size < PAGE_MIN || l->page_size > PAGE_MAX || l->page_size & (l->page_size - 1))
		return damaged(l, "page size %zu", l->page_size);
	if (meta_read(l, &second, l->page_size) != 0)
		return -1;
	/* A part of a page after the last whole one is what a write leaves that ran out of room: it
	 * is behind everything committed, or the page count says otherwise. */
	l->pages = size / l->page_size;
	if (l->pages < 2)
		return damaged(l, "it has only %zu bytes", size);
	bool odd = first.txn < second.txn;
	const struct meta *newest = odd ? &second : &first;
	if (newest->txn % 2 != odd)
		return damaged(l, "its header number %d is of commit %zu", odd, newest->txn);
	out->map_size = newest->map_size;
	out->fresh = newest->txn == 0;
	return check_meta(l, newest, odd ? &first : &second);
}

int dbfile_look(const char *path, struct dbfile *out, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct look l = {.path = path, .fd = fd, .e = e};
	struct stat st;

	*out = (struct dbfile){.fresh = true};
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, "cannot open %s", path);
	if (!S_ISREG(st.st_mode))
		return damaged(&l, "it is not a regular file");
	return st.st_size == 0 ? 0 : look(&l, (size_t)st.st_size, out);
}

int dbfile_still(const char *path, const char *lock, struct dbfile_seen *seen, struct err *e)
{
	struct stat st, locks;

	if (stat(path, &st) != 0)
		return dbfile_damaged(path, e, "it vanished while in use (%s)", strerror(errno));
	if (seen->inode && (st.st_ino != seen->inode || st.st_dev != seen->device))
		return dbfile_damaged(path, e, "it was replaced while in use");
	if (st.st_size < seen->size)
		return dbfile_damaged(path, e, "it was cut from %lld to %lld bytes while in use",
		                      (long long)seen->size, (long long)st.st_size);
	if (stat(lock, &locks) != 0 || (seen->lock && locks.st_ino != seen->lock))
		return err_set(e, ERR_DAMAGED,
		               "%s was removed while in use, so that bosk processes do not see each other any "
		               "more: end them all, then go on with bosk resume",
		               lock);
	*seen = (struct dbfile_seen){st.st_dev, st.st_ino, locks.st_ino, st.st_size};
	return 0;
}
