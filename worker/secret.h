/* secret: values that must reach no log, store, status or commit message (promise E7): those of
 * secret variables, and texts that have the shape of a well-known kind of token. Each is replaced by
 * [redacted:VARIABLE] or [redacted].
 *
 * Secret variables are those named *_KEY, *_TOKEN, *_SECRET or *PASSWORD* (any case), or listed in
 * `secrets` of the configuration. Values shorter than SECRET_MIN bytes would hide half of every text
 * and are let through; for listed names only those under SECRET_LISTED_MIN. A value that is the path
 * of an existing file is no secret.
 *
 * The shapes (secret_shape.c): tokens of GitHub, GitLab, OpenAI, Anthropic, AWS, Google, Slack and
 * npm, JSON web tokens, private keys in PEM, and user:password@ in URLs. */
#ifndef BOSK_SECRET_H
#define BOSK_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/str.h"

enum { SECRET_MIN = 8, SECRET_LISTED_MIN = 4 };

/* ---- a set of values and a stream ---- */

struct secret_set;
struct secret_set *secret_set_new(void);
void secret_set_free(struct secret_set *s); /* NULL allowed */
/* Also its JSON form, and the longer lines of a value of several lines: programs print those. Not
 * while a stream reads the set. */
void secret_set_add(struct secret_set *s, const char *name, const char *value);

/* Bytes in, bytes without secrets out. A secret is found however it is cut into pieces. Only bytes
 * that may be the beginning of one are held back, at most as many as the longest value, or 1 KiB. */
struct secret_stream;
typedef void secret_sink(void *ctx, const char *bytes, size_t n);
/* Without `urls` passwords in URLs are let through: see secret_in. */
struct secret_stream *secret_stream_new(const struct secret_set *s, bool urls, secret_sink *sink,
                                        void *ctx);
void secret_stream_put(struct secret_stream *s, const char *bytes, size_t n);
void secret_stream_end(struct secret_stream *s); /* what is held back goes out; frees; NULL allowed */

/* The first secret in a text, passwords in URLs excepted, by name, and where it
 * begins; NULL = none. */
const char *secret_set_find(const struct secret_set *s, const char *text, size_t n, size_t *at);

/* ---- the values of this process ---- */

/* Collect them from the environment; from then on errors and diagnostics are without them (hide.h).
 * `names` (NULL = none): further variables, and with a "-" in
 * front those that are none. Called again, it begins anew. Without a call: as with NULL, on
 * first use. */
void secret_init(const struct strv *names);
bool secret_name(const char *name); /* is this the name of a secret variable? */
/* Also these: KEY=VALUE, of which the secret ones are taken. */
void secret_take_env(const struct strv *env);
const struct secret_set *secret_here(void);

void secret_hide(struct str *text); /* replace what is in it */
char *secret_hidden(const char *text); /* a copy without them, the caller's; NULL gives NULL */
/* For what a person has written to be worked on: as above, but URLs with a password stay. Example
 * ones are in many a task, and a task must not change its meaning. */
void secret_hide_input(struct str *text);
/* Whose value, by the variable's name, or "a token", and where it begins; NULL when
 * secret_hide_input would change nothing. Borrowed from the set. */
const char *secret_in(const char *text, size_t n, size_t *at);

#endif
