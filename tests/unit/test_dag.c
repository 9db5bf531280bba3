/* dag: waves and cycles against a naive implementation on random graphs. */
#include "test.h"

#include "supervisor/plan/dag.h"

enum { MAX = 12 };

struct graph {
	size_t n;
	bool edge[MAX][MAX]; /* edge[a][b]: a needs b */
	uint32_t needs[MAX * MAX];
	size_t needs_at[MAX + 1];
};

static void list_edges(struct graph *g)
{
	size_t at = 0;
	for (size_t a = 0; a < g->n; a++) {
		for (size_t b = 0; b < g->n; b++)
			if (g->edge[a][b])
				g->needs[at++] = (uint32_t)b;
		g->needs_at[a + 1] = at;
	}
}

static bool naive_cyclic(const struct graph *g)
{
	bool reach[MAX][MAX];
	memcpy(reach, g->edge, sizeof reach);
	for (size_t k = 0; k < g->n; k++)
		for (size_t a = 0; a < g->n; a++)
			for (size_t b = 0; b < g->n; b++)
				reach[a][b] = reach[a][b] || (reach[a][k] && reach[k][b]);
	for (size_t a = 0; a < g->n; a++)
		if (reach[a][a])
			return true;
	return false;
}

static void naive_waves(const struct graph *g, uint32_t *wave)
{
	for (size_t a = 0; a < g->n; a++)
		wave[a] = 1;
	for (size_t round = 0; round < g->n; round++)
		for (size_t a = 0; a < g->n; a++)
			for (size_t b = 0; b < g->n; b++)
				if (g->edge[a][b] && wave[a] <= wave[b])
					wave[a] = wave[b] + 1;
}

/* Takes the closing edge of each reported cycle out of a copy. */
static void on_cycle(void *ctx, const uint32_t *path, size_t n)
{
	struct graph *left = ctx;
	assert_true(n >= 1);
	for (size_t i = 0; i + 1 < n; i++) {
		assert_true(left->edge[path[i]][path[i + 1]]); /* a path, by edges not taken out */
		for (size_t k = i + 1; k < n; k++)
			assert_int_not_equal(path[i], path[k]);
	}
	assert_true(left->edge[path[n - 1]][path[0]]); /* closed, and not reported before */
	left->edge[path[n - 1]][path[0]] = false;
}

static void random_graphs_agree_with_a_naive_walk(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	size_t cyclic = 0;
	for (int round = 0; round < 20000; round++) {
		struct graph g = {.n = 1 + test_rng_below(&rng, MAX)};
		uint64_t sparse = 1 + test_rng_below(&rng, 20);
		bool downward = test_rng_below(&rng, 2); /* half of them without cycles for sure */
		for (size_t a = 0; a < g.n; a++)
			for (size_t b = 0; b < g.n; b++)
				g.edge[a][b] =
					!test_rng_below(&rng, sparse) && (!downward || b > a);
		list_edges(&g);

		struct graph left = g;
		uint32_t wave[MAX], naive[MAX];
		size_t cycles = dag_waves(wave, g.needs, g.needs_at, g.n, on_cycle, &left);
		assert_int_equal(cycles > 0, naive_cyclic(&g));
		assert_false(naive_cyclic(&left)); /* all of them were reported */
		cyclic += cycles > 0;
		if (cycles)
			continue;
		naive_waves(&g, naive);
		for (size_t a = 0; a < g.n; a++)
			assert_int_equal(wave[a], naive[a]);
	}
	assert_in_range(cyclic, 100, 19900);
}

static void count_last(void *ctx, const uint32_t *path, size_t n)
{
	(void)path;
	*(size_t *)ctx = n;
}

/* 0 needs 1 needs 2 ...: no recursion, no square time. */
static void a_long_chain(void **state)
{
	(void)state;
	enum { N = 1000000 };
	AUTO_FREE uint32_t *needs = mem_array(N, sizeof *needs);
	AUTO_FREE size_t *at = mem_array(N + 1, sizeof *at);
	AUTO_FREE uint32_t *wave = mem_array(N, sizeof *wave);
	for (size_t i = 0; i < N; i++) {
		needs[i] = (uint32_t)(i + 1) % N;
		at[i + 1] = i + 1;
	}
	at[N] = N - 1; /* the last needs nothing */
	assert_int_equal(dag_waves(wave, needs, at, N, NULL, NULL), 0);
	assert_int_equal(wave[0], N);
	assert_int_equal(wave[N - 1], 1);
	at[N] = N; /* the last needs the first */
	size_t length = 0;
	assert_int_equal(dag_waves(wave, needs, at, N, count_last, &length), 1);
	assert_int_equal(length, N);
}

static void nothing_at_all(void **state)
{
	(void)state;
	size_t at = 0;
	assert_int_equal(dag_waves(NULL, NULL, &at, 0, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_graphs_agree_with_a_naive_walk),
		cmocka_unit_test(a_long_chain),
		cmocka_unit_test(nothing_at_all),
	};
	return cmocka_run_group_tests_name("dag", tests, NULL, NULL);
}
