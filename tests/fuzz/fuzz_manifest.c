/* fuzz_manifest: any bytes as a manifest of skills. Folders are not empty, a fault is in a line of the file. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/mem.h"
#include "supervisor/plan/manifest.h"

static void check(const struct strv *folders)
{
	for (size_t i = 0; i < folders->n; i++)
		assert(*folders->v[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	struct plan_faults faults = {0};
	struct manifest m;
	size_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n' || text[i] == '\r'; /* YAML's line ends */
	int rc = manifest_parse(&m, "file", text, n, &faults);
	assert((rc == 0) == (faults.n == 0));
	for (size_t i = 0; i < faults.n; i++)
		assert(faults.v[i].line <= lines + 1); /* one noticed at the end may be told behind it */
	assert(rc == 0 || (!m.local.n && !m.sources.n && !m.baseline.n && !m.remote.n));
	check(&m.local);
	check(&m.sources);
	check(&m.baseline);
	manifest_fini(&m);
	plan_faults_fini(&faults);
	return 0;
}
