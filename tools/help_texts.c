/* help_texts: examples, exit codes and related commands, for the help and the manual page. */
#include <stddef.h>

#include "help.h"

const struct help_text help_texts[] = {
	{"init",
	 "bosk init --print\n",
	 "0124", "written, or shown", "you said no, or there is a bosk.yaml already",
	 "run doctor"},
	{"run",
	 "bosk run plan.yaml --jobs 3 --executor 'my-agent --batch'\n"
	 "bosk run plan.yaml --base v1.2 --target release --land merge\n"
	 "bosk run night.yaml --json >events.jsonl\n",
	 "012345s", NULL, NULL,
	 "plan status logs stop resume report land"},
	{"plan",
	 "bosk plan plan.yaml\n"
	 "bosk plan plan.yaml --json | jq '.waves'\n",
	 "024", "the plan can be run", NULL,
	 "run"},
	{"resume",
	 "bosk resume\n"
	 "bosk resume a1b2c3 --jobs 5\n",
	 "012345s", NULL, NULL,
	 "status stop retry run"},
	{"status",
	 "bosk status\n"
	 "bosk status --json | jq -r '.sessions[].state'\n",
	 "024", "shown", NULL,
	 "logs report doctor"},
	{"logs",
	 "bosk logs -f parse-dates\n"
	 "bosk logs parse-dates --attempt 1 --gate tests\n",
	 "0124", "shown", "there is no such log",
	 "status diff path"},
	{"diff",
	 "bosk diff parse-dates\n"
	 "bosk diff parse-dates --stat\n",
	 "0124", "shown", "the task has changed nothing yet",
	 "path logs"},
	{"path",
	 "cd \"$(bosk path parse-dates)\"\n",
	 "0124", "printed", "the task has no worktree now",
	 "diff status"},
	{"stop",
	 "bosk stop\n"
	 "bosk stop a1b2c3 --now\n",
	 "024", "the session was asked to stop", NULL,
	 "resume status"},
	{"retry",
	 "bosk retry parse-dates\n"
	 "bosk retry --run\n"
	 "bosk retry --answers answers.yaml --run\n"
	 "bosk retry --queue QUE-20260101000000 S-1\n",
	 "012345s", NULL, NULL,
	 "report questions resume"},
	{"questions",
	 "bosk questions >answers.yaml\n",
	 "024", "shown", NULL,
	 "retry report"},
	{"land",
	 "bosk land --merge\n"
	 "bosk land --pr --draft\n",
	 "01245", "landed, or kept as asked", "it could not land as asked: nothing was changed",
	 "report revert diff"},
	{"revert",
	 "bosk revert parse-dates\n",
	 "01245", "reverted", "the revert conflicts: nothing was changed",
	 "diff land"},
	{"report",
	 "bosk report\n"
	 "bosk report --json | jq .\n"
	 "bosk report --yaml >result.yaml\n",
	 "024", "shown", NULL,
	 "status land retry"},
	{"gc",
	 "bosk gc --dry-run\n"
	 "bosk gc --max-age 0s --kill\n",
	 "0124", "cleaned, or nothing to do", "something could not be saved or removed",
	 "rescue doctor"},
	{"rescue",
	 "bosk rescue list\n"
	 "bosk rescue restore a1b2c3/parse-dates/1\n",
	 "0124", "done", "there is nothing of that name",
	 "gc diff"},
	{"verify",
	 "bosk verify\n",
	 "01245", "everything agrees", "something does not",
	 "doctor"},
	{"doctor",
	 "bosk doctor\n",
	 "024", "all is well", NULL,
	 "verify gc"},
	{"queue",
	 "bosk queue add .workflow/issues\n"
	 "bosk queue dag | jq -r '.parallel_batches[0][]'\n"
	 "bosk queue export --to .workflow/issues\n",
	 "01245", "done", "a file was changed meanwhile: it is as it was",
	 "run next"},
	{"next",
	 "bosk next | jq -r '.item_id, .claim'\n"
	 "bosk next QUE-20260101000000:S-2\n",
	 "01245", "an item was claimed, or all are completed", "nothing is ready: what each item waits for is said",
	 "detail done queue"},
	{"detail",
	 "bosk detail S-1 | jq .solution.tasks\n",
	 "0124", "shown", "the item has no solution",
	 "next done"},
	{"done",
	 "bosk done S-1 --result-file result.json\n"
	 "bosk done S-1 --claim b0975cd656478f31 --fail --reason 'T2: tests are red'\n",
	 "01245", "recorded", "not recorded: the item has ended before",
	 "next detail"},
	{"version",
	 "bosk version\n",
	 "0", "printed", NULL,
	 "doctor"},
	{"help",
	 "bosk help\n"
	 "bosk help run\n",
	 "02", "printed", NULL,
	 "version"},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};
