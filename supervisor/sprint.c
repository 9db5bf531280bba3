/* sprint: the step at the end of a session of stories. The integrated stories are counted, and those that were taken out
 * again are what they were; their lines in the sprint-status.yaml beside or above them are brought up to date, and the
 * commit of that goes the way of a merge: object durable -> intent recorded -> refs moved by compare-and-swap -> done
 * recorded (integrate_refs.c). It looks again after that, and is over when there is nothing to change; so a kill in
 * between, or a branch that was moved, needs nothing more. What is wrong with a file is told in the report, and no fault
 * of the session. */
#include "sprint.h"

#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "integrate.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "worker/boxes.h"

enum { SHOWN_MAX = 60, NAMED_MAX = 10 };

/* A sprint-status.yaml of the tip, and the stories it is to tell of. */
struct file {
	char *path;
	struct str text;
	bool usable;
	struct sprint_line *lines;
	size_t *tasks; /* of each line */
	size_t n;
};

struct look {
	struct core *c;
	struct oid tip, tree;
	struct file *files;
	size_t n;
	struct strv told; /* what the session's commits changed before (sprint_told) */
};

static void look_fini(struct look *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct file *f = &l->files[i];
		for (size_t k = 0; k < f->n; k++) {
			free((char *)f->lines[k].story);
			free(f->lines[k].was);
		}
		free(f->path);
		str_fini(&f->text);
		free(f->lines);
		free(f->tasks);
	}
	free(l->files);
	strv_fini(&l->told);
}

static void note(struct core *c, const char *path, const char *what)
{
	struct strv *notes = &c->s->manifest.notes;
	AUTO_FREE char *text = mem_printf("%s %s", path, what);

	if (strv_has(notes, text))
		return;
	strv_add(notes, text);
	view_say(c->view, "%s", text);
	turn_manifest(&c->turn);
}

/* ---- which file ---- */

static struct file *file_of(struct look *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->files[i].path, path) == 0)
			return &l->files[i];
	return NULL;
}

/* The file of that name, read when it is met first. *out NULL: there is none. */
static int take_file(struct look *l, struct file **out, const char *path, struct err *e)
{
	struct file f = {0};

	*out = file_of(l, path);
	if (*out)
		return 0;
	int rc = gitx_file_in(l->c->s->site->git, &l->tree, path, SPRINT_MAX_BYTES, &f.text, e);
	if (rc != 0 && e->kind == ERR_MISSING) {
		err_clear(e);
		return 0;
	}
	if (rc != 0 && e->kind != ERR_USAGE)
		return -1;
	f.usable = rc == 0;
	if (!f.usable) {
		AUTO_FREE char *what = mem_printf("%s: it is left as it is", e->text);
		note(l->c, path, what);
		err_clear(e);
	}
	f.path = mem_strdup(path);
	l->files = mem_grow(l->files, l->n + 1, sizeof *l->files);
	l->files[l->n] = f;
	*out = &l->files[l->n++];
	return 0;
}

/* The one that the story was given by, else the one in its folder, else in the nearest one above it. */
static int find_file(struct look *l, struct file **out, const struct task_def *d, struct err *e)
{
	static const char *const names[] = {"sprint-status.yaml", "sprint-status.yml"};
	AUTO_FREE char *folder = mem_strdup(d->story);

	*out = NULL;
	if (d->sprint && take_file(l, out, d->sprint, e) != 0)
		return -1;
	while (*folder && !*out) {
		char *slash = strrchr(folder, '/');
		*(slash ? slash : folder) = '\0';
		for (size_t i = 0; i < MEM_COUNT(names) && !*out; i++) {
			AUTO_FREE char *path = mem_printf("%s%s%s", folder, *folder ? "/" : "", names[i]);
			if (take_file(l, out, path, e) != 0)
				return -1;
		}
	}
	return 0;
}

/* ---- what is to be in it ---- */

/* By the boxes of the story as it is integrated. NULL in *state: it has none that count. */
static int count(const struct look *l, size_t task, const char **state, struct err *e)
{
	const struct task_def *d = &l->c->s->plan.tasks[task];
	AUTO_STR struct str text = {0};
	struct boxes b;
	uint64_t human = l->c->s->tasks[task].human.n, counted = 0; /* what its agent says of them is not done either */

	*state = NULL;
	if (gitx_file_in(l->c->s->site->git, &l->tree, d->story, BOXES_MAX_BYTES, &text, e) != 0 ||
	    boxes_read(&b, str_text(&text), text.len, e) != 0) {
		if (e->kind != ERR_MISSING && e->kind != ERR_USAGE)
			return -1;
		err_clear(e); /* it was removed, or became something else: nothing is known of it */
		return 0;
	}
	for (size_t i = 0; i < b.n; i++) {
		const struct box *box = &b.v[i];
		AUTO_FREE char *line = mem_strndup(box->text, box->len);
		if (box->ticked || (!strv_has(&d->human, line) && !boxes_human(box, &l->c->cfg->stories_human)))
			continue;
		human++;
		counted += box->counts;
	}
	uint64_t blocked = b.total - b.checked - counted;
	if (l->c->s->tasks[task].partial && !blocked)
		blocked = 1; /* all is ticked, but its agent says that something is missing */
	if (b.total)
		*state = sprint_state(b.total, b.checked, blocked, human);
	boxes_fini(&b);
	return 0;
}

/* Of a story that was taken out again: what it was before this session changed it; NULL: it has not. */
static const char *before(const struct look *l, size_t task)
{
	for (size_t i = 0; i + 3 < l->told.n; i += 4)
		if (str_eq(l->told.v[i + 1], core_task_id(l->c, task)))
			return l->told.v[i + 2];
	return NULL;
}

static int add_story(struct look *l, size_t task, struct err *e)
{
	const struct session *s = l->c->s;
	const char *story = s->plan.tasks[task].story, *state = NULL;
	enum task_state is = session_task_state(s, task);
	struct file *f;

	if (!story || !str_eq(s->tasks[task].session, s->sid) || (!task_state_good(is) && is != TASK_REVERTED))
		return 0;
	if (is == TASK_REVERTED && !(state = before(l, task)))
		return 0;
	if (find_file(l, &f, &s->plan.tasks[task], e) != 0)
		return -1;
	if (!f || !f->usable)
		return 0;
	if (!state && count(l, task, &state, e) != 0)
		return -1;
	if (!state)
		return 0;
	const char *name = strrchr(story, '/') ? strrchr(story, '/') + 1 : story, *dot = strrchr(name, '.');
	f->lines = mem_grow(f->lines, f->n + 1, sizeof *f->lines);
	f->tasks = mem_grow(f->tasks, f->n + 1, sizeof *f->tasks);
	f->lines[f->n] = (struct sprint_line){
		.story = dot && dot != name ? mem_strndup(name, (size_t)(dot - name)) : mem_strdup(name), .state = state};
	f->tasks[f->n++] = task;
	return 0;
}

/* ---- the commit ---- */

/* One note for all stories of which the same is to be said. */
static void tell_left(struct look *l, const struct file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *why = f->lines[i].why;
		AUTO_STR struct str text = {0};
		size_t n = 0;
		bool told = false;
		for (size_t k = 0; k < i && why; k++)
			told |= str_eq(f->lines[k].why, why);
		if (!why || told)
			continue;
		str_addf(&text, "%s of ", why);
		for (size_t k = i; k < f->n; k++)
			if (str_eq(f->lines[k].why, why) && n++ < NAMED_MAX)
				str_addf(&text, "%s%s", n > 1 ? ", " : "", core_task_id(l->c, f->tasks[k]));
		if (n > NAMED_MAX)
			str_addf(&text, " and %zu more", n - NAMED_MAX);
		note(l->c, f->path, text.p);
	}
}

/* What was there is foreign text: one line of it, and not much. */
static void add_change(struct str *out, const char *story, const struct sprint_line *line)
{
	str_addf(out, "%s: ", story);
	str_add_printable(out, line->was, strnlen(line->was, SHOWN_MAX), false);
	str_addf(out, " -> %s\n", line->state);
}

/* The new text of one file into the tree; what changes goes to `changes`, the file to `trailers`. */
static int write_file(struct look *l, struct file *f, struct oid *tree, struct str *changes, struct str *trailers,
                      size_t *changed, struct err *e)
{
	AUTO_STR struct str text = {0};
	size_t before = *changed;

	if (!f->n)
		return 0;
	if (sprint_edit(&text, str_text(&f->text), f->text.len, f->lines, f->n, e) != 0) {
		AUTO_FREE char *what = mem_printf("%s: it is left as it is", e->text);
		note(l->c, f->path, what);
		err_clear(e);
		return 0;
	}
	tell_left(l, f);
	for (size_t i = 0; i < f->n; i++)
		if (f->lines[i].was) {
			add_change(changes, core_task_id(l->c, f->tasks[i]), &f->lines[i]);
			++*changed;
		}
	if (*changed == before)
		return 0;
	str_add(trailers, SPRINT_TRAILER ": ");
	str_add_printable(trailers, f->path, strlen(f->path), false);
	str_addc(trailers, '\n');
	return gitx_file_put(l->c->s->site->git, tree, tree, f->path, str_text(&text), text.len, e);
}

/* The commit on the tip; nothing refers to it yet. */
static void written(void *ctx, struct commit_made *made, const struct err *e)
{
	struct core *c = ctx;
	struct err told = e ? *e : (struct err){0};

	c->integ.phase = INTEG_IDLE;
	if (e) {
		err_wrap(&told, "cannot bring the sprint status up to date");
		core_fatal(c, &told);
	} else if (oid_none(&made->id)) {
		AUTO_FREE char *what = mem_printf("its commit cannot be signed: %s (sign.fallback is refuse)", made->why);
		note(c, "the sprint status is left as it is:", what);
		c->sprint_due = false;
		finish_gates(c);
	} else {
		FAILPOINT("sprint.written");
		c->integ.tip = made->id;
		c->integ.sprint = true;
		c->integ.sprint_not_signed = made->why != NULL;
		if (made->why)
			mem_set(&c->integ.not_signed, made->why);
		integrate_record(c);
	}
}

/* *made: `written` is told of it. */
static int make_commit(struct look *l, bool *made, struct err *e)
{
	struct session *s = l->c->s;
	AUTO_STR struct str changes = {0}, trailers = {0}, message = {0};
	struct oid tree = l->tree;
	size_t changed = 0;

	*made = false;
	for (size_t i = 0; i < l->n; i++)
		if (write_file(l, &l->files[i], &tree, &changes, &trailers, &changed, e) != 0)
			return -1;
	if (!changed)
		return 0;
	*made = true;
	str_addf(&message, "chore(sprint): bring the state of %zu %s up to date\n\n%s\n", changed,
	         changed == 1 ? "story" : "stories", changes.p);
	str_addf(&message, "Bosk-Session: %s\nBosk-Queue: %s\n%s", s->sid, s->row.queue, trailers.p);
	view_say(l->c->view, "sprint status: the state of %zu %s is brought up to date", changed,
	         changed == 1 ? "story" : "stories");
	l->c->integ.from = l->tip;
	l->c->integ.n_items = 0;
	l->c->integ.phase = INTEG_MERGING; /* until it is written */
	commit_start(l->c, &(struct commit_want){&tree, &l->tip, 1, message.p}, written, l->c);
	return 0;
}

/* ---- the step ---- */

bool sprint_begin(struct core *c)
{
	c->sprint_due = str_eq(c->s->queue.kind, "stories");
	return c->sprint_due;
}

void sprint_step(struct core *c)
{
	struct look l = {.c = c};
	struct err e = {0};
	bool made = false;

	if (!c->sprint_due || c->integ.phase != INTEG_IDLE || c->fatal.kind != ERR_NONE)
		return;
	FAILPOINT("sprint.look");
	sprint_told(c->s, &l.told);
	int rc = oid_parse(&l.tip, c->s->tip) ? gitx_tree_of(c->s->site->git, &l.tip, &l.tree, &e)
	                                      : err_set(&e, ERR_DAMAGED, "session %s records no integration tip", c->s->sid);
	for (size_t i = 0; rc == 0 && i < c->s->plan.n; i++)
		rc = add_story(&l, i, &e);
	if (rc == 0)
		rc = make_commit(&l, &made, &e);
	if (rc != 0) {
		err_wrap(&e, "cannot bring the sprint status up to date");
		core_fatal(c, &e);
	} else if (!made) {
		c->sprint_due = false;
		finish_gates(c);
	}
	look_fini(&l);
}

void sprint_done(struct core *c)
{
	struct integration *in = &c->integ;

	in->sprint = false;
	strv_add(&c->s->manifest.sprint, in->tip.hex);
	struct event_row ev = {.kind = (char *)"sprint",
	                       .commit = in->tip.hex,
	                       .old_tip = in->from.hex,
	                       .new_tip = in->tip.hex};
	turn_event(&c->turn, &ev);
}
