/* adapter: a definition read, and the command line and variables of a run. Streams are adapter_run.c's. */
#include "adapter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter_private.h"
#include "exec.h"
#include "store/base/mem.h"

/* ---- holes ---- */

static const char *const names[] = {"cwd", "model", "session", "resume", "schema", "schema_file", "last_file", "prompt",
                                    "prompt_file", "result_file", "tmp", "command", "full"};

struct hole {
	char name[80];
	bool condition, unless;
	const char *inner; /* of a condition: its words, */
	size_t n_inner;
};

static bool named(const struct hole *h)
{
	for (size_t i = 0; i < MEM_COUNT(names); i++)
		if (strcmp(h->name, names[i]) == 0)
			return true;
	return str_starts(h->name, "env:") && h->name[4];
}

/* The next word of a condition's inside, up to `end`; NULL = none is left. Blanks in a condition of its own do not end it. */
static char *inner_word(const char **p, const char *end)
{
	size_t depth = 0;

	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	const char *from = *p;
	for (; *p < end && (depth || (**p != ' ' && **p != '\t')); (*p)++) {
		depth += **p == '{';
		depth -= **p == '}' && depth;
	}
	return *p > from ? mem_strndup(from, (size_t)(*p - from)) : NULL;
}

/* What a brace at p begins: its length, 0 = it is only a brace. Braces in a condition are counted, so that it may hold
 * holes. */
static size_t hole_at(const char *p, struct hole *h)
{
	const char *from = p + 1;
	size_t depth = 1, n;

	*h = (struct hole){0};
	if (*p != '{')
		return 0;
	h->unless = *from == '!';
	from += h->unless;
	n = strspn(from, "abcdefghijklmnopqrstuvwxyz_");
	if (n == 3 && strncmp(from, "env:", 4) == 0)
		n = 4 + strspn(from + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	if (!n || n >= sizeof h->name)
		return 0;
	memcpy(h->name, from, n);
	if (from[n] == '}' && !h->unless)
		return (size_t)(from + n + 1 - p);
	if (from[n] != '?')
		return 0;
	h->condition = true;
	h->inner = from + n + 1;
	for (const char *c = h->inner; *c; c++) {
		depth += *c == '{';
		depth -= *c == '}';
		if (!depth) {
			h->n_inner = (size_t)(c - h->inner);
			return (size_t)(c + 1 - p);
		}
	}
	return 0;
}

const char *adapter_env_value(const struct adapter_call *c, const char *name, size_t n)
{
	for (char *const *e = c->env ? c->env : environ; e && *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

static const char *value(const struct adapter_call *c, bool full, const char *name)
{
	const char *const values[] = {c->cwd, c->model, c->session, c->resume ? "" : NULL, c->schema, c->schema_file, c->last_file,
	                              c->prompt, c->prompt_file, c->result_file, c->tmp, c->command, full ? "" : NULL};

	for (size_t i = 0; i < MEM_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return values[i];
	return adapter_env_value(c, name + 4, strlen(name + 4));
}

bool adapter_fill(const struct adapter_call *c, bool full, const char *text, struct str *out)
{
	bool all = true;
	struct hole h;

	while (*text) {
		size_t n = hole_at(text, &h);
		if (n && !h.condition) {
			const char *v = value(c, full, h.name);
			all &= v != NULL;
			str_add(out, v ? v : "");
		} else {
			n = 1;
			str_addc(out, *text);
		}
		text += n;
	}
	return all;
}

/* One word of a definition: none, one or several of the command line. */
static void fill_word(const struct adapter_call *c, bool full, const char *word, struct strv *out)
{
	struct hole h;

	if (hole_at(word, &h) == strlen(word) && h.condition) {
		if ((value(c, full, h.name) != NULL) == h.unless)
			return;
		for (const char *p = h.inner;;) {
			AUTO_FREE char *inner = inner_word(&p, h.inner + h.n_inner);
			if (!inner)
				return;
			fill_word(c, full, inner, out);
		}
	}
	AUTO_STR struct str filled = {0};
	adapter_fill(c, full, word, &filled);
	if (filled.len || !*word)
		strv_give(out, str_take(&filled));
}

/* ---- reading ---- */

static int check_word(const char *word, struct err *e)
{
	struct hole h;

	for (const char *p = strchr(word, '{'); p; p = strchr(p, '{')) {
		size_t n = hole_at(p, &h);
		bool condition = n && h.condition;
		if (n && !named(&h))
			return err_set(e, ERR_USAGE, "{%s} is not known here; there is cwd, model, session, resume, schema, schema_file, "
			               "last_file, prompt, prompt_file, result_file, tmp, command, full, env:NAME", h.name);
		if (condition && (p != word || p[n]))
			return err_set(e, ERR_USAGE, "a condition must be a word of its own: \"%s\"", word);
		if (n && !condition && (strcmp(h.name, "full") == 0 || strcmp(h.name, "resume") == 0))
			return err_set(e, ERR_USAGE, "{%s} is a condition only: {%s? words}", h.name, h.name);
		if (!n && (str_starts(p, "{!") || (strchr(p, '?') && strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_") == strcspn(p + 1, "?"))))
			return err_set(e, ERR_USAGE, "a \"}\" is missing: \"%s\"", word);
		for (const char *in = h.inner; condition;) {
			AUTO_FREE char *inner = inner_word(&in, h.inner + h.n_inner);
			if (!inner)
				break;
			if (check_word(inner, e))
				return -1;
		}
		p += n ? n : 1;
	}
	return 0;
}

static int check_words(const char *key, const struct strv *words, struct err *e)
{
	for (size_t i = 0; i < words->n; i++)
		if (check_word(words->v[i], e))
			return err_wrap(e, "%s, item %zu", key, i + 1);
	return 0;
}

static int check_env(const struct strv *env, struct err *e)
{
	for (size_t i = 0; i < env->n; i++) {
		const char *from = env->v[i] + (*env->v[i] == '{' ? strcspn(env->v[i], "? ") + 1 : 0);
		from += strspn(from, " ");
		size_t n = strspn(from, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
		if (!n || from[n] != '=')
			return err_set(e, ERR_USAGE, "env, item %zu: \"%s\" is not NAME=VALUE", i + 1, env->v[i]);
	}
	return check_words("env", env, e);
}

static bool has_hole(const struct strv *words, const char *hole)
{
	for (size_t i = 0; i < words->n; i++)
		if (strstr(words->v[i], hole))
			return true;
	return false;
}

static int check_def(const struct msg_agent *def, struct err *e)
{
	const char *prompt = def->prompt ? def->prompt : "file";

	if (!def->argv.n)
		return err_set(e, ERR_USAGE, "argv: a command line is missing");
	if (strcmp(prompt, "file") != 0 && strcmp(prompt, "arg") != 0 && strcmp(prompt, "none") != 0)
		return err_set(e, ERR_USAGE, "prompt: \"%s\" is not file, arg or none", prompt);
	if (strcmp(prompt, "arg") == 0 && (!has_hole(&def->argv, "{prompt}") || (def->resume.n && !has_hole(&def->resume, "{prompt}"))))
		return err_set(e, ERR_USAGE, "prompt: \"arg\" needs a {prompt} in argv, and in resume");
	if (check_words("probe", &def->probe, e) || check_words("argv", &def->argv, e) || check_words("resume", &def->resume, e) ||
	    check_words("wrap", &def->wrap, e))
		return -1;
	return check_env(&def->env, e);
}

static int read_rules(struct adapter *a, struct adapter_rules *out, enum adapter_kind kind, const char *key,
                      const struct strv *texts, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *file = strstr(texts->v[i], "file ");
		if ((file && check_word(texts->v[i], e)) || adapter_rule_read(out, kind, texts->v[i], &a->n_seats, e))
			return err_wrap(e, "%s, item %zu: \"%s\"", key, i + 1, texts->v[i]);
	}
	return 0;
}

static int read_session(struct adapter *a, const char *text, struct err *e)
{
	if (!text || strcmp(text, "none") == 0)
		return 0;
	a->presets = strcmp(text, "preset") == 0;
	if (!a->presets && adapter_rule_read(&a->session, ADAPTER_KIND_SESSION, text, &a->n_seats, e))
		return err_wrap(e, "session: \"%s\" is not preset, none or a rule", text);
	return 0;
}

static int read_def(struct adapter *a, struct err *e)
{
	const struct msg_agent *def = a->def;

	if (check_def(def, e) || read_session(a, def->session, e) ||
	    read_rules(a, &a->final, ADAPTER_KIND_FINAL, "final", &def->final, e) ||
	    read_rules(a, &a->ok, ADAPTER_KIND_OK, "ok", &def->ok, e) ||
	    read_rules(a, &a->usage, ADAPTER_KIND_USAGE, "usage", &def->usage, e) ||
	    read_rules(a, &a->fail, ADAPTER_KIND_FAIL, "fail", &def->fail, e) ||
	    read_rules(a, &a->reset, ADAPTER_KIND_RESET, "reset", &def->reset, e) ||
	    read_rules(a, &a->kill_if, ADAPTER_KIND_KILL, "kill_if", &def->kill_if, e))
		return -1;
	return a->ok.n ? 0 : err_set(e, ERR_USAGE, "ok: what a good end is must be said, such as \"exit 0\"");
}

int adapter_new(struct adapter **out, const struct msg_agent *def, struct err *e)
{
	struct adapter *a = mem_alloc(sizeof *a);

	*out = NULL;
	a->def = def;
	if (read_def(a, e)) {
		adapter_free(a);
		return err_wrap(e, "agent \"%s\"", def->name ? def->name : "?");
	}
	*out = a;
	return 0;
}

const char *adapter_account(const struct msg_agent *def)
{
	return def->account && *def->account ? def->account : def->name;
}

void adapter_free(struct adapter *a)
{
	if (!a)
		return;
	adapter_rules_fini(&a->session);
	adapter_rules_fini(&a->final);
	adapter_rules_fini(&a->ok);
	adapter_rules_fini(&a->usage);
	adapter_rules_fini(&a->fail);
	adapter_rules_fini(&a->reset);
	adapter_rules_fini(&a->kill_if);
	free(a);
}

/* ---- a run ---- */

void adapter_argv(const struct adapter *a, const struct adapter_call *c, struct strv *argv)
{
	const struct strv *words = c->resume && a->def->resume.n ? &a->def->resume : &a->def->argv;

	for (size_t i = 0; i < a->def->wrap.n; i++)
		fill_word(c, a->def->full, a->def->wrap.v[i], argv);
	for (size_t i = 0; i < words->n; i++)
		fill_word(c, a->def->full, words->v[i], argv);
}

void adapter_env(const struct adapter *a, const struct adapter_call *c, struct strv *env)
{
	for (size_t i = 0; i < a->def->env.n; i++) {
		AUTO_STRV struct strv words = {0};
		fill_word(c, a->def->full, a->def->env.v[i], &words);
		for (size_t k = 0; k < words.n; k++) {
			char *equal = strchr(words.v[k], '=');
			if (!equal)
				continue;
			*equal = '\0';
			exec_env_set(env, words.v[k], equal + 1);
		}
	}
}

bool adapter_presets(const struct adapter *a)
{
	return a->presets;
}
