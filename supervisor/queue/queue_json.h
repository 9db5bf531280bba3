/* queue_json: pretty JSON (two spaces), written item by item: a queue of 100,000 items is no tree in memory. */
#ifndef BOSK_QUEUE_JSON_H
#define BOSK_QUEUE_JSON_H

#include "queue.h"
#include "store/json.h"

enum { QUEUE_JSON_DEPTH = 8 };

/* Zero-initialise but for `print`, which gets the text in pieces. */
struct queue_out {
	queue_print *print;
	struct str text;
	int depth;
	bool begun[QUEUE_JSON_DEPTH + 1]; /* something was written at this depth */
};

/* `key` NULL in lists and at the top. */
void queue_json_open(struct queue_out *o, const char *key, char bracket);
void queue_json_close(struct queue_out *o, char bracket); /* an empty one is written as [] or {} */
void queue_json_text(struct queue_out *o, const char *key, const char *text); /* NULL = null */
void queue_json_number(struct queue_out *o, const char *key, uint64_t n);
void queue_json_raw(struct queue_out *o, const char *key, const char *json);
void queue_json_list(struct queue_out *o, const char *key, const struct strv *texts);
void queue_json_time(struct queue_out *o, const char *key, uint64_t wall_ms); /* 0 = null */
void queue_json_end(struct queue_out *o); /* a newline, and what is left is printed */

#endif
