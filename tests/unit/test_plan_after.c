/* plan_needs: what only has to have ended before a task begins is kept apart from what it needs. */
#include "store/base/mem.h"
#include "supervisor/plan/plan.h"
#include "test.h"

/* A plan of so many tasks a, b, c... whose edges are "ab" (a needs b), "a<b" (a after b), "a|b" (a in turn after b). */
static int build(struct plan *p, size_t n, const char *const *edges, size_t n_edges, struct err *e)
{
	struct task_def *defs = mem_array(n, sizeof *defs);

	for (size_t i = 0; i < n; i++) {
		defs[i].id = mem_printf("%c", (char)('a' + i));
		defs[i].run = mem_strdup("true");
	}
	for (size_t i = 0; i < n_edges; i++) {
		const char *s = edges[i];
		struct task_def *d = &defs[s[0] - 'a'];
		strv_add(s[1] == '<' ? &d->after : s[1] == '|' ? &d->in_turn : &d->needs, s + strlen(s) - 1);
	}
	return plan_from_defs(p, "queue", NULL, defs, n, e);
}

static void after_is_kept_apart(void **state)
{
	(void)state;
	static const char *const edges[] = {"ba", "c<a", "c|b", "d<c"};
	struct plan p;
	struct err e = {0};

	assert_int_equal(build(&p, 5, edges, MEM_COUNT(edges), &e), 0);
	assert_int_equal(p.needs_at[5], 1);
	assert_int_equal(p.needs[p.needs_at[1]], 0);
	assert_int_equal(p.after_at[5], 3);
	assert_int_equal(p.after_at[2], 0);
	assert_int_equal(p.after[0], 0);
	assert_int_equal(p.after[1], 1);
	assert_int_equal(p.after[2], 2);
	assert_int_equal(p.after_at[3], 2);
	plan_fini(&p);
}

static void waves_go_by_both(void **state)
{
	(void)state;
	static const char *const edges[] = {"ba", "c<b", "d|c"};
	static const uint32_t waves[] = {1, 2, 3, 4, 1};
	struct plan p;
	struct err e = {0};

	assert_int_equal(build(&p, 5, edges, MEM_COUNT(edges), &e), 0);
	for (size_t i = 0; i < p.n; i++)
		assert_int_equal(p.wave[i], waves[i]);
	assert_int_equal(plan_set_barrier(&p, PLAN_BARRIER_WAVE, &e), 0); /* made again, not twice */
	assert_int_equal(p.after_at[5], 2);
	plan_fini(&p);
}

static void a_plan_without_has_none(void **state)
{
	(void)state;
	static const char text[] = "tasks: [{id: a, run: x}, {id: b, run: x, needs: [a]}]";
	struct plan_faults faults = {0};
	struct plan p;

	assert_int_equal(plan_load_text(&p, "p", text, strlen(text), NULL, &faults), 0);
	assert_int_equal(p.after_at[0], 0);
	assert_int_equal(p.after_at[2], 0);
	plan_fini(&p);
}

static void damage_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *edges[2], *says;
	} cases[] = {
		{{"a<z"}, "task a comes after z, which does not exist"},
		{{"b|z"}, "task b comes after z, which does not exist"},
		{{"a<a"}, "wait for each other"},
		{{"ab", "b<a"}, "wait for each other"},
		{{"a<b", "b|a"}, "wait for each other"},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		struct plan p;
		struct err e = {0};
		size_t n = cases[i].edges[1] ? 2 : 1;
		assert_int_equal(build(&p, 2, cases[i].edges, n, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		assert_non_null(strstr(e.text, cases[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_is_kept_apart),
		cmocka_unit_test(waves_go_by_both),
		cmocka_unit_test(a_plan_without_has_none),
		cmocka_unit_test(damage_is_found),
	};
	return cmocka_run_group_tests_name("plan_after", tests, NULL, NULL);
}
