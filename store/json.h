/* json: writing and reading JSON (the only user of jansson.h, with json_cut).
 * A value is owned by whoever made it until it is put into another, which then owns it. */
#ifndef BOSK_JSON_H
#define BOSK_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct json_t; /* jansson's own type; "json" here */

void json_start(void); /* before jansson is used otherwise than through this: tells it how to allocate */
struct json_t *json_map(void);
struct json_t *json_list(void);
void json_free(struct json_t *j); /* NULL allowed */

/* Into a map; text NULL becomes null. Bytes that are not UTF-8 are replaced by U+FFFD. */
void json_put_text(struct json_t *map, const char *key, const char *text);
void json_put_u64(struct json_t *map, const char *key, uint64_t n);
void json_put_real(struct json_t *map, const char *key, double n);
void json_put_flag(struct json_t *map, const char *key, bool yes);
void json_put_null(struct json_t *map, const char *key);
void json_put(struct json_t *map, const char *key, struct json_t *value); /* value is given away */
void json_put_list(struct json_t *map, const char *key, const struct strv *texts);
void json_add(struct json_t *list, struct json_t *value); /* value is given away */
void json_add_text(struct json_t *list, const char *text);

/* Keys keep the order they were put in. `pretty`: two spaces; else one line. No final newline. */
void json_write(const struct json_t *j, bool pretty, struct str *out);

/* A text (NULL = null), or a list of texts, as json_write has it on one line: for much of it, without a value for each. */
void json_quote(struct str *out, const char *text);
void json_quote_n(struct str *out, const char *text, size_t n); /* of n bytes */
void json_write_list(const struct strv *texts, struct str *out);

/* Foreign text of n bytes: at most 1 MiB, nested at most 32 deep. NULL on error (ERR_USAGE). Numbers that are too large
 * are texts. */
struct json_t *json_parse(const char *text, size_t n, struct err *e);
/* The same to be written again: what json_write makes of it goes through json_exact, then such numbers are as they were. */
struct json_t *json_parse_exact(const char *text, size_t n, struct err *e);
void json_exact(struct str *text);
/* Text that bosk has stored itself: of any length. */
struct json_t *json_parse_own(const char *text, size_t n, struct err *e);
const char *json_get_text(const struct json_t *map, const char *key); /* NULL when not a string */
const struct json_t *json_get(const struct json_t *map, const char *key); /* NULL: not there, null, or no map */
void json_keys(const struct json_t *map, struct strv *out); /* in their order; none when it is no map */
bool json_u64(const struct json_t *j, uint64_t *out); /* false: no whole number from 0 on (1.0 is one) */
bool json_float(const struct json_t *j, double *out); /* any number */
const char *json_text(const struct json_t *j);        /* NULL when not a string */
bool json_is_list(const struct json_t *j);
bool json_is_map(const struct json_t *j);
bool json_yes(const struct json_t *j); /* the word true */
size_t json_count(const struct json_t *list);          /* 0 when no list */
const struct json_t *json_nth(const struct json_t *list, size_t i);

enum json_kind { JSON_IS_NULL, JSON_IS_FLAG, JSON_IS_NUMBER, JSON_IS_TEXT, JSON_IS_LIST, JSON_IS_MAP };
enum json_kind json_kind(const struct json_t *j); /* NULL is null */
/* The members of a map one after the other, as they stand: *at begins as NULL. False: there is none left. */
bool json_member(const struct json_t *map, void **at, const char **key, const struct json_t **value);

#endif
