/* queue_say: what is wrong with a queue, or odd. It quotes foreign text, cut after so many bytes, and there may be a
 * hundred thousand of the same: each is on one line, whole characters only, and no more are listed than anyone reads. */
#include "queue_private.h"

#include <stdarg.h>
#include <string.h>

#include "store/base/mem.h"

/* Without the first bytes of a character that "%.80s" has left. */
static void drop_halves(struct str *text)
{
	size_t to = 0, n = text->len;

	for (size_t i = 0, len; i < n; i += len) {
		unsigned char c = (unsigned char)text->p[i];
		size_t full = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
		for (len = 1; len < full && i + len < n && ((unsigned char)text->p[i + len] & 0xc0) == 0x80;)
			len++;
		if (len < full)
			continue;
		memmove(text->p + to, text->p + i, len);
		to += len;
	}
	text->len = to;
	if (text->p)
		text->p[to] = '\0';
}

static void fault(struct plan_loader *l, const char *file, size_t line, const char *item, const char *key,
                  struct str *text)
{
	drop_halves(text);
	plan_faults_add(l->faults, file, line, 0, item, key, "%s", str_text(text));
	l->bad = true;
}

void queue_fault(struct queue_reader *r, size_t line, const char *item, const char *key, const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	fault(r->l, r->file, line, item, key, &text);
}

void queue_say_fault(struct plan_loader *l, const char *file, size_t line, const char *item, const char *key,
                     const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	fault(l, file, line, item, key, &text);
}

void queue_say(struct plan_loader *l, const char *file, size_t line, const char *fmt, ...)
{
	AUTO_STR struct str text = {0}, all = {0}, shown = {0};
	va_list ap;

	if (l->warnings.n >= QUEUE_MAX_SAID) {
		if (!l->unsaid++) {
			l->unsaid_at = l->warnings.n;
			strv_addf(&l->warnings, "%s: more is not listed", file);
		}
		return;
	}
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	drop_halves(&text);
	if (line)
		str_addf(&all, "%s:%zu: %s", file, line, str_text(&text));
	else
		str_addf(&all, "%s: %s", file, str_text(&text));
	str_add_printable(&shown, all.p, all.len, false);
	strv_give(&l->warnings, str_take(&shown));
}

void queue_warn(struct queue_reader *r, size_t line, const char *item, const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	queue_say(r->l, r->file, line, "%s%s%s", item ? item : "", item ? ": " : "", str_text(&text));
}

void queue_say_rest(struct plan_loader *l, const char *file)
{
	if (!l->unsaid)
		return;
	char *text = mem_printf("%s: %zu more warnings are not listed", file, l->unsaid);
	mem_set(&l->warnings.v[l->unsaid_at], text);
	free(text);
}
