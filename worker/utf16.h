/* utf16: texts that editors and shells of Windows write, as UTF-8, so that they can be searched. */
#ifndef BOSK_UTF16_H
#define BOSK_UTF16_H

#include "store/base/str.h"

/* Are the bytes UTF-16, by the mark they begin with, or by every other byte at their beginning being 0? Then they are
 * added to `out` as UTF-8, without the mark; what is half a character comes as U+FFFD. */
bool utf16_read(const char *bytes, size_t n, struct str *out);

#endif
