/* For the tests of reading queues: a folder of issues, and the plan that a queue in it makes. */
#ifndef BOSK_QUEUE_SCRATCH_H
#define BOSK_QUEUE_SCRATCH_H

#include "test.h"

#include "store/base/fs.h"
#include "supervisor/plan/plan.h"

static char *top;
static const char *wanted; /* plan_context.queue */

static inline int begin(void **state)
{
	(void)state;
	top = test_scratch();
	wanted = NULL;
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	test_scratch_remove(top);
	return 0;
}

/* A file below the folder; ' in the text becomes ". */
static inline void put(const char *name, const char *text)
{
	struct err e = {0};
	AUTO_FREE char *path = mem_printf("%s/%s", top, name), *folder = mem_strdup(path), *json = mem_strdup(text);

	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	*strrchr(folder, '/') = '\0';
	assert_ok(fs_mkdirs(folder, &e), &e);
	assert_ok(fs_write(path, json, strlen(json), false, &e), &e);
}

static inline int try_load(struct plan *p, const char *name, struct plan_faults *faults)
{
	struct plan_context ctx = {.queue = wanted};
	AUTO_FREE char *path = mem_printf("%s/%s", top, name);
	const char *files[] = {path};

	return plan_load(p, files, 1, &ctx, faults);
}

static inline void load(struct plan *p, const char *name)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0};

	if (try_load(p, name, &faults) != 0) {
		plan_faults_print(&faults, &said);
		fail_msg("%s", said.p);
	}
	assert_string_equal(p->kind, "queue");
	assert_non_null(p->queue);
}

/* One of the faults of a file holds this; the folder's name is left out of them. */
static inline void refused(const char *name, const char *part)
{
	struct plan_faults faults = {0};
	struct plan p;
	AUTO_STR struct str said = {0};

	if (try_load(&p, name, &faults) == 0)
		fail_msg("taken, but to be refused with: %s", part);
	plan_faults_print(&faults, &said);
	if (!strstr(said.p, part))
		fail_msg("not there: %s\nin: %s", part, said.p);
	plan_faults_fini(&faults);
}

static inline bool warned(const struct plan *p, const char *part)
{
	for (size_t i = 0; i < p->warnings.n; i++)
		if (strstr(p->warnings.v[i], part))
			return true;
	return false;
}

static inline void add_list(struct str *out, const struct strv *list)
{
	for (size_t i = 0; i < list->n; i++)
		str_addf(out, "%s%s%s", i ? " " : "(", list->v[i], i + 1 < list->n ? "" : ")");
}

/* "ID(NEED NEED) ID" in the order of the plan. */
static inline void expect_needs(const struct plan *p, const char *want)
{
	AUTO_STR struct str got = {0};

	for (size_t i = 0; i < p->n; i++) {
		str_addf(&got, "%s%s", i ? " " : "", p->tasks[i].id);
		add_list(&got, &p->tasks[i].needs);
	}
	assert_string_equal(str_text(&got), want);
}

/* "ID=STATE ID=STATE". */
static inline void expect_states(const struct plan *p, const char *want)
{
	AUTO_STR struct str got = {0};

	for (size_t i = 0; i < p->n; i++)
		str_addf(&got, "%s%s=%s", i ? " " : "", p->tasks[i].id, task_state_name(p->queue->states[i]));
	assert_string_equal(str_text(&got), want);
}

#define QUEUE_TEST(name, f) {name, f, begin, end, NULL}

#endif
