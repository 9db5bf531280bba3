/* For the tests of segments: a checkout with personas and skills, and what a plan is compared with. */
#ifndef BOSK_SEGMENTS_SCRATCH_H
#define BOSK_SEGMENTS_SCRATCH_H

#include "test.h"

#include <unistd.h>

#include "store/base/fs.h"
#include "supervisor/plan/plan.h"
#include "worker/gitx.h"

static struct plan_model models[] = {
	{(char *)"sonnet-4.5", (char *)"claude", (char *)"claude-sonnet"},
	{(char *)"flash", NULL, (char *)"haiku"},
};
static char *top; /* of the checkout, with personas and skills */
static struct plan_context context = {.root = "/r", .worktrees_dir = "/w", .models = models, .n_models = 2};

static inline void write_text(const char *name, const char *text)
{
	AUTO_FREE char *path = mem_printf("%s/%s", top, name), *folder = mem_strdup(path);
	struct err e = {0};

	*strrchr(folder, '/') = '\0';
	assert_ok(fs_mkdirs(folder, &e), &e);
	assert_ok(fs_write(path, text, strlen(text), false, &e), &e);
}

static inline int make_top(void **state)
{
	(void)state;
	struct err e = {0};
	assert_ok(gitx_init(false, &e), &e);
	top = test_scratch();
	AUTO_FREE char *home = mem_printf("%s/home", top);
	setenv("HOME", home, 1);
	context.top = top;
	write_text("global_workflows/personas/dev.md", "---\nname: Dev\nmodel: flash\nskills: [\"api-*\", sql]\n---\n\nYou are Dev.\n");
	write_text("global_workflows/personas/plain.md", "Be brief.\n");
	write_text("global_workflows/personas/open.md", "---\nname: x\nBody\n");
	write_text("global_workflows/personas/yaml.md", "---\nname: x\nskills: api\n---\nBody\n");
	write_text("global_workflows/personas/empty.md", "---\nname: x\n---\n\n");
	write_text("global_workflows/personas/lost.md", "---\nskills:\n  - sql\n  - nowhere\n---\nBody\n");
	write_text("global_workflows/personas/none.md", "---\nskills: [no-*]\n---\nBody\n");
	write_text("global_workflows/personas/strange.md", "---\nmodel: opus\n---\nBody\n");
	write_text("skills/api-rest/SKILL.md", "---\nname: api-rest\ndescription: Use when: REST\n---\n# REST\nUse nouns.\n");
	write_text("skills/api-grpc/SKILL.md", "Use protos.\n");
	write_text("skills/sql/SKILL.md", "Local SQL.\n");
	write_text("home/skills/sql/SKILL.md", "Home SQL.\n");
	write_text("home/skills/own/SKILL.md", "Home own.\n");
	write_text("home/local/deep/SKILL.md", "Of the manifest.\n");
	write_text("home/local/both/SKILL.md", "Of local.\n");
	write_text("home/base/both/SKILL.md", "Of the baseline.\n");
	write_text("home/base/last/SKILL.md", "Baseline.\n");
	write_text("skills/manifest.yaml",
	           "# Skills\n\n```yaml\nsources:\n  - {name: far, url: \"https://example.invalid/far\"}\n"
	           "  - {name: baseline, path: ~/base, local: true, priority: 0}\n```\n\n"
	           "```yaml\nlocal:\n  path: ~/local/\n```\n\n```yaml\nrules:\n  - a: b: c\n```\n");
	return 0;
}

static inline int remove_top(void **state)
{
	(void)state;
	test_scratch_remove(top);
	return 0;
}

#endif
