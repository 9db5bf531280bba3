/* seal: session ids and hashes, through libsodium (the only user of sodium.h). */
#ifndef BOSK_SEAL_H
#define BOSK_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SEAL_HEX = 64 + 1 }; /* BLAKE2b-256 as lower-case hex, with its NUL */
enum { SEAL_SID = 6 + 1 };  /* a session id: 6 hex digits, with its NUL */

/* Once per process before anything else here; later calls are free. Aborts when the system has no
 * randomness (libsodium's own rule). */
void seal_init(void);

void seal_sid(char out[SEAL_SID]);             /* random; the caller checks the store for it */
void seal_random(void *out, size_t n);
enum { SEAL_UUID = 36 + 1 };
void seal_uuid(char out[SEAL_UUID]); /* a random one: RFC 9562, version 4 */
void seal_hash(char out[SEAL_HEX], const void *bytes, size_t n); /* BLAKE2b-256 */
/* The same of bytes that are not there at once: as if they were one after the other. */
struct seal_parts *seal_parts_new(void);
void seal_parts_add(struct seal_parts *s, const void *bytes, size_t n);
void seal_parts_end(char out[SEAL_HEX], struct seal_parts *s); /* and it is released */
/* Hash of several pieces, each preceded by its length: ("ab","c") and ("a","bc") differ. */
void seal_hash_pieces(char out[SEAL_HEX], const char *const *pieces, size_t n);
/* Frame checksum: the first 64 bits of BLAKE2b-128 (the shortest libsodium documents) of the seed
 * and the bytes. */
uint64_t seal_sum64(const void *bytes, size_t n, uint64_t seed);
/* For tables in memory: quick, and another one in each process, so that nobody can make texts that fall together. */
uint64_t seal_slot(const void *bytes, size_t n);

/* The chain of result records of a session: genesis = H("bosk-genesis", sid, base). */
void seal_genesis(char out[SEAL_HEX], const char *sid, const char *base);
/* H("bosk-result", prev, record): `record` is the encoding of the record without its hash. */
void seal_link(char out[SEAL_HEX], const char *prev, const void *record, size_t n);

const char *seal_version(void);

#endif
