/* entra_options.c - what the configuration means for reading and judging, in the form in which it is used and compared. */
#include "sync/entra.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 50000         /* of one phase: 50 million users; a list that leads on for longer never ends */
#define CONFIRM_MAX 5000        /* 250 batches */
#define RECORDS_VERSION "1"     /* another one where records of the same directory come out differently: all are made anew */
#define USERS_BASE "id,displayName,mail,userPrincipalName,userType,accountEnabled"
#define GROUPS_BASE "id,displayName,mail,groupTypes,mailEnabled,securityEnabled"
#define EXTENSIONS "onPremisesExtensionAttributes"

static bool is_in(const char *select, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = select; (at = strstr(at, name)) != NULL; at += len)
        if ((at == select || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
            return true;
    return false;
}

/* extensionAttribute1 to 15 stand in an object of their own, which is asked for as a whole. */
static void add(struct eb_buf *b, const char *name)
{
    const char *asked = strncmp(name, "extensionAttribute", 18) == 0 ? EXTENSIONS : name;

    if (!is_in(b->data, asked))
        eb_buf_addf(b, ",%s", asked);
}

static char *select_of(const struct config_sync *c, const struct sync_schema *s, enum stage_kind kind)
{
    struct eb_buf b = EB_BUF(KiB(6));

    eb_buf_str(&b, kind == STAGE_USER ? USERS_BASE : GROUPS_BASE);
    for (size_t i = 0; i < s->count; i++)
        if (s->attributes[i].kind == kind && s->attributes[i].from != NULL)
            add(&b, s->attributes[i].from);
    for (size_t i = 0; kind == STAGE_USER && i < c->filter_count; i++)
        add(&b, c->filters[i].attribute);
    return eb_buf_take(&b);
}

/* Each part with its length, so that no two lists look alike. */
static void add_part(struct eb_buf *b, const char *text)
{
    eb_buf_addf(b, "%zu:%s;", text != NULL ? strlen(text) : 0, text != NULL ? text : "");
}

static void add_list(struct eb_buf *b, const struct config_list *list)
{
    eb_buf_addf(b, "%zu[", list->count);
    for (size_t i = 0; i < list->count; i++)
        add_part(b, list->items[i]);
}

static void hash(struct eb_buf *b, char out[33])
{
    char hex[EB_HEX_LEN];

    eb_sha256_hex(b->data, b->len, hex);
    memcpy(out, hex, 32);
    out[32] = '\0';
    eb_buf_free(b);
}

static void hash_reading(struct entra_options *o)
{
    struct eb_buf b = EB_BUF(KiB(64));

    eb_buf_addf(&b, "%d %d;", o->accounts_first, o->groups_read);
    add_part(&b, o->users_select);
    add_part(&b, o->groups_select);
    hash(&b, o->read_hash);
}

static void hash_judging(struct entra_options *o)
{
    const struct config_sync *c = o->sync;
    struct eb_buf b = EB_BUF(MiB(4));

    eb_buf_addf(&b, RECORDS_VERSION " %d %d %d %d;", o->accounts_first, c->guests, c->accounts, c->groups_wanted);
    add_list(&b, &c->member_of);
    add_list(&b, &c->groups);
    for (size_t i = 0; i < c->filter_count; i++) {
        add_part(&b, c->filters[i].attribute);
        add_part(&b, c->filters[i].matches);
    }
    for (size_t i = 0; i < o->schema->count; i++) {
        add_part(&b, o->schema->attributes[i].name);
        add_part(&b, o->schema->attributes[i].from);
        eb_buf_addf(&b, "%d;", o->schema->attributes[i].type);
    }
    hash(&b, o->judge_hash);
}

struct entra_options *entra_options_new(const struct config_sync *c, const struct sync_schema *schema)
{
    struct entra_options *o = eb_alloc(sizeof(*o));

    o->sync = c;
    o->schema = schema;
    o->accounts_first = c->mode == CONFIG_ACCOUNTS_FIRST;
    o->groups_read = c->groups_wanted || c->member_of.count > 0;
    o->users_select = select_of(c, schema, STAGE_USER);
    o->groups_select = select_of(c, schema, STAGE_GROUP);
    o->pages_max = PAGES_MAX;
    o->confirm_max = CONFIRM_MAX;
    hash_reading(o);
    hash_judging(o);
    return o;
}

void entra_options_free(struct entra_options *o)
{
    if (o == NULL)
        return;
    free(o->users_select);
    free(o->groups_select);
    free(o);
}
