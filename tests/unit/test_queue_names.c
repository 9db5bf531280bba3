/* Names in queues: groups, conflicts and dependencies, also where there are very many. What once took time by their square
 * would take longer here than a test may. */
#include "queue_scratch.h"

#include "supervisor/plan/queue_private.h"

/* n items I-0, I-1, ... of the solution SOL, without a file. */
struct made {
	struct plan_faults faults;
	struct plan_loader l;
	struct plan_queue q;
	struct queue_reader r;
};

static void make(struct made *m, size_t n)
{
	*m = (struct made){.l = {.n = n}};
	m->l.faults = &m->faults;
	m->l.tasks = mem_array(n, sizeof *m->l.tasks);
	m->l.origins = mem_array(n, sizeof *m->l.origins);
	m->q.defs = mem_array(n, sizeof *m->q.defs);
	m->q.states = mem_array(n, sizeof *m->q.states);
	m->r = (struct queue_reader){.l = &m->l, .file = "q.json", .q = &m->q};
	for (size_t i = 0; i < n; i++) {
		m->l.tasks[i] = (struct task_def){.id = mem_printf("I-%zu", i), .solution = mem_strdup("SOL")};
		m->l.origins[i] = (struct plan_origin){.file = "q.json", .line = i + 1};
	}
}

static void resolve(struct made *m, const char *groups)
{
	struct json_cut at = {0}, none = {0};

	if (groups)
		json_cut_start(&at, groups, strlen(groups));
	queue_names_resolve(&m->r, &at, &none);
}

static void fini(struct made *m)
{
	for (size_t i = 0; i < m->l.n; i++) {
		rec_fini(&task_def_rec, &m->l.tasks[i]);
		rec_fini(&item_def_rec, &m->q.defs[i]);
	}
	rec_fini(&queue_row_rec, &m->q.row);
	free(m->l.tasks);
	free(m->l.origins);
	free(m->q.defs);
	free(m->q.states);
	strv_fini(&m->l.warnings);
	plan_faults_fini(&m->faults);
}

static void each_item_in_a_group_of_its_own(void **state)
{
	(void)state;
	enum { N = 50000 };
	struct made m;

	make(&m, N);
	for (size_t i = 0; i < N; i++)
		m.q.defs[i].group = mem_printf("P%zu", (i * 7919) % N);
	resolve(&m, NULL);
	assert_false(m.l.bad);
	assert_true(str_starts(m.q.row.groups, "[{\"id\":\"P0\",\"type\":\"parallel\",\"members\":[\"I-0\"]},\n"
	                                       "{\"id\":\"P7919\",\"type\":\"parallel\",\"members\":[\"I-1\"]},\n"));
	fini(&m);
}

/* A list of `names` times the solution of all items. */
static void add_group(struct str *out, size_t number, size_t names)
{
	str_addf(out, "%s{\"id\":\"P%zu\",\"items\":[", number ? "," : "[", number);
	for (size_t i = 0; i < names; i++)
		str_add(out, i ? ",\"SOL\"" : "\"SOL\"");
	str_add(out, "]}");
}

static void a_solution_is_opened_once_in_a_list(void **state)
{
	(void)state;
	enum { N = 20000, LISTS = 20 };
	AUTO_STR struct str text = {0};
	struct made m;

	make(&m, N);
	for (size_t i = 0; i < LISTS; i++)
		add_group(&text, i, N);
	str_add(&text, "]");
	resolve(&m, text.p);
	assert_false(m.l.bad);
	assert_int_equal(m.l.warnings.n, 0);
	fini(&m);
}

static void members_have_a_limit(void **state)
{
	(void)state;
	enum { N = 50000 };
	AUTO_STR struct str text = {0};
	struct made m;

	make(&m, N);
	for (size_t i = 0; i <= PLAN_MAX_EDGES / N; i++)
		add_group(&text, i, 1);
	str_add(&text, "]");
	resolve(&m, text.p);
	assert_int_equal(m.faults.n, 1);
	assert_string_equal(m.faults.v[0].message, "they and the conflicts have more than 4000000 members");
	fini(&m);
	make(&m, 1);
	str_clear(&text);
	for (size_t i = 0; i < 2 * PLAN_MAX_TASKS; i++)
		str_add(&text, i ? ",{}" : "[{}");
	str_add(&text, "]");
	resolve(&m, text.p);
	assert_int_equal(m.faults.n, 1);
	assert_string_equal(m.faults.v[0].message, "there are more than 100000 of these");
	assert_int_equal(m.l.warnings.n, QUEUE_MAX_SAID + 1);
	fini(&m);
}

static void what_is_named_again_is_not_looked_at_again(void **state)
{
	(void)state;
	enum { N = 16000, FIRST = 20 };
	AUTO_STR struct str text = {0};
	struct made m;

	make(&m, N);
	add_group(&text, 0, 1);
	str_add(&text, "]");
	for (size_t i = 0; i < FIRST; i++)
		for (size_t k = 0; k < 10000; k++)
			strv_add(&m.l.tasks[i].needs, k % 2 ? "P0" : "SOL");
	resolve(&m, text.p);
	assert_int_equal(m.faults.n, 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(m.l.tasks[i].needs.n, i < FIRST ? N - 1 : 0);
	fini(&m);
}

static void which_groups_are_sequential(void **state)
{
	(void)state;
	static const char *const ids[] = {"S1", "s", "S-2", "seq-a", "P1", "shared", "Setup", "S1b", "1"};
	AUTO_STR struct str text = {0};
	struct made m;

	for (size_t i = 0; i < MEM_COUNT(ids); i++)
		str_addf(&text, "%s{\"id\":\"%s\"}", i ? "," : "[", ids[i]);
	str_add(&text, ",{\"id\":\"S2\",\"type\":\"parallel\"},{\"id\":\"P2\",\"type\":\"sequential\"},{\"id\":\"S3\",\"type\":\"odd\"}]");
	make(&m, 0);
	resolve(&m, text.p);
	str_clear(&text);
	for (const char *p = m.q.row.groups; (p = strstr(p, "\"type\":\"")); p++)
		str_addc(&text, p[8]);
	assert_string_equal(text.p, "ssssppppppss");
	fini(&m);
}

static void what_is_wrong_with_a_member_is_said_once(void **state)
{
	(void)state;
	struct plan_faults faults = {0};
	struct plan p;

	put("q.json", "{'id':'Q','solutions':[{'item_id':'S-1'}],'conflicts':{'a':[{'id':1,'id':2}],'b':[]}}");
	assert_int_equal(try_load(&p, "q.json", &faults), -1);
	assert_int_equal(faults.n, 1);
	assert_non_null(strstr(faults.v[0].message, "duplicate object key"));
	plan_faults_fini(&faults);
}

/* Of one element only. */
static void lists_may_be_longer_than_a_value(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0};
	AUTO_FREE char *why = mem_alloc((1 << 20) + 1);
	struct plan p;

	memset(why, 'x', 1 << 20);
	str_add(&text, "{'solutions':[{'item_id':'S-1'}],'execution_groups':[");
	for (int i = 0; i < 17; i++)
		str_addf(&text, "%s{'id':'P%d','items':['S-1'],'why':'%s'}", i ? "," : "", i, why);
	str_add(&text, "]}");
	put("q.json", text.p);
	load(&p, "q.json");
	assert_non_null(strstr(p.queue->row.groups, "P16"));
	plan_fini(&p);
}

/* On one line, of whole characters. */
static void foreign_names_in_warnings(void **state)
{
	(void)state;
	struct plan p;
	AUTO_STR struct str text = {0};

	str_add(&text, "{'solutions':[{'item_id':'S-1'}],'execution_groups':[{'id':'a\\n\\u001b[2Jb','items':['S-1','");
	for (int i = 0; i < 30; i++)
		str_add(&text, "\xe2\x82\xac");
	str_add(&text, "']}]}");
	put("q.json", text.p);
	load(&p, "q.json");
	assert_int_equal(p.warnings.n, 1);
	const char *said = strstr(p.warnings.v[0], "q.json:1: a\\x0a\\x1b[2Jb: there is no item or solution \"\xe2\x82\xac");
	assert_non_null(said);
	assert_non_null(strstr(said, "\xe2\x82\xac\": left out"));
	plan_fini(&p);
}

static void warnings_have_a_limit(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0};
	struct plan p;

	str_add(&text, "{'solutions':[{'item_id':'S-1','issue_id':'I'}],'execution_groups':[{'id':'P1','items':['S-1'");
	for (int i = 0; i < 3000; i++)
		str_addf(&text, ",'X-%d'", i);
	str_add(&text, "]}]}");
	put("q.json", text.p);
	load(&p, "q.json");
	assert_int_equal(p.warnings.n, QUEUE_MAX_SAID + 1);
	assert_non_null(strstr(p.warnings.v[QUEUE_MAX_SAID], "q.json: 2000 more warnings are not listed"));
	plan_fini(&p);
	put("q.json", "{'solutions':[{'item_id':'S-1','issue_id':'I'}]}");
	str_clear(&text);
	for (int i = 0; i < 500; i++)
		str_add(&text, "{'id':'I'}\n");
	put("issues.jsonl", text.p);
	load(&p, "q.json");
	assert_int_equal(p.warnings.n, QUEUE_MAX_WARNINGS + 1);
	assert_true(warned(&p, "issues.jsonl: 399 more of such lines"));
	plan_fini(&p);
}

static void the_active_ones_of_an_index(void **state)
{
	(void)state;
	struct queue_index index;
	AUTO_STRV struct strv warnings = {0};
	AUTO_FREE char *path = mem_printf("%s/index.json", top);
	AUTO_STR struct str text = {0};

	put("index.json", "{'active_queue_id':'A','active_queue_ids':['B',['C',['D']],7,'A','B']}");
	queue_index_read(&index, &warnings, path);
	assert_int_equal(index.active.n, 2);
	assert_string_equal(index.active.v[1], "B");
	queue_index_fini(&index);
	for (int i = 0; i < 2 * QUEUE_MAX_FILES; i++)
		str_addf(&text, "%s'Q%d'", i ? "," : "{'active_queue_id':['A'],'active_queue_ids':[", i);
	str_add(&text, "]}");
	put("index.json", text.p);
	queue_index_read(&index, &warnings, path);
	assert_int_equal(index.active.n, QUEUE_MAX_FILES);
	queue_index_fini(&index);
	assert_int_equal(warnings.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"each item in a group of its own", each_item_in_a_group_of_its_own, NULL, NULL, NULL},
		{"a solution is opened once in a list", a_solution_is_opened_once_in_a_list, NULL, NULL, NULL},
		{"members of groups have a limit", members_have_a_limit, NULL, NULL, NULL},
		{"what is named again is not looked at again", what_is_named_again_is_not_looked_at_again, NULL, NULL, NULL},
		{"which groups are sequential", which_groups_are_sequential, NULL, NULL, NULL},
		QUEUE_TEST("what is wrong with a member is said once", what_is_wrong_with_a_member_is_said_once),
		QUEUE_TEST("lists may be longer than a value", lists_may_be_longer_than_a_value),
		QUEUE_TEST("foreign names in warnings", foreign_names_in_warnings),
		QUEUE_TEST("warnings have a limit", warnings_have_a_limit),
		QUEUE_TEST("the active ones of an index", the_active_ones_of_an_index),
	};
	return cmocka_run_group_tests_name("queue_names", tests, NULL, NULL);
}
