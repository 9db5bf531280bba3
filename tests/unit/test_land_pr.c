/* Unit tests of supervisor/land_pr_command.c: what becomes of the words in braces. */
#include "supervisor/land_pr.h"

#include <string.h>

#include "store/base/mem.h"
#include "test.h"

static void words_become_variables(void **state)
{
	static const struct {
		const char *command;
		bool draft;
		const char *wanted;
	} rows[] = {
		{"gh {title}", false, "gh \"$BOSK_PR_TITLE\""},
		{"gh \"{title}\" {body}", false, "gh \"${BOSK_PR_TITLE}\" \"$BOSK_PR_BODY_FILE\""},
		{"gh '{title}' {branch}", false, "gh ''\"$BOSK_PR_TITLE\"'' \"$BOSK_PR_BRANCH\""},
		{"gh \\\"{title}", false, "gh \\\"\"$BOSK_PR_TITLE\""},
		{"gh \"\\\"{title}\"", false, "gh \"\\\"${BOSK_PR_TITLE}\""},
		{"gh '\\'{title}", false, "gh '\\'\"$BOSK_PR_TITLE\""},
		{"gh \"'{title}'\"", false, "gh \"'${BOSK_PR_TITLE}'\""},
		{"gh ${title} {other} {a,b}", false, "gh ${title} {other} {a,b}"},
		{"gh {target}{remote}{commit}{title_file}", false,
		 "gh \"$BOSK_PR_TARGET\"\"$BOSK_PR_REMOTE\"\"$BOSK_PR_COMMIT\"\"$BOSK_PR_TITLE_FILE\""},
		{"gh x \n", true, "gh x --draft"},
		{"gh {draft} x", true, "gh --draft x"},
		{"gh {draft} x", false, "gh  x"},
	};
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(rows); i++) {
		AUTO_STR struct str out = {0};
		land_pr_command(&out, rows[i].command, rows[i].draft);
		assert_string_equal(str_text(&out), rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words_become_variables)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
