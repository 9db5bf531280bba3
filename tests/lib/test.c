/* Shared by the C tests. */
#include "test.h"

#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/fs.h"

struct test_rng test_rng_new(void)
{
	const char *given = getenv("BOSK_TEST_SEED");
	uint64_t seed = 0;
	if (!given || !str_u64(given, &seed))
		seed = clock_wall_ms() * 2654435761u + (uint64_t)getpid();
	printf("seed: BOSK_TEST_SEED=%llu\n", (unsigned long long)seed);
	return (struct test_rng){seed};
}

uint64_t test_rng_next(void *rng)
{
	struct test_rng *r = rng;
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t test_rng_below(struct test_rng *rng, uint64_t limit)
{
	return test_rng_next(rng) % limit;
}

char *test_scratch(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = mem_printf("%s/bosk-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(path)) {
		perror("mkdtemp");
		abort();
	}
	return path;
}

void test_scratch_remove(char *path)
{
	struct err e = {0};
	if (fs_remove_tree(path, &e) != 0)
		fprintf(stderr, "%s\n", e.text);
	free(path);
}
