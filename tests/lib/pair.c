/* Shared by the tests of channels. */
#include "pair.h"

#include <signal.h>
#include <unistd.h>

#include "store/seal.h"

int test_pair_init(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	seal_init();
	return 0;
}

struct test_pair test_pair_new(bool with_worker)
{
	struct test_pair p = {.raw_in = -1, .raw_out = -1};
	struct err e = {0};
	int down[2], up[2];
	assert_int_equal(pipe(down), 0);
	assert_int_equal(pipe(up), 0);
	assert_ok(chan_open(&p.supervisor, "worker 1", up[0], down[1], MSG_WAY_TO_SUPERVISOR, &e),
	          &e);
	if (with_worker) {
		assert_ok(chan_open(&p.worker, "supervisor", down[0], up[1], MSG_WAY_TO_WORKER, &e),
		          &e);
	} else {
		p.raw_in = down[0];
		p.raw_out = up[1];
	}
	return p;
}

void test_pair_free(struct test_pair *p)
{
	chan_close(p->supervisor);
	chan_close(p->worker);
	mem_closep(&p->raw_in);
	mem_closep(&p->raw_out);
}

void test_got_free(struct test_got *g)
{
	str_fini(&g->bytes);
}

void test_take(void *got, struct msg *m)
{
	struct test_got *g = got;
	g->n++;
	msg_encode(m, &g->bytes);
}

void test_receive_ok(struct chan *c, struct test_got *g)
{
	struct err e = {0};
	assert_ok(chan_receive(c, test_take, g, &e), &e);
}

void test_receive_fails(struct chan *c, struct test_got *g, enum err_kind kind)
{
	struct err e = {0};
	assert_int_equal(chan_receive(c, test_take, g, &e), -1);
	assert_int_equal(e.kind, kind);
	/* And it stays so. */
	size_t before = g->n;
	assert_int_equal(chan_receive(c, test_take, g, &e), -1);
	assert_int_equal(e.kind, kind);
	assert_int_equal(g->n, before);
}

void test_write(int fd, const void *bytes, size_t n)
{
	assert_int_equal(write(fd, bytes, n), n);
}

struct msg test_long_gate(size_t n, char fill)
{
	struct msg m = {.kind = MSG_GATE};
	m.u.gate.name = mem_strdup("test");
	m.u.gate.run = mem_alloc(n + 1);
	memset(m.u.gate.run, fill, n);
	return m;
}
