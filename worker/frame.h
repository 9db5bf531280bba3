/* frame: payloads on a byte stream between two processes that do not trust each other.
 *
 *   length     4 bytes, big-endian: of everything after it, at most FRAME_MAX
 *   version    1 byte
 *   sequence   4 bytes, big-endian: 1 for the first frame of a direction, then + 1 (wraps)
 *   checksum   8 bytes, big-endian: seal_sum64 of version and sequence, then of the payload
 *   payload
 *
 * Pure functions on memory: no descriptors (chan.h has them), no knowledge of messages. Needs
 * seal_init before. The checksum finds damage and mix-ups, it does not authenticate: the bytes
 * inside are foreign all the same. */
#ifndef BOSK_FRAME_H
#define BOSK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"

enum {
	FRAME_VERSION = 1,
	FRAME_MAX = 1 << 20,      /* what the length may say */
	FRAME_LENGTH_BYTES = 4,
	FRAME_HEAD_BYTES = 1 + 4 + 8, /* version, sequence, checksum: counted by the length */
	FRAME_PAYLOAD_MAX = FRAME_MAX - FRAME_HEAD_BYTES
};

/* Appends one frame. n <= FRAME_PAYLOAD_MAX, asserted: the caller checks what it was given. */
void frame_append(struct str *out, uint32_t sequence, const void *payload, size_t n);

/* Takes a stream apart. Zero-initialise; release with frame_decoder_fini. Holds one frame at most,
 * however much is fed and whatever the bytes claim. */
struct frame_decoder {
	struct str frame;  /* the bytes of the frame in work */
	uint32_t sequence; /* of the last whole frame */
	bool whole;        /* `frame` was given out and goes at the next call */
	bool broken;
	struct err why; /* once broken */
};
void frame_decoder_fini(struct frame_decoder *d);

/* Reads on at *bytes, *n left, and moves both past what it took. Returns 1 with one payload, valid
 * until the next call; 0 when all bytes are taken and the frame in work is not whole; -1 and
 * ERR_PROTO for a wrong length, version, sequence or checksum. After -1 every later call is -1:
 * there is no way to find the next frame in a stream that lied. */
int frame_decode(struct frame_decoder *d, const void **bytes, size_t *n, const void **payload,
                 size_t *payload_n, struct err *e);

/* Bytes of an unfinished frame: not 0 at the end of a stream = it was cut off. */
size_t frame_pending(const struct frame_decoder *d);

#endif
