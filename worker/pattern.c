/* pattern: regular expressions on bytes. The door to PCRE2; nothing else includes pcre2.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>
#include <time.h>

#include "pattern.h"
#include "store/base/mem.h"

/* PCRE2's own limit counts from each place where a match may begin, not for the whole text. So the places are tried
 * in groups, which grow while that is fast, and the time is looked at between them. */
enum {
	MAX_PATTERN = 64 << 10,
	MAX_WAYS = 1000 * 1000, /* from one place: some tens of ms */
	MAX_HEAP_KIB = 64 << 10,
	FIRST_PLACES = 64,
	FAST_NS = 5 * 1000 * 1000,
	MAX_NS = 1000 * 1000 * 1000
};

struct pattern {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	uint32_t groups;
};

static void *allocate(size_t n, void *ctx)
{
	(void)ctx;
	return mem_alloc(n);
}

static void release(void *p, void *ctx)
{
	(void)ctx;
	free(p);
}

static pcre2_code *compile(const char *regex, bool icase, pcre2_compile_context *limits, struct err *e)
{
	/* What turns characters on inside a pattern would make texts that are not UTF-8 an error. */
	uint32_t flags = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_USE_OFFSET_LIMIT | (icase ? PCRE2_CASELESS : 0);
	int why;
	size_t at;

	pcre2_set_max_pattern_length(limits, MAX_PATTERN);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)regex, strlen(regex), flags, &why, &at, limits);
	if (!code) {
		PCRE2_UCHAR text[200] = "";
		pcre2_get_error_message(why, text, sizeof text);
		err_set(e, ERR_USAGE, "not a regular expression: at byte %zu: %s: %s", at, (char *)text, regex);
	}
	return code;
}

int pattern_new(struct pattern **out, const char *regex, bool icase, struct err *e)
{
	pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
	pcre2_compile_context *limits = pcre2_compile_context_create(memory);
	pcre2_code *code = compile(regex, icase, limits, e);

	*out = NULL;
	if (code) {
		struct pattern *p = mem_alloc(sizeof *p);
		p->code = code;
		p->match = pcre2_match_data_create_from_pattern(code, memory);
		p->limits = pcre2_match_context_create(memory);
		pcre2_set_match_limit(p->limits, MAX_WAYS);
		pcre2_set_heap_limit(p->limits, MAX_HEAP_KIB);
		pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &p->groups);
		*out = p;
	}
	pcre2_compile_context_free(limits);
	pcre2_general_context_free(memory);
	return code ? 0 : -1;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_match_context_free(p->limits);
	pcre2_match_data_free(p->match);
	pcre2_code_free(p->code);
	free(p);
}

size_t pattern_groups(const struct pattern *p)
{
	return p->groups;
}

static int64_t used_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * MAX_NS + t.tv_nsec;
}

static void fill(const struct pattern *p, struct pattern_span spans[], size_t n_spans)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);

	for (size_t i = 0; i < n_spans; i++) {
		bool set = i <= p->groups && at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];
		spans[i] = set ? (struct pattern_span){at[2 * i], at[2 * i + 1] - at[2 * i]} : (struct pattern_span){PATTERN_UNSET, 0};
	}
}

bool pattern_find(const struct pattern *p, const char *text, size_t n, size_t from, struct pattern_span spans[], size_t n_spans)
{
	size_t places = FIRST_PLACES;
	int64_t begun = 0, last = 0;

	if (!text)
		text = "";
	while (from <= n) {
		size_t to = n - from < places ? n : from + places; /* the last place of these */
		pcre2_set_offset_limit(p->limits, to);
		int found = pcre2_match(p->code, (PCRE2_SPTR)text, n, from, 0, p->match, p->limits);
		if (found > 0)
			fill(p, spans, n_spans);
		if (found != PCRE2_ERROR_NOMATCH || to == n)
			return found > 0;

		int64_t now = used_ns();
		if (!begun)
			begun = now;
		if (now - begun > MAX_NS)
			return false;
		if (!last || now - last < FAST_NS)
			places = places > n / 4 ? n : places * 4;
		else if (places > 1)
			places /= 2;
		last = now;
		from = to + 1;
	}
	return false;
}
