/* msg: the messages between a supervisor and its workers as C values, made from msg.def, and their
 * bytes: the payload of a frame = the kind as 2 bytes, big-endian, then the record (rec.h).
 * Knows nothing of frames and descriptors: frame.h and chan.h carry the payload. */
#ifndef BOSK_MSG_H
#define BOSK_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msg.def"
#include "store/rec.h"

#define MSG_LIST(MSG) MSG_LIST_TO_WORKER(MSG) MSG_LIST_TO_SUPERVISOR(MSG)

/* struct msg_init, struct msg_gate, ... */
#define MSG_STRUCT_(ID, number, name, FIELDS)                                                     \
	struct msg_##name {                                                                       \
		FIELDS(REC_MEMBER_)                                                               \
	};
MSG_LIST(MSG_STRUCT_)

/* MSG_INIT = 101, ...; 0 is no message. */
#define MSG_ENUM_(ID, number, name, FIELDS) MSG_##ID = (number),
enum msg_kind { MSG_LIST(MSG_ENUM_) };

#define MSG_ONE_(ID, number, name, FIELDS) +1
enum { MSG_COUNT = 0 MSG_LIST(MSG_ONE_) };

/* Who may send it. */
enum msg_way { MSG_WAY_TO_WORKER = 1, MSG_WAY_TO_SUPERVISOR = 2 };

#define MSG_UNION_(ID, number, name, FIELDS) struct msg_##name name;
struct msg {
	enum msg_kind kind;
	union {
		MSG_LIST(MSG_UNION_)
	} u; /* u.init when kind is MSG_INIT, and so on; members own their texts and lists */
};

/* Room a kind number takes in front of the record. */
enum { MSG_KIND_BYTES = 2 };

enum msg_kind msg_kind_at(size_t i);        /* i < MSG_COUNT: all kinds, in the order of msg.def */
const char *msg_name(enum msg_kind kind);   /* "gate_result"; "unknown" for anything else */
enum msg_way msg_way(enum msg_kind kind);   /* the kind must be one of msg.def */
const struct rec *msg_rec(enum msg_kind kind); /* the table of its fields; NULL when unknown */

/* Appends the payload. The kind must be one of msg.def. */
void msg_encode(const struct msg *m, struct str *out);

/* *out is overwritten; the caller releases it with msg_fini. ERR_PROTO for everything that is not a
 * message that may go this way, whole and exactly n bytes; *out is zero then. */
int msg_decode(struct msg *out, enum msg_way way, const void *bytes, size_t n, struct err *e);

void msg_fini(struct msg *m); /* frees the members, zeroes; a zero message is allowed */

/* One line for a trace: "task{id="greet" ...}", control characters escaped, long texts and lists
 * cut, values of private lists left out. */
void msg_print(const struct msg *m, struct str *out);

/* A random message of this kind, for tests; see rec_random. Release with msg_fini. */
void msg_random(struct msg *out, enum msg_kind kind, uint64_t (*next)(void *), void *ctx);

/* Cut the text to at most `max` bytes, between characters where it is UTF-8. NULL allowed. */
void msg_clip_text(char *text, size_t max);

#endif
