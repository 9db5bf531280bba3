/* lock: an exclusive flock on an open descriptor, with a limit on the waiting. */
#ifndef BOSK_LOCK_H
#define BOSK_LOCK_H

/* 0: the lock is held; 1: somebody else kept it for the whole of limit_ms (0 = do not wait);
 * -1: errno says why not. The lock belongs to the open file: it lasts until every copy of the
 * descriptor is closed, so open it close-on-exec and do not fork while holding it. */
int lock_wait(int fd, unsigned limit_ms);

#endif
