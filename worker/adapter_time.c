/* adapter_time: when a limit is over, out of what programs write of it. Only texts and zones: knows no rules. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "adapter.h"
#include "store/base/mem.h"

#define LEAST_MS (UINT64_C(30) * 1000)
#define MOST_MS (UINT64_C(8) * 24 * 3600 * 1000)
enum { MINUTE = 60, DAY = 24 * 3600, JUST_PASSED = 5 * MINUTE, LONG_PASSED = 31 * DAY };

static uint64_t clamped(double at_ms, uint64_t now_ms)
{
	double least = (double)(now_ms + LEAST_MS), most = (double)(now_ms + MOST_MS);

	return isless(at_ms, least) ? now_ms + LEAST_MS : isgreater(at_ms, most) ? now_ms + MOST_MS : (uint64_t)at_ms;
}

static void skip(const char **p, const char *what)
{
	*p += strspn(*p, what);
}

/* Up to `most` digits; -1 = none. */
static int number(const char **p, size_t most)
{
	int n = 0;
	size_t digits = strspn(*p, "0123456789");

	if (!digits || digits > most)
		return -1;
	for (; digits; digits--)
		n = n * 10 + (*(*p)++ - '0');
	return n;
}

/* ---- 1795222601, 1795222601000, 2026-11-20T22:57:09.725Z ---- */

static bool rfc3339(const char *p, double *out)
{
	struct tm tm = {0};
	int sign;
	double fraction = 0;
	char *end;

	const char *rest = strptime(p, "%Y-%m-%d", &tm);
	if (!rest || (*rest != 'T' && *rest != 't' && *rest != ' ') || !(rest = strptime(rest + 1, "%H:%M:%S", &tm)))
		return false;
	if (*rest == '.') {
		fraction = strtod(rest, &end);
		rest = end;
	}
	time_t t = timegm(&tm);
	if (*rest == '+' || *rest == '-') {
		sign = *rest++ == '-' ? 1 : -1;
		bool four = strspn(rest, "0123456789") == 4; /* "+0200", else "+02:00" or "+02" */
		int hours = number(&rest, 4), minutes = four ? hours % 100 : 0;
		if (four)
			hours /= 100;
		else if (*rest == ':' && ++rest)
			minutes = number(&rest, 2);
		if (hours < 0 || minutes < 0)
			return false;
		t += sign * (hours * 3600 + minutes * MINUTE);
	}
	*out = ((double)t + fraction) * 1000;
	return true;
}

static uint64_t epoch(const char *p, uint64_t now_ms)
{
	char *end;
	double n;

	skip(&p, " \t\"");
	if (rfc3339(p, &n))
		return clamped(n, now_ms);
	if (!isdigit((unsigned char)*p))
		return 0;
	n = strtod(p, &end);
	/* Seconds until the year 5138 are fewer than ms since 1973; less than 2001 in seconds is no date. */
	if (isless(n, 1e9) || isgreater(n, 1e15))
		return 0;
	return clamped(isless(n, 1e11) ? n * 1000 : n, now_ms);
}

/* ---- 8h44m7s, 2 days 3 hours, 406742841ms ---- */

static double unit_ms(const char **p)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"milliseconds", 1}, {"millisecond", 1}, {"msec", 1}, {"ms", 1}, {"seconds", 1e3}, {"second", 1e3}, {"secs", 1e3},
	             {"sec", 1e3}, {"s", 1e3}, {"minutes", 6e4}, {"minute", 6e4}, {"mins", 6e4}, {"min", 6e4}, {"m", 6e4},
	             {"hours", 36e5}, {"hour", 36e5}, {"hrs", 36e5}, {"hr", 36e5}, {"h", 36e5}, {"days", 864e5}, {"day", 864e5},
	             {"d", 864e5}, {"weeks", 6048e5}, {"week", 6048e5}, {"w", 6048e5}};
	size_t n = 0;

	while (isalpha((unsigned char)(*p)[n]))
		n++;
	for (size_t i = 0; i < MEM_COUNT(units); i++)
		if (strlen(units[i].name) == n && strncasecmp(*p, units[i].name, n) == 0) {
			*p += n;
			return units[i].ms;
		}
	return 0;
}

static uint64_t duration(const char *p, uint64_t now_ms)
{
	double sum = 0;
	bool any = false;

	for (;;) {
		char *end;
		skip(&p, " \t,");
		if (any && strncasecmp(p, "and ", 4) == 0)
			p += 4;
		skip(&p, " \t");
		if (!isdigit((unsigned char)*p))
			break;
		double n = strtod(p, &end);
		const char *rest = end;
		skip(&rest, " \t");
		double unit = unit_ms(&rest);
		if (!isgreater(unit, 0)) {
			if (any || isalpha((unsigned char)*rest))
				break;
			return clamped((double)now_ms + n * 1000, now_ms); /* "retry-after: 30" */
		}
		sum += n * unit;
		any = true;
		p = rest;
	}
	return any ? clamped((double)now_ms + sum, now_ms) : 0;
}

/* ---- 11:38 PM, Nov 25, 1:03pm (UTC), Nov 25th, 2026 1:03 PM ---- */

struct when {
	int year, month, day; /* -1 = not said; month from 0 */
	int hour, minute;
	char zone[64];
};

static bool month_day(const char **p, struct when *w)
{
	static const char *const months[] = {"january", "february", "march", "april", "may", "june", "july", "august", "september",
	                                     "october", "november", "december"};
	size_t n = 0;

	while (isalpha((unsigned char)(*p)[n]))
		n++;
	for (int i = 0; n >= 3 && i < 12; i++)
		if (n <= strlen(months[i]) && strncasecmp(*p, months[i], n) == 0) {
			const char *rest = *p + n;
			skip(&rest, ". ");
			w->month = i;
			w->day = number(&rest, 2);
			if (strncasecmp(rest, "st", 2) == 0 || strncasecmp(rest, "nd", 2) == 0 || strncasecmp(rest, "rd", 2) == 0 ||
			    strncasecmp(rest, "th", 2) == 0)
				rest += 2;
			*p = rest;
			return w->day >= 1 && w->day <= 31;
		}
	return false;
}

static void year(const char **p, struct when *w)
{
	const char *rest = *p;
	int n;

	skip(&rest, ", ");
	if (strspn(rest, "0123456789") == 4 && (n = number(&rest, 4)) >= 2000 && *rest != ':') {
		w->year = n;
		*p = rest;
	}
}

static bool hour_minute(const char **p, struct when *w)
{
	bool colon;

	w->hour = number(p, 2);
	colon = **p == ':';
	if (colon) {
		(*p)++;
		w->minute = number(p, 2);
		if (**p == ':') {
			(*p)++;
			number(p, 2);
		}
	}
	skip(p, " \t");
	bool pm = strncasecmp(*p, "pm", 2) == 0 || strncasecmp(*p, "p.m", 3) == 0;
	bool half = pm || strncasecmp(*p, "am", 2) == 0 || strncasecmp(*p, "a.m", 3) == 0;
	if (half) {
		if (w->hour < 1 || w->hour > 12)
			return false;
		w->hour = w->hour % 12 + (pm ? 12 : 0);
		*p += strspn(*p, "aApPmM.");
	}
	return (half || colon) && w->hour >= 0 && w->hour <= 23 && w->minute >= 0 && w->minute <= 59;
}

/* "(Europe/Berlin)". False: a zone that this machine does not know. */
static bool in_brackets(const char **p, struct when *w)
{
	size_t n;

	skip(p, " \t");
	if (**p != '(')
		return true;
	n = strcspn(*p + 1, ")");
	if ((*p)[n + 1] != ')' || n == 0 || n >= sizeof w->zone)
		return false;
	memcpy(w->zone, *p + 1, n);
	w->zone[n] = '\0';
	if (strcasecmp(w->zone, "UTC") == 0 || strcasecmp(w->zone, "GMT") == 0 || strcmp(w->zone, "Z") == 0) {
		memcpy(w->zone, "UTC0", 5);
		return true;
	}
	/* An unknown name would be taken for UTC. */
	AUTO_FREE char *file = mem_printf("/usr/share/zoneinfo/%s", w->zone);
	return isalpha((unsigned char)*w->zone) && !strstr(w->zone, "..") && access(file, R_OK) == 0;
}

static bool read_when(const char *p, struct when *w)
{
	*w = (struct when){.year = -1, .month = -1, .day = -1};
	skip(&p, " \t");
	if (isalpha((unsigned char)*p)) {
		if (!month_day(&p, w))
			return false;
		year(&p, w);
		skip(&p, ", \t");
		if (strncasecmp(p, "at ", 3) == 0)
			p += 3;
		skip(&p, " \t");
	}
	return hour_minute(&p, w) && in_brackets(&p, w);
}

/* The time that is meant, in seconds, in the zone that is set. */
static time_t resolve(const struct when *w, time_t now)
{
	struct tm base, tm;
	bool dated = w->month >= 0;

	localtime_r(&now, &base);
	for (int later = 0;; later++) {
		tm = base;
		tm.tm_hour = w->hour;
		tm.tm_min = w->minute;
		tm.tm_sec = 0;
		tm.tm_isdst = -1;
		if (dated) {
			tm.tm_mon = w->month;
			tm.tm_mday = w->day;
			tm.tm_year = w->year >= 0 ? w->year - 1900 : base.tm_year + later;
		} else {
			tm.tm_mday += later;
		}
		/* Minutes are cut off: it is over at the end of the one that is named. */
		time_t t = mktime(&tm) + MINUTE;
		if (later || w->year >= 0 || t > now - (dated ? LONG_PASSED : JUST_PASSED))
			return t;
	}
}

static uint64_t clock_time(const char *p, const char *zone, uint64_t now_ms)
{
	struct when w;

	if (!read_when(p, &w))
		return 0;
	if (*w.zone)
		zone = w.zone;
	/* The C library knows other zones in this way only. */
	AUTO_FREE char *was = mem_strdup(getenv("TZ"));
	if (zone)
		setenv("TZ", zone, 1);
	tzset();
	time_t t = resolve(&w, (time_t)(now_ms / 1000));
	if (zone && was)
		setenv("TZ", was, 1);
	else if (zone)
		unsetenv("TZ");
	tzset();
	return clamped((double)t * 1000, now_ms);
}

uint64_t adapter_time(enum adapter_time kind, const char *text, const char *zone, uint64_t now_ms)
{
	switch (kind) {
	case ADAPTER_EPOCH:
		return epoch(text, now_ms);
	case ADAPTER_CLOCK:
		return clock_time(text, zone, now_ms);
	case ADAPTER_DURATION:
		return duration(text, now_ms);
	}
	return 0;
}
