/* green: a set of "tree gate", in a search tree of libc. */
#include "green.h"

#include <search.h>
#include <string.h>

#include "store/base/mem.h"

struct green {
	void *root; /* of struct known, by key */
};

struct known {
	char *key;
	bool passed;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->key, ((const struct known *)b)->key);
}

static void known_free(void *p)
{
	struct known *entry = p;
	free(entry->key);
	free(entry);
}

struct green *green_new(void)
{
	return mem_alloc(sizeof(struct green));
}

void green_free(struct green *g)
{
	if (g)
		tdestroy(g->root, known_free);
	free(g);
}

void green_add(struct green *g, const char *tree, const struct strv *verdicts)
{
	for (size_t i = 0; i < verdicts->n; i++) {
		const char *equals = strrchr(verdicts->v[i], '=');
		if (!equals)
			continue;
		struct known *entry = mem_alloc(sizeof *entry);
		*entry = (struct known){.key = mem_printf("%s %.*s", tree, (int)(equals - verdicts->v[i]),
		                                          verdicts->v[i]),
		                        .passed = strcmp(equals, "=pass") == 0};
		struct known *there = *(struct known **)tsearch(entry, &g->root, by_key);
		if (!there)
			abort(); /* out of memory */
		if (there != entry) {
			there->passed |= entry->passed;
			known_free(entry);
		}
	}
}

static const struct known *find(const struct green *g, const char *tree, const char *gate)
{
	AUTO_FREE char *key = mem_printf("%s %s", tree, gate);
	const struct known wanted = {.key = key};
	struct known **found = tfind(&wanted, &g->root, by_key);
	return found ? *found : NULL;
}

bool green_accepted(const struct green *g, const char *tree, const char *gate)
{
	return find(g, tree, gate) != NULL;
}

bool green_passed(const struct green *g, const char *tree, const char *gate)
{
	const struct known *entry = find(g, tree, gate);
	return entry && entry->passed;
}
