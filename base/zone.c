/* zone.c - local times by the rules of the C library, which has read the zone's file.
 *
 * Only offsets are asked for, never mktime(): what that makes of a time that is left out or comes twice depends on what it was asked before.
 */
#include "base/zone.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400

static bool name_form(const char *name)
{
    if (!isalpha((unsigned char)name[0]) || strlen(name) > 64 || strstr(name, "..") != NULL || strstr(name, "//") != NULL)
        return false;
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")] == '\0' && name[strlen(name) - 1] != '/';
}

bool eb_zone_known(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[400], magic[4] = "";

    if (strcmp(name, "UTC") == 0)
        return true;
    if (!name_form(name))
        return false;
    snprintf(path, sizeof path, "%.300s/%s", folder != NULL ? folder : "/usr/share/zoneinfo", name);
    FILE *f = fopen(path, "re");
    bool rules = f != NULL && fread(magic, 1, sizeof magic, f) == sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
    if (f != NULL)
        fclose(f);
    return rules;
}

void eb_zone_use(const char *name)
{
    if (name != NULL)
        setenv("TZ", strcmp(name, "UTC") == 0 ? "UTC0" : name, 1);
    tzset();
}

/* ---- reading ---- */

static bool fits(const char *text, const char *form)
{
    for (; *form != '\0'; form++, text++)
        if (*form == '0' ? !isdigit((unsigned char)*text) : *form == 'T' ? *text != 'T' && *text != ' ' : *text != *form)
            return false;
    return *text == '\0';
}

/* As if it were UTC. */
static bool read_fields(const char *text, int64_t *ret_ms)
{
    static const char *const forms[] = { "0000-00-00", "0000-00-00T00:00", "0000-00-00T00:00:00" };
    char whole[32];

    for (size_t i = 0; i < EB_LEN(forms); i++)
        if (fits(text, forms[i])) {
            snprintf(whole, sizeof whole, "%.10sT%s%sZ", text, i > 0 ? text + 11 : "00:00", i < 2 ? ":00" : "");
            return eb_time_parse(whole, ret_ms, NULL);
        }
    return false;
}

static int64_t offset_at(int64_t s)
{
    time_t t = (time_t)s;
    struct tm local = { 0 };

    localtime_r(&t, &local);
    return local.tm_gmtoff;
}

bool eb_local_parse(const char *text, int64_t *ret_ms)
{
    int64_t ms;

    if (!read_fields(text, &ms) || ms < 0)
        return false;
    int64_t s = ms / 1000, before = offset_at(s - DAY_S), after = offset_at(s + DAY_S);
    bool is_before = offset_at(s - before) == before, is_after = offset_at(s - after) == after;

    if (is_before && is_after)
        s -= before > after ? before : after;       /* shown twice: the first */
    else
        s -= is_after ? after : before;             /* or left out: by the offset of before */
    *ret_ms = s * 1000;
    return true;
}

const char *eb_local_format(int64_t ms, char out[EB_LOCAL_LEN])
{
    time_t t = (time_t)(ms / 1000);
    struct tm local = { 0 };

    localtime_r(&t, &local);
    if (strftime(out, EB_LOCAL_LEN, "%Y-%m-%d %H:%M %Z", &local) == 0)
        out[0] = '\0';
    return out;
}
