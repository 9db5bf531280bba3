/* adapter_private: what the files of the adapter engine share: a definition's rules, once read. Not for others.
 *
 * A source looks at each line of a stream and keeps the last that fits in its seat of a run (struct adapter_seat); a rule
 * is some sources, of which all must have seen a line, or none ("!"). */
#ifndef BOSK_ADAPTER_PRIVATE_H
#define BOSK_ADAPTER_PRIVATE_H

#include "adapter.h"
#include "pattern.h"
#include "store/json.h"

/* KEY=VALUE,KEY=VALUE of a line; none = any object. */
struct adapter_where {
	struct strv keys, values;
};

enum adapter_from { ADAPTER_EXIT, ADAPTER_SIGNAL, ADAPTER_JSON, ADAPTER_OUT, ADAPTER_ERR, ADAPTER_TEXT, ADAPTER_FILE,
	            ADAPTER_LAST, ADAPTER_TAIL };
enum adapter_keep { ADAPTER_KEEP_LAST, ADAPTER_KEEP_FIRST, ADAPTER_KEEP_ALL, ADAPTER_KEEP_SUM };

struct adapter_source {
	enum adapter_from from;
	bool negated;
	size_t seat; /* of those sources that look at lines */
	size_t most; /* bytes that are kept */
	struct adapter_where where;
	char *file;  /* of ADAPTER_FILE: its path with holes; a pattern for glob in `reset` */
	char *path;  /* of the value; NULL = the whole object */
	char *is;    /* the value must be this; NULL = any */
	struct pattern *like; /* ... or be like this, or the line must; NULL = any */
	enum adapter_keep keep;
	struct adapter_where since; /* concat begins anew behind such a line */
	bool whole;  /* usage: of the whole conversation */
	struct strv numbers; /* of exit, signal */
	bool counted;        /* count: how many fit since the last one that is like `since` */
	bool limited;        /* ... or the group's number, must be larger than */
	uint64_t limit;
};

enum { ADAPTER_CLASSES = ADAPTER_FAILED + 1 };

struct adapter_rule {
	int tag; /* fail, kill_if: enum adapter_class; reset: enum adapter_time; usage: place in ADAPTER_USAGE */
	struct adapter_source *sources;
	size_t n;
};

struct adapter_rules {
	struct adapter_rule *v;
	size_t n;
};

#define ADAPTER_USAGE "input", "cached", "output", "cost"

struct adapter {
	const struct msg_agent *def;
	bool presets;
	struct adapter_rules session, final, ok, usage, fail, reset, kill_if;
	size_t n_seats;
};

/* What one source has seen. */
struct adapter_seat {
	bool hit;
	struct str text; /* what there was at .path, or the line, or the regex's group in `reset` and kill_if */
	double sum;
	uint64_t count, at_ms;
};

/* A line of a stream, once put together. */
struct adapter_input {
	int which;
	const char *text;
	size_t n;
	const struct json_t *json; /* NULL = none */
	uint64_t now_ms;
};

/* ---- adapter_rule.c: reading ---- */

enum adapter_kind { ADAPTER_KIND_SESSION, ADAPTER_KIND_FINAL, ADAPTER_KIND_OK, ADAPTER_KIND_USAGE, ADAPTER_KIND_FAIL,
	            ADAPTER_KIND_RESET, ADAPTER_KIND_KILL };
/* Adds one. The error says what is wrong in the text, not where the text is. */
int adapter_rule_read(struct adapter_rules *out, enum adapter_kind kind, const char *text, size_t *n_seats, struct err *e);
void adapter_rules_fini(struct adapter_rules *r);

/* ---- adapter_look.c: judging ---- */

const struct json_t *adapter_at(const struct json_t *j, const char *path); /* NULL = not there; path NULL = j itself */
bool adapter_fits(const struct adapter_where *where, const struct json_t *j);
/* The value as text: a text as it is, a number, a flag, an object as JSON. False: there is none. */
bool adapter_value(const struct json_t *j, struct str *out);
/* Does the source take its text for this? *group = where its regex's first group is, or the whole. */
bool adapter_takes(const struct adapter_source *s, const char *text, size_t n, struct pattern_span *group);
void adapter_look(const struct adapter_rules *r, struct adapter_seat *seats, const struct adapter_input *in);
/* Do all of its sources hold? `result` NULL: the program still runs. *told = the seat with the failure's
 * words: of its last line or value. */
bool adapter_holds(const struct adapter_rule *r, const struct adapter_seat *seats, const struct job_result *result,
                   const struct adapter_seat **told);
/* A time of `reset`: a file's last line that fits. NULL = none; the caller frees. */
char *adapter_in_file(const struct adapter_source *s, const struct adapter_call *call);
/* The last `most` bytes of a regular file. `flags`: more for open(), O_NOFOLLOW where an agent may have put the file. */
bool adapter_read_tail(const char *path, int flags, size_t most, struct str *out);

/* ---- adapter.c ---- */

/* A text with holes, filled; false when one has no value. */
bool adapter_fill(const struct adapter_call *c, bool full, const char *text, struct str *out);
const char *adapter_env_value(const struct adapter_call *c, const char *name, size_t n); /* NULL = unset */

/* ---- adapter_line.c ---- */

/* What it means to a person, printable, one line; false = nothing. */
bool adapter_line_of(const struct json_t *j, struct str *out);

#endif
