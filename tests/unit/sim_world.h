/* sim_world.h - a whole simulated world for a test, and calls to it without a socket. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/control.h"
#include "sim/counters.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define USER(nn) "a0000000-0000-4000-8000-0000000000" nn
#define GROUP(nn) "b0000000-0000-4000-8000-0000000000" nn
#define LINK(nn) "{\"@odata.id\": \"https://graph.microsoft.com/v1.0/directoryObjects/" USER(nn) "\"}"

/* The whole state, made anew for each test; the answer of the last call. */
struct world {
    struct event_base *base;
    struct sim *sim;
    struct sim_reply reply;
    char token[SIM_TOKEN_LEN + 8];
    bool minimal;                   /* calls say Prefer: return=minimal */
    enum sim_priority priority;
    const char *bearer;             /* in place of the usual one */
};

/* With these options of the command line; the last one is NULL. */
static inline int setup_with(void **state, const char *const *options)
{
    struct world *w = eb_alloc(sizeof(*w));
    struct sim_options opt;
    struct eb_err err = { 0 };
    char *argv[16], token[SIM_TOKEN_LEN];
    int argc = 0;

    argv[argc++] = strdup("sim");
    while (*options != NULL)
        argv[argc++] = strdup(*options++);
    assert_true(sim_options_parse(argc, argv, &opt, &err));
    while (argc > 0)
        free(argv[--argc]);         /* numbers only: nothing points there */
    w->base = event_base_new();
    w->sim = sim_new(&opt, w->base);
    EB_AUTO(json_t, json_decref) claims = json_object();
    sim_tokens_issue(w->sim->tokens, 60, claims, token);
    snprintf(w->token, sizeof(w->token), "Bearer %s", token);
    *state = w;
    return 0;
}

static inline int setup(void **state)
{
    static const char *const none[] = { NULL };

    return setup_with(state, none);
}

static inline int teardown(void **state)
{
    struct world *w = *state;

    sim_reply_clear(&w->reply);
    sim_free(w->sim);
    event_base_free(w->base);
    free(w);
    return 0;
}

/* An answer that was written as text becomes a tree. */
static inline void reply_parse(struct world *w)
{
    if (w->reply.text_is_json)
        sim_reply_json(&w->reply, w->reply.status, sim_reply_tree(&w->reply));
}

/* Sends one call to its cloud; the answer stays in w->reply. */
static inline int call(struct world *w, const char *method, const char *target, const char *body)
{
    struct sim_call c = { 0 };
    const char *jira = w->bearer != NULL ? w->bearer : "Bearer sim-jira-token";

    sim_reply_clear(&w->reply);
    snprintf(c.method, sizeof(c.method), "%s", method);
    assert_true(sim_call_target(&c, target));
    c.cloud = sim_classify(target);
    snprintf(c.authorization, sizeof(c.authorization), "%s", c.cloud == SIM_CLOUD_JIRA || c.cloud == SIM_CLOUD_ASSETS ? jira : w->token);
    snprintf(c.content_type, sizeof(c.content_type), "application/json");
    snprintf(c.base_url, sizeof(c.base_url), "http://localhost/v1.0");
    c.minimal = w->minimal;
    c.priority = w->priority;
    c.body = (struct eb_span){ body, body != NULL ? strlen(body) : 0 };
    if (c.cloud == SIM_CLOUD_CONTROL)
        control_answer(w->sim, &c, &w->reply);
    else
        sim_dispatch(w->sim, &c, &w->reply);
    reply_parse(w);
    sim_call_free(&c);
    return w->reply.status;
}

/* Sends each row, in order, on one state; an answer must have the status and hold the text. */
struct step { const char *method, *target, *body; int status; const char *text, *why; };
static inline void walk_steps(struct world *w, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status = call(w, steps[i].method, steps[i].target, steps[i].body);
        char *text = w->reply.body != NULL ? eb_json_text(w->reply.body) : strdup(w->reply.text != NULL ? w->reply.text : "");
        if (status != steps[i].status || (steps[i].text != NULL && strstr(text, steps[i].text) == NULL))
            fail_msg("case %zu (%s): %d %s", i, steps[i].why, status, text);
        free(text);
    }
}

/* A number of /sim/counters: of one user, or with NULL of the totals. */
static inline int64_t counted(struct world *w, const char *user, const char *what)
{
    EB_AUTO(json_t, json_decref) all = sim_counters_json(w->sim->counters);
    const json_t *of = user != NULL ? json_object_get(json_object_get(all, "users"), user) : json_object_get(all, "totals");

    return eb_json_int(of, what, 0);
}

#endif
