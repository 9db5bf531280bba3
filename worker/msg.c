/* msg: messages to payload bytes and back. Everything by kind comes from msg.def. */
#include "msg.h"

#include <assert.h>
#include <string.h>

#include "store/base/mem.h"

/* ---- tables ---- */

/* One function for each message, so that the offsets in its table can be those of `self`.
 * (REC_DEFINE wants the struct's name from a #define, which a list of messages cannot give.) */
#define FIELD_(type, field) {#field, REC_##type, offsetof(self, field)},
#define RECORD_(ID, number, name, FIELDS)                                                         \
	static const struct rec *record_##name(void)                                              \
	{                                                                                         \
		typedef struct msg_##name self;                                                   \
		static const struct rec_field fields[] = {FIELDS(FIELD_)};                        \
		static const struct rec r = {#name, 1, sizeof(self), fields, MEM_COUNT(fields), false}; \
		_Static_assert(MEM_COUNT(fields) < 64, #name " has more fields than rec allows");  \
		return &r;                                                                        \
	}
MSG_LIST(RECORD_)

static const struct entry {
	enum msg_kind kind;
	enum msg_way way;
	const struct rec *(*rec)(void);
} entries[] = {
#define TO_WORKER_(ID, number, name, FIELDS) {MSG_##ID, MSG_WAY_TO_WORKER, record_##name},
#define TO_SUPERVISOR_(ID, number, name, FIELDS) {MSG_##ID, MSG_WAY_TO_SUPERVISOR, record_##name},
	MSG_LIST_TO_WORKER(TO_WORKER_) MSG_LIST_TO_SUPERVISOR(TO_SUPERVISOR_)};

#define WORKER_NUMBER_(ID, number, name, FIELDS)                                                  \
	_Static_assert((number) / 100 == 1, #name " goes to the worker: 1xx");
#define SUPERVISOR_NUMBER_(ID, number, name, FIELDS)                                              \
	_Static_assert((number) / 100 == 2, #name " goes to the supervisor: 2xx");
MSG_LIST_TO_WORKER(WORKER_NUMBER_)
MSG_LIST_TO_SUPERVISOR(SUPERVISOR_NUMBER_)

static const struct entry *find(unsigned kind)
{
	for (size_t i = 0; i < MSG_COUNT; i++)
		if ((unsigned)entries[i].kind == kind)
			return &entries[i];
	return NULL;
}

static const struct entry *known(enum msg_kind kind)
{
	const struct entry *entry = find((unsigned)kind);
	assert(entry);
	return entry;
}

enum msg_kind msg_kind_at(size_t i)
{
	assert(i < MSG_COUNT);
	return entries[i].kind;
}

const struct rec *msg_rec(enum msg_kind kind)
{
	const struct entry *entry = find((unsigned)kind);
	return entry ? entry->rec() : NULL;
}

const char *msg_name(enum msg_kind kind)
{
	const struct rec *r = msg_rec(kind);
	return r ? r->name : "unknown";
}

enum msg_way msg_way(enum msg_kind kind)
{
	return known(kind)->way;
}

/* ---- bytes ---- */

void msg_encode(const struct msg *m, struct str *out)
{
	const struct entry *entry = known(m->kind);

	str_addc(out, (char)(m->kind >> 8));
	str_addc(out, (char)(m->kind & 0xff));
	rec_encode(entry->rec(), &m->u, out);
}

static int decode(struct msg *out, enum msg_way way, const unsigned char *p, size_t n,
                  struct err *e)
{
	if (n < MSG_KIND_BYTES)
		return err_set(e, ERR_PROTO, "%zu bytes are no message", n);
	unsigned kind = (unsigned)p[0] << 8 | p[1];
	const struct entry *entry = find(kind);
	if (!entry)
		return err_set(e, ERR_PROTO, "no message has the number %u", kind);
	if (entry->way != way)
		return err_set(e, ERR_PROTO, "%s is not a message to a %s", entry->rec()->name,
		               way == MSG_WAY_TO_WORKER ? "worker" : "supervisor");
	out->kind = entry->kind;
	return rec_decode(entry->rec(), &out->u, p + MSG_KIND_BYTES, n - MSG_KIND_BYTES, e);
}

int msg_decode(struct msg *out, enum msg_way way, const void *bytes, size_t n, struct err *e)
{
	memset(out, 0, sizeof *out);
	if (decode(out, way, bytes, n, e) == 0)
		return 0;
	/* A format newer than ours is damage in a store, but here only a wrong peer. */
	if (e)
		e->kind = ERR_PROTO;
	memset(out, 0, sizeof *out);
	return -1;
}

/* ---- the rest of a message's life ---- */

void msg_fini(struct msg *m)
{
	if (m->kind)
		rec_fini(known(m->kind)->rec(), &m->u);
	memset(m, 0, sizeof *m);
}

void msg_random(struct msg *out, enum msg_kind kind, uint64_t (*next)(void *), void *ctx)
{
	memset(out, 0, sizeof *out);
	out->kind = kind;
	rec_random(known(kind)->rec(), &out->u, next, ctx);
}

enum { PRINT_TEXT = 60, PRINT_ITEMS = 4 };

static void print_text(const char *text, bool private, struct str *out)
{
	if (!text) {
		str_add(out, "null");
		return;
	}
	size_t n = strlen(text), shown = n;
	const char *cut = "...";
	if (private) {
		shown = strcspn(text, "=");
		cut = "=...";
		if (shown == n)
			shown = 0; /* no key: nothing of it is known to be harmless */
	}
	if (shown > PRINT_TEXT)
		shown = PRINT_TEXT;
	str_addc(out, '"');
	str_add_printable(out, text, shown, false);
	str_add(out, shown < n ? cut : "");
	str_addc(out, '"');
}

static void print_field(const struct rec_field *f, const void *value, struct str *out)
{
	static const char *const private_fields[] = {MSG_PRIVATE_FIELDS};
	bool private = false;

	for (size_t i = 0; i < MEM_COUNT(private_fields); i++)
		private |= str_eq(f->name, private_fields[i]);
	switch (f->type) {
	case REC_u64:
		str_addf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
		return;
	case REC_flag:
		str_add(out, *(const bool *)value ? "true" : "false");
		return;
	case REC_str:
		print_text(*(char *const *)value, private, out);
		return;
	case REC_list: {
		const struct strv *l = value;
		str_addc(out, '[');
		for (size_t i = 0; i < l->n && i < PRINT_ITEMS; i++) {
			str_add(out, i ? " " : "");
			print_text(l->v[i], private, out);
		}
		if (l->n > PRINT_ITEMS)
			str_addf(out, " and %zu more", l->n - PRINT_ITEMS);
		str_addc(out, ']');
		return;
	}
	}
}

void msg_print(const struct msg *m, struct str *out)
{
	const struct rec *r = known(m->kind)->rec();

	str_addf(out, "%s{", r->name);
	for (size_t i = 0; i < r->n; i++) {
		str_addf(out, "%s%s=", i ? " " : "", r->fields[i].name);
		print_field(&r->fields[i], (const char *)&m->u + r->fields[i].offset, out);
	}
	str_addc(out, '}');
}

void msg_clip_text(char *text, size_t max)
{
	if (!text || strnlen(text, max + 1) <= max)
		return;
	/* Step back over the continuation bytes of a character that would be cut; at most three, or
	 * it is not UTF-8 and any place is as good. */
	size_t end = max;
	for (int back = 0; back < 3 && end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80; back++)
		end--;
	if (((unsigned char)text[end] & 0xc0) == 0x80)
		end = max;
	text[end] = '\0';
}
