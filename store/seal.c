/* seal: session ids and hashes. The door to libsodium; nothing else includes sodium.h. */
#include "seal.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { HASH_BYTES = 32, SUM_BYTES = 16 };
_Static_assert(SEAL_HEX == 2 * HASH_BYTES + 1, "hex of the hash and its NUL");

void seal_init(void)
{
	if (sodium_init() < 0)
		abort();
}

void seal_uuid(char out[SEAL_UUID])
{
	unsigned char b[16];
	char *p = out;

	randombytes_buf(b, sizeof b);
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof b; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += snprintf(p, 3, "%02x", b[i]);
	}
}

void seal_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

void seal_sid(char out[SEAL_SID])
{
	unsigned char bytes[(SEAL_SID - 1) / 2];
	seal_random(bytes, sizeof bytes);
	sodium_bin2hex(out, SEAL_SID, bytes, sizeof bytes);
}

/* ---- hashing ---- */

static void begin(crypto_generichash_state *h)
{
	crypto_generichash_init(h, NULL, 0, HASH_BYTES);
}

static void end(crypto_generichash_state *h, char out[SEAL_HEX])
{
	unsigned char hash[HASH_BYTES];
	crypto_generichash_final(h, hash, sizeof hash);
	sodium_bin2hex(out, SEAL_HEX, hash, sizeof hash);
}

/* Little-endian on every machine: what is hashed is part of the stored format. */
static void little(unsigned char out[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(v >> 8 * i);
}

/* A piece carries its length, so that no two lists of pieces hash the same bytes. */
static void piece(crypto_generichash_state *h, const void *bytes, size_t n)
{
	unsigned char length[8];
	little(length, n);
	crypto_generichash_update(h, length, sizeof length);
	crypto_generichash_update(h, bytes, n);
}

static void piece_text(crypto_generichash_state *h, const char *text)
{
	piece(h, text, strlen(text));
}

void seal_hash(char out[SEAL_HEX], const void *bytes, size_t n)
{
	crypto_generichash_state h;
	begin(&h);
	crypto_generichash_update(&h, bytes, n);
	end(&h, out);
}

struct seal_parts {
	crypto_generichash_state state;
};

struct seal_parts *seal_parts_new(void)
{
	struct seal_parts *s = aligned_alloc(_Alignof(struct seal_parts), sizeof *s);

	if (!s)
		mem_none();
	begin(&s->state);
	return s;
}

void seal_parts_add(struct seal_parts *s, const void *bytes, size_t n)
{
	crypto_generichash_update(&s->state, bytes, n);
}

void seal_parts_end(char out[SEAL_HEX], struct seal_parts *s)
{
	end(&s->state, out);
	free(s);
}

void seal_hash_pieces(char out[SEAL_HEX], const char *const *pieces, size_t n)
{
	crypto_generichash_state h;
	begin(&h);
	for (size_t i = 0; i < n; i++)
		piece_text(&h, pieces[i]);
	end(&h, out);
}

uint64_t seal_sum64(const void *bytes, size_t n, uint64_t seed)
{
	crypto_generichash_state h;
	unsigned char start[8], sum[SUM_BYTES];
	uint64_t v = 0;

	little(start, seed);
	crypto_generichash_init(&h, NULL, 0, sizeof sum);
	crypto_generichash_update(&h, start, sizeof start);
	crypto_generichash_update(&h, bytes, n);
	crypto_generichash_final(&h, sum, sizeof sum);
	for (int i = 0; i < 8; i++)
		v |= (uint64_t)sum[i] << 8 * i;
	return v;
}

uint64_t seal_slot(const void *bytes, size_t n)
{
	static unsigned char key[crypto_shorthash_KEYBYTES];
	static bool made;
	unsigned char sum[crypto_shorthash_BYTES];
	uint64_t v;
	_Static_assert(sizeof sum == sizeof v, "one number");

	if (!made)
		crypto_shorthash_keygen(key);
	made = true;
	crypto_shorthash(sum, bytes, n, key);
	memcpy(&v, sum, sizeof v);
	return v;
}

/* ---- the chain of results ---- */

void seal_genesis(char out[SEAL_HEX], const char *sid, const char *base)
{
	const char *const pieces[] = {"bosk-genesis", sid, base};
	seal_hash_pieces(out, pieces, 3);
}

void seal_link(char out[SEAL_HEX], const char *prev, const void *record, size_t n)
{
	crypto_generichash_state h;
	begin(&h);
	piece_text(&h, "bosk-result");
	piece_text(&h, prev);
	piece(&h, record, n);
	end(&h, out);
}

const char *seal_version(void)
{
	return sodium_version_string();
}
