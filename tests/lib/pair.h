/* Both ends of a worker's channel over real pipes, for the tests of channels. */
#ifndef BOSK_TEST_PAIR_H
#define BOSK_TEST_PAIR_H

#include "test.h"

#include "worker/chan.h"

struct test_pair {
	struct chan *supervisor, *worker; /* named "worker 1" and "supervisor", after their peers */
	int raw_in, raw_out; /* the worker's ends of the pipes when it has no channel, else -1 */
};
struct test_pair test_pair_new(bool with_worker);
void test_pair_free(struct test_pair *p);
#define AUTO_PAIR __attribute__((cleanup(test_pair_free)))

/* Group setup: SIGPIPE ignored, checksums ready. */
int test_pair_init(void **state);

/* What was received: how many messages, and their encodings one after the other. */
struct test_got {
	size_t n;
	struct str bytes;
};
void test_got_free(struct test_got *g);
#define AUTO_GOT __attribute__((cleanup(test_got_free)))

void test_take(void *got, struct msg *m); /* the handler that collects */
void test_receive_ok(struct chan *c, struct test_got *g);
/* Fails with this kind, now and ever after, and then delivers nothing. */
void test_receive_fails(struct chan *c, struct test_got *g, enum err_kind kind);

void test_write(int fd, const void *bytes, size_t n);
struct msg test_long_gate(size_t n, char fill); /* a message of about n bytes */

#endif
