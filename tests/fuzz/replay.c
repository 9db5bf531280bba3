/* replay DIR [GENERATED]: runs a fuzz target over every file of the folder, then over so many
 * inputs made from them by random damage (200,000 when BOSK_TEST_FULL is set). For builds without libFuzzer, and so that every input
 * which was ever found is tried on every change. An empty folder is a failure: a corpus that has
 * been lost must not look like a success. */
#include "test.h"

#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "store/base/fs.h"

enum { INPUT_MAX = 1 << 20, GENERATED_MAX = 8192, FULL = 200000 };

struct corpus {
	struct str *inputs;
	size_t n;
};

static bool regular(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int load(struct corpus *c, const char *folder, struct err *e)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), rc = 0;

	if (n < 0)
		return err_sys(e, "cannot read %s", folder);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
		free(entries[i]);
		if (rc != 0 || !regular(path))
			continue;
		c->inputs = mem_grow(c->inputs, c->n + 1, sizeof *c->inputs);
		c->inputs[c->n] = (struct str){0};
		rc = fs_read(path, INPUT_MAX, &c->inputs[c->n], e);
		/* Named before it is tried: the last name printed is the one that failed. */
		fprintf(stderr, "%s\n", path);
		if (rc == 0)
			LLVMFuzzerTestOneInput((const uint8_t *)str_text(&c->inputs[c->n]),
			                       c->inputs[c->n].len);
		c->n++;
	}
	free(entries);
	if (rc == 0 && c->n == 0)
		rc = err_set(e, ERR_MISSING, "no inputs in %s", folder);
	return rc;
}

/* One damaged place. The bytes 0xd9-0xdf begin strings, lists and maps in msgpack. */
static void damage(struct str *s, const struct str *other, struct test_rng *rng)
{
	static const char telling[] =
		"\x00\x01\x7f\x80\xff\xc0\xc1\xd9\xda\xdb\xdc\xdd\xde\xdf\n\"{-:#";
	if (s->len == 0) {
		str_addn(s, other->p, other->len);
		return;
	}
	size_t at = test_rng_below(rng, s->len), n = test_rng_below(rng, s->len - at + 1);
	switch (test_rng_below(rng, 6)) {
	case 0:
		s->p[at] = (char)(s->p[at] ^ 1 << test_rng_below(rng, 8));
		break;
	case 1:
		s->p[at] = (char)test_rng_next(rng);
		break;
	case 2:
		s->p[at] = telling[test_rng_below(rng, sizeof telling - 1)];
		break;
	case 3: /* a piece is missing */
		memmove(s->p + at, s->p + at + n, s->len - at - n);
		s->len -= n;
		break;
	case 4: { /* a piece comes twice */
		AUTO_STR struct str copy = {0};
		str_addn(&copy, s->p + at, n);
		str_addn(s, copy.p, copy.len);
		break;
	}
	case 5: /* the end of another input */
		s->len = at;
		if (at < other->len)
			str_addn(s, other->p + at, other->len - at);
		break;
	}
}

static void generate(const struct corpus *c, uint64_t count)
{
	struct test_rng rng = test_rng_new();
	AUTO_STR struct str s = {0};

	fflush(stdout);
	while (count--) {
		const struct str *from = &c->inputs[test_rng_below(&rng, c->n)];
		str_clear(&s);
		str_addn(&s, from->p, from->len < GENERATED_MAX ? from->len : GENERATED_MAX);
		for (uint64_t k = 1 + test_rng_below(&rng, 6); k; k--)
			damage(&s, &c->inputs[test_rng_below(&rng, c->n)], &rng);
		/* A copy of its exact size: reading past its end is seen. */
		char *exact = mem_alloc(s.len ? s.len : 1);
		if (s.len)
			memcpy(exact, s.p, s.len);
		LLVMFuzzerTestOneInput((const uint8_t *)exact, s.len);
		free(exact);
	}
}

int main(int argc, char **argv)
{
	struct corpus c = {0};
	struct err e = {0};
	uint64_t count = 0;

	if (argc < 2 || argc > 3 || (argc == 3 && !str_u64(argv[2], &count))) {
		fprintf(stderr, "usage: %s DIR [GENERATED]\n", argv[0]);
		return 2;
	}
	if (count && count < FULL && getenv("BOSK_TEST_FULL"))
		count = FULL;
	int rc = load(&c, argv[1], &e);
	if (rc == 0)
		generate(&c, count);
	else
		fprintf(stderr, "%s\n", e.text);
	printf("%zu inputs of %s, %llu generated\n", c.n, argv[1], (unsigned long long)count);
	for (size_t i = 0; i < c.n; i++)
		str_fini(&c.inputs[i]);
	free(c.inputs);
	return rc == 0 ? 0 : 1;
}
