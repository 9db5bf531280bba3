/* land_record: a landing in the store - the intent before the target is touched, then that it was done,
 * withdrawn or refused (declared in land_private.h). */
#include "land_private.h"

#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "turn.h"

void land_record_over(struct session *s)
{
	AUTO_FREE char *was = mem_strdup(land_ask_was(s));
	bool fine = true;

	strv_fini(&s->manifest.landing);
	if (!str_eq(s->manifest.state, "landing"))
		return;
	for (size_t i = 0; i < s->plan.n; i++)
		fine &= task_state_fine(session_task_state(s, i));
	mem_set(&s->manifest.state, was ? was : fine ? "done" : "failed");
}

int land_record_asked(struct landing *l, struct err *e)
{
	struct session *s = l->s;
	struct turn t;

	/* One that is stopped goes on with its tasks when it is resumed: what it has is landed by itself. */
	if (!str_eq(s->manifest.state, "landing") && !str_eq(s->manifest.state, "done") && !str_eq(s->manifest.state, "failed"))
		return 0;
	land_ask_keep(s, l->ask);
	mem_set(&s->manifest.state, "landing");
	turn_init(&t, s);
	turn_note(&t, "land", SIZE_MAX, l->ask->how);
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}

/* `tasks`: ids; none = all that is integrated and on its branch. */
static int mark_landed(struct session *s, struct turn *t, const struct strv *tasks, const char *commit, struct err *e)
{
	AUTO_FREE bool *here = mem_array(s->plan.n, sizeof *here);

	/* What cannot be told now is told by the resume: the target is where it should be. */
	for (size_t i = 0; i < s->plan.n; i++)
		if (session_task_state(s, i) == TASK_INTEGRATED && (!tasks->n || strv_has(tasks, s->plan.tasks[i].id)) &&
		    session_brings(&here[i], s, i, e) != 0)
			return -1;
	for (size_t i = 0; i < s->plan.n; i++) {
		if (!here[i])
			continue;
		mem_set(&s->tasks[i].state, task_state_name(TASK_LANDED));
		turn_task(t, i);
		struct event_row ev = {.kind = (char *)"task-landed", .task = s->plan.tasks[i].id, .new_tip = (char *)commit};
		if (tasks->n)
			turn_event(t, &ev);
	}
	if (!tasks->n)
		mem_set(&s->manifest.landed, commit);
	return 0;
}

int land_record_done(struct landing *l, const struct strv *tasks, const char *commit, struct err *e)
{
	struct session *s = l->s;
	struct turn t;
	AUTO_FREE char *key = mem_printf("%s/land", s->sid);
	struct event_row ev = {.kind = (char *)"landed",
	                       .note = s->row.target,
	                       .old_tip = l->target.hex,
	                       .new_tip = (char *)commit};

	turn_init(&t, s);
	int rc = mark_landed(s, &t, tasks, commit, e);
	mem_set(&s->manifest.not_landed, NULL);
	land_record_over(s);
	if (!tasks->n)
		turn_event(&t, &ev);
	turn_manifest(&t);
	db_batch_del(&t.batch, DB_integration, key);
	str_addf(&l->out->text, "landed on %s as %.12s", s->row.target, commit);
	if (rc == 0)
		land_clean(l); /* until it is recorded a resume does it again, and clears what a kill leaves of it */
	FAILPOINT("land.record.before");
	if (rc == 0)
		rc = turn_commit(&t, e);
	turn_fini(&t);
	l->out->done = rc == 0;
	return rc;
}

int land_record_intent(struct landing *l, struct err *e)
{
	struct turn t;
	struct owner self;
	AUTO_FREE char *key = mem_printf("%s/land", l->s->sid);

	owner_self(&self);
	struct intent_row intent = {.kind = (char *)"land",
	                            .ref = l->ref,
	                            .old_tip = l->target.hex,
	                            .new_tip = l->merge.hex,
	                            .tree_path = l->tree,
	                            .tasks = l->tasks,
	                            .boot_id = self.boot_id};

	if (gitx_flush(l->s->site->git, e) != 0)
		return -1;
	turn_init(&t, l->s);
	rows_put(&t.batch, DB_integration, key, &intent_row_rec, &intent);
	turn_note(&t, "landing", SIZE_MAX, l->s->row.target);
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}

int land_record_withdrawn(struct landing *l, struct err *e)
{
	struct turn t;
	AUTO_FREE char *key = mem_printf("%s/land", l->s->sid);

	turn_init(&t, l->s);
	db_batch_del(&t.batch, DB_integration, key);
	turn_note(&t, "withdrawn", SIZE_MAX, "landing");
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}

int land_record_refusal(struct session *s, const char *why, struct err *e)
{
	struct turn t;

	land_record_over(s);
	turn_init(&t, s);
	turn_manifest(&t);
	if (why) {
		mem_set(&s->manifest.not_landed, why);
		turn_note(&t, "not-landed", SIZE_MAX, why);
	}
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}
