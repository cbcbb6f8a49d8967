/* progress.c - a progress bar that is drawn again only when it moves. */
#include "cli/progress.h"

#include "base/text.h"

#include <string.h>
#include <unistd.h>

#define BAR 30
#define RATE_AFTER_MS 1000              /* before that a rate says nothing */

struct progress progress_new(const struct cli *cli, const char *what)
{
    return (struct progress){ .wanted = isatty(STDERR_FILENO) && !cli->json, .shown = -1, .what = what };
}

static int percent_of(int64_t done, int64_t total)
{
    if (total <= 0)
        return 100;
    return done >= total ? 100 : (int)(done * 100 / total);
}

static int bar(char *out, size_t size, int percent)
{
    static const char full[] = "##############################";
    int length = percent * BAR / 100;

    return snprintf(out, size, "[%.*s%*s] %3d%%", length, full, BAR - length, "", percent);
}

/* What is left of a longer line before is blanked out. */
static void draw(struct progress *p, const char *line)
{
    int width = (int)strlen(line);

    fprintf(stderr, "\r%s%*s", line, p->width > width ? p->width - width : 0, "");
    p->width = width;
}

void progress_show(void *progress, int64_t done, int64_t total)
{
    struct progress *p = progress;
    int percent = percent_of(done, total);
    char line[160];

    if (!p->wanted || percent == p->shown)
        return;
    p->shown = percent;
    int used = bar(line, sizeof line, percent);
    snprintf(line + used, sizeof line - (size_t)used, "  %lld of %lld %s ", (long long)done, (long long)total, p->what);
    draw(p, line);
}

static void add_left(char *out, size_t size, int64_t seconds)
{
    if (seconds < 90)
        snprintf(out, size, ", %lld s left", (long long)seconds);
    else if (seconds < 5400)
        snprintf(out, size, ", %lld min left", (long long)(seconds + 30) / 60);
    else
        snprintf(out, size, ", %lld h %lld min left", (long long)seconds / 3600, (long long)seconds % 3600 / 60);
}

const char *progress_line(const struct progress *p, int64_t done, int64_t total, int64_t now_ms, char *out, size_t size)
{
    int64_t took_ms = now_ms - p->since_ms, moved = done - p->first;
    char begin[64] = "", rate[48] = "", left[48] = "";

    if (total > 0)
        bar(begin, sizeof begin, percent_of(done, total));
    if (took_ms >= RATE_AFTER_MS && moved > 0) {
        snprintf(rate, sizeof rate, ", %lld/s", (long long)(moved * 1000 / took_ms));
        if (total > done)
            add_left(left, sizeof left, (total - done) * took_ms / moved / 1000);
    }
    if (total > 0)
        snprintf(out, size, "%s  %s: %lld of %lld%s%s ", begin, p->phase, (long long)done, (long long)total, rate, left);
    else if (done > 0)
        snprintf(out, size, "%s: %lld%s ", p->phase, (long long)done, rate);
    else
        snprintf(out, size, "%s ... ", p->phase);
    return out;
}

void progress_phase(struct progress *p, const char *phase, int64_t done, int64_t total, int64_t now_ms)
{
    char line[200], clean[sizeof p->phase];

    if (!p->wanted)
        return;
    eb_text_clean(phase != NULL ? phase : "starting", clean, sizeof clean);
    if (p->shown < 0 || strcmp(clean, p->phase) != 0) {
        memcpy(p->phase, clean, sizeof clean);
        p->since_ms = now_ms;
        p->first = done;
    }
    p->shown = percent_of(done, total);
    draw(p, progress_line(p, done, total, now_ms, line, sizeof line));
}

void progress_clear(struct progress *p)
{
    if (p->wanted && p->shown >= 0)
        fprintf(stderr, "\r%*s\r", p->width, "");
    p->shown = -1;
    p->width = 0;
}
