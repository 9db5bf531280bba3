/* Records: round trips of random values; foreign bytes are refused before they cost memory. */
#include "test.h"

#include "store/rec.h"

#define SAMPLE_FIELDS(F) F(u64, number) F(flag, yes) F(str, text) F(list, items)
REC_DECLARE(sample, SAMPLE_FIELDS)
#define REC_SELF sample
REC_DEFINE(sample, SAMPLE_FIELDS, 3)
#undef REC_SELF

static void round_trip_of_random_values(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 2000; i++) {
		struct sample a, b, c;
		AUTO_STR struct str bytes = {0};
		struct err e = {0};
		rec_random(&sample_rec, &a, test_rng_next, &rng);
		rec_encode(&sample_rec, &a, &bytes);
		assert_ok(rec_decode(&sample_rec, &b, bytes.p, bytes.len, &e), &e);
		assert_true(rec_equal(&sample_rec, &a, &b));
		rec_copy(&sample_rec, &c, &b);
		assert_true(rec_equal(&sample_rec, &a, &c));
		/* Every truncation is refused. */
		for (size_t n = 0; n < bytes.len; n++) {
			struct sample cut;
			assert_int_equal(rec_decode(&sample_rec, &cut, bytes.p, n, &e), -1);
			assert_int_equal(e.kind, ERR_PROTO);
		}
		rec_fini(&sample_rec, &a);
		rec_fini(&sample_rec, &b);
		rec_fini(&sample_rec, &c);
	}
}

#define TEN(F, p) F(u64, p##0) F(u64, p##1) F(str, p##2) F(u64, p##3) F(u64, p##4) F(flag, p##5) F(u64, p##6) F(list, p##7) F(u64, p##8) F(u64, p##9)
#define WIDE_FIELDS(F) TEN(F, a) TEN(F, b) TEN(F, c) TEN(F, d) TEN(F, e) TEN(F, f) TEN(F, g) TEN(F, h) TEN(F, i) TEN(F, k)
REC_DECLARE(wide, WIDE_FIELDS)
#define REC_SELF wide
REC_DEFINE(wide, WIDE_FIELDS, 1)
#undef REC_SELF

static void a_record_may_have_many_fields(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 20; i++) {
		struct wide a, b;
		AUTO_STR struct str bytes = {0};
		struct err e = {0};
		rec_random(&wide_rec, &a, test_rng_next, &rng);
		rec_encode(&wide_rec, &a, &bytes);
		assert_ok(rec_decode(&wide_rec, &b, bytes.p, bytes.len, &e), &e);
		assert_true(rec_equal(&wide_rec, &a, &b));
		rec_fini(&wide_rec, &a);
		rec_fini(&wide_rec, &b);
	}
}

static void refused(const char *bytes, size_t n, enum err_kind kind)
{
	struct sample s;
	struct err e = {0};
	assert_int_equal(rec_decode(&sample_rec, &s, bytes, n, &e), -1);
	assert_int_equal(e.kind, kind);
}

static void hostile_bytes_are_refused(void **state)
{
	(void)state;
	char deep[31 * 5];
	for (int i = 0; i < 31; i++)
		memcpy(deep + 5 * i, "\xdd\x04\x00\x00\x00", 5);
	refused(deep, sizeof deep, ERR_PROTO);               /* 66 GB asked for in 155 bytes */
	refused("\xdd\x00\xff\xff\xff", 5, ERR_PROTO);       /* 537 MB asked for in 5 bytes */
	refused("\xc1", 1, ERR_PROTO);                       /* never-used byte */
	refused("\xdb\xff\xff\xff\xff", 5, ERR_PROTO);       /* 4 GiB string without data */
	refused("\x81\xa1v\x03\x00", 5, ERR_PROTO);          /* trailing byte */
	refused("\x82\xa1v\x03\xa1v\x03", 7, ERR_PROTO);     /* duplicate key */
	refused("\x80", 1, ERR_PROTO);                       /* no version */
	refused("\x81\xa1v\x04", 4, ERR_DAMAGED);            /* newer version */
	refused("\x82\xa1v\x03\x01\x02", 6, ERR_PROTO);      /* key is a number */
	refused("\x82\xa1v\x03\xa4text\xa2" "a\0", 12, ERR_PROTO); /* NUL inside a string */
	refused("\x82\xa1v\x03\xa6number\xff", 12, ERR_PROTO); /* negative number */
	refused("\x93\x01\x02\x03", 4, ERR_PROTO);           /* not a map */
	refused("", 0, ERR_PROTO);
}

static void unknown_keys_and_absent_fields_are_allowed(void **state)
{
	(void)state;
	struct sample s;
	struct err e = {0};
	assert_ok(rec_decode(&sample_rec, &s, "\x82\xa1v\x01\xa3new\x91\x01", 10, &e), &e);
	assert_int_equal(s.number, 0);
	assert_null(s.text);
	rec_fini(&sample_rec, &s);
}

static void one_text_can_be_read_alone(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 2000; i++) {
		struct sample s;
		AUTO_STR struct str bytes = {0};
		size_t len = 0;
		rec_random(&sample_rec, &s, test_rng_next, &rng);
		rec_encode(&sample_rec, &s, &bytes);
		const char *text = scan_text(bytes.p, bytes.len, "text", &len);
		assert_true((text == NULL) == (s.text == NULL));
		if (text) {
			assert_int_equal(len, strlen(s.text));
			assert_memory_equal(text, s.text, len);
		}
		assert_null(scan_text(bytes.p, bytes.len, "number", &len));
		assert_null(scan_text(bytes.p, bytes.len, "tex", &len));
		/* Cut off anywhere it is never read beyond its end (the sanitizer looks). */
		for (size_t n = 0; n < bytes.len; n++) {
			AUTO_FREE char *part = malloc(n ? n : 1);
			memcpy(part, bytes.p, n);
			scan_text(part, n, "text", &len);
		}
		rec_fini(&sample_rec, &s);
	}
	size_t len;
	assert_null(scan_text("\x93\x01\x02\x03", 4, "text", &len));
	assert_null(scan_text("\xdf\xff\xff\xff\xff\xa4text", 10, "text", &len));
	assert_null(scan_text("\x82\xa4text\xdb\xff\xff\xff\xff", 11, "text", &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_of_random_values),
		cmocka_unit_test(hostile_bytes_are_refused),
		cmocka_unit_test(a_record_may_have_many_fields),
		cmocka_unit_test(unknown_keys_and_absent_fields_are_allowed),
		cmocka_unit_test(one_text_can_be_read_alone),
	};
	return cmocka_run_group_tests_name("rec", tests, NULL, NULL);
}
