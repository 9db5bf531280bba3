/* rows: every record the store holds, declared once (see rec.h for what is made of a list). */
#ifndef BOSK_ROWS_H
#define BOSK_ROWS_H

#include "db.h"
#include "rec.h"

/* A living or dead session; the last thing removed when one is cleaned. Key: sid.
 * state: running | interrupted | stopped | limited | landing | done | failed (interface.md); "interrupted" is never
 * stored, it is what `running` and `landing` with a dead owner mean. */
#define MANIFEST_FIELDS(F)                                                                        \
	F(u64, pid) F(u64, start_ticks) F(str, boot_id) F(str, host)                              \
	F(u64, started_ms) F(u64, last_event_ms) F(u64, last_seq)                                 \
	F(str, state) F(str, queue) F(str, integration_branch)                                    \
	F(list, worktrees) /* path of worktree 1, 2, ...; recorded before they are made */        \
	F(list, held)      /* those that hold the only copy of somebody's work: never touched */  \
	F(str, final_gates)   /* of the final tip: pass | fail | ...; NULL = not run */              \
	F(str, final_said)    /* of the output of the first that is red (excerpt.h) */            \
	F(list, base_reds)    /* gates that are red on the base and excused: "name: fail (exit 1)" */ \
	F(str, final_reason)  F(str, chain) /* hash of the last result record */                  \
	F(flag, preflight_done) /* gates passed on the base, or were excused */                   \
	F(str, landed)        /* commit the target was brought to, NULL = not landed */           \
	F(list, notes)        /* what the report must say */                                      \
	/* A checkout of the user's that is used as worktree 1, and what its HEAD is to be again: a ref, or a commit. */ \
	F(str, borrowed) F(str, borrowed_head)                                                    \
	F(u64, last_event_boot_ms) /* clock_boot_ms, of boot_id: no jump of the wall clock ages a session */ \
	F(u64, first_ticks)   /* start time of its first owner since that boot: no stray is older */ \
	F(u64, cleaned_ms)    /* when its worktrees were removed as an orphan's; 0 = they were not */ \
	F(u64, leaving_ms)    /* since when it is being forgotten; 0 = it is not */               \
	/* Of the worktrees so many, from this one on, are those that the plan names (own.h). */  \
	F(u64, own_at) F(u64, own)                                                                \
	F(list, parents)      /* folders made for them, each before what is in it */               \
	F(list, hidden)       /* patterns in info/exclude, for those in the user's checkout */    \
	F(list, sprint)       /* bosk's own commits on the integration branch (sprint.h) */       \
	/* What its agents used, as they say themselves (msg_spent), and how many runs did not say what they cost. */ \
	F(u64, input) F(u64, cached) F(u64, output) F(u64, cost_micro) F(u64, runs) F(u64, unpriced) \
	F(str, waiting) F(u64, waiting_until_ms) /* nothing runs: for what, and until when; or why it stopped */ \
	F(u64, not_signed) F(str, not_signed_why) /* commits that were to be; why the first was not */ \
	F(list, landing)      /* while its state is "landing": how it is to be landed (land_ask.c); empty = as it began */ \
	F(str, not_landed)    /* why the last landing came to nothing; NULL = there was none, or it has landed since */ \
	/* A pull request (land_pr.h): the commit that the integration branch was pushed with, and the remote. */ \
	F(str, pushed) F(str, pushed_to)                                                          \
	F(str, pr_of) F(str, pr_url) /* the commit it was opened with; where it is, NULL = that was not said */ \
	F(str, pr_failed) /* why the last landing made none */

/* What a session was started with; never changes after. Key: sid. */
#define SESSION_FIELDS(F)                                                                         \
	F(str, queue) F(str, base) F(str, target) F(str, land) F(str, verify)                     \
	F(u64, jobs) F(flag, sequential) F(flag, preflight) F(flag, keep_worktrees)               \
	F(str, executor) F(list, excused) F(str, worktrees_dir) F(str, tip) /* where it began */  \
	F(str, target_at) /* where the target was then; NULL = not known: told by git alone, or by an older bosk */ \
	F(str, author) /* "Name <mail>" */                                                        \
	F(list, config) /* origin, text, origin, text ...: re-read by config_load_sources */      \
	F(list, git_config) /* programs that git may run (planted_list) */    \
	F(str, on_conflict) /* repair | park; NULL = repair */                                    \
	F(str, barrier) /* wave | none; NULL = as is usual for the kind of plan */                \
	F(str, agent)   /* of tasks that name none; NULL = none was given */                      \
	F(u64, max_time_ms) F(u64, budget_micro) /* nothing new past it; 0 = none; a resume may change them */                      \
	F(flag, full)   /* autonomy: its agents may do anything their user may */                 \
	F(flag, live)   /* it only looks whether all is ready, and starts nothing (doctor --live) */ \
	F(list, sign) F(u64, sign_timeout_ms) F(flag, sign_refuse) /* its commits are signed so (sign_read); none = not */

/* A stored plan. Key: queue id. `content` = seal_hash of the normalised plan. */
#define QUEUE_FIELDS(F)                                                                           \
	F(str, kind) F(str, content) F(u64, created_ms) F(u64, tasks) F(str, source)              \
	F(str, session) /* the session that works or last worked on it */                         \
	F(list, sessions)                                                                         \
	/* Of a queue of solutions (kind "queue", formats.md S2); NULL or 0 elsewhere. */         \
	F(str, status)     /* active | completed | failed | archived */                           \
	F(str, name)                                                                              \
	F(u64, rank)       /* its priority in index.json + 1, lower first; 0 = it has none */     \
	F(str, folder)     /* absolute: where its file lay; NULL = it was read from stdin */      \
	F(str, file)       /* name of that file */                                                \
	F(str, raw)        /* the file's text with an empty list for its items */                 \
	F(str, items_key)  /* the key of that list: solutions | tasks | items */                  \
	F(str, index_raw)  /* its entry in index.json; NULL = it has none */                      \
	F(str, groups)     /* JSON: [{"id", "type": "parallel|sequential", "members": [item ids]}] */ \
	F(str, conflicts)  /* JSON: [{"type", "file", "members": [item ids], "order": [...], "severity", "resolved"}] */ \
	F(list, issue_ids) F(u64, updated_ms)

/* A task as the plan defines it. Key: queue/ordinal/d, ordinal from 000001. */
#define TASK_DEF_FIELDS(F)                                                                        \
	F(str, id) F(str, title) F(list, needs) F(list, files)                                    \
	F(str, prompt) /* NULL when `run` is set */ F(str, run)                                   \
	F(str, agent) F(str, model)                                                               \
	F(list, gates) F(flag, gates_given) /* names; given and empty = no gates */               \
	F(u64, timeout_ms) /* 0 = the configured one */                                           \
	F(u64, priority)   /* higher first; 0 by default */                                       \
	F(list, env)       /* KEY=value */                                                        \
	F(flag, exclusive) F(flag, allow_empty) F(str, branch) /* NULL = made from the pattern */ \
	/* Of plans of other tools (formats.md); NULL, 0 or empty elsewhere. */                   \
	F(u64, wave)       /* of a segments plan, from 1 */                                       \
	F(str, persona) F(list, skills) F(str, domain)                                            \
	F(str, preamble)   /* what its prompt begins with: persona, then skills */                \
	F(str, model_agent) F(str, model_name) /* what `models` makes of `model` */               \
	F(str, worktree)   /* path of a worktree of its own; NULL = one of the pool */            \
	F(str, story)      /* a story's file, from the repository's top */                        \
	F(str, story_hash) /* seal_hash of its bytes as they were planned */                      \
	F(str, category)   /* CLEAN | CLOSEABLE | NEEDS_PIPELINE */                               \
	F(u64, total) F(u64, checked) /* boxes that count: top level of its Tasks sections */     \
	F(u64, seed_total) F(u64, seed_checked) /* as the original counts them */                 \
	F(u64, steps) F(u64, steps_checked) /* boxes inside of those */                           \
	F(list, human)     /* its unticked boxes that only a human can tick */                    \
	F(str, routed)     /* why it is never run; NULL = it is */ \
	F(str, sprint)     /* the file with its state, where that lies neither beside nor above it */ \
	F(u64, human_other) /* of `human`: steps, and boxes of other sections */ \
	/* Of a solution (formats.md S2). */                                                      \
	F(str, issue) F(str, solution) /* their ids */                                            \
	F(list, after)       /* begins once these have ended, in whatever way: they share files with it */ \
	F(list, in_turn)     /* the same, as its group is a sequential one */                     \
	F(str, subject)      /* of its commit: "type(scope): text" */                             \
	F(list, step_ids)    /* its steps, each after those that it depends on */                 \
	F(list, step_titles) /* beside them: "title: action" */                                   \
	F(list, step_texts)  /* beside them: what an agent is told of this step */                \
	F(list, step_gates)  /* step, gate's name, command, step, name, command, ... */           \
	F(list, claims)      /* criteria in prose: step, text, ...; nobody can check them */      \
	F(str, missing)      /* why it cannot be run: its solution is not there, ... */           \
	/* Its prompt and step_texts are not kept, but made of its solution again when it is its turn (queue_texts). */ \
	F(str, texts)        /* seal_hash of them; NULL = they are kept */                        \
	F(u64, text_bytes)   /* of all of them */

/* Where a task stands. Key: queue/ordinal/s. state: names of enum task_state. */
#define TASK_FIELDS(F)                                                                            \
	F(str, state) F(str, session) F(u64, attempts) F(u64, retries) F(str, branch)             \
	F(str, base) F(str, commit) F(str, merge) F(str, reason) F(u64, worktree)                 \
	F(u64, started_ms) F(u64, ended_ms) F(u64, ran_ms)                                        \
	F(list, gates) /* name=verdict */                                                         \
	F(list, flaky) /* of these, name=passed on run 2 of 3 */                                  \
	/* The gate that was red last, if its last run ended with one: its verdict, why, and of its output (excerpt.h). */ \
	F(str, red) F(str, red_verdict) F(str, red_why) F(str, red_said)                          \
	F(str, log) F(str, result_hash) F(str, kept) /* ref or branch of unfinished work */       \
	F(list, conflicts) /* paths */ F(u64, seq)                                                \
	F(flag, left) /* its worktree may hold work of it that is saved nowhere else */           \
	/* Sent back from its merge: the commit that is to be repaired on the tip, and its base. */ \
	F(str, redo) F(str, redo_base)                                                            \
	F(u64, repairs) /* how often because of a conflict */                                     \
	F(u64, reds) /* how often because gates were red on the merged tree */                    \
	F(str, feedback) /* what those gates said */                                              \
	F(str, rescue) /* commit that was saved of its worktree, to be put back when it goes on */ \
	/* Of a story, as its last result says: */                                                \
	F(flag, partial) /* integrated, but boxes are open that no human has to tick */           \
	F(u64, boxes) F(u64, boxes_already) F(u64, boxes_closed) /* all; ticked before; by bosk */ \
	F(list, questions) /* task, question, task, question ... */                               \
	F(list, blocked)   /* texts of these boxes */                                             \
	F(str, story_hash) /* of the story's bytes after it */                                    \
	F(str, answers)    /* to its questions, for the prompt */                                 \
	F(list, earlier)   /* merges of it when it was closed in part, before it was done again */ \
	/* Of any task: merges of it that were taken out again, and beside them the commits that did it (revert.h). */ \
	F(list, undone) F(list, reverts)                                                          \
	F(str, pushed) /* commit that its branch was pushed with */                               \
	F(str, push_failed) /* why it was not */                                                  \
	F(list, human) /* of a story: what its agent says that a human is to look at */ \
	/* Of a solution: */                                                                      \
	F(str, step)   /* the one that failed */                                                  \
	F(str, told)   /* the JSON object that its agent gave as its result */                    \
	F(str, at_step) /* the one that its agent did last, where each is done alone */           \
	F(flag, told_goes_on) /* `told` is of the steps before that one */                        \
	/* Of an agent: */                                                                        \
	F(str, worker_agent) /* which one has it */                                               \
	F(str, conversation) /* id of its conversation, known before the agent begins or from its first line */ \
	/* What was told of this one as a whole, all its runs together, and is counted above: the next run tells more than that. */ \
	F(str, counted_of) F(u64, counted_input) F(u64, counted_cached) F(u64, counted_output) F(u64, counted_cost) \
	F(u64, input) F(u64, cached) F(u64, output) /* tokens of all runs */                      \
	F(u64, cost_micro)   /* millionths of a US dollar, of all runs that said what they cost */ \
	F(u64, runs) F(u64, unpriced) /* runs of agents; those that did not say what they cost */  \
	F(u64, until_ms)     /* limited: until then, wall clock */                                \
	F(u64, limits)       /* how often it was limited: these attempts are not counted */          \
	F(str, pr_of) F(str, pr_url) F(str, pr_failed) /* a pull request of its own, as in the manifest */

/* An account that agents share. Key: its name. */
#define ACCOUNT_FIELDS(F)                                                                         \
	F(str, name) F(str, state) /* limited | auth; NULL = nothing is known against it */       \
	F(u64, until_ms)     /* wall clock: nobody asks before; 0 = none */                       \
	F(u64, since_ms) F(str, why) F(str, agent)                                                \
	F(u64, misses)       /* limits in a row without a stated time: the wait grows */

/* One change of state. Key: sid/16 hex digits. The rows follow from the events of their session: whatever
 * changes a task's state, commit, merge or number of attempts, or the tip, is told here (replay.h). */
#define EVENT_FIELDS(F)                                                                           \
	F(u64, time_ms) F(str, kind) F(str, task) F(u64, ordinal) F(u64, slot) F(u64, attempt)    \
	F(str, outcome) F(str, reason) F(str, commit) F(str, old_tip) F(str, new_tip)             \
	F(list, gates) F(str, note) F(str, merge)

/* What is about to be done to refs: finished or withdrawn after a crash. Key: sid/intent for an
 * integration, sid/land for a landing, sid/pr for a pull request. kind: integrate | sprint | revert | land | pr-push |
 * pr-open. Of a revert `commits` are the merges that are taken out, and `merges` the commits that do it. */
#define INTENT_FIELDS(F)                                                                          \
	F(str, kind) F(list, tasks) F(list, commits) F(list, merges) F(list, hashes)              \
	F(str, ref) F(str, old_tip) F(str, new_tip) F(str, tree_path) /* checked-out tree */ \
	F(str, boot_id) /* of the machine when it was recorded */

/* What an attempt came to; hashed and chained per session. `hash` covers the record without it.
 * Key: queue/ordinal/attempt/16 digits of the hash (an attempt lost at its start has no number of its own).
 * outcome "gone": stands for records that were changed or removed, found by verify. */
#define RESULT_FIELDS(F)                                                                          \
	F(str, session) F(str, queue) F(str, task) F(u64, ordinal) F(u64, attempt)                \
	F(str, outcome) F(str, reason) F(str, base) F(str, commit) F(str, tree)                   \
	F(list, gates) F(u64, ran_ms) F(u64, time_ms) F(str, prev) F(str, hash)

/* Another process asks a session: kind: stop | stop-now. Key: sid/random. */
#define REQUEST_FIELDS(F) F(str, kind) F(u64, time_ms) F(u64, pid)

/* What a process of a session holds, or waits for, of what all sessions share (claim.h). Key: sid/kind. */
#define CLAIM_FIELDS(F)                                                                           \
	F(u64, held) F(u64, wanted) F(u64, since_ms) /* it waits */                                \
	F(u64, capacity) /* of all sessions, as this one sees it; 0 = no limit */                 \
	F(u64, pid) F(u64, start_ticks) F(str, boot_id)                                           \
	F(str, holder) /* the session that has it, where that is not in the store */

/* An item of a queue of solutions as its file has it. Key: queue/ordinal/d; never changes after. */
#define ITEM_DEF_FIELDS(F)                                                                        \
	F(str, id) F(str, issue) F(str, solution)                                                 \
	F(u64, order)        /* execution_order */                                                \
	F(str, group)        /* NULL = none */                                                    \
	F(str, priority)     /* semantic_priority, as it is written; NULL = not given */          \
	F(u64, tasks)        /* task_count, at least 1 */                                         \
	F(str, executor)     /* execution_hints.executor or "", as it is written */               \
	F(u64, minutes)      /* estimated, of all its tasks */                                    \
	F(str, raw)          /* its JSON text, with the blanks around it */                       \
	F(str, solution_raw) /* that of its solution; NULL = there is none */                     \
	F(u64, issue_at)     /* ordinal of its issue_row; 0 = none */                             \
	F(u64, place)        /* in its file, from 1 */

/* Of an item what the whole queue has in memory at once: made from the definitions when it was added, never changes.
 * Key: queue+ordinal. The edges are ordinals of other items, "1 5 12". */
#define ITEM_LINK_FIELDS(F)                                                                       \
	F(str, id) F(str, issue) F(str, solution) F(str, priority) F(u64, order) F(u64, tasks)    \
	F(str, group) F(list, files) F(str, missing)                                              \
	F(str, needs) F(str, after) F(str, turn)

/* What happened to an item beside its task's row, which has its state. Key: queue/ordinal/s. Texts are JSON. */
#define ITEM_FIELDS(F)                                                                            \
	F(u64, queued_ms) F(u64, started_ms) F(u64, completed_ms) /* 0 = not, or as its raw text says */ \
	F(str, result) F(str, failure)                                                            \
	F(list, history)  /* failures before, oldest first */                                     \
	F(flag, changed)  /* since it was added: else its raw text is true */                     \
	/* An outside executor works on it: who called bosk next. token NULL = nobody does. */    \
	F(str, token) F(u64, claimed_ms)                                                          \
	F(u64, pid) F(u64, start_ticks) F(str, boot_id) F(str, host)                              \
	F(u64, claims)    /* how often it was given out: the first time, again to who had it, and to others */ \
	F(list, shells)   /* shells of which that process is a copy, "pid:ticks", the nearest first */ \
	F(u64, claimed_boot_ms) /* clock_boot_ms, of boot_id */

/* An issue that items of a queue belong to. Key: queue/ordinal. */
#define ISSUE_FIELDS(F)                                                                           \
	F(str, id) F(str, raw) /* its JSON text, one line; NULL = no file has it */               \
	F(str, status)         /* changed by what became of its items; NULL = as in raw */        \
	F(u64, updated_ms) F(u64, completed_ms)                                                   \
	F(list, feedback)      /* JSON texts, to be added to its own */

REC_DECLARE(manifest_row, MANIFEST_FIELDS)
REC_DECLARE(session_row, SESSION_FIELDS)
REC_DECLARE(queue_row, QUEUE_FIELDS)
REC_DECLARE(task_def, TASK_DEF_FIELDS)
REC_DECLARE(task_row, TASK_FIELDS)
REC_DECLARE(event_row, EVENT_FIELDS)
REC_DECLARE(intent_row, INTENT_FIELDS)
REC_DECLARE(result_row, RESULT_FIELDS)
REC_DECLARE(request_row, REQUEST_FIELDS)
REC_DECLARE(claim_row, CLAIM_FIELDS)
REC_DECLARE(account_row, ACCOUNT_FIELDS)
REC_DECLARE(item_def, ITEM_DEF_FIELDS)
REC_DECLARE(item_link, ITEM_LINK_FIELDS)
REC_DECLARE(item_row, ITEM_FIELDS)
REC_DECLARE(issue_row, ISSUE_FIELDS)

/* db_batch_put of a record. */
void rows_put(struct db_batch *b, enum db_table table, const char *key, const struct rec *r, const void *row);

#endif
