/* output: what a job prints, in bounded space. Knows nothing of processes and never reads what it
 * has written before the end. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

/* Room within the limit for the lines that close may add. */
enum { NOTE_ROOM = 256, COPY_BYTES = 64 * 1024 };

struct segment {
	char *path;
	int fd; /* -1 = not begun */
	uint64_t size;
};

struct output {
	struct segment head, tail[2];
	int newer;         /* the segment of the tail that is being written */
	uint64_t part;     /* size of the head and of each segment at most */
	uint64_t seen;     /* bytes given to us */
	uint64_t rejected; /* of these, not written because of an error, at the end */
	struct err error;  /* the first one */
	bool head_ends_line;

	char line[OUTPUT_LINE_MAX + 1];
	size_t line_len;
	bool line_ended; /* the next byte begins a new line */

	char ring[OUTPUT_TAIL_MAX]; /* the last bytes; byte i of the stream at i % size */
};

/* ---- the files ---- */

static int segment_begin(struct segment *s, struct err *e)
{
	if (s->fd >= 0)
		close(s->fd);
	s->size = 0;
	/* A new file, not an emptied one: a reader of the old one keeps what it reads, and no link
	 * put in its place is followed. */
	unlink(s->path);
	s->fd = open(s->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return s->fd < 0 ? err_sys(e, "cannot make the log %s", s->path) : 0;
}

static void segment_end(struct segment *s, bool remove)
{
	if (s->fd >= 0)
		close(s->fd);
	if (remove && s->path)
		unlink(s->path);
	s->fd = -1;
	free(s->path);
	s->path = NULL;
}

static int segment_add(struct segment *s, const void *bytes, size_t n, struct err *e)
{
	if (fs_write_all(s->fd, bytes, n, e) != 0) {
		/* Part of it may have been written: file and count must agree, for the notes. */
		if (ftruncate(s->fd, (off_t)s->size) != 0)
			return err_wrap(e, "log %s, and its end is damaged", s->path);
		return err_wrap(e, "log %s", s->path);
	}
	s->size += n;
	return 0;
}

/* The segment the next byte belongs to; NULL after an error. */
static struct segment *current(struct output *o)
{
	if (o->head.size < o->part)
		return &o->head;
	struct segment *s = &o->tail[o->newer];
	if (s->fd >= 0 && s->size < o->part)
		return s;
	if (s->fd >= 0)
		o->newer = !o->newer;
	s = &o->tail[o->newer];
	return segment_begin(s, &o->error) == 0 ? s : NULL;
}

static void store(struct output *o, const char *bytes, size_t n)
{
	while (n && o->error.kind == ERR_NONE) {
		struct segment *s = current(o);
		if (!s)
			break;
		size_t room = (size_t)(o->part - s->size), part = n < room ? n : room;
		if (segment_add(s, bytes, part, &o->error) != 0)
			break;
		if (s == &o->head)
			o->head_ends_line = bytes[part - 1] == '\n';
		bytes += part;
		n -= part;
	}
	o->rejected += n;
}

int output_open(struct output **out, const char *path, uint64_t limit, struct err *e)
{
	if (limit < OUTPUT_LIMIT_MIN)
		return err_set(e, ERR_USAGE, "a log limit of %llu bytes is below the minimum of %d",
		               (unsigned long long)limit, OUTPUT_LIMIT_MIN);
	struct output *o = mem_alloc(sizeof *o);
	o->part = (limit - NOTE_ROOM) / 4;
	o->head = (struct segment){mem_strdup(path), -1, 0};
	for (int i = 0; i < 2; i++) {
		o->tail[i] = (struct segment){mem_printf("%s.%d", path, i + 1), -1, 0};
		unlink(o->tail[i].path);
	}
	o->line_ended = true;
	if (segment_begin(&o->head, e) != 0) {
		segment_end(&o->head, false);
		segment_end(&o->tail[0], false);
		segment_end(&o->tail[1], false);
		free(o);
		return -1;
	}
	*out = o;
	return 0;
}

/* ---- the last line ---- */

/* Where the last line of `p` begins: after its last newline or carriage return. */
static size_t after_break(const char *p, size_t n)
{
	const char *lf = memrchr(p, '\n', n);
	size_t from = lf ? (size_t)(lf - p) + 1 : 0;
	const char *cr = memrchr(p + from, '\r', n - from);
	return cr ? (size_t)(cr - p) + 1 : from;
}

static void follow_line(struct output *o, const char *p, size_t n)
{
	size_t end = n;
	while (end && (p[end - 1] == '\n' || p[end - 1] == '\r'))
		end--;
	if (end) {
		size_t start = after_break(p, end);
		if (start || o->line_ended)
			o->line_len = 0;
		size_t room = OUTPUT_LINE_MAX - o->line_len, len = end - start;
		if (len > room)
			len = room;
		memcpy(o->line + o->line_len, p + start, len);
		o->line_len += len;
		o->line[o->line_len] = '\0';
		o->line_ended = false;
	}
	if (end < n)
		o->line_ended = true;
}

const char *output_last_line(const struct output *o)
{
	return o->line;
}

/* ---- the tail in memory ---- */

static void remember(struct output *o, const char *p, size_t n)
{
	uint64_t at = o->seen;
	if (n > OUTPUT_TAIL_MAX) {
		at += n - OUTPUT_TAIL_MAX;
		p += n - OUTPUT_TAIL_MAX;
		n = OUTPUT_TAIL_MAX;
	}
	size_t from = (size_t)(at % OUTPUT_TAIL_MAX), first = OUTPUT_TAIL_MAX - from;
	if (first > n)
		first = n;
	memcpy(o->ring + from, p, first);
	memcpy(o->ring, p + first, n - first);
}

void output_tail(const struct output *o, size_t n, struct str *out)
{
	AUTO_STR struct str text = {0};

	if (n > OUTPUT_TAIL_MAX)
		n = OUTPUT_TAIL_MAX;
	if (n >= o->seen)
		n = (size_t)o->seen;
	if (!n)
		return;
	size_t from = (size_t)((o->seen - n) % OUTPUT_TAIL_MAX), first = OUTPUT_TAIL_MAX - from;
	if (first > n)
		first = n;
	str_addn(&text, o->ring + from, first);
	str_addn(&text, o->ring, n - first);
	/* Not all of it: the first line is likely cut, but better than nothing when it is alone. */
	const char *lf = n < o->seen ? memchr(text.p, '\n', n) : NULL;
	size_t skip = lf && lf + 1 < text.p + n ? (size_t)(lf + 1 - text.p) : 0;
	str_addn(out, text.p + skip, n - skip);
}

/* ---- all of it ---- */

void output_write(struct output *o, const void *bytes, size_t n)
{
	if (!n)
		return;
	store(o, bytes, n);
	remember(o, bytes, n);
	follow_line(o, bytes, n);
	o->seen += n;
}

uint64_t output_bytes(const struct output *o)
{
	return o->seen;
}

/* Append a segment to the head and remove it. One after the other: the head grows into the space
 * that its own quarter left free plus that of the segments already removed. */
static int join(struct output *o, struct segment *s, struct err *e)
{
	AUTO_FREE char *buf = mem_array(1, COPY_BYTES);

	for (uint64_t at = 0; at < s->size;) {
		uint64_t left = s->size - at;
		ssize_t n = pread(s->fd, buf, left < COPY_BYTES ? left : COPY_BYTES, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the log %s", s->path);
		if (n == 0)
			break; /* shortened by somebody: take what is there */
		if (segment_add(&o->head, buf, (size_t)n, e) != 0)
			return -1;
		at += (uint64_t)n;
	}
	segment_end(s, true);
	return 0;
}

static int join_all(struct output *o, struct err *e)
{
	struct segment *older = &o->tail[!o->newer], *newer = &o->tail[o->newer];
	uint64_t kept = o->head.size + older->size + newer->size;
	uint64_t missing = o->seen - o->rejected - kept;
	AUTO_STR struct str note = {0};

	if (missing)
		str_addf(&note, "%s[%llu bytes left out]\n", o->head_ends_line ? "" : "\n",
		         (unsigned long long)missing);
	if (note.len && segment_add(&o->head, note.p, note.len, e) != 0)
		return -1;
	if (older->fd >= 0 && join(o, older, e) != 0)
		return -1;
	if (newer->fd >= 0 && join(o, newer, e) != 0)
		return -1;
	if (o->rejected) {
		str_clear(&note);
		str_addf(&note, "\n[%llu bytes not written: %s]\n", (unsigned long long)o->rejected,
		         o->error.code ? strerror(o->error.code) : "error");
		return segment_add(&o->head, note.p, note.len, e);
	}
	return 0;
}

int output_close(struct output *o, struct err *e)
{
	struct err later = {0};
	int rc = 0;

	if (!o)
		return 0;
	if (join_all(o, &later) != 0 || o->error.kind != ERR_NONE) {
		const struct err *first = o->error.kind != ERR_NONE ? &o->error : &later;
		if (e)
			*e = *first;
		rc = -1;
	}
	segment_end(&o->head, false);
	segment_end(&o->tail[0], false);
	segment_end(&o->tail[1], false);
	free(o);
	return rc;
}
