/* Folders of issues: which of their queues is meant, and what their index says. */
#include "queue_scratch.h"

#define QUEUE(id, status) "{'id':'" id "','status':'" status "','solutions':[{'item_id':'S-1'}]}"

static void expect_queue(const char *id)
{
	struct plan p;

	load(&p, ".");
	assert_string_equal(p.queue->id, id);
	plan_fini(&p);
}

static void the_first_active_one_by_priority_then_id(void **state)
{
	(void)state;
	struct plan p;

	put("queues/QUE-1.json", QUEUE("QUE-1", "completed"));
	put("queues/QUE-2.json", QUEUE("QUE-2", "active"));
	put("queues/QUE-3.json", QUEUE("QUE-3", "pending"));
	put("queues/QUE-4.json", QUEUE("QUE-4", "active"));
	expect_queue("QUE-2");
	put("queues/index.json", "{'active_queue_ids':['QUE-3','QUE-4','QUE-1'],'active_queue_id':'QUE-4','queues':["
	                         "{'id':'QUE-3','priority':2},{'id':'QUE-2','priority':0},{'id':'QUE-4','priority':1,'x':[1]}]}");
	load(&p, ".");
	assert_string_equal(p.queue->id, "QUE-4");
	assert_int_equal(p.queue->row.rank, 2);
	assert_string_equal(p.queue->row.index_raw, "{\"id\":\"QUE-4\",\"priority\":1,\"x\":[1]}");
	assert_true(str_ends(p.queue->row.folder, "/queues"));
	assert_string_equal(p.queue->row.file, "QUE-4.json");
	assert_true(warned(&p, "QUE-4 is taken; also active: QUE-3"));
	plan_fini(&p);
	wanted = "QUE-1";
	expect_queue("QUE-1");
	wanted = "QUE-9";
	refused(".", "it has no queue QUE-9; there are: QUE-2, QUE-4, QUE-3, QUE-1");
}

static void all_files_in_the_same_order(void **state)
{
	(void)state;
	AUTO_STRV struct strv files = {0};
	struct err e = {0};

	assert_int_equal(plan_queue_files(&files, top, &e), -1);
	assert_non_null(strstr(e.text, "has no queues"));
	put("queues/a.json", QUEUE("QUE-2", "active"));
	put("queues/b.json", QUEUE("QUE-1", "archived"));
	put("queues/c.json", QUEUE("QUE-3", "active"));
	put("queues/d.txt", "no queue");
	put("queue.json", "{'queue':[]}");
	put("queues/index.json", "{'queues':[{'id':'QUE-3','priority':0}]}");
	assert_ok(plan_queue_files(&files, top, &e), &e);
	assert_int_equal(files.n, 4);
	assert_true(str_ends(files.v[0], "/queues/c.json"));
	assert_true(str_ends(files.v[1], "/queues/b.json"));
	assert_true(str_ends(files.v[2], "/queues/a.json"));
	assert_true(str_ends(files.v[3], "/queue.json"));
}

static void when_none_is_active(void **state)
{
	(void)state;

	put("issues.jsonl", "");
	refused(".", "there is no queue in this folder of issues");
	put("queues/QUE-1.json", QUEUE("QUE-1", "completed"));
	expect_queue("QUE-1");
	put("queues/QUE-2.json", QUEUE("QUE-2", "archived"));
	refused(".", "none of its queues is active; name the file of one of: QUE-1, QUE-2");
	put("queues/index.json", "{'active_queue_id':'QUE-2'}");
	expect_queue("QUE-2");
}

/* A queue without an id, which stock tools wrote back beside itself. */
static void the_file_that_is_called_so(void **state)
{
	(void)state;
	struct plan p;

	put("queues/Copy.json", "{'queue_id':'QUE-1','status':'active','name':'copy','solutions':[]}");
	put("queues/QUE-1.json", "{'queue_id':'QUE-1','status':'active','name':'true','solutions':[]}");
	wanted = "QUE-1";
	load(&p, ".");
	assert_string_equal(p.queue->row.name, "true");
	plan_fini(&p);
	wanted = NULL;
	load(&p, ".");
	assert_string_equal(p.queue->row.name, "true");
	plan_fini(&p);
}

static void a_damaged_index_is_a_warning(void **state)
{
	(void)state;
	struct plan p;

	put("queues/QUE-1.json", QUEUE("QUE-1", "active"));
	put("queues/index.json", "{'queues':[{'id':'QUE-1','priority':3},\n{'id':");
	load(&p, ".");
	assert_int_equal(p.queue->row.rank, 4);
	assert_true(warned(&p, "index.json:2:1: "));
	plan_fini(&p);
}

static void the_legacy_queue(void **state)
{
	(void)state;
	struct plan p;

	put("issues.jsonl", "{'id':'I','title':'T'}\n");
	put("solutions/I.jsonl", "{'id':'SOL','is_bound':true}\n");
	put("queue.json", "{'queue':[{'item_id':'S-1','issue_id':'I'}]}");
	load(&p, ".");
	assert_string_equal(p.tasks[0].solution, "SOL");
	assert_string_equal(p.queue->row.items_key, "queue");
	plan_fini(&p);
}

static void one_queue_at_a_time(void **state)
{
	(void)state;
	struct plan_faults faults = {0};
	struct plan p;
	AUTO_FREE char *one = mem_printf("%s/a.json", top), *two = mem_printf("%s/b.json", top);
	AUTO_FREE char *own = mem_printf("%s/c.json", top);
	const char *files[] = {one, two}, *mixed[] = {own, one}, *other[] = {one, own};

	put("a.json", QUEUE("QUE-1", "active"));
	put("b.json", QUEUE("QUE-2", "active"));
	put("c.json", "{'kind':'queue','tasks':[{'id':'a','run':'x'}]}");
	assert_int_equal(plan_load(&p, files, 2, NULL, &faults), -1);
	assert_non_null(strstr(faults.v[0].message, "one run takes one queue"));
	plan_faults_fini(&faults);
	assert_int_equal(plan_load(&p, mixed, 2, NULL, &faults), -1);
	plan_faults_fini(&faults);
	assert_int_equal(plan_load(&p, other, 2, NULL, &faults), -1);
	plan_faults_fini(&faults);
	assert_ok(plan_load(&p, mixed, 1, NULL, &faults), &(struct err){0}); /* bosk's own form of one */
	assert_null(p.queue);
	plan_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST("S2.14: the first active one by priority, then id", the_first_active_one_by_priority_then_id),
		QUEUE_TEST("all files, in the same order", all_files_in_the_same_order),
		QUEUE_TEST("when none is active", when_none_is_active),
		QUEUE_TEST("the file that is called so", the_file_that_is_called_so),
		QUEUE_TEST("a damaged index is a warning", a_damaged_index_is_a_warning),
		QUEUE_TEST("the legacy queue", the_legacy_queue),
		QUEUE_TEST("one queue at a time", one_queue_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
