/* assets_aql_function.c - functions of AQL that stand for a value: now("-2h 15m"), currentUser(), currentReporter().
 *
 * They may stand in quotes, as Atlassian's page writes them: Created > "now(-30d)". A text that only looks like one stays a text: a group may be called "Sales (DE)".
 */
#include "sim/assets_aql.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "-2h 15m": the sign counts for all of it; w, d, h, m. */
static bool offset(const char *p, const char *end, int64_t *ret_ms)
{
    static const struct { char unit; int64_t ms; } units[] = { { 'w', 604800000 }, { 'd', 86400000 }, { 'h', 3600000 }, { 'm', 60000 } };
    int sign = *p == '-' ? -1 : 1;

    *ret_ms = 0;
    p += *p == '-' || *p == '+';
    while (p < end) {
        char *unit;
        size_t u = 0;
        long long n = isdigit((unsigned char)*p) ? strtoll(p, &unit, 10) : -1;
        if (n < 0 || n > 1000000)
            return false;
        while (u < EB_LEN(units) && units[u].unit != *unit)
            u++;
        if (u == EB_LEN(units))
            return false;
        *ret_ms += sign * n * units[u].ms;
        p = unit + 1;
        p += *p == ' ';
    }
    return true;
}

static char *moment(const char *p, const char *end)
{
    char text[EB_TIME_LEN];
    int64_t ms;

    return offset(p, end, &ms) ? eb_strdup(eb_time_format(eb_now_ms() + ms, text)) : NULL;
}

/* Whoever asks by the API is our account, and there is no issue whose reporter could be meant. */
static char *me(const char *p, const char *end) { return p == end ? eb_strdup(TRACKER_OWN_ACCOUNT) : NULL; }
static char *nobody(const char *p, const char *end) { return p == end ? eb_strdup("") : NULL; }

char *aql_function(const char *text)
{
    static const struct { const char *name; char *(*value)(const char *p, const char *end); } rows[] = {
        { "now(", moment }, { "currentUser(", me }, { "currentReporter(", nobody },
    };
    size_t len = strlen(text);

    for (size_t i = 0; i < EB_LEN(rows); i++) {
        size_t n = strlen(rows[i].name);
        if (len > n && strncasecmp(text, rows[i].name, n) == 0 && text[len - 1] == ')')
            return rows[i].value(text + n, text + len - 1);
    }
    return NULL;
}
