/* Channels: messages over real pipes, also full ones and slow readers. */
#include "pair.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/log.h"
#include "worker/frame.h"

static struct chan *sender_of(struct test_pair *p, enum msg_kind kind)
{
	return msg_way(kind) == MSG_WAY_TO_WORKER ? p->supervisor : p->worker;
}

static void every_kind_travels_its_way(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	AUTO_PAIR struct test_pair p = test_pair_new(true);
	for (size_t i = 0; i < MSG_COUNT * 50; i++) {
		enum msg_kind kind = msg_kind_at(i % MSG_COUNT);
		struct chan *from = sender_of(&p, kind);
		struct chan *to = from == p.worker ? p.supervisor : p.worker;
		AUTO_GOT struct test_got g = {0};
		AUTO_STR struct str bytes = {0};
		struct err e = {0};
		struct msg m;

		msg_random(&m, kind, test_rng_next, &rng);
		msg_encode(&m, &bytes);
		assert_ok(chan_send(from, &m, &e), &e);
		assert_false(chan_want_write(from));
		test_receive_ok(to, &g);
		assert_int_equal(g.n, 1);
		assert_int_equal(g.bytes.len, bytes.len);
		assert_memory_equal(g.bytes.p, bytes.p, bytes.len);

		assert_int_equal(chan_send(to, &m, &e), -1); /* against the traffic */
		assert_int_equal(e.kind, ERR_BUG);
		test_receive_ok(from, &g);
		assert_int_equal(g.n, 1);
		msg_fini(&m);
	}
	struct err e = {0};
	assert_int_equal(chan_send(p.worker, &(struct msg){0}, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
}

static void a_full_pipe_only_delays(void **state)
{
	(void)state;
	AUTO_PAIR struct test_pair p = test_pair_new(true);
	AUTO_STR struct str sent = {0};
	AUTO_GOT struct test_got g = {0};
	struct err e = {0};
	size_t count = 0;

	/* Sizes around what a pipe takes, so that writes end in the middle of frames. */
	for (size_t i = 0; i < 60; i++, count++) {
		struct msg m = test_long_gate(1 + i * 1777, (char)('a' + i % 26));
		msg_encode(&m, &sent);
		assert_ok(chan_send(p.supervisor, &m, &e), &e);
		msg_fini(&m);
	}
	assert_true(chan_want_write(p.supervisor));
	test_receive_ok(p.worker, &g);
	assert_true(g.n < count);
	for (int turn = 0; chan_want_write(p.supervisor); turn++) {
		assert_true(turn < 10000);
		assert_ok(chan_flush(p.supervisor, &e), &e);
		test_receive_ok(p.worker, &g);
	}
	test_receive_ok(p.worker, &g);
	assert_int_equal(g.n, count);
	assert_int_equal(g.bytes.len, sent.len);
	assert_memory_equal(g.bytes.p, sent.p, sent.len);
}

static void bytes_may_come_one_at_a_time(void **state)
{
	(void)state;
	AUTO_PAIR struct test_pair p = test_pair_new(false);
	AUTO_GOT struct test_got g = {0};
	AUTO_STR struct str stream = {0};
	for (uint32_t i = 1; i <= 3; i++) {
		AUTO_STR struct str payload = {0};
		struct msg m = {.kind = MSG_ATTEMPT, .u.attempt.attempt = i};
		msg_encode(&m, &payload);
		frame_append(&stream, i, payload.p, payload.len);
	}
	for (size_t i = 0; i < stream.len; i++) {
		size_t whole = 3 * i / stream.len; /* three frames of one size */
		assert_int_equal(g.n, whole);
		test_write(p.raw_out, stream.p + i, 1);
		test_receive_ok(p.supervisor, &g);
	}
	assert_int_equal(g.n, 3);
}

static void too_large_messages_are_refused_and_named(void **state)
{
	(void)state;
	AUTO_PAIR struct test_pair p = test_pair_new(true);
	AUTO_GOT struct test_got g = {0};
	struct err e = {0};
	struct msg m = test_long_gate(FRAME_MAX, 'x');
	assert_int_equal(chan_send(p.supervisor, &m, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.text, "gate"));
	assert_non_null(strstr(e.text, "10486")); /* FRAME_MAX and a little */
	msg_fini(&m);

	m = (struct msg){.kind = MSG_GATE}; /* small enough, but no decoder takes so many values */
	for (int i = 0; i <= REC_MAX_ELEMENTS; i++)
		strv_add(&m.u.gate.paths, "");
	assert_int_equal(chan_send(p.supervisor, &m, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.text, "gate"));
	msg_fini(&m);

	/* The sequence is not disturbed; clipped to size it goes. */
	m = test_long_gate(FRAME_MAX, 'x');
	msg_clip_text(m.u.gate.run, FRAME_MAX - 1000);
	assert_ok(chan_send(p.supervisor, &m, &e), &e);
	msg_fini(&m);
	while (chan_want_write(p.supervisor)) {
		test_receive_ok(p.worker, &g);
		assert_ok(chan_flush(p.supervisor, &e), &e);
	}
	test_receive_ok(p.worker, &g);
	assert_int_equal(g.n, 1);
}

static void one_turn_reads_a_bounded_amount(void **state)
{
	(void)state;
	/* A file stands for a peer that writes faster than we read. */
	char *folder = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/stream", folder);
	AUTO_STR struct str stream = {0};
	AUTO_GOT struct test_got g = {0};
	struct err e = {0};
	struct chan *c;
	size_t frames = 0;

	while (stream.len < 3 * CHAN_TURN_BYTES) {
		AUTO_STR struct str payload = {0};
		struct msg m = {.kind = MSG_CHECKED};
		m.u.checked.tail = mem_alloc(60001);
		memset(m.u.checked.tail, 't', 60000);
		msg_encode(&m, &payload);
		frame_append(&stream, (uint32_t)++frames, payload.p, payload.len);
		msg_fini(&m);
	}
	int out = open(path, O_WRONLY | O_CREAT, 0600), in = open(path, O_RDONLY);
	test_write(out, stream.p, stream.len);
	assert_ok(chan_open(&c, "worker 1", in, out, MSG_WAY_TO_SUPERVISOR, &e), &e);
	test_receive_ok(c, &g);
	assert_true(g.n < frames / 2);
	test_receive_ok(c, &g);
	test_receive_ok(c, &g);
	test_receive_fails(c, &g, ERR_GONE);
	assert_int_equal(g.n, frames);
	chan_close(c);
	test_scratch_remove(folder);
}

static void drain_waits_for_a_slow_reader_but_not_for_ever(void **state)
{
	(void)state;
	struct err e = {0};
	struct msg m = test_long_gate(900000, 'd');
	{
		AUTO_PAIR struct test_pair p = test_pair_new(false);
		assert_ok(chan_send(p.supervisor, &m, &e), &e);
		fflush(NULL);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) { /* reads the one frame in small pieces, then goes */
			char piece[4096];
			size_t total = 0;
			while (total < 900000) {
				ssize_t n = read(p.raw_in, piece, sizeof piece);
				if (n <= 0)
					_exit(1);
				total += (size_t)n;
			}
			_exit(0);
		}
		assert_ok(chan_drain(p.supervisor, 60000, &e), &e);
		assert_false(chan_want_write(p.supervisor));
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	AUTO_PAIR struct test_pair p = test_pair_new(false);
	assert_ok(chan_send(p.supervisor, &m, &e), &e);
	assert_int_equal(chan_drain(p.supervisor, 10, &e), -1);
	assert_int_equal(e.kind, ERR_GONE);
	msg_fini(&m);
}

static void only_our_own_ends_change(void **state)
{
	(void)state;
	AUTO_PAIR struct test_pair p = test_pair_new(false);
	int ours[] = {chan_read_fd(p.supervisor), chan_write_fd(p.supervisor)};
	int theirs[] = {p.raw_in, p.raw_out};
	for (int i = 0; i < 2; i++) {
		assert_true(fcntl(ours[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(ours[i], F_GETFD) & FD_CLOEXEC);
		assert_false(fcntl(theirs[i], F_GETFL) & O_NONBLOCK);
		assert_false(fcntl(theirs[i], F_GETFD) & FD_CLOEXEC);
	}
	struct chan *c;
	struct err e = {0};
	assert_int_equal(chan_open(&c, "x", 0, ours[1], MSG_WAY_TO_WORKER, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
	assert_null(c);
	assert_int_equal(chan_open(&c, "x", ours[0], 9999, MSG_WAY_TO_WORKER, &e), -1);
	assert_null(c);
	chan_close(NULL);
}

static struct str traced;

static void trace_line(const char *line)
{
	str_add(&traced, line);
	str_addc(&traced, '\n');
}

static void traffic_is_traced_on_request(void **state)
{
	(void)state;
	AUTO_GOT struct test_got g = {0};
	struct err e = {0};
	struct msg m = {.kind = MSG_INIT};
	m.u.init.sid = mem_strdup("a1b2c3");
	log_set(LOG_VERBOSE);
	log_divert(trace_line);
	for (int on = 0; on < 2; on++) {
		if (on)
			setenv("BOSK_TRACE", "1", 1);
		else
			unsetenv("BOSK_TRACE");
		AUTO_PAIR struct test_pair p = test_pair_new(true);
		assert_ok(chan_send(p.supervisor, &m, &e), &e);
		test_receive_ok(p.worker, &g);
		if (!on)
			assert_int_equal(traced.len, 0);
	}
	unsetenv("BOSK_TRACE");
	log_divert(NULL);
	log_set(LOG_NORMAL);
	assert_non_null(strstr(traced.p, "worker 1 <- #1 init{sid=\"a1b2c3\""));
	assert_non_null(strstr(traced.p, "supervisor -> #1 init{sid=\"a1b2c3\""));
	str_fini(&traced);
	msg_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_travels_its_way),
		cmocka_unit_test(a_full_pipe_only_delays),
		cmocka_unit_test(bytes_may_come_one_at_a_time),
		cmocka_unit_test(too_large_messages_are_refused_and_named),
		cmocka_unit_test(one_turn_reads_a_bounded_amount),
		cmocka_unit_test(drain_waits_for_a_slow_reader_but_not_for_ever),
		cmocka_unit_test(only_our_own_ends_change),
		cmocka_unit_test(traffic_is_traced_on_request),
	};
	return cmocka_run_group_tests_name("chan", tests, test_pair_init, NULL);
}
