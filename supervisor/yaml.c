/* yaml: the door to libfyaml. Feeds its events to yaml_tree; nothing else includes libfyaml.h.
 *
 * The event interface is used because depth and size can be refused while the text is read: the
 * document interface builds everything first, and expands what aliases ask for. */
#include "yaml.h"

#include <libfyaml.h>
#include <string.h>

#include "store/base/mem.h"
#include "yaml_tree.h"

/* libfyaml keeps a token of some 300 bytes for each of these while a flow collection may still turn
 * out to be a key: 16 MiB of "[" would take 6 GB. */
enum { MAX_MARKS = 4000000, LONG_LINE = 4096 };

struct reader {
	struct yaml *y;
	struct fy_parser *parser;
	struct fy_diag *diag;
	struct fy_token_iter *iter;
	struct str text; /* of the token at hand */
	uint32_t broken_line, broken_at; /* a line end was put in here; 0 = none */
	size_t broken_pos;               /* ... and the text behind it begins here */
};

static size_t char_len(const char *p, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (str_utf8(p, len))
			return len;
	return 0;
}

/* What must hold before a parser sees the text. */
static int check_bytes(struct yaml *y, const char *text, size_t n)
{
	if (n > YAML_MAX_BYTES) {
		y->line = y->column = 0;
		return yaml_tree_fault(y, "larger than 16 MiB");
	}
	if (!str_utf8(text, n)) {
		for (size_t i = 0, len; i < n && (len = char_len(text + i, n - i)); i += len) {
			y->line += text[i] == '\n';
			y->column = text[i] == '\n' ? 1 : y->column + 1;
		}
		return yaml_tree_fault(y, memchr(text, 0, n)
		                                  ? "a NUL byte or invalid UTF-8: this is not text"
		                                  : "this is not valid UTF-8");
	}
	size_t marks = 0;
	for (size_t i = 0; i < n; i++)
		marks += text[i] && strchr("[]{},:!&*?", text[i]);
	if (marks > MAX_MARKS)
		return yaml_tree_fault(
			y, "more than 4,000,000 brackets, commas and colons: split the text");
	return 0;
}

/* Where the parser is, in the text as it was given. */
static void place(struct reader *r, int line, int column)
{
	r->y->line = (uint32_t)line;
	r->y->column = (uint32_t)column;
	if (!r->broken_line || r->y->line <= r->broken_line)
		return;
	if (--r->y->line == r->broken_line)
		r->y->column += r->broken_at;
}

/* While a flow collection stays on one line it may still turn out to be a key, and libfyaml keeps all its
 * tokens: 450 MB for a JSON plan of 5 MB without line ends. One line end behind the first bracket of a
 * text that begins so, and it cannot be a key any more. */
static void break_line(struct reader *r, const char *text, size_t n, struct str *out)
{
	size_t line = 1, start = 0, i = 0;

	for (; i < n && strchr(" \t\r\n", text[i]); i++)
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	if (i == n || (text[i] != '{' && text[i] != '[') || n - i < LONG_LINE ||
	    memchr(text + i, '\n', LONG_LINE))
		return;
	str_addn(out, text, i + 1);
	str_addc(out, '\n');
	str_addn(out, text + i + 1, n - i - 1);
	r->broken_line = (uint32_t)line;
	r->broken_at = (uint32_t)(i + 1 - start);
	r->broken_pos = i + 1;
}

/* The error libfyaml met first; those after it are mostly its consequences. */
static void report(struct reader *r)
{
	struct yaml *y = r->y;
	void *prev = NULL;
	for (const struct fy_diag_error *d; (d = fy_diag_errors_iterate(r->diag, &prev));) {
		if (d->type < FYET_ERROR)
			continue;
		place(r, d->line > 0 ? d->line : (int)y->line, d->column > 0 ? d->column : 1);
		yaml_tree_fault(y, "not valid YAML: %s", d->msg);
		return;
	}
	yaml_tree_fault(y, "not valid YAML here or a little later");
}

/* Appends the text of a token. Piece by piece: fy_token_get_text of libfyaml 0.7.12 never frees its
 * list of pieces, and a JSON prompt has one for each escape. */
static bool add_text(struct reader *r, struct fy_token *token, struct str *out)
{
	const struct fy_iter_chunk *chunk = NULL;
	int failed = 0;

	fy_token_iter_start(token, r->iter);
	while ((chunk = fy_token_iter_chunk_next(r->iter, chunk, &failed)))
		str_addn(out, chunk->str, chunk->len);
	fy_token_iter_finish(r->iter);
	return !failed;
}

/* The name of an anchor; NULL = none. */
static const char *name_of(struct reader *r, struct fy_token *token)
{
	str_clear(&r->text);
	if (!token || !add_text(r, token, &r->text))
		return NULL;
	return yaml_tree_text(r->y, str_text(&r->text), r->text.len);
}

/* Of a mark, in the text as it was given. */
static uint32_t offset(const struct reader *r, const struct fy_mark *mark)
{
	size_t pos = mark->input_pos;

	return (uint32_t)(r->broken_line && pos > r->broken_pos ? pos - 1 : pos);
}

static int scalar(struct reader *r, struct fy_token *value, const char *anchor)
{
	enum fy_scalar_style style = value ? fy_token_scalar_style(value) : FYSS_PLAIN;
	const struct fy_mark *from = value ? fy_token_start_mark(value) : NULL;
	const struct fy_mark *to = value ? fy_token_end_mark(value) : NULL;

	r->y->from = from && to ? offset(r, from) : 0;
	r->y->to = from && to ? offset(r, to) : 0;
	if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
		r->y->column--; /* the mark is behind the quote */
	str_clear(&r->text);
	if (value && !add_text(r, value, &r->text))
		return yaml_tree_fault(r->y, "this text cannot be read");
	return yaml_tree_scalar(r->y, str_text(&r->text), r->text.len, style == FYSS_PLAIN,
	                        !value || style == FYSS_LITERAL || style == FYSS_FOLDED, anchor);
}

static int on_event(struct reader *r, struct fy_event *ev)
{
	struct yaml *y = r->y;
	const struct fy_mark *mark =
		ev->type == FYET_DOCUMENT_START
			? fy_document_state_start_mark(ev->document_start.document_state)
			: fy_event_start_mark(ev);
	if (mark) { /* an empty value has none: it keeps the place of what came before */
		place(r, mark->line + 1, mark->column + 1);
	}
	if (fy_event_get_tag_token(ev))
		return yaml_tree_fault(y, "tags (!) are not supported: use quotes to make a text");
	const char *anchor = name_of(r, fy_event_get_anchor_token(ev));

	switch (ev->type) {
	case FYET_SCALAR:
		return scalar(r, ev->scalar.value, anchor);
	case FYET_SEQUENCE_START:
		return yaml_tree_open(y, YAML_LIST, anchor);
	case FYET_MAPPING_START:
		return yaml_tree_open(y, YAML_MAP, anchor);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		return yaml_tree_close(y);
	case FYET_ALIAS: {
		const char *name = name_of(r, ev->alias.anchor);
		return yaml_tree_alias(y, name ? name : "");
	}
	case FYET_DOCUMENT_START:
		if (y->root)
			return yaml_tree_fault(y,
			                       "a second document (---): put everything into one");
		return 0;
	default:
		return 0;
	}
}

static void build(struct reader *r)
{
	for (struct fy_event *ev; (ev = fy_parser_parse(r->parser));) {
		int rc = on_event(r, ev);
		fy_parser_event_free(r->parser, ev);
		if (rc != 0)
			return;
	}
	if (fy_parser_get_stream_error(r->parser))
		report(r);
	else if (!r->y->root)
		yaml_tree_scalar(r->y, "", 0, true, false, NULL);
}

static void read_text(struct yaml *y, const char *text, size_t n)
{
	struct reader r = {.y = y};
	AUTO_STR struct str broken = {0};

	/* Collected, never printed: the caller decides where diagnostics go. */
	struct fy_diag_cfg diag_cfg;
	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.level = FYET_ERROR;
	r.diag = fy_diag_create(&diag_cfg);
	fy_diag_set_collect_errors(r.diag, true);
	struct fy_parse_cfg cfg = {
		.search_path = "",
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE,
		.diag = r.diag,
	};
	r.parser = fy_parser_create(&cfg);
	r.iter = fy_token_iter_create(NULL);
	break_line(&r, text, n, &broken);
	if (r.broken_line) {
		text = broken.p;
		n = broken.len;
	}
	if (r.parser && r.iter && fy_parser_set_string(r.parser, text, n) == 0)
		build(&r);
	else
		yaml_tree_fault(y, "the YAML parser could not be started");
	fy_token_iter_destroy(r.iter);
	fy_parser_destroy(r.parser);
	fy_diag_destroy(r.diag);
	str_fini(&r.text);
}

struct yaml *yaml_parse(const char *file, const char *text, size_t n, struct plan_faults *faults)
{
	struct yaml *y = mem_alloc(sizeof *y);

	y->file = file;
	y->faults = faults;
	y->line = y->column = 1;
	if (check_bytes(y, text, n) == 0)
		read_text(y, text, n);
	if (!y->bad)
		return y;
	yaml_free(y);
	return NULL;
}
