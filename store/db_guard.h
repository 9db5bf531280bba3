/* db_guard: what reading garbage may do to this process. LMDB trusts its pages: a damaged one can end the
 * process by SIGSEGV, SIGBUS or an assertion (pitfalls 7.9). In a transaction that becomes a message and exit
 * code 4. For store/db.c and db_open.c only. */
#ifndef BOSK_DB_GUARD_H
#define BOSK_DB_GUARD_H

/* Once per process, for the store at `path`. */
void db_guard_install(const char *path);
/* Around each transaction. */
void db_guard_enter(void);
void db_guard_leave(void);

#endif
