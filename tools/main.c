/* bosk: the program. Everything it does is a command in cmd_*.c; this is the list of them. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "complete.h"
#include "help.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/site.h"
#include "worker/secret.h"
#include "worker/worker.h"

const struct cmd *const cmd_list[] = {
	&cmd_init_entry,  &cmd_run_entry,    &cmd_plan_entry, &cmd_resume_entry, &cmd_status_entry,
	&cmd_logs_entry,  &cmd_diff_entry,   &cmd_path_entry, &cmd_stop_entry,   &cmd_retry_entry,
	&cmd_questions_entry, &cmd_land_entry,   &cmd_revert_entry, &cmd_report_entry, &cmd_gc_entry,
	&cmd_rescue_entry,    &cmd_verify_entry, &cmd_doctor_entry, &cmd_queue_entry,    &cmd_next_entry,
	&cmd_detail_entry, &cmd_done_entry,  &cmd_version_entry, &cmd_help_entry,
};
const size_t cmd_count = MEM_COUNT(cmd_list);

int main(int argc, char **argv)
{
	struct cmd_line line;

	setlocale(LC_CTYPE, "");
	secret_init(NULL);
	signal(SIGXFSZ, SIG_IGN); /* a file-size limit is an error like a full disk, not a death */
	/* Hidden: the process of one worktree, started by the supervisor. */
	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return worker_main(argc - 1, argv + 1);
	/* Hidden: reads all of a store, where it may die of it. */
	if (argc == 3 && strcmp(argv[1], "probe") == 0)
		return site_probe(argv[2]);
	/* Hidden: for the shells' completion, and for the build of the manual page. */
	if (argc > 1 && strcmp(argv[1], "complete") == 0)
		return complete_main(argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "manual") == 0) {
		help_manual();
		return fflush(stdout) == 0 ? 0 : 4;
	}
	int code = cmd_parse(&line, argc, argv);
	if (code == 0 && cmd_flag(&line, "help"))
		help_command(line.cmd);
	else if (code == 0)
		code = line.cmd->run(&line);
	cmd_line_fini(&line);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0) {
		log_error("cannot write to standard output");
		code = 4;
	}
	return code;
}
