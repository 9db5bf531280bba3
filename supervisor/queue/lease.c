/* lease: claims of items by processes outside of bosk. Signals nobody. */
#include "lease.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/owner.h"

enum { COMMAND_MAX = 4096, ANCESTORS_MAX = 1000 };

/* ---- processes ---- */

/* The program and its command line; "" when that cannot be said. */
static void program(pid_t pid, struct str *out)
{
	char path[64], text[COMMAND_MAX];

	snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
	ssize_t n = readlink(path, text, sizeof text);
	if (n <= 0)
		return;
	str_addn(out, text, (size_t)n);
	snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
	FILE *in = fopen(path, "re");
	size_t got = in ? fread(text, 1, sizeof text, in) : 0;
	if (in)
		fclose(in);
	str_addc(out, '\n');
	str_addn(out, text, got);
}

/* Is `pid` a process that `parent` made of itself, without another program? */
static bool is_copy(pid_t pid, pid_t parent)
{
	AUTO_STR struct str a = {0}, b = {0};

	program(pid, &a);
	program(parent, &b);
	return a.len && a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* "pid:ticks" of the process that called this one and of the shells that it is a copy of. */
static void callers(struct strv *out)
{
	uint64_t ticks;

	for (pid_t pid = getppid(); owner_start_ticks(pid, &ticks);) {
		strv_addf(out, "%ld:%llu", (long)pid, (unsigned long long)ticks);
		pid_t parent = owner_parent(pid);
		if (parent <= 1 || out->n >= ANCESTORS_MAX || !is_copy(pid, parent))
			return;
		pid = parent;
	}
}

static bool here(const struct item_row *r)
{
	struct owner self;

	owner_self(&self);
	return str_eq(r->boot_id, self.boot_id) && str_eq(r->host, self.host);
}

static bool is_alive(const struct item_row *r, const char *name)
{
	struct owner o = {0};
	unsigned long long pid, ticks;

	if (sscanf(name, "%llu:%llu", &pid, &ticks) != 2)
		return false;
	o.pid = pid;
	o.start_ticks = ticks;
	snprintf(o.boot_id, sizeof o.boot_id, "%s", r->boot_id);
	return owner_alive(&o);
}

/* Whose it is now: the one that claimed it, else the nearest shell that it was a copy of; NULL = they are gone. The
 * caller owns it. */
static char *holder(const struct item_row *r)
{
	if (!here(r))
		return NULL;
	AUTO_FREE char *first = mem_printf("%llu:%llu", (unsigned long long)r->pid, (unsigned long long)r->start_ticks);
	if (is_alive(r, first))
		return mem_steal(&first);
	for (size_t i = 0; i < r->shells.n; i++)
		if (is_alive(r, r->shells.v[i]))
			return mem_strdup(r->shells.v[i]);
	return NULL;
}

/* ---- claims ---- */

void lease_take(struct item_row *r, const char *token, uint64_t now_ms)
{
	AUTO_STRV struct strv names = {0};
	struct owner o;

	owner_of(getppid(), &o);
	callers(&names);
	mem_set(&r->token, token);
	r->claimed_ms = now_ms;
	r->claimed_boot_ms = clock_boot_ms();
	r->pid = o.pid;
	r->start_ticks = o.start_ticks;
	mem_set(&r->boot_id, o.boot_id);
	mem_set(&r->host, o.host);
	strv_fini(&r->shells);
	for (size_t i = 1; i < names.n; i++)
		strv_add(&r->shells, names.v[i]);
	r->claims++;
}

void lease_drop(struct item_row *r)
{
	mem_set(&r->token, NULL);
	r->claimed_ms = r->claimed_boot_ms = r->pid = r->start_ticks = 0;
	mem_set(&r->boot_id, NULL);
	mem_set(&r->host, NULL);
	strv_fini(&r->shells);
}

static uint64_t age_ms(const struct item_row *r)
{
	uint64_t now = clock_wall_ms(), then = r->claimed_ms;

	/* Within one boot by a clock that nobody sets. */
	if (r->claimed_boot_ms && here(r)) {
		now = clock_boot_ms();
		then = r->claimed_boot_ms;
	}
	return now > then ? now - then : 0;
}

enum lease lease_of(const struct item_row *r, uint64_t max_age_ms)
{
	struct owner self;

	if (!r->token)
		return LEASE_NONE;
	owner_self(&self);
	bool old = age_ms(r) >= max_age_ms;
	if (!str_eq(r->host, self.host)) /* its processes cannot be looked at */
		return old ? LEASE_ORPHAN : LEASE_HELD;
	AUTO_FREE char *who = holder(r);
	return who ? LEASE_HELD : old ? LEASE_ORPHAN : LEASE_YOUNG;
}

bool lease_again(const struct item_row *r, const char *token)
{
	AUTO_STRV struct strv names = {0};

	if (!r->token || (token && str_eq(token, r->token)))
		return r->token != NULL;
	AUTO_FREE char *who = holder(r);
	if (!who)
		return false;
	callers(&names);
	return strv_has(&names, who);
}

bool lease_may_end(const struct item_row *r, const char *token)
{
	if (!r->token || token)
		return str_eq(token, r->token);
	AUTO_FREE char *who = holder(r);
	pid_t pid = getppid();
	for (int i = 0; who && pid > 0 && i < ANCESTORS_MAX; i++, pid = owner_parent(pid)) {
		uint64_t ticks = 0;
		owner_start_ticks(pid, &ticks);
		AUTO_FREE char *name = mem_printf("%ld:%llu", (long)pid, (unsigned long long)ticks);
		if (str_eq(name, who))
			return true;
	}
	return false;
}

void lease_text(const struct item_row *r, struct str *out)
{
	struct owner self;

	owner_self(&self);
	AUTO_FREE char *who = holder(r);
	str_addf(out, "process %.*s", (int)strcspn(who ? who : "", ":"), who ? who : "");
	if (!who)
		str_addf(out, "%llu", (unsigned long long)r->pid);
	if (!str_eq(r->host, self.host))
		str_addf(out, " of host %s", r->host ? r->host : "?");
	else if (!who)
		str_add(out, ", which is gone");
	str_add(out, ", ");
	clock_add_duration(out, age_ms(r));
	str_add(out, " ago");
}
