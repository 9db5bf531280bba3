/* The model of several users (histories/history.h). Without arguments: that it accepts a good history, and
 * finds what is wrong in doctored ones. With a file: it is judged; exit status 0 when the model explains it. */
#include "test.h"

#include "histories/history.h"
#include "store/base/fs.h"

/* Two plans and all that may happen: a run killed and resumed, a second run refused, a task healed and
 * retried, a run that goes on with what another left, landings, a user's commits. */
static const char good[] =
	"task a a1 good\n"
	"task a a2 flaky a1\n"
	"task b b1 good\n"
	"task b b2 bad\n"
	"task b b3 good b2\n"
	"start 1001 run a keep\n"
	"start 2001 run b keep\n"
	"start 3001 user main\n"
	"end 3001 0\n"
	"exec begin a1 aaaaaa 1\n"
	"exec begin b1 bbbbbb 1\n"
	"start 3002 run a keep\n"
	"end 3002 2 why=live\n"
	"start 3003 resume aaaaaa\n"
	"end 3003 5 why=live\n"
	"start 3004 status\n"
	"see 3004 aaaaaa running here a1:running a2:pending\n"
	"see 3004 bbbbbb running here b1:running b2:pending b3:pending\n"
	"end 3004 0\n"
	"kill 1001\n"
	"end 1001 137 began=aaaaaa\n"
	"start 3005 status\n"
	"see 3005 aaaaaa interrupted here a1:pending a2:pending\n"
	"end 3005 0\n"
	"start 3006 run a keep\n"
	"end 3006 2 why=unfinished\n"
	"start 1002 resume aaaaaa\n"
	"exec begin a1 aaaaaa 2\n"
	"exec end a1 aaaaaa 2\n"
	"exec end b1 bbbbbb 1\n"
	"exec begin b2 bbbbbb 1\n"
	"end 2001 1 began=bbbbbb ended=bbbbbb:failed\n"
	"exec begin a2 aaaaaa 1\n"
	"end 1002 1 began=aaaaaa ended=aaaaaa:failed\n"
	"start 3007 status\n"
	"see 3007 aaaaaa failed here a1:integrated a2:failed\n"
	"see 3007 bbbbbb failed here b1:integrated b2:failed b3:skipped\n"
	"end 3007 0\n"
	"start 3008 user integration-aaaaaa\n"
	"end 3008 0\n"
	"start 2002 run b keep\n"
	"exec begin b2 cccccc 2\n"
	"end 2002 1 began=cccccc ended=cccccc:failed\n"
	"heal a2\n"
	"start 1003 retry aaaaaa\n"
	"end 1003 0 again back=aaaaaa\n"
	"start 1004 resume aaaaaa\n"
	"start 2003 stop aaaaaa\n"
	"end 2003 0 asked=aaaaaa\n"
	"exec begin a2 aaaaaa 2\n"
	"exec end a2 aaaaaa 2\n"
	"end 1004 0 began=aaaaaa ended=aaaaaa:done\n"
	"start 1005 run a keep\n"
	"end 1005 0 why=nothing\n"
	"start 9001 land aaaaaa --merge\n"
	"end 9001 0 landed=\n"
	"start 9002 land cccccc --merge\n"
	"end 9002 0 landed=\n"
	"the end\n"
	"now aaaaaa a QA done landed\n"
	"now bbbbbb b QB failed here\n"
	"now cccccc b QB failed landed\n"
	"is QA a1 landed\n"
	"is QA a2 landed\n"
	"is QB b1 landed\n"
	"is QB b2 failed\n"
	"is QB b3 skipped\n"
	"on aaaaaa commit QA a1\n"
	"on aaaaaa merge QA a1\n"
	"on aaaaaa user 3008\n"
	"on aaaaaa commit QA a2\n"
	"on aaaaaa merge QA a2\n"
	"on cccccc commit QB b1\n"
	"on cccccc merge QB b1\n"
	"on main user 3001\n"
	"on main commit QA a1\n"
	"on main merge QA a1\n"
	"on main user 3008\n"
	"on main commit QA a2\n"
	"on main merge QA a2\n"
	"on main landing aaaaaa\n"
	"on main commit QB b1\n"
	"on main merge QB b1\n"
	"on main landing cccccc\n";

static void a_good_history_is_explained(void **state)
{
	(void)state;
	AUTO_STR struct str summary = {0};
	AUTO_STRV struct strv faults = {0};

	history_judge(good, &faults, &summary);
	for (size_t i = 0; i < faults.n; i++)
		print_error("%s\n", faults.v[i]);
	assert_int_equal(faults.n, 0);
	assert_non_null(strstr(summary.p, "explained"));
}

/* `good` with one piece of it replaced. */
static char *doctored(const char *old, const char *new)
{
	const char *at = strstr(good, old);
	if (!at)
		fail_msg("the good history has no: %s", old);
	assert_null(strstr(at + 1, old));
	return mem_printf("%.*s%s%s", (int)(at - good), good, new, at + strlen(old));
}

static void what_is_wrong_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *name, *old, *new, *fault;
	} lies[] = {
		{"a merge done twice", "on aaaaaa merge QA a1\n", "on aaaaaa merge QA a1\non aaaaaa merge QA a1\n",
		 "end: task a1 of QA, which is landed, has 2 merges on aaaaaa, not 1"},
		{"a task lost from its branch", "on aaaaaa commit QA a2\non aaaaaa merge QA a2\n", "",
		 "end: task a2 of QA, which is landed, has 0 commits on aaaaaa, not 1"},
		{"a task lost from main", "on main commit QA a2\non main merge QA a2\n", "",
		 "end: task a2 of QA, which is landed, has 0 commits on main, not 1"},
		{"an unrecorded merge", "is QB b3 skipped\n", "is QB b3 skipped\non cccccc merge QB b3\n",
		 "end: task b3 of QB, which is skipped, has 1 merge on cccccc, not 0"},
		{"merged before what it needs",
		 "on main commit QA a1\non main merge QA a1\non main user 3008\non main commit QA a2\non main merge QA a2\n",
		 "on main commit QA a2\non main merge QA a2\non main user 3008\non main commit QA a1\non main merge QA a1\n",
		 "end: on main task a2 of QA comes before a1, which it needs"},
		{"another fate", "is QB b2 failed\n", "is QB b2 landed\n", "end: task b2 of QB is landed, and must be failed"},
		{"a task that was forgotten", "is QB b3 skipped\n", "is QB b3 pending\n",
		 "end: task b3 of QB is pending, and must be skipped"},
		{"landed twice", "on main landing aaaaaa\n", "on main landing aaaaaa\non main landing aaaaaa\non main landing aaaaaa\n",
		 "end: session aaaaaa has 3 landings on main"},
		{"a user's commit lost", "on main user 3001\n", "", "end: the user's commit 3001 is not on main any more"},
		{"a user's commit left behind", "on main user 3008\n", "",
		 "end: the user's commit 3008 on integration-aaaaaa has not landed with it"},
		{"a commit of nobody", "on main landing cccccc\n", "on main landing cccccc\non main unknown What is this\n",
		 "end: nobody made the commit on main: What is"},
		{"integrated work done again", "the end\n", "exec begin a1 aaaaaa 3\nthe end\n",
		 "is done again, but line"},
		{"begun before what it needs", "exec begin a1 aaaaaa 2\n", "exec begin a2 aaaaaa 7\nexec begin a1 aaaaaa 2\n",
		 "began before a1, which it needs, was done"},
		{"two at the same task", "exec begin a2 aaaaaa 2\n", "exec twice a2 aaaaaa\nexec begin a2 aaaaaa 2\n",
		 "began in session aaaaaa while it was still being done"},
		{"taken in, then not", "the end\n",
		 "start 9003 status\nsee 9003 aaaaaa done landed a1:pending a2:landed\nend 9003 0\nthe end\n",
		 "work: task a1 was shown integrated in line"},
		{"a crash", "end 3006 2 why=unfinished\n", "end 3006 139\n", "it did not end as a program should"},
		{"a bug reported", "end 3007 0\n", "end 3007 70\n", "it did not end as a program should"},
		{"not known, but it is", "start 9001 land aaaaaa --merge\n",
		 "start 4001 land bbbbbb --keep\nend 4001 2 why=unfit\nstart 9001 land aaaaaa --merge\n",
		 "this is no answer to that call"},
		{"held by nobody", "start 9001 land aaaaaa --merge\n",
		 "start 4001 land bbbbbb --keep\nend 4001 5 why=live\nstart 9001 land aaaaaa --merge\n",
		 "order: no order of the calls explains call 4001"},
		{"refused, although nothing is unfinished", "end 1005 0 why=nothing\n", "end 1005 2 why=unfinished\n",
		 "order: no order of the calls explains call 1005"},
		{"two owners at once", "end 3003 5 why=live\n", "end 3003 1 began=aaaaaa ended=aaaaaa:failed\n",
		 "order: no order of the calls explains call"},
		{"begun beside an unfinished one", "end 3006 2 why=unfinished\n",
		 "end 3006 1 began=dddddd ended=dddddd:failed\n", "order: no order of the calls explains call"},
		{"a dead owner shown alive", "see 3005 aaaaaa interrupted", "see 3005 aaaaaa running",
		 "order: no order of the calls explains call 3005"},
		{"an ended session shown interrupted", "see 3007 aaaaaa failed", "see 3007 aaaaaa interrupted",
		 "order: no order of the calls explains call 3007"},
		{"a landing that is not recorded", "now cccccc b QB failed landed\n", "now cccccc b QB failed here\n",
		 "order: the sessions of plan b at the end are not what the calls come to"},
		{"a session that nobody began", "now aaaaaa a QA done landed\n", "now eeeeee a QA done here\nnow aaaaaa a QA done landed\n",
		 "order: the sessions of plan a at the end are not what the calls come to"},
		{"the wrong exit status", "end 1004 0 began", "end 1004 1 began",
		 "everything is integrated, but the exit status is 1"},
		{"an answer nobody knows", "end 1003 0 again back=aaaaaa\n", "end 1003 4\n", "this is no answer to that call"},
		{"a call without an end", "end 2003 0 asked=aaaaaa\n", "", "history: call 2003 never ended"},
		{"a problem that was seen", "the end\n", "the end\nproblem fsck: broken\n", "problem fsck: broken"},
	};
	for (size_t i = 0; i < MEM_COUNT(lies); i++) {
		AUTO_FREE char *text = doctored(lies[i].old, lies[i].new);
		AUTO_STR struct str summary = {0};
		AUTO_STRV struct strv faults = {0};
		bool found = false;
		history_judge(text, &faults, &summary);
		for (size_t k = 0; k < faults.n; k++)
			found |= strstr(faults.v[k], lies[i].fault) != NULL;
		for (size_t k = 0; !found && k < faults.n; k++)
			print_error("found: %s\n", faults.v[k]);
		if (!found)
			fail_msg("not found: %s", lies[i].name);
	}
}

static int judge_file(const char *path)
{
	AUTO_STR struct str text = {0}, summary = {0};
	AUTO_STRV struct strv faults = {0};
	struct err e = {0};

	if (fs_read(path, SIZE_MAX, &text, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		return 2;
	}
	history_judge(str_text(&text), &faults, &summary);
	for (size_t i = 0; i < faults.n; i++)
		printf("%s\n", faults.v[i]);
	printf("%s\n", summary.p);
	return faults.n ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_history_is_explained),
		cmocka_unit_test(what_is_wrong_is_found),
	};
	if (argc == 2)
		return judge_file(argv[1]);
	return cmocka_run_group_tests_name("histories", tests, NULL, NULL);
}
