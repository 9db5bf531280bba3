/* json_line: one line of a program's output as a JSON object. Programs write what strict readers refuse: halves of
 * surrogate pairs (a text that was cut in a character), \u0000, control characters, bytes that are not UTF-8, colours
 * before the first brace. Such characters become U+FFFD, the rest of the line is as good as ever. */
#ifndef BOSK_JSON_LINE_H
#define BOSK_JSON_LINE_H

#include <stddef.h>

#include "json.h"

enum { JSON_LINE_MAX = 8 << 20, JSON_LINE_DEPTH = 64, JSON_LINE_VALUES = 200 * 1000 };

/* NULL: not an object, or longer, deeper or of more values than the above (memory). */
struct json_t *json_line(const char *text, size_t n);

#endif
