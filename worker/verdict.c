/* verdict: judging the end of a gate's command. */
#include "verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/mem.h"

/* What is called full: less than that (of a small disk: than a part of it), or that nobody can write so little. */
enum { FULL_BYTES = 256 << 20, FULL_PART = 8, FULL_INODES = 1000, PROBE_BYTES = 1 << 20 };

static const struct verdict passed = {"pass", false, false}, failed = {"fail", true, false},
                            unrun = {"could-not-run", false, false}, ended = {"could-not-run", true, false},
                            starved = {"could-not-run", false, true};

/* A quota shows in no number, so a file is made: without a name, gone with its descriptor. */
static bool refuses(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == ENOSPC || errno == EDQUOT;
	int rc = posix_fallocate(fd, 0, PROBE_BYTES);
	close(fd);
	return rc == ENOSPC || rc == EDQUOT;
}

bool verdict_full(const char *folder)
{
	struct statvfs v;

	if (statvfs(folder, &v) != 0)
		return false;
	uint64_t least = v.f_frsize ? (uint64_t)FULL_BYTES / v.f_frsize : 0;
	if (!v.f_bavail || v.f_bavail < (least < v.f_blocks / FULL_PART ? least : v.f_blocks / FULL_PART))
		return true;
	return (v.f_files && v.f_favail < FULL_INODES) || refuses(folder);
}

static void add_signal(struct str *why, int number)
{
	const char *name = sigabbrev_np(number);

	if (name)
		str_addf(why, "died of SIG%s", name);
	else
		str_addf(why, "died of signal %d", number);
	if (number == SIGKILL)
		str_add(why, ", as when memory runs out");
}

/* A shell says by its exit code what its command died of. Not of each signal: 128 and 129 are also what git ends with when
 * it is called wrongly, and what is above means something else. */
static int signal_in(int status)
{
	static const int known[] = {SIGINT, SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,  SIGFPE, SIGKILL,
	                            SIGSEGV, SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ, SIGSYS};

	for (size_t i = 0; i < MEM_COUNT(known); i++)
		if (status == 128 + known[i])
			return known[i];
	return 0;
}

/* That words of a full disk stand in the output is not enough, a test of what to do then prints them too; and what has
 * cleaned up after itself may have made room again, so that little room is enough. */
static const char *full_place(const struct tally *t, const char *const *places)
{
	for (size_t i = 0; tally_late(t, t->full_at) && places[i]; i++)
		if (verdict_full(places[i]))
			return places[i];
	return NULL;
}

static struct verdict of_exit(int status, const struct tally *t, const char *const *places, struct str *why)
{
	bool no_tests = t->none && !t->some;
	const char *full = status ? full_place(t, places) : NULL;

	str_addf(why, "exit %d", status);
	if (status == 126 || status == 127) {
		str_add(why, status == 127 ? ": command not found" : ": cannot be executed");
		return unrun;
	}
	if (status && tally_late(t, t->missing_at)) {
		str_addf(why, ": not found: %s", t->missing);
		return unrun;
	}
	if (full) {
		str_addf(why, ": no space left on the disk of %s", full);
		return starved;
	}
	if (status && tally_late(t, t->killed_at)) {
		str_add(why, ": a command in it ");
		add_signal(why, SIGKILL);
		return ended;
	}
	if (signal_in(status)) {
		str_add(why, ": a command ");
		add_signal(why, signal_in(status));
		return ended;
	}
	/* Of a red gate it is the reason only when it stands at the end: else something after it has failed. */
	if (no_tests && (!status || tally_late(t, t->none_at))) {
		str_add(why, ": it ran no tests");
		return unrun;
	}
	return status ? failed : passed;
}

struct verdict verdict_of(const struct job_result *r, uint64_t timeout_ms, const struct tally *t,
                          const char *const *places, struct str *why)
{
	switch (r->end) {
	case JOB_EXITED:
		return of_exit(r->status, t, places, why);
	case JOB_SIGNALED:
		add_signal(why, r->status);
		return ended;
	case JOB_TIMEOUT:
	case JOB_SILENT:
		str_add(why, "no end after ");
		clock_add_duration(why, timeout_ms);
		return (struct verdict){"timeout", false, false};
	case JOB_STOPPED:
	case JOB_UNRUN:
		break;
	}
	str_add(why, "could not be started");
	return unrun;
}
