/* boxes: finds the checkboxes of a story with md4c. */
#include "boxes.h"

#include <md4c.h>
#include <string.h>

#include "store/base/mem.h"

struct reader {
	struct boxes *out;
	const char *text;   /* as it was given */
	const char *copy;   /* what md4c reads: the same but for what `disarm` changed, behind the front matter */
	size_t front, n;    /* copy[0] is text[front]; n bytes of copy */
	struct str items;   /* for each list item that is open: 1 = a box */
	unsigned boxes;     /* of them */
	unsigned quotes;    /* open > */
	bool fresh;         /* an item has begun, and nothing was seen of what is in it */
	bool heading;       /* inside of one that no list and no quote holds */
	struct str title;   /* its text */
	size_t title_at;    /* where that begins; SIZE_MAX = not seen yet */
	unsigned rank;      /* of the Tasks section that is open; 0 = none */
	bool reading;       /* the paragraph of the last box */
	size_t read_to;     /* the end of what was seen of it, in the copy; 0 = nothing yet */
};

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* ---- front matter ---- */

/* The length of the line at `at` with its end; *fence: it is nothing but ---. */
static size_t line_of(const char *text, size_t n, size_t at, bool *fence)
{
	size_t from = at, end;

	while (at < n && text[at] != '\n')
		at++;
	for (end = at; end > from && (blank(text[end - 1]) || text[end - 1] == '\r');)
		end--;
	*fence = end - from == 3 && memcmp(text + from, "---", 3) == 0;
	return at + (at < n) - from;
}

static size_t byte_order_mark(const char *text, size_t n)
{
	return n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

size_t boxes_front(const char *text, size_t n)
{
	size_t at = byte_order_mark(text, n);
	bool fence, end;

	at += line_of(text, n, at, &fence);
	while (fence && at < n) {
		at += line_of(text, n, at, &end);
		if (end)
			return at;
	}
	return 0;
}

/* ---- what md4c tells ---- */

/* The box whose mark is at this place of the copy. */
static void add_box(struct reader *r, size_t mark)
{
	struct boxes *b = r->out;
	size_t at = r->front + mark + 2, end = r->front + r->n;
	struct box box = {.mark = r->front + mark, .level = r->boxes + 1};

	while (at < end && blank(r->text[at]))
		at++;
	box.text = r->text + at;
	while (at < end && !line_end(r->text[at]))
		at++;
	for (box.len = (size_t)(r->text + at - box.text); box.len && blank(box.text[box.len - 1]);)
		box.len--;
	box.first = box.len;
	box.ticked = r->text[box.mark] == 'x' || r->text[box.mark] == 'X';
	box.counts = box.level == 1 && r->rank;
	if ((b->n & (b->n + 1)) == 0)
		b->v = mem_grow(b->v, 2 * (b->n + 1), sizeof *b->v);
	b->v[b->n++] = box;
	r->items.p[r->items.len - 1] = 1;
	r->boxes++;
	r->reading = true;
	r->read_to = 0;
}

/* The paragraph of the last box is over: its further lines belong to the text. */
static void end_text(struct reader *r)
{
	struct str text = {0};
	size_t end = r->front + r->read_to, all = r->front + r->n;

	if (!r->reading)
		return;
	struct box *box = &r->out->v[r->out->n - 1];
	r->reading = false;
	for (size_t at = (size_t)(box->text + box->len - r->text), from, to; at < end;) {
		while (at < end && (blank(r->text[at]) || line_end(r->text[at])))
			at++;
		if (at == end)
			break;
		for (from = at; at < all && !line_end(r->text[at]);)
			at++;
		for (to = at; blank(r->text[to - 1]);)
			to--;
		if (!text.len)
			str_addn(&text, box->text, box->len);
		if (text.len)
			str_addc(&text, ' ');
		str_addn(&text, r->text + from, to - from);
	}
	if (!text.len)
		return;
	box->len = text.len;
	box->text = box->wrapped = str_take(&text);
}

/* Where text begins in the copy; SIZE_MAX = it is none of it. */
static size_t place(const struct reader *r, const char *text)
{
	return (uintptr_t)text >= (uintptr_t)r->copy && (uintptr_t)text < (uintptr_t)r->copy + r->n
	               ? (size_t)(text - r->copy) : SIZE_MAX;
}

/* A mark at the beginning of an item that md4c does not take for one: [~], and any mark of an item after one that
 * ends with a quote (0.4.8). */
static bool mark_at(const struct reader *r, size_t at)
{
	const char *p = r->copy + at;

	return at + 2 < r->n && at && blank(p[-1]) && p[0] == '[' && p[1] && strchr(" xX~", p[1]) && p[2] == ']' &&
	       (at + 3 == r->n || blank(p[3]) || line_end(p[3]));
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *ctx)
{
	struct reader *r = ctx;

	if (r->read_to || (type != MD_BLOCK_P && type != MD_BLOCK_H))
		end_text(r);
	if (type == MD_BLOCK_LI) {
		const MD_BLOCK_LI_DETAIL *li = detail;
		str_addc(&r->items, 0);
		r->fresh = !li->is_task && !r->quotes;
		if (li->is_task && !r->quotes)
			add_box(r, li->task_mark_offset);
	} else if (type != MD_BLOCK_P) {
		r->fresh = false;
	}
	r->quotes += type == MD_BLOCK_QUOTE;
	if (type == MD_BLOCK_H && !r->items.len && !r->quotes) {
		r->heading = true;
		r->title_at = SIZE_MAX;
		str_clear(&r->title);
	}
	return 0;
}

static bool is_tasks(const struct str *title)
{
	AUTO_STR struct str words = {0}; /* each run of blanks made one space, none around / */
	const char *p = str_text(title);

	for (; *p; p++) {
		bool glued = !words.len || words.p[words.len - 1] == '/';
		size_t run = strspn(p, " \t");
		if (!run)
			str_addc(&words, *p);
		else if (!glued && p[run] && p[run] != '/')
			str_addc(&words, ' ');
		p += run ? run - 1 : 0;
	}
	return strcasecmp(str_text(&words), "tasks") == 0 || strcasecmp(str_text(&words), "tasks/subtasks") == 0;
}

/* A heading ends the section before it and may begin a Tasks section. One without a text does neither: md4c does not
 * say where it is. */
static void section(struct reader *r, unsigned level)
{
	struct boxes *b = r->out;
	size_t at = r->title_at;

	if (at == SIZE_MAX)
		return;
	while (at && !line_end(r->copy[at - 1]))
		at--;
	if (r->rank && level <= r->rank) {
		b->tasks[b->n_tasks - 1].to = r->front + at;
		r->rank = 0;
	}
	if (r->rank || !is_tasks(&r->title))
		return;
	if ((b->n_tasks & (b->n_tasks + 1)) == 0)
		b->tasks = mem_grow(b->tasks, 2 * (b->n_tasks + 1), sizeof *b->tasks);
	b->tasks[b->n_tasks++] = (struct boxes_span){r->front + at, r->front + r->n};
	r->rank = level;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *ctx)
{
	struct reader *r = ctx;

	end_text(r);
	r->fresh = false;
	if (type == MD_BLOCK_LI)
		r->boxes -= r->items.p[--r->items.len] != 0;
	r->quotes -= type == MD_BLOCK_QUOTE;
	if (type == MD_BLOCK_H && r->heading) {
		section(r, ((const MD_BLOCK_H_DETAIL *)detail)->level);
		r->heading = false;
	}
	return 0;
}

static int any_span(MD_SPANTYPE type, void *detail, void *ctx)
{
	(void)type, (void)detail, (void)ctx;
	return 0;
}

static int text(MD_TEXTTYPE type, const MD_CHAR *bytes, MD_SIZE n, void *ctx)
{
	struct reader *r = ctx;
	size_t at = place(r, bytes);

	if (r->fresh && at != SIZE_MAX && mark_at(r, at))
		add_box(r, at + 1);
	r->fresh = false;
	if (r->reading && at != SIZE_MAX)
		r->read_to = at + n;
	if (!r->heading)
		return 0;
	if (type == MD_TEXT_SOFTBR || type == MD_TEXT_BR)
		str_addc(&r->title, ' ');
	else
		str_addn(&r->title, bytes, n);
	if (r->title_at == SIZE_MAX)
		r->title_at = at;
	return 0;
}

/* ---- the whole ---- */

/* Definitions of links mean nothing here, and md4c 0.4.8 takes the square of their length to follow them. */
static void disarm(char *text, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (text[i] == ':' && text[i - 1] == ']')
			text[i] = ';';
}

static void count(struct boxes *b, const char *text, size_t n)
{
	for (size_t i = 0; i < b->n; i++) {
		struct box *box = &b->v[i];
		box->counts = box->counts || (!b->n_tasks && box->level == 1);
		b->total += box->counts;
		b->checked += box->counts && box->ticked;
	}
	for (size_t i = 0; i + 5 <= n; i++) {
		if (i && text[i - 1] != '\n')
			continue;
		bool x = memcmp(text + i, "- [x]", 5) == 0;
		b->seed_checked += x;
		b->seed_total += x || memcmp(text + i, "- [ ]", 5) == 0;
	}
}

int boxes_read(struct boxes *out, const char *given, size_t n, struct err *e)
{
	static const MD_PARSER parser = {.flags = MD_FLAG_TASKLISTS | MD_FLAG_NOHTMLSPANS,
	                                 .enter_block = enter_block, .leave_block = leave_block,
	                                 .enter_span = any_span, .leave_span = any_span, .text = text};

	*out = (struct boxes){0};
	if (n > BOXES_MAX_BYTES)
		return err_set(e, ERR_USAGE, "is larger than %d KiB, which no story is", BOXES_MAX_BYTES >> 10);
	size_t front = boxes_front(given, n);
	if (!front)
		front = byte_order_mark(given, n);
	/* A copy that ends with a line: md4c 0.4.8 looks a byte too far where one ends with a mark. */
	AUTO_FREE char *copy = mem_alloc(n - front + 2);
	if (n > front)
		memcpy(copy, given + front, n - front);
	copy[n - front] = '\n';
	disarm(copy, n - front);
	struct reader r = {.out = out, .text = given, .copy = copy, .front = front, .n = n - front};
	if (md_parse(copy, (MD_SIZE)(n - front + 1), &parser, &r) != 0)
		mem_none();
	str_fini(&r.items);
	str_fini(&r.title);
	count(out, given, n);
	return 0;
}

void boxes_fini(struct boxes *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].wrapped);
	free(b->v);
	free(b->tasks);
	*b = (struct boxes){0};
}

void boxes_hash(char out[SEAL_HEX], const char *text, size_t n)
{
	AUTO_STR struct str plain = {0};

	for (size_t i = 0; i < n; i++)
		if (text[i] != '\r' || i + 1 == n || text[i + 1] != '\n')
			str_addc(&plain, text[i]);
	seal_hash(out, str_text(&plain), plain.len);
}

char *boxes_flat(const char *text)
{
	struct str out = {0};

	for (const char *p = text; *p;) {
		size_t run = strspn(p, " \t\r\n"), lines = strcspn(p, "\r\n");
		if (run && (lines < run || !out.len || !p[run])) {
			if (out.len && p[run])
				str_addc(&out, ' ');
			p += run;
		} else {
			run += strcspn(p + run, " \t\r\n");
			str_addn(&out, p, run);
			p += run;
		}
	}
	return str_take(&out);
}

bool boxes_called(const struct box *b, const char *flat, size_t n)
{
	return (n == b->len || (n && n == b->first)) && memcmp(flat, b->text, n) == 0;
}

bool boxes_human(const struct box *b, const struct strv *patterns)
{
	AUTO_FREE char *copy = mem_strndup(b->text, b->len);

	for (size_t i = 0; i < patterns->n; i++)
		if (strcasestr(copy, patterns->v[i]))
			return true;
	return false;
}
