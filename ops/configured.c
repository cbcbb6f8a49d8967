/* configured.c - a changed configuration is an audit row: which policy was in force when is a part of the proof.
 *
 * The hash in force stands among the pins, so that a start or a reload without a change adds nothing.
 */
#include "ops/runner.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/pin.h"

#include <stdlib.h>
#include <string.h>

struct configured_job { struct ops *ops; struct config *config; };

static char *audit_text(const struct configured_job *j, const char *previous)
{
    json_t *o = json_pack("{s:s, s:s?, s:i, s:i}", "configuration", j->config->hash, "previous", previous,
                          "serviceableGroups", (int)j->config->policy.group_count, "operations", (int)j->config->policy.operation_count);
    char *text = eb_json_text(o);

    json_decref(o);
    return text;
}

static bool configured_job(struct db *db, void *arg, struct eb_err *err)
{
    struct configured_job *j = arg;
    char before[64] = "", now[64];      /* of the hash as much as a pin holds: it tells versions apart */
    struct eb_err none = { 0 };
    bool known = pin_get(db, "configuration", "policy", before, &none);

    if (!known && none.code != EB_NOT_THERE) {
        *err = none;
        return false;
    }
    snprintf(now, sizeof now, "%.63s", j->config->hash);
    if (known && strcmp(before, now) == 0)
        return true;

    char *text = audit_text(j, known ? before : NULL);
    bool ok = pin_replace(db, "configuration", "policy", now, eb_now_ms(), err) &&
              audit_add(db, auth_key(j->ops->parts.keys, "audit"), eb_now_ms(), "policy", NULL, text, NULL, err);
    free(text);
    return ok;
}

static void configured(void *arg, const struct eb_err *err)
{
    struct configured_job *j = arg;

    if (err != NULL)
        eb_error(NULL, "the change of the configuration has no audit row: %s", err->text);
    config_unref(j->config);
    free(j);
}

void ops_note_configuration(struct ops *o)
{
    struct configured_job *j = eb_alloc(sizeof *j);

    j->ops = o;
    j->config = config_ref(o->config);
    store_submit(o->parts.store, configured_job, j, configured);
}
