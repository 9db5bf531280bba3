/* leak: secrets in what a task adds to the repository: names of files, private keys, tokens of well-known kinds, values of
 * passwords and keys that look real, and what anybody may write to. Judges texts alone: knows nothing of git (gitx_added
 * brings them) and of gates (leak_gate.h). What it finds never leaves it: a finding has a place and a rule.
 *
 * Beside a rule's text this module decides what is only an example (leak_value.c). Measured by tests/unit/
 * test_leak_samples.c, on samples made there and on the history of this repository:
 *   secrets: 1349 of 1352 found (99.8 %; 99.6 % or more with other seeds)    harmless: 0 of 610 taken for one
 *   440 commits, 134400 lines added: 6 findings, all made for tests (5 of redaction, one umask 000)
 *   11 in 94 MB of /usr/lib/python3*, /usr/share/doc and the like: 9 examples in documentation, 2 tests of modes
 *
 * Secrets of the environment are the concern of secret.h, which takes them out of logs. */
#ifndef BOSK_LEAK_H
#define BOSK_LEAK_H

#include <stdbool.h>
#include <stddef.h>

#include "gitx.h"

/* ---- rules ---- */

struct leak_rules; /* compiled */
int leak_rules_new(struct leak_rules **out, struct err *e);
void leak_rules_free(struct leak_rules *r); /* NULL allowed */
const char *leak_rule_name(size_t i); /* NULL behind the last one; a name may come twice */
bool leak_rule_known(const char *name, size_t n);

/* ---- findings ---- */

enum { LEAK_PRINT = 8 + 1, LEAK_VALUE = 64 + 1 };

struct leak_finding {
	const char *rule;  /* its name */
	const char *what;  /* what was found, and what to do about it */
	size_t line;       /* 0 = the file itself */
	/* By a comment on its line, or on a line of its own before it. A private key and what has the shape of a token are so
	 * only by one that was there before: who adds such a thing cannot allow it himself. */
	bool allowed;
	/* Names it in an allow file; depends on rule, path and secret. So short that a guess at a secret cannot be
	 * confirmed by it. */
	char print[LEAK_PRINT];
	char value[LEAK_VALUE]; /* hash of rule and secret: the same wherever it stands. "" = of the file itself, or a mode */
};

typedef void leak_sink(void *ctx, const struct leak_finding *f);

/* All findings of one file, by line; at most one of a rule on each. `over` is asked now and then whether to leave it
 * (NULL = never). */
typedef bool leak_over(void *ctx);
void leak_scan(const struct leak_rules *r, const struct gitx_added *f, leak_sink *sink, leak_over *over, void *ctx);
/* The path as it may be shown: without what has the shape of a token. Was there any, and by which rule? */
bool leak_hide(const struct leak_rules *r, const char *path, struct str *out, const char **rule, const char **what);
void leak_scan_mode(const char *path, leak_sink *sink, void *ctx); /* the finding: anybody may write to this file */
/* Of a value found by a rule in a file. `print` has room for LEAK_PRINT. */
void leak_print(char *print, const char *rule, const char *path, const char *value, size_t n);

/* ---- values (leak_value.c) ---- */

enum leak_kind {
	LEAK_SHAPE,    /* all that has this shape is one, but for examples */
	LEAK_PASSWORD, /* a short one that a person may have chosen */
	LEAK_KEY,      /* a random one */
	LEAK_ALWAYS
};
/* Does it look like a real one, and not like an example, a name, a look-up or a path? */
bool leak_value_real(enum leak_kind kind, const char *p, size_t n);

/* ---- paths (leak_path.c) ---- */

/* Is it a file that holds secrets by its name? `text` may be NULL (too large). */
bool leak_path_secret(const char *path, const char *text, size_t n);
bool leak_path_script(const char *path, const char *text, size_t n); /* what a shell, a container builder or CI runs */
bool leak_path_code(const char *path); /* where a word without quotes is code, not a value */
bool leak_path_made(const char *path); /* lock files and minified ones: nobody writes a password there */

/* ---- the allow file (leak_allow.c) ----
 *
 *   # comment
 *   tests/fixtures/             all rules
 *   *.md            password    one rule
 *   finding:1a2b3c4d           one finding, as it was shown */

#define LEAK_ALLOW_FILE ".bosk-secrets-allow"

struct leak_allow {
	struct strv globs, rules, prints; /* rules[i] of globs[i], "" = all */
};
/* Lines that cannot be meant are said in `wrong`, with their numbers, and allow nothing. */
void leak_allow_read(struct leak_allow *out, const char *text, size_t n, struct strv *wrong);
void leak_allow_fini(struct leak_allow *a);
bool leak_allow_has(const struct leak_allow *a, const char *path, const struct leak_finding *f);

#endif
