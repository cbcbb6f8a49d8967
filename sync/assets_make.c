/* assets_make.c - what `sync init` makes: the bodies of schema, object types, statuses, kinds of references and attributes. Pure, but for the list of what was made.
 *
 * Invariant: a body holds all that Assets wants (facts: data model): defaultTypeId of plain attributes, typeValue and additionalValue of references.
 */
#include "sync/assets_target.h"

#include "base/text.h"

#include <stdlib.h>

json_t *assets_make_schema(const char *key, const char *name)
{
    return eb_need(json_pack("{s:s, s:s, s:s}", "name", name, "objectSchemaKey", key, "description",
                             "Users and groups of Microsoft Entra ID, kept true by entrabridge"));
}

/* The icon that suits best by its name; else the first. */
static const char *choose_icon(enum stage_kind kind, const json_t *icons)
{
    static const char *const wanted[STAGE_KINDS][4] = {
        [STAGE_USER] = { "User", "Employee", "Person", "Users" }, [STAGE_GROUP] = { "Group", "Users", "Team", "Users (2)" },
    };
    const json_t *icon;
    size_t i;

    for (size_t w = 0; w < EB_LEN(wanted[kind]); w++)
        json_array_foreach(icons, i, icon)
            if (eb_strieq(eb_json_str(icon, "name"), wanted[kind][w]) && eb_json_str(icon, "id") != NULL)
                return eb_json_str(icon, "id");
    return eb_json_str(json_array_get(icons, 0), "id");
}

json_t *assets_make_type(enum stage_kind kind, const char *schema_id, const json_t *icons)
{
    const char *icon = choose_icon(kind, icons);

    return eb_need(json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "name", sync_kind_name(kind), "description",
                             kind == STAGE_USER ? "A user of Microsoft Entra ID" : "A group of Microsoft Entra ID", "iconId", icon != NULL ? icon : "1",
                             "objectSchemaId", schema_id, "inherited", 0, "abstractObjectType", 0));
}

json_t *assets_make_relation(const char *name, const char *schema_id)
{
    return eb_need(json_pack("{s:s, s:s, s:s, s:s}", "name", name, "description", "", "color", "42526E", "objectSchemaId", schema_id));
}

json_t *assets_make_status(bool active, const char *schema_id)
{
    return eb_need(json_pack("{s:s, s:s, s:i, s:s}", "name", active ? "Active" : "Inactive", "description", "", "category", active ? 1 : 0,
                             "objectSchemaId", schema_id));
}

json_t *assets_make_attribute(const struct assets_target *t, const struct assets_column *c, const char *relation_id)
{
    const struct assets_form *f = assets_form(c->type);
    json_t *body = eb_need(json_pack("{s:s, s:s, s:i, s:i, s:i}", "name", c->name, "description", c->help != NULL ? c->help : "", "type", f->type,
                                     "minimumCardinality", 0, "maximumCardinality", c->many ? -1 : 1));

    if (f->type == 0)
        json_object_set_new(body, "defaultTypeId", json_integer(f->plain));
    if (c->type == SYNC_URL)
        json_object_set_new(body, "additionalValue", json_string("DISABLED"));     /* no pings */
    if (c->type == SYNC_REFERENCE) {
        json_object_set_new(body, "typeValue", json_string(t->ids.type[c->to]));
        json_object_set_new(body, "additionalValue", json_string(relation_id != NULL ? relation_id : ""));
    }
    if (c->identity)
        json_object_set_new(body, "uniqueAttribute", json_true());
    return body;
}

void assets_make_refused(const char *what, bool no_schema_seen, const struct assets_reply *r, struct eb_err *err)
{
    *err = r->err;
    if (r->result == ASSETS_IN_DOUBT)
        (void)eb_fail(err, r->err.code, "%s may have been made or not: no usable answer came. Run `entrabridge sync init` again; what is there is found. (%.200s)", what, r->err.text);
    else if ((r->result == ASSETS_REFUSED || r->result == ASSETS_DENIED) && no_schema_seen)
        (void)eb_fail(err, r->err.code, "%s could not be made, and our account sees no schema at all: it may be there already, hidden. Give the account the role \"Object schema "
                      "managers\" in that schema, or let a Jira administrator make it. (%.230s)", what, r->err.text);
    else if (r->result == ASSETS_REFUSED || r->result == ASSETS_DENIED)
        (void)eb_fail(err, r->err.code, "%s could not be made: the account needs to be a Jira administrator (for a schema), or to have the role \"Object schema managers\" in the "
                      "schema. (%.250s)", what, r->err.text);
}

void assets_made(struct assets_target *t, const char *what, const char *name, const char *where)
{
    char *text = eb_asprintf("%s \"%s\" (%s)", what, name, where);

    json_array_append_new(t->made, json_string(text));
    free(text);
}
