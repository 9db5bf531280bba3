/* adapter_time: each form in which agents write when a limit is over, in the program's zone, over changes of the clocks. */
#include <time.h>

#include "test.h"
#include "worker/adapter.h"

#define S(n) ((uint64_t)(n) * 1000)
#define DAY (24 * 3600)
/* Friday 2026-11-20 22:57:09 UTC */
#define NOW S(1795215429)

static uint64_t at(int year, int month, int day, int hour, int minute, int second)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute, .tm_sec = second};

	return S(timegm(&tm));
}

static void epochs(void **state)
{
	(void)state;
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "1795222629", NULL, NOW), NOW + S(7200));
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "1795222629.25", NULL, NOW), NOW + S(7200) + 250);
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "1795222629123", NULL, NOW), NOW + S(7200) + 123);
	assert_int_equal(adapter_time(ADAPTER_EPOCH, " \"1795222629\"", NULL, NOW), NOW + S(7200));
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "2026-11-21T00:57:09Z", NULL, NOW), NOW + S(7200));
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "2026-11-21T00:57:09.500Z", NULL, NOW), NOW + S(7200) + 500);
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "2026-11-21T02:57:09+02:00", NULL, NOW), NOW + S(7200));
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "2026-11-20T19:27:09-0530", NULL, NOW), NOW + S(7200));
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "2026-11-21T02:57:09+02", NULL, NOW), NOW + S(7200));
	/* Over already, and further away than any limit. */
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "1795215428", NULL, NOW), NOW + S(30));
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "1795215440", NULL, NOW), NOW + S(30));
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "1795222629000000", NULL, NOW), 0);
	assert_int_equal(adapter_time(ADAPTER_EPOCH, "1999999999", NULL, NOW), NOW + S(8 * DAY));
	const char *const none[] = {"", "soon", "-1", "7200", "0", "null", "2026-11-21", "2026-11-21T00:57:09+x", "2026-11-21T00:57:09+1:",
	                            "99999999999999999999"};
	for (size_t i = 0; i < MEM_COUNT(none); i++)
		assert_int_equal(adapter_time(ADAPTER_EPOCH, none[i], NULL, NOW), 0);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {
		{"8h44m7s", S(8 * 3600 + 44 * 60 + 7)}, {"2 days 3 hours", S(2 * DAY + 3 * 3600)}, {"34s", S(34)},
		{"406742841ms", 406742841}, {"111h6m40s", S(400000)}, {"2h0m0s.", S(7200)}, {"44.5s", 44500},
		{"2 days 17 hours 14 minutes", S(2 * DAY + 17 * 3600 + 14 * 60)}, {"5 days 22 hours.", S(5 * DAY + 22 * 3600)},
		{"1 day, 2 hours and 1 minute", S(DAY + 2 * 3600 + 60)}, {"1 Hour", S(3600)}, {"90", S(90)}, {" 120 ", S(120)},
		{"1w", S(7 * DAY)}, {"45m later", S(45 * 60)}, {"3 mins", S(180)},
		/* clamped */
		{"11.054s", S(30)}, {"2s", S(30)}, {"0s", S(30)}, {"9 days", S(8 * DAY)}, {"99999999999999999999 days", S(8 * DAY)},
	};
	static const char *const none[] = {"", "soon", "h", "5 parsecs", "-3s", "12:30", "in 5m"};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		assert_int_equal(adapter_time(ADAPTER_DURATION, cases[i].text, NULL, NOW), NOW + cases[i].ms);
	for (size_t i = 0; i + 2 < MEM_COUNT(none); i++)
		assert_int_equal(adapter_time(ADAPTER_DURATION, none[i], NULL, NOW), 0);
	assert_int_equal(adapter_time(ADAPTER_DURATION, "in 5m", NULL, NOW), 0);
}

/* The end of the minute that is named: minutes are cut off. */
static void clocks(void **state)
{
	(void)state;
	uint64_t today = at(2026, 11, 20, 23, 39, 0), tomorrow = at(2026, 11, 21, 0, 57, 0);

	assert_int_equal(adapter_time(ADAPTER_CLOCK, "11:38 PM.", "UTC", NOW), today);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "11:38pm (UTC)", "America/New_York", NOW), today);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "23:38", "UTC", NOW), today);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "11:38:20 p.m.", "UTC", NOW), today);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "12:56 AM.", "UTC", NOW), tomorrow);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "12:56am (UTC)", NULL, NOW), tomorrow);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "3am (UTC)", NULL, NOW), at(2026, 11, 21, 3, 1, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "12 pm (UTC)", NULL, NOW), at(2026, 11, 21, 12, 1, 0));
	/* This very minute, and just passed: the limit is over, nobody waits for a day. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "10:57 PM", "UTC", NOW), at(2026, 11, 20, 22, 58, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "10:55 PM", "UTC", NOW), NOW + S(30));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "10:40 PM", "UTC", NOW), at(2026, 11, 21, 22, 41, 0));
	/* With a date. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Nov 25, 1:03pm (UTC)", NULL, NOW), at(2026, 11, 25, 13, 4, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Nov 25th, 2026 1:03 PM.", "UTC", NOW), at(2026, 11, 25, 13, 4, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "November 21st at 9am (UTC)", NULL, NOW), at(2026, 11, 21, 9, 1, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Nov 21st, 2026 12:56 AM.", "UTC", NOW), tomorrow);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Nov 19th, 2026 1:03 PM", "UTC", NOW), NOW + S(30));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Nov 19, 1pm (UTC)", NULL, NOW), NOW + S(30));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Dec 24th, 2026 1:03 PM", "UTC", NOW), NOW + S(8 * DAY));
	/* Without a year, at its end. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Jan 2, 8am (UTC)", NULL, at(2026, 12, 30, 12, 0, 0)), at(2027, 1, 2, 8, 1, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Feb 29, 8am (UTC)", NULL, at(2028, 2, 28, 12, 0, 0)), at(2028, 2, 29, 8, 1, 0));
	static const char *const none[] = {"", "soon", "25:00", "13 pm", "0:61", "7", "Foo 3, 1pm", "Nov, 1pm", "Nov 32, 1pm", "1pm (Nowhere/At_all)",
	                                   "1pm (../../etc/passwd)", "1pm (CET", "1pm ()", "am"};
	for (size_t i = 0; i < MEM_COUNT(none); i++)
		assert_int_equal(adapter_time(ADAPTER_CLOCK, none[i], "UTC", NOW), 0);
}

/* Zones by rule: those of names are not on every machine. */
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void zones(void **state)
{
	(void)state;
	/* 17:57 in New York, 23:57 in Berlin. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "11:38 PM", NEW_YORK, NOW), at(2026, 11, 21, 4, 39, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "11:38 PM", BERLIN, NOW), at(2026, 11, 21, 22, 39, 0));
	/* In summer. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "11:38 PM", BERLIN, at(2026, 7, 1, 12, 0, 0)), at(2026, 7, 1, 21, 39, 0));
	/* The clocks change in between: 2026-10-25 03:00 CEST -> 02:00 CET. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "8:00 AM", BERLIN, at(2026, 10, 24, 20, 0, 0)), at(2026, 10, 25, 7, 1, 0));
	/* ... 2026-03-29 02:00 CET -> 03:00 CEST; 02:30 does not exist there: some time of that night. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "8:00 AM", BERLIN, at(2026, 3, 28, 20, 0, 0)), at(2026, 3, 29, 6, 1, 0));
	uint64_t none = adapter_time(ADAPTER_CLOCK, "2:30 AM", BERLIN, at(2026, 3, 28, 20, 0, 0));
	assert_true(none >= at(2026, 3, 29, 0, 30, 0) && none <= at(2026, 3, 29, 1, 31, 0));
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "Mar 29th, 2026 8:00 AM", BERLIN, at(2026, 3, 28, 20, 0, 0)), at(2026, 3, 29, 6, 1, 0));
	/* "Today" is the zone's, not ours: 00:57 on the 21st in Tokyo. */
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "9:00 AM", "JST-9", NOW), at(2026, 11, 21, 0, 1, 0));
}

static void the_process_keeps_its_zone(void **state)
{
	(void)state;
	setenv("TZ", "JST-9", 1);
	assert_int_equal(adapter_time(ADAPTER_CLOCK, "9:00 AM", NULL, NOW), at(2026, 11, 21, 0, 1, 0));
	adapter_time(ADAPTER_CLOCK, "9:00 AM", "UTC", NOW);
	assert_string_equal(getenv("TZ"), "JST-9");
	time_t t = NOW / 1000;
	struct tm tm;
	localtime_r(&t, &tm);
	assert_int_equal(tm.tm_gmtoff, 9 * 3600);
	unsetenv("TZ");
	adapter_time(ADAPTER_CLOCK, "9:00 AM", "UTC", NOW);
	assert_null(getenv("TZ"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(epochs),
		cmocka_unit_test(durations),
		cmocka_unit_test(clocks),
		cmocka_unit_test(zones),
		cmocka_unit_test(the_process_keeps_its_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
