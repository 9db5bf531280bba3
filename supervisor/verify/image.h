/* image: everything the store holds, copied out in one transaction, so that all of it is of one moment. */
#ifndef BOSK_IMAGE_H
#define BOSK_IMAGE_H

#include "store/db.h"
#include "store/rec.h"

struct image_row {
	char *key, *bytes; /* `bytes` is ended by a NUL that does not count */
	size_t n;
};
struct image_table {
	struct image_row *v; /* sorted by key */
	size_t n;
};
struct image {
	struct image_table tables[DB_COUNT];
};

/* db NULL = there is no store: empty. The caller frees with image_fini, also after an error. */
int image_read(struct image *out, struct db *db, struct err *e);
void image_fini(struct image *m);

const struct image_row *image_find(const struct image *m, enum db_table table, const char *key);
/* Rows whose key begins with `prefix`: the first and how many. */
const struct image_row *image_range(const struct image *m, enum db_table table, const char *prefix,
                                    size_t *n);
const char *image_table_name(enum db_table table);

#endif
