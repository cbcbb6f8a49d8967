/* jira_accounts.c - GET /rest/api/3/users/search: every account in pages, and POST /sim/accounts, which changes them.
 *
 * As in life a page may be shorter than asked for, the end is an empty array, and an address may be missing or "".
 */
#include "sim/control.h"
#include "sim/jira.h"
#include "sim/odata.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT 50
#define PAGE_MOST 1000

/* What one row of the answer says; all borrowed. */
struct row { const char *id, *type, *name, *email; bool active; };

static void put_avatars(struct eb_buf *out)
{
    static const char *const sizes[] = { "48", "32", "24", "16" };

    for (size_t i = 0; i < EB_LEN(sizes); i++) {
        eb_buf_str(out, i == 0 ? ",\"avatarUrls\":{\"" : ",\"");
        eb_buf_str(out, sizes[i]);
        eb_buf_str(out, "x");
        eb_buf_str(out, sizes[i]);
        eb_buf_str(out, "\":\"https://avatar.example/default/");
        eb_buf_str(out, sizes[i]);
        eb_buf_str(out, "\"");
    }
    eb_buf_str(out, "}");
}

static void put_row(struct eb_buf *out, const struct sim_call *c, const struct row *row)
{
    eb_buf_str(out, "{\"self\":\"");
    eb_buf_str(out, c->base_url);
    eb_buf_str(out, "/rest/api/3/user?accountId=");
    eb_buf_str(out, row->id);
    eb_buf_str(out, "\",\"accountId\":");
    odata_write_text(out, row->id);
    eb_buf_str(out, ",\"accountType\":\"");
    eb_buf_str(out, row->type);
    eb_buf_str(out, "\",\"displayName\":");
    odata_write_text(out, row->name);
    eb_buf_str(out, row->active ? ",\"active\":true" : ",\"active\":false");
    eb_buf_str(out, ",\"timeZone\":\"Europe/Berlin\",\"locale\":\"en_US\"");
    if (row->email != NULL) {
        eb_buf_str(out, ",\"emailAddress\":");
        odata_write_text(out, row->email);
    }
    put_avatars(out);
    eb_buf_str(out, "}");
}

static void put_account(struct eb_buf *out, const struct sim_call *c, const struct tracker_account *a)
{
    const char *hidden = a->email_empty ? "" : NULL;
    struct row row = { a->id, a->type, a->name, a->email_hidden ? hidden : a->email, a->active };

    put_row(out, c, &row);
}

static void put_numbered(struct eb_buf *out, const struct sim_call *c, const struct company *company, uint32_t number)
{
    char id[64] = TRACKER_ACCOUNT_PREFIX, name[COMPANY_TEXT_MAX], mail[COMPANY_TEXT_MAX];
    struct company_person p;
    struct row row = { .id = id, .type = "atlassian" };

    company_person(company, number, &p);
    struct company_account a = company_account(&p);
    company_id(number, id + strlen(TRACKER_ACCOUNT_PREFIX));
    company_value(&p, COMPANY_DISPLAY_NAME, name, &row.name);
    company_value(&p, COMPANY_MAIL, mail, &row.email);
    if (a.hidden)
        row.email = a.empty_address ? "" : NULL;
    row.active = a.active;
    put_row(out, c, &row);
}

void jira_users_search(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct jira_page page = jira_page(c, "startAt", "maxResults", PAGE_DEFAULT, PAGE_MOST);
    size_t count = tracker_account_count(s->tracker), size = (size_t)page.size;
    struct eb_buf b = EB_BUF(MiB(8));

    if (s->no_browse_users) {
        atlassian_error(r, 403, NULL, "You do not have permission to browse users.");
        return;
    }
    if (s->opt.jira_users_page > 0 && size > (size_t)s->opt.jira_users_page)
        size = (size_t)s->opt.jira_users_page;
    eb_buf_str(&b, "[");
    for (size_t i = (size_t)page.start; i < count && i < (size_t)page.start + size; i++) {
        uint32_t number;
        const struct tracker_account *a = tracker_account_at(s->tracker, i, &number);
        if (i > (size_t)page.start)
            eb_buf_str(&b, ",");
        if (a != NULL)
            put_account(&b, c, a);
        else
            put_numbered(&b, c, &s->entra->company, number);
    }
    eb_buf_str(&b, "]");
    sim_reply_text(r, 200, eb_buf_take(&b));
}

static const char *type_of(const char *name)
{
    static const char *const types[] = { "atlassian", "app", "customer", "unknown" };

    for (size_t i = 0; i < EB_LEN(types); i++)
        if (eb_streq(types[i], name))
            return types[i];
    return NULL;
}

static void set_text(char **at, const json_t *from, const char *name)
{
    if (json_object_get(from, name) == NULL)
        return;
    free(*at);
    *at = eb_strdup(eb_json_str(from, name));
}

static bool put_one(struct sim *s, const json_t *from, json_t *done, struct eb_err *err)
{
    const char *id = eb_json_str(from, "accountId"), *type = type_of(eb_json_str(from, "accountType"));
    struct tracker_account *a = id != NULL ? tracker_account(s->tracker, id) : NULL;

    if (id == NULL || strlen(id) >= sizeof(a->id) || (eb_json_str(from, "accountType") != NULL && type == NULL))
        return eb_fail(err, EB_INVALID_REQUEST, "accountId, and accountType one of atlassian, app, customer, unknown");
    if (a == NULL)
        a = tracker_account_put(s->tracker, id, "New Account", NULL, "atlassian");
    a->type = type != NULL ? type : a->type;
    if (eb_json_str(from, "displayName") != NULL)
        set_text(&a->name, from, "displayName");
    set_text(&a->email, from, "emailAddress");
    a->active = eb_json_bool(from, "active", a->active);
    a->email_hidden = eb_json_bool(from, "emailHidden", a->email_hidden);
    a->email_empty = eb_json_bool(from, "emailEmpty", a->email_empty);
    json_array_append_new(done, json_pack("{s:s, s:s, s:s, s:s?, s:b, s:b, s:b}", "accountId", a->id, "accountType", a->type, "displayName", a->name,
                                          "emailAddress", a->email, "active", a->active, "emailHidden", a->email_hidden, "emailEmpty", a->email_empty));
    return true;
}

void control_put_accounts(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    control_put_all(s, c, r, "accounts", put_one);
}
