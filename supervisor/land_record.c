/* land_record: a landing in the store - the intent before the target is touched, then that it was done,
 * withdrawn or refused (declared in land_private.h). */
#include "land_private.h"

#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "turn.h"

void land_record_over(struct session *s)
{
	bool fine = true;

	if (!str_eq(s->manifest.state, "landing"))
		return;
	for (size_t i = 0; i < s->plan.n; i++)
		fine &= task_state_fine(session_task_state(s, i));
	mem_set(&s->manifest.state, fine ? "done" : "failed");
}

int land_record_done(struct landing *l, const char *commit, struct err *e)
{
	struct session *s = l->s;
	struct turn t;
	AUTO_FREE bool *here = mem_array(s->plan.n, sizeof *here);
	AUTO_FREE char *key = mem_printf("%s/land", s->sid);

	/* What cannot be told now is told by the resume: the target is where it should be. */
	for (size_t i = 0; i < s->plan.n; i++)
		if (session_task_state(s, i) == TASK_INTEGRATED && session_brings(&here[i], s, i, e) != 0)
			return -1;
	turn_init(&t, s);
	mem_set(&s->manifest.landed, commit);
	for (size_t i = 0; i < s->plan.n; i++)
		if (here[i]) {
			mem_set(&s->tasks[i].state, task_state_name(TASK_LANDED));
			turn_task(&t, i);
		}
	struct event_row ev = {.kind = (char *)"landed",
	                       .note = s->row.target,
	                       .old_tip = l->target.hex,
	                       .new_tip = (char *)commit};
	land_record_over(s);
	turn_event(&t, &ev);
	db_batch_del(&t.batch, DB_integration, key);
	FAILPOINT("land.record.before");
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	if (rc != 0)
		return -1;
	l->out->done = true;
	str_addf(&l->out->text, "landed on %s as %.12s", s->row.target, commit);
	return 0;
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
	turn_note(&t, "not-landed", SIZE_MAX, why);
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}
