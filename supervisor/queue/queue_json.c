/* queue_json: pretty JSON, written as it comes. */
#include "queue_json.h"

#include "store/base/clock.h"

enum { PIECE = 1 << 16 };

static void begin(struct queue_out *o, const char *key)
{
	if (o->depth) {
		str_add(&o->text, o->begun[o->depth] ? ",\n" : "\n");
		str_addf(&o->text, "%*s", 2 * o->depth, "");
	}
	o->begun[o->depth] = true;
	if (key) {
		json_quote(&o->text, key);
		str_add(&o->text, ": ");
	}
}

static void flush(struct queue_out *o, size_t least)
{
	if (o->text.len < least || !o->text.len)
		return;
	o->print(&o->text);
	str_clear(&o->text);
}

void queue_json_open(struct queue_out *o, const char *key, char bracket)
{
	begin(o, key);
	str_addc(&o->text, bracket);
	o->begun[++o->depth] = false;
}

void queue_json_close(struct queue_out *o, char bracket)
{
	bool begun = o->begun[o->depth--];

	if (begun)
		str_addf(&o->text, "\n%*s", 2 * o->depth, "");
	str_addc(&o->text, bracket);
	flush(o, PIECE);
}

void queue_json_text(struct queue_out *o, const char *key, const char *text)
{
	begin(o, key);
	json_quote(&o->text, text);
}

void queue_json_number(struct queue_out *o, const char *key, uint64_t n)
{
	begin(o, key);
	str_addf(&o->text, "%llu", (unsigned long long)n);
}

void queue_json_raw(struct queue_out *o, const char *key, const char *json)
{
	begin(o, key);
	str_add(&o->text, json);
}

void queue_json_list(struct queue_out *o, const char *key, const struct strv *texts)
{
	queue_json_open(o, key, '[');
	for (size_t i = 0; i < texts->n; i++)
		queue_json_text(o, NULL, texts->v[i]);
	queue_json_close(o, ']');
}

void queue_json_time(struct queue_out *o, const char *key, uint64_t wall_ms)
{
	AUTO_STR struct str iso = {0};

	if (wall_ms)
		clock_add_iso(&iso, wall_ms);
	queue_json_text(o, key, iso.p);
}

void queue_json_end(struct queue_out *o)
{
	str_addc(&o->text, '\n');
	flush(o, 0);
	str_fini(&o->text);
}
