/* delta_token.c - tokens of delta: made, read, refused.
 *
 * A token is of one process and one state (epoch, generation): after a reset, or once too old, the reader starts over with 410.
 */
#include "sim/delta_token.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX (sizeof(struct delta_token) + 512)

static const char *collection(enum entra_kind kind)
{
    return kind == ENTRA_USER ? "users" : "groups";
}

char *delta_link(const struct sim_call *c, const struct delta_token *t)
{
    char *text = eb_asprintf("%d,%d,%d,%u,%u,%u,%llu,%llu,%lld,%u,%u,%s|%s", (int)t->kind, t->next, (int)t->phase, t->page, t->at, t->edge,
                             (unsigned long long)t->place, (unsigned long long)t->end, (long long)t->issued_ms, t->epoch, t->generation, t->select, t->ids);
    char *token = eb_alloc(strlen(text) * 4 / 3 + 8);

    token[eb_b64u_encode(text, strlen(text), token)] = '\0';
    char *link = eb_asprintf("%s/%s/delta?%s=%s", c->base_url, collection(t->kind), t->next ? "$skiptoken" : "$deltatoken", token);
    free(text);
    free(token);
    return link;
}

static bool decode(const char *token, struct delta_token *ret)
{
    uint8_t text[TEXT_MAX + 4];
    struct eb_err ignored = { 0 };
    unsigned long long place, end;
    long long issued;
    int kind, next, phase, used = 0;
    size_t len;

    if (strlen(token) / 4 * 3 > TEXT_MAX || !eb_b64u_decode(token, strlen(token), text, &len, &ignored))
        return false;
    text[len] = '\0';
    if (sscanf((char *)text, "%d,%d,%d,%u,%u,%u,%llu,%llu,%lld,%u,%u,%n", &kind, &next, &phase, &ret->page, &ret->at, &ret->edge, &place, &end,
               &issued, &ret->epoch, &ret->generation, &used) != 11 || used == 0)
        return false;
    const char *select = (char *)text + used, *bar = strchr(select, '|');
    if (bar == NULL || (size_t)(bar - select) >= sizeof(ret->select) || strlen(bar + 1) >= sizeof(ret->ids) || phase < 0 || phase > DELTA_DONE)
        return false;
    memcpy(ret->select, select, (size_t)(bar - select));
    ret->select[bar - select] = '\0';
    strcpy(ret->ids, bar + 1);
    ret->kind = (enum entra_kind)kind;
    ret->next = next != 0;
    ret->phase = (enum delta_phase)phase;
    ret->place = place;
    ret->end = end;
    ret->issued_ms = issued;
    return true;
}

/* "Start over": https://learn.microsoft.com/graph/delta-query-overview#synchronization-reset; the 400 is as seen in the field. */
static void gone(struct sim *s, struct sim_call *c, const struct delta_token *t, struct sim_reply *r)
{
    if (s->delta.gone == SIM_GONE_TOO_OLD) {
        odata_error(c, r, 400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported.");
        return;
    }
    bool resync = s->delta.gone == SIM_GONE_RESYNC;
    odata_error(c, r, 410, resync ? "resyncRequired" : "syncStateNotFound",
                resync ? "The delta token is no longer valid; start over with a full synchronization." : "The sync state generation is not found.");
    bool select = t->select[0] != '\0' && strlen(t->select) < SIM_HEADER_VALUE_MAX - 300;
    sim_reply_header(r, "Location", "%s/%s/delta?%s%s%s$deltatoken=", c->base_url, collection(t->kind), select ? "$select=" : "", select ? t->select : "",
                     select ? "&" : "");
}

static bool is_fresh(const struct sim *s, const struct delta_token *t)
{
    bool read = t->phase != DELTA_CHANGES || t->place >= s->entra->log.first;

    return t->epoch == s->delta.epoch && t->generation == s->delta.generation && eb_now_ms() - t->issued_ms < s->delta.life_s * 1000 && read;
}

static bool refused_option(struct sim_call *c, struct sim_reply *r)
{
    static const char *const refused[] = { "$top", "$expand", "$orderby", "$search", "$count", "$skip" };

    for (size_t i = 0; i < EB_LEN(refused); i++)
        if (sim_call_query(c, refused[i]) != NULL) {
            odata_error(c, r, 400, "Request_UnsupportedQuery", "The query option '%s' is not supported with delta.", refused[i]);
            return true;
        }
    return false;
}

/* $filter=id eq '…' or id eq '…': the only one there is. */
static bool read_ids(struct sim_call *c, struct delta_token *t, struct sim_reply *r)
{
    struct sim_filter_key keys[DELTA_IDS_MAX];
    struct sim_filter *f;
    size_t n = 0;

    if (!odata_filter(c, false, &f, r))
        return false;
    bool good = f == NULL || sim_filter_keys(f, keys, EB_LEN(keys), &n);
    for (size_t i = 0; i < n && good; i++) {
        good = strcmp(keys[i].property, "id") == 0 && eb_is_guid(keys[i].value);
        if (good)
            strcat(strcat(t->ids, keys[i].value), " ");
    }
    sim_filter_free(f);
    if (!good)
        odata_error(c, r, 400, "Request_UnsupportedQuery", "Only ids, at most 50, can be filtered by in delta.");
    return good;
}

static bool first_round(struct sim *s, struct sim_call *c, struct delta_token *t, struct sim_reply *r)
{
    const char *select = sim_call_query(c, "$select");

    t->place = t->end = entra_log_end(&s->entra->log);
    t->issued_ms = eb_now_ms();
    t->epoch = s->delta.epoch;
    t->generation = s->delta.generation;
    if (select != NULL && (strlen(select) >= sizeof(t->select) || strchr(select, '|') != NULL)) {
        odata_bad_request(c, r, "$select is too long.");
        return false;
    }
    strcpy(t->select, select != NULL ? select : "");
    return read_ids(c, t, r);
}

bool delta_token_read(struct sim *s, struct sim_call *c, enum entra_kind kind, struct delta_token *ret, struct sim_reply *r)
{
    const char *next = sim_call_query(c, "$skiptoken"), *token = next != NULL ? next : sim_call_query(c, "$deltatoken");

    *ret = (struct delta_token){ .kind = kind };
    if (refused_option(c, r))
        return false;
    if (token == NULL || *token == '\0' || strcmp(token, "latest") == 0) {
        ret->phase = token != NULL && *token != '\0' ? DELTA_DONE : DELTA_ALL;
        return first_round(s, c, ret, r);
    }
    if (c->query_count != 1 || !decode(token, ret) || ret->kind != kind || ret->next != (next != NULL)) {
        odata_error(c, r, 400, "Request_BadRequest", "Badly formed token, or a link of delta that was changed.");
        return false;
    }
    if (!is_fresh(s, ret)) {
        gone(s, c, ret, r);
        return false;
    }
    if (!ret->next) {                       /* the next round, as far as the log goes now */
        ret->end = entra_log_end(&s->entra->log);
        ret->issued_ms = eb_now_ms();
        ret->page = 0;
    }
    return true;
}

bool delta_wants_id(const struct delta_token *t, const char *id)
{
    return t->ids[0] == '\0' || strcasestr(t->ids, id) != NULL;
}

bool delta_select_read(struct sim_call *c, const struct delta_token *t, struct delta_select *ret, struct sim_reply *r)
{
    const struct { enum entra_kind kind; const char *name; bool *at; } links[] = {
        { ENTRA_USER, "manager", &ret->manager }, { ENTRA_GROUP, "members", &ret->members }, { ENTRA_GROUP, "owners", &ret->owners },
    };
    char columns[sizeof(t->select) + 8] = "id", work[sizeof(t->select)], *save = NULL;

    ret->manager = ret->owners = false;
    ret->members = t->select[0] == '\0';
    ret->columns.n = 0;
    if (t->select[0] == '\0')
        return true;
    strcpy(work, t->select);
    for (char *p = strtok_r(work, ", ", &save); p != NULL; p = strtok_r(NULL, ", ", &save)) {
        size_t i = 0;
        while (i < EB_LEN(links) && (links[i].kind != t->kind || strcmp(links[i].name, p) != 0))
            i++;
        if (i < EB_LEN(links))
            *links[i].at = true;
        else if (strcmp(p, "id") != 0)
            strcat(strcat(columns, ","), p);
    }
    return odata_select_text(c, t->kind, columns, &ret->columns, r);
}
