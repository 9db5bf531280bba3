/* secret: values and token shapes are taken out of a stream, however it is cut. */
#include "test.h"

#include "worker/secret.h"

static void append(void *ctx, const char *bytes, size_t n)
{
	str_addn(ctx, bytes, n);
}

/* The text put in as pieces that end at the given places. */
static char *cleaned(const struct secret_set *set, const char *text, size_t n, size_t a, size_t b)
{
	struct str out = {0};
	struct secret_stream *s = secret_stream_new(set, true, append, &out);

	secret_stream_put(s, text, a);
	secret_stream_put(s, text + a, b - a);
	secret_stream_put(s, text + b, n - b);
	secret_stream_end(s);
	return str_take(&out);
}

/* At every pair of places (for long texts: every place, and byte by byte). */
static void expect(const struct secret_set *set, const char *text, const char *wanted)
{
	size_t n = strlen(text);

	for (size_t a = 0; a <= n; a++)
		for (size_t b = n > 300 ? n : a; b <= n; b++) {
			AUTO_FREE char *got = cleaned(set, text, n, a, b);
			if (strcmp(got, wanted) != 0)
				fail_msg("\"%s\" cut at %zu and %zu: \"%s\", wanted \"%s\"", text, a, b, got, wanted);
		}
	AUTO_STR struct str out = {0};
	struct secret_stream *s = secret_stream_new(set, true, append, &out);
	for (size_t i = 0; i < n; i++)
		secret_stream_put(s, text + i, 1);
	secret_stream_end(s);
	assert_string_equal(str_text(&out), wanted);
}

static void values_are_replaced_at_every_cut(void **state)
{
	struct secret_set *set = secret_set_new();

	(void)state;
	secret_set_add(set, "API_KEY", "correct-horse-battery");
	secret_set_add(set, "SHORT_KEY", "correct-horse");
	secret_set_add(set, "OTHER_KEY", "battery-staple");
	expect(set, "", "");
	expect(set, "nothing to see", "nothing to see");
	expect(set, "a correct-horse-battery b", "a [redacted:API_KEY] b");
	expect(set, "correct-horse", "[redacted:SHORT_KEY]");
	expect(set, "correct-horse-batteries", "[redacted:SHORT_KEY]-batteries");
	expect(set, "correct-horscorrect-horse", "correct-hors[redacted:SHORT_KEY]");
	/* Where two overlap, all of both. */
	expect(set, "<correct-horse-battery-staple>", "<[redacted:API_KEY]>");
	expect(set, "correct-horsecorrect-horse", "[redacted:SHORT_KEY][redacted:SHORT_KEY]");
	/* The beginning of one is shown when nothing follows. */
	expect(set, "correct-ho", "correct-ho");
	secret_set_free(set);
}

static void forms_of_a_value(void **state)
{
	struct secret_set *set = secret_set_new();

	(void)state;
	secret_set_add(set, "A_KEY", " quote\"and\\slash\n");
	secret_set_add(set, "B_KEY", "line one of the key\nshort\nline three of the key\n");
	secret_set_add(set, "C_PASSWORD", "C_PASSWORD");
	secret_set_add(set, "D_KEY", "redacted");
	expect(set, "quote\"and\\slash", "[redacted:A_KEY]");
	expect(set, "{\"x\":\"quote\\\"and\\\\slash\"}", "{\"x\":\"[redacted:A_KEY]\"}");
	expect(set, "  line one of the key\n  short\n  line three of the key\n",
	       "  [redacted:B_KEY]\n  short\n  [redacted:B_KEY]\n");
	expect(set, "is C_PASSWORD", "is [redacted]");
	expect(set, "was redacted", "was redacted");
	secret_set_free(set);
}

#define A36 "abcdefghijklmnopqrstuvwxyz0123456789"
#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
#define PEM                                                                                       \
	"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA1234+/ab\nqrstuvwxyz==\n-----END RSA PRIVATE KEY-----"

static void tokens_have_shapes(void **state)
{
	static const char *const all[] = {
		"ghp_" A36, "gho_" A36, "ghs_" A36, "github_pat_" A36 "_" A36, "glpat-abcdefghij0123456789",
		"sk-ant-api03-abcdefghij-0123456789", "sk-proj-abc_defghij0123456789", "sk-" A36 "ABCDEFGHIJKL",
		"AKIAIOSFODNN7EXAMPLE", "AIzaSyA-abcdefghijklmnopqrstuvwxyz01234", "xoxb-1234567890-abcdef",
		"npm_" A36, JWT, PEM, "secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	};
	struct secret_set *set = secret_set_new();

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(all); i++) {
		AUTO_FREE char *text = mem_printf("(%s)\n", all[i]), *color = mem_printf("\033[32m%s\033[0m", all[i]);
		AUTO_FREE char *alone = mem_strdup(all[i]);
		AUTO_FREE char *json = mem_printf("{\"a\":\"b\\n%s\"}", all[i]);
		size_t at;
		expect(set, text, "([redacted])\n");
		expect(set, color, "\033[32m[redacted]\033[0m");
		expect(set, alone, "[redacted]");
		expect(set, json, "{\"a\":\"b\\n[redacted]\"}");
		assert_string_equal(secret_set_find(set, text, strlen(text), &at), "a token");
		assert_int_equal(at, 1);
	}
	expect(set, "https://me:hunter22@example.org/x https://me@example.org http://example.org:80/@",
	       "https://[redacted]@example.org/x https://me@example.org http://example.org:80/@");
	expect(set, PEM "\nThat was it.", "[redacted]\nThat was it.");
	expect(set, "-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n-----END PRIVATE KEY-----\\n\"}",
	       "[redacted]\\n\"}");
	secret_set_free(set);
}

static void daily_words_stay(void **state)
{
	static const char *const all[] = {
		"task-0123456789abcdef0123456789abcdef", "a risk-0123456789abcdef0123456789abcdef", "sk-learn", "npm_config_registry=x",
		"-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA\n", "if (strstr(s, \"-----BEGIN PRIVATE KEY-----\"))",
		"eyJhbGciOiJIUzI1NiJ9", "https://$USER:$PASSWORD@host/", "// a comment: //x:y z@", "------------",
		"secret_access_key is 40 characters", "https://host:8080/a@b", "0123456789abcdef0123456789abcdef01234567",
		"[redacted:API_KEY] https://[redacted]@host",
	};
	struct secret_set *set = secret_set_new();

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(all); i++)
		expect(set, all[i], all[i]);
	secret_set_free(set);
}

/* The plain definition: every byte that an occurrence covers goes, each span gets the mark of the
 * longest value at its first byte. */
static char *reference(char *const *values, size_t n_values, const char *text, size_t n)
{
	AUTO_FREE size_t *at = mem_array(n + 1, sizeof *at); /* longest value that begins here */
	AUTO_FREE char *covered = mem_array(n + 1, 1), *fresh = mem_array(n + 1, 1);
	AUTO_FREE const char **name = mem_array(n + 1, sizeof *name);
	struct str out = {0};
	static const char *const names[] = {"V0", "V1", "V2", "V3"};

	for (size_t i = 0; i < n; i++)
		for (size_t v = 0; v < n_values; v++) {
			size_t len = strlen(values[v]);
			if (len > at[i] && len <= n - i && memcmp(text + i, values[v], len) == 0) {
				at[i] = len;
				name[i] = names[v];
			}
		}
	for (size_t i = 0, end = 0; i < n; i++) {
		if (at[i] && i >= end)
			fresh[i] = 1;
		if (at[i] && i + at[i] > end)
			end = i + at[i];
		covered[i] = i < end;
	}
	for (size_t i = 0; i < n; i++) {
		if (fresh[i])
			str_addf(&out, "[redacted:%s]", name[i]);
		else if (!covered[i])
			str_addc(&out, text[i]);
	}
	return str_take(&out);
}

static void random_streams_equal_the_definition(void **state)
{
	struct test_rng rng = test_rng_new();

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct secret_set *set = secret_set_new();
		char *values[4] = {0}, text[200];
		size_t n = test_rng_below(&rng, sizeof text), n_values = 0;
		/* Two letters only, that occur in no shape and no mark: matches and near misses abound. */
		for (int v = 0; v < 4; v++) {
			char value[12] = {0};
			size_t len = 2 + test_rng_below(&rng, 9);
			for (size_t i = 0; i < len; i++)
				value[i] = "QZ"[test_rng_below(&rng, 2)];
			char name[] = {'V', (char)('0' + v), 0};
			secret_set_add(set, name, value);
			bool known = false;
			for (size_t k = 0; k < n_values; k++)
				known |= strcmp(values[k], value) == 0;
			values[n_values++] = mem_strdup(known ? "never" : value);
		}
		for (size_t i = 0; i < n; i++)
			text[i] = "QZ."[test_rng_below(&rng, test_rng_below(&rng, 8) ? 2 : 3)];
		AUTO_FREE char *wanted = reference(values, n_values, text, n);
		AUTO_STR struct str out = {0};
		struct secret_stream *s = secret_stream_new(set, true, append, &out);
		for (size_t i = 0; i < n;) {
			size_t piece = 1 + test_rng_below(&rng, 12);
			piece = piece < n - i ? piece : n - i;
			secret_stream_put(s, text + i, piece);
			i += piece;
		}
		secret_stream_end(s);
		if (strcmp(str_text(&out), wanted) != 0)
			fail_msg("round %d: \"%.*s\" became \"%s\", wanted \"%s\"", round, (int)n, text,
			         str_text(&out), wanted);
		for (size_t v = 0; v < n_values; v++) {
			assert_null(strstr(str_text(&out), values[v]));
			free(values[v]);
		}
		secret_set_free(set);
	}
}

static void what_is_held_back_is_little(void **state)
{
	struct secret_set *set = secret_set_new();
	AUTO_STR struct str out = {0};
	AUTO_FREE char *much = mem_array(1, 100001);

	(void)state;
	memset(much, 'a', 100000);
	struct secret_stream *s = secret_stream_new(set, true, append, &out);
	secret_stream_put(s, "working on it", 13);
	assert_string_equal(str_text(&out), "working on it"); /* shown at once */
	secret_stream_put(s, " eyJ", 4);
	secret_stream_put(s, much, 100000);
	assert_true(out.len > 98000);
	secret_stream_put(s, " ghp_", 5);
	secret_stream_put(s, much, 100000); /* a token without an end: nothing of it is kept */
	secret_stream_put(s, " after", 6);
	secret_stream_end(s);
	assert_true(str_ends(out.p, "a [redacted] after"));
	assert_true(out.len < 100100);
	/* A key whose end never comes does not take the rest of the log with it. */
	s = secret_stream_new(set, true, append, &out);
	str_clear(&out);
	secret_stream_put(s, "-----BEGIN PRIVATE KEY-----\n", 28);
	secret_stream_put(s, much, 100000);
	secret_stream_end(s);
	assert_true(str_starts(out.p, "[redacted]a"));
	assert_in_range(out.len, 80000, 90000);
	secret_set_free(set);
}

static void names_and_values_of_the_environment(void **state)
{
	AUTO_STRV struct strv listed = {0};
	static const char *const values[][2] = {
		{"T_KEY", "key-value-1"},          {"t_token", "token-value-2"},  {"T_SECRET", "secret-value-3"},
		{"MYPASSWORD_OLD", "pass-value-4"}, {"T_SHORT_KEY", "true"},       {"T_PLAIN", "plain-value-5"},
		{"T_LISTED", "five5"},              {"T_CACHE_KEY", "linux-v2-6"}, {"T_FILE_KEY", "/etc/passwd"},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(values); i++)
		setenv(values[i][0], values[i][1], 1);
	strv_add(&listed, "T_LISTED");
	strv_add(&listed, "-T_CACHE_KEY");
	secret_init(&listed);
	AUTO_FREE char *got = secret_hidden(
		"key-value-1 token-value-2 secret-value-3 pass-value-4 true plain-value-5 five5 linux-v2-6 /etc/passwd");
	assert_string_equal(got, "[redacted:T_KEY] [redacted:t_token] [redacted:T_SECRET] "
	                         "[redacted:MYPASSWORD_OLD] true plain-value-5 [redacted:T_LISTED] "
	                         "linux-v2-6 /etc/passwd");
	/* What is inside an error does not depend on where its text is cut. */
	struct err e = {0};
	err_set(&e, ERR_ENV, "%0990dkey-value-1", 0);
	assert_null(strstr(e.text, "key-va"));
	AUTO_STRV struct strv env = {0};
	strv_add(&env, "TASK_TOKEN=of-the-task-7");
	secret_take_env(&env);
	AUTO_FREE char *task = secret_hidden("of-the-task-7");
	assert_string_equal(task, "[redacted:TASK_TOKEN]");
	AUTO_STR struct str input = {0};
	str_add(&input, "postgres://me:mypass99@db key-value-1");
	secret_hide_input(&input);
	assert_string_equal(input.p, "postgres://me:mypass99@db [redacted:T_KEY]");
	size_t at;
	assert_string_equal(secret_in("x key-value-1", 13, &at), "T_KEY");
	assert_int_equal(at, 2);
	for (size_t i = 0; i < MEM_COUNT(values); i++)
		unsetenv(values[i][0]);
	secret_init(NULL);
	assert_null(secret_in("x key-value-1", 13, &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_replaced_at_every_cut),
		cmocka_unit_test(forms_of_a_value),
		cmocka_unit_test(tokens_have_shapes),
		cmocka_unit_test(daily_words_stay),
		cmocka_unit_test(random_streams_equal_the_definition),
		cmocka_unit_test(what_is_held_back_is_little),
		cmocka_unit_test(names_and_values_of_the_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
