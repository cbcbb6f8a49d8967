/* audit_cef.c - CEF: a head of seven parts parted by "|", then key=value pairs. Escaped are "\" and "|" in the head, "\" and "=" in values;
 * control characters and line ends are left out, so that nobody can begin a line of his own.
 */
#include "cli/audit_cef.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cleaned, cut, and with a backslash before each of `special`. */
static void add_escaped(struct eb_buf *b, const char *text, const char *special)
{
    char clean[CEF_VALUE_MAX + 1];

    eb_text_clean(text, clean, sizeof clean);
    for (const char *p = clean; *p != '\0'; p++) {
        if (strchr(special, *p) != NULL)
            eb_buf_str(b, "\\");
        eb_buf_add(b, p, 1);
    }
}

static void add_head(struct eb_buf *b, const char *text)
{
    add_escaped(b, text, "\\|");
    eb_buf_str(b, "|");
}

static void add_pair(struct eb_buf *b, const char *key, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    eb_buf_addf(b, " %s=", key);
    add_escaped(b, value, "\\=");
}

static void add_number(struct eb_buf *b, const char *key, int64_t n)
{
    eb_buf_addf(b, " %s=%lld", key, (long long)n);
}

/* A custom field has its meaning beside it. */
static void add_labelled(struct eb_buf *b, const char *key, const char *label, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    eb_buf_addf(b, " %sLabel=%s", key, label);
    add_pair(b, key, value);
}

/* 0 to 10, as the format has it. */
static int severity(const struct audit_row *r, const json_t *data)
{
    static const struct { const char *outcome; int level; } outcomes[] = {
        { "succeeded", 3 }, { "refused", 5 }, { "expired", 5 }, { "cancelled", 3 }, { "failed", 6 }, { "partial", 6 }, { "unknown", 8 },
    };
    const char *outcome = eb_json_str(data, "outcome");

    for (size_t i = 0; outcome != NULL && i < EB_LEN(outcomes); i++)
        if (strcmp(outcome, outcomes[i].outcome) == 0)
            return outcomes[i].level;
    return strcmp(r->event, "operation") == 0 ? 3 : 6;      /* policy, tokens and erasures are changes of the rules */
}

static void add_operation(struct eb_buf *b, const json_t *data, const json_t *personal)
{
    add_pair(b, "act", eb_json_str(data, "name"));
    add_pair(b, "outcome", eb_json_str(data, "outcome"));
    add_pair(b, "reason", eb_json_str(data, "code"));
    add_pair(b, "suser", eb_json_str(data, "token"));
    add_pair(b, "duser", eb_json_str(personal, "userPrincipalName"));
    add_pair(b, "duid", eb_json_str(personal, "userId"));
    add_labelled(b, "cs1", "issue", eb_json_str(data, "issue"));
    add_labelled(b, "cs3", "rule", eb_json_str(data, "rule"));
    add_labelled(b, "cs4", "configuration", eb_json_str(data, "configuration"));
    add_labelled(b, "cs6", "group", eb_json_str(data, "groupId"));
    add_labelled(b, "flexString1", "requestId", eb_json_str(data, "requestId"));
    add_labelled(b, "flexString2", "changed", eb_json_bool(data, "changed", false) ? "true" : "false");
    add_pair(b, "msg", eb_json_str(personal, "message"));
}

void cef_line(const struct audit_row *r, const json_t *data, const json_t *personal, struct eb_buf *out)
{
    bool operation = strcmp(r->event, "operation") == 0;
    const char *name = operation ? eb_json_str(data, "name") : NULL, *outcome = operation ? eb_json_str(data, "outcome") : NULL;
    char *title = eb_asprintf("%s%s%s", name != NULL ? name : r->event, outcome != NULL ? " " : "", outcome != NULL ? outcome : "");

    eb_buf_str(out, "CEF:0|");
    add_head(out, "entrabridge");
    add_head(out, "entrabridge");
    add_head(out, EB_VERSION);
    add_head(out, name != NULL ? name : r->event);
    add_head(out, title);
    eb_buf_addf(out, "%d|rt=%lld", severity(r, data), (long long)r->time_ms);
    add_number(out, "externalId", r->number);
    if (operation) {
        add_operation(out, data, personal);
    } else {
        add_pair(out, "suser", eb_json_str(data, "by"));
        add_pair(out, "msg", r->data);
    }
    add_labelled(out, "cs2", "operation", r->operation);
    add_labelled(out, "cs5", "hash", r->hash);
    if (r->has_personal && r->personal == NULL)
        eb_buf_str(out, " cn1Label=erased cn1=1");
    free(title);
}
