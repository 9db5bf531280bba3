/* Fuzz target: the payload of a frame as a message, in both directions. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "worker/msg.h"

static void one_way(enum msg_way way, const uint8_t *data, size_t n, size_t *accepted)
{
	struct msg m, twin;
	struct err e = {0};
	AUTO_STR struct str bytes = {0}, line = {0};

	if (msg_decode(&m, way, data, n, &e) != 0) {
		assert(e.kind == ERR_PROTO && e.text[0]);
		assert(m.kind == 0);
		return;
	}
	++*accepted;
	assert(msg_way(m.kind) == way);
	/* What was accepted is a value like any other: it travels on unchanged. Our own encoding
	 * may be longer (missing fields, wider numbers), never by more than its fields. */
	msg_encode(&m, &bytes);
	assert(bytes.len <= 2 * n + 1024 + 9 * msg_rec(m.kind)->n);
	assert(msg_decode(&twin, way, bytes.p, bytes.len, &e) == 0);
	assert(rec_equal(msg_rec(m.kind), &m.u, &twin.u));
	msg_print(&m, &line);
	assert(line.len < 16384 && str_utf8(line.p, line.len));
	msg_fini(&twin);
	msg_fini(&m);
	assert(m.kind == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t accepted = 0;

	one_way(MSG_WAY_TO_WORKER, data, n, &accepted);
	one_way(MSG_WAY_TO_SUPERVISOR, data, n, &accepted);
	assert(accepted <= 1);

	/* The same bytes as a text to be clipped: never longer than asked, never half a character
	 * where there was a whole one. */
	AUTO_STR struct str text = {0};
	str_addn(&text, data, n);
	str_addc(&text, '\0');
	size_t before = strlen(text.p), max = n ? data[0] : 0;
	bool utf8 = str_utf8(text.p, before);
	msg_clip_text(text.p, max);
	size_t after = strlen(text.p);
	assert(after <= max || after == before);
	assert(after <= max && (before <= max ? after == before : after + 3 >= max));
	assert(!utf8 || str_utf8(text.p, after));
	return 0;
}
