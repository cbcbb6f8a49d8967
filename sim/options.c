/* options.c - one table of options, which also prints the help. */
#include "sim/options.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { NUMBER, TEXT, TWO_TEXTS, FLAG };
static const struct option {
    const char *name, *values;
    enum type type;
    size_t offset;
    int64_t number;
    const char *text, *help;
} options[] = {
#define AT(member) offsetof(struct sim_options, member)
    { "--port", "N", NUMBER, AT(port), 8081, NULL, "port to listen on; 0 chooses one" },
    { "--address", "IP", TEXT, AT(address), 0, "127.0.0.1", "address to listen on (a test tool: loopback, or inside a container network)" },
    { "--tls", "CERT KEY", TWO_TEXTS, AT(tls_cert), 0, NULL, "serve https with this certificate and key (PEM files)" },
    { "--latency", "MS", NUMBER, AT(latency_ms), 0, NULL, "time that each cloud call takes; half before, half after its effect" },
    { "--eventual", "MS", NUMBER, AT(eventual_ms), 0, NULL, "reads of membership and accountEnabled see a write only then" },
    { "--users", "N", NUMBER, AT(users), 0, NULL, "generated users besides the cast" },
    { "--groups", "N", NUMBER, AT(groups), 0, NULL, "generated groups besides the cast" },
    { "--company-users", "N", NUMBER, AT(company_users), 0, NULL, "a generated company besides: its people" },
    { "--company-groups", "M", NUMBER, AT(company_groups), 0, NULL, "its groups" },
    { "--seed", "S", NUMBER, AT(seed), 1, NULL, "the same seed generates the same people" },
    { "--page", "N", NUMBER, AT(page_size), 100, NULL, "Graph's page size without $top" },
    { "--jira-users-page", "N", NUMBER, AT(jira_users_page), 0, NULL, "most accounts in a page of Jira's, whatever was asked for; 0: no such limit" },
    { "--tenant", "GUID", TEXT, AT(tenant), 0, "11111111-2222-4333-8444-555555555555", "tenant id" },
    { "--client-id", "GUID", TEXT, AT(client_id), 0, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "our app registration" },
    { "--client-secret", "TEXT", TEXT, AT(client_secret), 0, "sim-client-secret", "its secret" },
    { "--client-cert", "FILE", TEXT, AT(client_cert), 0, NULL, "its certificate (PEM): assertions must be signed with its key" },
    { "--token-life", "S", NUMBER, AT(token_life_s), 3599, NULL, "life of access tokens, in seconds" },
    { "--jira-email", "EMAIL", TEXT, AT(jira_email), 0, "bridge@contoso.com", "Basic user at Jira" },
    { "--jira-token", "TEXT", TEXT, AT(jira_token), 0, "sim-jira-token", "API token at Jira (Basic or Bearer)" },
    { "--cloud-id", "GUID", TEXT, AT(cloud_id), 0, "77777777-2222-4333-8444-555555555555", "Jira is served under /ex/jira/GUID too" },
    { "--graph-url", "URL", TEXT, AT(graph_url), 0, NULL, "what @odata.nextLink begins with, where a proxy stands before us" },
    { "--assets-url", "URL", TEXT, AT(assets_url), 0, NULL, "what Assets' links begin with, where a proxy stands before us" },
    { "--quiet", "", FLAG, AT(quiet), 0, NULL, "print nothing but the address" },
    { "--forget", "", FLAG, AT(forget), 0, NULL, "no log of calls, totals only, 20 comments an issue: flat memory" },
    { "--help", "", FLAG, AT(help), 0, NULL, "this text" },
#undef AT
};

static void *member(struct sim_options *o, const struct option *opt)
{
    return (char *)o + opt->offset;
}

static bool take(struct sim_options *o, const struct option *opt, char **argv, int *i, int argc, struct eb_err *err)
{
    char *end;

    if (opt->type == FLAG) {
        *(bool *)member(o, opt) = true;
        return true;
    }
    int need = opt->type == TWO_TEXTS ? 2 : 1;
    if (*i + need >= argc)
        return eb_fail(err, EB_INVALID_REQUEST, "%s needs %s", opt->name, opt->values);
    const char *value = argv[++*i];
    if (opt->type == NUMBER) {
        long long n = strtoll(value, &end, 10);
        if (*value == '\0' || *end != '\0' || n < 0)
            return eb_fail(err, EB_INVALID_REQUEST, "%s: %s is no number", opt->name, value);
        *(int64_t *)member(o, opt) = n;
        return true;
    }
    ((const char **)member(o, opt))[0] = value;
    if (opt->type == TWO_TEXTS)
        ((const char **)member(o, opt))[1] = argv[++*i];
    return true;
}

bool sim_options_parse(int argc, char **argv, struct sim_options *ret, struct eb_err *err)
{
    *ret = (struct sim_options){ 0 };
    for (size_t k = 0; k < EB_LEN(options); k++) {
        if (options[k].type == NUMBER)
            *(int64_t *)member(ret, &options[k]) = options[k].number;
        else if (options[k].type == TEXT)
            *(const char **)member(ret, &options[k]) = options[k].text;
    }
    for (int i = 1; i < argc; i++) {
        size_t k = 0;
        while (k < EB_LEN(options) && strcmp(argv[i], options[k].name) != 0)
            k++;
        if (k == EB_LEN(options))
            return eb_fail(err, EB_INVALID_REQUEST, "no option %s (--help lists them)", argv[i]);
        if (!take(ret, &options[k], argv, &i, argc, err))
            return false;
    }
    if (ret->company_users > 5000000 || ret->company_groups > 500000)
        return eb_fail(err, EB_INVALID_REQUEST, "--company-users and --company-groups: at most 5,000,000 and 500,000");
    if (!eb_is_guid(ret->tenant) || !eb_is_guid(ret->client_id))
        return eb_fail(err, EB_INVALID_REQUEST, "--tenant and --client-id are GUIDs");
    return true;
}

void sim_options_usage(void)
{
    printf("entrabridge-sim: simulated Entra, Microsoft Graph, Jira, JSM and Assets for tests and demonstrations.\n\n"
           "usage: entrabridge-sim [options]\n\n");
    for (size_t k = 0; k < EB_LEN(options); k++) {
        char left[64];
        snprintf(left, sizeof(left), "%s %s", options[k].name, options[k].values);
        printf("  %-24s %s", left, options[k].help);
        if (options[k].type == NUMBER)
            printf(" (default %lld)", (long long)options[k].number);
        else if (options[k].text != NULL)
            printf(" (default %s)", options[k].text);
        putchar('\n');
    }
    printf("\nThe first line on stdout says where it listens. The cast and the control API (/sim/...) stand in sim/README.md.\n");
}
