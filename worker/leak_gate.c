/* leak_gate: the gate `builtin: secrets`: what was added, what of it is allowed, and what is said of the rest. */
#include "leak_gate.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "gate.h"
#include "leak.h"
#include "secret.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

enum {
	FILE_MAX = 8 << 20, /* larger ones are named, and not looked at */
	SHOWN_MAX = 100,
	SAID_MAX = 10 * 1024, /* what a model is told (excerpt.h) has room for it, and for what is behind it */
	SKIPPED_MAX = 2 * 1024,
	ALLOWED_MAX = 256 * 1024, /* of the log */
	ALLOW_MAX = 1 << 20,
	WAS_MAX = 1000,
};

static const char advice[] =
	"A secret that was real is to be revoked: it was in a file. What is none can be allowed by a comment on its line, or on\n"
	"a line of its own before it: `bosk:allow-secret RULE`; not so a private key, nor a token of a known kind: an example of\n"
	"these is to be put together from pieces. Who looks after the repository can allow paths, rules and findings in\n"
	LEAK_ALLOW_FILE "; a task cannot.\n";

struct look {
	struct slot *s;
	struct leak_rules *rules;
	struct leak_allow allow;
	uint64_t until_ms;
	bool late, stopped;
	bool task;  /* is it a task that added it? */
	bool modes; /* do modes of files mean anything here? */
	const char *path;  /* that is looked at now, */
	struct str shown_path; /* and as it is told */
	struct str said, allowed, skipped;
	size_t files, found, shown, n_allowed, moved;
	struct strv was; /* what is gone from where it was, by its value (leak.h) */
};

int leak_gate_between(struct slot *s, const struct oid *from_tree, const struct oid *to_tree, struct err *e)
{
	struct oid base;

	s->added_from = *from_tree;
	s->added_to = *to_tree;
	s->allow_tree = *from_tree;
	/* What is allowed is as it was when the session began, as the rest of its configuration. */
	if (s->init.session_base && oid_parse(&base, s->init.session_base))
		return gitx_tree_of(s->gitx, &base, &s->allow_tree, e);
	return 0;
}

/* ---- looking ---- */

static bool over(void *ctx)
{
	struct look *l = ctx;
	struct pollfd p = {.fd = l->s->git.watch_fd, .events = POLLIN};

	l->late |= clock_mono_ms() > l->until_ms;
	if (l->s->git.watch && poll(&p, 1, 0) > 0)
		l->stopped |= l->s->git.watch(l->s->git.ctx);
	return l->late || l->stopped;
}

static void place(const struct look *l, struct str *out, size_t line)
{
	str_add_printable(out, str_text(&l->shown_path), l->shown_path.len, false);
	if (line)
		str_addf(out, ":%zu", line);
}

/* A comment may be written by the very one who is watched: a person is told. */
static void note_allowed(struct look *l, const struct leak_finding *f, bool by_file)
{
	AUTO_STR struct str where = {0}, note = {0};

	place(l, &where, f->line);
	l->n_allowed++;
	if (l->allowed.len < ALLOWED_MAX)
		str_addf(&l->allowed, "%s: %s: allowed by %s\n", where.p, f->rule, by_file ? LEAK_ALLOW_FILE : "a comment");
	if (by_file || !l->task || l->s->notes.n >= SHOWN_MAX)
		return;
	str_addf(&note, "what the rule %s finds in it is allowed by a comment: %s", f->rule, where.p);
	secret_hide(&note);
	if (!strv_has(&l->s->notes, note.p))
		strv_add(&l->s->notes, note.p);
}

/* It passes, so that somebody is told. */
static void note_skipped(struct look *l)
{
	AUTO_STR struct str text = {0};

	place(l, &text, 0);
	str_addf(&text, ": larger than %d MiB, what is in it was not looked at", FILE_MAX >> 20);
	if (l->skipped.len < SKIPPED_MAX)
		str_addf(&l->skipped, "%s\n", text.p);
	secret_hide(&text);
	if (l->task && l->s->notes.n < SHOWN_MAX && !strv_has(&l->s->notes, text.p))
		strv_addf(&l->s->notes, "secrets are not sought in %s", text.p);
}

static void take(void *ctx, const struct leak_finding *f)
{
	struct look *l = ctx;
	bool by_file = leak_allow_has(&l->allow, l->path, f);

	if (by_file || f->allowed) {
		note_allowed(l, f, by_file);
		return;
	}
	if (*f->value && strv_has(&l->was, f->value)) {
		l->moved++;
		return;
	}
	l->found++;
	if (l->shown == SHOWN_MAX || l->said.len + 2 * strlen(l->path) > SAID_MAX)
		return;
	l->shown++;
	place(l, &l->said, f->line);
	str_addf(&l->said, ": %s: %s (finding:%s)\n", f->rule, f->what, f->print);
}

static bool open_to_all(const struct look *l, const char *path)
{
	AUTO_FREE char *full = mem_printf("%s/%s", l->s->init.worktree, path);
	struct stat st;

	return lstat(full, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IWOTH;
}

static bool visit(void *ctx, const struct gitx_added *f)
{
	struct look *l = ctx;
	const char *rule = NULL, *what = NULL;

	l->path = f->path;
	str_clear(&l->shown_path);
	bool named = leak_hide(l->rules, f->path, &l->shown_path, &rule, &what);
	l->files++;
	if (!f->text)
		note_skipped(l);
	if (named && f->fresh) {
		struct leak_finding in_name = {.rule = rule, .what = what};
		leak_print(in_name.print, rule, f->path, "", 0);
		take(l, &in_name);
	}
	leak_scan(l->rules, f, take, over, l);
	if (l->modes && open_to_all(l, f->path))
		leak_scan_mode(f->path, take, l);
	return !over(l);
}

/* What was taken away, to know it again: a file that is renamed, or a line that is indented, has no new secret. */
static void take_removed(void *ctx, const struct leak_finding *f)
{
	struct look *l = ctx;

	if (*f->value && l->was.n < WAS_MAX && !strv_has(&l->was, f->value))
		strv_add(&l->was, f->value);
}

static bool visit_removed(void *ctx, const struct gitx_added *f)
{
	struct look *l = ctx;

	leak_scan(l->rules, f, take_removed, over, l);
	return !over(l);
}

/* Where what git has made itself is open to all, that is how this machine makes files. */
static bool modes_mean_something(const struct look *l)
{
	AUTO_FREE char *path = mem_printf("%s/.git", l->s->init.worktree);
	struct stat st;

	return lstat(path, &st) == 0 && !(st.st_mode & S_IWOTH);
}

static int look(struct look *l, struct strv *wrong, struct err *e)
{
	AUTO_STR struct str allow = {0};
	struct err absent = {0};

	if (oid_none(&l->s->allow_tree))
		err_set(&absent, ERR_MISSING, "there is no tree");
	else if (gitx_file_in(l->s->gitx, &l->s->allow_tree, LEAK_ALLOW_FILE, ALLOW_MAX, &allow, &absent) == 0)
		leak_allow_read(&l->allow, str_text(&allow), allow.len, wrong);
	if (absent.kind && absent.kind != ERR_MISSING)
		return err_set(e, absent.kind, "%s %s", LEAK_ALLOW_FILE, absent.text);
	l->modes = modes_mean_something(l);
	if (leak_rules_new(&l->rules, e) != 0)
		return -1;
	if (gitx_added(l->s->gitx, &l->s->added_to, &l->s->added_from, FILE_MAX, visit_removed, l, e) != 0 || over(l))
		return e->kind ? -1 : 0;
	return gitx_added(l->s->gitx, &l->s->added_from, &l->s->added_to, FILE_MAX, visit, l, e);
}

/* ---- saying ---- */

static void write_output(struct look *l, const struct strv *wrong, struct str *out)
{
	str_add(out, str_text(&l->said));
	if (l->found > l->shown)
		str_addf(out, "... and %zu more\n", l->found - l->shown);
	str_addf(out, "%s%zu finding%s in %zu changed file%s", l->found ? "\n" : "", l->found, l->found == 1 ? "" : "s", l->files,
	         l->files == 1 ? "" : "s");
	if (l->n_allowed)
		str_addf(out, ", %zu allowed", l->n_allowed);
	if (l->moved)
		str_addf(out, ", %zu that %s there before", l->moved, l->moved == 1 ? "was" : "were");
	str_add(out, ".\n");
	str_add(out, str_text(&l->skipped));
	for (size_t i = 0; i < wrong->n; i++)
		str_addf(out, "%s: %s, and is left out\n", LEAK_ALLOW_FILE, wrong->v[i]);
	if (l->found)
		str_add(out, advice);
}

static void look_fini(struct look *l)
{
	leak_rules_free(l->rules);
	leak_allow_fini(&l->allow);
	str_fini(&l->said);
	str_fini(&l->allowed);
	str_fini(&l->skipped);
	str_fini(&l->shown_path);
	strv_fini(&l->was);
}

static const char *judge(const struct look *l, int rc, uint64_t timeout_ms, const struct err *e, struct str *why)
{
	if (l->late && !l->stopped) {
		str_add(why, "no end after ");
		clock_add_duration(why, timeout_ms);
		return "timeout";
	}
	if (rc != 0)
		str_add(why, e->text);
	else if (l->found)
		str_addf(why, "%zu finding%s", l->found, l->found == 1 ? "" : "s");
	return rc != 0 ? "could-not-run" : l->found ? "fail" : "pass";
}

int leak_gate_run(struct slot *s, const struct msg_gate *g, uint64_t attempt, const char *log_path, const char **verdict,
                  uint64_t *ms, struct str *why, struct str *tail, struct err *e)
{
	uint64_t timeout = g->timeout_ms ? g->timeout_ms : GATE_TIMEOUT_MS, began = clock_mono_ms();
	struct look l = {.s = s, .until_ms = began + timeout, .task = attempt > 0};
	AUTO_STRV struct strv wrong = {0};
	AUTO_STR struct str log = {0};
	struct err trouble = {0};

	if (!str_eq(g->builtin, "secrets"))
		return err_set(e, ERR_PROTO, "there is no gate %s in this version", g->builtin);
	int rc = look(&l, &wrong, &trouble);
	*ms += clock_mono_ms() - began;
	*verdict = l.stopped ? NULL : judge(&l, rc, timeout, &trouble, why);
	write_output(&l, &wrong, tail);
	if (rc != 0)
		str_addf(tail, "%s\n", trouble.text);
	secret_hide(tail); /* names of files */
	str_add(&log, str_text(&l.allowed));
	secret_hide(&log);
	str_add(&log, str_text(tail));
	look_fini(&l);
	/* A log that could not be written does not decide what it came to. */
	if (slot_folders(s, log_path, e) != 0 || fs_write(log_path, str_text(&log), log.len, false, e) != 0)
		slot_progress(s, "gate", g->name, e->text);
	err_clear(e);
	if (rc != 0 && err_no_room(trouble.kind)) {
		*e = trouble;
		return -1; /* says nothing of the work: the task is tried again when there is room */
	}
	return 0;
}
