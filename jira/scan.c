/* scan.c - two members picked out of the answer to a posted comment, for speed: the rest of it is a copy of what we sent.
 *
 * A fast path that may give up: it accepts only what is plainly one JSON object whose members at the top are written without
 * escapes, each once. Whatever it is unsure of goes to the real parser.
 */
#include "jira/internal.h"

#include <string.h>

/* Offset behind the string that opens at i; 0: it does not close. *ret_plain: no escapes in it. */
static size_t string_end(struct eb_span t, size_t i, bool *ret_plain)
{
    *ret_plain = true;
    for (i++; i < t.len && t.p[i] != '"'; i++)
        if (t.p[i] == '\\') {
            *ret_plain = false;
            i++;
        }
    return i < t.len ? i + 1 : 0;
}

static size_t skip_blanks(struct eb_span t, size_t i)
{
    while (i < t.len && memchr(" \t\r\n", t.p[i], 4) != NULL)
        i++;
    return i;
}

/* Offset behind the value at i, whatever it is; 0: it does not end. */
static size_t value_end(struct eb_span t, size_t i)
{
    size_t depth = 0;
    bool plain;

    for (; i < t.len; i++) {
        switch (t.p[i]) {
        case '"':
            i = string_end(t, i, &plain);
            if (i == 0 || depth == 0)
                return i;
            i--;
            break;
        case '{': case '[':
            depth++;
            break;
        case '}': case ']':
            if (depth == 0)
                return i;
            if (--depth == 0)
                return i + 1;
            break;
        case ',':
            if (depth == 0)
                return i;
            break;
        default:
            break;
        }
    }
    return 0;
}

static bool is(struct eb_span t, size_t from, size_t to, const char *text)
{
    return to - from == strlen(text) && memcmp(t.p + from, text, to - from) == 0;
}

/* One member that counts, or not. False: give up. */
static bool take(struct eb_span t, size_t key, size_t key_end, size_t from, size_t to, char id[32], int *ret_public)
{
    if (is(t, key, key_end, "\"id\"")) {
        if (id[0] != '\0' || to - from < 3 || to - from > 33 || t.p[from] != '"' || memchr(t.p + from, '\\', to - from) != NULL)
            return false;
        memcpy(id, t.p + from + 1, to - from - 2);
        id[to - from - 2] = '\0';
        return strspn(id, "0123456789") == to - from - 2;
    }
    if (is(t, key, key_end, "\"jsdPublic\"")) {
        if (*ret_public >= 0)
            return false;
        *ret_public = is(t, from, to, "true");
        return *ret_public == 1 || is(t, from, to, "false");
    }
    return true;
}

bool jira_comment_scan(struct eb_span t, char id[32], int *ret_public)
{
    size_t i = skip_blanks(t, 0);
    bool plain;

    id[0] = '\0';
    *ret_public = -1;
    if (i >= t.len || t.p[i] != '{')
        return false;
    do {
        size_t key = skip_blanks(t, i + 1);
        size_t key_end = key < t.len && t.p[key] == '"' ? string_end(t, key, &plain) : 0;
        size_t colon = key_end > 0 ? skip_blanks(t, key_end) : t.len;
        if (colon >= t.len || t.p[colon] != ':' || !plain)
            return false;
        size_t from = skip_blanks(t, colon + 1), to = value_end(t, from);
        if (to == 0 || to == from)
            return false;
        i = skip_blanks(t, to);
        while (memchr(" \t\r\n", t.p[to - 1], 4) != NULL)      /* behind a number or a word */
            to--;
        if (!take(t, key, key_end, from, to, id, ret_public))
            return false;
    } while (i < t.len && t.p[i] == ',');
    return i + 1 <= t.len && t.p[i] == '}' && skip_blanks(t, i + 1) == t.len && id[0] != '\0';
}
