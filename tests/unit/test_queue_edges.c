/* queue_edges: items that share files, or stand in a sequential group, are put in an order. */
#include "test.h"

#include "supervisor/plan/dag.h"
#include "supervisor/plan/overlap.h"
#include "supervisor/plan/queue_edges.h"
#include "supervisor/plan/shared.h"

/* Items S-1, S-2, ...; files are given in one text, "a.c b/c.c". */
struct queue {
	struct plan_loader l;
	uint32_t *needs;
	size_t *needs_at, n_needs;
	struct queue_set sets[3][4]; /* orders, turns, parallel groups */
	size_t n_sets[3];
};

enum { ORDERS, TURNS, PARALLEL };

static void add_item(struct queue *q, const char *files)
{
	struct plan_loader *l = &q->l;

	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->tasks = mem_grow(l->tasks, l->room, sizeof *l->tasks);
		q->needs_at = mem_grow(q->needs_at, l->room + 1, sizeof *q->needs_at);
	}
	struct task_def *d = &l->tasks[l->n++];
	*d = (struct task_def){.id = mem_printf("S-%zu", l->n)};
	AUTO_FREE char *text = mem_strdup(files);
	for (char *rest = NULL, *f = strtok_r(text, " ", &rest); f; f = strtok_r(NULL, " ", &rest))
		strv_add(&d->files, f);
	q->needs_at[l->n - 1] = q->needs_at[l->n] = q->n_needs;
}

/* Of the item that was added last. */
static void add_need(struct queue *q, uint32_t number)
{
	q->needs = mem_grow(q->needs, q->n_needs + 1, sizeof *q->needs);
	q->needs[q->n_needs++] = number - 1;
	q->needs_at[q->l.n] = q->n_needs;
}

/* Numbers as digits: "312". */
static void add_set(struct queue *q, int kind, const char *id, const char *numbers)
{
	struct queue_set *s = &q->sets[kind][q->n_sets[kind]++];

	*s = (struct queue_set){mem_strdup(id), mem_array(strlen(numbers), sizeof *s->v), strlen(numbers)};
	for (size_t i = 0; i < s->n; i++)
		s->v[i] = (uint32_t)(numbers[i] - '1');
}

static void edges(struct queue *q)
{
	queue_edges(&q->l, &(struct queue_order){.file = "Q.json", .needs = q->needs, .needs_at = q->needs_at,
	                                         .orders = q->sets[ORDERS], .n_orders = q->n_sets[ORDERS],
	                                         .turns = q->sets[TURNS], .n_turns = q->n_sets[TURNS],
	                                         .parallel = q->sets[PARALLEL], .n_parallel = q->n_sets[PARALLEL]});
}

static void fini(struct queue *q)
{
	for (size_t i = 0; i < q->l.n; i++)
		rec_fini(&task_def_rec, &q->l.tasks[i]);
	for (int k = 0; k < 3; k++)
		for (size_t i = 0; i < q->n_sets[k]; i++) {
			free(q->sets[k][i].id);
			free(q->sets[k][i].v);
		}
	free(q->l.tasks);
	free(q->needs);
	free(q->needs_at);
	strv_fini(&q->l.warnings);
	*q = (struct queue){0};
}

/* What item `number` comes after: ids with the reason, "S-1:files S-2:group". */
static void assert_after(const struct queue *q, size_t number, const char *want)
{
	AUTO_STR struct str text = {0};
	const struct task_def *d = &q->l.tasks[number - 1];

	for (size_t i = 0; i < d->after.n; i++)
		str_addf(&text, "%s%s:files", text.len ? " " : "", d->after.v[i]);
	for (size_t i = 0; i < d->in_turn.n; i++)
		str_addf(&text, "%s%s:group", text.len ? " " : "", d->in_turn.v[i]);
	assert_string_equal(str_text(&text), want);
}

static void assert_warned(const struct queue *q, size_t n, const char *says)
{
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < q->l.warnings.n; i++)
		str_addf(&text, "%s\n", q->l.warnings.v[i]);
	if (q->l.warnings.n != n || (says && !strstr(str_text(&text), says)))
		fail_msg("warnings: %s", str_text(&text));
}

/* ---- known cases ---- */

static void common_files(void **state)
{
	(void)state;
	struct queue q = {0};

	add_item(&q, "src/a.c");
	add_item(&q, "src/b.c");
	add_item(&q, "src/a.c src/b.c");
	add_item(&q, "SRC/A.C");      /* 4: one file on some disks */
	add_item(&q, "src");          /* 5: the folder of all */
	add_item(&q, "docs/*.md");
	add_item(&q, "docs/x.md");    /* 7 */
	add_item(&q, "docs/x.txt");
	add_item(&q, "d*/**");        /* 9 */
	add_item(&q, "lib/[ab].c");
	add_item(&q, "");
	add_item(&q, ".");            /* 12: everything */
	add_item(&q, "lib/a.c");
	edges(&q);
	assert_after(&q, 1, "");
	assert_after(&q, 2, "");
	assert_after(&q, 3, "S-1:files S-2:files");
	assert_after(&q, 4, "S-1:files S-3:files");
	assert_after(&q, 5, "S-1:files S-2:files S-3:files S-4:files");
	assert_after(&q, 6, "");
	assert_after(&q, 7, "S-6:files");
	assert_after(&q, 8, "");
	assert_after(&q, 9, "S-6:files S-7:files S-8:files");
	assert_after(&q, 10, "");
	assert_after(&q, 11, "");
	assert_after(&q, 12, "S-1:files S-2:files S-3:files S-4:files S-5:files S-6:files S-7:files S-8:files S-9:files "
	                     "S-10:files");
	assert_after(&q, 13, "S-10:files S-12:files");
	assert_warned(&q, 0, NULL);
	fini(&q);
}

static void a_need_says_it_already(void **state)
{
	(void)state;
	struct queue q = {0};

	add_item(&q, "a");
	add_item(&q, "a");
	add_need(&q, 1);
	edges(&q);
	assert_after(&q, 2, "");
	assert_warned(&q, 0, NULL);
	fini(&q);
}

static void a_decided_order(void **state)
{
	(void)state;
	struct queue q = {0};

	for (int i = 0; i < 3; i++)
		add_item(&q, "a");
	add_item(&q, "b");
	add_set(&q, ORDERS, "CFT-1", "312");
	edges(&q);
	assert_after(&q, 3, "");
	assert_after(&q, 1, "S-3:files");
	assert_after(&q, 2, "S-1:files");
	assert_warned(&q, 0, NULL); /* that 3 comes first was decided */
	fini(&q);
}

static void a_circle_is_not_closed(void **state)
{
	(void)state;
	struct queue q = {0};

	add_item(&q, "x src/a.c");
	add_need(&q, 3); /* needs what comes later, and has a file with it */
	add_item(&q, "y");
	add_item(&q, "z src/a.c");
	edges(&q);
	assert_after(&q, 3, "");
	assert_warned(&q, 1, "Q.json: S-3 is not put after S-1 (both have src/a.c), because S-1 has to wait for it");
	fini(&q);

	add_item(&q, "");
	add_item(&q, "");
	add_need(&q, 1);
	add_set(&q, ORDERS, "CFT-7", "21");
	edges(&q);
	assert_after(&q, 1, "");
	assert_warned(&q, 1, "S-1 is not put after S-2 (CFT-7 has it in this order)");
	fini(&q);
}

static void groups(void **state)
{
	(void)state;
	struct queue q = {0};

	add_item(&q, "a");
	add_item(&q, "b");
	add_item(&q, "b");
	add_item(&q, "c");
	add_need(&q, 3);
	add_item(&q, "a");
	add_set(&q, TURNS, "S1", "1234");
	add_set(&q, PARALLEL, "P1", "15");
	edges(&q);
	assert_after(&q, 2, "S-1:group");
	assert_after(&q, 3, "S-2:files"); /* both, and files are the stronger reason */
	assert_after(&q, 4, "");          /* needs it */
	assert_after(&q, 5, "S-1:files");
	assert_warned(&q, 1, "S-1 and S-5 of the parallel group P1 both have a: they are not run at once");
	fini(&q);

	add_item(&q, "a"); /* a group against the order of the numbers */
	add_item(&q, "a");
	add_set(&q, TURNS, "S1", "21");
	edges(&q);
	assert_after(&q, 1, "S-2:files");
	assert_after(&q, 2, "");
	assert_warned(&q, 0, NULL);
	fini(&q);
}

static void the_nearest_of_many(void **state)
{
	(void)state;
	struct queue q = {0};

	for (int i = 0; i < 40; i++)
		add_item(&q, "a");
	edges(&q);
	assert_int_equal(q.l.tasks[39].after.n, 32);
	assert_string_equal(q.l.tasks[39].after.v[0], "S-8");
	assert_string_equal(q.l.tasks[39].after.v[31], "S-39");
	assert_int_equal(q.l.tasks[9].after.n, 9);
	fini(&q);

	for (int i = 0; i < 40; i++) { /* nothing orders these among themselves */
		AUTO_FREE char *file = mem_printf("src/%d.c", i);
		add_item(&q, file);
	}
	add_item(&q, "src");
	add_item(&q, "src/*.c");
	edges(&q);
	assert_int_equal(q.l.tasks[40].after.n, 40);
	assert_int_equal(q.l.tasks[41].after.n, 41);
	fini(&q);
}

static void an_item_with_many_files(void **state)
{
	(void)state;
	enum { FILES = 1000 };
	struct queue q = {0};
	AUTO_STR struct str all = {0};

	for (int i = 0; i < FILES; i++)
		str_addf(&all, "f%d ", i);
	for (int i = 0; i < 40 * FILES; i++) {
		AUTO_FREE char *file = mem_printf("f%d", i % FILES);
		add_item(&q, file);
	}
	add_item(&q, all.p);
	edges(&q);
	assert_in_range(q.l.tasks[40 * FILES].after.n, FILES, 16384); /* as many as can be stored */
	fini(&q);
}

/* ---- against every pair ---- */

static void random_path(struct test_rng *rng, struct str *out)
{
	static const char *const parts[] = {"a", "b", "A", "*", "b*", "?", "**", "[ab]", "c"};
	size_t n = 1 + test_rng_below(rng, 3);
	bool globs = test_rng_below(rng, 3) == 0;

	if (test_rng_below(rng, 30) == 0) {
		str_add(out, ".");
		return;
	}
	for (size_t i = 0; i < n; i++)
		str_addf(out, "%s%s", i ? "/" : "", parts[test_rng_below(rng, globs ? MEM_COUNT(parts) : 3)]);
}

static bool overlap(const struct task_def *a, const struct task_def *b)
{
	for (size_t i = 0; i < a->files.n; i++)
		for (size_t k = 0; k < b->files.n; k++)
			if (overlap_paths_any_case(a->files.v[i], b->files.v[k]))
				return true;
	return false;
}

enum { MOST = 10 };

/* before[a][b]: a is to end before b begins, by needs or edges, directly. */
static void direct(bool before[MOST][MOST], const struct queue *q)
{
	memset(before, 0, sizeof(bool[MOST][MOST]));
	for (size_t i = 0; i < q->l.n; i++) {
		const struct strv *lists[] = {&q->l.tasks[i].after, &q->l.tasks[i].in_turn};
		for (size_t k = q->needs_at[i]; k < q->needs_at[i + 1]; k++)
			before[q->needs[k]][i] = true;
		for (size_t s = 0; s < 2; s++)
			for (size_t k = 0; k < lists[s]->n; k++)
				before[strtoul(lists[s]->v[k] + 2, NULL, 10) - 1][i] = true;
	}
}

static void closure(bool before[MOST][MOST], size_t n)
{
	for (size_t k = 0; k < n; k++)
		for (size_t a = 0; a < n; a++)
			for (size_t b = 0; b < n; b++)
				before[a][b] = before[a][b] || (before[a][k] && before[k][b]);
}

static void all_that_share_are_ordered(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	size_t shared = 0, turned = 0;

	for (int round = 0; round < 4000; round++) {
		struct queue q = {0};
		size_t n = 2 + test_rng_below(&rng, MOST - 1);
		bool plain = test_rng_below(&rng, 2); /* no edge but those of files */
		bool before[MOST][MOST];
		for (size_t i = 0; i < n; i++) {
			AUTO_STR struct str files = {0};
			for (size_t k = test_rng_below(&rng, 3); k-- > 0;) {
				random_path(&rng, &files);
				str_add(&files, " ");
			}
			add_item(&q, str_text(&files));
			if (!plain && i + 1 < n && test_rng_below(&rng, 4) == 0)
				add_need(&q, (uint32_t)(n - test_rng_below(&rng, n - i - 1))); /* of a later one: no circle */
		}
		if (!plain && n >= 3)
			add_set(&q, ORDERS, "C", "32");
		if (!plain && n >= 4)
			add_set(&q, TURNS, "S", "413");
		edges(&q);
		direct(before, &q);
		if (plain)
			for (size_t a = 0; a < n; a++)
				for (size_t b = 0; b < n; b++) /* exactly the pairs that share something, rising */
					assert_int_equal(before[a][b], a < b && overlap(&q.l.tasks[a], &q.l.tasks[b]));
		closure(before, n);
		for (size_t a = 0; a < n; a++) {
			assert_false(before[a][a]);
			for (size_t b = a + 1; b < n; b++) {
				if (!overlap(&q.l.tasks[a], &q.l.tasks[b]))
					continue;
				assert_true(before[a][b] || before[b][a]);
				shared++;
				turned += before[b][a];
			}
		}
		fini(&q);
	}
	assert_true(shared > 2000 && turned > 200);
}

/* ---- many ---- */

static size_t count(const struct queue *q)
{
	size_t n = 0;
	for (size_t i = 0; i < q->l.n; i++)
		n += q->l.tasks[i].after.n;
	return n;
}

/* What is looked at for the files of all items. */
static size_t work(const struct queue *q)
{
	enum { SAME = 32, OTHERS = 50 };
	struct shared *s = shared_new(q->l.tasks, q->l.n);
	uint32_t before[SAME + OTHERS];

	for (uint32_t i = 0; i < q->l.n; i++) {
		for (size_t k = 0; k < q->l.tasks[i].files.n; k++)
			shared_before(s, before, SAME, OTHERS, i, k);
		shared_enter(s, i);
	}
	size_t n = shared_work(s);
	shared_free(s);
	return n;
}

static void many_items_stay_cheap(void **state)
{
	(void)state;
	enum { N = 20000 };
	static const char *const files[] = {
		"same.c",           /* all share one */
		"src/*.c",          /* one glob */
		"src/%u*/**/x?.c",  /* a glob of its own for each */
		"**/%u",            /* the same, with nothing to tell them apart by */
		"a/b/c/d/e/%u a/b", /* all below a folder that all declare */
		"d/%u/x d/%u/y d/%u/z",
	};
	for (size_t f = 0; f < MEM_COUNT(files); f++) {
		struct queue q = {0};
		for (unsigned i = 0; i < N; i++) {
			AUTO_STR struct str text = {0};
			for (const char *c = files[f]; *c; c++) {
				if (*c == '%')
					str_addf(&text, "%u", i / 3);
				else if (c == files[f] || c[-1] != '%')
					str_addc(&text, *c);
			}
			add_item(&q, str_text(&text));
		}
		edges(&q);
		assert_true(work(&q) <= 400 * N); /* of N * N / 2 pairs */
		assert_true(count(&q) >= N / 2 && count(&q) <= 1000000);
		assert_int_equal(q.l.warnings.n, f == 3);
		fini(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"S2.4: items with a common file are ordered: case, globs, folders", common_files, NULL, NULL, NULL},
		{"S2.4: a dependency orders them already", a_need_says_it_already, NULL, NULL, NULL},
		{"S2.4: the order that a conflict has decided on", a_decided_order, NULL, NULL, NULL},
		{"S2.4: an edge that would close a circle is left out and told", a_circle_is_not_closed, NULL, NULL, NULL},
		{"S2.3: sequential groups go in turn, parallel ones do not share", groups, NULL, NULL, NULL},
		{"S2.4: at most the 32 nearest of one file", the_nearest_of_many, NULL, NULL, NULL},
		{"S2.4: an item with many files", an_item_with_many_files, NULL, NULL, NULL},
		{"S2.4: every pair that shares a file is ordered, without a circle", all_that_share_are_ordered, NULL, NULL, NULL},
		{"S2.4: many items that share one file, or have globs", many_items_stay_cheap, NULL, NULL, NULL},
	};
	return cmocka_run_group_tests_name("queue_edges", tests, NULL, NULL);
}
