/* message: subject, body and footers of a commit, by the kind of the plan. */
#include "message.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "message_solution.h"
#include "secret.h"
#include "store/base/mem.h"

enum { OWN_MAX_BYTES = 16 * 1024, SCOPE_MAX = 40 };
#define OWN_MAX_COMMITS "100"

/* What is not named by the plan is a chore: a type that makes no program that reads types (for a list of changes, or
 * the number of the next version) claim more than is known. */
#define DEFAULT_TYPE "chore"

static const char *const types[] = {"feat", "fix", "refactor", "docs", "test", DEFAULT_TYPE, "style", "perf"};

struct draft {
	const struct msg_task *t;
	const struct strv *own, *changed, *gates;
	struct strv *notes;
	struct str *out;
};

/* ---- lines ---- */

/* Length of the line at `p`, without its end. */
static size_t line_len(const char *p)
{
	return strcspn(p, "\n");
}

static const char *next_line(const char *p)
{
	p += line_len(p);
	return *p ? p + 1 : p;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *p = text; *p; p = next_line(p))
		if (line_len(p) == n && strncmp(p, line, n) == 0)
			return true;
	return false;
}

/* ---- <type>(<scope>)!: <subject> ---- */

struct head {
	const char *type, *scope, *subject; /* scope NULL = none; of the lengths: */
	size_t type_n, scope_n, subject_n;
	bool breaking;
};

static bool read_head(const char *text, struct head *h)
{
	size_t n = line_len(text), at = 0;

	*h = (struct head){.type = text};
	while (at < n && isalpha((unsigned char)text[at]))
		at++;
	h->type_n = at;
	if (at < n && text[at] == '(') {
		h->scope = text + at + 1;
		h->scope_n = strcspn(h->scope, "()\n");
		at += 1 + h->scope_n;
		if (!h->scope_n || text[at] != ')')
			return false;
		at++;
	}
	h->breaking = at < n && text[at] == '!';
	at += h->breaking;
	if (!h->type_n || at >= n || text[at] != ':')
		return false;
	at += 1 + strspn(text + at + 1, " ");
	h->subject = text + at;
	while (n > at && isspace((unsigned char)text[n - 1]))
		n--;
	h->subject_n = at < n ? n - at : 0;
	return h->subject_n > 0;
}

static const char *allowed_type(const char *word, size_t n)
{
	for (size_t i = 0; i < MEM_COUNT(types); i++)
		if (strlen(types[i]) == n && strncasecmp(types[i], word, n) == 0)
			return types[i];
	return NULL;
}

static void note_type(const struct draft *d, const char *of, const char *word, size_t n, const char *used)
{
	AUTO_STR struct str list = {0};

	for (size_t i = 0; i < MEM_COUNT(types); i++)
		str_addf(&list, "%s%s", i ? " " : "", types[i]);
	strv_addf(d->notes, "%s says \"%.*s\", which is no type of a commit (%s): it is committed as \"%s\"", of,
	          (int)(n < SCOPE_MAX ? n : SCOPE_MAX), word, list.p, used);
}

/* From a branch such as feat/login; NULL when it begins with no type. */
static const char *branch_type(const struct msg_task *t)
{
	const char *slash = t->plan_branch ? strchr(t->plan_branch, '/') : NULL;

	return slash ? allowed_type(t->plan_branch, (size_t)(slash - t->plan_branch)) : NULL;
}

static const char *plan_type(const struct draft *d)
{
	const char *branch = d->t->plan_branch, *type = branch_type(d->t);

	if (!type && branch && strchr(branch, '/'))
		note_type(d, "its branch", branch, strcspn(branch, "/"), DEFAULT_TYPE);
	return type ? type : DEFAULT_TYPE;
}

/* The plan's domain as a scope: lower case, and one word. */
static void add_domain(struct str *out, const char *domain)
{
	size_t n = 0;

	str_addc(out, '(');
	for (; *domain && n < SCOPE_MAX; domain++, n++) {
		char c = (char)tolower((unsigned char)*domain);
		str_addc(out, isalnum((unsigned char)c) || strchr("._/-", c) ? c : '-');
	}
	str_addc(out, ')');
}

static void add_head(const struct draft *d, const struct head *h, const char *type)
{
	str_add(d->out, type);
	if (h && h->scope)
		str_addf(d->out, "(%.*s)", (int)h->scope_n, h->scope);
	else if (d->t->domain && *d->t->domain)
		add_domain(d->out, d->t->domain);
	str_add(d->out, h && h->breaking ? "!: " : ": ");
	if (h)
		str_addn(d->out, h->subject, h->subject_n);
	else
		str_add(d->out, d->t->subject);
	str_addc(d->out, '\n');
}

/* ---- footers ---- */

/* A line such as "Closes #12", "- Fixes: group/project#3, #4": where it begins and how long it is; 0 = it is none. */
static size_t closing(const char *line, const char **at)
{
	static const char *const words[] = {"closes",  "closed", "close",    "fixes",    "fixed",
	                                    "fix",     "resolves", "resolved", "resolve"};
	const char *p = line + strspn(line, " \t"), *end = line + line_len(line);
	size_t word = 0, refs = 0;

	if (p < end && strchr("-*+", *p) && p[1] == ' ')
		p += 1 + strspn(p + 1, " ");
	for (size_t i = 0; i < MEM_COUNT(words) && !word; i++)
		if (strncasecmp(p, words[i], strlen(words[i])) == 0 && !isalpha((unsigned char)p[strlen(words[i])]))
			word = strlen(words[i]);
	if (!word)
		return 0;
	*at = p;
	p += word;
	p += *p == ':';
	while (p < end) {
		const char *from = p;
		p += strspn(p, " \t,");
		if (strncmp(p, "and ", 4) == 0)
			p += 4;
		if (p == end || *p == '.' || *p == '\r')
			break;
		while (p < end && (isalnum((unsigned char)*p) || strchr("._/-", *p)))
			p++;
		size_t digits = *p == '#' ? strspn(p + 1, "0123456789") : 0;
		if (!digits || p == from)
			return 0;
		p += 1 + digits;
		refs++;
	}
	for (size_t n = (size_t)(p - *at); refs; n--) /* without what is behind the last number */
		if (isdigit((unsigned char)(*at)[n - 1]))
			return p + strspn(p, " .\t\r") == end ? n : 0;
	return 0;
}

static void find_closing(const char *text, struct strv *out)
{
	const char *at;

	for (const char *p = text; p && *p; p = next_line(p)) {
		size_t n = closing(p, &at);
		AUTO_FREE char *line = n ? mem_strndup(at, n) : NULL;
		if (line && !strv_has(out, line))
			strv_add(out, line);
	}
}

/* Is the last paragraph one of footers, to which another may be added? */
static bool ends_in_footers(const char *text)
{
	const char *last = text, *ignored;

	for (const char *p = text; (p = strstr(p, "\n\n")); p++)
		last = p[2] ? p + 2 : last;
	if (last == text)
		return false; /* the subject */
	for (; *last; last = next_line(last)) {
		size_t word = strspn(last, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
		if (!closing(last, &ignored) && !(word && last[word] == ':' && last[word + 1] == ' '))
			return false;
	}
	return true;
}

/* What follows the subject. Trailers of ours are not the agent's to write. */
static void add_body(struct str *out, const char *own)
{
	AUTO_STR struct str body = {0};

	for (const char *p = next_line(own); *p; p = next_line(p)) {
		size_t n = line_len(p);
		if (strncasecmp(p, "bosk-", 5) == 0)
			continue;
		while (n && isspace((unsigned char)p[n - 1]))
			n--;
		if (n || (body.len && !str_ends(body.p, "\n\n")))
			str_addf(&body, "%.*s\n", (int)n, p);
	}
	if (body.len && str_ends(body.p, "\n\n"))
		body.p[--body.len] = '\0';
	if (body.len)
		str_addf(out, "\n%s", body.p);
}

/* ---- the forms ---- */

static void plain(const struct draft *d)
{
	str_addf(d->out, "%s\n", d->t->subject);
}

/* <type>(<scope>): <subject>, body, footer (S0.9). What the agent committed in that form says it best; else the plan
 * does: type by its branch, scope by its domain, subject by its title. */
static void conventional(const struct draft *d)
{
	AUTO_STRV struct strv closes = {0};
	struct head h;
	size_t i = 0;

	while (i < d->own->n && !read_head(d->own->v[i], &h))
		i++;
	if (i < d->own->n) {
		const char *type = allowed_type(h.type, h.type_n);
		if (!type) {
			type = branch_type(d->t) ? branch_type(d->t) : DEFAULT_TYPE;
			note_type(d, "the agent's commit", h.type, h.type_n, type);
		}
		add_head(d, &h, type);
		add_body(d->out, d->own->v[i]);
	} else {
		bool titled = read_head(d->t->subject, &h) && allowed_type(h.type, h.type_n);
		const char *type = titled && !branch_type(d->t) ? allowed_type(h.type, h.type_n) : plan_type(d);
		add_head(d, titled ? &h : NULL, type);
	}
	for (i = 0; i < d->own->n; i++)
		find_closing(d->own->v[i], &closes);
	find_closing(d->t->prompt, &closes);
	bool joins = ends_in_footers(d->out->p);
	for (i = 0; i < closes.n; i++)
		if (!has_line(d->out->p, closes.v[i])) {
			str_addf(d->out, "%s%s\n", joins ? "" : "\n", closes.v[i]);
			joins = true;
		}
}

/* As the original has it (S3.18). */
static void closed_story(const struct draft *d)
{
	str_addf(d->out, "chore(%s): close remaining tasks via story-closer\n", d->t->id);
}

static void solution(const struct draft *d)
{
	message_solution(d->t, d->changed, d->gates, d->out);
}

static const struct form {
	const char *kind; /* of the plan */
	void (*write)(const struct draft *d);
	bool own;         /* takes from what the agent committed itself */
} forms[] = {
	{"segments", conventional, true},
	{"stories", closed_story, false},
	{"queue", solution, false},
};

static const struct form *form_of(const struct msg_task *t)
{
	static const struct form other = {NULL, plain, false};

	for (size_t i = 0; i < MEM_COUNT(forms); i++)
		if (str_eq(forms[i].kind, t->kind))
			return &forms[i];
	return &other;
}

/* ---- outside ---- */

static void take_message(struct slot *s, const char *hex, struct strv *out)
{
	AUTO_STR struct str text = {0}, clean = {0};
	struct err ignored = {0};
	struct oid commit;

	if (!oid_parse(&commit, hex) || gitx_message(s->gitx, &commit, &text, &ignored) != 0)
		return;
	msg_clip_text(text.p, OWN_MAX_BYTES);
	for (const char *p = str_text(&text); *p; p = next_line(p)) {
		size_t n = line_len(p);
		while (n && p[n - 1] == '\r')
			n--;
		str_add_printable(&clean, p, n, false);
		str_addc(&clean, '\n');
	}
	secret_hide(&clean);
	strv_add(out, str_text(&clean) + strspn(str_text(&clean), "\n"));
}

void message_own(struct slot *s, const struct msg_task *t, const struct oid *base, struct strv *out)
{
	AUTO_FREE char *not_base = mem_printf("^%s", base->hex);
	AUTO_STR struct str list = {0};
	struct err ignored = {0};
	int status = 1;

	if (!form_of(t)->own)
		return;
	/* Where this cannot be asked the plan's own words do. */
	if (git_try(&s->git, &status, &list, NULL,
	            GIT_ARGS("rev-list", "--topo-order", "--max-count=" OWN_MAX_COMMITS, "HEAD", not_base, "--"),
	            &ignored) == 0 && status == 0)
		for (const char *p = str_text(&list); *p; p = next_line(p)) {
			AUTO_FREE char *hex = mem_strndup(p, line_len(p));
			take_message(s, hex, out);
		}
	if (t->earlier)
		take_message(s, t->earlier, out);
}

void message_write(const struct msg_task *t, const struct message_facts *f, uint64_t attempt, struct strv *notes,
                   struct str *out)
{
	const struct draft d = {t, f->own, f->changed, f->gates, notes, out};

	form_of(t)->write(&d);
	str_addc(out, '\n');
	for (size_t i = 0; i < t->trailers.n; i++)
		str_addf(out, "%s\n", t->trailers.v[i]);
	str_addf(out, "Bosk-Attempt: %llu\n", (unsigned long long)attempt);
}
