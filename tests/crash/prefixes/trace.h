/* trace: the calls by which a run changed files, read from what `strace -f -y -xx` wrote. */
#ifndef BOSK_TRACE_H
#define BOSK_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "store/base/str.h"

enum op_kind {
	OP_CREATE,  /* opened with O_CREAT or O_TRUNC; `flag`: O_TRUNC */
	OP_WRITE,   /* at `at` (-1: at the end); `flag`: on the disk when it returns (O_DSYNC) */
	OP_SIZE,    /* cut or grown to `at` bytes; `flag`: only grown */
	OP_RENAME,  /* path -> to */
	OP_LINK,    /* path -> to */
	OP_SYMLINK, /* path names `data` */
	OP_UNLINK,
	OP_RMDIR,
	OP_MKDIR,
	OP_FIFO,
	OP_CHMOD,
	OP_FSYNC,  /* file or folder */
	OP_FDATASYNC,
	OP_RANGE /* sync_file_range of a whole file */
};

struct op {
	enum op_kind kind;
	char *path, *to; /* below the base folder, without a slash at the front */
	struct str data;
	off_t at;
	mode_t mode;
	bool flag;
	size_t line; /* in the trace */
	int pid;
};

struct trace {
	struct op *ops;
	size_t n;
};

/* Only what succeeded, below `base` in one of the folders `tops`, in the order in which the calls
 * began. Ends the program on a line that it does not understand, or a call that it cannot repeat. */
void trace_read(struct trace *out, const char *path, const char *base, const char *const *tops);
void trace_fini(struct trace *t);
const char *trace_name(enum op_kind kind);

#endif
