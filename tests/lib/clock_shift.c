/* clock_shift: to be preloaded: the wall clock of the process goes by as many seconds ahead (or behind, negative) as
 * the file $CLOCK_SHIFT says, which may change at any time; the clock of the time since the boot by what the file
 * $BOOT_SHIFT says. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t shift(const char *name)
{
	const char *path = getenv(name);
	long seconds = 0;
	FILE *in = path ? fopen(path, "re") : NULL;

	if (in) {
		if (fscanf(in, "%ld", &seconds) != 1)
			seconds = 0;
		fclose(in);
	}
	return (time_t)seconds;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	long rc = syscall(SYS_clock_gettime, id, out);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		out->tv_sec += shift("CLOCK_SHIFT");
	if (rc == 0 && id == CLOCK_BOOTTIME)
		out->tv_sec += shift("BOOT_SHIFT");
	return (int)rc;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	*out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
