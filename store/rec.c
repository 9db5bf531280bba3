/* rec: records to msgpack and back. The door to msgpack-c; nothing else includes msgpack.h. */
#include "rec.h"

#include <msgpack.h>
#include <string.h>

#include "base/mem.h"

static void *at(const struct rec_field *f, void *obj)
{
	return (char *)obj + f->offset;
}

static const void *at_const(const struct rec_field *f, const void *obj)
{
	return (const char *)obj + f->offset;
}

/* ---- encoding ---- */

static int append(void *out, const char *bytes, size_t n)
{
	str_addn(out, bytes, n);
	return 0;
}

static void pack_text(msgpack_packer *pk, const char *text)
{
	size_t n = strlen(text);
	msgpack_pack_str(pk, n);
	msgpack_pack_str_body(pk, text, n);
}

static void pack_field(msgpack_packer *pk, const struct rec_field *f, const void *value)
{
	switch (f->type) {
	case REC_u64:
		msgpack_pack_uint64(pk, *(const uint64_t *)value);
		return;
	case REC_flag:
		if (*(const bool *)value)
			msgpack_pack_true(pk);
		else
			msgpack_pack_false(pk);
		return;
	case REC_str: {
		const char *text = *(char *const *)value;
		if (text)
			pack_text(pk, text);
		else
			msgpack_pack_nil(pk);
		return;
	}
	case REC_list: {
		const struct strv *l = value;
		msgpack_pack_array(pk, l->n);
		for (size_t i = 0; i < l->n; i++)
			pack_text(pk, l->v[i]);
		return;
	}
	}
}

static bool empty(const struct rec_field *f, const void *value)
{
	switch (f->type) {
	case REC_u64:
		return !*(const uint64_t *)value;
	case REC_flag:
		return !*(const bool *)value;
	case REC_str:
		return !*(char *const *)value;
	case REC_list:
		return !((const struct strv *)value)->n;
	}
	return false;
}

void rec_encode(const struct rec *r, const void *obj, struct str *out)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, out, append);
	size_t n = 1;
	for (size_t i = 0; i < r->n; i++)
		n += !r->sparse || !empty(&r->fields[i], at_const(&r->fields[i], obj));
	msgpack_pack_map(&pk, n);
	pack_text(&pk, "v");
	msgpack_pack_uint64(&pk, r->version);
	for (size_t i = 0; i < r->n; i++) {
		if (r->sparse && empty(&r->fields[i], at_const(&r->fields[i], obj)))
			continue;
		pack_text(&pk, r->fields[i].name);
		pack_field(&pk, &r->fields[i], at_const(&r->fields[i], obj));
	}
}

/* ---- decoding ---- */

static bool text_ok(const msgpack_object *o)
{
	/* Our strings are C strings: a NUL inside would silently cut them. */
	return o->type == MSGPACK_OBJECT_STR && !memchr(o->via.str.ptr, 0, o->via.str.size);
}

static bool unpack_field(const struct rec_field *f, void *value, const msgpack_object *o)
{
	switch (f->type) {
	case REC_u64:
		if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
			return false;
		*(uint64_t *)value = o->via.u64;
		return true;
	case REC_flag:
		if (o->type != MSGPACK_OBJECT_BOOLEAN)
			return false;
		*(bool *)value = o->via.boolean;
		return true;
	case REC_str:
		if (o->type == MSGPACK_OBJECT_NIL)
			return true;
		if (!text_ok(o))
			return false;
		*(char **)value = mem_strndup(o->via.str.ptr, o->via.str.size);
		return true;
	case REC_list:
		if (o->type != MSGPACK_OBJECT_ARRAY)
			return false;
		for (size_t i = 0; i < o->via.array.size; i++) {
			const msgpack_object *item = &o->via.array.ptr[i];
			if (!text_ok(item))
				return false;
			strv_give(value, mem_strndup(item->via.str.ptr, item->via.str.size));
		}
		return true;
	}
	return false;
}

static bool key_is(const msgpack_object *key, const char *name)
{
	return key->type == MSGPACK_OBJECT_STR && key->via.str.size == strlen(name) &&
	       memcmp(key->via.str.ptr, name, key->via.str.size) == 0;
}

static int unpack_map(const struct rec *r, void *obj, const msgpack_object_map *map, struct err *e)
{
	bool seen[REC_MAX_FIELDS + 1] = {false}; /* of each field; the last one: version */

	for (size_t k = 0; k < map->size; k++) {
		const msgpack_object *key = &map->ptr[k].key, *value = &map->ptr[k].val;
		size_t i = 0;
		bool version = key_is(key, "v");

		if (key->type != MSGPACK_OBJECT_STR)
			return err_set(e, ERR_PROTO, "%s: a key is not a string", r->name);
		while (!version && i < r->n && !key_is(key, r->fields[i].name))
			i++;
		if (!version && i == r->n)
			continue; /* a key of a newer bosk */
		size_t place = version ? REC_MAX_FIELDS : i;
		if (seen[place])
			return err_set(e, ERR_PROTO, "%s: duplicate key %s", r->name,
			               version ? "v" : r->fields[i].name);
		seen[place] = true;
		if (version) {
			if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
				return err_set(e, ERR_PROTO, "%s: bad format version", r->name);
			if (value->via.u64 > r->version)
				return err_set(e, ERR_DAMAGED,
				               "%s: format version %llu was written by a newer bosk "
				               "(this one knows %u)",
				               r->name, (unsigned long long)value->via.u64, r->version);
		} else if (!unpack_field(&r->fields[i], at(&r->fields[i], obj), value)) {
			return err_set(e, ERR_PROTO, "%s: field %s has the wrong type", r->name,
			               r->fields[i].name);
		}
	}
	if (!seen[REC_MAX_FIELDS])
		return err_set(e, ERR_PROTO, "%s: no format version", r->name);
	return 0;
}

int rec_decode(const struct rec *r, void *obj, const void *bytes, size_t n, struct err *e)
{
	memset(obj, 0, r->size);
	if (rec_scan(bytes, n, e) != 0)
		return err_wrap(e, "%s", r->name);

	msgpack_unpacked u;
	size_t off = 0;
	int rc = -1;
	msgpack_unpacked_init(&u);
	msgpack_unpack_return got = msgpack_unpack_next(&u, bytes, n, &off);
	if (got != MSGPACK_UNPACK_SUCCESS || off != n)
		err_code(e, ERR_PROTO, (int)got, "%s: not one msgpack value", r->name);
	else if (u.data.type != MSGPACK_OBJECT_MAP)
		err_set(e, ERR_PROTO, "%s: not a map", r->name);
	else
		rc = unpack_map(r, obj, &u.data.via.map, e);
	msgpack_unpacked_destroy(&u);
	if (rc != 0)
		rec_fini(r, obj);
	return rc;
}

/* ---- the rest of a record's life ---- */

void rec_fini(const struct rec *r, void *obj)
{
	for (size_t i = 0; i < r->n; i++) {
		void *value = at(&r->fields[i], obj);
		if (r->fields[i].type == REC_str)
			free(*(char **)value);
		else if (r->fields[i].type == REC_list)
			strv_fini(value);
	}
	memset(obj, 0, r->size);
}

void rec_copy(const struct rec *r, void *out, const void *in)
{
	memcpy(out, in, r->size);
	for (size_t i = 0; i < r->n; i++) {
		const struct rec_field *f = &r->fields[i];
		if (f->type == REC_str)
			*(char **)at(f, out) = mem_strdup(*(char *const *)at_const(f, in));
		else if (f->type == REC_list)
			strv_copy(at(f, out), at_const(f, in));
	}
}

bool rec_equal(const struct rec *r, const void *a, const void *b)
{
	AUTO_STR struct str x = {0}, y = {0};

	rec_encode(r, a, &x);
	rec_encode(r, b, &y);
	return x.len == y.len && memcmp(x.p, y.p, x.len) == 0;
}

static void print_text(const char *text, struct str *out)
{
	if (!text) {
		str_add(out, "null");
		return;
	}
	str_addc(out, '"');
	str_add_printable(out, text, strlen(text), false);
	str_addc(out, '"');
}

void rec_print(const struct rec *r, const void *obj, struct str *out)
{
	str_addf(out, "%s{", r->name);
	for (size_t i = 0; i < r->n; i++) {
		const struct rec_field *f = &r->fields[i];
		const void *value = at_const(f, obj);
		str_addf(out, "%s%s=", i ? " " : "", f->name);
		switch (f->type) {
		case REC_u64:
			str_addf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
			break;
		case REC_flag:
			str_add(out, *(const bool *)value ? "true" : "false");
			break;
		case REC_str:
			print_text(*(char *const *)value, out);
			break;
		case REC_list: {
			const struct strv *l = value;
			str_addc(out, '[');
			for (size_t k = 0; k < l->n; k++) {
				str_add(out, k ? " " : "");
				print_text(l->v[k], out);
			}
			str_addc(out, ']');
			break;
		}
		}
	}
	str_addc(out, '}');
}

static char *random_text(uint64_t (*next)(void *), void *ctx)
{
	AUTO_STR struct str s = {0};
	for (uint64_t n = next(ctx) % 40; n; n--)
		str_addc(&s, (char)(1 + next(ctx) % 255));
	return str_take(&s);
}

void rec_random(const struct rec *r, void *obj, uint64_t (*next)(void *), void *ctx)
{
	memset(obj, 0, r->size);
	for (size_t i = 0; i < r->n; i++) {
		const struct rec_field *f = &r->fields[i];
		void *value = at(f, obj);
		switch (f->type) {
		case REC_u64:
			*(uint64_t *)value = next(ctx) >> (next(ctx) % 64);
			break;
		case REC_flag:
			*(bool *)value = next(ctx) & 1;
			break;
		case REC_str:
			*(char **)value = next(ctx) % 8 ? random_text(next, ctx) : NULL;
			break;
		case REC_list:
			for (uint64_t k = next(ctx) % 5; k; k--)
				strv_give(value, random_text(next, ctx));
			break;
		}
	}
}
