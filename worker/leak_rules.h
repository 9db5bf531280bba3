/* leak_rules: the table of what secrets look like. For leak.c only. */
#ifndef BOSK_LEAK_RULES_H
#define BOSK_LEAK_RULES_H

#include "leak.h"
#include "pattern.h"

enum { /* where a rule counts */
	LEAK_TEXT = 1,     /* not in binary files */
	LEAK_WRITTEN = 2,  /* not in files nor in long lines that programs make */
	LEAK_NO_CODE = 4,  /* not where a word without quotes is code */
	LEAK_SCRIPT = 8,   /* only in scripts, and not in their comments */
};

struct leak_rule {
	const char *name, *what;
	const char *hint;  /* words, of which one must be in the line: this makes looking quick; NULL = leak_rules_hinted */
	const char *regex; /* the value is its group 1 */
	enum leak_kind kind;
	unsigned where;
	bool icase;
};

/* Special ones first, without a regex (their order is enum leak_special), then from the most to the least certain. */
extern const struct leak_rule leak_rules_all[];
extern const size_t leak_rules_n;

enum leak_special { LEAK_FILE_NAME, LEAK_PRIVATE_KEY, LEAK_WORLD_WRITABLE, LEAK_ALLOW, LEAK_SPECIALS };

struct leak_rules {
	struct pattern **patterns; /* of each rule; NULL = special */
};

bool leak_rules_has(const struct leak_rule *rule, const char *p, size_t n); /* one of its hints */
/* Is a word in it that names a password or a key? */
bool leak_rules_hinted(const char *p, size_t n);

#endif
