/* queue_link: the small form of an item, which is what a whole queue is loaded from. */
#include <string.h>

#include "queue.h"
#include "store/base/mem.h"
#include "store/seal.h"

static size_t place(const struct queue_names *names, const char *id)
{
	for (size_t at = seal_slot(id, strlen(id)) & names->mask;; at = (at + 1) & names->mask) {
		uint32_t ordinal = names->slots[at];
		if (!ordinal || strcmp(names->defs[ordinal - 1].id, id) == 0)
			return at;
	}
}

void queue_names_init(struct queue_names *out, const struct task_def *defs, size_t n)
{
	size_t room = 16;

	while (room < 2 * n)
		room *= 2;
	*out = (struct queue_names){defs, mem_array(room, sizeof *out->slots), room - 1};
	for (size_t i = 0; i < n; i++)
		if (defs[i].id)
			out->slots[place(out, defs[i].id)] = (uint32_t)i + 1;
}

void queue_names_fini(struct queue_names *names)
{
	free(names->slots);
	*names = (struct queue_names){0};
}

static int ordinals(char **out, const struct queue_names *names, const char *id, const struct strv *of, struct err *e)
{
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < of->n; i++) {
		size_t ordinal = names->slots[place(names, of->v[i])];
		if (!ordinal)
			return err_set(e, ERR_DAMAGED, "item %s depends on %s, which there is not", id, of->v[i]);
		str_addf(&text, "%s%zu", i ? " " : "", ordinal);
	}
	*out = text.len ? str_take(&text) : NULL;
	return 0;
}

int queue_link_make(struct item_link *out, const struct queue_names *names, size_t ordinal, const struct item_def *item,
                    struct err *e)
{
	const struct task_def *d = &names->defs[ordinal - 1];

	*out = (struct item_link){.id = d->id,
	                          .issue = d->issue,
	                          .solution = d->solution,
	                          .priority = item->priority,
	                          .order = item->order,
	                          .tasks = item->tasks,
	                          .group = item->group,
	                          .missing = d->missing,
	                          .files = d->files};
	if (ordinals(&out->needs, names, d->id, &d->needs, e) == 0 &&
	    ordinals(&out->after, names, d->id, &d->after, e) == 0 &&
	    ordinals(&out->turn, names, d->id, &d->in_turn, e) == 0)
		return 0;
	queue_link_fini(out);
	return -1;
}

void queue_link_fini(struct item_link *l)
{
	free(l->needs);
	free(l->after);
	free(l->turn);
	*l = (struct item_link){0};
}
