/* output.h - where exports go: standard output, or a file for its owner alone, since there are people in it. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/cli.h"

/* path NULL: standard output. NULL: errno says why. */
FILE *output_open(const char *path);
/* False: not everything arrived; errno says why. */
bool output_close(FILE *out);

#endif
