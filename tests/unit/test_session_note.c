/* Unit tests of supervisor/session_note.c: what the report says stays, and no longer than it does. */
#include "supervisor/session.h"

#include "test.h"

static void a_note_goes_with_what_it_is_about(void **state)
{
	struct session s = {.lock_fd = -1};
	struct strv *notes = &s.manifest.notes;

	(void)state;
	strv_add(notes, "something else");
	session_note_stays(&s, "worktree", "/w/a-1", "it is held");
	session_note_stays(&s, "worktree", "/w/a-10", NULL);
	session_note_stays(&s, "branch", "/w/a-1", "checked out");
	session_note_stays(&s, "worktree", "/w/a-1", "it is held by others"); /* once, with what is true now */
	assert_int_equal(notes->n, 4);
	assert_string_equal(notes->v[3], "the worktree /w/a-1 stays: it is held by others");
	session_note_gone(&s, "worktree", "/w/a-1");
	session_note_gone(&s, "worktree", "/w/a-2");
	assert_int_equal(notes->n, 3);
	assert_string_equal(notes->v[0], "something else");
	assert_string_equal(notes->v[1], "the worktree /w/a-10 stays: ");
	assert_string_equal(notes->v[2], "the branch /w/a-1 stays: checked out");
	strv_fini(notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_note_goes_with_what_it_is_about)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
