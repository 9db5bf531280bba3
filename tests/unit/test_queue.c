/* queue: adding one, finding its items, what is ready and what blocks the rest. */
#include "repo.h"

#include "store/json.h"
#include "supervisor/queue/queue.h"
#include "supervisor/queue/queue_taken.h"

/* ---- plans by hand ---- */

struct made {
	struct plan plan;
	struct plan_queue queue;
};

/* "S-1; S-2 needs S-1; S-3 after S-1; S-4 turn S-2 state failed" */
static void make(struct made *m, const char *id, const char *text)
{
	AUTO_FREE char *copy = mem_strdup(text);
	char *next = NULL;

	*m = (struct made){.plan = {.kind = mem_strdup("queue"), .source = mem_strdup("q.json"), .content = mem_strdup(text)}};
	m->plan.tasks = mem_array(100, sizeof *m->plan.tasks);
	m->queue.id = mem_strdup(id);
	m->queue.defs = mem_array(100, sizeof *m->queue.defs);
	m->queue.items = mem_array(100, sizeof *m->queue.items);
	m->queue.states = mem_array(100, sizeof *m->queue.states);
	for (char *one = strtok_r(copy, ";", &next); one; one = strtok_r(NULL, ";", &next)) {
		size_t i = m->plan.n++;
		char *in = NULL, *word = strtok_r(one, " ", &in), *value;
		struct task_def *d = &m->plan.tasks[i];
		d->id = mem_strdup(word);
		d->issue = mem_printf("ISS-%zu", i + 1);
		d->solution = mem_printf("SOL-%zu", i + 1);
		m->queue.defs[i] = (struct item_def){.id = mem_strdup(word), .order = i + 1, .tasks = 1};
		while ((word = strtok_r(NULL, " ", &in)) && (value = strtok_r(NULL, " ", &in))) {
			if (str_eq(word, "needs"))
				strv_add(&d->needs, value);
			else if (str_eq(word, "after"))
				strv_add(&d->after, value);
			else if (str_eq(word, "turn"))
				strv_add(&d->in_turn, value);
			else if (str_eq(word, "file"))
				strv_add(&d->files, value);
			else if (str_eq(word, "missing"))
				d->missing = mem_strdup(value);
			else if (str_eq(word, "state"))
				assert_true(task_state_parse(value, &m->queue.states[i]));
			else
				fail_msg("no such word: %s", word);
		}
	}
	m->plan.queue = &m->queue;
}

static void made_fini(struct made *m)
{
	for (size_t i = 0; i < m->plan.n; i++)
		rec_fini(&item_def_rec, &m->queue.defs[i]);
	free(m->queue.defs);
	free(m->queue.items);
	free(m->queue.states);
	free(m->queue.id);
	rec_fini(&queue_row_rec, &m->queue.row);
	m->plan.queue = NULL;
	plan_fini(&m->plan);
}

static void site_new(struct site *s, const char *name)
{
	AUTO_FREE char *path = repo_make(name);
	struct err e = {0};
	assert_ok(site_open(s, path, SITE_WRITE, &e), &e);
}

static void add(struct site *s, const char *id, uint64_t rank, const char *status, const char *text)
{
	struct made m;
	struct queue_added a;
	struct err e = {0};

	make(&m, id, text);
	m.queue.row.rank = rank;
	m.queue.row.status = mem_strdup(status);
	assert_ok(queue_add(&a, s, &m.plan, NULL, &e), &e);
	assert_false(a.known);
	assert_string_equal(a.id, id);
	assert_int_equal(a.items, m.plan.n);
	queue_added_fini(&a);
	made_fini(&m);
}

/* ---- what is ready ---- */

/* "S-1! S-2:S-1": ready, or its name and what blocks it. */
static void expect_ready(const char *text, const char *wanted)
{
	static int number;
	struct site s;
	struct queue q;
	struct err e = {0};
	AUTO_STR struct str got = {0};
	AUTO_FREE char *name = mem_printf("ready-%d", ++number);

	site_new(&s, name);
	add(&s, "QUE-1", 0, NULL, text);
	assert_ok(queue_load(&q, &s, "QUE-1", &e), &e);
	for (size_t i = 0; i < q.n; i++) {
		AUTO_STRV struct strv blocks = {0};
		queue_blocked_by(&q, i, &blocks);
		str_addf(&got, "%s%s%s", i ? " " : "", q.links[i].id, queue_ready(&q, i) ? "!" : "");
		for (size_t k = 0; k < blocks.n; k++)
			str_addf(&got, "%c%s", k ? ',' : ':', blocks.v[k]);
	}
	assert_string_equal(got.p, wanted);
	queue_fini(&q);
	site_close(&s);
}

static void what_is_ready_and_what_blocks_the_rest(void **state)
{
	(void)state;
	expect_ready("S-1; S-2 needs S-1; S-3 after S-1; S-4 turn S-3; S-5", "S-1! S-2:S-1 S-3:S-1 S-4:S-3 S-5!");
	/* who has ended lets those go that only come after it */
	expect_ready("S-1 state failed; S-2 needs S-1; S-3 after S-1; S-4 turn S-1", "S-1 S-2:S-1 S-3! S-4!");
	expect_ready("S-1 state already; S-2 needs S-1; S-3 after S-1 needs S-1", "S-1 S-2! S-3!");
	/* who is at work does not */
	expect_ready("S-1 state claimed; S-2 needs S-1; S-3 after S-1; S-4 turn S-1", "S-1 S-2:S-1 S-3:S-1 S-4:S-1");
	expect_ready("S-1 state running; S-2 after S-1 needs S-1", "S-1 S-2:S-1");
	/* who cannot begin holds up only those that need it */
	expect_ready("S-1 missing why; S-2 after S-1; S-3 needs S-1", "S-1 S-2! S-3:S-1");
}

static void words_of_states(void **state)
{
	(void)state;
	static const struct {
		enum task_state state;
		const char *word;
		bool finished;
	} all[] = {{TASK_WAITING, "pending", false},    {TASK_BACKOFF, "pending", false},   {TASK_CLAIMED, "executing", false},
	           {TASK_RUNNING, "executing", false},  {TASK_CHECKED, "executing", false}, {TASK_INTEGRATED, "completed", true},
	           {TASK_LANDED, "completed", true},    {TASK_ALREADY, "completed", true},  {TASK_FAILED, "failed", true},
	           {TASK_TIMEOUT, "failed", true},      {TASK_BLOCKED, "failed", true},     {TASK_CONFLICT, "failed", true},
	           {TASK_SKIPPED, "skipped", true}};
	for (size_t i = 0; i < MEM_COUNT(all); i++) {
		assert_string_equal(queue_word(all[i].state), all[i].word);
		assert_int_equal(queue_finished(all[i].state), all[i].finished);
	}
	enum task_state some[] = {TASK_ALREADY, TASK_INTEGRATED, TASK_SKIPPED, TASK_CLAIMED};
	assert_string_equal(queue_status(some, 2), "completed");
	assert_string_equal(queue_status(some, 3), "failed");
	assert_string_equal(queue_status(some, 4), "active");
}

/* ---- batches ---- */

/* "S-1 S-2 | S-3": batch by batch. */
static void expect_batches(const char *text, const char *wanted)
{
	static int number;
	struct site s;
	struct queue q;
	struct err e = {0};
	AUTO_STR struct str got = {0};
	AUTO_FREE char *name = mem_printf("batches-%d", ++number);
	uint32_t batch[100], most = 0;

	site_new(&s, name);
	add(&s, "QUE-1", 0, NULL, text);
	assert_ok(queue_load(&q, &s, "QUE-1", &e), &e);
	queue_batches(batch, &q);
	for (size_t i = 0; i < q.n; i++)
		most = batch[i] > most ? batch[i] : most;
	for (uint32_t b = 1; b <= most; b++) {
		str_add(&got, b > 1 ? " |" : "");
		for (size_t i = 0; i < q.n; i++)
			if (batch[i] == b)
				str_addf(&got, "%s%s", got.len ? " " : "", q.links[i].id);
	}
	assert_string_equal(str_text(&got), wanted);
	queue_fini(&q);
	site_close(&s);
}

static void s2_3_batches_are_the_whole_future(void **state)
{
	(void)state;
	expect_batches("S-1; S-2; S-3 needs S-1", "S-1 S-2 | S-3");
	expect_batches("S-1; S-2 after S-1; S-3 turn S-2; S-4 needs S-1", "S-1 | S-2 S-4 | S-3");
	/* those at work are in the first, whatever they came after; who would be before them waits for them */
	expect_batches("S-1; S-2 after S-1 state claimed; S-3 after S-2", "S-2 | S-1 S-3");
	expect_batches("S-1; S-2 needs S-1 state running", "S-1 S-2");
	/* what has ended is not in any, nor what waits for it in vain */
	expect_batches("S-1 state already; S-2 needs S-1; S-3 state failed; S-4 needs S-3; S-5 needs S-4; S-6 after S-3",
	               "S-2 S-6");
	expect_batches("S-1 missing why; S-2 needs S-1; S-3 after S-1", "S-3");
	expect_batches("S-1 state already", "");
	/* an item may need one that comes later in the file */
	expect_batches("S-1 needs S-3; S-2 needs S-1; S-3", "S-3 | S-1 | S-2");
	expect_batches("S-1 needs S-3; S-2; S-3 state skipped", "S-2");
}

/* Of many that share a file only the nearest have an edge. */
static void s2_4_no_two_of_a_batch_share_files_with_or_without_an_edge(void **state)
{
	(void)state;
	expect_batches("S-1 file a; S-2 file A; S-3 file b; S-4 file a after S-2", "S-1 S-3 | S-2 | S-4");
	expect_batches("S-1 file src; S-2 file src/a.c; S-3 file src/*.c; S-4 file src/b.h; S-5 file b",
	               "S-1 S-5 | S-2 S-4 | S-3");
	expect_batches("S-1 file a; S-2 file a state claimed; S-3 file b file c; S-4 needs S-3; S-5 file c",
	               "S-2 S-3 | S-1 S-4 S-5");
	expect_batches("S-1 file .; S-2 file x; S-3", "S-1 S-3 | S-2");
	expect_batches("S-1 file a state claimed; S-2 file a state claimed", "S-1 S-2");
}

static const char *const some_paths[] = {"a", "A", "a/b", "a/b/c", "a/*", "a/b/*.c", "a/b/x.c", "**/x.c", ".", "b", "b/x.c", "B/*"};

static void s2_4_files_are_found_as_pairs_of_items_would_be(void **state)
{
	(void)state;
	uint64_t seed = 20261121;
	printf("seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 300; round++) {
		struct strv files[12] = {0};
		struct queue_taken *t = queue_taken_new(true);
		for (uint32_t i = 0; i < MEM_COUNT(files); i++) {
			uint32_t want_last = 0, found[MEM_COUNT(files)];
			size_t want = 0;
			for (seed = seed * UINT64_C(6364136223846793005) + 1; files[i].n < (seed >> 60) % 4;)
				strv_add(&files[i], some_paths[(seed >> (40 + 4 * files[i].n)) % MEM_COUNT(some_paths)]);
			for (uint32_t k = 0; k < i; k++) {
				if (!plan_items_overlap(&files[i], &files[k]))
					continue;
				want++;
				want_last = k / 3 + 1 > want_last ? k / 3 + 1 : want_last;
			}
			assert_int_equal(queue_taken_last(t, &files[i]), want_last);
			assert_int_equal(queue_taken_by(t, &files[i], found, MEM_COUNT(found)), want);
			for (size_t k = 0; k < want; k++)
				assert_true(plan_items_overlap(&files[i], &files[found[k]]));
			queue_taken_add(t, &files[i], i, i / 3 + 1);
		}
		queue_taken_free(t);
		for (size_t i = 0; i < MEM_COUNT(files); i++)
			strv_fini(&files[i]);
	}
}

static struct str printed;

static void print(const struct str *text)
{
	str_addn(&printed, text->p, text->len);
}

static void s2_3_the_graph_as_json(void **state)
{
	(void)state;
	struct site s;
	struct queue q;
	struct err e = {0};

	site_new(&s, "dag");
	add(&s, "QUE-1", 0, NULL, "S-1 state already; S-2 needs S-1; S-3 after S-2");
	assert_ok(queue_load(&q, &s, "QUE-1", &e), &e);
	q.row.groups = mem_strdup("[{\"id\": \"P1\", \"type\": \"parallel\", \"members\": [\"S-2\", \"S-3\"]}]");
	queue_dag_json(&q, print);
	queue_fini(&q);
	site_close(&s);
	struct json_t *j = json_parse(printed.p, printed.len, &e);
	AUTO_STR struct str compact = {0};
	AUTO_STRV struct strv keys = {0};
	assert_ok(j ? 0 : -1, &e);
	json_keys(j, &keys);
	for (size_t i = 0; i < keys.n; i++)
		str_addf(&compact, "%s ", keys.v[i]);
	assert_string_equal(compact.p, "queue_id total ready_count completed_count nodes edges groups parallel_batches "
	                    "_summary ready ");
	static const struct {
		const char *key, *json;
	} parts[] = {
		{"queue_id", "\"QUE-1\""},
		{"total", "3"},
		{"ready_count", "1"},
		{"completed_count", "1"},
		{"edges", "[{\"from\":\"S-1\",\"to\":\"S-2\",\"reason\":\"depends_on\"},"
		          "{\"from\":\"S-2\",\"to\":\"S-3\",\"reason\":\"files\"}]"},
		{"groups", "[{\"id\":\"P1\",\"type\":\"parallel\",\"solutions\":[\"S-2\",\"S-3\"]}]"},
		{"parallel_batches", "[[\"S-2\"],[\"S-3\"]]"},
		{"_summary", "{\"can_parallel\":1,\"batches_needed\":2}"},
		{"ready", "[\"S-2\"]"},
	};
	for (size_t i = 0; i < MEM_COUNT(parts); i++) {
		str_clear(&compact);
		json_write(json_get(j, parts[i].key), false, &compact);
		assert_string_equal(compact.p, parts[i].json);
	}
	str_clear(&compact);
	json_write(json_nth(json_get(j, "nodes"), 2), false, &compact);
	assert_string_equal(compact.p, "{\"id\":\"S-3\",\"issue_id\":\"ISS-3\",\"solution_id\":\"SOL-3\",\"status\":\"pending\","
	                    "\"priority\":null,\"depends_on\":[],\"task_count\":1,\"files_touched\":[],\"ready\":false,"
	                    "\"blocked_by\":[\"S-2\"]}");
	json_free(j);
	str_clear(&printed);
	queue_dag_none("no \"queue\"", print);
	assert_string_equal(printed.p, "{\"error\": \"no \\\"queue\\\"\", \"nodes\": [], \"edges\": [], \"groups\": []}\n");
	str_fini(&printed);
}

/* ---- which is meant ---- */

static void expect_found(const struct site *s, const char *name, const char *in, const char *wanted)
{
	AUTO_FREE char *queue = NULL;
	AUTO_STR struct str got = {0};
	size_t ordinal = 0;
	struct err e = {0};

	if (queue_find_item(&queue, &ordinal, s, name, in, &e) == 0)
		str_addf(&got, "%s/%zu", queue, ordinal);
	else
		str_add(&got, err_kind_name(e.kind));
	assert_string_equal(got.p, wanted);
}

static void s2_14_queues_by_priority_and_qualified_ids(void **state)
{
	(void)state;
	struct site s;
	struct err e = {0};
	AUTO_STRV struct strv ids = {0}, all = {0};

	site_new(&s, "names");
	add(&s, "QUE-none", 0, "active", "S-1; S-2");
	add(&s, "QUE-three", 4, "active", "S-1; S-3");
	add(&s, "QUE-first", 2, NULL, "S-0; S-1");
	add(&s, "QUE-done", 1, "completed", "S-1; S-9; S-8");
	add(&s, "QUE-done2", 1, "failed", "S-9");
	assert_ok(queue_active(&ids, &s, &e), &e);
	assert_int_equal(ids.n, 3);
	assert_string_equal(ids.v[0], "QUE-first");
	assert_string_equal(ids.v[1], "QUE-three");
	assert_string_equal(ids.v[2], "QUE-none");
	assert_ok(queue_list(&all, &s, &e), &e);
	assert_int_equal(all.n, 5);
	assert_string_equal(all.v[0], "QUE-done");
	expect_found(&s, "S-1", NULL, "QUE-first/2");
	expect_found(&s, "S-3", NULL, "QUE-three/2");
	expect_found(&s, "S-1", "QUE-none", "QUE-none/1");
	expect_found(&s, "QUE-three:S-1", NULL, "QUE-three/1");
	expect_found(&s, "QUE-done:S-8", NULL, "QUE-done/3");
	expect_found(&s, "S-8", NULL, "QUE-done/3");
	expect_found(&s, "S-9", NULL, "usage"); /* two that are not active */
	expect_found(&s, "S-7", NULL, "missing");
	expect_found(&s, "QUE-none:S-3", NULL, "missing");
	expect_found(&s, "QUE-x:S-1", NULL, "missing");
	expect_found(&s, "QUE-none:S-1", "QUE-done", "usage");
	expect_found(&s, "../S 1", NULL, "missing");
	site_close(&s);
}

/* ---- adding ---- */

static void what_is_there_already_is_not_added_again(void **state)
{
	(void)state;
	struct site s;
	struct made m;
	struct queue_added a;
	struct queue_item item;
	struct err e = {0};

	site_new(&s, "again");
	add(&s, "QUE-1", 0, NULL, "S-1; S-2 needs S-1");
	make(&m, "QUE-1", "S-1; S-2 needs S-1");
	assert_ok(queue_add(&a, &s, &m.plan, NULL, &e), &e);
	assert_true(a.known);
	assert_int_equal(a.ready, 1);
	queue_added_fini(&a);
	assert_ok(queue_add(&a, &s, &m.plan, "QUE-2", &e), &e);
	assert_false(a.known);
	queue_added_fini(&a);
	made_fini(&m);
	make(&m, "QUE-1", "S-1; S-2");
	assert_int_equal(queue_add(&a, &s, &m.plan, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_EXISTS);
	queue_added_fini(&a);
	made_fini(&m);

	assert_ok(queue_item_load(&item, &s, "QUE-2", 2, &e), &e);
	assert_string_equal(item.def.id, "S-2");
	assert_string_equal(item.item_def.id, "S-2");
	assert_int_equal(queue_state(&item.task), TASK_WAITING);
	queue_item_fini(&item);
	assert_int_equal(queue_item_load(&item, &s, "QUE-2", 3, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	queue_item_fini(&item);
	site_close(&s);
}

static void one_without_an_id_gets_one_of_the_time(void **state)
{
	(void)state;
	struct site s;
	struct made m;
	struct queue_added a, b;
	struct err e = {0};

	site_new(&s, "time");
	make(&m, NULL, "S-1");
	assert_ok(queue_add(&a, &s, &m.plan, NULL, &e), &e);
	assert_true(str_starts(a.id, "QUE-"));
	assert_null(plan_id_fault(a.id));
	made_fini(&m);
	make(&m, NULL, "S-1; S-2");
	assert_ok(queue_add(&b, &s, &m.plan, NULL, &e), &e);
	assert_string_not_equal(a.id, b.id);
	queue_added_fini(&a);
	queue_added_fini(&b);
	made_fini(&m);
	site_close(&s);
}

static int all_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_ready_and_what_blocks_the_rest),
		cmocka_unit_test(words_of_states),
		cmocka_unit_test(s2_3_batches_are_the_whole_future),
		cmocka_unit_test(s2_4_no_two_of_a_batch_share_files_with_or_without_an_edge),
		cmocka_unit_test(s2_4_files_are_found_as_pairs_of_items_would_be),
		cmocka_unit_test(s2_3_the_graph_as_json),
		cmocka_unit_test(s2_14_queues_by_priority_and_qualified_ids),
		cmocka_unit_test(what_is_there_already_is_not_added_again),
		cmocka_unit_test(one_without_an_id_gets_one_of_the_time),
	};
	return cmocka_run_group_tests(tests, repo_setup, repo_teardown);
}

int main(void)
{
	return all_tests();
}
