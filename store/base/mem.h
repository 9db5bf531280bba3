/* mem: allocation that ends the process when there is no memory (recovery handles the rest),
 * and release by scope. */
#ifndef BOSK_MEM_H
#define BOSK_MEM_H

#include <stddef.h>
#include <stdlib.h>

_Noreturn void mem_none(void);              /* there is none: says so and ends the process */
void *mem_alloc(size_t size);               /* zeroed */
void *mem_array(size_t n, size_t size);     /* zeroed; checks the product */
void *mem_grow(void *p, size_t n, size_t size); /* realloc to n * size; new bytes undefined */
char *mem_strdup(const char *s);            /* NULL gives NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Replace *slot by a copy of `s` (or NULL); frees the old value. */
void mem_set(char **slot, const char *s);

void mem_freep(void *pp); /* for AUTO_FREE: frees *(void **)pp */
void mem_closep(int *fd); /* for AUTO_CLOSE: closes a descriptor >= 0 */

#define AUTO_FREE __attribute__((cleanup(mem_freep)))
#define AUTO_CLOSE __attribute__((cleanup(mem_closep)))

/* Take the value out of a variable that an AUTO_ attribute would release. */
#define mem_steal(pp) __extension__({ __typeof__(*(pp)) mem_taken_ = *(pp); *(pp) = 0; mem_taken_; })
int mem_steal_fd(int *fd); /* leaves -1 */

#define MEM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
