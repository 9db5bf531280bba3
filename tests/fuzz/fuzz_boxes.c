/* fuzz_boxes: any bytes as a story. Every box lies where it is said to, and what counts adds up. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "worker/boxes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	struct boxes b;
	struct err e = {0};
	uint64_t total = 0, checked = 0, bytes_of_texts = 0;

	if (boxes_read(&b, text, n, &e) != 0) {
		assert(e.kind == ERR_USAGE && n > BOXES_MAX_BYTES);
		return 0;
	}
	for (size_t i = 0; i < b.n; i++) {
		const struct box *box = &b.v[i];
		assert(box->mark >= 1 && box->mark + 1 < n && box->level >= 1);
		assert(!i || box->mark > b.v[i - 1].mark);
		assert(text[box->mark - 1] == '[' && text[box->mark + 1] == ']');
		assert(text[box->mark] && strchr(" xX~", text[box->mark]));
		assert(box->wrapped || (box->text >= text + box->mark + 2 && box->text + box->len <= text + n));
		assert(box->wrapped ? box->first < box->len && box->text == box->wrapped : box->first == box->len);
		assert(!memchr(box->text, '\n', box->len) && !memchr(box->text, '\r', box->len));
		assert(boxes_called(box, box->text, box->len) && boxes_called(box, box->text, box->first ? box->first : box->len));
		bytes_of_texts += box->len;
		bool inside = !b.n_tasks;
		for (size_t k = 0; k < b.n_tasks; k++)
			inside = inside || (box->mark >= b.tasks[k].from && box->mark < b.tasks[k].to);
		assert(box->counts == (inside && box->level == 1));
		total += box->counts;
		checked += box->counts && box->ticked;
	}
	for (size_t k = 0; k < b.n_tasks; k++)
		assert(b.tasks[k].from < b.tasks[k].to && (!k || b.tasks[k - 1].to <= b.tasks[k].from));
	assert(bytes_of_texts <= n);
	assert(b.total == total && b.checked == checked && b.seed_checked <= b.seed_total);
	boxes_fini(&b);
	return 0;
}
