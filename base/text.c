/* text.c - UTF-8, the characters that must not pass, names, and memory for text.
 *
 * Every character of outside text is read by eb_utf8_next(): one strict decoder for all.
 */
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t eb_utf8_next(const char *s, size_t len, uint32_t *ret_char)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };    /* by length: no overlong forms */
    const unsigned char *p = (const unsigned char *)s;

    if (len == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_char = p[0];
        return 1;
    }
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || n > len)
        return 0;
    uint32_t c = p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    if (c < smallest[n] || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF)
        return 0;
    *ret_char = c;
    return n;
}

bool eb_utf8_valid(const char *s, size_t len)
{
    uint32_t c;

    for (size_t n; len > 0; s += n, len -= n)
        if ((n = eb_utf8_next(s, len, &c)) == 0)
            return false;
    return true;
}

bool eb_char_unclean(uint32_t c)
{
    static const struct { uint32_t first, last; } unclean[] = {
        { 0x00, 0x1F }, { 0x7F, 0x9F }, { 0x061C, 0x061C }, { 0x200B, 0x200F },
        { 0x2028, 0x202E }, { 0x2060, 0x2069 }, { 0xFEFF, 0xFEFF },
    };

    for (size_t i = 0; i < EB_LEN(unclean) && c >= unclean[i].first; i++)
        if (c <= unclean[i].last)
            return true;
    return false;
}

bool eb_text_unclean(const char *s)
{
    size_t left = strlen(s);
    uint32_t c;

    for (size_t n; left > 0; s += n, left -= n)
        if ((n = eb_utf8_next(s, left, &c)) == 0 || eb_char_unclean(c))
            return true;
    return false;
}

const char *eb_text_clean(const char *s, char *out, size_t size)
{
    size_t left = strlen(s), used = 0;
    uint32_t c;

    assert(size > 0);
    while (left > 0) {
        size_t n = eb_utf8_next(s, left, &c);
        if (n > 0 && !eb_char_unclean(c)) {
            if (n >= size - used)
                break;
            memcpy(out + used, s, n);
            used += n;
        }
        n = n > 0 ? n : 1;              /* a byte that is not UTF-8 is left out alone */
        s += n;
        left -= n;
    }
    out[used] = '\0';
    return out;
}

bool eb_is_guid(const char *s)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof(form); i++)       /* the NUL is compared too */
        if (form[i] == 'x' ? !isxdigit((unsigned char)s[i]) : s[i] != form[i])
            return false;
    return true;
}

#define NUMBER_MAX 18       /* digits that fit a 64-bit number */
#define PROJECT_MAX 50

static bool is_number(const char *s)
{
    size_t n = strspn(s, "0123456789");
    return n > 0 && n <= NUMBER_MAX && s[n] == '\0' && s[0] != '0';
}

bool eb_is_issue(const char *s)
{
    if (*s < 'A' || *s > 'Z')
        return is_number(s);
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n <= PROJECT_MAX && s[n] == '-' && is_number(s + n + 1);
}

bool eb_streq(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool eb_strieq(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    for (; *a != '\0' && ascii_lower(*a) == ascii_lower(*b); a++, b++)
        ;
    return *a == *b;                    /* both at their end */
}

bool eb_url_escape(struct eb_buf *out, const char *s)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char hex[] = "0123456789ABCDEF";

    while (*s != '\0') {
        size_t plain = strspn(s, unreserved);
        (void)eb_buf_add(out, s, plain);
        s += plain;
        for (; *s != '\0' && strchr(unreserved, *s) == NULL; s++) {
            unsigned char c = (unsigned char)*s;
            char code[3] = { '%', hex[c >> 4], hex[c & 15] };
            (void)eb_buf_add(out, code, sizeof(code));
        }
    }
    return !out->failed;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Goes back to the last star only, so that no pattern takes long. */
bool eb_text_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (*pattern != '\0' && same_letter(*pattern, *text)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

void eb_no_memory(void)
{
    static const char text[] = "entrabridge: out of memory\n";
    (void)!fwrite(text, 1, sizeof(text) - 1, stderr);
    abort();
}

void *eb_need(void *p)
{
    if (p == NULL)
        eb_no_memory();
    return p;
}

void *eb_alloc(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);

    if (p == NULL)
        eb_no_memory();
    return p;
}

char *eb_strdup(const char *s)
{
    if (s == NULL)
        return NULL;
    char *copy = strdup(s);
    if (copy == NULL)
        eb_no_memory();
    return copy;
}

char *eb_asprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        eb_no_memory();
    return text;
}

void eb_wipe_free(char *s)
{
    if (s == NULL)
        return;
    OPENSSL_cleanse(s, strlen(s));
    free(s);
}
