/* check.c - what several keys say together, and the defaults that follow from other keys.
 *
 * Runs after every key was read, also when some are at fault: a member that could not be read is NULL and is passed over.
 */
#include "config/reader.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By the index of the word in entra.cloud. China's token service stands under two names in Microsoft's pages:
 * authority_url overrides. */
static const struct { const char *authority, *graph; } clouds[] = {
    { "https://login.microsoftonline.com", "https://graph.microsoft.com/v1.0" },
    { "https://login.microsoftonline.us", "https://graph.microsoft.us/v1.0" },
    { "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/v1.0" },
    { "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0" },
};

static int line_of(const struct reader *r, const char *name, size_t len)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strlen(config_keys[i].name) == len && strncmp(config_keys[i].name, name, len) == 0)
            return r->lines[i];
    return 0;
}

int reader_line(const struct reader *r, const char *name)
{
    int line = line_of(r, name, strlen(name));

    if (line == 0)
        line = line_of(r, name, key_parent(name));
    return line > 0 ? line : 1;
}

bool reader_given(const struct reader *r, const char *name)
{
    return line_of(r, name, strlen(name)) > 0;
}

static void fault_at(struct reader *r, const char *key, const char *text)
{
    fault_add(r->faults, reader_line(r, key), key, "%s", text);
}

static void check_listen(struct reader *r)
{
    const struct config_listen *l = &r->c->listen;
    struct eb_err err = { 0 };

    if (l->address != NULL && !reader_given(r, "listen.tls") && !l->behind_proxy && !address_loopback(l->address))
        fault_at(r, "listen.address", "is plain http on an address that others can reach, expected listen.tls, a loopback address, "
                                      "or behind_proxy: true where a proxy in front ends TLS");
    if (r->use != CONFIG_FULL)
        return;
    if (l->tls_certificate != NULL && l->tls_key != NULL && !certificate_check(l->tls_certificate, l->tls_key, false, &err))
        fault_at(r, "listen.tls", err.text);
    if (l->tls_client_ca != NULL && !authorities_check(l->tls_client_ca, &err))
        fault_at(r, "listen.tls.client_ca", err.text);
}

static void check_entra(struct reader *r)
{
    struct config_entra *e = &r->c->entra;
    bool secret = reader_given(r, "entra.client_secret"), certificate = reader_given(r, "entra.client_certificate");
    struct eb_err err = { 0 };

    if (secret && certificate)
        fault_at(r, "entra.client_certificate", "stands beside client_secret, expected one of the two");
    if (!secret && !certificate)
        fault_at(r, "entra.client_secret", "is missing, expected a reference such as {file: PATH}, or client_certificate instead");
    if (r->use == CONFIG_FULL && e->certificate != NULL && e->key != NULL && !certificate_check(e->certificate, e->key, true, &err))
        fault_at(r, "entra.client_certificate", err.text);
    if (e->authority_url == NULL)
        e->authority_url = eb_strdup(clouds[e->cloud].authority);
    if (e->graph_url == NULL)
        e->graph_url = eb_strdup(clouds[e->cloud].graph);
}

static void check_outbound(struct reader *r)
{
    struct eb_err err = { 0 };

    if (r->use == CONFIG_FULL && r->c->ca_file != NULL && !authorities_check(r->c->ca_file, &err))
        fault_at(r, "outbound.ca_file", err.text);
    if (r->c->jira.api_url == NULL)
        r->c->jira.api_url = eb_strdup(r->c->jira.site_url);
}

/* https://ADDRESS:PORT, where nobody can open 0.0.0.0 or [::]. */
static char *url_from_listen(const struct config_listen *l)
{
    const char *scheme = l->tls_certificate != NULL ? "https" : "http";

    if (strncmp(l->address, "0.0.0.0:", 8) == 0)
        return eb_asprintf("%s://localhost:%s", scheme, l->address + 8);
    if (strncmp(l->address, "[::]:", 5) == 0)
        return eb_asprintf("%s://localhost:%s", scheme, l->address + 5);
    return eb_asprintf("%s://%s", scheme, l->address);
}

static void check_places(struct reader *r)
{
    struct config *c = r->c;

    if (c->public_url == NULL && c->listen.address != NULL)
        c->public_url = url_from_listen(&c->listen);
    if (c->keys_directory == NULL && c->store_url != NULL) {
        const char *file = c->store_url + strlen("sqlite:");
        const char *slash = strrchr(file, '/');
        c->keys_directory = eb_asprintf("%.*s/keys", (int)(slash - file), file);
    }
}

/* Two entries for one group would leave it to chance which projects count. Entra compares names without case. */
static void check_groups(struct reader *r)
{
    const struct config_policy *p = &r->c->policy;

    for (size_t i = 1; i < p->group_count; i++)
        for (size_t j = 0; j < i; j++)
            if (p->groups[i].group != NULL && eb_strieq(p->groups[i].group, p->groups[j].group)) {
                char key[64];
                snprintf(key, sizeof(key), "policy.serviceable_groups[%zu].group", i);
                fault_add(r->faults, reader_line(r, "policy.serviceable_groups"), key,
                          "names the same group as item %zu, expected one entry for each group", j);
                break;
            }
}

static bool is_serviceable(const struct config_policy *p, const char *group)
{
    for (size_t i = 0; i < p->group_count; i++)
        if (p->groups[i].group != NULL && eb_strieq(p->groups[i].group, group))
            return true;
    return false;
}

/* A rule's group that no operation may change would come to light with the first newcomer only. */
static void check_group_rules(struct reader *r)
{
    const struct config_policy *p = &r->c->policy;
    char key[64];

    for (size_t i = 0; i < p->group_rule_count; i++)
        for (size_t j = 0; j < p->group_rules[i].groups.count; j++) {
            const char *group = p->group_rules[i].groups.items[j];

            snprintf(key, sizeof(key), "policy.group_rules[%zu].groups", i);
            if (!is_serviceable(p, group))
                fault_add(r->faults, reader_line(r, "policy.group_rules"), key,
                          "names %s, which is no serviceable group, expected groups of policy.serviceable_groups, written as there", group);
        }
}

static void fill_operations(struct reader *r)
{
    struct config_policy *p = &r->c->policy;

    for (size_t i = 0; i < p->operation_count; i++)
        if (p->operations[i].password_length == 0)
            p->operations[i].password_length = r->c->password_length;
}

void read_check(struct reader *r)
{
    check_listen(r);
    check_entra(r);
    check_outbound(r);
    check_places(r);
    check_groups(r);
    check_group_rules(r);
    fill_operations(r);
    read_check_sync(r);
}
