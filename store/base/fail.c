/* fail: numbered crash points (see fail.h). Empty in builds without BOSK_FAILPOINTS. */
#include "fail.h"

#ifdef BOSK_FAILPOINTS
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fail_point(const char *name)
{
	static unsigned long passed;
	const char *at = getenv("BOSK_FAILPOINT_AT"), *log = getenv("BOSK_FAILPOINT_LOG");

	passed++;
	if (log) {
		int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0) {
			char line[128];
			size_t n = strnlen(name, sizeof line - 1);
			memcpy(line, name, n);
			line[n] = '\n';
			ssize_t ignored = write(fd, line, n + 1);
			(void)ignored;
			close(fd);
		}
	}
	if (at && strtoul(at, NULL, 10) == passed)
		_exit(137);
}
#else
typedef int fail_translation_unit_is_not_empty;
#endif
