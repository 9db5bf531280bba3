/* order: each thing is flushed before what refers to it. */
#ifndef BOSK_ORDER_H
#define BOSK_ORDER_H

#include "image.h"

/* Follow one run: order_before() of each operation, then image_apply, then order_after(). What is
 * violated is printed, one line each. */
struct order;
struct order *order_new(const struct image *im, const char *repo_now);
void order_before(struct order *o, const struct op *op, size_t index);
void order_after(struct order *o, const struct op *op, size_t index);
size_t order_wrong(const struct order *o);
/* Rules that met nothing to look at say nothing about the run: prints how often each did. True when those
 * named in `rules` (NULL-ended) were asked at least once. */
bool order_asked(const struct order *o, char *const *rules);
void order_free(struct order *o);

#endif
