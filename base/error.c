/* error.c - the table behind the codes, and the one place where an error is filled in.
 *
 * Invariant: every code has a row (the compiler counts them), and eb_err_set() is the only writer.
 */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static const struct { const char *text, *title; int status; } codes[EB_CODE_COUNT] = {
#define EB_CODE_ROW(sym, code_text, code_status, code_title) \
    [EB_##sym] = { .text = code_text, .title = code_title, .status = code_status },
    EB_CODES(EB_CODE_ROW)
#undef EB_CODE_ROW
};

static enum eb_code known(enum eb_code code)
{
    return (unsigned)code < EB_CODE_COUNT ? code : EB_INTERNAL;
}

/* A cut in the middle of a UTF-8 character would make the answer's JSON invalid. */
static void drop_half_character(char *text, size_t len)
{
    size_t start = len;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (len - (start - 1) < want)
        text[start - 1] = '\0';
}

EB_PRINTF(3, 0)
static void fill(struct eb_err *e, enum eb_code code, const char *fmt, va_list ap)
{
    memset(e, 0, sizeof(*e));
    e->code = known(code);
    int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
    if (n >= (int)sizeof(e->text))
        drop_half_character(e->text, sizeof(e->text) - 1);
}

bool eb_err_set(struct eb_err *e, enum eb_code code, const char *where, const char *fmt, ...)
{
    if (e == NULL)
        return false;

    va_list ap;
    va_start(ap, fmt);
    fill(e, code, fmt, ap);
    va_end(ap);
    e->where = where;
    return false;
}

bool eb_fail_field(struct eb_err *e, enum eb_code code, const char *field, const char *fmt, ...)
{
    if (e == NULL)
        return false;

    va_list ap;
    va_start(ap, fmt);
    fill(e, code, fmt, ap);
    va_end(ap);
    e->where = "eb_fail_field";
    int n = snprintf(e->field, sizeof(e->field), "%s", field != NULL ? field : "");
    if (n >= (int)sizeof(e->field))
        drop_half_character(e->field, sizeof(e->field) - 1);
    return false;
}

const char *eb_code_text(enum eb_code code)
{
    return codes[known(code)].text;
}

const char *eb_code_title(enum eb_code code)
{
    return codes[known(code)].title;
}

int eb_code_status(enum eb_code code)
{
    return codes[known(code)].status;
}

enum eb_code eb_code_parse(const char *text)
{
    for (int i = 0; text != NULL && i < EB_CODE_COUNT; i++)
        if (strcmp(codes[i].text, text) == 0)
            return (enum eb_code)i;
    return EB_INTERNAL;
}
