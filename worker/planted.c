/* planted: comparing what git would run now with what it would have run when the session began. */
#include "planted.h"

#include <string.h>

#include "exec.h"
#include "gitconf.h"
#include "gitlinks.h"
#include "store/base/mem.h"
#include "store/seal.h"

/* A listed item is KEY=VALUE. A key may hold "=" but no newline: there the newline stands for it. */
static void add_key(struct str *out, const char *key)
{
	for (; *key; key++)
		str_addc(out, *key == '=' ? '\n' : *key);
	str_addc(out, '=');
}

/* What helpers for passwords are given may be a password: of these only whether they are the same. */
static char *item(const struct gitconf_entry *entry)
{
	struct str out = {0};
	char hash[SEAL_HEX];
	bool hide = str_starts(entry->key, "credential.");

	if (hide)
		seal_hash(hash, entry->value, strlen(entry->value));
	add_key(&out, entry->key);
	str_add(&out, hide ? hash : entry->value);
	return str_take(&out);
}

int planted_list(struct strv *out, const char *common_dir, const char *top, struct err *e)
{
	AUTO_STRV struct strv nested = {0};
	struct gitconf conf;

	gitlinks_configs(top, &nested);
	int rc = gitconf_read(&conf, common_dir, &nested, e);
	for (size_t i = 0; rc == 0 && i < conf.n; i++) {
		AUTO_FREE char *text = item(&conf.v[i]);
		if (!strv_has(out, text))
			strv_give(out, mem_steal(&text));
	}
	gitconf_fini(&conf);
	return rc;
}

char *planted_text(const char *listed)
{
	size_t key = strcspn(listed, "=");
	AUTO_FREE char *name = mem_strndup(listed, key);

	for (char *p = name; (p = strchr(p, '\n'));)
		*p = '=';
	AUTO_STR struct str scratch = {0};
	if (!gitconf_neutral(name, &scratch) || gitconf_blinds(name))
		return NULL;
	if (str_starts(name, "credential."))
		return mem_strdup(name);
	return mem_printf("%s = %s", name, listed + key + 1);
}

void planted_init(struct planted *p, const char *common_dir, const struct strv *known)
{
	*p = (struct planted){.common_dir = common_dir, .known = known};
}

void planted_fini(struct planted *p)
{
	free(p->top);
	free(p->index);
	strv_fini(&p->nested);
	strv_fini(&p->included);
	str_fini(&p->seen);
	strv_fini(&p->overrides);
	strv_fini(&p->found);
	*p = (struct planted){0};
}

/* The value a key had when the session began, NULL = none; the later of several. */
static const char *known_value(const struct planted *p, const char *key)
{
	AUTO_STR struct str prefix = {0};

	if (str_starts(key, "credential."))
		return NULL; /* its hash is no value */
	add_key(&prefix, key);
	for (size_t i = p->known->n; i-- > 0;)
		if (str_starts(p->known->v[i], prefix.p))
			return p->known->v[i] + prefix.len;
	return NULL;
}

static void override(struct planted *p, const char *key, const char *value)
{
	for (size_t i = 0; i < p->overrides.n; i += 2)
		if (strcmp(p->overrides.v[i], key) == 0)
			return;
	strv_add(&p->overrides, key);
	strv_add(&p->overrides, value);
}

/* A filter with a new `process` cannot be given its old clean and smudge back: git does not look at them
 * then. It fails instead of putting unfiltered content into commits. A filter that is new as a whole is
 * none, and no content may need it. */
static void override_filter(struct planted *p, const char *key)
{
	int stem = (int)(strrchr(key, '.') - key);
	AUTO_FREE char *required = mem_printf("%.*s.required", stem, key);
	AUTO_FREE char *process = mem_printf("%.*s.process", stem, key);
	static const char *const names[] = {"clean", "smudge", "process"};
	bool known = false;

	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		AUTO_FREE char *name = mem_printf("%.*s.%s", stem, key, names[i]);
		known |= known_value(p, name) != NULL;
	}
	if (!known)
		override(p, required, "false");
	else if (strcmp(key, process) == 0 && !known_value(p, key))
		override(p, required, "true");
}

static void override_entry(struct planted *p, const struct gitconf_entry *entry)
{
	AUTO_STR struct str scratch = {0};
	const char *value = known_value(p, entry->key);

	if (str_starts(entry->key, "filter."))
		override_filter(p, entry->key);
	override(p, entry->key, value ? value : gitconf_neutral(entry->key, &scratch));
}

static void tell(struct planted *p, const struct gitconf_entry *entry)
{
	AUTO_FREE char *text = NULL;

	if (entry->setting && gitconf_blinds(entry->key))
		text = mem_printf("planted during the session: %s in %s; bosk's git went without it", entry->key, entry->file);
	else if (str_eq(entry->key, "info/exclude"))
		text = mem_printf("changed during the session: %s; what it names is in no commit, but gates and later tasks in a "
		                  "worktree see it", entry->file);
	else if (entry->setting)
		text = mem_printf("planted during the session: %s in %s; bosk did not run it", entry->key,
		                  entry->file);
	else if (str_starts(entry->key, "hook "))
		text = mem_printf("planted during the session: the hook %s; bosk did not run it", entry->file);
	else
		text = mem_printf("changed during the session: %s; its attributes count for bosk's git too, "
		                  "but run only filters that were configured before", entry->file);
	if (!strv_has(&p->found, text))
		strv_give(&p->found, mem_steal(&text));
}

/* Repositories inside the worktree. While its index is the same and names none there is nothing to do;
 * those that it names may come and go. */
static void find_nested(struct planted *p, const char *top)
{
	AUTO_FREE char *git_dir = gitlinks_git_dir(top);
	AUTO_STRV struct strv indexes = {0};
	AUTO_STR struct str now = {0};

	if (git_dir)
		gitlinks_index_files(git_dir, &indexes);
	for (size_t i = 0; i < indexes.n; i++)
		gitconf_look_one(&now, indexes.v[i]);
	if (str_eq(p->top, top) && str_eq(p->index, str_text(&now)) && !p->links)
		return;
	mem_set(&p->top, top);
	mem_set(&p->index, str_text(&now));
	strv_fini(&p->nested);
	p->links = gitlinks_configs(top, &p->nested);
}

int planted_check(struct planted *p, const char *top, struct err *e)
{
	AUTO_STR struct str now = {0};
	struct gitconf conf;

	find_nested(p, top);
	gitconf_look(&now, p->common_dir, &p->nested, &p->included);
	if (p->seen.len && strcmp(str_text(&now), p->seen.p) == 0)
		return 0;
	if (gitconf_read(&conf, p->common_dir, &p->nested, e) != 0) {
		gitconf_fini(&conf);
		return -1;
	}
	strv_fini(&p->overrides);
	for (size_t i = 0; i < conf.n; i++) {
		AUTO_FREE char *text = item(&conf.v[i]);
		if (strv_has(p->known, text))
			continue;
		tell(p, &conf.v[i]);
		if (conf.v[i].setting)
			override_entry(p, &conf.v[i]);
	}
	strv_fini(&p->included);
	p->included = conf.included;
	str_fini(&p->seen);
	p->seen = conf.seen;
	conf.included = (struct strv){0};
	conf.seen = (struct str){0};
	gitconf_fini(&conf);
	return 0;
}

void planted_env(const struct planted *p, struct strv *env)
{
	/* Not -c: a key with "=" in it cannot be given there. */
	AUTO_FREE char *count = mem_printf("%zu", p->overrides.n / 2);

	if (!p->overrides.n)
		return;
	exec_env_set(env, "GIT_CONFIG_COUNT", count);
	for (size_t i = 0; i < p->overrides.n; i += 2) {
		AUTO_FREE char *key = mem_printf("GIT_CONFIG_KEY_%zu", i / 2);
		AUTO_FREE char *value = mem_printf("GIT_CONFIG_VALUE_%zu", i / 2);
		exec_env_set(env, key, p->overrides.v[i]);
		exec_env_set(env, value, p->overrides.v[i + 1]);
	}
}
