/* Channels whose peer is dead, deaf, cut off or lying: that peer is lost, and nothing else. */
#include "pair.h"

#include <unistd.h>

#include "worker/frame.h"

static void a_peer_that_never_reads_is_given_up(void **state)
{
	(void)state;
	AUTO_PAIR struct test_pair p = test_pair_new(false);
	struct err e = {0};
	size_t sent = 0;
	struct msg m = test_long_gate(500000, 'x');
	while (chan_send(p.supervisor, &m, &e) == 0) {
		sent += 500000;
		assert_true(sent <= CHAN_QUEUE_MAX + 65536);
	}
	assert_int_equal(e.kind, ERR_GONE);
	assert_true(sent > CHAN_QUEUE_MAX / 2);
	assert_false(chan_want_write(p.supervisor));
	msg_fini(&m);
	m = (struct msg){.kind = MSG_STOP};
	assert_int_equal(chan_send(p.supervisor, &m, &e), -1);
	assert_int_equal(e.kind, ERR_GONE);
	assert_int_equal(chan_flush(p.supervisor, &e), -1);
	assert_int_equal(chan_drain(p.supervisor, 1000, &e), -1);
}

static void the_last_words_of_a_dead_peer_are_heard(void **state)
{
	(void)state;
	AUTO_PAIR struct test_pair p = test_pair_new(true);
	AUTO_GOT struct test_got g = {0};
	struct err e = {0};
	struct msg m = {.kind = MSG_ATTEMPT};
	for (int i = 0; i < 5; i++)
		assert_ok(chan_send(p.worker, &m, &e), &e);
	chan_close(p.worker);
	p.worker = NULL;

	m = (struct msg){.kind = MSG_STOP};
	assert_int_equal(chan_send(p.supervisor, &m, &e), -1); /* EPIPE */
	assert_int_equal(e.kind, ERR_GONE);
	assert_false(chan_want_write(p.supervisor));
	test_receive_fails(p.supervisor, &g, ERR_GONE);
	assert_int_equal(g.n, 5);
}

static void a_cut_message_is_not_delivered(void **state)
{
	(void)state;
	AUTO_STR struct str payload = {0}, stream = {0};
	struct msg m = {.kind = MSG_HELLO};
	msg_encode(&m, &payload);
	frame_append(&stream, 1, payload.p, payload.len);
	size_t whole = stream.len;
	frame_append(&stream, 2, payload.p, payload.len);
	for (size_t n = 0; n < stream.len; n++) {
		AUTO_PAIR struct test_pair p = test_pair_new(false);
		AUTO_GOT struct test_got g = {0};
		test_write(p.raw_out, stream.p, n);
		test_receive_ok(p.supervisor, &g);
		mem_closep(&p.raw_out);
		p.raw_out = -1;
		test_receive_fails(p.supervisor, &g, ERR_GONE);
		assert_int_equal(g.n, n >= whole);
	}
}

/* One payload in a good frame, after one good message: is it refused? */
static void payload_refused(const char *payload, size_t n)
{
	AUTO_PAIR struct test_pair p = test_pair_new(false);
	AUTO_GOT struct test_got g = {0};
	AUTO_STR struct str stream = {0}, good = {0};
	struct msg m = {.kind = MSG_HELLO};
	msg_encode(&m, &good);
	frame_append(&stream, 1, good.p, good.len);
	frame_append(&stream, 2, payload, n);
	frame_append(&stream, 3, good.p, good.len);
	test_write(p.raw_out, stream.p, stream.len);
	test_receive_fails(p.supervisor, &g, ERR_PROTO);
	assert_int_equal(g.n, 1);
}

static void hostile_bytes_end_the_channel(void **state)
{
	(void)state;
	AUTO_STR struct str payload = {0}, frame = {0};
	struct msg m = {.kind = MSG_STOP};
	msg_encode(&m, &payload);
	payload_refused(payload.p, payload.len); /* a worker giving orders */
	payload_refused("", 0);
	payload_refused("\x00", 1);
	payload_refused("\x00\x00", 2);
	payload_refused("\x00\xc9\x81\xa1v\x09", 6); /* newer format: not our peer's */
	payload_refused("\x00\xc9\xdd\x00\xff\xff\xff", 7);

	/* The same frame twice. */
	AUTO_PAIR struct test_pair p = test_pair_new(false);
	AUTO_GOT struct test_got g = {0};
	m = (struct msg){.kind = MSG_REMOVED};
	str_clear(&payload);
	msg_encode(&m, &payload);
	frame_append(&frame, 1, payload.p, payload.len);
	test_write(p.raw_out, frame.p, frame.len);
	test_receive_ok(p.supervisor, &g);
	test_write(p.raw_out, frame.p, frame.len);
	test_receive_fails(p.supervisor, &g, ERR_PROTO);
	assert_int_equal(g.n, 1);
	/* What was refused says whose it was; the other direction still works. */
	struct err e = {0};
	chan_receive(p.supervisor, test_take, &g, &e);
	assert_true(str_starts(e.text, "worker 1: "));
	m = (struct msg){.kind = MSG_QUIT};
	assert_ok(chan_send(p.supervisor, &m, &e), &e);
}

static void garbage_never_harms(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int round = 0; round < 3000; round++) {
		AUTO_PAIR struct test_pair p = test_pair_new(false);
		AUTO_GOT struct test_got g = {0};
		struct err e = {0};
		char bytes[300];
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (char)(round % 2 && i < 3 ? 0 : test_rng_next(&rng));
		test_write(p.raw_out, bytes, 1 + test_rng_below(&rng, sizeof bytes));
		if (chan_receive(p.supervisor, test_take, &g, &e) != 0)
			assert_int_equal(e.kind, ERR_PROTO);
		assert_int_equal(g.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_that_never_reads_is_given_up),
		cmocka_unit_test(the_last_words_of_a_dead_peer_are_heard),
		cmocka_unit_test(a_cut_message_is_not_delivered),
		cmocka_unit_test(hostile_bytes_end_the_channel),
		cmocka_unit_test(garbage_never_harms),
	};
	return cmocka_run_group_tests_name("chan_hostile", tests, test_pair_init, NULL);
}
