/* rows: the tables behind the records of rows.h. */
#include "rows.h"

#define REC_SELF manifest_row
REC_DEFINE(manifest_row, MANIFEST_FIELDS, 1)
#undef REC_SELF
#define REC_SELF session_row
REC_DEFINE(session_row, SESSION_FIELDS, 1)
#undef REC_SELF
#define REC_SELF queue_row
REC_DEFINE(queue_row, QUEUE_FIELDS, 1)
#undef REC_SELF
#define REC_SELF task_def
REC_DEFINE_SPARSE(task_def, TASK_DEF_FIELDS, 1)
#undef REC_SELF
#define REC_SELF task_row
REC_DEFINE_SPARSE(task_row, TASK_FIELDS, 1)
#undef REC_SELF
#define REC_SELF event_row
REC_DEFINE(event_row, EVENT_FIELDS, 1)
#undef REC_SELF
#define REC_SELF intent_row
REC_DEFINE(intent_row, INTENT_FIELDS, 1)
#undef REC_SELF
#define REC_SELF result_row
REC_DEFINE(result_row, RESULT_FIELDS, 1)
#undef REC_SELF
#define REC_SELF request_row
REC_DEFINE(request_row, REQUEST_FIELDS, 1)
#undef REC_SELF
#define REC_SELF claim_row
REC_DEFINE(claim_row, CLAIM_FIELDS, 1)
#undef REC_SELF
#define REC_SELF account_row
REC_DEFINE(account_row, ACCOUNT_FIELDS, 1)
#undef REC_SELF
#define REC_SELF item_def
REC_DEFINE_SPARSE(item_def, ITEM_DEF_FIELDS, 1)
#undef REC_SELF
#define REC_SELF item_link
REC_DEFINE_SPARSE(item_link, ITEM_LINK_FIELDS, 1)
#undef REC_SELF
#define REC_SELF item_row
REC_DEFINE_SPARSE(item_row, ITEM_FIELDS, 1)
#undef REC_SELF
#define REC_SELF issue_row
REC_DEFINE_SPARSE(issue_row, ISSUE_FIELDS, 1)
#undef REC_SELF

void rows_put(struct db_batch *b, enum db_table table, const char *key, const struct rec *r, const void *row)
{
	AUTO_STR struct str bytes = {0};

	rec_encode(r, row, &bytes);
	db_batch_put(b, table, key, bytes.p, bytes.len);
}
