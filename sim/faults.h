/* faults.h - faults on order: which calls a rule catches, and what then happens to them.
 *
 * Deciding is pure but for the rule's own counts; doing is http.c's (and graph_batch.c's for items).
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim/call.h"

struct sim_action {
    int status;                     /* 0: none ordered */
    int status_after;               /* done, then this status */
    json_t *body, *headers;         /* owned; or NULL */
    char retry_after[32];           /* "" : none */
    bool drop_before, drop_after, reset, cut_body, html, garbage, hang;
    int64_t delay_ms, delay_after_ms;
    uint64_t rule;                  /* its id, for the log */
};
struct sim_faults;

struct sim_faults *sim_faults_new(void);
void sim_faults_free(struct sim_faults *f);
void sim_faults_clear(struct sim_faults *f);
/* One rule or an array of them; all or none are added. */
bool sim_faults_add(struct sim_faults *f, const json_t *rules, struct eb_err *err) EB_CHECK;
json_t *sim_faults_list(const struct sim_faults *f);
/* The action for this call, or NULL: counts. The caller's: sim_action_free(). */
struct sim_action *sim_faults_decide(struct sim_faults *f, const struct sim_call *c);

void sim_action_free(struct sim_action *a);                     /* accepts NULL */
/* Does the action stop the call from being done? */
bool sim_action_prevents(const struct sim_action *a);
/* Puts the ordered status, body and headers into the reply; the usual error of the cloud where no body was given. */
void sim_action_answer(const struct sim_action *a, const struct sim_call *c, struct sim_reply *r);
/* Is it about the whole HTTP answer (drop, cut, delay, ...), not only about a status? */
bool sim_action_is_transport(const struct sim_action *a);

#endif
