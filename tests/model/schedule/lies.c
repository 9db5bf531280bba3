/* lies: what a schedule is told wrongly, and the rule that must catch it: that the judge is awake. */
#include "model.h"

#include <string.h>

#include "store/base/mem.h"

enum { N0 = 1, N1 = 2 };

static void forget_files(struct model_plan *p)
{
	memset(p->files, 0, sizeof p->files); /* overlaps() is always false */
}

static void forget_needs(struct model_plan *p)
{
	memset(p->needs, 0, sizeof p->needs);
}

static void invent_a_need(struct model_plan *p)
{
	p->needs[2] = N0;
}

static void one_slot_more(struct model_plan *p)
{
	p->slots++;
}

static void one_slot_less(struct model_plan *p)
{
	p->slots--;
}

static void one_retry_more(struct model_plan *p)
{
	p->retries++;
}

static void one_retry_less(struct model_plan *p)
{
	p->retries--;
}

static void forget_exclusive(struct model_plan *p)
{
	memset(p->exclusive, 0, sizeof p->exclusive);
}

static void all_exclusive(struct model_plan *p)
{
	memset(p->exclusive, true, sizeof p->exclusive);
}

static void forget_priority(struct model_plan *p)
{
	memset(p->priority, 0, sizeof p->priority);
}

static void never_halt(struct model_plan *p)
{
	p->halt = 0;
}

static void all_at_once(struct model_plan *p)
{
	p->sequential = false;
}

static void forget_slots(struct model_plan *p)
{
	memset(p->prefer, 0, sizeof p->prefer);
}

static void insist_on_slots(struct model_plan *p)
{
	memset(p->prefer, 1, sizeof p->prefer);
}

static void one_slot_for_both(struct model_plan *p)
{
	p->prefer[1] = 1;
}

static void forget_routed(struct model_plan *p)
{
	p->routed = 0;
}

static void forget_already(struct model_plan *p)
{
	p->already = 0;
}

static void forget_order(struct model_plan *p)
{
	memset(p->after, 0, sizeof p->after);
}

static void order_is_need(struct model_plan *p)
{
	memcpy(p->needs, p->after, sizeof p->needs);
	forget_order(p);
}

static void forget_claimed(struct model_plan *p)
{
	p->claimed = 0;
}

static void forget_agents(struct model_plan *p)
{
	memset(p->agent, 0, sizeof p->agent);
}

static void all_of_one_account(struct model_plan *p)
{
	memset(p->account, 0, sizeof p->account);
}

static void forget_fallback(struct model_plan *p)
{
	memset(p->fallback, 0, sizeof p->fallback);
}

static void forget_stays(struct model_plan *p)
{
	p->stays = 0;
}

static void another_fallback(struct model_plan *p)
{
	p->fallback[0] = 3;
}

static void never_ask(struct model_plan *p)
{
	p->closed = false;
}

const struct model_lie model_lies[] = {
	{forget_files, {.name = "files", .n = 3, .slots = 2, .files = {1, 2, 1}},
	 "two tasks that declare a common file are under way at once"},
	{forget_needs, {.name = "needs", .n = 3, .slots = 2, .needs = {0, 0, N1}},
	 "a task is past waiting before all that it waits for is there"},
	{invent_a_need, {.name = "a need", .n = 3, .slots = 2}, "a task waits for nothing"},
	{one_slot_more, {.name = "slots", .n = 3, .slots = 2}, "there is no such slot"},
	{one_slot_less, {.name = "slots", .n = 3, .slots = 2},
	 "a task may start and a slot is free, but it does not"},
	{one_retry_more, {.name = "retries", .n = 2, .slots = 1, .retries = 1},
	 "a task has more attempts than it is allowed"},
	{one_retry_less, {.name = "retries", .n = 2, .slots = 1, .retries = 1},
	 "a task goes from one state to another it may not go to"},
	{forget_exclusive, {.name = "exclusive", .n = 3, .slots = 2, .exclusive = {true}},
	 "an exclusive task does not run alone"},
	{all_exclusive, {.name = "exclusive", .n = 3, .slots = 2},
	 "a task may start and a slot is free, but it does not"},
	{forget_priority, {.name = "priority", .n = 3, .slots = 1, .priority = {0, 0, 1}},
	 "it is not this task's turn"},
	{never_halt, {.name = "halt", .n = 3, .slots = 1, .halt = 2},
	 "stopping, halted or ended is not as the events say"},
	{all_at_once, {.name = "sequential", .n = 3, .slots = 2, .sequential = true},
	 "more than one at a time"},
	{forget_slots, {.name = "slots", .n = 2, .slots = 2, .prefer = {2}},
	 "it is neither its own slot, nor where it was, nor the lowest free one"},
	{insist_on_slots, {.name = "slots", .n = 2, .slots = 2}, "a task may start and a slot is free, but it does not"},
	{one_slot_for_both, {.name = "slots", .n = 2, .slots = 2, .prefer = {1, 2}},
	 "a task may start and a slot is free, but it does not"},
	{forget_slots, {.name = "one slot for both", .n = 2, .slots = 1, .prefer = {1, 1}},
	 "a task begins before the former of its slot is merged"},
	{forget_routed, {.name = "routed", .n = 1, .slots = 1, .routed = N0}, "a task that had ended before the start goes on"},
	{forget_already, {.name = "already", .n = 2, .slots = 1, .already = N0, .needs = {0, N0}}, "a task that had ended before the start goes on"},
	{forget_order, {.name = "after", .n = 2, .slots = 2, .after = {0, N0}},
	 "a task is past waiting before all that it waits for is there"},
	{order_is_need, {.name = "after", .n = 2, .slots = 1, .after = {0, N0}},
	 "a task is skipped though nothing it needs ended badly"},
	{forget_claimed, {.name = "claimed", .n = 1, .slots = 1, .claimed = N0}, "a task that had ended before the start goes on"},
	{forget_files, {.name = "claimed", .n = 2, .slots = 1, .claimed = N0, .files = {1, 1}},
	 "a task is past waiting before all that it waits for is there"},
	{forget_agents, {.name = "limits", .n = 1, .slots = 1, .agent = {1}, .agents = 1, .accounts = 1, .limits = 1, .only_limits = true},
	 "another agent has a task than the first that may"},
	{all_of_one_account, {.name = "accounts", .n = 2, .slots = 2, .agent = {1, 2}, .agents = 2, .accounts = 2, .account = {0, 1}},
	 "a task may start and a slot is free, but it does not"},
	{forget_fallback, {.name = "fallback", .n = 1, .slots = 1, .agent = {1}, .agents = 2, .accounts = 2, .account = {0, 1}, .fallback = {2}},
	 "no event can come any more, and it is not the end"},
	{another_fallback, {.name = "fallback", .n = 1, .slots = 1, .agent = {1}, .agents = 3, .accounts = 3, .account = {0, 1, 2}, .fallback = {2}},
	 "another agent has a task than the first that may"},
	{forget_stays, {.name = "stays", .n = 3, .slots = 2, .agent = {1, 1}, .agents = 1, .accounts = 1, .stays = 1, .limits = 1,
	                .only_limits = true},
	 "it is not this task's turn"},
	{never_ask, {.name = "closed", .n = 2, .slots = 1, .closed = true},
	 "more tasks run than there are slots"},
};
const size_t model_lies_n = MEM_COUNT(model_lies);
