/* splice: JSON changed as text. */
#include "test.h"

#include "store/json.h"
#include "supervisor/queue/splice.h"

static void expect_edit(const char *text, const char *key, const char *value, const char *wanted)
{
	struct splice_change c = {.key = key, .value = value};
	AUTO_STR struct str out = {0};

	splice_edit(text, &c, 1, &out);
	assert_string_equal(str_text(&out), wanted);
}

static void one_member_changes_and_nothing_else(void **state)
{
	(void)state;
	expect_edit("{\"a\":1,\"b\":2}", "a", "3", "{\"a\":3,\"b\":2}");
	expect_edit(" { \"a\" : 1.0 , \"b\":\"x\\u0041,}\" }\n", "b", "\"y\"", " { \"a\" : 1.0 , \"b\":\"y\" }\n");
	expect_edit("{\"a\":1}", "a", "1", "{\"a\":1}");
	/* no change: not even of how it is laid out */
	expect_edit("{\"a\": {\"x\":1 }}", "a", "{\"x\":1 }", "{\"a\": {\"x\":1 }}");
	/* new ones come last, as their neighbours are */
	expect_edit("{}", "a", "1", "{\"a\": 1}");
	expect_edit("{\"b\":[1,2]}", "a", "{ \"x\" : [ ] }", "{\"b\":[1,2],\"a\":{\"x\":[]}}");
	expect_edit("{\n  \"b\": 1e400\n}\n", "a", "{\"x\":[1]}", "{\n  \"b\": 1e400,\n  \"a\": {\n    \"x\": [\n      1\n    ]\n  }\n}\n");
	/* what goes takes its comma with it */
	expect_edit("{\"a\":1, \"b\":2, \"c\":3}", "a", NULL, "{ \"b\":2, \"c\":3}");
	expect_edit("{\"a\":1, \"b\":2, \"c\":3}", "b", NULL, "{\"a\":1, \"c\":3}");
	expect_edit("{\"a\":1, \"b\":2, \"c\":3 }", "c", NULL, "{\"a\":1, \"b\":2 }");
	expect_edit("{ \"a\":1 }", "a", NULL, "{ }");
	expect_edit("{\"b\":1}", "a", NULL, "{\"b\":1}");
	/* keys are compared as they are meant, inner ones are not looked at */
	expect_edit("{\"\\u0061\":1,\"x\":{\"a\":2}}", "a", "3", "{\"\\u0061\":3,\"x\":{\"a\":2}}");
	expect_edit("[1]", "a", "3", "[1]");
	expect_edit("nonsense", "a", "3", "nonsense");
}

static void a_member_is_called_otherwise(void **state)
{
	(void)state;
	struct splice_change c[] = {{.key = "id", .name = "item_id"},
	                            {.key = "new", .value = "true", .first = true},
	                            {.key = "old", .name = "young", .value = "2"}};
	AUTO_STR struct str out = {0};

	splice_edit("{ \"id\": \"S-1\", \"old\": 1.0 }", c, MEM_COUNT(c), &out);
	assert_string_equal(out.p, "{ \"new\": true, \"item_id\": \"S-1\", \"young\": 2 }");
}

static void expect_element(const char *text, size_t at, const char *value, const char *wanted)
{
	AUTO_STR struct str out = {0};

	splice_element(text, at, value, &out);
	assert_string_equal(out.p, wanted);
}

static void expect_elements(const char *text, char *const *values, size_t n, const char *wanted)
{
	AUTO_STR struct str out = {0};

	splice_elements(text, values, n, &out);
	assert_string_equal(str_text(&out), wanted);
}

static void many_elements_at_once(void **state)
{
	(void)state;
	char *v[] = {NULL, "{ \"x\" : 1 }", NULL, "4", NULL, "5"};

	expect_elements("[1.0 , 2,3 ]", v, 6, "[1.0 , {\"x\":1},3,4,5 ]");
	expect_elements("[1.0 , 2,3 ]", v, 1, "[1.0 , 2,3 ]");
	expect_elements("[1.0 , 2,3 ]", v, 0, "[1.0 , 2,3 ]");
	expect_elements("[ ]", v, 6, "[{\"x\":1},4,5 ]");
	expect_elements("[\n  1\n]", v, 4, "[\n  1,\n  {\n    \"x\": 1\n  },\n  4\n]");
	expect_elements("{\"a\":1}", v, 4, "{\"a\":1}");
	expect_elements("", v, 4, "");
}

static void elements_of_lists(void **state)
{
	(void)state;
	expect_element("[1, 2 ,3]", 1, "{}", "[1, {} ,3]");
	expect_element("[1, 2]", SIZE_MAX, "3", "[1, 2,3]");
	expect_element("[]", SIZE_MAX, "3", "[3]");
	expect_element("[\n  1\n]", SIZE_MAX, "{\"a\":1}", "[\n  1,\n  {\n    \"a\": 1\n  }\n]");
	expect_element("[1, 2, 3]", 0, NULL, "[2, 3]");
	expect_element("[1, 2, 3]", 2, NULL, "[1, 2]");
	expect_element("[ 1 ]", 0, NULL, "[  ]");
	expect_element("[1]", 7, "2", "[1]");
}

static void values_as_text(void **state)
{
	(void)state;
	const char *text = " {\"n\": 12345678901234567890 , \"t\":\"caf\\u00e9\", \"l\":[1, {\"n\":2}], \"e\":\"\", \"z\":null}";
	AUTO_FREE char *n = splice_get(text, "n"), *t = splice_get_text(text, "t"), *l = splice_get(text, "l");
	AUTO_FREE char *none = splice_get(text, "x"), *number = splice_get_text(text, "n"), *e = splice_get_text(text, "e");

	assert_string_equal(n, "12345678901234567890");
	assert_string_equal(t, "caf\xc3\xa9");
	assert_string_equal(l, "[1, {\"n\":2}]");
	assert_string_equal(e, "");
	assert_null(none);
	assert_null(number);
	AUTO_STR struct str pretty = {0}, compact = {0};
	splice_pretty("{\"a\":[ ],\"b\":{\"c\":1.50 , \"d\":\"x:{\\\"\"}}", "", &pretty);
	assert_string_equal(pretty.p, "{\n  \"a\": [],\n  \"b\": {\n    \"c\": 1.50,\n    \"d\": \"x:{\\\"\"\n  }\n}");
	splice_compact(pretty.p, &compact);
	assert_string_equal(compact.p, "{\"a\":[],\"b\":{\"c\":1.50,\"d\":\"x:{\\\"\"}}");
	/* what would drive a terminal */
	str_clear(&compact);
	splice_compact("\"\xe2\x80\xae\x7f\"", &compact);
	assert_string_equal(compact.p, "\"\\u202e\\u007f\"");
}

/* ---- texts by chance ---- */

static struct test_rng rng;

static size_t below(size_t n)
{
	return (size_t)test_rng_below(&rng, n);
}

static void add_blank(struct str *out)
{
	static const char *const blanks[] = {"", "", " ", "\n  ", "\t"};
	str_add(out, blanks[below(MEM_COUNT(blanks))]);
}

static void add_random(struct str *out, int depth)
{
	static const char *const plain[] = {"1", "-0.0", "1.50", "\"a,b\"", "\"}\\\"]\"", "null", "true", "\"\\u0061\"", "[]", "{}"};
	size_t n = below(4);

	if (depth == 0 || below(3) == 0) {
		str_add(out, plain[below(MEM_COUNT(plain))]);
		return;
	}
	bool list = below(2);
	str_addc(out, list ? '[' : '{');
	for (size_t i = 0; i < n; i++) {
		str_add(out, i ? "," : "");
		add_blank(out);
		if (!list)
			str_addf(out, "\"k%zu\":", i);
		add_blank(out);
		add_random(out, depth - 1);
		add_blank(out);
	}
	str_addc(out, list ? ']' : '}');
}

static char *normal(const char *text)
{
	struct err e = {0};
	AUTO_STR struct str out = {0};
	struct json_t *j = json_parse(text, strlen(text), &e);

	if (!j)
		fail_msg("no JSON: %s: %s", e.text, text);
	json_write(j, false, &out);
	json_free(j);
	return str_take(&out);
}

static void any_text_changed_by_members_is_the_map_changed(void **state)
{
	(void)state;
	for (int round = 0; round < 3000; round++) {
		AUTO_STR struct str text = {0}, out = {0}, back = {0};
		static const char *const values[] = {"7", "{\"x\": [1, {}]}", NULL};
		const char *value = values[below(3)];
		AUTO_FREE char *key = mem_printf("k%zu", below(5));

		do {
			str_clear(&text);
			add_random(&text, 4);
		} while (text.p[0] != '{');
		struct splice_change c = {.key = key, .value = value};
		splice_edit(text.p, &c, 1, &out);
		AUTO_FREE char *got = splice_get(out.p, key);
		AUTO_STR struct str is = {0}, wanted = {0};
		splice_compact(got ? got : "none", &is);
		splice_compact(value ? value : "none", &wanted);
		assert_string_equal(is.p, wanted.p);
		for (size_t i = 0; i < 5; i++) { /* all others are as they were, byte for byte */
			AUTO_FREE char *other = mem_printf("k%zu", i);
			AUTO_FREE char *was = splice_get(text.p, other), *now = splice_get(out.p, other);
			if (!str_eq(other, key) && !str_eq(was, now))
				fail_msg("%s of %s became %s", other, text.p, out.p);
		}
		AUTO_FREE char *parsed = normal(out.p);
		/* laid out and back it says the same */
		splice_pretty(out.p, "  ", &back);
		AUTO_FREE char *again = normal(back.p);
		assert_string_equal(parsed, again);
	}
}

/* Of text that is no JSON nothing is promised but that nothing is read beside it. */
static void nonsense_is_survived(void **state)
{
	(void)state;
	static const char letters[] = "{}[],:\"\\ \n1ax";
	for (int round = 0; round < 5000; round++) {
		AUTO_STR struct str out = {0}, pretty = {0};
		size_t n = below(24);
		AUTO_FREE char *text = mem_alloc(n + 1); /* exactly: a sanitizer sees one byte more */
		for (size_t i = 0; i < n; i++)
			text[i] = letters[below(sizeof letters - 1)];
		struct splice_change c[] = {{.key = "a", .value = "1"}, {.key = "x"}, {.key = "1", .name = "b"}};
		splice_edit(text, c, MEM_COUNT(c), &out);
		splice_element(text, below(3), "1", &out);
		splice_element(text, SIZE_MAX, "1", &out);
		splice_pretty(text, "", &pretty);
		free(splice_get_text(text, "a"));
	}
}

int main(void)
{
	rng = test_rng_new();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_member_changes_and_nothing_else),
		cmocka_unit_test(a_member_is_called_otherwise),
		cmocka_unit_test(many_elements_at_once), cmocka_unit_test(elements_of_lists),
		cmocka_unit_test(values_as_text),
		cmocka_unit_test(any_text_changed_by_members_is_the_map_changed),
		cmocka_unit_test(nonsense_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
