/* status_large: the text for a session of very many tasks. Nobody reads 100,000 lines: what needs a look
 * is listed, the rest is counted. One pass over the rows, of which only the state is decoded. */
#include "status.h"

#include <string.h>

#include "render.h"
#include "store/base/mem.h"

enum { LINES_MAX = 100 };

struct pass {
	const char *prefix;
	size_t counts[TASK_STATE_COUNT];
	const void *def; /* of the task at hand: its row follows */
	size_t def_n;
	struct table table;
	size_t listed, hidden;
	bool live;
};

/* Waiting or done is what most tasks are. */
static bool worth_a_line(enum task_state state)
{
	return state == TASK_RUNNING || state == TASK_CHECKED ||
	       (task_state_ended(state) && !task_state_good(state) && state != TASK_SKIPPED);
}

static int add_line(struct pass *p, enum task_state state, const void *value, size_t n, struct err *e)
{
	struct task_row row;
	size_t len = 0;
	const char *id = scan_text(p->def, p->def_n, "id", &len);

	if (p->listed == LINES_MAX) {
		p->hidden++;
		return 0;
	}
	if (rec_decode(&task_row_rec, &row, value, n, e) != 0)
		return -1;
	AUTO_FREE char *name = mem_printf("  %.*s", (int)len, id ? id : "");
	AUTO_FREE char *reason =
		mem_strndup(row.reason ? row.reason : "", strcspn(row.reason ? row.reason : "", "\n"));
	AUTO_STR struct str took = {0};
	status_took(&row, &took);
	TABLE_ROW(&p->table, name, state == TASK_RUNNING && !p->live ? "pending" : task_state_shown(state),
	          took.p, reason);
	p->listed++;
	rec_fini(&task_row_rec, &row);
	return 0;
}

static int take(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct pass *p = ctx;
	enum task_state state;
	size_t len = 0;

	if (key[strlen(key) - 1] == 'd') {
		p->def = value;
		p->def_n = n;
		return 0;
	}
	const char *text = scan_text(value, n, "state", &len);
	AUTO_FREE char *name = text ? mem_strndup(text, len) : NULL;
	if (!name || !task_state_parse(name, &state))
		return err_set(e, ERR_DAMAGED, "the row %s has no state", key);
	p->counts[state]++;
	return worth_a_line(state) ? add_line(p, state, value, n, e) : 0;
}

static int pass(struct db_txn *t, void *ctx, struct err *e)
{
	struct pass *p = ctx;
	return db_scan(t, DB_tasks, p->prefix, take, p, e);
}

int status_large(struct session *s, struct str *out, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s/", s->row.queue);
	struct pass p = {.prefix = prefix, .live = session_live(s->site, s->sid)};
	struct status_count counts = {.total = s->queue.tasks};

	int rc = db_read(s->site->db, pass, &p, e);
	for (int i = 0; rc == 0 && i < TASK_STATE_COUNT; i++) {
		enum task_state state = (enum task_state)i;
		status_count(&counts, state == TASK_RUNNING && !p.live ? "pending" : task_state_shown(state),
		             p.counts[i]);
	}
	if (rc == 0) {
		status_head(s, &counts, out);
		table_print(&p.table, render_columns(1), out);
		if (p.hidden)
			str_addf(out, "  and %zu more like these\n", p.hidden);
		str_add(out, "  waiting and integrated tasks are not listed here: bosk status --json has all\n");
	}
	table_fini(&p.table);
	return rc;
}
