/* fuzz_config.c - the configuration file, by its shape: no secret is read. Accepted: a file that loads. */
#include "config/config.h"
#include "config/envelope.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <unistd.h>

static const char *const kinds[] = {
    "group.add_member", "group.remove_member", "user.disable", "user.update", "user.create", "user.invite", "user.get", NULL
};
static const char *const field_names[] = { "issue", "reason", "user", "group", "attributes", "password", "expiresIn", "accountEnabled", NULL };
static const struct config_names vocabulary = { kinds, field_names };
static char path[] = "/tmp/entrabridge-fuzz-config.XXXXXX";
static int file = -1;

bool fuzz_accepted;

static void remove_file(void)
{
    unlink(path);
}

static void put_file(const uint8_t *data, size_t len)
{
    if (file < 0) {
        file = mkstemp(path);
        assert(file >= 0);
        atexit(remove_file);
    }
    ssize_t written = pwrite(file, data, len, 0);
    int cut = ftruncate(file, (off_t)len);
    assert(written == (ssize_t)len && cut == 0);
}

/* What a loaded rule may rely on. */
static void check_conditions(const struct config_conditions *k, const struct config_projects *p)
{
    assert(!p->all || (!k->approval && k->requester == CONFIG_REQUESTER_UNASKED));
    assert(k->approval || (k->approvals == 0 && k->approvers == NULL && k->approval_max_age_ms == 0 && k->bind.count == 0));
    assert((k->requester == CONFIG_REQUESTER_GROUP) == (k->requester_group != NULL));
    for (size_t i = 0; i < k->bind.count; i++)
        assert(*k->bind.items[i].name != '\0' && *k->bind.items[i].value != '\0');
}

static void check_policy(const struct config_policy *p)
{
    for (size_t i = 0; i < p->group_count; i++)
        check_conditions(&p->groups[i].conditions, &p->groups[i].projects);
    for (size_t i = 0; i < p->operation_count; i++) {
        const struct config_operation_rule *o = &p->operations[i];
        check_conditions(&o->conditions, &o->projects);
        assert(!o->issue_optional || (!o->conditions.approval && o->conditions.requester == CONFIG_REQUESTER_UNASKED));
        assert(o->password_length >= 12 && o->password_length <= 256);
    }
    for (size_t i = 0; i < p->duty_count; i++)
        assert(p->duties[i].groups.count >= 2);
}

/* What the envelope may rely on: each name once, none of its own among them. */
static void check_compat(const struct config_compat *k)
{
    const struct config_pairs *tables[] = { &k->routes, &k->fields };

    for (size_t t = 0; t < EB_LEN(tables); t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            assert(*tables[t]->items[i].value != '\0' && (t == 1 || envelope_route(tables[t]->items[i].name) == NULL));
            for (size_t j = 0; j < i; j++)
                assert(!envelope_same(tables[t]->items[i].name, tables[t]->items[j].name));
        }
}

/* What a synchronization may rely on. */
static void check_sync(const struct config *c)
{
    const struct config_sync *s = &c->sync;

    assert(c->assets.api_url != NULL && c->assets.schema_key != NULL && s->stage != NULL);
    assert(s->every_ms == 0 || (s->every_ms >= 300000 && s->jitter_ms < s->every_ms));
    assert(s->at_minute >= -1 && s->at_minute < 24 * 60 && (s->at_minute < 0 || s->every_ms >= 86400000));
    for (size_t i = 0; i < s->filter_count; i++)
        assert(s->filters[i].attribute != NULL && s->filters[i].matches != NULL);
    for (size_t i = 0; i < s->attribute_count; i++)
        assert(s->attributes[i].name != NULL && s->attributes[i].from != NULL && s->attributes[i].type >= 0 && s->attributes[i].type <= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct eb_buf faults = EB_BUF(KiB(64));
    struct config *c = NULL;

    put_file(data, len);
    fuzz_accepted = config_load(path, &vocabulary, CONFIG_SHAPE, &c, &faults);
    if (fuzz_accepted) {
        assert(c != NULL && c->store_url != NULL && c->entra.graph_url != NULL && strlen(c->hash) == 64);
        check_policy(&c->policy);
        check_compat(&c->compat);
        check_sync(c);
        config_unref(c);
    } else {
        assert(c == NULL && faults.len > 0 && strncmp(faults.data, path, strlen(path)) == 0);
    }
    eb_buf_free(&faults);
    return 0;
}
