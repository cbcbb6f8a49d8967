/* options.h - the simulator's command line. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "base/error.h"

#include <stdint.h>

struct sim_options {
    int64_t port;
    const char *address;
    const char *tls_cert, *tls_key;         /* NULL: plain HTTP */
    int64_t latency_ms, eventual_ms;
    int64_t users, groups, seed;            /* filler besides the cast */
    int64_t company_users, company_groups;  /* the large company besides both */
    int64_t token_life_s, page_size;
    int64_t page_most;                      /* users or groups in a page, whatever $top says; 0: as many as asked for */
    int64_t jira_users_page;                /* most accounts that Jira gives in a page; 0: as many as asked for */
    const char *tenant, *client_id, *client_secret, *client_cert;   /* client_cert: PEM file, or NULL */
    const char *jira_email, *jira_token, *cloud_id;
    const char *graph_url;                  /* what links in answers begin with, instead of the request's host; or NULL */
    const char *assets_url;                 /* the same for Assets' links, as those of imports; or NULL */
    bool quiet, forget, help;
};

/* Values point into argv. False: err says which argument is wrong. */
bool sim_options_parse(int argc, char **argv, struct sim_options *ret, struct eb_err *err) EB_CHECK;
void sim_options_usage(void);               /* to stdout */

#endif
