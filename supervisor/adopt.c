/* adopt: the integration branch as somebody else left it. */
#include "adopt.h"

#include <string.h>

#include "store/base/mem.h"

int adopt_refs(struct session *s, struct oid *truth, struct err *e)
{
	AUTO_FREE char *ref = session_int_ref(s);
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	struct oid other;
	struct err absent = {0};
	bool ours = false;

	if (gitx_ref_read(s->site->git, ref, truth, e) != 0)
		return err_wrap(e, "the integration ref is gone; bosk resume %s makes it again", s->sid);
	if (gitx_ref_read(s->site->git, branch, &other, &absent) == 0 &&
	    gitx_reaches(s->site->git, &other, truth, &ours, e) != 0)
		return -1;
	if (!ours || strcmp(other.hex, truth->hex) == 0)
		return 0;
	if (gitx_ref_move(s->site->git, ref, truth, &other, "bosk: adopt", e) != 0)
		return -1;
	*truth = other;
	return 0;
}

static int adopt_task(struct session *s, struct turn *t, size_t task, const struct oid *tip,
                      struct err *e)
{
	struct task_row *row = &s->tasks[task];
	enum task_state state = session_task_state(s, task);
	struct oid commit;
	bool there = false;

	if ((state != TASK_CONFLICT && state != TASK_BLOCKED) || !row->commit ||
	    !oid_parse(&commit, row->commit))
		return 0;
	if (gitx_reaches(s->site->git, tip, &commit, &there, e) != 0)
		return -1;
	if (!there)
		return 0;
	mem_set(&row->state, task_state_name(TASK_INTEGRATED));
	mem_set(&row->reason, NULL);
	mem_set(&row->merge, tip->hex);
	strv_fini(&row->conflicts);
	turn_task(t, task);
	struct event_row ev = {.kind = (char *)"integrated",
	                       .task = s->plan.tasks[task].id,
	                       .ordinal = task + 1,
	                       .attempt = row->attempts,
	                       .commit = row->commit,
	                       .new_tip = (char *)tip->hex,
	                       .merge = row->merge,
	                       .note = (char *)"merged by hand"};
	turn_event(t, &ev);
	return 0;
}

int adopt_branch(struct session *s, struct turn *t, struct err *e)
{
	struct oid truth;

	if (adopt_refs(s, &truth, e) != 0)
		return -1;
	if (strcmp(truth.hex, s->tip) == 0)
		return 0;
	strv_addf(&s->manifest.notes, "the integration branch was moved to %.12s by someone else; no gate "
	          "has run on that", truth.hex);
	mem_set(&s->manifest.final_gates, NULL);
	mem_set(&s->manifest.final_reason, NULL);
	mem_set(&s->manifest.final_said, NULL);
	turn_tip(t, truth.hex);
	turn_note(t, "adopt", SIZE_MAX, truth.hex);
	for (size_t i = 0; i < s->plan.n; i++)
		if (adopt_task(s, t, i, &truth, e) != 0)
			return -1;
	return 0;
}

int adopt_now(struct session *s, struct err *e)
{
	struct turn t;

	turn_init(&t, s);
	int rc = adopt_branch(s, &t, e);
	if (rc == 0 && !turn_empty(&t))
		rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}
