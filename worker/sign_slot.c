/* sign_slot: a signature for a task's commit, or what is done without one. */
#include "sign_slot.h"

#include "store/base/mem.h"

/* *made false: why is in s->not_signed. */
static int sign(struct slot *s, const struct sign_text *text, struct oid *out, bool *made, struct err *e)
{
	AUTO_FREE char *name = mem_printf("%s-%llu", s->init.sid, (unsigned long long)s->init.slot);
	const struct sign_how how = {.settings = &s->init.sign,
	                             .common_dir = s->init.common_dir,
	                             .state_dir = s->init.state_dir,
	                             .top = s->init.main_top,
	                             .name = name,
	                             .timeout_ms = s->init.sign_timeout_ms,
	                             .sid = s->init.sid,
	                             .worktree = s->init.worktree};
	struct sign_result r;

	int rc = sign_commit(s->gitx, &how, &s->git, text, out, &r, e);
	*made = rc == 0 && r.made;
	if (rc == 0 && !r.made) {
		mem_set(&s->not_signed, str_text(&r.why));
		s->sign_late = r.late;
	}
	if (rc == 0 && r.late)
		mem_set(&s->sign_skips, str_text(&r.why));
	str_fini(&r.why);
	return rc;
}

int sign_slot_commit(struct slot *s, const struct sign_text *text, struct oid *out, struct err *e)
{
	bool wanted = s->init.sign.n > 0, made = false;

	mem_set(&s->not_signed, NULL);
	s->sign_late = false;
	if (wanted && s->sign_skips && !s->init.sign_refuse)
		mem_set(&s->not_signed, s->sign_skips);
	else if (wanted && sign(s, text, out, &made, e) != 0)
		return -1;
	if (made)
		return 0;
	if (wanted && s->init.sign_refuse)
		return err_set(e, ERR_USAGE, "its commit cannot be signed: %s (sign.fallback is refuse)", s->not_signed);
	return gitx_commit_write(s->gitx, out, text->tree, text->parents, text->n_parents, text->author, text->message, e);
}
