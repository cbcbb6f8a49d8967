/* password.c - passwords made here: random, of all four classes that Entra knows, without characters that look alike.
 *
 * Invariant: every password of that length that has all four classes is as likely as every other. So one that lacks a class is thrown
 * away as a whole: putting a digit in where one is missing would make some passwords likelier. At 16 characters three of four are kept.
 */
#include "base/password.h"

#include "base/random.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

/* Left out: 0 O o, 1 l I i and |, and of the symbols what is hard to type abroad, or means something in HTML, JSON, shells, formulas or URLs. */
#define LOWER "abcdefghjkmnpqrstuvwxyz"
#define UPPER "ABCDEFGHJKLMNPQRSTUVWXYZ"
#define DIGITS "23456789"
#define SYMBOLS "!#$%*?:"

const char *const eb_password_classes[EB_PASSWORD_CLASSES] = { LOWER, UPPER, DIGITS, SYMBOLS };
static const char alphabet[] = LOWER UPPER DIGITS SYMBOLS;

static bool has_all_classes(const char *p)
{
    for (size_t i = 0; i < EB_PASSWORD_CLASSES; i++)
        if (strpbrk(p, eb_password_classes[i]) == NULL)
            return false;
    return true;
}

char *eb_password_new(size_t len)
{
    assert(len >= EB_PASSWORD_MIN && len <= EB_PASSWORD_MAX);
    char *p = eb_alloc(len + 1);

    do
        for (size_t i = 0; i < len; i++)
            p[i] = alphabet[eb_random_below(sizeof(alphabet) - 1)];
    while (!has_all_classes(p));
    return p;
}
