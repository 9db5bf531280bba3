/* leak_value: is a value a real secret, or an example, a placeholder, a name, a path, a look-up? In doubt a token of a
 * known shape is real; a password in doubt is not, because code is full of words beside the word "password". */
#include "leak.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

enum { PASSWORD_MIN = 6, KEY_MIN = 12, Q = 256 };

struct counts {
	size_t lower, upper, digit, other;
	size_t distinct, letter_digit; /* changes between a letter and a digit */
	size_t repeated;               /* most of one byte */
	unsigned bits;                 /* of entropy for each byte, in 1/256 */
};

/* Q * log2(x). Squaring doubles the logarithm: one bit of it at a time. */
static unsigned log2_q(size_t x)
{
	unsigned whole = 0, part = 0;
	size_t v = x;

	while (v > 1) {
		v >>= 1;
		whole++;
	}
	uint64_t m = ((uint64_t)x << 16) >> whole; /* 1 <= m / 65536 < 2 */
	for (int bit = 0; bit < 8; bit++) {
		m = m * m >> 16;
		part <<= 1;
		if (m >= 2 << 16) {
			m >>= 1;
			part |= 1;
		}
	}
	return whole * Q + part;
}

static void count(struct counts *c, const char *p, size_t n)
{
	size_t times[256] = {0};
	uint64_t sum = 0;
	int before = 0; /* 1 = a letter, 2 = a digit */

	*c = (struct counts){0};
	for (size_t i = 0; i < n; i++) {
		unsigned char b = (unsigned char)p[i];
		int kind = isdigit(b) ? 2 : isalpha(b) ? 1 : 0;
		times[b]++;
		*(isdigit(b) ? &c->digit : islower(b) ? &c->lower : isupper(b) ? &c->upper : &c->other) += 1;
		c->letter_digit += kind && before && kind != before;
		before = kind;
	}
	for (size_t b = 0; b < 256; b++) {
		c->distinct += times[b] > 0;
		if (times[b] > c->repeated)
			c->repeated = times[b];
		if (times[b] > 1)
			sum += times[b] * (uint64_t)log2_q(times[b]);
	}
	c->bits = n > 1 ? log2_q(n) - (unsigned)(sum / n) : 0;
}

static bool has(const char *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= n; i++)
		if (strncasecmp(p + i, word, len) == 0)
			return true;
	return false;
}

static bool has_any(const char *p, size_t n, const char *const *words, size_t n_words)
{
	for (size_t i = 0; i < n_words; i++)
		if (has(p, n, words[i]))
			return true;
	return false;
}
#define HAS_ANY(p, n, words) has_any(p, n, words, MEM_COUNT(words))

/* Runs that nobody's generator makes: xxxx, ****, 12345678, abcdefgh. */
static bool has_row(const char *p, size_t n)
{
	size_t same = 1, up = 1;

	for (size_t i = 1; i < n; i++) {
		same = p[i] == p[i - 1] ? same + 1 : 1;
		up = p[i] == p[i - 1] + 1 && isalnum((unsigned char)p[i]) ? up + 1 : 1;
		if (same >= 5 || up >= 7)
			return true;
	}
	return false;
}

/* "a1b2c3d4", "deadbeef": what people type for an example; the second half repeats the first. */
static bool doubled(const char *p, size_t n)
{
	return n >= 8 && n % 2 == 0 && memcmp(p, p + n / 2, n / 2) == 0;
}

static bool example_of_token(const char *p, size_t n)
{
	/* The last one is the payload of the token that every text about JWT shows. */
	static const char *const words[] = {"example", "placeholder", "xxxx", "redacted", "your-", "your_", "yourtoken",
	                                    "changeme", "insert", "dummy", "notreal", "deadbeef", "a1b2c3d4", "...",
	                                    "eyJzdWIiOiIxMjM0NTY3ODkwIi"};
	return HAS_ANY(p, n, words) || has_row(p, n);
}

/* ---- passwords and keys ---- */

static bool looked_up(const char *p, size_t n)
{
	static const char *const inside[] = {"${", "#{", "{{", "}}", "<%", "%(", "$(", "process.env", "os.environ", "getenv",
	                                     "ENV[", "secrets.", "vault:", "://", "->", "::", "()", "@@", "{0}"};
	static const char *const first[] = {"env:", "env.", "op://", "ref+", "arn:", "file:", "ssm:", "keyring:", "sops:", "ENC[",
	                                    "config.", "settings.", "self.", "this.", "args.", "opts.", "options.", "data:"};

	if (HAS_ANY(p, n, inside) || memchr("<{[(%", p[0], 5))
		return true;
	if (p[0] == '$' && n > 1 && (isalpha((unsigned char)p[1]) || strchr("_0123456789", p[1])))
		return true; /* a variable, or a hash: $2b$... */
	for (size_t i = 0; i < MEM_COUNT(first); i++)
		if (n >= strlen(first[i]) && strncasecmp(p, first[i], strlen(first[i])) == 0)
			return true;
	return false;
}

static bool path_like(const char *p, size_t n)
{
	bool rooted = p[0] == '/' || (n > 1 && p[0] == '.' && (p[1] == '/' || p[1] == '.')) || (n > 1 && p[0] == '~' && p[1] == '/') ||
	              (n > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/'));
	return rooted && !memchr(p, '+', n) && !memchr(p, '=', n);
}

static bool example_word(const char *p, size_t n)
{
	static const char *const words[] = {
		"example", "sample", "placeholder", "changeme", "change-me", "change_me", "change-this", "changethis", "replace", "your",
		"dummy", "fake", "redacted", "todo", "insert", "notreal", "not-real", "not-a-", "invalid", "mock", "default", "passw",
		"passwd", "secret", "xxx", "***", "...", "undefined", "hidden", "masked", "removed", "test", "foobar", "foo-", "foo_",
		"string", "lorem", "username", "not_set", "my-", "my_", "some-", "some_", "token", "apikey", "api_key", "api-key",
		"enter-", "enter_", "fill", "deadbeef", "qwerty", "asdf", "abc123", "a1b2c3", "123abc", "1q2w3e",
	};
	return HAS_ANY(p, n, words);
}

/* Between capital and small letters it changes more often than at the beginnings of words. */
static bool mixed(const char *p, size_t n)
{
	size_t letters = 0, changes = 0;

	for (size_t i = 0; i < n; i++) {
		letters += isalpha((unsigned char)p[i]) != 0;
		changes += i && isalpha((unsigned char)p[i]) && isalpha((unsigned char)p[i - 1]) &&
		           !isupper((unsigned char)p[i]) != !isupper((unsigned char)p[i - 1]);
	}
	return changes * 4 > letters + 4;
}

/* No word has so many consonants in a row. */
static bool unspeakable(const char *p, size_t n)
{
	size_t row = 0;

	for (size_t i = 0; i < n; i++) {
		int c = tolower((unsigned char)p[i]);
		row = isalpha(c) && !strchr("aeiouy", c) ? row + 1 : 0;
		if (row >= 5)
			return true;
	}
	return false;
}

/* Words joined by something, each with at most two digits at its end: "us-east-1", "oauth2.client.id", "SHA_256". */
static bool worded(const char *p, size_t n, const char *joints, size_t least)
{
	size_t pieces = 0;

	for (size_t i = 0; i < n; pieces++) {
		size_t letters = 0, digits = 0, at = i;
		while (at < n && isalpha((unsigned char)p[at]))
			at++, letters++;
		while (at < n && isdigit((unsigned char)p[at]))
			at++, digits++;
		if (at < n && !strchr(joints, p[at]))
			return false;
		if ((letters ? digits > 2 : digits > 4) || mixed(p + i, at - i))
			return false;
		i = at + 1;
	}
	return pieces >= least;
}

/* A time, a version, an address. */
static bool number_like(const struct counts *c, const char *p, size_t n)
{
	static const char set[] = "0123456789-:.+/TZv";
	size_t i = 0;

	while (i < n && memchr(set, p[i], sizeof set - 1))
		i++;
	return i == n && c->digit * 2 >= n;
}

static bool random_like(const struct counts *c, const char *p, size_t n)
{
	if (c->digit >= 2 && c->letter_digit >= (n < 24 ? 2 : 3))
		return true;
	return c->upper >= 3 && c->lower >= 3 && n >= 20 && c->digit && mixed(p, n) && unspeakable(p, n);
}

static bool password_real(const struct counts *c, const char *p, size_t n)
{
	if (n < PASSWORD_MIN || !(c->lower + c->upper) || c->bits < 2 * Q || memchr(p, ' ', n))
		return false;
	/* A word alone, also one with a capital: the label of a field, in any language. */
	if (!c->digit && (!c->other || worded(p, n, "-_.:/,", 1)))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] >= 0x80 || iscntrl((unsigned char)p[i]))
			return false; /* a text in some language */
	if (!c->digit && (p[n - 1] == ':' || p[n - 1] == '.' || p[n - 1] == '?' || p[n - 1] == '!' || p[n - 1] == ','))
		return c->lower && c->upper && c->other > 1;
	return !worded(p, n, "-_.:/", 2) && !number_like(c, p, n);
}

static bool key_real(const struct counts *c, const char *p, size_t n)
{
	size_t letters = c->lower + c->upper;

	if (n < KEY_MIN || memchr(p, ' ', n) || c->bits < (n < 16 ? 11 * Q / 4 : 3 * Q))
		return false;
	if (letters < 4 || !random_like(c, p, n))
		return false;
	return !worded(p, n, "-_.:/+@", 1) && !number_like(c, p, n);
}

bool leak_value_real(enum leak_kind kind, const char *p, size_t n)
{
	struct counts c;

	if (kind == LEAK_ALWAYS)
		return true;
	if (!n)
		return false;
	count(&c, p, n);
	if (kind == LEAK_SHAPE)
		return c.bits >= 5 * Q / 2 && !example_of_token(p, n);
	if (looked_up(p, n) || path_like(p, n) || has_row(p, n) || doubled(p, n))
		return false;
	/* In a long random text any word of four letters comes up once in a while. */
	if (n < 40 ? example_word(p, n) : example_of_token(p, n))
		return false;
	return kind == LEAK_PASSWORD ? password_real(&c, p, n) : key_real(&c, p, n);
}
