/* clock: the clocks, and time as text. */
#include "clock.h"

#include <time.h>

static uint64_t read_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

uint64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

static void add_time(struct str *out, uint64_t wall_ms, const char *format)
{
	char text[64];
	struct tm tm;
	time_t t = (time_t)(wall_ms / 1000);

	gmtime_r(&t, &tm);
	str_addn(out, text, strftime(text, sizeof text, format, &tm));
}

void clock_add_iso(struct str *out, uint64_t wall_ms)
{
	add_time(out, wall_ms, "%Y-%m-%dT%H:%M:%SZ");
}

void clock_add_stamp(struct str *out, uint64_t wall_ms)
{
	add_time(out, wall_ms, "%Y%m%d%H%M%S");
}

void clock_add_duration(struct str *out, uint64_t ms)
{
	uint64_t s = ms / 1000;
	if (ms < 10000)
		str_addf(out, "%llu.%llu s", (unsigned long long)s, (unsigned long long)(ms / 100 % 10));
	else if (s < 100)
		str_addf(out, "%llu s", (unsigned long long)s);
	else if (s < 3600)
		str_addf(out, "%llu m %02llu s", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
	else
		str_addf(out, "%llu h %02llu m", (unsigned long long)(s / 3600),
		         (unsigned long long)(s / 60 % 60));
}
