/* adapter_look: judges lines by the rules that adapter_rule.c has read. Keeps nothing itself: seats do, each of them
 * bounded. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter_private.h"
#include "store/base/mem.h"
#include "store/json_line.h"

enum {
	READ = 64 << 10,
	MAX_TAIL = 1 << 20,   /* of a file's end */
	MAX_LIKE = 256 << 10  /* of a text for a regular expression */
};

/* ---- values ---- */

/* One step of a path: a key, or [N] of a list. */
static const struct json_t *step(const struct json_t *j, const char **path)
{
	if (**path == '[') {
		char *end;
		unsigned long i = strtoul(*path + 1, &end, 10);
		*path = *end == ']' ? end + 1 : end + strlen(end);
		return *end == ']' ? json_nth(j, i) : NULL;
	}
	*path += **path == '.';
	size_t n = strcspn(*path, ".[");
	AUTO_FREE char *key = mem_strndup(*path, n);
	*path += n;
	return json_get(j, key);
}

const struct json_t *adapter_at(const struct json_t *j, const char *path)
{
	while (j && path && *path)
		j = step(j, &path);
	return j;
}

bool adapter_value(const struct json_t *j, struct str *out)
{
	const char *text = json_text(j);

	if (json_kind(j) == JSON_IS_NULL)
		return false;
	if (text)
		str_add(out, text);
	else
		json_write(j, false, out);
	return true;
}

static bool same(const struct json_t *j, const char *wanted)
{
	AUTO_STR struct str text = {0};
	double n;
	char *end;

	if (json_float(j, &n)) { /* 100 is 100.0 */
		double other = strtod(wanted, &end);
		return *wanted && !*end && !isless(n, other) && !isgreater(n, other);
	}
	return adapter_value(j, &text) && str_eq(str_text(&text), wanted);
}

bool adapter_fits(const struct adapter_where *where, const struct json_t *j)
{
	if (!j)
		return false;
	for (size_t i = 0; i < where->keys.n; i++)
		if (!same(adapter_at(j, where->keys.v[i]), where->values.v[i]))
			return false;
	return true;
}

bool adapter_takes(const struct adapter_source *s, const char *text, size_t n, struct pattern_span *group)
{
	struct pattern_span span[2] = {{0, n}, {PATTERN_UNSET, 0}};

	if (s->like && !pattern_find(s->like, text, n < MAX_LIKE ? n : MAX_LIKE, 0, span, 2))
		return false;
	*group = span[1].at != PATTERN_UNSET ? span[1] : (struct pattern_span){0, n};
	return true;
}

/* ---- lines ---- */

static bool number_above(const char *text, size_t n, uint64_t limit)
{
	AUTO_FREE char *number = mem_strndup(text, n < 32 ? n : 32);
	char *end;
	double value = strtod(number, &end);

	return end != number && isgreater(value, (double)limit);
}

static void put(const struct adapter_source *s, struct adapter_seat *seat, const char *text, size_t n, uint64_t now_ms)
{
	if (s->keep == ADAPTER_KEEP_FIRST && seat->hit)
		return;
	if (s->keep != ADAPTER_KEEP_ALL)
		str_clear(&seat->text);
	if (seat->text.len < s->most)
		str_addn(&seat->text, text, n < s->most - seat->text.len ? n : s->most - seat->text.len);
	seat->hit = true;
	seat->at_ms = now_ms;
}

static void look_json(const struct adapter_source *s, struct adapter_seat *seat, const struct adapter_input *in)
{
	AUTO_STR struct str text = {0};
	struct pattern_span group;
	double n;

	if ((s->counted || s->keep == ADAPTER_KEEP_ALL) && s->since.keys.n && adapter_fits(&s->since, in->json)) {
		seat->count = 0;
		seat->hit = false;
		str_clear(&seat->text);
	}
	if (!adapter_fits(&s->where, in->json))
		return;
	if (s->counted) {
		if (++seat->count > s->limit)
			seat->hit = true;
		return;
	}
	const struct json_t *value = adapter_at(in->json, s->path);
	if (s->path && !adapter_value(value, &text))
		return;
	if (s->keep == ADAPTER_KEEP_SUM && json_float(value, &n))
		seat->sum += n;
	if (s->is && !same(value, s->is))
		return;
	if (!adapter_takes(s, str_text(&text), text.len, &group))
		return;
	if (s->limited && !number_above(str_text(&text) + group.at, group.len, s->limit))
		return;
	put(s, seat, str_text(&text), text.len, in->now_ms);
}

static void look_line(const struct adapter_source *s, struct adapter_seat *seat, const struct adapter_input *in)
{
	struct pattern_span group;

	if (!adapter_takes(s, in->text, in->n, &group))
		return;
	if (!s->limited || number_above(in->text + group.at, group.len, s->limit))
		put(s, seat, in->text, in->n, in->now_ms);
}

/* All lines, as far as they are not too many. */
static void look_tail(const struct adapter_source *s, struct adapter_seat *seat, const struct adapter_input *in)
{
	str_addn(&seat->text, in->text, in->n);
	str_addc(&seat->text, '\n');
	if (seat->text.len > 2 * s->most)
		str_keep_tail(&seat->text, s->most);
	seat->hit = true;
}

static void look(const struct adapter_source *s, struct adapter_seat *seat, const struct adapter_input *in)
{
	if (s->from == ADAPTER_JSON && in->which == 1 && in->json)
		look_json(s, seat, in);
	else if ((s->from == ADAPTER_OUT && in->which == 1) || (s->from == ADAPTER_ERR && in->which == 2))
		look_line(s, seat, in);
	else if (s->from == ADAPTER_LAST && in->which == 1 && in->json)
		put(s, seat, in->text, in->n, in->now_ms);
	else if (s->from == ADAPTER_TAIL && in->which == 1)
		look_tail(s, seat, in);
}

void adapter_look(const struct adapter_rules *r, struct adapter_seat *seats, const struct adapter_input *in)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->v[i].n; k++) {
			const struct adapter_source *s = &r->v[i].sources[k];
			if (s->from != ADAPTER_TEXT) /* that has another one's seat */
				look(s, &seats[s->seat], in);
		}
}

/* ---- the end ---- */

static bool ended_so(const struct adapter_source *s, const struct job_result *result)
{
	enum job_end end = s->from == ADAPTER_EXIT ? JOB_EXITED : JOB_SIGNALED;
	AUTO_FREE char *status = mem_printf("%d", result ? result->status : 0);

	return result && result->end == end && strv_has(&s->numbers, status);
}

bool adapter_holds(const struct adapter_rule *r, const struct adapter_seat *seats, const struct job_result *result,
                   const struct adapter_seat **told)
{
	*told = NULL;
	for (size_t i = 0; i < r->n; i++) {
		const struct adapter_source *s = &r->sources[i];
		const struct adapter_seat *seat = &seats[s->seat];
		struct pattern_span group;
		bool holds;

		if (s->from == ADAPTER_EXIT || s->from == ADAPTER_SIGNAL)
			holds = ended_so(s, result);
		else if (s->from == ADAPTER_TEXT)
			holds = seat->hit && adapter_takes(s, str_text(&seat->text), seat->text.len, &group);
		else
			holds = seat->hit;
		if (holds == s->negated)
			return false;
		if (holds && s->from != ADAPTER_EXIT && s->from != ADAPTER_SIGNAL && (s->path || s->from != ADAPTER_JSON))
			*told = seat;
	}
	return true;
}

/* ---- files ---- */

bool adapter_read_tail(const char *path, int flags, size_t most, struct str *out)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	AUTO_FREE char *buffer = mem_alloc(READ);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	if (st.st_size > (off_t)most && lseek(fd, -(off_t)most, SEEK_END) < 0)
		return false;
	while (out->len < most && ((n = read(fd, buffer, READ)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			str_addn(out, buffer, (size_t)n);
	return true;
}

static char *last_in(const struct adapter_source *s, const char *p, size_t n)
{
	char *found = NULL;

	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) : n;
		struct json_t *j = json_line(p, len);
		AUTO_STR struct str text = {0};
		struct pattern_span group;
		if (j && adapter_fits(&s->where, j) && adapter_value(adapter_at(j, s->path), &text) &&
		    adapter_takes(s, str_text(&text), text.len, &group) && (!found || s->keep != ADAPTER_KEEP_FIRST)) {
			free(found);
			found = mem_strndup(str_text(&text) + group.at, group.len);
		}
		json_free(j);
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
	return found;
}

/* The newest of the files that fit. */
static char *newest(const char *pattern)
{
	glob_t found;
	char *best = NULL;
	struct timespec when = {0};

	if (glob(pattern, GLOB_NOSORT, NULL, &found))
		return NULL;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat st;
		if (stat(found.gl_pathv[i], &st) || !S_ISREG(st.st_mode))
			continue;
		if (!best || st.st_mtim.tv_sec > when.tv_sec ||
		    (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec > when.tv_nsec)) {
			mem_set(&best, found.gl_pathv[i]);
			when = st.st_mtim;
		}
	}
	globfree(&found);
	return best;
}

char *adapter_in_file(const struct adapter_source *s, const struct adapter_call *call)
{
	AUTO_STR struct str pattern = {0}, text = {0};

	/* What a program calls its conversation becomes part of a path. */
	if (call->session && strpbrk(call->session, "/*?[\\"))
		return NULL;
	if (!adapter_fill(call, false, s->file, &pattern))
		return NULL;
	AUTO_FREE char *path = newest(pattern.p);
	return path && adapter_read_tail(path, 0, MAX_TAIL, &text) ? last_in(s, str_text(&text), text.len) : NULL;
}
