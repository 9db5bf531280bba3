/* sign: what the settings come to, and what is told of a signer that failed. With real signers: flow.32-signing. */
#include "test.h"

#include <string.h>

#include "worker/sign.h"

static void what_comes_later_counts(void **state)
{
	static const struct {
		const char *settings, *format, *program, *key;
	} rows[] = {
		{"commit.gpgsign=true", "openpgp", "gpg", NULL},
		{"gpg.program=a b|gpg.openpgp.program=/c d", "openpgp", "/c d", NULL},
		{"gpg.openpgp.program=/c d|gpg.program=a", "openpgp", "a", NULL},
		{"gpg.format=ssh|gpg.program=a|user.signingkey=~/k=1", "ssh", "ssh-keygen", "~/k=1"},
		{"gpg.format=ssh|gpg.ssh.program=s", "ssh", "s", NULL},
		{"gpg.format=ssh|gpg.format=x509|user.signingkey=1|user.signingkey=2", "x509", "gpgsm", "2"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_STRV struct strv settings = {0};
		for (const char *p = rows[i].settings; *p; p += strcspn(p, "|"), p += *p == '|')
			strv_addf(&settings, "%.*s", (int)strcspn(p, "|"), p);
		assert_string_equal(sign_format(&settings), rows[i].format);
		assert_string_equal(sign_program(&settings), rows[i].program);
		if (rows[i].key)
			assert_string_equal(sign_key(&settings), rows[i].key);
		else
			assert_null(sign_key(&settings));
	}
}

/* Where git's configuration says nothing of signing no git is run: there is none in that folder. */
static void nothing_is_asked_of_git_in_vain(void **state)
{
	AUTO_STRV struct strv out = {0}, known = {0};
	struct err e = {0};
	(void)state;

	strv_add(&known, "gpg.program=x");
	strv_add(&known, "commit.gpgsignature=true");
	assert_int_equal(sign_read(&out, &known, "/nonexistent", &e), 0);
	assert_int_equal(out.n, 0);
	strv_add(&known, "commit.gpgsign=true");
	sign_read(&out, &known, "/nonexistent", &e);
	assert_int_equal(out.n, 0);
}

static void why_is_one_line_of_what_the_signer_said(void **state)
{
	static const struct {
		int status;
		bool late;
		const char *trouble, *why;
	} rows[] = {
		{-1, true, "", "my gpg did not answer within 90 s"},
		{128, false, "error: gpg failed to sign the data\nfatal: failed to write commit object\n", "my gpg failed"},
		{128, false, "", "my gpg failed"},
		{128, false, "error: gpg failed to sign the data:\ngpg: signing failed: Cannot allocate memory\n",
	         "my gpg failed: gpg: signing failed: Cannot allocate memory"},
		{0, false, "", "my gpg failed"}, /* it named no commit */
		{-1, false, "killed", "my gpg failed: killed"},
		{128, false,
	         "error: gpg failed to sign the data:\n[GNUPG:] KEY_CONSIDERED AB 2\ngpg: skipped: no key\n"
	         "[GNUPG:] INV_SGNR 9 x\ngpg: signing failed: No \033[1msecret key\n[GNUPG:] FAILURE sign 17\n\n"
	         "fatal: failed to write commit object\n",
	         "my gpg failed: gpg: signing failed: No \\x1b[1msecret key"},
		{128, false, "token ghp_0123456789abcdefghijABCDEFGHIJ012345 is void\n", "my gpg failed: token [redacted] is void"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_STRV struct strv settings = {0};
		const struct sign_how how = {.settings = &settings, .timeout_ms = 90000};
		struct sign s = {0};
		struct sign_result r;
		struct oid tree = {""}, out;
		struct err e = {0};
		strv_add(&settings, "gpg.program=/opt/some where/my gpg");
		assert_int_equal(sign_end(&s, NULL, &how, &tree, rows[i].status, rows[i].late, "", rows[i].trouble, &out, &r, &e), 0);
		assert_false(r.made);
		assert_int_equal(r.late, rows[i].late);
		assert_string_equal(str_text(&r.why), rows[i].why);
		assert_int_equal(s.tries, 1);
		str_fini(&r.why);
	}
}

/* No disk, no processes: no fault of the signer's, and nothing is committed without it for that. */
static void want_of_room_is_no_answer(void **state)
{
	AUTO_STRV struct strv settings = {0};
	const struct sign_how how = {.settings = &settings, .timeout_ms = 1};
	struct sign s = {0};
	struct sign_result r;
	struct oid tree = {""}, out;
	struct err e = {0};
	(void)state;

	assert_int_equal(sign_end(&s, NULL, &how, &tree, 128, false, "", "error: unable to write file: No space left on device\n",
	                          &out, &r, &e),
	                 -1);
	assert_int_equal(e.kind, ERR_NOSPACE);
	str_fini(&r.why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_later_counts),
		cmocka_unit_test(nothing_is_asked_of_git_in_vain),
		cmocka_unit_test(why_is_one_line_of_what_the_signer_said),
		cmocka_unit_test(want_of_room_is_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
