/* adapter_run: one run of an agent's program: its streams put together to lines, each shown to the rules, and at the end
 * what it came to. Starts and ends nothing itself. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapter_private.h"
#include "store/base/mem.h"
#include "store/json_line.h"

enum { MAX_LINE = JSON_LINE_MAX, MAX_TOLD = 1000, MAX_SESSION = 200, MAX_FILE = 4 << 20, MAX_FLAT = 16 << 10 };

struct stream {
	struct str line; /* so far */
	bool skipping;   /* it is too long */
};

struct adapter_run {
	const struct adapter *a;
	const struct adapter_call *call;
	struct stream out, err;
	struct adapter_seat *seats;
	char *session;
	const struct adapter_rule *hopeless; /* of kill_if: the first that held */
	struct str shown;                    /* adapter_line's; `fresh`: of the last feed */
	struct str last;                     /* line of stderr, its beginning */
	bool fresh, any_json;
};

struct adapter_run *adapter_run_new(const struct adapter *a, const struct adapter_call *call)
{
	struct adapter_run *r = mem_alloc(sizeof *r);

	r->a = a;
	r->call = call;
	r->seats = mem_array(a->n_seats + 1, sizeof *r->seats);
	return r;
}

void adapter_run_free(struct adapter_run *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->a->n_seats; i++)
		str_fini(&r->seats[i].text);
	free(r->seats);
	str_fini(&r->out.line);
	str_fini(&r->err.line);
	str_fini(&r->shown);
	str_fini(&r->last);
	free(r->session);
	free(r);
}

/* ---- lines ---- */

/* Ids become words of command lines and parts of paths: printable ASCII, and none is an option. */
static bool is_session(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return n && n <= MAX_SESSION && *text != '-';
}

static void find_session(struct adapter_run *r)
{
	if (r->session || !r->a->session.n)
		return;
	struct adapter_seat *seat = &r->seats[r->a->session.v[0].sources[0].seat];
	if (seat->hit && is_session(str_text(&seat->text)))
		r->session = mem_strdup(str_text(&seat->text));
}

static void find_hopeless(struct adapter_run *r)
{
	const struct adapter_seat *told;

	for (size_t i = 0; !r->hopeless && i < r->a->kill_if.n; i++)
		if (adapter_holds(&r->a->kill_if.v[i], r->seats, NULL, &told))
			r->hopeless = &r->a->kill_if.v[i];
}

/* A program that talks in JSON says nothing to people on the side; any other's lines are shown as they are. */
static void show(struct adapter_run *r, const struct adapter_input *in)
{
	AUTO_STR struct str line = {0};

	if (in->json) {
		r->any_json = true;
		adapter_line_of(in->json, &line);
	} else if (!r->any_json) {
		str_add_printable(&line, in->text, in->n < 200 ? in->n : 200, false);
	}
	if (!line.len)
		return;
	str_fini(&r->shown);
	r->shown = line;
	line = (struct str){0};
	r->fresh = true;
}

/* Terminal sequences (ESC [ ... letter) are left out, NULs are blanks. */
static void flatten(struct str *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\033' && i + 1 < n && p[i + 1] == '[') {
			i += 2;
			while (i < n && (unsigned char)p[i] >= 0x20 && (unsigned char)p[i] < 0x40)
				i++;
		} else {
			str_addc(out, p[i] ? p[i] : ' ');
		}
	}
}

static void line_done(struct adapter_run *r, int which, const char *p, size_t n, uint64_t now_ms)
{
	AUTO_STR struct str flat = {0};

	while (n && p[n - 1] == '\r')
		n--;
	if (!n)
		return;
	struct json_t *json = which == 1 ? json_line(p, n) : NULL;
	if (!json && (memchr(p, '\033', n) || memchr(p, '\0', n))) {
		flatten(&flat, p, n);
		p = str_text(&flat);
		n = flat.len;
	}
	struct adapter_input in = {which, p, n, json, now_ms};
	if (which == 2) {
		str_clear(&r->last);
		str_addn(&r->last, p, n < MAX_TOLD ? n : MAX_TOLD);
	}
	adapter_look(&r->a->session, r->seats, &in);
	adapter_look(&r->a->final, r->seats, &in);
	adapter_look(&r->a->ok, r->seats, &in);
	adapter_look(&r->a->usage, r->seats, &in);
	adapter_look(&r->a->fail, r->seats, &in);
	adapter_look(&r->a->reset, r->seats, &in);
	adapter_look(&r->a->kill_if, r->seats, &in);
	find_session(r);
	find_hopeless(r);
	show(r, &in);
	json_free(json);
}

static void stream_feed(struct adapter_run *r, struct stream *s, int which, const char *p, size_t n, uint64_t now_ms)
{
	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) : n;

		if (s->skipping || s->line.len + len > MAX_LINE) {
			s->skipping = !end;
			str_fini(&s->line);
		} else if (!end) {
			str_addn(&s->line, p, len);
		} else if (s->line.len) {
			str_addn(&s->line, p, len);
			line_done(r, which, s->line.p, s->line.len, now_ms);
			if (s->line.cap > MAX_FLAT)
				str_fini(&s->line);
			else
				str_clear(&s->line);
		} else {
			line_done(r, which, p, len, now_ms);
		}
		len += end != NULL;
		p += len;
		n -= len;
	}
}

void adapter_feed(struct adapter_run *r, int which, const char *bytes, size_t n, uint64_t now_ms)
{
	r->fresh = false;
	stream_feed(r, which == 1 ? &r->out : &r->err, which, bytes, n, now_ms);
}

const char *adapter_session(const struct adapter_run *r)
{
	return r->session;
}

bool adapter_hopeless(const struct adapter_run *r)
{
	return r->hopeless;
}

const char *adapter_line(const struct adapter_run *r)
{
	return r->fresh ? r->shown.p : NULL;
}

/* ---- the end ---- */

static bool all_hold(const struct adapter_run *r, const struct job_result *result)
{
	const struct adapter_seat *told;

	for (size_t i = 0; i < r->a->ok.n; i++)
		if (!adapter_holds(&r->a->ok.v[i], r->seats, result, &told))
			return false;
	return true;
}

/* A text on one line, printable, cut. */
static char *one_line(const char *text, size_t n)
{
	AUTO_STR struct str line = {0}, out = {0};

	for (size_t i = 0; i < n && line.len < MAX_TOLD; i++) {
		bool blank = text[i] == '\n' || text[i] == '\r' || text[i] == '\t' || text[i] == ' ';
		if (!blank)
			str_addc(&line, text[i]);
		else if (line.len && line.p[line.len - 1] != ' ')
			str_addc(&line, ' ');
	}
	while (line.len && line.p[line.len - 1] == ' ')
		line.len--;
	if (line.len == MAX_TOLD) { /* not half a character */
		while (line.len && ((unsigned char)line.p[line.len - 1] & 0xc0) == 0x80)
			line.len--;
		line.len -= line.len && (unsigned char)line.p[line.len - 1] >= 0xc0;
	}
	if (!line.len)
		return NULL;
	str_add_printable(&out, line.p, line.len, false);
	return str_take(&out);
}

/* The text of a time that the source found, and when it was said; NULL = none. */
static char *reset_text(struct adapter_run *r, const struct adapter_source *s, const struct adapter_seat *told, uint64_t *at_ms)
{
	const struct adapter_seat *seat = s->from == ADAPTER_TEXT ? told : &r->seats[s->seat];
	struct pattern_span group;

	if (s->from == ADAPTER_FILE) {
		struct adapter_call call = *r->call;
		if (r->session)
			call.session = r->session;
		return adapter_in_file(s, &call);
	}
	if (!seat || !seat->hit || !adapter_takes(s, str_text(&seat->text), seat->text.len, &group))
		return NULL;
	*at_ms = seat->at_ms;
	return mem_strndup(str_text(&seat->text) + group.at, group.len);
}

static uint64_t reset_ms(struct adapter_run *r, const struct adapter_seat *told, uint64_t now_ms)
{
	const char *zone = adapter_env_value(r->call, "TZ", 2);

	for (size_t i = 0; i < r->a->reset.n; i++) {
		const struct adapter_rule *rule = &r->a->reset.v[i];
		uint64_t at_ms = now_ms;
		AUTO_FREE char *text = reset_text(r, rule->sources, told, &at_ms);
		uint64_t until = text ? adapter_time((enum adapter_time)rule->tag, text, zone, at_ms) : 0;
		/* A file may tell of a limit that is over: clamped, that is the least there is. */
		if (until && (rule->sources->from != ADAPTER_FILE || until > at_ms + 30 * 1000))
			return until;
	}
	return 0;
}

static void fail(struct adapter_run *r, struct adapter_outcome *out, enum adapter_class class, const struct adapter_seat *told,
                 uint64_t now_ms)
{
	out->class = class;
	if (told)
		out->said = one_line(str_text(&told->text), told->text.len);
	if (class == ADAPTER_LIMIT || class == ADAPTER_TRANSIENT)
		out->until_ms = reset_ms(r, told, now_ms);
}

static void classify(struct adapter_run *r, const struct job_result *result, uint64_t now_ms, struct adapter_outcome *out)
{
	const struct adapter_seat *told;

	out->class = ADAPTER_OK;
	if (all_hold(r, result))
		return;
	if (r->hopeless) {
		adapter_holds(r->hopeless, r->seats, result, &told);
		fail(r, out, (enum adapter_class)r->hopeless->tag, told, now_ms);
		return;
	}
	for (size_t i = 0; i < r->a->fail.n; i++) {
		const struct adapter_rule *rule = &r->a->fail.v[i];
		if (rule->tag == ADAPTER_UNKNOWN_SESSION && !r->call->resume)
			continue;
		if (!adapter_holds(rule, r->seats, result, &told))
			continue;
		fail(r, out, (enum adapter_class)rule->tag, told, now_ms);
		return;
	}
	out->class = ADAPTER_FAILED;
}

/* The text of a file that was named to the program; NULL = none, or nothing in it. */
static char *file_text(struct adapter_run *r, const struct adapter_source *s)
{
	AUTO_STR struct str path = {0}, text = {0};

	/* No link: one that is locked in (`wrap`) would have files shown that it cannot read itself. */
	if (!adapter_fill(r->call, r->a->def->full, s->file, &path) || !adapter_read_tail(path.p, O_NOFOLLOW, MAX_FILE, &text))
		return NULL;
	return strspn(str_text(&text), " \t\r\n") < text.len ? str_take(&text) : NULL;
}

static char *final_text(struct adapter_run *r)
{
	for (size_t i = 0; i < r->a->final.n; i++) {
		const struct adapter_source *s = r->a->final.v[i].sources;
		const struct adapter_seat *seat = &r->seats[s->seat];
		char *text = NULL;
		if (s->from == ADAPTER_FILE)
			text = file_text(r, s);
		else if (seat->hit && seat->text.len)
			text = mem_strndup(seat->text.p, seat->text.len);
		if (text)
			return text;
	}
	return NULL;
}

static uint64_t whole(double n)
{
	return isgreaterequal(n, 0) && isless(n, 1e15) ? (uint64_t)(n + 0.5) : 0;
}

static void count_usage(struct adapter_run *r, struct adapter_outcome *out)
{
	uint64_t *const counts[] = {&out->input, &out->cached, &out->output, &out->cost_micro};

	for (size_t i = 0; i < r->a->usage.n; i++) {
		const struct adapter_rule *rule = &r->a->usage.v[i];
		const struct adapter_source *s = rule->sources;
		const struct adapter_seat *seat = &r->seats[s->seat];
		bool cost = rule->tag == 3;
		if (!seat->hit)
			continue;
		double n = s->keep == ADAPTER_KEEP_SUM ? seat->sum : strtod(str_text(&seat->text), NULL);
		*counts[rule->tag] += whole(cost ? n * 1e6 : n);
		*(cost ? &out->priced : &out->counted) = true;
		out->whole |= s->whole;
	}
}

void adapter_end(struct adapter_run *r, const struct job_result *result, uint64_t now_ms, struct adapter_outcome *out)
{
	struct stream *const streams[] = {&r->out, &r->err};

	*out = (struct adapter_outcome){0};
	for (int i = 0; i < 2; i++) { /* a last line without its end */
		if (streams[i]->line.len)
			line_done(r, i + 1, streams[i]->line.p, streams[i]->line.len, now_ms);
		str_fini(&streams[i]->line);
	}
	classify(r, result, now_ms, out);
	/* Whoever has to mend it is told something at least. (Nothing is decided by that.) */
	if (out->class != ADAPTER_OK && !out->said && r->last.len)
		out->said = one_line(r->last.p, r->last.len);
	out->final = final_text(r);
	count_usage(r, out);
	if (r->session || r->call->session)
		out->session = mem_strdup(r->session ? r->session : r->call->session);
}

void adapter_outcome_fini(struct adapter_outcome *o)
{
	free(o->said);
	free(o->final);
	free(o->session);
	*o = (struct adapter_outcome){0};
}
