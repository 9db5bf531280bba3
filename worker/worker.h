/* worker: the process of one worktree. Serves one task at a time, does all the slow git work of its
 * worktree, never opens the store (the parent of an untrusted agent holds no map of everybody's
 * state). Ends its whole tree and itself when the supervisor is gone. */
#ifndef BOSK_WORKER_H
#define BOSK_WORKER_H

/* The hidden command `bosk worker PARENT-PID READ-FD WRITE-FD`. Returns the exit code. */
int worker_main(int argc, char **argv);

#endif
