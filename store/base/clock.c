/* clock: the clocks, and time as text. */
#include "clock.h"

#include <stdio.h>
#include <string.h>
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

static void add_tm(struct str *out, const struct tm *tm, const char *format)
{
	char text[64];

	str_addn(out, text, strftime(text, sizeof text, format, tm));
}

static void add_time(struct str *out, uint64_t wall_ms, const char *format)
{
	struct tm tm;
	time_t t = (time_t)(wall_ms / 1000);

	gmtime_r(&t, &tm);
	add_tm(out, &tm, format);
}

void clock_add_local(struct str *out, uint64_t wall_ms)
{
	struct tm tm;
	time_t t = (time_t)(wall_ms / 1000);

	tzset();
	localtime_r(&t, &tm);
	add_tm(out, &tm, "%Y-%m-%d %H:%M %Z");
}

bool clock_add_left(struct str *out, uint64_t wall_ms)
{
	enum { HOUR_MS = 3600 * 1000 };
	uint64_t now = clock_wall_ms(), left = wall_ms > now ? wall_ms - now : 0;

	if (!left)
		return false;
	str_add(out, "in ");
	if (left < UINT64_C(48) * HOUR_MS)
		clock_add_duration(out, left);
	else
		str_addf(out, "%llu d %02llu h", (unsigned long long)(left / HOUR_MS / 24), (unsigned long long)(left / HOUR_MS % 24));
	return true;
}

void clock_add_iso(struct str *out, uint64_t wall_ms)
{
	add_time(out, wall_ms, "%Y-%m-%dT%H:%M:%SZ");
}

/* "+02:00", "-0530", "Z" or nothing: minutes. */
static bool parse_offset(const char *text, int *minutes)
{
	unsigned h, m;
	int used = 0;

	*minutes = 0;
	if (!*text || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if ((*text != '+' && *text != '-') ||
	    (sscanf(text + 1, "%2u:%2u%n", &h, &m, &used) != 2 && sscanf(text + 1, "%2u%2u%n", &h, &m, &used) != 2) ||
	    text[1 + used] || h > 23 || m > 59)
		return false;
	*minutes = (int)(h * 60 + m) * (*text == '-' ? -1 : 1);
	return true;
}

bool clock_parse_iso(const char *text, uint64_t *wall_ms)
{
	struct tm tm = {0};
	int used = 0, offset;
	uint64_t fraction = 0;

	if (strspn(text, "0123456789-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
	           &tm.tm_sec, &used) != 6 || used != 19)
		return false;
	text += used;
	if (*text == '.') {
		size_t digits = strspn(++text, "0123456789");
		for (size_t i = 0; i < 3; i++)
			fraction = fraction * 10 + (i < digits ? (uint64_t)(text[i] - '0') : 0);
		text += digits;
	}
	if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 ||
	    tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60 || !parse_offset(text, &offset))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	time_t t = timegm(&tm) - (time_t)offset * 60;
	if (t < 0)
		return false;
	*wall_ms = (uint64_t)t * 1000 + fraction;
	return true;
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
