/* fs: files and folders of bosk's own state. Directories 0700, files 0600 (promise E6). */
#ifndef BOSK_FS_H
#define BOSK_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "err.h"
#include "str.h"

/* Make `path` and missing parents, mode 0700 whatever the umask. */
int fs_mkdirs(const char *path, struct err *e);
/* Whole file into `out`; more than `max` bytes is ERR_USAGE. */
int fs_read(const char *path, size_t max, struct str *out, struct err *e);
/* The same of an open file, which `path` names in errors. */
int fs_read_open(int fd, const char *path, size_t max, struct str *out, struct err *e);
/* New content under a temporary name, then renamed over `path`; with `durable` both flushed. */
int fs_write(const char *path, const void *bytes, size_t n, bool durable, struct err *e);
bool fs_exists(const char *path); /* lstat succeeds */
bool fs_is_dir(const char *path); /* follows links */
bool fs_is_pipe(const char *path); /* has a name in a folder, unlike /dev/fd/3: to open it may wait for ever */
int fs_write_all(int fd, const void *bytes, size_t n, struct err *e);
uint64_t fs_tree_bytes(const char *path); /* of all in it, on the disk; links and other disks are not followed */
/* Remove a tree without following links or crossing to another file system. Absent = success. */
int fs_remove_tree(const char *path, struct err *e);
/* Folders below `path` that their owner, this user, may not read or write (a read-only cache of modules): make
 * them so that what is in them can be read and removed. As fs_remove_tree it follows and crosses nothing. */
int fs_open_up(const char *path, struct err *e);

#endif
