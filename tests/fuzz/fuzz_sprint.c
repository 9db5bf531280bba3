/* fuzz_sprint: any bytes as sprint-status.yaml. What comes out is the text with nothing changed but the values of the
 * lines that say so, and is not changed again by the same states; and it merges with what has not changed. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/mem.h"
#include "supervisor/sprint.h"

enum { LINES = 5 };

static const struct sprint_line wanted[LINES] = {{.story = "1-1-a", .state = "done"},
                                                 {.story = "story-1-2-b", .state = "review"},
                                                 {.story = "1-3", .state = "in-progress"},
                                                 {.story = "2.1", .state = "done"},
                                                 {.story = "1-1-a", .state = "review"}};

/* Bytes that both begin and end with. */
static size_t common(const char *a, size_t na, const char *b, size_t nb, size_t *end)
{
	size_t n = 0;

	while (n < na && n < nb && a[n] == b[n])
		n++;
	for (*end = 0; *end < na - n && *end < nb - n && a[na - 1 - *end] == b[nb - 1 - *end];)
		++*end;
	return n;
}

static void check(const char *text, size_t n, const struct str *out, const struct sprint_line *lines)
{
	size_t end, changed = 0, grown = 0, shrunk = 0;
	const struct sprint_line *last = NULL;

	for (size_t i = 0; i < LINES; i++) {
		assert(!lines[i].was || (!lines[i].why && strcmp(lines[i].was, lines[i].state) != 0));
		if (!lines[i].was)
			continue;
		last = &lines[i];
		changed++;
		grown += strlen(lines[i].state);
		shrunk += strlen(lines[i].was);
	}
	assert(out->len + shrunk == n + grown);
	size_t begin = common(text, n, str_text(out), out->len, &end);
	if (!changed)
		assert(begin == n);
	if (changed == 1) {
		assert(n - begin - end <= strlen(last->was) && out->len - begin - end <= strlen(last->state));
		assert(memmem(text, n, last->was, strlen(last->was)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	struct sprint_line lines[LINES], again[LINES];
	AUTO_STR struct str base = {0}, out = {0}, twice = {0}, merged = {0};
	struct err e = {0};

	memcpy(lines, wanted, sizeof lines);
	memcpy(again, wanted, sizeof again);
	if (sprint_edit(&out, text, n, lines, LINES, &e) != 0) {
		assert(e.kind == ERR_USAGE && !out.len);
		for (size_t i = 0; i < LINES; i++)
			assert(!lines[i].was && !lines[i].why);
		return 0;
	}
	check(text, n, &out, lines);
	int rc = sprint_edit(&twice, str_text(&out), out.len, again, LINES, &e);
	assert(rc == 0 && twice.len == out.len && memcmp(str_text(&twice), str_text(&out), out.len) == 0);
	str_addn(&base, text, n);
	bool can = sprint_merge(&merged, &base, &out, &base);
	assert(can && merged.len == out.len && memcmp(str_text(&merged), str_text(&out), out.len) == 0);
	str_clear(&merged);
	can = sprint_merge(&merged, &base, &base, &out);
	assert(can && merged.len == out.len && memcmp(str_text(&merged), str_text(&out), out.len) == 0);
	for (size_t i = 0; i < LINES; i++) {
		assert(!again[i].was && (!again[i].why == !lines[i].why));
		free(lines[i].was);
	}
	return 0;
}
