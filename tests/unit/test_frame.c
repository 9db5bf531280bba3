/* Frames: what was put in comes out, once and in order, however the bytes arrive; nothing else
 * does, and a lying stream costs no memory. */
#include "test.h"

#include "store/seal.h"
#include "worker/frame.h"

static int init(void **state)
{
	(void)state;
	seal_init();
	return 0;
}

static void decoder_free(struct frame_decoder *d)
{
	frame_decoder_fini(d);
}
#define AUTO_DECODER __attribute__((cleanup(decoder_free)))

/* Feed all bytes; the number of frames that came out. *rc is the last return value. */
static size_t feed(struct frame_decoder *d, const void *bytes, size_t n, int *rc)
{
	size_t frames = 0;
	const void *payload;
	size_t payload_n;
	struct err e = {0};

	while ((*rc = frame_decode(d, &bytes, &n, &payload, &payload_n, &e)) == 1)
		frames++;
	assert_true(d->frame.cap <= 2 * (FRAME_MAX + FRAME_LENGTH_BYTES));
	if (*rc < 0) {
		assert_int_equal(e.kind, ERR_PROTO);
		assert_true(e.text[0] != '\0');
	} else {
		assert_int_equal(n, 0);
	}
	return frames;
}

/* These bytes give `frames` frames, then the stream is broken for good. */
static void broken_after(size_t frames, const void *bytes, size_t n)
{
	AUTO_DECODER struct frame_decoder d = {0};
	AUTO_STR struct str next = {0};
	int rc;

	assert_int_equal(feed(&d, bytes, n, &rc), frames);
	assert_int_equal(rc, -1);
	assert_int_equal(d.frame.cap, 0);
	frame_append(&next, d.sequence + 1, "good", 4);
	assert_int_equal(feed(&d, next.p, next.len, &rc), 0);
	assert_int_equal(rc, -1);
}

static void random_payload(struct str *out, struct test_rng *rng, size_t n)
{
	str_clear(out);
	while (n--)
		str_addc(out, (char)test_rng_next(rng));
}

static void frames_survive_any_chunking(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int round = 0; round < 200; round++) {
		AUTO_STR struct str stream = {0};
		struct str sent[8] = {{0}};
		size_t count = 1 + test_rng_below(&rng, 8), got = 0;
		AUTO_DECODER struct frame_decoder d = {0};

		for (size_t i = 0; i < count; i++) {
			random_payload(&sent[i], &rng, test_rng_below(&rng, 300));
			frame_append(&stream, (uint32_t)i + 1, sent[i].p, sent[i].len);
		}
		for (size_t off = 0; off < stream.len;) {
			/* Every other round a byte at a time. */
			size_t n = round % 2 ? 1 : 1 + test_rng_below(&rng, 200);
			if (n > stream.len - off)
				n = stream.len - off;
			const void *bytes = stream.p + off, *p;
			size_t left = n, p_n;
			struct err e = {0};
			while (frame_decode(&d, &bytes, &left, &p, &p_n, &e) == 1) {
				assert_true(got < count);
				assert_int_equal(p_n, sent[got].len);
				if (p_n)
					assert_memory_equal(p, sent[got].p, p_n);
				got++;
			}
			assert_int_equal(e.kind, 0);
			off += n;
		}
		assert_int_equal(got, count);
		assert_int_equal(frame_pending(&d), 0);
		for (size_t i = 0; i < count; i++)
			str_fini(&sent[i]);
	}
}

static void every_flipped_bit_is_refused(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	AUTO_STR struct str payload = {0}, stream = {0}, filler = {0};

	random_payload(&payload, &rng, 70);
	frame_append(&stream, 1, payload.p, payload.len);
	/* What follows fills up a frame whose length grew: it must be refused all the same. */
	while (filler.len < FRAME_MAX)
		str_addn(&filler, "no frame", 8);
	for (size_t bit = 0; bit < 8 * stream.len; bit++) {
		AUTO_DECODER struct frame_decoder d = {0};
		int rc;
		stream.p[bit / 8] = (char)(stream.p[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(feed(&d, stream.p, stream.len, &rc), 0);
		if (rc == 0) {
			assert_true(bit / 8 < FRAME_LENGTH_BYTES);
			assert_int_equal(frame_pending(&d), stream.len);
			assert_int_equal(feed(&d, filler.p, filler.len, &rc), 0);
		}
		assert_int_equal(rc, -1);
		stream.p[bit / 8] = (char)(stream.p[bit / 8] ^ 1 << bit % 8);
	}
	AUTO_DECODER struct frame_decoder d = {0};
	int rc;
	assert_int_equal(feed(&d, stream.p, stream.len, &rc), 1);
}

static void a_cut_off_frame_never_comes_out(void **state)
{
	(void)state;
	AUTO_STR struct str stream = {0};
	frame_append(&stream, 1, "some payload", 12);
	for (size_t n = 0; n < stream.len; n++) {
		AUTO_DECODER struct frame_decoder d = {0};
		int rc;
		assert_int_equal(feed(&d, stream.p, n, &rc), 0);
		assert_int_equal(rc, 0);
		assert_int_equal(frame_pending(&d), n);
	}
}

static void wrong_lengths_are_refused_at_once(void **state)
{
	(void)state;
	static const uint32_t lengths[] = {0, 1, FRAME_HEAD_BYTES - 1, FRAME_MAX + 1, 0x7fffffff,
	                                   0x80000000, 0xffffffff};
	for (size_t i = 0; i < MEM_COUNT(lengths); i++) {
		uint32_t l = lengths[i];
		char bytes[] = {(char)(l >> 24), (char)(l >> 16), (char)(l >> 8), (char)l};
		broken_after(0, bytes, sizeof bytes);
	}
	broken_after(0, "GET / HTTP/1.1\r\n", 16);
}

static void the_largest_frame_passes_and_memory_follows_the_data(void **state)
{
	(void)state;
	AUTO_STR struct str stream = {0};
	AUTO_FREE char *payload = mem_alloc(FRAME_PAYLOAD_MAX);
	AUTO_DECODER struct frame_decoder d = {0};
	int rc;

	frame_append(&stream, 1, payload, FRAME_PAYLOAD_MAX);
	assert_int_equal(stream.len, FRAME_MAX + FRAME_LENGTH_BYTES);
	/* The claim of a megabyte alone reserves nothing. */
	assert_int_equal(feed(&d, stream.p, 20, &rc), 0);
	assert_true(d.frame.cap <= 1024);
	assert_int_equal(feed(&d, stream.p + 20, stream.len - 20, &rc), 1);
	assert_int_equal(rc, 0);
	assert_int_equal(d.frame.cap, 0);
}

static void versions_sequences_and_checksums_are_checked(void **state)
{
	(void)state;
	AUTO_STR struct str one = {0}, two = {0}, three = {0}, s = {0};
	frame_append(&one, 1, "1", 1);
	frame_append(&two, 2, "2", 1);
	frame_append(&three, 3, "3", 1);

	broken_after(0, two.p, two.len); /* starts in the middle */
	str_addn(&s, one.p, one.len);
	str_addn(&s, one.p, one.len);
	broken_after(1, s.p, s.len); /* replayed */
	str_clear(&s);
	str_addn(&s, one.p, one.len);
	str_addn(&s, three.p, three.len);
	broken_after(1, s.p, s.len); /* one missing */
	str_clear(&s);
	str_addn(&s, one.p, one.len);
	str_addn(&s, two.p, two.len);
	str_addn(&s, one.p, one.len);
	broken_after(2, s.p, s.len); /* replayed later */
	str_clear(&s);
	frame_append(&s, 0, "0", 1);
	broken_after(0, s.p, s.len); /* 0 is no sequence to begin with */

	one.p[FRAME_LENGTH_BYTES] = FRAME_VERSION + 1;
	broken_after(0, one.p, FRAME_LENGTH_BYTES + 1); /* without waiting for the rest */
	two.p[FRAME_LENGTH_BYTES + 8] ^= 1;
	AUTO_DECODER struct frame_decoder d = {.sequence = 1};
	int rc;
	assert_int_equal(feed(&d, two.p, two.len, &rc), 0);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(d.why.text, "checksum"));
}

static void the_checksum_covers_what_it_should(void **state)
{
	(void)state;
	/* The head of one good frame does not fit another's payload, nor with another number: all
	 * pieces of a frame are bound together. */
	AUTO_STR struct str a = {0}, b = {0};
	frame_append(&a, 1, "aaaa", 4);
	frame_append(&b, 1, "bbbb", 4);
	memcpy(a.p + a.len - 4, "bbbb", 4);
	broken_after(0, a.p, a.len);
	str_clear(&a);
	frame_append(&a, 2, "bbbb", 4);
	b.p[FRAME_LENGTH_BYTES + 4] = 2; /* the sequence of a, the sum of b */
	AUTO_DECODER struct frame_decoder d = {.sequence = 1};
	int rc;
	assert_int_equal(feed(&d, b.p, b.len, &rc), 0);
	assert_int_equal(rc, -1);
}

static void garbage_is_refused(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	AUTO_STR struct str stream = {0}, bytes = {0};

	for (int round = 0; round < 100000; round++) {
		AUTO_DECODER struct frame_decoder d = {0};
		size_t good = 0, n = test_rng_below(&rng, 120);
		int rc;
		str_clear(&stream);
		if (round % 4 == 0) /* after a good frame */
			frame_append(&stream, (uint32_t)++good, "good", 4);
		if (round % 2 == 0) { /* with the beginning of one */
			unsigned char length = (unsigned char)(FRAME_HEAD_BYTES + n);
			str_addn(&stream, "\0\0", 3);
			str_addc(&stream, (char)length);
			str_addc(&stream, FRAME_VERSION);
			if (round % 8 == 0) {
				str_addn(&stream, "\0\0", 3);
				str_addc(&stream, (char)(good + 1));
			}
		}
		random_payload(&bytes, &rng, n + 40);
		str_addn(&stream, bytes.p, bytes.len);
		assert_int_equal(feed(&d, stream.p, stream.len, &rc), good);
		assert_true(d.frame.cap <= 4 * stream.len + 64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_survive_any_chunking),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(a_cut_off_frame_never_comes_out),
		cmocka_unit_test(wrong_lengths_are_refused_at_once),
		cmocka_unit_test(the_largest_frame_passes_and_memory_follows_the_data),
		cmocka_unit_test(versions_sequences_and_checksums_are_checked),
		cmocka_unit_test(the_checksum_covers_what_it_should),
		cmocka_unit_test(garbage_is_refused),
	};
	return cmocka_run_group_tests_name("frame", tests, init, NULL);
}
