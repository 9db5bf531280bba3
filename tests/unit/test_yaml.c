/* yaml: trees with places, and everything foreign text may try. */
#include "test.h"

#include "supervisor/yaml.h"

static struct yaml *parsed(const char *text)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str out = {0};
	struct yaml *y = yaml_parse("f", text, strlen(text), &faults);
	plan_faults_print(&faults, &out);
	if (!y)
		fail_msg("refused: %s", str_text(&out));
	assert_int_equal(faults.n, 0);
	plan_faults_fini(&faults);
	return y;
}

static void refused_at(const char *text, size_t n, size_t line, size_t column, const char *part)
{
	struct plan_faults faults = {0};
	assert_null(yaml_parse("f", text, n, &faults));
	assert_true(faults.n >= 1);
	if (!strstr(faults.v[0].message, part) || faults.v[0].line != line ||
	    faults.v[0].column != column)
		fail_msg("%zu:%zu: %s, not %zu:%zu: %s", faults.v[0].line, faults.v[0].column,
		         faults.v[0].message, line, column, part);
	assert_string_equal(faults.v[0].file, "f");
	plan_faults_fini(&faults);
}

static void refused(const char *text, size_t line, size_t column, const char *part)
{
	refused_at(text, strlen(text), line, column, part);
}

static void a_place(const struct yaml_node *n, size_t line, size_t column)
{
	assert_int_equal(n->line, line);
	assert_int_equal(n->column, column);
}

/* Of a long line the parser is given a line end more behind the first bracket: places must not show it. */
static void places_in_json_are_those_of_the_text(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0}, bad = {0};
	str_addf(&text, "\n  {\"a\":%5000s[1,\n {\"b\": 2}], \"c\": 3}\n", "");
	struct yaml *y = parsed(text.p);
	const struct yaml_node *root = yaml_root(y), *a = root->first;
	a_place(root, 2, 3);
	a_place(a->key, 2, 4);
	a_place(a, 2, 5008);
	a_place(a->first, 2, 5009);
	a_place(a->first->next, 3, 2);
	a_place(a->first->next->first, 3, 8);
	a_place(a->next, 3, 18);
	yaml_free(y);
	str_addf(&bad, "{\"a\":%5000s1, \"a\": 2}", "");
	refused(bad.p, 1, 5009, "already in line 1");
	str_clear(&bad);
	str_addf(&bad, "[1,%5000s\n3, ]}", "");
	refused(bad.p, 2, 5, "not valid YAML");
	str_clear(&bad);
	str_addf(&bad, "[%5000s1, ]}", "");
	refused(bad.p, 1, 5006, "not valid YAML");
}

static void nodes_know_where_they_are(void **state)
{
	(void)state;
	struct yaml *y = parsed("b: 1\n"
	                        "a:\n"
	                        "  - x\n"
	                        "  - {k: \"v\", e: }\n"
	                        "c: |\n"
	                        "  one\n"
	                        "  two\n"
	                        "d:\n");
	const struct yaml_node *root = yaml_root(y), *v = root->first;
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->n, 4);
	a_place(root, 1, 1);
	assert_string_equal(v->key->text, "b"); /* order as written */
	a_place(v->key, 1, 1);
	a_place(v, 1, 4);
	v = v->next;
	assert_int_equal(v->kind, YAML_LIST);
	assert_int_equal(v->n, 2);
	a_place(v->key, 2, 1);
	a_place(v, 3, 3);
	a_place(v->first, 3, 5);
	const struct yaml_node *map = v->first->next;
	a_place(map, 4, 5);
	a_place(yaml_get(map, "k")->key, 4, 6);
	a_place(yaml_get(map, "k"), 4, 9);
	assert_true(yaml_is_null(yaml_get(map, "e")));
	a_place(yaml_get(map, "e"), 4, 14);
	v = v->next;
	assert_string_equal(v->text, "one\ntwo\n");
	assert_false(v->plain);
	a_place(v, 5, 1); /* of its key: the text itself begins a line later */
	assert_true(yaml_is_null(v->next));
	a_place(v->next, 8, 1);
	assert_null(yaml_get(root, "nothing"));
	assert_null(yaml_get(v, "nothing"));
	yaml_free(y);
}

static void words_mean_something_only_when_plain(void **state)
{
	(void)state;
	struct yaml *y =
		parsed("[~, null, '', \"null\", true, 'true', False, yes, 7, '7', -7, 1e3, x]");
	const struct yaml_node *n = yaml_root(y)->first;
	bool flag;
	uint64_t number;
	assert_true(yaml_is_null(n));
	assert_true(yaml_is_null(n = n->next));
	assert_false(yaml_is_null(n = n->next));
	assert_false(yaml_is_null(n = n->next));
	assert_true(yaml_flag(n = n->next, &flag) && flag);
	assert_false(yaml_flag(n = n->next, &flag));
	assert_true(yaml_flag(n = n->next, &flag) && !flag);
	assert_false(yaml_flag(n = n->next, &flag)); /* YAML 1.2: yes is a text */
	assert_true(yaml_u64(n = n->next, &number) && number == 7);
	assert_false(yaml_u64(n = n->next, &number));
	assert_false(yaml_u64(n = n->next, &number));
	assert_false(yaml_u64(n = n->next, &number));
	assert_string_equal(n->next->text, "x");
	yaml_free(y);
}

static void json_is_yaml(void **state)
{
	(void)state;
	struct yaml *y = parsed(
		"{\n\t\"a\\/b\": [\"\\ud83d\\ude00\\u00e9\\n\", 1.5, null],\r\n\t\"c\": {}}\n");
	const struct yaml_node *a = yaml_get(yaml_root(y), "a/b");
	assert_string_equal(a->first->text, "\xf0\x9f\x98\x80\xc3\xa9\n");
	assert_string_equal(a->first->next->text, "1.5");
	assert_true(yaml_is_null(a->first->next->next));
	assert_int_equal(yaml_get(yaml_root(y), "c")->n, 0);
	a_place(a, 2, 10);
	yaml_free(y);
}

static void empty_texts_and_marks(void **state)
{
	(void)state;
	const char *const empty[] = {"",      "\n\n",         "# only a comment\n",
	                             "---\n", "\xef\xbb\xbf", "~"};
	for (size_t i = 0; i < MEM_COUNT(empty); i++) {
		struct yaml *y = parsed(empty[i]);
		assert_true(yaml_is_null(yaml_root(y)));
		yaml_free(y);
	}
	struct yaml *y = parsed("\xef\xbb\xbf" "a: b\r\n");
	assert_string_equal(yaml_get(yaml_root(y), "a")->text, "b");
	yaml_free(y);
}

static void what_is_refused_says_where(void **state)
{
	(void)state;
	refused("- a\n\t- b: 2\n", 1, 3, "not valid YAML");
	refused("tasks:\n\t- id: a\n", 2, 1, "tab");
	refused("a: \"\\q\"\n", 1, 5, "escape");
	refused("a: \"b\n", 1, 5, "closing quote");
	refused("a: b: c\n", 1, 5, "not valid YAML");
	refused("a: [1, 2\n", 2, 1, "bracket");
	refused("a: 1\nb: 2\na: 3\n", 3, 1, "already in line 1");
	refused("a: 1\n---\nb: 2\n", 2, 1, "second document");
	refused("a: !!str 1\n", 1, 10, "tags");
	refused("? [a]\n: b\n", 1, 3, "key must be a text");
	refused("{a: b}: c\n", 1, 1, "key must be a text");
	refused("a: *b\n", 1, 5, "without its anchor");
	refused("a: &x [*x]\n", 1, 9, "what it stands in");
	refused("a: \"\\0\"\n", 1, 4, "NUL");
	refused("a: \"\\ud800\"\n", 1, 5, "UTF8");
	refused("%YAML 3.0\n---\na: 1\n", 1, 1, "not valid YAML");
	refused_at("a: \xc3\x28", 5, 1, 4, "not valid UTF-8");
	refused_at("a: 1\nb: \xff", 9, 2, 4, "not valid UTF-8");
	refused_at("a: 1\nb\0: 2", 10, 2, 2, "NUL");
	refused_at("\xff\xfe" "a\0:\0", 6, 1, 1, "NUL"); /* UTF-16 */
	refused_at("\xed\xa0\x80", 3, 1, 1, "not valid UTF-8"); /* a surrogate */
}

static void every_key_written_twice_is_listed(void **state)
{
	(void)state;
	struct plan_faults faults = {0};
	const char *text = "x: {k: 1, k: 2, k: 3}\ny: 1\ny: 2\n";
	assert_null(yaml_parse("f", text, strlen(text), &faults));
	assert_int_equal(faults.n, 3);
	assert_int_equal(faults.v[0].column, 11);
	assert_int_equal(faults.v[1].column, 17);
	assert_int_equal(faults.v[2].line, 3);
	assert_string_equal(faults.v[2].key, "y");
	plan_faults_fini(&faults);
}

static void aliases_are_copies(void **state)
{
	(void)state;
	struct yaml *y = parsed("a: &x [1, {k: v}]\n"
	                        "b: *x\n"
	                        "c: &x two\n"
	                        "d: *x\n"
	                        "e: &y\n"
	                        "*x : key\n");
	const struct yaml_node *root = yaml_root(y), *b = yaml_get(root, "b");
	assert_int_equal(b->n, 2);
	a_place(b, 2, 5);
	assert_string_equal(b->key->text, "b");
	assert_string_equal(yaml_get(b->first->next, "k")->text, "v");
	assert_string_equal(yaml_get(root, "d")->text, "two"); /* the newest of that name */
	assert_string_equal(yaml_get(root, "two")->text, "key");
	yaml_free(y);
}

/* ten levels of ten aliases each: 10^10 nodes asked for in 700 bytes */
static void an_alias_bomb_is_refused(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0};
	struct plan_faults faults = {0};
	str_add(&text, "a0: &a0 [x]\n");
	for (int i = 1; i <= 10; i++) {
		str_addf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			str_addf(&text, "%s*a%d", k ? ", " : "", i - 1);
		str_add(&text, "]\n");
	}
	assert_null(yaml_parse("f", text.p, text.len, &faults));
	assert_non_null(strstr(faults.v[0].message, "1,000,000"));
	assert_int_equal(faults.v[0].line, 7);
	plan_faults_fini(&faults);
}

static void repeat(struct str *out, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		str_add(out, text);
}

/* Texts of very many pieces, in each style. */
static void long_texts_are_whole(void **state)
{
	(void)state;
	static const struct {
		const char *before, *piece, *after, *means, *last;
	} styles[] = {
		{"\"", "a\\n", "\"", "a\n", ""},
		{"\"", "\\u00e9\\\\\\\"\\t", "\"", "\xc3\xa9\\\"\t", ""},
		{"'", "it''s", "'", "it's", ""},
		{"|\n", "  a\n", "", "a\n", ""},
		{">-\n", "  a\n", "  b", "a ", "b"},
		{"", "x\n  ", "y", "x ", "y"},
		{"\"", "x\n  ", "y\"", "x ", "y"},
	};
	for (size_t i = 0; i < MEM_COUNT(styles); i++) {
		AUTO_STR struct str text = {0}, want = {0};
		str_addf(&text, "a: %s", styles[i].before);
		repeat(&text, styles[i].piece, 100000);
		repeat(&want, styles[i].means, 100000);
		str_addf(&text, "%s\n", styles[i].after);
		str_add(&want, styles[i].last);
		struct yaml *y = parsed(text.p);
		const struct yaml_node *v = yaml_get(yaml_root(y), "a");
		assert_int_equal(v->len, want.len);
		assert_memory_equal(v->text, want.p, want.len);
		yaml_free(y);
	}
}

/* Hostile sizes end in a fault, in little time and memory; the sanitizers watch the rest. */
static void hostile_sizes(void **state)
{
	(void)state;
	const struct {
		const char *text;
		size_t times;
		const char *part;
	} cases[] = {
		{"[", 100000, "deeper than 64"},      {"{a: ", 100000, "deeper than 64"},
		{"- ", 100000, "deeper than 64"},     {"? ", 100000, "key must be a text"},
		{"[\n", 100000, "deeper than 64"},    {"[", YAML_MAX_BYTES, "4,000,000"},
		{"[,", 1000, "not valid YAML"},       {"!a ", 1000, "tags"},
		{"-\n", YAML_MAX_BYTES / 2, "values"}, {"a\n", YAML_MAX_BYTES, "16 MiB"},
		{"- &a b\n", 300, "256 anchors"},     {"---\n", 1000, "second document"},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_STR struct str text = {0};
		struct plan_faults faults = {0};
		repeat(&text, cases[i].text, cases[i].times);
		assert_null(yaml_parse("f", text.p, text.len, &faults));
		if (!strstr(faults.v[0].message, cases[i].part))
			fail_msg("%s: %s", cases[i].text, faults.v[0].message);
		plan_faults_fini(&faults);
	}
	/* Exactly 64 is allowed. */
	AUTO_STR struct str text = {0};
	repeat(&text, "[", YAML_MAX_DEPTH);
	repeat(&text, "]", YAML_MAX_DEPTH);
	yaml_free(parsed(text.p));
	/* A large map is checked for keys written twice in less than square time. */
	str_clear(&text);
	for (int i = 0; i < 300000; i++)
		str_addf(&text, "k%d: \n", i);
	yaml_free(parsed(text.p));
}

/* Mutated text never crashes, and is either a tree or at least one fault. */
static void random_damage(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	const char *seed =
		"tasks:\n  - id: &a greet\n    prompt: |\n      hi\n    needs: [*a, \"b\", 'c']\n"
		"  - {id: x, env: {A: \"\\u00e9\"}, run: >-\n    folded\n  }\n# end\n";
	const char bytes[] = "[]{}:,-?&*!|>'\"%@`#\n\t \\~a0\x01\x7f\xc3\xff";
	for (int i = 0; i < 20000; i++) {
		AUTO_STR struct str text = {0};
		struct plan_faults faults = {0};
		str_add(&text, seed);
		for (uint64_t k = 1 + test_rng_below(&rng, 6); k; k--)
			text.p[test_rng_below(&rng, text.len)] =
				bytes[test_rng_below(&rng, sizeof bytes)];
		size_t n = test_rng_below(&rng, 4) ? text.len : test_rng_below(&rng, text.len);
		struct yaml *y = yaml_parse("f", text.p, n, &faults);
		assert_true(y ? faults.n == 0 : faults.n > 0);
		yaml_free(y);
		plan_faults_fini(&faults);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_know_where_they_are),
		cmocka_unit_test(places_in_json_are_those_of_the_text),
		cmocka_unit_test(words_mean_something_only_when_plain),
		cmocka_unit_test(json_is_yaml),
		cmocka_unit_test(empty_texts_and_marks),
		cmocka_unit_test(what_is_refused_says_where),
		cmocka_unit_test(every_key_written_twice_is_listed),
		cmocka_unit_test(aliases_are_copies),
		cmocka_unit_test(an_alias_bomb_is_refused),
		cmocka_unit_test(long_texts_are_whole),
		cmocka_unit_test(hostile_sizes),
		cmocka_unit_test(random_damage),
	};
	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
