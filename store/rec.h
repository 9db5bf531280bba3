/* rec: records. A struct is declared once as a list of fields; its C declaration, its msgpack
 * encoding, decoding, release, printing and random making all come from that list. Rows of the
 * store, journal events and protocol messages are records. The only user of msgpack.
 *
 *   #define OWNER_FIELDS(F) F(u64, pid) F(str, boot_id) F(list, paths) F(flag, frozen)
 *   REC_DECLARE(owner, OWNER_FIELDS)          in the header: struct owner, owner_rec
 *   #define REC_SELF owner
 *   REC_DEFINE(owner, OWNER_FIELDS, 1)        in one .c file; 1 = format version
 *   #undef REC_SELF
 *
 * On the wire: a map with "v" (format version) and one entry per field. Decoding ignores keys it
 * does not know, refuses duplicates, wrong types and newer versions, and leaves absent fields
 * zero: old rows stay readable when a field is added. */
#ifndef BOSK_REC_H
#define BOSK_REC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum rec_type { REC_u64, REC_flag, REC_str, REC_list };

/* u64: uint64_t; flag: bool; str: char *, owned, NULL allowed; list: struct strv, owned. */
typedef uint64_t rec_u64_t;
typedef bool rec_flag_t;
typedef char *rec_str_t;
typedef struct strv rec_list_t;

struct rec_field {
	const char *name;
	enum rec_type type;
	size_t offset;
};

struct rec {
	const char *name;
	unsigned version;
	size_t size; /* of the struct */
	const struct rec_field *fields;
	size_t n;
	bool sparse; /* empty fields are not written: for rows of which there are very many */
};

#define REC_MEMBER_(type, name) rec_##type##_t name;
#define REC_DECLARE(type_name, FIELDS)                                                            \
	struct type_name {                                                                        \
		FIELDS(REC_MEMBER_)                                                               \
	};                                                                                        \
	extern const struct rec type_name##_rec;

enum { REC_MAX_FIELDS = 127 };

#define REC_FIELD_(type, name) {#name, REC_##type, offsetof(struct REC_SELF, name)},
/* Before use: #define REC_SELF <struct name>, for offsetof; #undef it after. */
#define REC_DEFINE_(type_name, FIELDS, format_version, is_sparse)                                 \
	static const struct rec_field type_name##_fields[] = {FIELDS(REC_FIELD_)};                \
	_Static_assert(sizeof type_name##_fields / sizeof type_name##_fields[0] <= REC_MAX_FIELDS, "too many fields"); \
	const struct rec type_name##_rec = {#type_name, format_version,                           \
	                                    sizeof(struct type_name), type_name##_fields,         \
	                                    sizeof type_name##_fields / sizeof type_name##_fields[0], is_sparse};
#define REC_DEFINE(type_name, FIELDS, format_version) REC_DEFINE_(type_name, FIELDS, format_version, false)
#define REC_DEFINE_SPARSE(type_name, FIELDS, format_version) REC_DEFINE_(type_name, FIELDS, format_version, true)

/* Appends the encoding of *obj to `out`. Cannot fail: every struct has an encoding. */
void rec_encode(const struct rec *r, const void *obj, struct str *out);

/* Fills *obj (overwritten, not freed) from exactly n bytes. The bytes are foreign: counts, depth
 * and element totals are checked before anything is allocated (pitfalls 9). On error *obj is
 * zeroed and ERR_PROTO (or ERR_DAMAGED for a newer version) is set. */
int rec_decode(const struct rec *r, void *obj, const void *bytes, size_t n, struct err *e);

void rec_fini(const struct rec *r, void *obj); /* frees members, zeroes */
void rec_copy(const struct rec *r, void *out, const void *in); /* deep; out overwritten */
bool rec_equal(const struct rec *r, const void *a, const void *b);
void rec_print(const struct rec *r, const void *obj, struct str *out); /* name{field=value ...} */
/* A random value for tests; `next` returns 64 random bits. Release with rec_fini. */
void rec_random(const struct rec *r, void *obj, uint64_t (*next)(void *), void *ctx);

/* The text of one field of a record, without decoding the others: NULL when it has none, or is not a
 * record. Not ended by NUL: *len bytes of `bytes`. */
const char *scan_text(const void *bytes, size_t n, const char *field, size_t *len);

/* A record as one line of JSON, without decoding it; `quote` writes a text of n bytes. False: these are not the bytes
 * of one, and nothing was added. */
typedef void scan_quote(struct str *out, const char *text, size_t n);
bool scan_json(const void *bytes, size_t n, scan_quote *quote, struct str *out);

/* Limits on one record, enforced by rec_decode. */
enum { REC_MAX_ELEMENTS = 65536, REC_MAX_DEPTH = 8 };

/* Walks msgpack headers without allocating: complete value, exactly n bytes, within the limits. */
int rec_scan(const void *bytes, size_t n, struct err *e);

#endif
