/* The merge in process against git: random triples of commits with renamed files and folders, files in
 * the place of folders, links, submodules, modes, case twins and names around the slash in git's order.
 * Wherever gitx_merge answers, git answers the same tree; and it answers most of what git finds clean. */
#include "test.h"

#include <sys/wait.h>

#include "merge_random/trees.h"
#include "repo.h"
#include "store/base/fs.h"
#include "worker/gitx.h"

enum {
	TRIPLES = 5000,
	TRIPLES_FULL = 120000, /* with BOSK_TEST_FULL=1 */
	CHUNK = 2000,  /* in one repository */
	LOT = 50       /* given to one git: it aborts on a few inputs, then each is asked alone */
};

struct triple {
	struct oid base, ours, theirs;
};

struct answer {
	enum { DIED, CLEAN, CONFLICT } kind;
	struct oid tree;
};

static struct test_rng rng;
static struct oid odd[TREES_ODD];

/* ---- into a repository ---- */

static void write_contents(FILE *to)
{
	for (unsigned c = 0; c < TREES_FAMILIES * TREES_VARIANTS; c++) {
		AUTO_STR struct str text = {0};
		for (unsigned line = 0; line < TREES_VARIANTS; line++)
			str_addf(&text, "%u: %s of %u\n", line,
			         line && line == c % TREES_VARIANTS ? "edited" : "a line", c / TREES_VARIANTS);
		fprintf(to, "blob\nmark :%u\ndata %zu\n%s\n", c + 1, text.len, text.p);
	}
}

static void write_commit(FILE *to, unsigned mark, unsigned from, const struct tree *t)
{
	fprintf(to, "reset refs/heads/r\n\ncommit refs/heads/r\nmark :%u\n"
	            "committer A <a@example.com> 1700000000 +0000\ndata <<E\n%u\nE\n", mark, mark);
	if (from)
		fprintf(to, "from :%u\n", from);
	fprintf(to, "deleteall\n");
	for (size_t i = 0; i < t->n; i++) {
		const struct file *f = &t->v[i];
		if (f->mode == 040000)
			fprintf(to, "M 040000 %s %s\n", odd[f->content].hex, f->path);
		else if (f->mode == 0160000)
			fprintf(to, "M 160000 %040x %s\n", f->content + 1, f->path);
		else
			fprintf(to, "M %o :%u %s\n", f->mode, f->content + 1, f->path);
	}
}

/* Empty folders that are stored, and a mode of the first years of git. */
static void make_odd(const char *repo)
{
	AUTO_FREE char *e = repo_out(repo, "mktree </dev/null");
	AUTO_FREE char *f = repo_out(repo, "hash-object -w --stdin </dev/null");
	char *made[TREES_ODD] = {
		repo_out(repo, "mktree <<E\n040000 tree %s\te\n100644 blob %s\tf\nE\n", e, f),
		repo_out(repo, "mktree <<E\n040000 tree %s\te\n100664 blob %s\tf\n100644 blob %s\tg\nE\n", e, f, f),
		repo_out(repo, "mktree <<E\n100664 blob %s\tf\nE\n", f),
		repo_out(repo, "mktree <<E\n100644 blob %s\tf\n100644 blob %s\th\nE\n", f, f),
	};
	for (size_t i = 0; i < TREES_ODD; i++) {
		assert_true(oid_parse(&odd[i], made[i]));
		free(made[i]);
	}
}

static void read_marks(const char *path, struct triple *v, size_t n)
{
	FILE *f = fopen(path, "r");
	char line[64];

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		unsigned long mark = strtoul(line + 1, NULL, 10) - 1;
		struct oid id;
		if (mark < TREES_FAMILIES * TREES_VARIANTS)
			continue;
		mark -= TREES_FAMILIES * TREES_VARIANTS;
		assert_true(mark < 3 * n);
		line[strcspn(line, "\n")] = '\0';
		assert_true(oid_parse(&id, strchr(line, ' ') + 1));
		*(mark % 3 == 0 ? &v[mark / 3].base : mark % 3 == 1 ? &v[mark / 3].ours : &v[mark / 3].theirs) = id;
	}
	fclose(f);
}

static void make_triples(const char *repo, struct triple *v, size_t n)
{
	AUTO_FREE char *marks = mem_printf("%s/marks", repo_scratch);
	AUTO_FREE char *command = mem_printf("git -C '%s' -c core.fsync=none fast-import --quiet --force "
	                                     "--export-marks='%s'", repo, marks);
	FILE *to = popen(command, "w");

	assert_non_null(to);
	write_contents(to);
	for (size_t i = 0; i < n; i++) {
		struct tree base, ours, theirs;
		unsigned mark = (unsigned)(TREES_FAMILIES * TREES_VARIANTS + 1 + 3 * i);
		trees_random_triple(&rng, &base, &ours, &theirs);
		write_commit(to, mark, 0, &base);
		write_commit(to, mark + 1, mark, &ours);
		write_commit(to, mark + 2, mark, &theirs);
	}
	assert_int_equal(pclose(to), 0);
	read_marks(marks, v, n);
}

/* ---- what git says ---- */

/* Each answer: "1" clean or "0" conflict, the tree, the paths, an empty text; all ended by NUL. */
static bool read_answers(const struct str *said, struct answer *out, size_t n)
{
	const char *p = str_text(said), *end = p + said->len;
	for (size_t i = 0; i < n; i++) {
		if (end - p < 43 || p[1] || !oid_parse(&out[i].tree, p + 2))
			return false;
		out[i].kind = *p == '1' ? CLEAN : CONFLICT;
		for (p += 43; p < end && *p; p += strlen(p) + 1)
			;
		if (p++ >= end)
			return false;
	}
	return p == end;
}

static void ask_git(const char *repo, const struct triple *v, struct answer *out, size_t n)
{
	AUTO_FREE char *pairs = mem_printf("%s/pairs", repo_scratch);
	AUTO_FREE char *command = mem_printf(
		"ulimit -c 0; git -C '%s' -c core.fsync=none merge-tree --write-tree --name-only --no-messages "
		"--stdin <'%s' 2>/dev/null", repo, pairs);
	AUTO_STR struct str said = {0}, text = {0};
	char chunk[4096];
	size_t got;
	struct err e = {0};

	for (size_t i = 0; i < n; i++)
		str_addf(&text, "%s %s\n", v[i].ours.hex, v[i].theirs.hex);
	assert_ok(fs_write(pairs, text.p, text.len, false, &e), &e);
	FILE *from = popen(command, "r");
	assert_non_null(from);
	while ((got = fread(chunk, 1, sizeof chunk, from)) > 0)
		str_addn(&said, chunk, got);
	int status = pclose(from);
	if (status == 0 && read_answers(&said, out, n))
		return;
	out->kind = DIED;
	for (size_t i = 0; n > 1 && i < n; i++)
		ask_git(repo, &v[i], &out[i], 1);
}

/* ---- the comparison ---- */

struct counts {
	size_t all, clean, conflict, died, here;
};

static void show(const char *repo, const struct triple *t, size_t number)
{
	const struct oid *ids[] = {&t->base, &t->ours, &t->theirs};
	static const char *const names[] = {"base", "ours", "theirs"};
	printf("triple %zu\n", number);
	for (size_t i = 0; i < 3; i++) {
		AUTO_FREE char *list = repo_out(repo, "ls-tree -r -t %s", ids[i]->hex);
		printf("%s %s\n%s\n", names[i], ids[i]->hex, list);
	}
}

static void compare(const char *repo, struct gitx *g, const struct triple *t,
                    const struct answer *git, struct counts *c)
{
	struct oid tree = {""};
	struct err e = {0};
	bool merged;

	assert_ok(gitx_merge(g, &merged, &tree, &t->base, &t->ours, &t->theirs, &e), &e);
	c->here += merged;
	c->clean += git->kind == CLEAN;
	c->conflict += git->kind == CONFLICT;
	c->died += git->kind == DIED;
	if (merged && git->kind != DIED && (git->kind != CLEAN || !str_eq(tree.hex, git->tree.hex))) {
		show(repo, t, c->all);
		if (git->kind == CLEAN) {
			AUTO_FREE char *diff = repo_out(repo, "diff-tree -r -t %s %s", git->tree.hex, tree.hex);
			printf("git, and here:\n%s\n", diff);
		}
		fail_msg("git: %s %s, here: %s", git->kind == CLEAN ? "clean" : "conflict", git->tree.hex,
		         tree.hex);
	}
	c->all++;
}

static void one_chunk(struct counts *c, size_t n)
{
	struct triple *v = mem_array(n, sizeof *v);
	struct answer *git = mem_array(n, sizeof *git);
	AUTO_FREE char *repo = mem_printf("%s/repo", repo_scratch);
	struct err e = {0};

	repo_new(repo);
	make_odd(repo);
	make_triples(repo, v, n);
	struct gitx *g = repo_open(repo);
	for (size_t i = 0; i < n; i += LOT)
		ask_git(repo, &v[i], &git[i], n - i < LOT ? n - i : LOT);
	for (size_t i = 0; i < n; i++)
		compare(repo, g, &v[i], &git[i], c);
	gitx_close(g);
	assert_ok(fs_remove_tree(repo, &e), &e);
	free(v);
	free(git);
}

static void the_same_tree_as_git(void **state)
{
	const char *full = getenv("BOSK_TEST_FULL");
	size_t wanted = full && str_eq(full, "1") ? TRIPLES_FULL : TRIPLES;
	struct counts c = {0};

	(void)state;
	rng = test_rng_new();
	while (c.all < wanted)
		one_chunk(&c, CHUNK);
	printf("%zu triples: git merged %zu, conflict in %zu, died of %zu; merged here %zu, %.1f %% of git's\n",
	       c.all, c.clean, c.conflict, c.died, c.here, 100.0 * (double)c.here / (double)c.clean);
	assert_true(c.here * 10 >= c.clean * 6);
	/* The generator makes what it is for: enough of both outcomes. */
	assert_true(c.clean * 4 >= c.all);
	assert_true(c.conflict * 20 >= c.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_tree_as_git)};
	return cmocka_run_group_tests_name("merge_random", tests, repo_setup, repo_teardown);
}
