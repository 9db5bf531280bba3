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
		graphs++;
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

/* ---- chosen plans ---- */

enum { F = MODEL_FAILED, T = MODEL_TIMEOUT, B = MODEL_BLOCKED };
enum { N0 = 1, N1 = 2, N2 = 4, N3 = 8, N4 = 16 };

static const struct model_plan chosen[] = {
	{.name = "every verdict", .n = 3, .slots = 2, .retries = 1, .halt = 2, .needs = {0, 0, N0}},
	{.name = "every verdict, files", .n = 3, .slots = 2, .retries = 2, .files = {1, 3, 2},
	 .fails = {0, F | B, F | T}},
	{.name = "diamond and one beside", .n = 5, .slots = 2, .retries = 1,
	 .needs = {0, N0, N0, N1 | N2}, .fails = {F, T, F, B, F}},
	{.name = "a ring of files", .n = 5, .slots = 3, .files = {1, 3, 6, 12, 9},
	 .fails = {F, T, B, F, T}},
	{.name = "one file for all", .n = 5, .slots = 3, .retries = 1, .files = {1, 1, 1, 1, 1},
	 .fails = {F, T, F, T, T}},
	{.name = "files along dependencies", .n = 5, .slots = 3, .retries = 1,
	 .needs = {0, N0, 0, N2}, .files = {1, 2, 2, 1, 3}, .fails = {F, F, T, B, T}},
	{.name = "an exclusive task between", .n = 5, .slots = 3, .retries = 1,
	 .exclusive = {false, false, true}, .needs = {0, 0, 0, N0}, .fails = {T, B, F, T, B}},
	{.name = "exclusive, priorities, files", .n = 5, .slots = 2, .priority = {0, 1, 2, 1, 1},
	 .exclusive = {false, true, false, true, false}, .files = {1, 1, 1, 0, 2},
	 .fails = {F, T, B, F, T}},
	{.name = "exclusive ones in a tree", .n = 6, .slots = 3, .needs = {0, N0, N0, N0, N1, N2},
	 .exclusive = {false, true, false, false, false, true}, .fails = {F, T, B, F, T, B}},
	{.name = "priorities against plan order", .n = 5, .slots = 2, .retries = 1, .halt = 2,
	 .needs = {0, 0, N0, 0, N3}, .priority = {-1, 0, 5, INT64_MAX, INT64_MIN},
	 .fails = {F, T, F, B, T}},
	{.name = "two chains that meet", .n = 6, .slots = 2, .retries = 1, .halt = 2,
	 .needs = {0, 0, N0, N1, N2 | N3, N4}, .fails = {F, T, T, F, B, F}},
	{.name = "fan", .n = 6, .slots = 3, .halt = 1,
	 .needs = {0, N0, N0, N0, N0, N1 | N2 | N3 | N4}, .fails = {F, T, B, F, T, B}},
	{.name = "needs later ones", .n = 6, .slots = 2, .retries = 1,
	 .needs = {N1 | N2, N3, N3, N4, 0, 0}, .fails = {F, T, F, T, F, T}},
	{.name = "sequential, all at once", .n = 6, .slots = 3, .retries = 1, .sequential = true,
	 .needs = {0, N4, 0, N0}, .priority = {0, 1, 2, 3, 4, 5}, .files = {1, 1, 2, 3, 1, 2},
	 .exclusive = {false, true, false, true}, .fails = {F, T, F, B, T, F}},
	{.name = "sent back from the merge", .n = 4, .slots = 2, .retries = 1, .repairs = 1, .halt = 2,
	 .needs = {0, 0, N0, N1}, .files = {1, 0, 1}, .fails = {F, B, T, B}},
	{.name = "sent back twice, in sequence", .n = 3, .slots = 2, .repairs = 2, .sequential = true,
	 .needs = {0, N0}, .fails = {B, F, T}},
	{.name = "sent back, exclusive", .n = 4, .slots = 3, .repairs = 1,
	 .exclusive = {false, true}, .priority = {0, 1, 0, 2}, .fails = {B, F, T, B}},
	{.name = "slots are asked for", .n = 4, .slots = 2, .closed = true, .retries = 1,
	 .needs = {0, 0, N0}, .files = {0, 1, 0, 1}, .fails = {F, T, B, F}},
	{.name = "slots are asked for, three", .n = 5, .slots = 3, .closed = true, .never_held = true,
	 .needs = {0, 0, N0}, .exclusive = {false, false, false, true}, .fails = {F, T, B, T, B}},
	{.name = "a slot is asked for, in sequence", .n = 3, .slots = 1, .closed = true, .repairs = 1,
	 .sequential = true, .halt = 1, .fails = {F, B, T}},
	{.name = "two lanes and one that goes anywhere", .n = 6, .slots = 2, .retries = 1, .prefer = {1, 2, 1, 2, 0, 1},
	 .needs = {0, 0, N0, N1}, .fails = {F, T, B, F, T, B}},
	{.name = "lanes, slots are asked for", .n = 5, .slots = 3, .closed = true, .never_held = true,
	 .prefer = {3, 2, 3, 1, 2}, .priority = {0, 1}, .fails = {F, T, B, T, B}},
	{.name = "lanes and shared files", .n = 5, .slots = 2, .never_held = true, .prefer = {2, 2, 1, 2, 1},
	 .files = {1, 2, 1, 2, 0}, .exclusive = {false, false, false, false, true}, .fails = {F, T, B, T, B}},
	{.name = "ended before the start", .n = 6, .slots = 2, .already = N0, .routed = N1, .halt = 1,
	 .needs = {0, 0, N0, N1, N3, N0 | N2}, .fails = {F, T, B, T, B, F}},
	{.name = "one after the other, however they end", .n = 5, .slots = 3, .retries = 1, .repairs = 1, .never_held = true,
	 .after = {0, N0, N1, 0, N2 | N3}, .files = {1, 1, 1}, .fails = {F, B, T, F, B}},
	{.name = "after what is skipped", .n = 5, .slots = 2, .needs = {0, N0, N1}, .after = {0, 0, 0, N2, N1 | N3},
	 .fails = {F, T, B, F, T}},
	{.name = "after and needs, exclusive", .n = 5, .slots = 2, .needs = {0, 0, N0}, .after = {0, N0, N1, N2, N0},
	 .exclusive = {false, true, false, false, true}, .halt = 2, .fails = {F, T, B, F, T}},
	{.name = "somebody else works on one", .n = 6, .slots = 2, .claimed = N2, .needs = {0, 0, 0, N2, 0, N4},
	 .after = {0, 0, 0, 0, N2 | N0, 0}, .files = {0, 1, 1}, .fails = {F, T, B, F, T, B}},
	{.name = "nothing to run", .n = 3, .slots = 1, .already = N0, .routed = N1, .needs = {0, 0, N1}},
	{.name = "halt with retries under way", .n = 4, .slots = 3, .retries = 1, .halt = 1,
	 .needs = {0, 0, 0, N0}, .fails = {F, F, T, F}},
};

static void chosen_plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(chosen); i++)
		explore(&chosen[i]);
}

/* ---- who watches the judge ---- */

static void forget_files(struct model_plan *p)
{
	memset(p->files, 0, sizeof p->files); /* overlaps() is always false */
}

static void forget_needs(struct model_plan *p)
{
	memset(p->needs, 0, sizeof p->needs);
}

static void invent_a_need(struct model_plan *p)
{
	p->needs[2] = N0;
}

static void one_slot_more(struct model_plan *p)
{
	p->slots++;
}

static void one_slot_less(struct model_plan *p)
{
	p->slots--;
}

static void one_retry_more(struct model_plan *p)
{
	p->retries++;
}

static void one_retry_less(struct model_plan *p)
{
	p->retries--;
}

static void forget_exclusive(struct model_plan *p)
{
	memset(p->exclusive, 0, sizeof p->exclusive);
}

static void all_exclusive(struct model_plan *p)
{
	memset(p->exclusive, true, sizeof p->exclusive);
}

static void forget_priority(struct model_plan *p)
{
	memset(p->priority, 0, sizeof p->priority);
}

static void never_halt(struct model_plan *p)
{
	p->halt = 0;
}

static void all_at_once(struct model_plan *p)
{
	p->sequential = false;
}

static void forget_slots(struct model_plan *p)
{
	memset(p->prefer, 0, sizeof p->prefer);
}

static void insist_on_slots(struct model_plan *p)
{
	memset(p->prefer, 1, sizeof p->prefer);
}

static void one_slot_for_both(struct model_plan *p)
{
	p->prefer[1] = 1;
}

static void forget_routed(struct model_plan *p)
{
	p->routed = 0;
}

static void forget_already(struct model_plan *p)
{
	p->already = 0;
}

static void forget_order(struct model_plan *p)
{
	memset(p->after, 0, sizeof p->after);
}

static void order_is_need(struct model_plan *p)
{
	memcpy(p->needs, p->after, sizeof p->needs);
	forget_order(p);
}

static void forget_claimed(struct model_plan *p)
{
	p->claimed = 0;
}

static void never_ask(struct model_plan *p)
{
	p->closed = false;
}

static void a_wrong_schedule_is_caught(void **state)
{
	(void)state;
	static const struct {
		void (*lie)(struct model_plan *told);
		struct model_plan truth;
		const char *rule;
	} lies[] = {
		{forget_files, {.name = "files", .n = 3, .slots = 2, .files = {1, 2, 1}},
		 "two tasks that declare a common file are under way at once"},
		{forget_needs, {.name = "needs", .n = 3, .slots = 2, .needs = {0, 0, N1}},
		 "a task is past waiting before all that it waits for is there"},
		{invent_a_need, {.name = "a need", .n = 3, .slots = 2}, "a task waits for nothing"},
		{one_slot_more, {.name = "slots", .n = 3, .slots = 2}, "there is no such slot"},
		{one_slot_less, {.name = "slots", .n = 3, .slots = 2},
		 "a task may start and a slot is free, but it does not"},
		{one_retry_more, {.name = "retries", .n = 2, .slots = 1, .retries = 1},
		 "a task has more attempts than it is allowed"},
		{one_retry_less, {.name = "retries", .n = 2, .slots = 1, .retries = 1},
		 "a task goes from one state to another it may not go to"},
		{forget_exclusive, {.name = "exclusive", .n = 3, .slots = 2, .exclusive = {true}},
		 "an exclusive task does not run alone"},
		{all_exclusive, {.name = "exclusive", .n = 3, .slots = 2},
		 "a task may start and a slot is free, but it does not"},
		{forget_priority, {.name = "priority", .n = 3, .slots = 1, .priority = {0, 0, 1}},
		 "it is not this task's turn"},
		{never_halt, {.name = "halt", .n = 3, .slots = 1, .halt = 2},
		 "stopping, halted or ended is not as the events say"},
		{all_at_once, {.name = "sequential", .n = 3, .slots = 2, .sequential = true},
		 "more than one at a time"},
		{forget_slots, {.name = "slots", .n = 2, .slots = 2, .prefer = {2}},
		 "it is neither its own slot nor the lowest free one"},
		{insist_on_slots, {.name = "slots", .n = 2, .slots = 2}, "a task may start and a slot is free, but it does not"},
		{one_slot_for_both, {.name = "slots", .n = 2, .slots = 2, .prefer = {1, 2}},
		 "a task may start and a slot is free, but it does not"},
		{forget_slots, {.name = "one slot for both", .n = 2, .slots = 1, .prefer = {1, 1}},
		 "a task begins before the former of its slot is merged"},
		{forget_routed, {.name = "routed", .n = 1, .slots = 1, .routed = N0}, "a task that had ended before the start goes on"},
		{forget_already, {.name = "already", .n = 2, .slots = 1, .already = N0, .needs = {0, N0}}, "a task that had ended before the start goes on"},
		{forget_order, {.name = "after", .n = 2, .slots = 2, .after = {0, N0}},
		 "a task is past waiting before all that it waits for is there"},
		{order_is_need, {.name = "after", .n = 2, .slots = 1, .after = {0, N0}},
		 "a task is skipped though nothing it needs ended badly"},
		{forget_claimed, {.name = "claimed", .n = 1, .slots = 1, .claimed = N0}, "a task that had ended before the start goes on"},
		{forget_files, {.name = "claimed", .n = 2, .slots = 1, .claimed = N0, .files = {1, 1}},
		 "a task is past waiting before all that it waits for is there"},
		{never_ask, {.name = "closed", .n = 2, .slots = 1, .closed = true},
		 "more tasks run than there are slots"},
	};
	for (size_t i = 0; i < MEM_COUNT(lies); i++) {
		struct model_plan told = lies[i].truth;
		struct model_result r;
		lies[i].lie(&told);
		model_explore(&lies[i].truth, &told, &r);
		if (!r.broken)
			fail_msg("lie %zu about %s was not caught", i, told.name);
		assert_string_equal(r.broken, lies[i].rule);
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
