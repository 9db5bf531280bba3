/* own_hide: lines of bosk in a file of the user's. */
#include "supervisor/own_hide.h"
#include "test.h"

static void same_after_all(const char *user)
{
	AUTO_STRV struct strv two = {0}, one = {0}, none = {0};
	AUTO_STR struct str a = {0}, b = {0}, c = {0}, d = {0};

	strv_add(&two, "/worktrees/");
	strv_add(&two, "/x/y/");
	strv_add(&one, "/x/y/");
	own_hide_lines(user, &two, &a);
	own_hide_lines(a.p, &two, &b);
	assert_string_equal(a.p, b.p);
	assert_true(str_ends(a.p, user));
	own_hide_lines(a.p, &one, &c);
	assert_null(strstr(c.p, "# bosk: a worktree of a session\n/worktrees/"));
	own_hide_lines(c.p, &none, &d);
	assert_string_equal(str_text(&d), user);
}

static void the_users_bytes_come_out_as_they_were(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "a", "a\n", "a\r\nb\n", "/worktrees/\n", "#", "\n\n", "# bosk: a worktree of a session",
	                                    "# bosk: a worktree of a session\n"};
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		same_after_all(texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_users_bytes_come_out_as_they_were)};
	return cmocka_run_group_tests_name("own_hide", tests, NULL, NULL);
}
