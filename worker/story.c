/* story: from a story in a worktree to what is committed of it (formats.md S3.12 - S3.15, S3.26). */
#include "story.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "boxes.h"
#include "said.h"
#include "stage_put.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "story_result.h"
#include "story_text.h"

enum { RESULT_MAX = 1 << 20, BLOCKED_MAX = 128 << 10, SET_BACK_NOTES = 20, HUMAN_MAX = 500 };

struct story {
	struct str before; /* as it was last taken */
	struct story_result said;
	struct strv questions; /* of all runs: task, question ... */
	struct strv human;     /* of all runs, each once */
	struct strv blocked;
	struct strv notes; /* of the last run */
	struct strv set_back; /* notes of all runs: the next one finds these files as they were */
	uint64_t total, already, closed;
	bool partial;
	char hash[SEAL_HEX];
};

enum step story_begin(struct attempt *r)
{
	const struct msg_task *t = r->t;
	struct story *story;
	AUTO_STR struct str base = {0};
	struct oid start;
	char hash[SEAL_HEX];
	struct err e = {0};

	if (!t->story)
		return GO_ON;
	if (gitx_read_file(r->s->gitx, &r->base_tree, t->story, &base, &e) != 0)
		return e.kind == ERR_MISSING ? attempt_over(r, "blocked", "its story %s is not in the commit it begins at", t->story)
		                             : attempt_broken(r, &e);
	boxes_hash(hash, str_text(&base), base.len);
	if (t->story_hashes.n && !strv_has(&t->story_hashes, hash))
		return attempt_over(r, "blocked", "its story %s was changed since it was planned: run the changed one as a new plan",
		                    t->story);
	r->story = story = mem_alloc(sizeof *story);
	/* After a conflict: the ticks of the merge are accounted for. */
	if (!t->start_tree || !oid_parse(&start, t->start_tree) ||
	    gitx_read_file(r->s->gitx, &start, t->story, &story->before, &e) != 0)
		str_addn(&story->before, str_text(&base), base.len);
	return GO_ON;
}

/* A box may be called by its first line. */
static bool is_open(const struct story *story, const char *task)
{
	size_t n = strlen(task);

	for (size_t i = 0; i < story->blocked.n; i++)
		if (strncmp(story->blocked.v[i], task, n) == 0 && strchr(" ", story->blocked.v[i][n]))
			return true;
	return false;
}

/* Questions of this run, and of earlier ones about what is still open. */
static void gather_questions(struct story *story)
{
	struct strv all = {0};

	strv_copy(&all, &story->said.questions);
	for (size_t i = 0; i + 1 < story->questions.n; i += 2) {
		bool there = false;
		for (size_t k = 0; k + 1 < all.n; k += 2)
			there |= str_eq(all.v[k], story->questions.v[i]);
		if (there || !is_open(story, story->questions.v[i]))
			continue;
		strv_add(&all, story->questions.v[i]);
		strv_add(&all, story->questions.v[i + 1]);
	}
	strv_fini(&story->questions);
	story->questions = all;
}

enum step story_read(struct attempt *r, const struct str *output)
{
	AUTO_STR struct str file = {0};
	struct story *story = r->story;
	struct err e = {0};
	size_t n = 0;
	const char *text = said_find(r, output, &file, &n);

	if (r->result_too_large)
		return attempt_over(r, "failed", "its result cannot be used: the file BOSK_RESULT_FILE is larger than %d KiB",
		                    RESULT_MAX >> 10);
	if (!text)
		return attempt_over(r, "failed", "it left no result: none in the file BOSK_RESULT_FILE, and its output does not end "
		                    "with a JSON object");
	story_result_fini(&story->said);
	if (story_result_parse(&story->said, text, n, r->t->id, &e) != 0)
		return attempt_over(r, "failed", "its result cannot be used: %s", e.text);
	for (size_t i = 0; i < story->said.human.n && story->human.n < HUMAN_MAX; i++)
		if (!strv_has(&story->human, story->said.human.v[i]))
			strv_add(&story->human, story->said.human.v[i]);
	if (story->said.status == STORY_ERROR) {
		gather_questions(story);
		return attempt_over(r, "failed", "the agent says: %.300s",
		                    story->said.errors.n ? story->said.errors.v[0] : "error");
	}
	return GO_ON;
}

/* What was taken, into the report. */
static void record(struct attempt *r, struct story_taken *taken)
{
	struct story *story = r->story;
	struct strv *notes = &story->notes;
	size_t room = BLOCKED_MAX;

	strv_fini(&story->blocked);
	strv_fini(notes); /* what a fix put right need not be told */
	for (size_t i = 0; i < taken->blocked.n && strlen(taken->blocked.v[i]) < room; i++) {
		room -= strlen(taken->blocked.v[i]);
		strv_add(&story->blocked, taken->blocked.v[i]);
	}
	gather_questions(story);
	story->total = taken->total;
	story->already = taken->already;
	story->closed = taken->closed;
	story->partial = taken->blocked.n > 0 || story->said.status == STORY_PARTIAL;
	boxes_hash(story->hash, str_text(&taken->text), taken->text.len);
	if (taken->refused)
		strv_addf(notes, "it says that it closed %llu of its tasks, but ticked %llu: those ticks were set back",
		          (unsigned long long)story->said.closed, (unsigned long long)taken->found);
	else if (taken->found > taken->closed)
		strv_addf(notes, "%llu ticks that its result does not name were set back",
		          (unsigned long long)(taken->found - taken->closed));
	if (taken->narrowed)
		strv_addf(notes, "what else it changed in %s was set back: only ticks were taken", r->t->story);
	for (size_t i = 0; i < story->said.errors.n && i < 10; i++)
		strv_addf(notes, "the agent says: %.300s", story->said.errors.v[i]);
	str_clear(&story->before);
	str_addn(&story->before, str_text(&taken->text), taken->text.len);
}

bool story_is_status(const char *path)
{
	const char *name = strrchr(path, '/');
	name = name ? name + 1 : path;
	return str_eq(name, "sprint-status.yaml") || str_eq(name, "sprint-status.yml");
}

/* Of another story? Such are Markdown files with boxes in the folders of stories, whether they are in the plan or not.
 * 1 = yes. */
static int is_other(struct attempt *r, const char *path, struct err *e)
{
	size_t n = strlen(path);
	AUTO_FREE char *folder = mem_strndup(path, strrchr(path, '/') ? (size_t)(strrchr(path, '/') - path) + 1 : 0);
	AUTO_STR struct str text = {0};
	struct boxes boxes;

	if (str_eq(path, r->t->story) || n < 4 || strcasecmp(path + n - 3, ".md") != 0 ||
	    !strv_has(&r->t->story_folders, folder))
		return 0;
	if (gitx_read_file(r->s->gitx, &r->base_tree, path, &text, e) != 0 ||
	    boxes_read(&boxes, str_text(&text), text.len, e) != 0) {
		bool none = e->kind == ERR_MISSING || e->kind == ERR_USAGE; /* a new one, or too large for a story */
		if (none)
			err_clear(e);
		return none ? 0 : -1;
	}
	bool any = boxes.n > 0;
	boxes_fini(&boxes);
	return any;
}

static void note_back(struct story *story, const char *path, const char *what)
{
	AUTO_FREE char *note = story->set_back.n < SET_BACK_NOTES - 1
	                               ? mem_printf("it changed %s, %s: set back", path, what)
	                               : mem_strdup("it changed more files that are not its own: set back");

	if (!strv_has(&story->set_back, note) && story->set_back.n < SET_BACK_NOTES)
		strv_add(&story->set_back, note);
}

/* Files that are not this agent's to change become what they were. */
static int find_back(struct attempt *r, struct strv *back, struct err *e)
{
	AUTO_STRV struct strv changed = {0};

	if (gitx_diff_paths(r->s->gitx, &r->base_tree, &r->tree, 0, &changed, e) != 0)
		return -1;
	for (size_t i = 0; i < changed.n; i++) {
		bool status = story_is_status(changed.v[i]);
		int other = status ? 0 : is_other(r, changed.v[i], e);
		if (other < 0)
			return -1;
		if (!status && !other)
			continue;
		strv_add(back, changed.v[i]);
		note_back(r->story, changed.v[i], status ? "which bosk does itself" : "another story");
	}
	return 0;
}

static int settle(struct attempt *r, const struct str *base, const struct str *now, struct err *e)
{
	struct story *story = r->story;
	struct story_taken taken;
	const struct story_given given = {.base = base,
	                                  .before = &story->before,
	                                  .now = now,
	                                  .human = &r->t->human,
	                                  .patterns = &r->t->human_patterns,
	                                  .named = story->said.named ? &story->said.done : NULL,
	                                  .number = story->said.closed};
	AUTO_STRV struct strv back = {0};
	struct stage_file put = {.path = r->t->story, .content = &taken.text};

	if (story_take(&taken, &given, e) != 0)
		return -1;
	record(r, &taken);
	bool same = taken.text.len == now->len && memcmp(str_text(&taken.text), str_text(now), now->len) == 0;
	bool as_base = taken.text.len == base->len && memcmp(str_text(&taken.text), str_text(base), base->len) == 0;
	int rc = find_back(r, &back, e);
	if (!same)
		strv_add(&back, r->t->story);
	if (rc == 0 && back.n)
		rc = stage_back(r->s, &r->base_tree, &back, same || as_base ? NULL : &put, &r->tree, e);
	story_taken_fini(&taken);
	return rc;
}

enum step story_settle(struct attempt *r)
{
	AUTO_STR struct str base = {0}, now = {0};
	struct err e = {0};

	if (gitx_read_file(r->s->gitx, &r->base_tree, r->t->story, &base, &e) != 0)
		return attempt_broken(r, &e);
	if (gitx_read_file(r->s->gitx, &r->tree, r->t->story, &now, &e) != 0 && e.kind != ERR_MISSING)
		return attempt_broken(r, &e);
	err_clear(&e);
	if (settle(r, &base, &now, &e) == 0)
		return GO_ON;
	return e.kind == ERR_USAGE ? attempt_over(r, "failed", "its story %s %s", r->t->story, e.text) : attempt_broken(r, &e);
}

enum step story_unchanged(struct attempt *r)
{
	const struct story *story = r->story;

	if (!story->partial)
		return GO_ON; /* what is open is for humans */
	return attempt_over(r, "blocked", "none of its %zu open tasks could be closed", story->blocked.n);
}

void story_report(const struct attempt *r, struct msg_result *m)
{
	const struct story *story = r->story;

	if (!story)
		return;
	m->human = story->human;
	m->questions = story->questions;
	if (!story->hash[0])
		return;
	for (size_t i = 0; i < story->notes.n; i++)
		strv_add(&r->s->notes, story->notes.v[i]);
	for (size_t i = 0; i < story->set_back.n; i++)
		strv_add(&r->s->notes, story->set_back.v[i]);
	m->notes = r->s->notes;
	m->partial = story->partial;
	m->boxes = story->total;
	m->boxes_already = story->already;
	m->boxes_closed = story->closed;
	m->blocked = story->blocked;
	m->story_hash = (char *)story->hash;
}

void story_end(struct attempt *r)
{
	struct story *story = r->story;

	if (!story)
		return;
	str_fini(&story->before);
	story_result_fini(&story->said);
	strv_fini(&story->questions);
	strv_fini(&story->human);
	strv_fini(&story->blocked);
	strv_fini(&story->notes);
	strv_fini(&story->set_back);
	free(story);
	r->story = NULL;
}
