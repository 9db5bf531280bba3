/* Secrets in what is added: where they are looked for, what is allowed, what is said. How well they are found is
 * test_leak_samples.c's to say. Nothing here is one: each is put together in the test. */
#include "worker/leak.h"

#include <sys/stat.h>
#include <unistd.h>

#include "repo.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "test.h"

static struct leak_rules *rules;
static struct str said;

static int begin(void **state)
{
	struct err e = {0};

	assert_ok(leak_rules_new(&rules, &e), &e);
	return repo_setup(state);
}

static int end(void **state)
{
	leak_rules_free(rules);
	str_fini(&said);
	return repo_teardown(state);
}

static void note(void *ctx, const struct leak_finding *f)
{
	(void)ctx;
	str_addf(&said, "%s%zu:%s%s", said.len ? " " : "", f->line, f->rule, f->allowed ? "(allowed)" : "");
}

/* What is found in a file of which the lines from `from` on are new. */
static const char *found_from(const char *path, const char *text, size_t from)
{
	struct gitx_lines lines = {from, SIZE_MAX};
	struct gitx_added f = {.path = path, .fresh = from == 1, .text = text, .n = strlen(text), .size = strlen(text),
	                       .lines = &lines, .n_lines = 1};

	str_clear(&said);
	leak_scan(rules, &f, note, NULL, NULL);
	return str_text(&said);
}

static const char *found(const char *path, const char *text)
{
	return found_from(path, text, 1);
}

#define TOKEN "ghp" "_Zq3kV9xTt7LmR2bWcY8sHd5nJfKpG4aE1uQo"
#define PASSWORD "W1nter" "Orchid!94"

static void only_new_lines(void **state)
{
	(void)state;
	assert_string_equal(found("a.py", "a\npassword = \"" PASSWORD "\"\n"), "2:password");
	assert_string_equal(found_from("a.py", "password = \"" PASSWORD "\"\nb\n", 2), "");
	assert_string_equal(found_from("a.py", "password = \"" PASSWORD "\"\nx = '" TOKEN "'\n", 2), "2:github-token");
	assert_string_equal(found("a.py", "x = '" TOKEN "', '" TOKEN "'\r\npassword = \"" PASSWORD "\"\r\n"), "1:github-token 2:password");
	/* Without a newline at the end, and with nothing at all. */
	assert_string_equal(found("a.py", "x = '" TOKEN "'"), "1:github-token");
	assert_string_equal(found("a.py", ""), "");
	/* One secret is one finding, by the most certain rule. */
	assert_string_equal(found("a.py", "github_token = '" TOKEN "'\n"), "1:github-token");
	assert_string_equal(found("a.py", "token = 'ghp" "_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; t = '" TOKEN "'\n"), "1:github-token");
}

static void comments_allow(void **state)
{
	static const char line[] = "password = \"" PASSWORD "\"";
	static const struct {
		const char *before, *behind, *found;
	} rows[] = {
		{"", "  # bosk:allow-secret", "1:password(allowed)"},
		{"# bosk:allow-secret\n", "", "2:password(allowed)"},
		{"# bosk:allow-secret password: an example\n", "", "2:password(allowed)"},
		{"# bosk:allow-secret: of a test\n", "", "2:password(allowed)"},
		/* Another rule, another line. */
		{"# bosk:allow-secret github-token\n", "", "2:password"},
		{"# bosk:allow-secret github-token,password\n", "", "2:password(allowed)"},
		{"# bosk:allow-secret\n\n", "", "3:password"},
		/* What stands behind code speaks of that line only. */
		{"y = 1  # bosk:allow-secret\n", "", "2:password"},
	};
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(rows); i++) {
		AUTO_FREE char *text = mem_printf("%s%s%s\n", rows[i].before, line, rows[i].behind);
		assert_string_equal(found("a.py", text), rows[i].found);
	}
	/* What has the shape of a token is allowed by what was there before only. */
	assert_string_equal(found("a.py", "x = '" TOKEN "'  # bosk:allow-secret\n"), "1:github-token");
	assert_string_equal(found("a.py", "# bosk:allow-secret github-token\nx = '" TOKEN "'\n"), "2:github-token");
	assert_string_equal(found_from("a.c", "/* bosk:allow-secret */\nx = '" TOKEN "';\n", 2), "2:github-token(allowed)");
	assert_string_equal(found_from("a.c", "/* bosk:allow-secret */\ny\nx = '" TOKEN "';\n", 2), "3:github-token");
}

static void private_keys(void **state)
{
	static const char line[] = "MIIEpAIBAAKCAQEAx7Zq3kV9xTt7LmR2bWcY8sHd5nJfKpG4aE1uQo+Vb6Nw0PzS\n";
	AUTO_FREE char *key = mem_printf("a\n-----BEGIN RSA %s-----\n%s%s-----END RSA %s-----\n", "PRIVATE KEY", line, line, "PRIVATE KEY");
	AUTO_FREE char *named = mem_printf("a\n-----BEGIN RSA %s-----\n...\n-----END RSA %s-----\n%s", "PRIVATE KEY", "PRIVATE KEY", line);
	AUTO_FREE char *allowed = mem_printf("# bosk:allow-secret private-key\n-----BEGIN %s-----\nx: y\n\n%s", "PRIVATE KEY", line);

	(void)state;
	assert_string_equal(found("a.txt", key), "3:private-key");
	/* A line of it was changed. */
	assert_string_equal(found_from("a.txt", key, 4), "4:private-key");
	assert_string_equal(found_from("a.txt", key, 5), "");
	assert_string_equal(found("a.txt", named), "");
	assert_string_equal(found("a.txt", allowed), "5:private-key");
	assert_string_equal(found_from("a.txt", allowed, 2), "5:private-key(allowed)");
}

static void names_of_files(void **state)
{
	(void)state;
	assert_string_equal(found(".env", "A=1\n"), "0:file-name");
	assert_string_equal(found("a/.env.local", "A=1\n"), "0:file-name");
	assert_string_equal(found(".env.example", "A=1\n"), "");
	assert_string_equal(found("a/.env.production.sample", "A=1\n"), "");
	assert_string_equal(found("a/SERVER.KEY", "x\n"), "0:file-name");
	assert_string_equal(found("a.pem", "-----BEGIN CERTIFICATE-----\n"), "");
	assert_string_equal(found("a.crt", "-----BEGIN CERTIFICATE-----\n"), "");
	assert_string_equal(found("a.crt", "x\n"), "0:file-name");
	assert_string_equal(found("id_rsa", "x\n"), "0:file-name");
	assert_string_equal(found("id_rsa.pub", "ssh-rsa A\n"), "");
	assert_string_equal(found("monkey.c", "x\n"), "");
	assert_string_equal(found("environment.py", "x\n"), "");
	assert_string_equal(found(".env", ""), "");
	/* One that was there, and was changed. */
	assert_string_equal(found_from(".env", "A=1\nB=2\n", 2), "");
	assert_string_equal(found(LEAK_ALLOW_FILE, "tests/\n"), "0:allow-file");
	assert_string_equal(found("sub/" LEAK_ALLOW_FILE, "tests/\n"), "");
}

static void open_to_the_world(void **state)
{
	(void)state;
	assert_string_equal(found("a.sh", "chmod 777 x\n"), "1:world-writable");
	assert_string_equal(found("Dockerfile", "RUN chmod -R a+rwX /srv\n"), "1:world-writable");
	assert_string_equal(found("Dockerfile", "COPY --chmod=0666 a /b\n"), "1:world-writable");
	assert_string_equal(found("run", "#!/bin/sh\nchmod o=rw x\n"), "2:world-writable");
	assert_string_equal(found("a.py", "os.chmod(path, 0o777)\n"), "1:world-writable");
	assert_string_equal(found("a.yml", "    mode: '0777'\n"), "1:world-writable");
	assert_string_equal(found("a.sh", "# chmod 777 x\nchmod 1777 /tmp/x\nchmod 755 a\nchmod u+w,g+w b\nchmod 0o777 - mask\n"), "");
	assert_string_equal(found("a.py", "os.chmod(path, 0o777 & ~mask)\nos.chmod(path, 0o777 - mask)\n"), "");
	assert_string_equal(found("README.md", "chmod 777 x\n"), "");
}

static void files_that_are_made(void **state)
{
	struct str line = {0};

	(void)state;
	str_add(&line, "a={password:\"" PASSWORD "\"};");
	assert_string_equal(found("a.js", line.p), "1:password");
	assert_string_equal(found("a.min.js", line.p), "");
	for (int i = 0; i < 100; i++)
		str_add(&line, "function(e,t){};");
	assert_string_equal(found("a.js", line.p), "");
	/* A token of a known kind is one anywhere. */
	str_add(&line, "'" TOKEN "'\n");
	assert_string_equal(found("a.js", line.p), "1:github-token");
	assert_string_equal(found("a.min.js", line.p), "1:github-token");
	/* Lines of any length. */
	AUTO_STR struct str large = {0};
	for (int i = 0; i < 200000; i++)
		str_add(&large, "ab ");
	str_add(&large, "\n'" TOKEN "'\n");
	assert_string_equal(found("a.js", large.p), "2:github-token");
	/* Wherever in them: across the places where they are cut, too, and once. */
	for (size_t at = 256 * 1024 - 50; at < 256 * 1024 + 10; at += 7) {
		str_clear(&large);
		while (large.len < at)
			str_addc(&large, large.len % 3 ? 'a' : ' ');
		str_add(&large, " '" TOKEN "' ");
		while (large.len < 300 * 1024)
			str_add(&large, "ab ");
		assert_string_equal(found("a.js", large.p), "1:github-token");
	}
	str_fini(&line);
}

static void binary_files(void **state)
{
	static const char text[] = "\0\1" "password=\"" PASSWORD "\"\n '" TOKEN "'\n";
	struct gitx_lines all = {1, SIZE_MAX};
	struct gitx_added f = {.path = "a.bin", .fresh = true, .binary = true, .text = text, .n = sizeof text - 1, .lines = &all, .n_lines = 1};

	(void)state;
	str_clear(&said);
	leak_scan(rules, &f, note, NULL, NULL);
	assert_string_equal(said.p, "0:github-token");
}

static void tokens_in_names(void **state)
{
	AUTO_STR struct str shown = {0};
	const char *rule = NULL, *what = NULL;

	(void)state;
	assert_true(leak_hide(rules, "a/" TOKEN "/b." TOKEN ".txt", &shown, &rule, &what));
	assert_string_equal(shown.p, "a/[...]/b.[...].txt");
	assert_string_equal(rule, "github-token");
	str_clear(&shown);
	assert_false(leak_hide(rules, "src/password=hunter2.c", &shown, &rule, &what));
	assert_string_equal(shown.p, "src/password=hunter2.c");
}

static bool enough(void *ctx)
{
	(void)ctx;
	return true;
}

static void it_can_be_left(void **state)
{
	AUTO_STR struct str text = {0};
	struct gitx_lines all = {1, SIZE_MAX};

	(void)state;
	for (int i = 0; i < 20000; i++)
		str_add(&text, "nothing\n");
	str_add(&text, TOKEN "\n");
	struct gitx_added f = {.path = "a", .fresh = true, .text = text.p, .n = text.len, .lines = &all, .n_lines = 1};
	str_clear(&said);
	leak_scan(rules, &f, note, enough, NULL);
	assert_string_equal(str_text(&said), "");
	leak_scan(rules, &f, note, NULL, NULL);
	assert_string_equal(str_text(&said), "20001:github-token");
}

static void allow_files(void **state)
{
	static const char text[] = "# comment\n\ntests/fixtures/   # all\n*.md password\nb?.c\nfinding:0a1b2c3d\n"
		"a.c no-such-rule\nfinding:xyz\na b c\nfinding:0a1b2c3e password\n";
	struct leak_finding token = {.rule = "github-token", .line = 1, .print = "11111111"},
	                    password = {.rule = "password", .line = 1, .print = "22222222"},
	                    known = {.rule = "password", .line = 1, .print = "0a1b2c3d"};
	struct leak_allow a;
	AUTO_STRV struct strv wrong = {0};

	(void)state;
	leak_allow_read(&a, text, strlen(text), &wrong);
	assert_true(leak_allow_has(&a, "tests/fixtures/deep/a.c", &token));
	assert_false(leak_allow_has(&a, "tests/fixture.c", &token));
	assert_true(leak_allow_has(&a, "docs/a.md", &password));
	assert_false(leak_allow_has(&a, "docs/a.md", &token));
	assert_true(leak_allow_has(&a, "b1.c", &token));
	assert_true(leak_allow_has(&a, "x.c", &known));
	assert_int_equal(wrong.n, 4);
	assert_string_equal(wrong.v[0], "line 7 names no rule");
	assert_string_equal(wrong.v[2], "line 9 is more than a path and a rule");
	leak_allow_fini(&a);
}

static void prints(void **state)
{
	char a[LEAK_PRINT], b[LEAK_PRINT];

	(void)state;
	leak_print(a, "password", "a.c", "x", 1);
	leak_print(b, "password", "a.c", "x", 1);
	assert_string_equal(a, b);
	leak_print(b, "password", "a.c", "y", 1);
	assert_string_not_equal(a, b);
	leak_print(b, "password", "b.c", "x", 1);
	assert_string_not_equal(a, b);
	leak_print(b, "secret", "a.c", "x", 1);
	assert_string_not_equal(a, b);
}

static void values(void **state)
{
	static const char *const real[] = {"hunter2", "s3cr3t", "Tr0ub4dor&3", "x7#mQ!pw"};
	static const char *const not[] = {"password", "changeme1", "", "abc", "Passwort", "<password1>", "${PASS1}", "$PASS1", "xxxxxxxx1",
	                                  "12345678", "/run/secrets/db1", "https://a.b/c1", "us-east-1", "com.example.auth2", "2024-01-02",
	                                  "must not be empty 1", "process.env.X1", "test123", "%(password1)s"};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(real); i++)
		assert_true(leak_value_real(LEAK_PASSWORD, real[i], strlen(real[i])));
	for (size_t i = 0; i < MEM_COUNT(not); i++)
		if (leak_value_real(LEAK_PASSWORD, not[i], strlen(not[i])) || leak_value_real(LEAK_KEY, not[i], strlen(not[i])))
			fail_msg("%s", not[i]);
	assert_true(leak_value_real(LEAK_KEY, "9f86d081884c7d659a2feaa0c55ad015", 32));
	assert_false(leak_value_real(LEAK_KEY, "user_access_token_cache_v2", 26));
}

/* ---- what was added between two trees ---- */

static bool list(void *ctx, const struct gitx_added *f)
{
	struct str *out = ctx;

	str_addf(out, "%s%s%s%s%s", f->path, f->fresh ? "+" : "", f->executable ? "x" : "", f->binary ? "b" : "", f->link ? "l" : "");
	for (size_t i = 0; i < f->n_lines && !f->binary && !f->fresh; i++)
		str_addf(out, " %zu,%zu", f->lines[i].from, f->lines[i].n);
	if (f->link || strcmp(f->path, "wide") == 0)
		str_addf(out, "=%.*s", (int)f->n, f->text);
	str_addf(out, "%s\n", f->text ? "" : " large");
	return strcmp(f->path, "stop") != 0;
}

static void tree_of(struct gitx *g, const char *rev, struct oid *out)
{
	struct oid commit;
	struct err e = {0};

	assert_ok(gitx_commit_of(g, rev, &commit, &e), &e);
	assert_ok(gitx_tree_of(g, &commit, out, &e), &e);
}

static void what_was_added(void **state)
{
	AUTO_FREE char *repo = repo_make("added");
	AUTO_STR struct str out = {0};
	struct oid from, to, none = {0};
	struct err e = {0};

	(void)state;
	repo_write(repo, "a.txt", "1\n2\n3\n4\n5\n");
	repo_write(repo, "gone.txt", "x\n");
	AUTO_FREE char *wide = mem_printf("%s/wide", repo);
	assert_ok(fs_write(wide, "\xff\xfe" "1\0\n", 6, false, &e), &e);
	repo_write(repo, "same.txt", "x\n");
	repo_commit(repo, "moved.txt", "x\ny\n", NULL);
	repo_write(repo, "a.txt", "0\n1\n3\n4\nnew\nnew\n5");
	repo_git(repo, "rm -q gone.txt");
	repo_git(repo, "mv moved.txt name.txt");
	/* What the task says of its files does not hide them. */
	repo_write(repo, ".gitattributes", "*.txt binary -diff diff=none\n");
	repo_write(repo, "run", "#!/bin/sh\n");
	AUTO_FREE char *run = mem_printf("%s/run", repo), *bytes = mem_printf("%s/b.bin", repo), *large = mem_printf("%s/large", repo),
	               *link = mem_printf("%s/link", repo);
	AUTO_STR struct str many = {0};
	for (int i = 0; i < 3000; i++)
		str_addc(&many, 'x');
	assert_return_code(chmod(run, 0755), 0);
	assert_return_code(symlink("a.txt", link), 0);
	assert_ok(fs_write(wide, "\xff\xfe" "1\0\n\0002\0\n", 10, false, &e), &e); /* UTF-16 */
	assert_ok(fs_write(bytes, "a\0b", 3, false, &e), &e);
	assert_ok(fs_write(large, many.p, many.len, false, &e), &e);
	repo_commit(repo, "new.txt", "x\n", NULL);
	struct gitx *g = repo_open(repo);
	tree_of(g, "HEAD~1", &from);
	tree_of(g, "HEAD", &to);
	assert_ok(gitx_added(g, &from, &to, 2000, list, &out, &e), &e);
	assert_string_equal(out.p, ".gitattributes+\na.txt 1,1 5,3\nb.bin+b\nlarge+ large\nlink+l=a.txt\nname.txt+\nnew.txt+\nrun+x\nwide 2,1=1\n2\n\n");
	str_clear(&out);
	assert_ok(gitx_added(g, &to, &to, 2000, list, &out, &e), &e);
	assert_string_equal(str_text(&out), "");
	assert_ok(gitx_added(g, &none, &from, 2000, list, &out, &e), &e);
	assert_non_null(strstr(out.p, "same.txt+\n"));
	struct oid missing;
	assert_true(oid_parse(&missing, "1234567890123456789012345678901234567890"));
	assert_int_equal(gitx_added(g, &from, &missing, 2000, list, &out, &e), -1);
	gitx_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_new_lines),     cmocka_unit_test(comments_allow),    cmocka_unit_test(private_keys),
		cmocka_unit_test(names_of_files),     cmocka_unit_test(open_to_the_world), cmocka_unit_test(files_that_are_made),
		cmocka_unit_test(binary_files),       cmocka_unit_test(it_can_be_left),    cmocka_unit_test(allow_files),
		cmocka_unit_test(prints),             cmocka_unit_test(values),            cmocka_unit_test(what_was_added),
		cmocka_unit_test(tokens_in_names),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
