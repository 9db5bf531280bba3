/* plain: bytes of a job as clean lines. */
#include "plain.h"

#include "store/base/mem.h"
#include "store/base/str.h"

enum state {
	TEXT,
	ESCAPE,  /* after ESC */
	SHORT,   /* one byte more of a sequence such as ESC ( B */
	CONTROL, /* ESC [ ... up to its letter */
	STRING,  /* ESC ] ... up to BEL or ESC \ */
	STRING_END
};

struct plain {
	plain_sink *sink;
	void *ctx;
	enum state state;
	bool back;       /* after a carriage return: the next text begins the line anew */
	size_t len;      /* of the line so far, kept or not */
	struct str line; /* its beginning */
	struct str shown;
};

struct plain *plain_new(plain_sink *sink, void *ctx)
{
	struct plain *p = mem_alloc(sizeof *p);
	*p = (struct plain){.sink = sink, .ctx = ctx};
	return p;
}

/* A character that the cut would halve goes as a whole. */
static size_t whole(const char *text, size_t n)
{
	size_t end = n;

	while (end && n - end < 3 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	return end;
}

static void give(struct plain *p)
{
	size_t n = p->line.len > PLAIN_LINE_MAX ? whole(p->line.p, PLAIN_LINE_MAX) : p->line.len;

	str_clear(&p->shown);
	str_add_printable(&p->shown, str_text(&p->line), n, true); /* tabs stay */
	if (p->len > n)
		str_addf(&p->shown, " [a line of %zu bytes]", p->len);
	p->sink(p->ctx, str_text(&p->shown), p->shown.len);
	str_clear(&p->line);
	p->len = 0;
}

static void add(struct plain *p, char c)
{
	if (c == '\n') {
		p->back = false;
		give(p);
		return;
	}
	if (c == '\r') {
		p->back = true;
		return;
	}
	if (p->back) { /* what draws its progress writes over it */
		str_clear(&p->line);
		p->len = 0;
		p->back = false;
	}
	if (c == '\b') {
		if (p->line.len && p->len == p->line.len)
			p->line.p[--p->line.len] = '\0';
		p->len -= p->len > 0;
		return;
	}
	if (p->line.len < PLAIN_LINE_MAX + 4)
		str_addc(&p->line, c);
	p->len++;
}

static enum state after_escape(char c)
{
	switch (c) {
	case '[':
		return CONTROL;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		return STRING;
	case '(':
	case ')':
	case '*':
	case '+':
	case '#':
	case '%':
		return SHORT;
	default:
		return TEXT;
	}
}

static void put(struct plain *p, char c)
{
	if (p->state != TEXT && c == '\n') /* it was no sequence: what follows is not to be lost with it */
		p->state = TEXT;
	switch (p->state) {
	case TEXT:
		if (c == '\x1b')
			p->state = ESCAPE;
		else
			add(p, c);
		return;
	case ESCAPE:
		p->state = after_escape(c);
		return;
	case SHORT:
		p->state = TEXT;
		return;
	case CONTROL:
		if (c >= 0x40 && c <= 0x7e)
			p->state = TEXT;
		return;
	case STRING:
		if (c == '\a')
			p->state = TEXT;
		else if (c == '\x1b')
			p->state = STRING_END;
		return;
	case STRING_END:
		p->state = TEXT;
		return;
	}
}

void plain_put(struct plain *p, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(p, bytes[i]);
}

void plain_end(struct plain *p)
{
	if (!p)
		return;
	if (p->len)
		give(p);
	str_fini(&p->line);
	str_fini(&p->shown);
	free(p);
}
