/* progress.h - a progress bar on standard error, at a terminal only. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/cli.h"

#include <stdint.h>

struct progress {
    bool wanted;
    int shown;                      /* percent; -1: nothing yet */
    const char *what;               /* "rows" */
    char phase[64]; int64_t since_ms, first;    /* progress_phase(): the phase, since when, and what was done then */
    int width;                      /* of the line that stands there */
};

struct progress progress_new(const struct cli *cli, const char *what);     /* none with --json, and where nobody looks */
void progress_show(void *progress, int64_t done, int64_t total);
/* Of work in phases: bar, rate and time left within the phase; total -1: not known. now_ms: of a clock that never goes back. */
void progress_phase(struct progress *p, const char *phase, int64_t done, int64_t total, int64_t now_ms);
/* The line that it draws, without a terminal. Returns out. */
const char *progress_line(const struct progress *p, int64_t done, int64_t total, int64_t now_ms, char *out, size_t size);
void progress_clear(struct progress *p);                                    /* the line is empty again */

#endif
