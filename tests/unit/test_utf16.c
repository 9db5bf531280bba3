/* UTF-16 as UTF-8. */
#include "test.h"

#include "worker/utf16.h"

static void reads(const char *bytes, size_t n, const char *wanted)
{
	AUTO_STR struct str out = {0};
	bool is = utf16_read(bytes, n, &out);
	assert_int_equal(is, wanted != NULL);
	if (wanted)
		assert_string_equal(str_text(&out), wanted);
}
#define READS(bytes, wanted) reads(bytes, sizeof bytes - 1, wanted)

static void texts(void **state)
{
	(void)state;
	READS("\xff\xfe" "a\0=\0\n\0", "a=\n");
	READS("\xfe\xff" "\0a\0=\0\n", "a=\n");
	READS("\xff\xfe\xe4\0\xac\x20\x3d\xd8\x00\xde", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	READS("\xff\xfe\x3d\xd8" "a\0", "\xef\xbf\xbd" "a");
	READS("\xff\xfe\x00\xde" "a\0b", "\xef\xbf\xbd" "a\xef\xbf\xbd");
	READS("\xff\xfe", "");
	/* Without a mark. */
	READS("k\0e\0y\0=\0", "key=");
	READS("\0k\0e\0y\0=", "key=");
	READS("k\0e\0y\0", NULL); /* too little to know */
	READS("k\0e\0y\0==", NULL);
	READS("key=value", NULL);
	READS("\xff\xfe\0\0k\0\0\0", NULL); /* UTF-32 */
	READS("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
