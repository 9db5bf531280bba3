/* yaml_write: texts as YAML that every reader takes back as the same text, of YAML 1.1 too. */
#ifndef BOSK_YAML_WRITE_H
#define BOSK_YAML_WRITE_H

#include "store/base/str.h"

/* A scalar: plain where nobody could take it for anything but this text, else between double quotes. NULL gives null.
 * Bytes that are not UTF-8 become U+FFFD. */
void yaml_write_text(struct str *out, const char *text);

#endif
