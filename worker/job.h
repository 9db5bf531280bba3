/* job: run one program to its end, for a process that has nothing else to do meanwhile (a worker
 * and its git, setup, agent and gate commands; a tool landing a branch).
 *
 * End of a job = the child is reaped, then what is already in the pipes is drained for at most 1 s:
 * never "until end of file", a daemonised grandchild may hold them for ever (pitfalls 8.7).
 *
 * The caller ignores SIGPIPE (a watcher that writes to a peer must get EPIPE, not die with the job
 * running; the child has it default again), does not ignore SIGCHLD, and reaps nothing itself while
 * a job runs. No signal handler is needed: a signal only makes the wait begin anew. */
#ifndef BOSK_JOB_H
#define BOSK_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "output.h"
#include "secret.h"
#include "store/base/err.h"
#include "store/base/str.h"

enum job_end {
	JOB_EXITED,   /* status = exit code */
	JOB_SIGNALED, /* status = signal */
	JOB_TIMEOUT,  /* ended by us: timeout_ms */
	JOB_SILENT,   /* ended by us: silence_ms without output */
	JOB_STOPPED,  /* ended by us: the watcher said so */
	JOB_UNRUN     /* could not be started: see the error */
};

struct job {
	const char *const *argv; /* see struct exec_spec */
	const char *cwd;
	char *const *env;
	const char *stdin_path;  /* regular file; NULL = /dev/null */
	int keep_fd;             /* one more descriptor (> 2) for the child; 0 or -1 = none */
	uint64_t timeout_ms;     /* from the start, without time in which the machine or this process stood still; 0 = none */
	uint64_t silence_ms;     /* as above; 0 = none */
	uint64_t grace_ms;       /* between TERM and KILL of the group; 0 = KILL at once */
	bool contained;          /* at its end, end every descendant of this process too: needs
	                          * proc_contain, and no other child that should live */

	/* Where output goes: both NULL = captured into out/err below. */
	struct output *log;      /* stdout and stderr together, in the order written (but see `heard`) */
	struct secret_stream *to_log; /* ends in `log`: bytes go through it; NULL = straight there */
	/* With a log: stderr has a pipe of its own, goes to the log through err_to_log, and `heard` is told what comes, as
	 * it is, which = 1 (stdout) or 2. True = end the job, as when the watcher says so. NULL = none of this. */
	struct secret_stream *err_to_log;
	bool (*heard)(void *ctx, int which, const char *bytes, size_t n);
	struct str *out, *err;   /* captured (added), at most capture_max bytes each (0 = 1 MiB);
	                          * the rest is read and dropped. NULL = read and dropped */
	size_t capture_max;

	/* Called when watch_fd is readable or hung up; true = stop the job. Not called = -1, or no
	 * `watch`. After a hang-up that did not stop the job it is called no more, nor once the job
	 * is being ended. */
	int watch_fd;
	bool (*watch)(void *ctx);
	/* Called after output arrived, at most four times a second; NULL = never. */
	void (*progress)(void *ctx);
	void *ctx;
};

struct job_result {
	enum job_end end;
	int status; /* for JOB_EXITED and JOB_SIGNALED; else 0 */
	uint64_t ms;
};

/* The child leads a process group of its own and dies (KILL) with the calling thread.
 *
 * To end a job: TERM to the group, up to grace_ms of time (output is read meanwhile), KILL to what
 * is left of the group. A leader that exits ends the grace of its group. A job that ends by itself
 * leaves its group alone, unless `contained`.
 *
 * Returns 0 when the program was started and has ended, however; -1 only when it could not be
 * started (end = JOB_UNRUN) or the system failed: then, or when the child cannot be killed (10 s),
 * `end` is the reason the job was being ended for. SIGCHLD is not needed by the caller. */
int job_run(const struct job *job, struct job_result *result, struct err *e);

#endif
