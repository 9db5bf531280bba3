/* adapter: an agent's program as data (agents.md 8): how it is called, what its streams mean, what its end came to. A new
 * program needs a table, no code. Knows nothing of tasks, git and the store; a definition is a struct msg_agent, whose
 * texts are, hole by hole and rule by rule, as adapter_check says.
 *
 * argv, resume, env, wrap: words with holes {name}, filled as they are (never split, never given to a shell). A word
 * "{name? more words}" stands for these words when the hole has a value, "{!name? words}" when it has none. Holes:
 *   cwd model session resume schema (its text) schema_file last_file prompt prompt_file result_file tmp command
 *   full (autonomy; a condition only) env:NAME
 *
 * Rules, words separated by blanks, tests joined by " & " (all must hold), "!" before one that must not:
 *   exit N[,N]          signal N[,N]      exit !N
 *   json [KEY=VALUE[,KEY=VALUE]] [.path] [= VALUE | ~ REGEX]   a line of stdout that is a JSON object; keys may be dotted,
 *                       [N] is a place in a list (.a[0].b); a value with commas or blanks stands in double quotes
 *   stdout ~ REGEX      stderr ~ REGEX    a line
 *   text ~ REGEX        what the test before it found: the value at .path, or the line
 * A line of a stream fits as it arrives; what `ok`, `fail` want is decided at the end, over all lines. Of several lines
 * the last one that fits counts. Regular expressions are PCRE2's, on bytes; " & " in one is written \x20&\x20.
 *   session  preset, none, or json KEY=VALUE .path
 *   final    in order, the first that gives something: "file {last_file}", "json KEY=VALUE .path [last|first|concat] [since
 *            KEY=VALUE]" (concat: of the lines after the last one that has that), "stdout last" (the last line that is a
 *            JSON object), "stdout tail" (its last lines, as they are)
 *   ok       all must hold
 *   usage    "input|cached|output|cost: json KEY=VALUE .path [sum|last] [whole]", added up by name; `input` is all that was
 *            read, cached or not; whole: it is of the whole conversation, not of this run
 *   fail     "limit|auth|transient|config|session|invalid|failed: RULE", when `ok` does not hold; the first that holds
 *            decides, and its last line or value is what the failure said. session: the conversation is gone, asked of
 *            resumed runs only. invalid: it ended well but for the form of its result (ADAPTER_OK: who looks at the result
 *            sees that). Only what is no word of the model's may be named here (promise E3): an agent that writes
 *            about limits has none.
 *   reset    of a limit or a transient failure, the first that gives a time: "epoch|clock|duration:" and "json KEY=VALUE .path
 *            [~ REGEX]", "file GLOB [KEY=VALUE] .path" (the last such line of the newest file), or "text ~ REGEX", of what
 *            the failure said. A regex has one group: the time
 *   kill_if  "limit|transient|auth: RULE", without exit, signal and text, as soon as it holds: it is ended at once. Its tests may
 *            end in "> N": the number in the regex's group, or at .path, is larger; or be "count json KEY=VALUE > N [without
 *            KEY=VALUE]": so many, without one of the other between them */
#ifndef BOSK_ADAPTER_H
#define BOSK_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job.h"
#include "msg.h"

struct adapter; /* a definition, its rules read */

/* ERR_USAGE names the key and the item that is wrong and what it must be. `def` must live as long. The caller frees. */
int adapter_new(struct adapter **out, const struct msg_agent *def, struct err *e);
void adapter_free(struct adapter *a); /* NULL allowed */
/* Agents with the same one are limited together; borrowed from `def`. */
const char *adapter_account(const struct msg_agent *def);

/* What fills the holes; NULL = has no value. Borrowed. */
struct adapter_call {
	const char *cwd, *model, *session, *schema, *schema_file, *last_file, *prompt, *prompt_file, *result_file, *tmp, *command;
	bool resume; /* of the conversation `session` */
	char *const *env; /* of the program: for {env:NAME}; NULL = this process's */
};

/* The whole command line, `wrap` first, appended; no word is empty but those that are. */
void adapter_argv(const struct adapter *a, const struct adapter_call *c, struct strv *argv);
/* Its variables, into `env` (KEY=VALUE, exec_env_set). */
void adapter_env(const struct adapter *a, const struct adapter_call *c, struct strv *env);
/* Is the conversation's id ours to give (then the caller makes one, a UUID, for the first run)? */
bool adapter_presets(const struct adapter *a);

/* ---- one run of it ---- */

enum adapter_class { /* what an attempt came to, as far as the program says (architecture 5.4) */
	ADAPTER_OK,
	ADAPTER_LIMIT,     /* a usage limit of the account: until_ms */
	ADAPTER_AUTH,      /* the account does not work at all: nobody needs to try again */
	ADAPTER_TRANSIENT, /* try again later: until_ms where it is said */
	ADAPTER_CONFIG,    /* will fail again: an unknown model, wrong options */
	ADAPTER_UNKNOWN_SESSION, /* the conversation is gone: no model was called; begin a new one */
	ADAPTER_FAILED
};

struct adapter_outcome {
	enum adapter_class class;
	char *said;        /* of a failure, in its words, one line; NULL = it said nothing */
	uint64_t until_ms; /* wall clock; 0 = it did not say. Within 30 s .. 8 days of the line's arrival */
	char *final;       /* the final text, as it is; NULL = none */
	char *session;     /* id of the conversation; NULL = none was seen */
	uint64_t input, cached, output, cost_micro; /* tokens; millionths of a US dollar */
	bool counted, priced; /* did it say how many, and what they cost? */
	bool whole;        /* that is of the whole conversation, its earlier runs too: the caller takes these off */
};
void adapter_outcome_fini(struct adapter_outcome *o);

struct adapter_run; /* what its streams have said so far */

/* `a` and what `call` points to must live as long. The caller frees. */
struct adapter_run *adapter_run_new(const struct adapter *a, const struct adapter_call *call);
void adapter_run_free(struct adapter_run *r); /* NULL allowed */
/* n bytes of stdout (which = 1) or stderr (2) that arrived at now_ms, wall clock. Any bytes, cut anywhere: lines are put
 * together here, longer ones than 8 MiB are skipped. Memory is bounded. */
void adapter_feed(struct adapter_run *r, int which, const char *bytes, size_t n, uint64_t now_ms);
/* The conversation's id, once a line has told it; NULL before. */
const char *adapter_session(const struct adapter_run *r);
/* Is it to be ended now, because it would wait, or go on, for ever (kill_if)? */
bool adapter_hopeless(const struct adapter_run *r);
/* One line for progress: what the last line of its stream means to a person ("$ make test", the beginning of a text);
 * NULL = nothing new. Printable; valid until the next feed. */
const char *adapter_line(const struct adapter_run *r);
/* After its end, with all output fed. What bosk ended itself (timeout, silence, stop) is the caller's to name: `out` is what
 * was seen all the same. */
void adapter_end(struct adapter_run *r, const struct job_result *result, uint64_t now_ms, struct adapter_outcome *out);

/* ---- times (adapter_time.c) ---- */

enum adapter_time { ADAPTER_EPOCH, ADAPTER_CLOCK, ADAPTER_DURATION };
/* A time as agents write it (agents.md 4) in ms of the wall clock: seconds or ms since 1970 by size, RFC 3339 (EPOCH);
 * "11:38 PM", "11:42pm (UTC)", "Nov 25, 1:03pm (UTC)", "Nov 25th, 2026 1:03 PM" (CLOCK, in the zone in brackets, else in
 * `zone`, the program's TZ, NULL = the system's); "8h44m7s", "2 days 3 hours", "34s", "406742841ms", "11.054s", a bare
 * number of seconds (DURATION, from now). What follows the time is not looked at.
 * CLOCK is the end of the minute that is named, as they cut off seconds; without a date its next occurrence, but for one
 * that passed within 5 minutes. Clamped to 30 s .. 8 days from now. 0 = cannot be read. Sets TZ for a moment: not beside
 * other threads. */
uint64_t adapter_time(enum adapter_time kind, const char *text, const char *zone, uint64_t now_ms);

#endif
