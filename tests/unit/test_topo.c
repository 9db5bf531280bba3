/* topo: edges one by one against a naive search for cycles, on random graphs. */
#include "test.h"

#include "supervisor/plan/topo.h"

enum { MAX = 14 };

static bool reaches(bool edge[MAX][MAX], size_t n, size_t from, size_t to)
{
	bool seen[MAX] = {0};
	size_t list[MAX], at = 0, end = 0;

	list[end++] = from;
	seen[from] = true;
	while (at < end) {
		size_t node = list[at++];
		if (node == to)
			return true;
		for (size_t k = 0; k < n; k++)
			if (edge[node][k] && !seen[k]) {
				seen[k] = true;
				list[end++] = k;
			}
	}
	return false;
}

static void an_edge_is_refused_when_it_closes_a_cycle(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	size_t refused = 0, added = 0;

	for (int round = 0; round < 4000; round++) {
		size_t n = 1 + test_rng_below(&rng, MAX), at = 0;
		bool edge[MAX][MAX] = {{0}}; /* edge[a][b]: a before b */
		uint32_t needs[MAX * MAX];
		size_t needs_at[MAX + 1] = {0}, turn[MAX];
		for (size_t i = 0; i < n; i++)
			turn[i] = test_rng_below(&rng, MAX); /* needs go by this, not by the numbers */
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < n; k++)
				if (turn[k] < turn[i] && !test_rng_below(&rng, 6)) {
					needs[at++] = (uint32_t)k;
					edge[k][i] = true;
				}
			needs_at[i + 1] = at;
		}
		struct topo *t = topo_new(needs, needs_at, n);
		for (size_t tries = 0; tries < 3 * n; tries++) {
			size_t a = test_rng_below(&rng, n), b = test_rng_below(&rng, n);
			bool closes = reaches(edge, n, b, a);
			enum topo_answer answer = topo_add(t, (uint32_t)a, (uint32_t)b);
			assert_int_equal(answer, closes ? TOPO_CYCLE : TOPO_ADDED);
			edge[a][b] = edge[a][b] || !closes;
			refused += closes;
			added += !closes;
		}
		topo_free(t);
	}
	assert_true(refused > 1000 && added > 1000);
}

static void the_order_of_the_numbers_costs_nothing_and_work_has_an_end(void **state)
{
	(void)state;
	enum { N = 20000 };
	size_t *none = mem_array(N + 1, sizeof *none);
	struct topo *t = topo_new(NULL, none, N);
	size_t spent = 0;

	for (uint32_t i = 0; i + 1 < N; i++)
		assert_int_equal(topo_add(t, i, i + 1), TOPO_ADDED);
	for (uint32_t i = 0; i < N; i++) { /* each would close a circle through all */
		enum topo_answer answer = topo_add(t, N - 1, 0);
		assert_int_not_equal(answer, TOPO_ADDED);
		spent += answer == TOPO_SPENT;
	}
	assert_true(spent > 0);
	assert_int_equal(topo_add(t, 3, 7), TOPO_ADDED); /* goes with the order: no search */
	topo_free(t);
	free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_edge_is_refused_when_it_closes_a_cycle),
		cmocka_unit_test(the_order_of_the_numbers_costs_nothing_and_work_has_an_end),
	};
	return cmocka_run_group_tests_name("topo", tests, NULL, NULL);
}
