/* Fuzz target: a stream of frames. The first byte of an input says how the rest is used: bit 0 =
 * make the checksums right first (no mutation ever finds one), bits 1-7 = sizes of the pieces
 * fed. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "store/seal.h"
#include "worker/frame.h"

enum { HEAD = FRAME_LENGTH_BYTES + FRAME_HEAD_BYTES, SUM_AT = HEAD - 8 };

static uint32_t number(const char *bytes)
{
	const unsigned char *p = (const unsigned char *)bytes;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void repair(struct str *s)
{
	for (size_t off = 0; s->len - off >= HEAD;) {
		size_t length = number(s->p + off);
		if (length < FRAME_HEAD_BYTES || length > s->len - off - FRAME_LENGTH_BYTES)
			return;
		AUTO_STR struct str right = {0};
		frame_append(&right, number(s->p + off + FRAME_LENGTH_BYTES + 1), s->p + off + HEAD,
		             length - FRAME_HEAD_BYTES);
		memcpy(s->p + off + SUM_AT, right.p + SUM_AT, 8);
		off += FRAME_LENGTH_BYTES + length;
	}
}

/* Decode the stream in pieces; returns how many frames came out, *end how it ended. */
static size_t decode(const struct str *s, size_t piece, int *end)
{
	struct frame_decoder d = {0};
	size_t frames = 0, taken = 0;

	*end = 0;
	for (size_t off = 0; off < s->len && *end == 0; off += piece) {
		const void *bytes = s->p + off, *payload;
		size_t n = s->len - off < piece ? s->len - off : piece, payload_n;
		struct err e = {0};
		while ((*end = frame_decode(&d, &bytes, &n, &payload, &payload_n, &e)) == 1) {
			/* A frame that is accepted is the one that we would have written. */
			AUTO_STR struct str same = {0};
			frame_append(&same, (uint32_t)++frames, payload, payload_n);
			assert(taken + same.len <= s->len);
			assert(memcmp(same.p, s->p + taken, same.len) == 0);
			taken += same.len;
			assert(frame_pending(&d) == 0);
		}
		assert(*end == 0 ? n == 0 : e.kind == ERR_PROTO);
		assert(d.frame.cap <= 2 * (FRAME_MAX + FRAME_LENGTH_BYTES));
		assert(d.frame.cap <= 4 * s->len + 64); /* memory follows data, not claims */
	}
	if (*end == 0) {
		assert(frame_pending(&d) == s->len - taken);
	} else {
		AUTO_STR struct str good = {0};
		const void *payload;
		size_t payload_n;
		frame_append(&good, (uint32_t)frames + 1, "x", 1);
		const void *bytes = good.p;
		assert(frame_decode(&d, &bytes, &good.len, &payload, &payload_n, NULL) == -1);
		assert(d.frame.cap == 0);
	}
	frame_decoder_fini(&d);
	return frames;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_STR struct str stream = {0};
	int whole_end, end;

	seal_init();
	if (n == 0)
		return 0;
	str_addn(&stream, data + 1, n - 1);
	if (data[0] & 1)
		repair(&stream);
	size_t whole = decode(&stream, stream.len + 1, &whole_end);
	size_t frames = decode(&stream, 1 + (data[0] >> 1), &end);
	assert(frames == whole && end == whole_end);
	return 0;
}
