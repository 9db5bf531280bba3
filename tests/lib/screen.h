/* screen: a pseudo-terminal with an emulator behind it, for tests of what is drawn on one. */
#ifndef BOSK_SCREEN_H
#define BOSK_SCREEN_H

#include "vt.h"

struct screen {
	int master, slave; /* the program's end is `slave` */
	struct vt vt;
	struct str raw; /* what came since the last look */
};

struct screen screen_new(unsigned columns, unsigned rows, bool reflows);
void screen_fini(struct screen *s);
/* The window gets another size, as the terminal and the program see it. */
void screen_resize(struct screen *s, unsigned columns, unsigned rows);
/* Give the emulator all that was written until now. */
void screen_catch_up(struct screen *s);

#endif
