/* queue_texts: what the agent of an item is told. */
#include "queue.h"
#include "store/base/mem.h"

int queue_texts(struct task_def *out, const struct site *site, const char *queue, size_t ordinal, struct err *e)
{
	struct queue_item item = {0};
	struct issue_row issue = {0};
	AUTO_STR struct str row = {0};

	*out = (struct task_def){0};
	int rc = queue_item_load(&item, site, queue, ordinal, e);
	if (rc == 0 && item.item_def.issue_at) {
		AUTO_FREE char *key = queue_issue_key(queue, item.item_def.issue_at);
		rc = db_load(site->db, DB_issues, key, &row, e);
		if (rc == 0)
			rc = rec_decode(&issue_row_rec, &issue, row.p, row.len, e);
	}
	if (rc == 0) {
		*out = item.def;
		item.def = (struct task_def){0};
		rc = plan_texts_make(out, item.item_def.raw, item.item_def.solution_raw, issue.raw, e);
	}
	rec_fini(&issue_row_rec, &issue);
	queue_item_fini(&item);
	return rc == 0 ? 0 : err_wrap(e, "queue %s, item %zu", queue, ordinal);
}
