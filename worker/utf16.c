/* utf16: from two bytes to UTF-8. */
#include "utf16.h"

enum { LOOK = 256, LEAST = 8, NO_CHARACTER = 0xfffd };

/* Of ASCII, which names of settings and values are: one byte of each pair is 0, the other is not. */
static bool alternates(const unsigned char *p, size_t n, size_t zero)
{
	size_t end = n < LOOK ? n : LOOK;

	for (size_t i = 0; i + 1 < end; i += 2)
		if (p[i + zero] || !p[i + 1 - zero])
			return false;
	return n >= LEAST;
}

static void add(struct str *out, uint32_t c)
{
	char text[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1)
		text[0] = (char)c;
	for (size_t i = n; n > 1 && i-- > 0; c >>= 6)
		text[i] = (char)(i ? 0x80 | (c & 0x3f) : (0xf00 >> n & 0xff) | c);
	str_addn(out, text, n);
}

bool utf16_read(const char *bytes, size_t n, struct str *out)
{
	const unsigned char *p = (const unsigned char *)bytes;
	bool big_mark = n >= 2 && p[0] == 0xfe && p[1] == 0xff;
	bool mark = big_mark || (n >= 2 && p[0] == 0xff && p[1] == 0xfe && !(n >= 4 && !p[2] && !p[3])); /* that is UTF-32 */
	bool big = big_mark || (!mark && alternates(p, n, 0));
	uint32_t high = 0;

	if (!mark && !big && !alternates(p, n, 1))
		return false;
	for (size_t i = mark ? 2 : 0; i + 1 < n; i += 2) {
		uint32_t c = big ? (uint32_t)p[i] << 8 | p[i + 1] : (uint32_t)p[i + 1] << 8 | p[i];
		bool low = (c & 0xfc00) == 0xdc00;
		if (high && !low)
			add(out, NO_CHARACTER);
		if ((c & 0xfc00) == 0xd800) {
			high = c;
			continue;
		}
		add(out, high && low ? 0x10000 + ((high & 0x3ff) << 10) + (c & 0x3ff) : low ? NO_CHARACTER : c);
		high = 0;
	}
	if (high || n % 2)
		add(out, NO_CHARACTER);
	return true;
}
