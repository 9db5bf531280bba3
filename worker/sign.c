/* sign: git commit-tree -S with the settings of the session's start. */
#include "sign.h"

#include <string.h>
#include <strings.h>

#include "exec.h"
#include "job.h"
#include "msg.h"
#include "proc.h"
#include "secret.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

enum { WHY_MAX = 200, STRAYS_MS = 2000 };

/* ---- the settings ---- */

#define KEYS "^(commit\\.gpgsign|user\\.signingkey|gpg\\.(format|program|(openpgp|x509|ssh)\\.program|ssh\\.defaultkeycommand))$"

static bool means_yes(const char *value)
{
	static const char *const no[] = {"", "0", "false", "no", "off"};

	for (size_t i = 0; i < MEM_COUNT(no); i++)
		if (strcasecmp(value, no[i]) == 0)
			return false;
	return true;
}

/* The last of them counts; NULL = none. */
static const char *value_of(const struct strv *settings, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = settings->n; i-- > 0;)
		if (strncmp(settings->v[i], key, n) == 0 && settings->v[i][n] == '=')
			return settings->v[i] + n + 1;
	return NULL;
}

int sign_read(struct strv *out, const struct strv *known, const char *top, struct err *e)
{
	AUTO_STR struct str text = {0};
	struct git g = {.cwd = top};
	bool asked = false;
	int status;

	for (size_t i = 0; i < known->n && !asked; i++)
		asked = str_starts(known->v[i], "commit.gpgsign=");
	if (!asked)
		return 0;
	if (git_try(&g, &status, &text, NULL, GIT_ARGS("config", "--null", "--get-regexp", KEYS), e) != 0)
		return err_wrap(e, "cannot tell whether commits are to be signed");
	for (size_t i = 0; status == 0 && i < text.len;) {
		char *key = text.p + i, *value = strchr(key, '\n');
		i += strlen(key) + 1;
		if (value)
			*value++ = '\0';
		if (value || str_eq(key, "commit.gpgsign")) /* no value: true */
			strv_addf(out, "%s=%s", key, value ? value : "true");
	}
	const char *on = value_of(out, "commit.gpgsign");
	if (!on || !means_yes(on))
		strv_fini(out);
	return 0;
}

const char *sign_format(const struct strv *settings)
{
	const char *format = value_of(settings, "gpg.format");

	return format ? format : "openpgp";
}

/* gpg.program is another name of gpg.openpgp.program: the later of the two counts. */
const char *sign_program(const struct strv *settings)
{
	const char *format = sign_format(settings), *found = NULL;
	AUTO_FREE char *key = mem_printf("gpg.%s.program=", format);
	bool openpgp = strcmp(format, "openpgp") == 0;

	for (size_t i = 0; i < settings->n; i++)
		if (str_starts(settings->v[i], key) || (openpgp && str_starts(settings->v[i], "gpg.program=")))
			found = strchr(settings->v[i], '=') + 1;
	if (found)
		return found;
	return openpgp ? "gpg" : strcmp(format, "ssh") == 0 ? "ssh-keygen" : "gpgsm";
}

const char *sign_key(const struct strv *settings)
{
	return value_of(settings, "user.signingkey");
}

/* ---- the command ---- */

/* Nobody is there to answer on a terminal; what asks in a window of the user's may. */
static void ask_nobody(struct strv *env)
{
	exec_env_unset(env, "GPG_TTY");
	exec_env_set(env, "SSH_ASKPASS_REQUIRE", "force");
	if (!getenv("SSH_ASKPASS"))
		exec_env_set(env, "SSH_ASKPASS", "/bin/false");
}

/* "Name <mail>" for git, which takes it apart again. */
static int set_person(struct strv *env, const char *author, struct err *e)
{
	const char *open = strchr(author, '<'), *close = open ? strchr(open, '>') : NULL;

	if (!close || open < author + 2)
		return err_set(e, ERR_USAGE, "'%s' is not an author of the form: Name <mail>", author);
	AUTO_FREE char *name = mem_strndup(author, (size_t)(open - 1 - author));
	AUTO_FREE char *mail = mem_strndup(open + 1, (size_t)(close - open - 1));
	exec_env_set(env, "GIT_AUTHOR_NAME", name);
	exec_env_set(env, "GIT_AUTHOR_EMAIL", mail);
	exec_env_set(env, "GIT_COMMITTER_NAME", name);
	exec_env_set(env, "GIT_COMMITTER_EMAIL", mail);
	return 0;
}

/* Afresh each time: what somebody put there meanwhile is gone. */
static int make_folder(const struct sign *s, const char *message, struct err *e)
{
	static const char config[] = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n";
	static const char head[] = "ref: refs/heads/none\n";
	AUTO_FREE char *objects = mem_printf("%s/git/objects", s->dir), *refs = mem_printf("%s/git/refs", s->dir);
	AUTO_FREE char *config_path = mem_printf("%s/git/config", s->dir), *head_path = mem_printf("%s/git/HEAD", s->dir);
	AUTO_FREE char *text_path = mem_printf("%s/message", s->dir);

	if (fs_remove_tree(s->dir, e) != 0 || fs_mkdirs(objects, e) != 0 || fs_mkdirs(refs, e) != 0 ||
	    fs_write(config_path, config, strlen(config), false, e) != 0 ||
	    fs_write(head_path, head, strlen(head), false, e) != 0 ||
	    fs_write(text_path, message, strlen(message), false, e) != 0)
		return err_wrap(e, "cannot make the folder for a signature");
	return 0;
}

static int make_command(struct sign *s, const struct sign_how *how, const struct sign_text *text, struct err *e)
{
	AUTO_FREE char *git_dir = mem_printf("%s/git", s->dir), *message = mem_printf("%s/message", s->dir);
	AUTO_FREE char *objects = mem_printf("%s/objects", how->common_dir);
	struct git g = {.cwd = how->top, .extra = how->settings};

	git_argv(&s->argv, &g, GIT_ARGS("commit-tree", "-S", "-F", message));
	for (size_t i = 0; i < text->n_parents; i++) {
		strv_add(&s->argv, "-p");
		strv_add(&s->argv, text->parents[i].hex);
	}
	strv_add(&s->argv, text->tree->hex);
	if (git_env(&s->env, &g, e) != 0 || set_person(&s->env, text->author, e) != 0)
		return -1;
	ask_nobody(&s->env);
	exec_env_set(&s->env, "GIT_DIR", git_dir);
	exec_env_set(&s->env, "GIT_OBJECT_DIRECTORY", objects);
	exec_env_set(&s->env, "GIT_CONFIG_NOSYSTEM", "1");
	exec_env_set(&s->env, "GIT_CONFIG_GLOBAL", "/dev/null");
	if (how->sid)
		proc_put_mark(&s->env, how->sid, how->worktree);
	/* gpg looks for a key by the author's name, in the letters of the locale. */
	exec_env_set(&s->env, "LC_ALL", "C.UTF-8");
	/* git leaves a copy of the commit there when it is killed. Not for the others: their agents stay. */
	if (strcmp(sign_format(how->settings), "ssh") == 0)
		exec_env_set(&s->env, "TMPDIR", s->dir);
	return 0;
}

int sign_begin(struct sign *s, const struct sign_how *how, const struct sign_text *text, struct err *e)
{
	AUTO_FREE char *clean = secret_hidden(text->message); /* promise E7 */

	*s = (struct sign){.dir = mem_printf("%s/tmp/sign-%s", how->state_dir, how->name)};
	if (make_folder(s, clean, e) == 0 && make_command(s, how, text, e) == 0)
		return 0;
	sign_fini(s);
	return -1;
}

void sign_fini(struct sign *s)
{
	struct err ignored = {0};

	if (s->dir)
		fs_remove_tree(s->dir, &ignored);
	free(s->dir);
	strv_fini(&s->argv);
	strv_fini(&s->env);
	*s = (struct sign){0};
}

/* ---- what came of it ---- */

/* Was it git that lacked something? A signer may lack the same words, and what it has no room in is its own. */
static bool git_failed(const char *trouble)
{
	return strstr(trouble, "cannot fork") || (strstr(trouble, "unable to ") && !strstr(trouble, "failed to sign"));
}

/* git's own words around what the signer says, and lines that are for programs. */
static bool is_frame(const char *line, size_t n)
{
	static const char *const frames[] = {"[GNUPG:]", "error: gpg failed to sign", "fatal: failed to write commit",
	                                     "hint:", "Signing file "};

	for (size_t i = 0; i < MEM_COUNT(frames); i++)
		if (strncmp(line, frames[i], strlen(frames[i])) == 0)
			return true;
	return strspn(line, " \t\r") >= n;
}

/* The last line that says something. */
static void add_said(struct str *out, const char *text)
{
	const char *found = NULL;
	AUTO_STR struct str clean = {0};

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!is_frame(p, strcspn(p, "\n")))
			found = p;
	if (!found)
		return;
	str_add_printable(&clean, found, strcspn(found, "\n"), false);
	secret_hide(&clean);
	msg_clip_text(clean.p, WHY_MAX);
	str_addf(out, ": %s", str_text(&clean));
}

int sign_end(struct sign *s, struct gitx *g, const struct sign_how *how, const struct oid *tree, int status, bool late,
             const char *said, const char *trouble, struct oid *out, struct sign_result *r, struct err *e)
{
	const char *program = sign_program(how->settings), *slash = strrchr(program, '/');
	AUTO_FREE char *word = mem_strndup(said, strcspn(said, "\n"));

	*r = (struct sign_result){.late = late};
	if (!late && status == 0 && oid_parse(out, word)) {
		r->made = true;
		if (gitx_commit_adopt(g, out, tree, e) != 0)
			return err_wrap(e, "cannot take the signed commit");
		FAILPOINT("sign.written");
		return 0;
	}
	if (!late && git_failed(trouble) && git_said_kind(trouble) != ERR_ENV)
		return err_set(e, git_said_kind(trouble), "cannot write a signed commit: %.300s", trouble);
	s->tries++;
	AUTO_STR struct str name = {0}, span = {0};
	str_add_printable(&name, slash ? slash + 1 : program, strlen(slash ? slash + 1 : program), false);
	clock_add_duration(&span, how->timeout_ms);
	if (late) {
		str_addf(&r->why, "%s did not answer within %s", str_text(&name), str_text(&span));
	} else {
		str_addf(&r->why, "%s failed", str_text(&name));
		add_said(&r->why, trouble);
	}
	return 0;
}

static int run_once(struct sign *s, struct gitx *g, const struct sign_how *how, const struct git *watch,
                    const struct sign_text *text, struct oid *out, struct sign_result *r, struct err *e)
{
	AUTO_STR struct str said = {0}, trouble = {0};
	struct job_result result;
	struct job job = {
		.argv = (const char *const *)s->argv.v,
		.env = s->env.v,
		.timeout_ms = how->timeout_ms,
		.out = &said,
		.err = &trouble,
		.watch_fd = watch && watch->watch ? watch->watch_fd : -1,
		.watch = watch ? watch->watch : NULL,
		.ctx = watch ? watch->ctx : NULL,
	};

	if (job_run(&job, &result, e) != 0)
		return err_wrap(e, "cannot run git commit-tree");
	if (result.end == JOB_STOPPED)
		return err_set(e, ERR_GONE, "signing was stopped");
	bool late = result.end == JOB_TIMEOUT;
	if (late)
		proc_end_children(NULL, 0, STRAYS_MS); /* what had left its group */
	return sign_end(s, g, how, text->tree, result.end == JOB_EXITED ? result.status : -1, late, str_text(&said),
	                str_text(&trouble), out, r, e);
}

int sign_commit(struct gitx *g, const struct sign_how *how, const struct git *watch, const struct sign_text *text,
                struct oid *out, struct sign_result *r, struct err *e)
{
	struct sign s;
	int rc;

	*r = (struct sign_result){0};
	if (sign_begin(&s, how, text, e) != 0)
		return -1;
	do {
		str_fini(&r->why);
		rc = run_once(&s, g, how, watch, text, out, r, e);
	} while (rc == 0 && !r->made && !r->late && s.tries < SIGN_TRIES);
	sign_fini(&s);
	return rc;
}
