/* The schedule under every order of events: all small dependency graphs, and chosen larger plans
 * with shared files, exclusive tasks, priorities, retries, halts, stops, holds and restarts. And
 * that the judge is awake: a schedule told a wrong plan must be caught, by the right rule. */
#include "test.h"

#include "schedule/model.h"

static struct model_result total;
static size_t plans;

static void explore(const struct model_plan *p)
{
	struct model_result r;

	model_explore(p, p, &r);
	total.states += r.states;
	total.transitions += r.transitions;
	total.restarts += r.restarts;
	total.misfits += r.misfits;
	plans++;
	if (getenv("BOSK_TEST_VERBOSE"))
		printf("%-40s %8zu states %9zu transitions\n", p->name, r.states, r.transitions);
	if (r.broken) {
		print_error("%s", r.trail);
		free(r.trail);
		fail();
	}
}

/* ---- all graphs of up to 4 tasks ---- */

static bool graph(struct model_plan *p, uint32_t n, uint32_t bits)
{
	uint8_t above[MODEL_TASKS];

	*p = (struct model_plan){.name = "graph", .n = n, .slots = 1};
	for (uint32_t t = 0; t < n; t++) {
		for (uint32_t i = 0; i < n; i++) {
			if (i == t)
				continue;
			p->needs[t] |= (uint8_t)((bits & 1) << i);
			bits >>= 1;
		}
	}
	model_above(p, above);
	for (uint32_t t = 0; t < n; t++) {
		if (above[t] >> t & 1)
			return false; /* a cycle: not a plan */
	}
	return true;
}

/* All failures are alike to those who wait; so that there are fewer states, each task has one. */
static void one_way_to_fail(struct model_plan *p, size_t turn)
{
	for (uint32_t t = 0; t < p->n; t++)
		p->fails[t] = (uint8_t)(1u << (turn + t) % 3);
}

/* Graphs of up to 3 tasks with every pair of settings, every triple over similar graphs. */
static void all_graphs_of_3(void **state)
{
	(void)state;
	size_t graphs = 0;
	for (uint32_t n = 0; n <= 3; n++) {
		for (uint32_t bits = 0; bits < 1u << (n ? n * (n - 1) : 0); bits++) {
			struct model_plan p;
			if (!graph(&p, n, bits))
				continue;
			graphs++;
			for (uint32_t i = 0; i < 4 * 3; i++) {
				p.sequential = i % 4 == 3;
				p.slots = p.sequential ? 2 : 1 + i % 4;
				p.retries = i / 4;
				p.halt = (i + i / 4 + (uint32_t)graphs) % 3;
				one_way_to_fail(&p, graphs + i);
				explore(&p);
			}
		}
	}
	assert_int_equal(graphs, 1 + 1 + 3 + 25);
}

/* Graphs of 3 tasks where each edge is a need or only an order, and one task may be somebody else's. */
static void all_orders_of_3(void **state)
{
	(void)state;
	size_t graphs = 0;
	for (uint32_t bits = 0; bits < 4096; bits++) {
		struct model_plan both, p = {.name = "orders", .n = 3};
		uint8_t above[MODEL_TASKS];
		bool again = false, ring = false;
		for (uint32_t i = 0; i < 6; i++) {
			uint32_t t = i / 2, to = (t + 1 + i % 2) % 3;
			p.needs[t] |= (uint8_t)((bits >> 2 * i & 1) << to);
			p.after[t] |= (uint8_t)((bits >> (2 * i + 1) & 1) << to);
			again |= (bits >> 2 * i & 3) == 3;
		}
		both = p;
		for (uint32_t t = 0; t < 3; t++)
			both.needs[t] |= p.after[t];
		model_above(&both, above);
		for (uint32_t t = 0; t < 3; t++)
			ring |= above[t] >> t & 1;
		if (again || ring)
			continue;
		graphs++;
		for (uint32_t i = 0; i < 4; i++) {
			p.claimed = i ? (uint8_t)(1u << (i - 1)) : 0;
			p.files[0] = p.files[2] = i == 2 || graphs % 3 == 0;
			p.sequential = (graphs + i) % 5 == 0;
			p.slots = 1 + (graphs + i) % 2;
			p.retries = graphs / 2 % 2;
			p.repairs = graphs / 4 % 2;
			p.halt = graphs / 3 % 3;
			p.never_held = graphs % 4 != 0;
			one_way_to_fail(&p, graphs + i);
			explore(&p);
		}
	}
	assert_int_equal(graphs, 1 + 2 * 6 + 4 * 12 + 8 * 6);
}

/* Graphs of 4 tasks: the settings take turns. */
static void all_graphs_of_4(void **state)
{
	(void)state;
	size_t graphs = 0;
	for (uint32_t bits = 0; bits < 1u << 12; bits++) {
		struct model_plan p;
		if (!graph(&p, 4, bits))
			continue;
		p.slots = 1 + graphs % 3;
		p.retries = graphs / 3 % 3 == 1;
		p.halt = graphs / 5 % 3;
		p.sequential = graphs % 7 == 0;
		p.never_held = graphs % 4 != 0;
		one_way_to_fail(&p, graphs);
		/* Every eighth where time is short (tools/check). */
		if (graphs++ % 8 == 0 || getenv("BOSK_TEST_FULL"))
			explore(&p);
	}
	assert_int_equal(graphs, 543);
}

/* Three tasks that need nothing: all ways to declare two files, some exclusive, some preferred. */
static void all_files_and_exclusives(void **state)
{
	(void)state;
	static const int64_t priorities[][3] = {
		{0, 0, 0}, {0, 1, 0}, {0, 0, 1}, {-2, 1, 1}, {1, 0, -1},
	};
	static const bool exclusive[][3] = {{false}, {true}, {false, true}, {true, false, true}};
	for (uint32_t i = 0; i < 4 * 4 * 4 * 4; i++) {
		struct model_plan p = {.name = "files", .n = 3, .slots = 2 + i % 2};
		p.never_held = i % 3 != 0;
		for (uint32_t t = 0; t < 3; t++) {
			p.files[t] = i >> 2 * t & 3;
			p.exclusive[t] = exclusive[i / 64][t];
			p.priority[t] = priorities[i % MEM_COUNT(priorities)][t];
		}
		one_way_to_fail(&p, i);
		explore(&p);
	}
}

/* Three tasks and two slots: all ways to prefer one, open or asked for, some exclusive, some that share a file, some
 * that have ended before the start. */
static void all_preferences(void **state)
{
	(void)state;
	static const bool exclusive[][3] = {{false}, {false, true}, {true}};
	for (uint32_t i = 0; i < 27 * 8; i++) {
		struct model_plan p = {.name = "preferences", .n = 3, .slots = 2, .closed = i / 27 & 1};
		p.prefer[0] = i % 3;
		p.prefer[1] = i / 3 % 3;
		p.prefer[2] = i / 9 % 3;
		p.never_held = i % 5 != 0;
		p.sequential = i % 11 == 0;
		p.needs[2] = i / 54 == 2;
		p.files[1] = p.files[2] = i / 54 == 1;
		p.already = i / 54 == 2 && i % 2;
		p.routed = i / 54 == 2 && i % 2 == 0;
		memcpy(p.exclusive, exclusive[i / 54 == 3 ? 1 + i % 2 : 0], sizeof exclusive[0]);
		one_way_to_fail(&p, i);
		explore(&p);
	}
}

static void chosen_plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < model_chosen_n; i++)
		explore(&model_chosen[i]);
}

static void a_wrong_schedule_is_caught(void **state)
{
	(void)state;
	for (size_t i = 0; i < model_lies_n; i++) {
		struct model_plan told = model_lies[i].truth;
		struct model_result r;
		model_lies[i].lie(&told);
		model_explore(&model_lies[i].truth, &told, &r);
		if (!r.broken)
			fail_msg("lie %zu about %s was not caught", i, told.name);
		assert_string_equal(r.broken, model_lies[i].rule);
		assert_non_null(strstr(r.trail, "START"));
		if (i == 0)
			printf("caught, as it must be:\n%s", r.trail);
		free(r.trail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_schedule_is_caught),
		cmocka_unit_test(all_graphs_of_3),
		cmocka_unit_test(all_orders_of_3),
		cmocka_unit_test(all_graphs_of_4),
		cmocka_unit_test(all_files_and_exclusives),
		cmocka_unit_test(all_preferences),
		cmocka_unit_test(chosen_plans),
	};
	int failed = cmocka_run_group_tests_name("schedule model", tests, NULL, NULL);
	printf("explored %zu plans: %zu states, %zu transitions, %zu restarts, and %zu events that "
	       "must change nothing\n",
	       plans, total.states, total.transitions, total.restarts, total.misfits);
	return failed;
}
