/* complete: what could stand next on a command line, for the shells (tools/completions). */
#ifndef BOSK_COMPLETE_H
#define BOSK_COMPLETE_H

/* The hidden `bosk complete WORD...`: the words after "bosk", the last being the one that is typed
 * now. Prints one candidate per line, a tab and what it is; or one line ":file", ":dir" or
 * ":command": the shell knows these. Never says anything else, whatever is wrong. */
int complete_main(int argc, char **argv);

#endif
