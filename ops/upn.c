/* upn.c - user principal names made from a pattern.
 *
 * Invariant: what is made holds a-z 0-9 . - _ only before the @, at most 64 of them, no dot at its end and none at its beginning.
 */
#include "ops/upn.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LOCAL_MAX 64

/* U+00C0 to U+017F: the letters of Europe, as their owners are used to seeing them in ASCII; "" where there is no letter. */
static const char latin[][3] = {
    "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
    "d", "n", "o", "o", "o", "o", "oe", "", "oe", "u", "u", "u", "ue", "y", "th", "ss",
    "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
    "d", "n", "o", "o", "o", "o", "oe", "", "oe", "u", "u", "u", "ue", "y", "th", "y",
    "a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c", "d", "d",
    "d", "d", "e", "e", "e", "e", "e", "e", "e", "e", "e", "e", "g", "g", "g", "g",
    "g", "g", "g", "g", "h", "h", "h", "h", "i", "i", "i", "i", "i", "i", "i", "i",
    "i", "i", "ij", "ij", "j", "j", "k", "k", "k", "l", "l", "l", "l", "l", "l", "l",
    "l", "l", "l", "n", "n", "n", "n", "n", "n", "n", "n", "n", "o", "o", "o", "o",
    "o", "o", "oe", "oe", "r", "r", "r", "r", "r", "r", "s", "s", "s", "s", "s", "s",
    "s", "s", "t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u", "u", "u",
    "u", "u", "u", "u", "w", "w", "y", "y", "y", "z", "z", "z", "z", "z", "z", "s",
};
_Static_assert(EB_LEN(latin) == 0x180 - 0xc0, "one row a letter");

static void add_char(struct eb_buf *out, uint32_t c)
{
    char one[2] = { (char)tolower((int)(c & 0x7f)), '\0' };

    if (c < 0x80 && (isalnum((int)c) || c == '.' || c == '_' || c == '-'))
        eb_buf_str(out, one);
    else if (c == ' ' || c == 0x2010 || c == 0x2011)
        eb_buf_str(out, "-");           /* "Mary Ann" and hyphens of other kinds */
    else if (c >= 0xc0 && c < 0x180)
        eb_buf_str(out, latin[c - 0xc0]);
}

/* In ASCII; apostrophes, marks and letters of other scripts are left out. false: nothing is left. */
static bool add_value(struct eb_buf *out, const char *value)
{
    size_t len = strlen(value), before = out->len, step;
    uint32_t c;

    for (size_t i = 0; i < len && (step = eb_utf8_next(value + i, len - i, &c)) > 0; i += step)
        add_char(out, c);
    return out->len > before;
}

static bool add_attribute(struct eb_buf *out, const char *name, const json_t *attributes, struct eb_err *err)
{
    const char *value = eb_json_str(attributes, name);
    char field[64];

    snprintf(field, sizeof field, "attributes.%.50s", name);
    if (value == NULL)
        return eb_fail_field(err, EB_INVALID_REQUEST, field, "`%s` is missing: the user principal name is made from it. Send it, or `userPrincipalName`.", field);
    if (!add_value(out, value))
        return eb_fail_field(err, EB_INVALID_REQUEST, field, "Nothing of `%s` can stand in a user principal name. Send `userPrincipalName`.", field);
    return true;
}

/* The part of the pattern before its @. */
static bool fill_in(const char *pattern, size_t len, const json_t *attributes, struct eb_buf *out, struct eb_err *err)
{
    for (size_t i = 0; i < len; i++) {
        const char *end = pattern[i] == '{' ? memchr(pattern + i, '}', len - i) : NULL;
        char name[64];

        if (end == NULL) {
            add_char(out, (unsigned char)pattern[i]);
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)(end - pattern - (ptrdiff_t)i - 1), pattern + i + 1);
        if (!add_attribute(out, name, attributes, err))
            return false;
        i = (size_t)(end - pattern);
    }
    return true;
}

/* Cut so that `number` fits behind it, and without dots at its ends. */
static void finish(const char *text, int number, char out[LOCAL_MAX + 1])
{
    char digits[12] = "";
    const char *start = text + strspn(text, ".");

    if (number > 1)
        snprintf(digits, sizeof digits, "%d", number);
    int room = LOCAL_MAX - (int)strlen(digits), n = (int)strlen(start) < room ? (int)strlen(start) : room;
    while (n > 0 && start[n - 1] == '.')
        n--;
    snprintf(out, LOCAL_MAX + 1, "%.*s%s", n, start, digits);
}

bool ops_upn_make(const char *pattern, const json_t *attributes, int number, char out[OPS_UPN_MAX], struct eb_err *err)
{
    const char *at = strrchr(pattern, '@');
    struct eb_buf b = EB_BUF(KiB(4));
    char local[LOCAL_MAX + 1];

    if (at == NULL || strlen(at) > 49)
        return eb_fail(err, EB_INTERNAL, "the policy's user_principal_name is no pattern such as {givenName}.{surname}@example.com");
    bool ok = fill_in(pattern, (size_t)(at - pattern), attributes, &b, err);
    finish(b.data != NULL ? b.data : "", number, local);
    eb_buf_free(&b);
    if (!ok)
        return false;
    if (local[0] == '\0')
        return eb_fail_field(err, EB_INVALID_REQUEST, "userPrincipalName", "No user principal name can be made from these attributes. Send `userPrincipalName`.");
    snprintf(out, OPS_UPN_MAX, "%s%s", local, at);
    return true;
}
