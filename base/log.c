/* log.c - one event, one line, one write(2).
 *
 * Invariant: whatever the text holds, a line has one line end and it is the last byte. A line is built
 * in a buffer on the stack; nothing is allocated, so that running out of memory can be logged too.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LEN 2048       /* below PIPE_BUF: lines of several processes do not mix */

static _Atomic int lowest_level = EB_LOG_INFO;
static _Atomic int line_format = EB_LOG_TEXT;

static const struct { const char *padded, *json; } levels[] = {
    [EB_LOG_DEBUG] = { "DEBUG", "debug" },
    [EB_LOG_INFO] = { "INFO ", "info" },
    [EB_LOG_WARN] = { "WARN ", "warn" },
    [EB_LOG_ERROR] = { "ERROR", "error" },
};

/* `keep` bytes are held back for the end of the line. */
struct line { size_t len, keep; char text[LINE_MAX_LEN]; };

static bool put(struct line *l, const char *s, size_t n)
{
    if (n > sizeof(l->text) - l->keep - l->len)
        return false;
    memcpy(l->text + l->len, s, n);
    l->len += n;
    return true;
}

static bool puts_plain(struct line *l, const char *s)
{
    return put(l, s, strlen(s));
}

/* Outside text: unclean characters and broken UTF-8 become '?', so a forged line is seen as one. */
static bool puts_outside(struct line *l, const char *s, bool json)
{
    size_t left = strlen(s);
    uint32_t c;

    while (left > 0) {
        size_t n = eb_utf8_next(s, left, &c);
        bool bad = n == 0 || eb_char_unclean(c);
        n = n > 0 ? n : 1;
        if (json && !bad && (*s == '"' || *s == '\\')) {
            char escaped[2] = { '\\', *s };
            if (!put(l, escaped, sizeof(escaped)))
                return false;
        } else if (!(bad ? put(l, "?", 1) : put(l, s, n))) {
            return false;
        }
        s += n;
        left -= n;
    }
    return true;
}

static void compose(struct line *l, enum eb_log_level level, const char *id, const char *text, bool cut)
{
    bool json = atomic_load_explicit(&line_format, memory_order_relaxed) == EB_LOG_JSON;
    const char *end = json ? "\"}\n" : "\n";
    char time[EB_TIME_LEN], short_id[80];

    l->len = 0;
    l->keep = 3 + strlen(end);          /* 3: "..." */
    eb_text_clean(id != NULL ? id : "", short_id, sizeof(short_id));
    puts_plain(l, json ? "{\"time\":\"" : "");
    puts_plain(l, eb_time_format(eb_now_ms(), time));
    puts_plain(l, json ? "\",\"level\":\"" : " ");
    puts_plain(l, json ? levels[level].json : levels[level].padded);
    puts_plain(l, json ? "\"" : " ");
    if (id != NULL) {
        puts_plain(l, json ? ",\"operation\":\"" : "[");
        puts_outside(l, short_id, json);
        puts_plain(l, json ? "\"" : "] ");
    }
    puts_plain(l, json ? ",\"message\":\"" : "");
    bool whole = puts_outside(l, text, json) && !cut;
    l->keep = 0;
    puts_plain(l, whole ? "" : "...");
    puts_plain(l, end);
}

/* A half character at the cut would show as '?'. */
static void trim_half_character(char *text, size_t len)
{
    uint32_t c;

    for (size_t back = 1; back <= 4 && back <= len; back++) {
        unsigned char b = (unsigned char)text[len - back];
        if ((b & 0xC0) == 0x80)
            continue;
        if (b >= 0xC0 && eb_utf8_next(text + len - back, back, &c) == 0)
            text[len - back] = '\0';
        return;
    }
}

void eb_log(enum eb_log_level level, const char *id, const char *fmt, ...)
{
    char text[LINE_MAX_LEN];
    struct line line;
    int saved = errno;

    if (!eb_log_wanted(level))
        return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        text[0] = '\0';
    bool cut = n >= (int)sizeof(text);
    if (cut)
        trim_half_character(text, sizeof(text) - 1);

    compose(&line, level, id, text, cut);
    while (write(STDERR_FILENO, line.text, line.len) < 0 && errno == EINTR)
        ;                               /* a log that cannot be written stops nothing */
    errno = saved;
}

void eb_log_setup(enum eb_log_level lowest, enum eb_log_format format)
{
    atomic_store(&lowest_level, (int)lowest);
    atomic_store(&line_format, (int)format);
}

bool eb_log_wanted(enum eb_log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest_level, memory_order_relaxed);
}
