/* queue_check: items of a queue against each other, from whole files. */
#include "test.h"

#include "supervisor/plan/plan.h"

/* A queue whose items and the rest are given. */
static char *queue(const char *items, const char *rest)
{
	return mem_printf("{\"id\":\"QUE-1\",\"status\":\"active\",\"solutions\":[%s]%s%s}\n", items, *rest ? ",\n" : "", rest);
}

static void load(struct plan *p, const char *items, const char *rest)
{
	AUTO_FREE char *text = queue(items, rest);
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0};

	if (plan_load_text(p, "q.json", text, strlen(text), NULL, &faults) != 0) {
		plan_faults_print(&faults, &said);
		fail_msg("%s", said.p);
	}
}

static void assert_faults(const char *items, const char *rest, const char *want)
{
	AUTO_FREE char *text = queue(items, rest);
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0};
	struct plan p;

	assert_int_equal(plan_load_text(&p, "q.json", text, strlen(text), NULL, &faults), -1);
	plan_faults_print(&faults, &said);
	assert_string_equal(said.p, want);
	plan_faults_fini(&faults);
}

/* The warnings that hold `mark`, one per line; what is said of missing solutions is not of interest. */
static void assert_warned(const struct plan *p, const char *mark, const char *want)
{
	AUTO_STR struct str said = {0};

	for (size_t i = 0; i < p->warnings.n; i++)
		if (strstr(p->warnings.v[i], mark))
			str_addf(&said, "%s\n", p->warnings.v[i]);
	assert_string_equal(str_text(&said), want);
}

static void circles(void **state)
{
	(void)state;
	assert_faults("{\"item_id\":\"S-1\",\"depends_on\":[\"S-2\"]},\n{\"item_id\":\"S-2\",\"depends_on\":[\"S-1\"]}", "",
	              "q.json:1: task S-1: depends_on: these items wait for each other: S-1 -> S-2 -> S-1\n");
	/* S-2 needs all of P1, of which S-1 is one; and S-1 needs S-2 */
	assert_faults("\n{\"item_id\":\"S-1\",\"depends_on\":[\"S-2\"]},\n{\"item_id\":\"S-2\",\"depends_on\":[\"P1\"]}",
	              "\"execution_groups\":[{\"id\":\"P1\",\"type\":\"parallel\",\"solutions\":[\"S-1\"]}]",
	              "q.json:2: task S-1: depends_on: these items wait for each other: S-1 -> S-2 -> S-1\n");
	/* both are in the group that both need */
	assert_faults("{\"item_id\":\"S-1\",\"depends_on\":[\"P1\"]},{\"item_id\":\"S-2\",\"depends_on\":[\"P1\"]}",
	              "\"execution_groups\":[{\"id\":\"P1\",\"solutions\":[\"S-1\",\"S-2\"]}]",
	              "q.json:1: task S-1: depends_on: these items wait for each other: S-1 -> S-2 -> S-1\n");
}

static void names(void **state)
{
	(void)state;
	assert_faults("{\"item_id\":\"S-1\",\"depends_on\":[\"S-9\"]}", "",
	              "q.json:1: task S-1: depends_on: there is no item, group or solution \"S-9\"\n");
	assert_faults("{\"item_id\":\"S-1\"},\n{\"item_id\":\"S-1\"}", "",
	              "q.json:2: task S-1: item_id: this id is taken by the item in line 1 (S-1)\n");
}

static void groups(void **state)
{
	(void)state;
	struct plan p;

	load(&p, "{\"item_id\":\"S-1\",\"files_touched\":[\"a.c\"]},\n{\"item_id\":\"S-2\",\"files_touched\":[\"A.c\"]},\n"
	         "{\"item_id\":\"S-3\"},\n{\"item_id\":\"S-4\"},{\"item_id\":\"S-5\"}",
	     "\"execution_groups\":[{\"id\":\"P1\",\"type\":\"parallel\",\"solutions\":[\"S-1\",\"S-2\"]},"
	     "{\"id\":\"S1\",\"type\":\"sequential\",\"solutions\":[\"S-4\",\"S-3\"]}]");
	assert_warned(&p, "group", "q.json:4: S-5 is in no group: it runs as soon as its dependencies and files allow\n"
	                           "q.json: S-1 and S-2 of the parallel group P1 both have A.c: they are not run at once\n");
	assert_string_equal(p.tasks[1].after.v[0], "S-1");
	assert_string_equal(p.tasks[2].in_turn.v[0], "S-4");
	assert_int_equal(p.wave[1], 2);
	assert_int_equal(p.after[p.after_at[2]], 3);
	plan_fini(&p);
	load(&p, "{\"item_id\":\"S-1\"}", "");
	assert_warned(&p, "group", "");
	plan_fini(&p);
}

static const char two[] = "{\"item_id\":\"S-1\",\"files_touched\":[\"a.c\"],\"solution_id\":\"A\",\"solution\":{\"id\":\"A\"}},"
                          "{\"item_id\":\"S-2\",\"files_touched\":[\"a.c\"],\"solution_id\":\"B\",\"solution\":{\"id\":\"B\"}%s}";

static void conflicts(void **state)
{
	(void)state;
	static const struct {
		const char *rest, *second; /* of the queue, of its second item */
		bool held;
	} cases[] = {
		{"\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",\"solutions\":[\"S-1\",\"S-2\"]}]", "", true},
		{"\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",\"solutions\":[\"S-1\",\"S-2\"],\"resolution\":\"manual\"}]", "", true},
		{"\"conflicts\":{\"file_conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",\"solutions\":[\"A\",\"B\"]}]}", "", true},
		{"\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",\"solutions\":[\"S-1\",\"S-2\"],\"resolved\":true}]", "", false},
		{"\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",\"solutions\":[\"S-1\",\"S-2\"],\"resolution\":\"merge\"}]", "", false},
		{"\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"medium\",\"solutions\":[\"S-1\",\"S-2\"]}]", "", false},
		{"\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",\"solutions\":[\"S-1\",\"S-2\"]}]", ",\"status\":\"completed\"", false},
		{"\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",\"solutions\":[\"S-1\",\"S-2\"]}]", ",\"depends_on\":[\"S-1\"]", false},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_FREE char *items = mem_printf(two, cases[i].second);
		struct plan p;
		load(&p, items, cases[i].rest);
		for (size_t k = 0; k < 2; k++) {
			if (!str_eq(p.tasks[k].missing, cases[i].held ? "conflict CFT-1 of high severity has no order: give it a resolution_order" : NULL))
				fail_msg("case %zu: %s", i, p.tasks[k].missing ? p.tasks[k].missing : "may be run");
		}
		assert_warned(&p, "CFT-1", cases[i].held ? "q.json: conflict CFT-1 of high severity has no order: S-1, S-2 will not be "
		                                           "run until it has a resolution_order\n" : "");
		plan_fini(&p);
	}
}

static void a_decided_conflict(void **state)
{
	(void)state;
	AUTO_FREE char *items = mem_printf(two, "");
	struct plan p;

	load(&p, items, "\"conflicts\":[{\"type\":\"file_conflict\",\"file\":\"a.c\",\"severity\":\"high\",\"solutions\":[\"S-1\",\"S-2\"],"
	                "\"resolution\":\"sequential\",\"resolution_order\":[\"B\",\"S-1\"]}]");
	assert_null(p.tasks[0].missing);
	assert_int_equal(p.tasks[1].after.n, 0);
	assert_string_equal(p.tasks[0].after.v[0], "S-2");
	assert_int_equal(p.wave[0], 2);
	assert_warned(&p, "", "");
	plan_fini(&p);
}

static void a_conflict_in_part(void **state)
{
	(void)state;
	static const char three[] = "{\"item_id\":\"S-1\",\"solution\":{\"id\":\"A\"}},{\"item_id\":\"S-2\",\"solution\":{\"id\":\"B\"}},"
	                            "{\"item_id\":\"S-3\",\"solution\":{\"id\":\"C\"}%s}";
	static const char names[] = "\"solutions\":[\"S-1\",\"S-2\",\"S-3\"]";
	static const struct {
		const char *third, *members, *order, *warning;
		bool held;
	} cases[] = {
		{"", names, "\"S-1\",\"S-2\"", "q.json: conflict CFT-1 of high severity has an order without some of its items: S-1, S-2, "
		 "S-3 will not be run until it has a whole resolution_order\n", true},
		{"", names, "\"S-3\",\"S-1\",\"S-2\"", "", false},
		{",\"status\":\"completed\"", names, "\"S-1\",\"S-2\"", "", false},
		{"", "\"solutions\":[\"S-1\"]", "", "q.json: conflict CFT-1 of high severity names fewer than two items of the queue: it holds "
		 "nothing back\n", false},
		{"", "\"file\":\"a.c\"", "\"S-1\",\"S-2\"", "", false},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_FREE char *items = mem_printf(three, cases[i].third);
		AUTO_FREE char *rest = mem_printf("\"conflicts\":[{\"id\":\"CFT-1\",\"severity\":\"high\",%s,\"resolution_order\":[%s]}]",
		                                  cases[i].members, cases[i].order);
		struct plan p;
		load(&p, items, rest);
		for (size_t k = 0; k < 3; k++)
			if (!str_eq(p.tasks[k].missing, cases[i].held ? "conflict CFT-1 of high severity has an order without some of its items: "
			                                                "give it a whole resolution_order" : NULL))
				fail_msg("case %zu: %s", i, p.tasks[k].missing ? p.tasks[k].missing : "may be run");
		assert_warned(&p, "CFT-1", cases[i].warning);
		plan_fini(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"S2.18: circles of dependencies, also through groups", circles, NULL, NULL, NULL},
		{"S2.18: unknown ids, and ids that are there twice", names, NULL, NULL, NULL},
		{"S2.18: items in no group, and parallel ones that share files", groups, NULL, NULL, NULL},
		{"S2.20: a conflict of high severity without an order", conflicts, NULL, NULL, NULL},
		{"S2.20: a conflict whose order or members are not all there", a_conflict_in_part, NULL, NULL, NULL},
		{"S2.20: its order is what is run", a_decided_conflict, NULL, NULL, NULL},
	};
	return cmocka_run_group_tests_name("queue_check", tests, NULL, NULL);
}
