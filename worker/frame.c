/* frame: building frames and taking streams of them apart. */
#include "frame.h"

#include <assert.h>
#include <string.h>

#include "store/seal.h"

/* Where things are in a frame, its length included. */
enum {
	AT_VERSION = FRAME_LENGTH_BYTES,
	AT_SEQUENCE = AT_VERSION + 1,
	AT_SUM = AT_SEQUENCE + 4,
	AT_PAYLOAD = AT_SUM + 8,
	/* Memory kept between frames: most frames are far smaller than the largest. */
	KEEP_CAPACITY = 64 << 10
};
_Static_assert(AT_PAYLOAD == FRAME_LENGTH_BYTES + FRAME_HEAD_BYTES, "the head as frame.h says");

static void put(unsigned char *p, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		p[i] = (unsigned char)(value >> 8 * (width - 1 - i));
}

static uint64_t get(const void *bytes, size_t at, unsigned width)
{
	const unsigned char *p = (const unsigned char *)bytes + at;
	uint64_t value = 0;
	for (unsigned i = 0; i < width; i++)
		value = value << 8 | p[i];
	return value;
}

/* `head` begins with the version. */
static uint64_t sum(const void *head, const void *payload, size_t n)
{
	return seal_sum64(payload, n, seal_sum64(head, AT_SUM - AT_VERSION, 0));
}

void frame_append(struct str *out, uint32_t sequence, const void *payload, size_t n)
{
	unsigned char head[AT_PAYLOAD];

	assert(n <= FRAME_PAYLOAD_MAX);
	put(head, FRAME_HEAD_BYTES + n, FRAME_LENGTH_BYTES);
	head[AT_VERSION] = FRAME_VERSION;
	put(head + AT_SEQUENCE, sequence, 4);
	put(head + AT_SUM, sum(head + AT_VERSION, payload, n), 8);
	str_addn(out, head, sizeof head);
	str_addn(out, payload, n);
}

void frame_decoder_fini(struct frame_decoder *d)
{
	str_fini(&d->frame);
	memset(d, 0, sizeof *d);
}

size_t frame_pending(const struct frame_decoder *d)
{
	return d->whole ? 0 : d->frame.len;
}

/* Move bytes into the frame until it has `want`; false when they do not suffice. */
static bool fill(struct frame_decoder *d, size_t want, const void **bytes, size_t *n)
{
	size_t missing = want > d->frame.len ? want - d->frame.len : 0;
	size_t take = missing < *n ? missing : *n;

	if (take) {
		str_addn(&d->frame, *bytes, take);
		*bytes = (const char *)*bytes + take;
		*n -= take;
	}
	return take == missing;
}

/* As frame_decode; each claim of the head is checked as soon as it is here, so that a stream that
 * is not ours is refused at once and not after a megabyte of waiting. */
static int decode(struct frame_decoder *d, const void **bytes, size_t *n, struct err *e)
{
	if (!fill(d, AT_VERSION, bytes, n))
		return 0;
	uint64_t length = get(d->frame.p, 0, FRAME_LENGTH_BYTES);
	if (length < FRAME_HEAD_BYTES || length > FRAME_MAX)
		return err_set(e, ERR_PROTO, "a frame of %llu bytes", (unsigned long long)length);

	if (!fill(d, AT_SEQUENCE, bytes, n))
		return 0;
	unsigned version = (unsigned char)d->frame.p[AT_VERSION];
	if (version != FRAME_VERSION)
		return err_set(e, ERR_PROTO, "frame version %u, not %d", version, FRAME_VERSION);

	if (!fill(d, AT_SUM, bytes, n))
		return 0;
	uint32_t sequence = (uint32_t)get(d->frame.p, AT_SEQUENCE, 4), next = d->sequence + 1;
	if (sequence != next)
		return err_set(e, ERR_PROTO, "frame %lu where %lu was due", (unsigned long)sequence,
		               (unsigned long)next);

	if (!fill(d, AT_VERSION + length, bytes, n))
		return 0;
	if (get(d->frame.p, AT_SUM, 8) !=
	    sum(d->frame.p + AT_VERSION, d->frame.p + AT_PAYLOAD, length - FRAME_HEAD_BYTES))
		return err_set(e, ERR_PROTO, "wrong checksum in frame %lu",
		               (unsigned long)sequence);
	d->sequence = sequence;
	return 1;
}

int frame_decode(struct frame_decoder *d, const void **bytes, size_t *n, const void **payload,
                 size_t *payload_n, struct err *e)
{
	if (d->whole) {
		d->whole = false;
		str_clear(&d->frame);
		if (d->frame.cap > KEEP_CAPACITY)
			str_fini(&d->frame);
	}
	if (!d->broken) {
		int rc = decode(d, bytes, n, &d->why);
		if (rc == 1) {
			d->whole = true;
			*payload = d->frame.p + AT_PAYLOAD;
			*payload_n = d->frame.len - AT_PAYLOAD;
		}
		if (rc >= 0)
			return rc;
		d->broken = true;
		str_fini(&d->frame);
	}
	if (e)
		*e = d->why;
	return -1;
}
