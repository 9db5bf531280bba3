/* image: a file system in memory, that knows of each file and each name whether it has reached the disk. */
#ifndef BOSK_IMAGE_H
#define BOSK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace.h"

/* What a flush carries: `each` only the file or the names of the folder that was flushed; `journal` also
 * everything that happened to names before it (ext4, XFS). */
enum image_disk { DISK_EACH, DISK_JOURNAL };

/* What is left after a power cut. */
enum image_cut {
	CUT_ALL,   /* everything: as after a kill of all processes */
	CUT_NAMES, /* every name, but of files only what was flushed */
	CUT_LOST,  /* only what was flushed */
	CUT_MIX    /* of each thing that was not flushed: kept, lost or half, by a seed */
};

enum node_kind { NODE_FILE, NODE_DIR, NODE_LINK, NODE_FIFO };

struct node;
struct entry {
	char *name;
	struct node *now, *disk; /* NULL: no such name */
};

struct node {
	enum node_kind kind;
	mode_t mode;
	bool made;            /* in the run, not before it */
	bool changed;         /* its bytes, in the run */
	struct str bytes;     /* of a file; target of a link */
	struct str flushed;   /* what of them is on the disk */
	struct str ranged;    /* written out, but not yet with the journal */
	bool has_range;
	size_t cut;           /* the file was that short since the last flush; SIZE_MAX: never */
	uint64_t meta, sizes; /* last change to it, to its size */
	uint64_t hash;        /* of bytes; 0: not known */
	struct entry *entries;
	size_t n;
	struct node *next; /* all there are */
};

struct image {
	enum image_disk disk;
	struct node *root, *all;
	uint64_t clock, journal; /* operations so far; those that the journal has carried */
};

/* The folder `from` as it is, all of it on the disk; it is called `as` in the image. */
void image_init(struct image *im, enum image_disk disk);
void image_load(struct image *im, const char *from, const char *as);
void image_fini(struct image *im);
void image_apply(struct image *im, const struct op *op);

struct node *image_find(const struct image *im, const char *path);      /* NULL: no such name now */
struct node *image_on_disk(const struct image *im, const char *path);   /* by the names on the disk */
bool image_data_flushed(const struct node *n);
/* Every name on the way, and the bytes of a file. */
bool image_durable(const struct image *im, const char *path);

/* Calls `fn` for everything that is left, folders before what is in them. `bytes` of a file are its own. */
typedef void image_fn(void *ctx, const char *path, const struct node *n, const char *bytes, size_t len);
void image_each(const struct image *im, enum image_cut cut, uint64_t seed, image_fn *fn, void *ctx);

void image_write(const struct image *im, enum image_cut cut, uint64_t seed, const char *base);
uint64_t image_hash(const struct image *im, enum image_cut cut, uint64_t seed);
/* Is everything of `base` as in the image (but lock.mdb's bytes)? Prints what differs. */
bool image_same(const struct image *im, const char *base);

#endif
