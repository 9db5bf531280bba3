/* Which changed paths are protected ones, however they are written. */
#include "test.h"

#include "worker/protect.h"

static bool hit(const char *glob, const char *path)
{
	AUTO_STRV struct strv globs = {0}, changed = {0};

	strv_add(&globs, "never");
	strv_add(&globs, glob);
	strv_add(&changed, "other.txt");
	strv_add(&changed, path);
	const char *found = protect_find(&globs, &changed);
	assert_true(!found || found == changed.v[1]);
	return found != NULL;
}

static void protected_paths(void **state)
{
	static const struct {
		const char *glob, *path;
		bool hit;
	} rows[] = {
		{"bosk.yaml", "bosk.yaml", true},
		{"bosk.yaml", "Bosk.YAML", true},
		{"bosk.yaml", "bosk.yaml.old", false},
		{"bosk.yaml", "sub/bosk.yaml", false},
		{"bosk.yaml", "bosk.yaml/now-a-folder", true},
		{"ci", "ci/deploy.yml", true},
		{"ci", "CI/deploy.yml", true},
		{"ci", "ci", true},
		{"ci", "circle", false},
		{"ci/**", "ci/a/b", true},
		{"**/Dockerfile", "Dockerfile", true}, /* at the top, too */
		{"**/Dockerfile", "a/b/Dockerfile", true},
		{"**/Dockerfile", "NotDockerfile", false},
		{"a/**/x/**/y", "a/x/y", true},
		{"a/**/x/**/y", "a/1/2/x/3/y", true},
		{"a/**/x/**/y", "a/xy", false},
		{"ci/**", "ci", true}, /* a link to a folder */
		{"a/b/c.txt", "a/b", true},
		{"a/b/c.txt", "A", true},
		{"a/b/c.txt", "a/b/d.txt", false},
		{"*.lock", "deep/Cargo.lock", true},
		{"*/ci/x", "src", false},
		{"*/ci/x", "src/ci/x", true},
		{".github/workflows/*.yml", ".github", true},
		{".github/workflows/*.yml", ".github/CODEOWNERS", false},
		{"src/[ab]/x", "src", true},
	};
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(rows); i++)
		if (hit(rows[i].glob, rows[i].path) != rows[i].hit)
			fail_msg("%s and %s", rows[i].glob, rows[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(protected_paths)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
