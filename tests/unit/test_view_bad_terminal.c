/* View on terminals that are frozen, gone, somebody else's, shared with a child, or of an old
 * locale: the run must go on, and nobody's lines may be harmed. */
#include "test.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "screen.h"
#include "store/base/log.h"
#include "supervisor/view.h"

static struct view *open_view(struct screen *s, enum view_mode mode, size_t worktrees)
{
	struct view_options o = {.mode = mode, .fd = s->slave, .worktrees = worktrees, .total = 12};
	return view_open(&o);
}

static void a_terminal_that_is_gone_ends_the_view_only(void **state)
{
	(void)state;
	static const enum view_mode modes[] = {VIEW_LIVE, VIEW_PLAIN};
	for (size_t i = 0; i < 2; i++) {
		struct screen s = screen_new(80, 24, true);
		struct view *v = open_view(&s, modes[i], 2);
		view_draw(v, 0, true);
		screen_catch_up(&s);
		close(s.master);
		s.master = -1;
		view_say(v, "nobody hears this");
		assert_false(view_live(v));
		view_task(v, "greet", "failed", 5, NULL);
		view_worktree(v, 0, "greet", "agent", NULL, 0);
		view_draw(v, 5, true);
		view_abandon();
		view_close(v);
		screen_fini(&s);
	}
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	struct view *v = view_open(&(struct view_options){.mode = VIEW_PLAIN, .fd = ends[1]});
	view_say(v, "EPIPE");
	view_say(v, "EPIPE");
	view_close(v);
	close(ends[1]);
}

static void a_frozen_terminal_holds_nobody_up(void **state)
{
	(void)state;
	struct screen s = screen_new(80, 24, true);
	struct view *v = open_view(&s, VIEW_LIVE, 2);
	int flags = fcntl(s.slave, F_GETFL);

	view_draw(v, 0, true);
	screen_catch_up(&s);
	assert_int_equal(tcflow(s.slave, TCOOFF), 0); /* as Ctrl-S does */
	alarm(60);
	for (size_t i = 0; i < 500; i++) {
		view_say(v, "line %zu", i);
		view_draw(v, i, true);
	}
	assert_true(view_live(v));
	assert_int_equal(fcntl(s.slave, F_GETFL), flags);
	assert_int_equal(tcflow(s.slave, TCOON), 0);
	for (int i = 0; i < 20; i++) {
		view_draw(v, 600, true);
		screen_catch_up(&s);
	}
	alarm(0);
	AUTO_STRV struct strv lines = {0};
	vt_lines(&s.vt, 0, s.vt.y, &lines);
	assert_int_equal(lines.n, 500);
	for (size_t i = 0; i < 500; i++) {
		AUTO_FREE char *expected = mem_printf("line %zu", i);
		assert_string_equal(lines.v[i], expected);
	}
	assert_int_equal(tcflow(s.slave, TCOOFF), 0);
	view_say(v, "nobody will read this");
	alarm(20);
	view_close(v); /* gives up after a while */
	alarm(0);
	screen_fini(&s);
}

static void what_is_too_much_for_a_frozen_terminal_is_counted(void **state)
{
	(void)state;
	struct screen s = screen_new(80, 24, true);
	struct view *v = open_view(&s, VIEW_LIVE, 2);
	AUTO_STRV struct strv lines = {0};
	size_t missing = 0;

	assert_int_equal(tcflow(s.slave, TCOOFF), 0);
	for (size_t i = 0; i < 30000; i++)
		view_say(v, "another line %zu", i);
	assert_int_equal(tcflow(s.slave, TCOON), 0);
	for (int i = 0; i < 500; i++) {
		view_draw(v, 0, true);
		screen_catch_up(&s);
	}
	vt_lines(&s.vt, 0, s.vt.y, &lines);
	assert_true(lines.n > 5000);
	assert_int_equal(sscanf(lines.v[lines.n - 1], "bosk: %zu lines were not shown", &missing), 1);
	assert_int_equal(lines.n - 1 + missing, 30000);
	view_close(v);
	screen_fini(&s);
}

static void a_slow_reader_gets_every_plain_line(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		usleep(300000);
		char chunk[1000];
		size_t lines = 0;
		ssize_t n;
		while ((n = read(ends[0], chunk, sizeof chunk)) > 0)
			for (ssize_t i = 0; i < n; i++)
				lines += chunk[i] == '\n';
		_exit(lines == 10000 ? 0 : 1);
	}
	close(ends[0]);
	struct view *v = view_open(&(struct view_options){.mode = VIEW_PLAIN, .fd = ends[1]});
	for (size_t i = 0; i < 10000; i++) /* more than a pipe holds */
		view_say(v, "line %zu of many", i);
	view_close(v);
	close(ends[1]);
	int status = 1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* In a session of its own, with the terminal as its controlling one: a background job. */
static void in_background(struct screen *s)
{
	if (setsid() < 0 || ioctl(s->slave, TIOCSCTTY, 0) != 0)
		_exit(2);
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		struct view *v = open_view(s, VIEW_LIVE, 2);
		view_draw(v, 0, true);
		view_say(v, "said");
		view_task(v, "greet", "integrated", 1234, NULL);
		view_draw(v, 0, true);
		bool live = view_live(v);
		view_close(v);
		_exit(live ? 0 : 3);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
}

static void a_background_job_moves_no_cursor(void **state)
{
	(void)state;
	struct screen s = screen_new(80, 24, true);
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		in_background(&s);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	char bytes[400] = "";
	size_t n = 0;
	while (n < sizeof bytes - 1 && !strstr(bytes, "1.2 s\r\r\n")) {
		ssize_t got = read(s.master, bytes + n, sizeof bytes - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_null(memchr(bytes, '\x1b', n));
	assert_true(str_starts(bytes, "said\r\r\nok   greet"));
	screen_fini(&s);
}

static void a_forked_child_does_not_draw(void **state)
{
	(void)state;
	struct screen s = screen_new(80, 24, true);
	struct view *v = open_view(&s, VIEW_LIVE, 1);
	view_draw(v, 0, true);
	screen_catch_up(&s);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(2);
		log_error("to stderr");
		view_close(v);
		_exit(0);
	}
	int status = 1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	screen_catch_up(&s);
	assert_int_equal(s.raw.len, 0);
	view_close(v);
	view_close(NULL);
	screen_fini(&s);
}

static void in_the_c_locale_only_ascii_is_sent(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C");
	struct screen s = screen_new(80, 24, true);
	struct view *v = open_view(&s, VIEW_LIVE, 1);
	view_worktree(v, 0, "caf\xc3\xa9", "agent", NULL, 0);
	view_output(v, 0, "\xe4\xb8\xad\xe6\x96\x87 \xff");
	view_say(v, "na\xc3\xafve");
	view_draw(v, 0, true);
	setlocale(LC_ALL, "C.UTF-8");
	screen_catch_up(&s);
	for (size_t i = 0; i < s.raw.len; i++)
		assert_true((unsigned char)s.raw.p[i] < 0x80);
	assert_non_null(strstr(s.raw.p, "na?ve"));
	assert_non_null(strstr(s.raw.p, "caf? "));
	assert_non_null(strstr(s.raw.p, "?? \\xff"));
	view_close(v);
	screen_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_that_is_gone_ends_the_view_only),
		cmocka_unit_test(a_frozen_terminal_holds_nobody_up),
		cmocka_unit_test(what_is_too_much_for_a_frozen_terminal_is_counted),
		cmocka_unit_test(a_slow_reader_gets_every_plain_line),
		cmocka_unit_test(a_background_job_moves_no_cursor),
		cmocka_unit_test(a_forked_child_does_not_draw),
		cmocka_unit_test(in_the_c_locale_only_ascii_is_sent),
	};
	if (!setlocale(LC_ALL, "C.UTF-8")) {
		fprintf(stderr, "no C.UTF-8 locale here\n");
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	return cmocka_run_group_tests_name("view on bad terminals", tests, NULL, NULL);
}
