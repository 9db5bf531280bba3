/* fuzz_front: any bytes as a Markdown file with front matter. What is read ends where the text behind it begins, and a
 * fault is in a line of the file. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/mem.h"
#include "supervisor/plan/front.h"
#include "worker/boxes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	struct plan_faults faults = {0};
	struct front f;
	size_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n' || text[i] == '\r'; /* YAML's line ends */
	int rc = front_read(&f, "file", text, n, &faults);
	assert((rc == 0) == (faults.n == 0));
	for (size_t i = 0; i < faults.n; i++)
		assert(faults.v[i].line <= lines + 1); /* one noticed at the end may be told behind it */
	assert(f.body <= n && f.body == boxes_front(text, n));
	assert(!f.doc || (rc == 0 && f.body && yaml_root(f.doc)->kind == YAML_MAP));
	front_fini(&f);
	plan_faults_fini(&faults);
	return 0;
}
