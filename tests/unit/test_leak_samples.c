/* How many secrets are found, and how often something else is taken for one: the numbers of leak.h.
 *
 *   test_leak_samples                 a test: the numbers must be as good as they were
 *   test_leak_samples table [SEED]    the table, of other samples with another seed
 *   test_leak_samples misses [SEED]   and what was missed, and the false alarms
 *   test_leak_samples files PATH...   what is found in these files
 *   test_leak_samples history REPO    what is found in what each commit of HEAD's history added */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "leak_samples/samples.h"
#include "repo.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "test.h"
#include "worker/leak.h"

enum { GROUPS = 32 };

static struct leak_rules *rules;
static unsigned seed = 20;

struct row {
	const char *group;
	size_t samples, hits;
};

struct seen {
	const char *where; /* NULL = say nothing */
	const char *path;
	size_t n;
};

static void note(void *ctx, const struct leak_finding *f)
{
	struct seen *s = ctx;
	s->n++;
	if (s->where)
		printf("%s%s:%zu: %s%s finding:%s\n", s->where, s->path, f->line, f->rule, f->allowed ? " (allowed)" : "", f->print);
}

static size_t scan(const char *path, const struct str *text)
{
	struct gitx_lines all = {1, SIZE_MAX};
	struct gitx_added f = {.path = path, .fresh = true, .text = str_text(text), .n = text->len, .size = text->len,
	                       .lines = &all, .n_lines = 1};
	struct seen seen = {0};

	leak_scan(rules, &f, note, NULL, &seen);
	return seen.n;
}

static struct row *row_of(struct row rows[GROUPS], const char *group)
{
	size_t i = 0;
	while (rows[i].group && strcmp(rows[i].group, group) != 0)
		i++;
	assert_true(i < GROUPS - 1);
	rows[i].group = group;
	return &rows[i];
}

static void measure(struct row rows[GROUPS], bool (*make)(struct sample *, size_t, unsigned), bool say, bool say_hits)
{
	struct sample s;

	for (size_t i = 0; make(&s, i, seed); i++) {
		struct row *row = row_of(rows, s.group);
		bool hit = scan(s.path, &s.text) > 0;
		row->samples++;
		row->hits += hit;
		if (say && hit == say_hits)
			printf("%s: %s: %s", hit ? "alarm" : "missed", s.path, str_text(&s.text));
		str_fini(&s.text);
	}
	str_fini(&s.text);
}

static void print_rows(const struct row rows[GROUPS], const char *title, const char *column)
{
	size_t samples = 0, hits = 0;

	printf("%-28s samples  %s\n", title, column);
	for (size_t i = 0; rows[i].group; i++) {
		printf("%-28s %7zu  %5zu\n", rows[i].group, rows[i].samples, rows[i].hits);
		samples += rows[i].samples;
		hits += rows[i].hits;
	}
	printf("%-28s %7zu  %5zu (%.1f %%)\n\n", "together", samples, hits, 100.0 * (double)hits / (double)samples);
}

static int table(bool say)
{
	struct row secrets[GROUPS] = {0}, harmless[GROUPS] = {0};

	measure(secrets, sample_secret, say, false);
	measure(harmless, sample_harmless, say, true);
	print_rows(secrets, "secrets", "found");
	print_rows(harmless, "harmless", "false alarms");
	return 0;
}

static int files(int n, char **paths)
{
	size_t bytes = 0, found = 0;

	for (int i = 0; i < n; i++) {
		AUTO_STR struct str text = {0};
		struct gitx_lines all = {1, SIZE_MAX};
		struct seen seen = {.where = "", .path = paths[i]};
		struct err e = {0};
		if (fs_read(paths[i], 8 << 20, &text, &e) != 0)
			continue;
		struct gitx_added f = {.path = paths[i], .fresh = true, .text = str_text(&text), .n = text.len,
		                       .binary = text.len && memchr(text.p, 0, text.len < 8000 ? text.len : 8000), .lines = &all, .n_lines = 1};
		leak_scan(rules, &f, note, NULL, &seen);
		bytes += text.len;
		found += seen.n;
	}
	printf("%d files, %zu bytes: %zu findings\n", n, bytes, found);
	return 0;
}

struct walk {
	const char *commit;
	size_t files, lines, found;
};

static bool visit(void *ctx, const struct gitx_added *f)
{
	struct walk *w = ctx;
	AUTO_FREE char *where = mem_printf("%.12s ", w->commit);
	struct seen seen = {.where = where, .path = f->path};

	leak_scan(rules, f, note, NULL, &seen);
	w->files++;
	for (size_t i = 0; i < f->n_lines; i++)
		for (size_t at = 0, line = 1; f->n_lines && at < f->n; line++) {
			const char *end = memchr(f->text + at, '\n', f->n - at);
			w->lines += line >= f->lines[i].from && line - f->lines[i].from < f->lines[i].n;
			at = end ? (size_t)(end - f->text) + 1 : f->n;
		}
	w->found += seen.n;
	return true;
}

static int history(const char *repo)
{
	struct gitx *g = NULL;
	struct err e = {0};
	struct walk w = {0};
	size_t commits = 0;
	AUTO_FREE char *list = repo_out(repo, "rev-list --no-merges --reverse HEAD");
	char *rest = NULL;

	if (gitx_init(false, &e) != 0 || gitx_open(&g, repo, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	for (char *hex = strtok_r(list, "\n", &rest); hex; hex = strtok_r(NULL, "\n", &rest), commits++) {
		struct oid commit, parent = {0}, from = {0}, to;
		size_t n;
		w.commit = hex;
		assert_true(oid_parse(&commit, hex));
		assert_return_code(gitx_parents(g, &commit, &parent, 1, &n, &e), 0);
		if (n)
			assert_return_code(gitx_tree_of(g, &parent, &from, &e), 0);
		assert_return_code(gitx_tree_of(g, &commit, &to, &e), 0);
		assert_return_code(gitx_added(g, &from, &to, 8 << 20, visit, &w, &e), 0);
	}
	gitx_close(g);
	printf("%zu commits, %zu files, %zu lines added: %zu findings\n", commits, w.files, w.lines, w.found);
	return 0;
}

/* ---- the test ---- */

static void as_good_as_it_was(void **state)
{
	struct row secrets[GROUPS] = {0}, harmless[GROUPS] = {0};

	(void)state;
	measure(secrets, sample_secret, false, false);
	measure(harmless, sample_harmless, false, true);
	for (size_t i = 0; secrets[i].group; i++)
		if (secrets[i].hits * 100 < secrets[i].samples * 97)
			fail_msg("%s: %zu of %zu", secrets[i].group, secrets[i].hits, secrets[i].samples);
	for (size_t i = 0; harmless[i].group; i++)
		if (harmless[i].hits)
			fail_msg("%s: %zu of %zu", harmless[i].group, harmless[i].hits, harmless[i].samples);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_good_as_it_was)};
	struct err e = {0};

	if (leak_rules_new(&rules, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	bool tables = argc == 2 || argc == 3;
	if (argc == 3 && isdigit((unsigned char)*argv[2]))
		seed = (unsigned)strtoul(argv[2], NULL, 10);
	int rc = tables && strcmp(argv[1], "table") == 0       ? table(false)
	         : tables && strcmp(argv[1], "misses") == 0    ? table(true)
	         : argc > 2 && strcmp(argv[1], "files") == 0   ? files(argc - 2, argv + 2)
	         : argc == 3 && strcmp(argv[1], "history") == 0 ? history(argv[2])
	                                                       : cmocka_run_group_tests(tests, NULL, NULL);
	leak_rules_free(rules);
	return rc;
}
