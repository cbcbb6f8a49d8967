/* reply.c - what an answer of Assets means, and its own words. Pure.
 *
 * Invariant: a write counts as done by a 2xx only, as not done by a refusal or a 429 only; everything else is in doubt.
 */
#include "assets/internal.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define ATTRIBUTE "rlabs-insight-attribute-"

void assets_error_words(const json_t *body, char *out, size_t size)
{
    const char *text = json_string_value(json_array_get(json_object_get(body, "errorMessages"), 0));
    json_t *errors = json_object_get(body, "errors");

    if (text == NULL && json_is_object(errors))
        text = json_string_value(json_object_iter_value(json_object_iter(errors)));
    if (text == NULL)
        text = eb_json_str(body, "errorCode");
    if (text == NULL)
        text = eb_json_str(body, "message");
    eb_text_clean(text != NULL ? text : "it did not say why", out, size);
}

bool assets_error_attribute(const json_t *body, char id[32])
{
    const char *name;
    json_t *value, *errors = json_object_get(body, "errors");

    json_object_foreach(errors, name, value) {
        const char *number = name + strlen(ATTRIBUTE);
        if (strncmp(name, ATTRIBUTE, strlen(ATTRIBUTE)) != 0 || number[0] == '\0' || strlen(number) > 31)
            continue;
        eb_text_clean(number, id, 32);
        return true;
    }
    return false;
}

static void denied(const struct assets_row *row, int status, const char *words, struct eb_err *err)
{
    if (status == 401 && row->import)
        (void)eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets does not accept the token of the import source (401): make a new one in the schema's import "
                      "configuration and put it where assets.import_token points.");
    else if (status == 401)
        (void)eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets does not accept our credentials (401): check jira.email and jira.api_token, and that assets.api_url "
                      "suits the token: one with scopes works at https://api.atlassian.com/ex/jira/{cloudId} only.");
    else
        (void)eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets refuses the call %s (403): the account of jira.api_token lacks a role in Assets%s%s. Assets says: %s",
                      row->name, row->scope != NULL ? ", or its token the scope " : "", row->scope != NULL ? row->scope : "", words);
}

/* A status that is no success. */
static void refused(const struct assets_row *row, int status, const json_t *doc, struct assets_reply *r)
{
    char words[256];

    assets_error_words(doc, words, sizeof(words));
    r->result = ASSETS_REFUSED;
    if (status == 401 || status == 403) {
        r->result = ASSETS_DENIED;
        denied(row, status, words, &r->err);
    } else if (status == 404) {
        (void)eb_fail(&r->err, EB_NOT_THERE, "Assets does not know it, or hides it from our account (404). Assets says: %s", words);
    } else if (status == 429) {
        r->result = ASSETS_NOT_SENT;
        (void)eb_fail(&r->err, EB_JIRA_UNAVAILABLE, "Assets throttles our calls (429), for longer than we wait.");
    } else if (status >= 400 && status < 500 && status != 408) {
        (void)eb_fail(&r->err, EB_INVALID_REQUEST, "Assets refuses the call %s (%d): %s", row->name, status, words);
    } else {
        r->result = ASSETS_IN_DOUBT;
        (void)eb_fail(&r->err, EB_JIRA_UNAVAILABLE, "Assets answered %d to %s: %s", status, row->name, words);
    }
}

/* A glance, as outbound's: who parses the bytes decides. */
static bool is_object(struct eb_span b)
{
    size_t first = 0;

    while (first < b.len && memchr(" \t\r\n", b.p[first], 4) != NULL)
        first++;
    return first < b.len && b.p[first] == '{';
}

void assets_judge(const struct assets_row *row, const struct outbound_reply *o, const json_t *doc, struct assets_reply *r)
{
    r->status = o->status;
    r->result = ASSETS_OK;
    r->body = doc;
    if (o->result != OUTBOUND_ANSWERED) {
        r->result = o->result == OUTBOUND_NOT_SENT ? ASSETS_NOT_SENT : ASSETS_IN_DOUBT;
        r->err = o->err;
        return;
    }
    if (row->background && o->status == 303) {
        r->location = o->location;
        return;
    }
    if (row->gone_is_done && o->status == 404)
        return;
    if (o->status < 200 || o->status >= 300) {
        refused(row, o->status, doc, r);
        return;
    }
    if (row->answer == ASSETS_ANSWER_BYTES)
        r->bytes = o->body;
    if ((row->answer == ASSETS_ANSWER_JSON && doc == NULL) || (row->answer == ASSETS_ANSWER_BYTES && !is_object(o->body))) {
        r->result = ASSETS_IN_DOUBT;
        (void)eb_fail(&r->err, EB_JIRA_UNAVAILABLE, "Assets answered %d to %s with something that is not its JSON: check assets.api_url, and whether a "
                      "proxy stands in between.", o->status, row->name);
    }
}
