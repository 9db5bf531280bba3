/* For the tests of stories as plans: a folder with story files, and the plan that they make. */
#ifndef BOSK_STORIES_SCRATCH_H
#define BOSK_STORIES_SCRATCH_H

#include "test.h"

#include <unistd.h>

#include "store/base/fs.h"
#include "supervisor/plan/plan.h"

static struct strv patterns;
static struct plan_stories how = {"", "0.30", "", &patterns};
static char *top;

static inline int begin(void **state)
{
	(void)state;
	top = test_scratch();
	patterns = (struct strv){0};
	strv_add(&patterns, "manually verify");
	how = (struct plan_stories){"", "0.30", "", &patterns};
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	strv_fini(&patterns);
	test_scratch_remove(top);
	return 0;
}

static inline void put(const char *name, const char *text)
{
	struct err e = {0};
	AUTO_FREE char *path = mem_printf("%s/%s", top, name), *folder = mem_strdup(path);
	*strrchr(folder, '/') = '\0';
	assert_ok(fs_mkdirs(folder, &e), &e);
	assert_ok(fs_write(path, text, strlen(text), false, &e), &e);
}

/* A story of nine ticked boxes and an open one, with `more` behind its title. */
static inline void put_story(const char *name, const char *more)
{
	AUTO_STR struct str text = {0};
	str_addf(&text, "# A title\n%s\n\n## Tasks\n\n- [ ] open\n", more);
	for (int i = 0; i < 9; i++)
		str_addf(&text, "- [x] done %d\n", i);
	put(name, text.p);
}

static inline int try_load(struct plan *p, const char *names, struct plan_faults *faults)
{
	struct plan_context ctx = {.top = top, .stories = &how};
	AUTO_STRV struct strv list = {0};
	AUTO_FREE char *copy = mem_strdup(names);

	for (char *name = strtok(copy, " "); name; name = strtok(NULL, " ")) {
		AUTO_FREE char *path = mem_printf("%s/%s", top, name);
		strv_add(&list, fs_exists(path) ? path : name);
	}
	return plan_load(p, (const char *const *)list.v, list.n, &ctx, faults);
}

static inline void load(struct plan *p, const char *names)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0};

	if (try_load(p, names, &faults) != 0) {
		plan_faults_print(&faults, &said);
		fail_msg("%s", said.p);
	}
	assert_string_equal(p->kind, "stories");
}

static inline void refused(const char *names, const char *part)
{
	struct plan_faults faults = {0};
	struct plan p;
	AUTO_STR struct str said = {0};

	assert_int_equal(try_load(&p, names, &faults), -1);
	plan_faults_print(&faults, &said);
	if (!strstr(said.p, part))
		fail_msg("not there: %s\nin: %s", part, said.p);
	plan_faults_fini(&faults);
}

/* "ID(NEED NEED) ID" in the order of the plan. */
static inline void expect_plan(const char *names, const char *want)
{
	struct plan p;
	AUTO_STR struct str got = {0};

	load(&p, names);
	for (size_t i = 0; i < p.n; i++) {
		str_addf(&got, "%s%s", i ? " " : "", p.tasks[i].id);
		for (size_t k = 0; k < p.tasks[i].needs.n; k++)
			str_addf(&got, "%s%s%s", k ? " " : "(", p.tasks[i].needs.v[k],
			         k + 1 < p.tasks[i].needs.n ? "" : ")");
	}
	assert_string_equal(str_text(&got), want);
	plan_fini(&p);
}

static bool warned(const char *names, const char *part)
{
	struct plan p;
	bool found = false;

	load(&p, names);
	for (size_t i = 0; i < p.warnings.n; i++)
		found = found || strstr(p.warnings.v[i], part);
	plan_fini(&p);
	return found;
}

#define STORY_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
