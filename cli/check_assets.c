/* check_assets.c - what Assets and Graph told, judged for the synchronization. Pure: findings from answers. */
#include "cli/check.h"

#include "base/text.h"
#include "sync/record.h"

#include <string.h>

#define INCLUDED 50000              /* objects that Premium and Enterprise include; more by add-on (facts: Assets, limits) */
#define NEARLY 45000

void check_sync_permissions(struct check_report *r, const struct config *c, const struct check_clouds_told *t)
{
    static const char *const needed[] = { "User.Read.All", "GroupMember.Read.All" };
    size_t good = 0;

    if (!c->assets.wanted)
        return;
    for (size_t i = 0; i < EB_LEN(needed); i++) {
        bool granted = t->granted != NULL && check_covers(t->granted, needed[i]), refused = false, told = t->granted != NULL;
        for (size_t k = 0; k < CHECK_PROBES; k++)
            if (strcmp(t->probes[k].permission, needed[i]) == 0) {
                refused = t->probes[k].told == CHECK_REFUSED;
                told |= t->probes[k].told != CHECK_UNTOLD;
                granted |= t->granted == NULL && t->probes[k].told == CHECK_GRANTED;
            }
        if (refused || (told && !granted))
            check_say(r, CHECK_FAULT, "sync", "%s is missing: the synchronization cannot read the directory. Grant it to the app registration as an application "
                      "permission, with admin consent", needed[i]);
        else if (!told)
            check_say(r, CHECK_WARNING, "sync", "%s: whether it is granted cannot be told; the synchronization needs it", needed[i]);
        good += granted && !refused;
    }
    if (good == EB_LEN(needed))
        check_say(r, CHECK_OK, "sync", "the Graph permissions User.Read.All and GroupMember.Read.All are there");
}

const char *check_schema_listed(struct check_report *r, const json_t *page, const char *key)
{
    const json_t *s;
    size_t i;

    json_array_foreach(json_object_get(page, "values"), i, s)
        if (eb_streq(eb_json_str(s, "objectSchemaKey"), key)) {
            check_say(r, CHECK_OK, "assets", "the object schema %s is there: %s", key, eb_json_str(s, "name") != NULL ? eb_json_str(s, "name") : "?");
            return eb_json_str(s, "id");
        }
    return NULL;
}

/* As `sync init` and runs see it: a schema of something else is left alone. */
void check_schema_types(struct check_report *r, const char *key, const json_t *types)
{
    bool user = false, group = false;
    const json_t *t;
    size_t i;

    json_array_foreach(types, i, t) {
        user |= eb_strieq(eb_json_str(t, "name"), sync_kind_name(STAGE_USER));
        group |= eb_strieq(eb_json_str(t, "name"), sync_kind_name(STAGE_GROUP));
    }
    if (!user && !group && json_array_size(types) > 0)
        check_say(r, CHECK_FAULT, "assets", "the object schema %s holds other object types, so that it is left alone: set assets.schema_key to a key of our own, for which "
                  "`entrabridge sync init` makes a schema", key);
    else if (!user || !group)
        check_say(r, CHECK_WARNING, "assets", "the object schema %s lacks the object type %s: run `entrabridge sync init`", key, sync_kind_name(user ? STAGE_GROUP : STAGE_USER));
}

/* Who may not manage schemas may get an empty list instead of a refusal. */
void check_schema_missing(struct check_report *r, const char *key, bool any)
{
    check_say(r, CHECK_WARNING, "assets", "the object schema %s is not there yet%s: run `entrabridge sync init` while our account may make schemas (Jira administrators may, "
              "and whoever Assets' global configuration names)%s", key, any ? "" : ", or hidden from our account, which sees none at all",
              any ? "" : "; if it is there, give our account a role in it");
}

void check_usage(struct check_report *r, const json_t *usage, const char *why)
{
    int64_t total = eb_json_int(usage, "totalObjectsCount", -1);

    if (total < 0)
        check_say(r, CHECK_WARNING, "assets", "how many objects there are cannot be told, which no run depends on%s%s", why[0] != '\0' ? ": " : "", why);
    else if (total > NEARLY)
        check_say(r, CHECK_WARNING, "assets", "%lld objects: a Premium or Enterprise plan includes %d, and more cost extra or are refused", (long long)total, INCLUDED);
    else
        check_say(r, CHECK_OK, "assets", "%lld objects of the %d that a Premium or Enterprise plan includes", (long long)total, INCLUDED);
}

void check_import_state(struct check_report *r, const char *status)
{
    static const struct { const char *status; enum check_result result; const char *text; } rows[] = {
        { "IDLE", CHECK_OK, "the import source is ready for mass loads" },
        { "MISSING_MAPPING", CHECK_OK, "the import source is ready; the first mass load brings its mapping" },
        { "RUNNING", CHECK_WARNING, "an import runs on the import source now; a mass load would wait for its end" },
        { "DISABLED", CHECK_FAULT, "the import source is switched off: switch it on in the schema's configuration, under Import, or take assets.import_token away" },
    };

    for (size_t i = 0; i < EB_LEN(rows); i++)
        if (eb_streq(rows[i].status, status)) {
            check_say(r, rows[i].result, "import", "%s", rows[i].text);
            return;
        }
    check_say(r, CHECK_WARNING, "import", "the import source is in a state that is not known here: %s", status != NULL ? status : "none was told");
}
