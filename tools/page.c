/* page: git's output, line by line when it goes to a terminal. */
#include "page.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "store/base/mem.h"
#include "supervisor/view_out.h"
#include "worker/exec.h"

/* Lines of a diff to the terminal; takes the descriptor over. */
static void print_lines(int fd)
{
	static const struct {
		char first;
		const char *color;
	} colors[] = {{'+', "32"}, {'-', "31"}, {'@', "36"}};
	bool plain = !view_out_color(STDOUT_FILENO);
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;

	for (ssize_t n; in && (n = getline(&line, &room, in)) > 0;) {
		const char *color = NULL;
		for (size_t i = 0; i < MEM_COUNT(colors) && !plain; i++)
			if (line[0] == colors[i].first)
				color = colors[i].color;
		AUTO_STR struct str text = {0};
		n -= line[n - 1] == '\n';
		str_addn(&text, line, (size_t)n);
		if (color)
			printf("\033[%sm", color);
		cmd_print(&text);
		printf("%s\n", color ? "\033[m" : "");
	}
	free(line);
	if (in)
		fclose(in);
	else
		close(fd);
}

int page_git(const struct git *g, const char *const *args, const char *index)
{
	AUTO_STRV struct strv argv = {0}, env = {0};
	int through[2] = {-1, STDOUT_FILENO}, status = 0;
	struct err e = {0};
	pid_t pid;

	git_argv(&argv, g, args);
	if (git_env(&env, g, &e) != 0)
		return cmd_fail(&e);
	if (index)
		exec_env_set(&env, "GIT_INDEX_FILE", index);
	/* A terminal gets what git says without what would drive it. */
	bool terminal = isatty(STDOUT_FILENO) && pipe2(through, O_CLOEXEC) == 0;
	struct exec_spec spec = {.argv = (const char *const *)argv.v,
	                         .env = env.v,
	                         .in = -1,
	                         .out = through[1],
	                         .err = 2};
	int rc = exec_spawn(&pid, &spec, &e);
	if (terminal) {
		close(through[1]);
		print_lines(through[0]);
	}
	if (rc != 0)
		return cmd_fail(&e);
	if (waitpid(pid, &status, 0) != pid)
		return 4;
	return (WIFEXITED(status) ? WEXITSTATUS(status) != 0 : WTERMSIG(status) != SIGPIPE) ? 4 : 0;
}
