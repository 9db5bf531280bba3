/* render: text helpers of the commands that show state (status, report, doctor): tables whose
 * columns line up in the terminal, whatever script the texts are in. Foreign text may be given as
 * it is: it is escaped here (promise E7). Prints into a struct str, never to a descriptor.
 *
 *   struct table t = {0};
 *   TABLE_HEADER(&t, "TASK", "STATE", "SECONDS", "REASON");
 *   table_right(&t, 2);
 *   TABLE_ROW(&t, task->id, "failed", "12.5", task->reason);
 *   table_print(&t, render_columns(1), &out);
 *   table_fini(&t);
 */
#ifndef BOSK_RENDER_H
#define BOSK_RENDER_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/str.h"

/* Zero-initialise. */
struct table {
	struct strv header;  /* shown text, as the rows are */
	struct strv *rows;
	size_t n;
	uint64_t right;      /* bit i = column i is aligned right */
};

/* At most one header line, whenever it comes; without it only rows are printed. Texts are copied;
 * a newline in one is escaped. NULL shows as "-". */
void table_header(struct table *t, const char *const *texts, size_t n);
/* Rows may differ in length: missing cells are empty. */
void table_row(struct table *t, const char *const *texts, size_t n);
/* Align this column (from 0, at most 63) right, for numbers. */
void table_right(struct table *t, size_t column);

/* Two spaces between columns, none at a line's end, each line ended by '\n'. With `width` no line
 * takes more columns: the last column is cut (and ends in ".." then), or everything behind `width`
 * where even the other columns don't fit. 0 = nothing is cut. Nothing for a table without rows. */
void table_print(const struct table *t, size_t width, struct str *out);

void table_fini(struct table *t); /* empty and usable again */
#define AUTO_TABLE __attribute__((cleanup(table_fini)))

#define TABLE_TEXTS_(...)                                                                         \
	((const char *const[]){__VA_ARGS__}), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define TABLE_HEADER(t, ...) table_header((t), TABLE_TEXTS_(__VA_ARGS__))
#define TABLE_ROW(t, ...) table_row((t), TABLE_TEXTS_(__VA_ARGS__))

/* The width for table_print: the columns of the terminal at fd, 0 when fd is none. */
size_t render_columns(int fd);

#endif
