/* scan: checks foreign msgpack before the library may allocate for it.
 *
 * msgpack-c reserves memory by the counts a header claims: 155 bytes can ask for 66 GB
 * (pitfalls 9.2). This walk touches headers only, with a fixed stack. */
#include "rec.h"

#include <string.h>

struct cursor {
	const unsigned char *p;
	size_t n, off;
	size_t elements;
};

/* Big-endian number of `width` bytes at the cursor; false when it is cut off. */
static bool number(struct cursor *c, unsigned width, uint64_t *out)
{
	if (c->n - c->off < width)
		return false;
	*out = 0;
	for (unsigned i = 0; i < width; i++)
		*out = *out << 8 | c->p[c->off++];
	return true;
}

static bool skip(struct cursor *c, uint64_t bytes)
{
	if (bytes > c->n - c->off)
		return false;
	c->off += bytes;
	return true;
}

/* One header at the cursor: its payload is skipped, *children says how many values follow. */
static bool header(struct cursor *c, uint64_t *children)
{
	uint64_t len = 0;
	if (c->off == c->n)
		return false;
	unsigned char b = c->p[c->off++];

	*children = 0;
	if (b <= 0x7f || b >= 0xe0) /* small integers */
		return true;
	if (b <= 0x8f) {
		*children = 2u * (b & 0x0f);
		return true;
	}
	if (b <= 0x9f) {
		*children = b & 0x0f;
		return true;
	}
	if (b <= 0xbf)
		return skip(c, b & 0x1f);
	switch (b) {
	case 0xc0: /* nil, false, true */
	case 0xc2:
	case 0xc3:
		return true;
	case 0xc4: /* bin, str: 8, 16, 32 */
	case 0xd9:
		return number(c, 1, &len) && skip(c, len);
	case 0xc5:
	case 0xda:
		return number(c, 2, &len) && skip(c, len);
	case 0xc6:
	case 0xdb:
		return number(c, 4, &len) && skip(c, len);
	case 0xc7: /* ext: 8, 16, 32, each with a type byte */
		return number(c, 1, &len) && skip(c, len + 1);
	case 0xc8:
		return number(c, 2, &len) && skip(c, len + 1);
	case 0xc9:
		return number(c, 4, &len) && skip(c, len + 1);
	case 0xca: /* numbers by width */
	case 0xce:
	case 0xd2:
		return skip(c, 4);
	case 0xcb:
	case 0xcf:
	case 0xd3:
		return skip(c, 8);
	case 0xcc:
	case 0xd0:
		return skip(c, 1);
	case 0xcd:
	case 0xd1:
		return skip(c, 2);
	case 0xd4: /* fixext 1, 2, 4, 8, 16 */
	case 0xd5:
	case 0xd6:
	case 0xd7:
	case 0xd8:
		return skip(c, 1 + (UINT64_C(1) << (b - 0xd4)));
	case 0xdc:
		return number(c, 2, children);
	case 0xdd:
		return number(c, 4, children);
	case 0xde:
	case 0xdf:
		if (!number(c, b == 0xde ? 2 : 4, children))
			return false;
		*children *= 2;
		return true;
	default: /* 0xc1 is never used */
		return false;
	}
}

int rec_scan(const void *bytes, size_t n, struct err *e)
{
	struct cursor c = {.p = bytes, .n = n};
	uint64_t left[REC_MAX_DEPTH + 1] = {1}; /* values still to come at each depth */
	int depth = 0;

	for (;;) {
		while (depth >= 0 && left[depth] == 0)
			depth--;
		if (depth < 0)
			break;
		left[depth]--;
		uint64_t children;
		if (!header(&c, &children))
			return err_set(e, ERR_PROTO, "cut off or invalid at byte %zu of %zu", c.off, n);
		if (children > n - c.off)
			return err_set(e, ERR_PROTO, "claims %llu values in %zu bytes",
			               (unsigned long long)children, n - c.off);
		/* What is still to come counts already: refused before it is walked. */
		if (++c.elements + children > REC_MAX_ELEMENTS)
			return err_set(e, ERR_PROTO, "more than %d values", REC_MAX_ELEMENTS);
		if (children) {
			if (++depth > REC_MAX_DEPTH)
				return err_set(e, ERR_PROTO, "nested deeper than %d", REC_MAX_DEPTH);
			left[depth] = children;
		}
	}
	if (c.off != n)
		return err_set(e, ERR_PROTO, "%zu bytes after the value", n - c.off);
	return 0;
}

/* A whole value at the cursor. */
static bool skip_value(struct cursor *c)
{
	for (uint64_t left = 1; left > 0; left--) {
		uint64_t children;
		if (!header(c, &children) || children > c->n - c->off)
			return false;
		left += children;
	}
	return true;
}

/* The text at the cursor, which moves behind it; NULL for other values, which it skips too. */
static const char *text_value(struct cursor *c, size_t *len)
{
	unsigned char b = c->off < c->n ? c->p[c->off] : 0;
	size_t head = (b & 0xe0) == 0xa0 ? 1 : b == 0xd9 ? 2 : b == 0xda ? 3 : b == 0xdb ? 5 : 0;
	const char *text = (const char *)c->p + c->off + head;

	if (!skip_value(c) || !head)
		return NULL;
	*len = (size_t)((const char *)c->p + c->off - text);
	return text;
}

const char *scan_text(const void *bytes, size_t n, const char *field, size_t *len)
{
	struct cursor c = {.p = bytes, .n = n};
	uint64_t left;
	unsigned char b = n ? c.p[0] : 0;

	if ((b & 0xf0) != 0x80 && b != 0xde && b != 0xdf)
		return NULL;
	if (!header(&c, &left))
		return NULL;
	for (; left >= 2; left -= 2) {
		size_t key_len = 0;
		const char *key = text_value(&c, &key_len);
		if (!key)
			return NULL;
		if (key_len == strlen(field) && memcmp(key, field, key_len) == 0)
			return text_value(&c, len);
		if (!skip_value(&c))
			return NULL;
	}
	return NULL;
}

/* ---- as JSON ---- */

/* As "%llu": rows have several each. */
static void put_digits(struct str *out, uint64_t n)
{
	char digits[24], *p = digits + sizeof digits;

	do {
		*--p = (char)('0' + n % 10);
	} while (n /= 10);
	str_addn(out, p, (size_t)(digits + sizeof digits - p));
}

/* The value at the cursor, which moves behind it. What records do not have (floats, binaries, numbers below zero) is null. */
static bool put_value(struct cursor *c, scan_quote *quote, struct str *out, int depth)
{
	unsigned char b = c->off < c->n ? c->p[c->off] : 0;
	struct cursor head = *c;
	uint64_t children, number_ = 0;
	size_t len = 0;

	if (depth <= REC_MAX_DEPTH && ((b & 0xe0) == 0xa0 || (b >= 0xd9 && b <= 0xdb))) { /* nearly all are texts */
		const char *text = text_value(c, &len);
		if (text)
			quote(out, text, len);
		return text != NULL;
	}
	if (!header(&head, &children) || children > head.n - head.off || depth > REC_MAX_DEPTH)
		return false;
	bool list = (b & 0xf0) == 0x90 || b == 0xdc || b == 0xdd, map = (b & 0xf0) == 0x80 || b == 0xde || b == 0xdf;
	if (list || map) {
		*c = head;
		str_addc(out, list ? '[' : '{');
		for (uint64_t i = 0; i < children; i++) {
			if (i)
				str_addc(out, map && i % 2 ? ':' : ',');
			if (!put_value(c, quote, out, depth + 1))
				return false;
		}
		str_addc(out, list ? ']' : '}');
		return true;
	}
	c->off = head.off;
	head.off = head.off - (b == 0xcc ? 1 : b == 0xcd ? 2 : b == 0xce ? 4 : b == 0xcf ? 8 : 0);
	if (b <= 0x7f)
		number_ = b;
	else if (b >= 0xcc && b <= 0xcf)
		number(&head, 1u << (b - 0xcc), &number_);
	if (b <= 0x7f || (b >= 0xcc && b <= 0xcf))
		put_digits(out, number_);
	else
		str_add(out, b == 0xc3 ? "true" : b == 0xc2 ? "false" : "null");
	return true;
}

bool scan_json(const void *bytes, size_t n, scan_quote *quote, struct str *out)
{
	struct cursor c = {.p = bytes, .n = n};
	size_t from = out->len;

	if (put_value(&c, quote, out, 0) && c.off == n)
		return true;
	out->len = from;
	return false;
}
