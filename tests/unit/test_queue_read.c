/* Reading queues of solutions: each dialect that was seen in real folders, and what is found beside a queue. */
#include "queue_scratch.h"

#include "worker/secret.h"

#define ITEM(n, more) "{'item_id':'S-" n "','issue_id':'ISS-" n "','solution_id':'SOL-" n "'" more "}"
#define CIRCLE "[{'id':'T1','depends_on':['T2']},{'id':'T2','depends_on':['T1']}]"

static void the_documented_form(void **state)
{
	(void)state;
	struct plan p;

	put("issues.jsonl", "{'id':'ISS-1','title':'First','tags':['x']}\n{'id':'ISS-2','title':'Second'}\n");
	put("solutions/ISS-1.jsonl", "{'id':'SOL-0','tasks':[]}\n{'id':'SOL-1','tasks':[{'id':'T1','title':'do'}]}\n");
	put("solutions/ISS-2.jsonl", "{'id':'SOL-2','tasks':[]}\n");
	put("queues/q.json",
	    "{'id':'QUE-20260101000000','name':'n','status':'active','issue_ids':['ISS-1','ISS-2'],'tasks':[],'more':[1, 2],"
	    "'_metadata':{'updated_at':'1970-01-01T00:00:02.5Z'},'solutions':[\n"
	    ITEM("2", ",'status':'pending','execution_order':2,'execution_group':'S1','depends_on':['S-1'],"
	              "'semantic_priority':0.55,'task_count':3,'files_touched':['./a.c','b//c/']") ",\n"
	    ITEM("1", ",'status':'pending','execution_order':1,'execution_group':'P1','depends_on':[],'result':null,"
	              "'execution_hints':{'executor':'codex'},'odd':1e2") "],\n"
	    "'execution_groups':[{'id':'P1','type':'parallel','solutions':['S-1']},"
	    "{'id':'S1','type':'sequential','solutions':['S-2']}],"
	    "'conflicts':[{'id':'CFT-1','type':'file_conflict','file':'a.c','solutions':['SOL-1','S-2'],'severity':'high',"
	    "'resolution':'sequential','resolution_order':['S-1','S-2'],'resolved':true}]}");
	load(&p, "queues/q.json");
	expect_needs(&p, "S-1 S-2(S-1)");
	expect_states(&p, "S-1=waiting S-2=waiting");
	const struct plan_queue *q = p.queue;
	assert_string_equal(q->id, "QUE-20260101000000");
	assert_string_equal(q->row.status, "active");
	assert_string_equal(q->row.name, "n");
	assert_string_equal(q->row.items_key, "solutions");
	assert_string_equal(q->row.file, "q.json");
	assert_true(str_ends(q->row.folder, "/queues"));
	assert_int_equal(q->row.updated_ms, 2500);
	assert_int_equal(q->row.issue_ids.n, 2);
	assert_string_equal(q->row.groups, "[{\"id\":\"P1\",\"type\":\"parallel\",\"members\":[\"S-1\"]},\n"
	                                   "{\"id\":\"S1\",\"type\":\"sequential\",\"members\":[\"S-2\"]}]");
	assert_string_equal(q->row.conflicts, "[{\"id\":\"CFT-1\",\"type\":\"file_conflict\",\"file\":\"a.c\",\"severity\":"
	                                      "\"high\",\"resolution\":\"sequential\",\"members\":[\"S-1\",\"S-2\"],"
	                                      "\"order\":[\"S-1\",\"S-2\"],\"resolved\":true}]");
	assert_string_equal(q->defs[1].priority, "0.55");
	assert_string_equal(q->defs[1].group, "S1");
	assert_int_equal(q->defs[1].tasks, 3);
	assert_int_equal(q->defs[0].tasks, 1);
	assert_string_equal(q->defs[0].executor, "codex");
	assert_non_null(strstr(q->defs[0].raw, "\"odd\":1e2}"));
	assert_string_equal(q->defs[0].solution_raw, "{\"id\":\"SOL-1\",\"tasks\":[{\"id\":\"T1\",\"title\":\"do\"}]}");
	assert_int_equal(p.tasks[1].files.n, 2);
	assert_string_equal(p.tasks[1].files.v[0], "a.c");
	assert_string_equal(p.tasks[1].files.v[1], "b/c");
	assert_string_equal(p.tasks[0].title, "First");
	assert_string_equal(p.tasks[0].issue, "ISS-1");
	assert_string_equal(p.tasks[0].solution, "SOL-1");
	assert_null(p.tasks[0].missing);
	assert_string_equal(q->issues[q->defs[0].issue_at - 1].raw, "{\"id\":\"ISS-1\",\"title\":\"First\",\"tags\":[\"x\"]}");
	assert_null(q->items[0].result);
	plan_fini(&p);
}

static void all_but_the_items_is_kept_as_it_was_written(void **state)
{
	(void)state;
	struct plan p;

	put("q.json", "{ 'id':'Q',\n 'big': 123456789012345678901234567890, 'solutions' : [ {'item_id':'S-1'} ],  'x':[ 1.50 ]}\n");
	load(&p, "q.json");
	assert_string_equal(p.queue->row.raw, "{ \"id\":\"Q\",\n \"big\": 123456789012345678901234567890, \"solutions\" : [],  "
	                                      "\"x\":[ 1.50 ]}\n");
	assert_string_equal(p.queue->defs[0].raw, " {\"item_id\":\"S-1\"} ");
	plan_fini(&p);
}

static void items_with_ids_and_dependencies(void **state)
{
	(void)state;
	struct plan p;

	put("q.json", "{'id':'Q','status':'pending','items':["
	              "{'id':'S-1','issue_id':'I','solution_id':'X','priority':0.75,'dependencies':[]},"
	              "{'id':'S-2','issue_id':'I','solution_id':'Y','priority':'high','dependencies':['S-1']}]}");
	load(&p, "q.json");
	expect_needs(&p, "S-1 S-2(S-1)");
	assert_string_equal(p.queue->row.status, "active");
	assert_string_equal(p.queue->row.items_key, "items");
	assert_string_equal(p.queue->defs[0].priority, "0.75");
	assert_string_equal(p.queue->defs[1].priority, "\"high\"");
	plan_fini(&p);
}

static void a_stale_list_of_items_beside_solutions(void **state)
{
	(void)state;
	struct plan p;

	put("q.json", "{'id':'Q','items':[{'item_id':'S-1','status':'completed'}],'solutions':["
	              ITEM("1", "") "," ITEM("2", "") "],"
	              "'execution_groups':[{'id':'P1','type':'parallel','items':['S-1','S-2']}],"
	              "'conflicts':{'file_conflicts':[{'file':'a','solutions':['SOL-2','SOL-1'],'resolution_order':['SOL-2','SOL-1']}]}}");
	load(&p, "q.json");
	expect_states(&p, "S-1=waiting S-2=waiting");
	assert_string_equal(p.queue->row.groups, "[{\"id\":\"P1\",\"type\":\"parallel\",\"members\":[\"S-1\",\"S-2\"]}]");
	assert_string_equal(p.queue->row.conflicts, "[{\"file\":\"a\",\"members\":[\"S-2\",\"S-1\"],\"order\":[\"S-2\",\"S-1\"],"
	                                            "\"resolved\":false}]");
	assert_non_null(strstr(p.queue->row.raw, "\"items\":[{\"item_id\":\"S-1\",\"status\":\"completed\"}]"));
	plan_fini(&p);
}

static void dependencies_on_groups_and_solutions(void **state)
{
	(void)state;
	struct plan p;

	put("q.json", "{'id':'Q','solutions':[" ITEM("1", "") "," ITEM("2", ",'depends_on':['P1']") ","
	              ITEM("3", ",'depends_on':['P1','SOL-1','S-2','S-2']") "],"
	              "'execution_groups':[{'id':'P1','solutions':['S-1','S-2']},{'id':'S1','solutions':['S-3']}]}");
	load(&p, "q.json");
	expect_needs(&p, "S-1 S-2(S-1) S-3(S-1 S-2)");
	assert_non_null(strstr(p.queue->row.groups, "{\"id\":\"S1\",\"type\":\"sequential\""));
	plan_fini(&p);
}

static void groups_that_only_items_name(void **state)
{
	(void)state;
	struct plan p;

	put("q.json", "{'id':'Q','solutions':[" ITEM("1", ",'execution_group':'P1'") ","
	              ITEM("2", ",'execution_group':'S2','depends_on':['P1']") "]}");
	load(&p, "q.json");
	expect_needs(&p, "S-1 S-2(S-1)");
	put("q.json", "{'id':'Q','solutions':[" ITEM("1", ",'execution_group':'P1'") "],'execution_groups':[{'id':'P1','items':[]}]}");
	plan_fini(&p);
	load(&p, "q.json");
	assert_true(warned(&p, "q.json:1: S-1: group P1 does not list it"));
	plan_fini(&p);
}

static void queue_id_and_no_id(void **state)
{
	(void)state;
	struct plan p;

	put("q.json", "{'queue_id':'QUE-1','solutions':[" ITEM("1", "") "]}");
	load(&p, "q.json");
	assert_string_equal(p.queue->id, "QUE-1");
	plan_fini(&p);
	put("q.json", "{'queue':[" ITEM("1", "") "]}");
	load(&p, "q.json");
	assert_null(p.queue->id);
	plan_fini(&p);
}

static void files_however_they_are_written(void **state)
{
	(void)state;
	struct plan p;
	AUTO_STR struct str got = {0};

	put("q.json", "{'id':'Q','solutions':[" ITEM("1", ",'files_touched':['src/*.ts','a.c, b.c','x/y.c (new)','app/(shop)/p.tsx',"
	              "'docs/\xc3\xa4.md','w\\\\z.c','lib/{a,b}.ts','../out.c','a.c','']") "]}");
	load(&p, "q.json");
	add_list(&got, &p.tasks[0].files);
	assert_string_equal(got.p, "(src/*.ts a.c b.c x/y.c app/(shop)/p.tsx docs/\xc3\xa4.md w/z.c lib/*.ts x/y.c (new))");
	assert_true(warned(&p, "\"../out.c\" is left out"));
	plan_fini(&p);
}

static void issues_in_one_list_over_many_lines(void **state)
{
	(void)state;
	struct plan p;

	put("issues.jsonl", "[\n  {\n    'id': 'ISS-2',\n    'title': 'Two',\n    'status': 'deferred'\n  },\n"
	                    "  {\n    'id': 'ISS-1',\n    'status': 'closed', 'bound_solution_id': 'SOL-7'\n  }\n]\n");
	put("issue-history.jsonl", "");
	put("solutions/ISS-1.jsonl", "[{'id':'SOL-1'},\n{'id':'SOL-7','approach':'a'}]");
	put("q.json", "{'id':'Q','solutions':[{'item_id':'S-1','issue_id':'ISS-1'}," ITEM("2", "") "]}");
	load(&p, "q.json");
	assert_string_equal(p.tasks[0].solution, "SOL-7");
	assert_string_equal(p.queue->defs[0].solution, "SOL-7");
	assert_string_equal(p.tasks[1].title, "Two");
	assert_non_null(strstr(p.tasks[1].missing, "there is no file solutions/ISS-2.jsonl"));
	assert_int_equal(p.warnings.n, 0);
	plan_fini(&p);
}

static void a_queue_that_was_emptied(void **state)
{
	(void)state;
	struct plan p;

	put("issues.jsonl", "");
	put("q.json", "{'id':'Q','status':'completed','items':[],'dependencies':{'S-1':['S-9']}}");
	load(&p, "q.json");
	assert_int_equal(p.n, 0);
	assert_string_equal(p.queue->row.status, "completed");
	assert_true(warned(&p, "the queue has no items"));
	plan_fini(&p);
}

static void no_solutions_but_tasks(void **state)
{
	(void)state;
	struct plan p;

	put("solutions/I.jsonl", "{'id':'SOL','tasks':[{'id':'T1'},{'id':'T2'}],'is_bound':true}\n");
	put("q.json", "{'id':'Q','solutions':[],'tasks':[{'item_id':'T-1','issue_id':'I','task_id':'T1','solution_id':'SOL'},"
	              "{'item_id':'T-2','issue_id':'I','task_id':'T2','depends_on':['T-1']}]}");
	load(&p, "q.json");
	expect_needs(&p, "T-1 T-2(T-1)");
	assert_string_equal(p.queue->row.items_key, "tasks");
	assert_string_equal(p.tasks[1].solution, "SOL");
	assert_null(p.tasks[1].missing);
	plan_fini(&p);
}

static void a_solution_in_its_item(void **state)
{
	(void)state;
	struct plan p;
	struct plan_faults faults = {0};
	static const char text[] = "{\"queue_id\":\"Q\",\"solutions\":[{\"item_id\":\"S-1\",\"issue_id\":\"I\",\"solution\":"
	                           "{\"id\":\"SOL\",\"n\":12345678901234567890, \"tasks\":[]}},{\"item_id\":\"S-2\",\"issue_id\":\"I\"}]}";

	assert_int_equal(plan_load_text(&p, "-", text, strlen(text), NULL, &faults), 0);
	assert_string_equal(p.tasks[0].solution, "SOL");
	assert_null(p.tasks[0].missing);
	assert_string_equal(p.queue->defs[0].solution_raw, "{\"id\":\"SOL\",\"n\":12345678901234567890, \"tasks\":[]}");
	assert_non_null(strstr(p.tasks[1].missing, "there is no folder"));
	assert_null(p.queue->row.folder);
	plan_fini(&p);
}

static void where_imported_items_stand(void **state)
{
	(void)state;
	struct plan p;

	put("q.json", "{'id':'Q','solutions':[" ITEM("1", ",'status':'ready'") "," ITEM("2", ",'status':'blocked'") ","
	    ITEM("3", ",'status':'executing','started_at':'2026-01-01T00:00:00Z'") ","
	    ITEM("4", ",'status':'completed','completed_at':'2026-01-01T02:00:00+02:00','result':{'summary':'it\xe2\x80\x99s'}") ","
	    ITEM("5", ",'status':'failed','failure_details':{'task_id':'T2','error_type':'test_failure','message':'no'},"
	              "'failure_history':[{'message':'before'},'plain']") ","
	    ITEM("6", ",'status':'failed','failure_reason':'it broke'") "," ITEM("7", ",'status':'cancelled'") ","
	    ITEM("8", ",'status':'queued'") "]}");
	load(&p, "q.json");
	expect_states(&p, "S-1=waiting S-2=waiting S-3=claimed S-4=already S-5=failed S-6=failed S-7=skipped S-8=waiting");
	const struct plan_queue *q = p.queue;
	assert_true(q->items[2].started_ms == UINT64_C(1767225600000));
	assert_true(q->items[3].completed_ms == UINT64_C(1767225600000));
	assert_string_equal(q->items[3].result, "{\"summary\":\"it\xe2\x80\x99s\"}");
	assert_string_equal(q->reasons[4], "T2: test_failure: no");
	assert_string_equal(q->items[4].failure, "{\"task_id\":\"T2\",\"error_type\":\"test_failure\",\"message\":\"no\"}");
	assert_int_equal(q->items[4].history.n, 2);
	assert_string_equal(q->items[4].history.v[1], "\"plain\"");
	assert_string_equal(q->reasons[5], "it broke");
	assert_string_equal(q->items[5].failure, "{\"error_type\":\"unknown\",\"message\":\"it broke\"}");
	assert_string_equal(q->reasons[6], "cancelled in its file");
	assert_null(q->reasons[0]);
	plan_fini(&p);
}

static void bad_lines_are_told_of_and_the_others_count(void **state)
{
	(void)state;
	struct plan p;

	put("issues.jsonl", "{'id':'ISS-1','title':'One'}\n\n{'id':'ISS-2',\n<<<<<<< HEAD\n[]\n{'id':'ISS-3','id':'x'}\n"
	                    "{'title':'no id'}\n{'id':'ISS-4','title':'Four'}");
	put("solutions/ISS-1.jsonl", "oops\n{'id':'SOL-1'} trailing\n{'id':'SOL-1'}\n");
	put("q.json", "{'id':'Q','solutions':[" ITEM("1", "") "," ITEM("4", "") "]}");
	load(&p, "q.json");
	assert_string_equal(p.tasks[0].title, "One");
	assert_string_equal(p.tasks[1].title, "Four");
	assert_null(p.tasks[0].missing);
	assert_true(warned(&p, "issues.jsonl:3:1: the value that begins here has no end"));
	assert_true(warned(&p, "issues.jsonl:4:1: not JSON"));
	assert_true(warned(&p, "issues.jsonl:5:1: it is no mapping"));
	assert_true(warned(&p, "issues.jsonl:6:"));
	assert_true(warned(&p, "issues.jsonl:7:1: it has no \"id\""));
	assert_true(warned(&p, "ISS-1.jsonl:1:4: not JSON"));
	assert_true(warned(&p, "ISS-1.jsonl:2:16: there is more text"));
	assert_int_equal(p.warnings.n, 7);
	plan_fini(&p);
}

static void a_fault_of_a_solution_is_where_that_stands(void **state)
{
	(void)state;
	put("solutions/ISS-1.jsonl", "{'id':'SOL-0'}\n{'id':'SOL-1','tasks':" CIRCLE "}\n");
	put("q.json", "{'id':'Q','solutions':[" ITEM("1", "") "]}");
	refused("q.json", "/solutions/ISS-1.jsonl:2: task S-1: tasks: solution SOL-1: these of its tasks wait for each other");
	put("solutions/ISS-1.jsonl", "[{'id':'SOL-0'},\n\n{'id':'SOL-1','tasks':" CIRCLE "}]\n");
	refused("q.json", "/solutions/ISS-1.jsonl:3: task S-1: tasks: ");
	put("q.json", "{'id':'Q','solutions':[\n" ITEM("1", ",'solution':{'id':'SOL-1','tasks':" CIRCLE "}") "]}");
	refused("q.json", "q.json:2: task S-1: tasks: ");
}

static void an_issue_in_the_history(void **state)
{
	(void)state;
	struct plan p;

	put("issues.jsonl", "{'id':'ISS-2','title':'open'}\n");
	put("issue-history.jsonl", "{'id':'ISS-1','title':'done'}\n{'id':'ISS-2','title':'old'}\n");
	put("q.json", "{'id':'Q','solutions':[" ITEM("1", "") "," ITEM("2", "") "]}");
	load(&p, "q.json");
	assert_string_equal(p.tasks[0].title, "done");
	assert_string_equal(p.tasks[1].title, "open");
	plan_fini(&p);
}

static void secrets_are_not_stored(void **state)
{
	(void)state;

	put("issues.jsonl", "{'id':'ISS-2','context':'ghp_" "abcdefghijklmnopqrstuvwxyz0123456789'}\n");
	put("solutions/ISS-1.jsonl", "{'id':'SOL-1','x':'ghp_" "abcdefghijklmnopqrstuvwxyz0123456789'}\n");
	put("q.json", "{'id':'Q','solutions':[" ITEM("3", ",'x':'ghp_" "abcdefghijklmnopqrstuvwxyz0123456789'") "]}");
	refused("q.json", "q.json:1: task S-3: holds a token");
	put("q.json", "{'id':'Q','solutions':[" ITEM("1", "") "]}");
	refused("q.json", "/solutions/ISS-1.jsonl:1: task S-1: holds a token");
	put("q.json", "{'id':'Q','solutions':[" ITEM("2", "") "]}");
	refused("q.json", "issues.jsonl:1: task ISS-2: holds a token");
}

/* Wherever it stands, and also when its letters are written as escapes, as what reads the JSON again has them. */
static void secrets_anywhere_in_a_queue(void **state)
{
	(void)state;
	static const char *const written[] = {
		"ghp_" "abcdefghijklmnopqrstuvwxyz0123456789", "\\u0067hp_" "abcdefghijklmnopqrstuvwxyz0123456789",
		"w\\u00F6rterbuch\\/\\u0022\\ud83d\\uDE00\\u000ax", "w\xc3\xb6rterbuch/\\\"\xf0\x9f\x98\x80\\nx"};
	static const struct {
		const char *text, *place; /* @ = the secret */
	} cases[] = {
		{"{'id':'Q',\n'name':'@','solutions':[" ITEM("1", "") "]}", "q.json:2: holds "},
		{"{'id':'Q','solutions':[" ITEM("1", "") "],\n\n'more':['@']}", "q.json:3: holds "},
		{"{'id':'Q','solutions':[" ITEM("1", "") "],'execution_groups':[\n{'id':'P1','items':['S-1'],'why':'@'}]}", "q.json:2: "},
		{"{'id':'Q','solutions':[" ITEM("1", "") "],'conflicts':{'x':[\n{'id':'@','items':['S-1']}]}}", "q.json:2: "},
		{"{'id':'Q','solutions':[\n" ITEM("1", ",'status':'completed','result':{'summary':'@'}") "]}", "q.json:2: task S-1: "},
		{"{'id':'Q','solutions':[\n" ITEM("1", ",'status':'failed','failure_details':{'message':'@'}") "]}", "q.json:2: "},
		{"{'id':'Q','solutions':[\n" ITEM("1", ",'status':'failed','failure_reason':'@'") "]}", "q.json:2: task S-1: "},
		{"{'id':'Q','solutions':[\n" ITEM("1", ",'failure_history':[{'message':'@'}]") "]}", "q.json:2: task S-1: "},
		{"{'id':'Q','solutions':[],'tasks':[],'items':[{'item_id':'S-1'}],'queue':[\n'@']}", "q.json:2: "},
	};

	setenv("BOSK_TEST_TOKEN", "w\xc3\xb6rterbuch/\"\xf0\x9f\x98\x80\nx", 1);
	secret_init(NULL);
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		for (size_t k = 0; k < MEM_COUNT(written); k++) {
			AUTO_STR struct str text = {0};
			const char *at = strchr(cases[i].text, '@');
			str_addn(&text, cases[i].text, (size_t)(at - cases[i].text));
			str_addf(&text, "%s%s", written[k], at + 1);
			put("q.json", text.p);
			refused("q.json", cases[i].place);
			refused("q.json", "would be stored");
		}
	put("q.json", "{'id':'Q','solutions':[" ITEM("1", "") "]}");
	put("index.json", "{'queues':[\n{'id':'Q','note':'\\u0067hp_" "abcdefghijklmnopqrstuvwxyz0123456789'}]}");
	refused("q.json", "index.json:2: holds a token");
	unsetenv("BOSK_TEST_TOKEN");
	secret_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST("the documented form", the_documented_form),
		QUEUE_TEST("S2.17: all but the items is kept as it was written", all_but_the_items_is_kept_as_it_was_written),
		QUEUE_TEST("dialect a: items with ids and dependencies", items_with_ids_and_dependencies),
		QUEUE_TEST("dialect b: a stale list of items beside solutions", a_stale_list_of_items_beside_solutions),
		QUEUE_TEST("dialect c: dependencies on groups and solutions", dependencies_on_groups_and_solutions),
		QUEUE_TEST("groups that only items name", groups_that_only_items_name),
		QUEUE_TEST("dialect d: queue_id, or no id", queue_id_and_no_id),
		QUEUE_TEST("dialect e: files however they are written", files_however_they_are_written),
		QUEUE_TEST("dialect f: issues in one list over many lines", issues_in_one_list_over_many_lines),
		QUEUE_TEST("dialect f: a queue that was emptied", a_queue_that_was_emptied),
		QUEUE_TEST("no solutions but tasks", no_solutions_but_tasks),
		QUEUE_TEST("a solution in its item", a_solution_in_its_item),
		QUEUE_TEST("where imported items stand", where_imported_items_stand),
		QUEUE_TEST("a fault of a solution is told of where that stands", a_fault_of_a_solution_is_where_that_stands),
		QUEUE_TEST("bad lines are told of, and the others count", bad_lines_are_told_of_and_the_others_count),
		QUEUE_TEST("an issue in the history", an_issue_in_the_history),
		QUEUE_TEST("secrets are not stored", secrets_are_not_stored),
		QUEUE_TEST("E7: secrets anywhere in a queue", secrets_anywhere_in_a_queue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
