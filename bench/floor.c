/* floor.c - the least that group.add_member can cost: bare evhttp and libcurl make the calls, and nothing else is done.
 *
 * No token check, no policy, no journal, no audit, no checks of what came back beyond finding the ids that the next call needs.
 * What the product does on top is measured against this. The calls are those of the product (bench/run compares them):
 * issue || $batch, write, answer, comment.
 *
 * usage: bench-floor CLOUD_URL CA_FILE [CERTIFICATE KEY]       first line of stdout: where it listens
 */
#include "bench/fetch.h"
#include "base/json.h"
#include "base/text.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 128L            /* the product's: 64 to Graph, 64 to Jira; here both are one host */
#define TENANT "11111111-2222-4333-8444-555555555555"
#define USER "id,displayName,userPrincipalName,mail,accountEnabled,userType,onPremisesSyncEnabled"
#define GROUP "id,displayName,groupTypes,mailEnabled,securityEnabled,onPremisesSyncEnabled,isAssignableToRole,isManagementRestricted,membershipRule"
#define BATCH_MAX KiB(4)

struct floor {
    struct event_base *base;
    struct fetch_client *client;
    const char *cloud;
    struct curl_slist *graph, *jira;        /* headers of each call */
    SSL_CTX *tls;                           /* NULL: plain http */
    unsigned long long last_id;
};

struct job {
    struct floor *floor;
    struct evhttp_request *request;
    json_t *body;
    const char *issue, *user, *group;       /* borrowed from body */
    json_t *batch;
    const char *user_id, *user_name, *upn, *group_name;     /* borrowed from batch */
    int awaited;
    char id[40];
};

static void job_free(struct job *j)
{
    json_decref(j->body);
    json_decref(j->batch);
    free(j);
}

/* ---- the comment, after the answer ---- */

static void on_commented(void *arg, long status, struct eb_span body)
{
    if (status != 201)
        fprintf(stderr, "bench-floor: comment: %ld\n", status);
    job_free(arg);
}

static json_t *line(const char *label, const char *value)
{
    return json_pack("[{s:s, s:s, s:[{s:s}]}, {s:s, s:s}, {s:s}]", "type", "text", "text", label, "marks", "type", "strong",
                     "type", "text", "text", value, "type", "hardBreak");
}

static json_t *details(const struct job *j)
{
    const struct { const char *label, *value; } lines[] = {
        { "Operation: ", "group.add_member" }, { "User: ", j->upn }, { "Group: ", j->group_name }, { "Change: ", "member: false \342\206\222 true" },
        { "Token: ", "bench" }, { "Reason: ", "bench" }, { "Id: ", j->id },
    };
    json_t *all = json_array();

    for (size_t i = 0; i < EB_LEN(lines); i++) {
        json_t *one = line(lines[i].label, lines[i].value);
        json_array_extend(all, one);
        json_decref(one);
    }
    return all;
}

static void comment(struct job *j, const char *message)
{
    char url[256];
    json_t *adf = json_pack("{s:{s:s, s:i, s:[{s:s, s:{s:s}, s:[{s:s, s:[{s:s, s:s}]}, {s:s, s:o}]}]}, s:[{s:s, s:{s:b}}, {s:s, s:{s:s}}]}",
                            "body", "type", "doc", "version", 1, "content", "type", "panel", "attrs", "panelType", "success", "content",
                            "type", "paragraph", "content", "type", "text", "text", message, "type", "paragraph", "content", details(j),
                            "properties", "key", "sd.public.comment", "value", "internal", 1, "key", "entrabridge", "value", "operation", j->id);
    char *text = json_dumps(adf, JSON_COMPACT);
    struct eb_span body = { text, strlen(text) };

    snprintf(url, sizeof url, "%s/rest/api/3/issue/%s/comment", j->floor->cloud, j->issue);
    fetch(j->floor->client, url, j->floor->jira, &body, on_commented, j);
    free(text);
    json_decref(adf);
}

/* ---- the write, and the answer ---- */

static void answer(struct job *j, int status, json_t *body)
{
    struct evkeyvalq *head = evhttp_request_get_output_headers(j->request);
    struct evbuffer *out = evbuffer_new();
    char *text = json_dumps(body, JSON_COMPACT);

    evbuffer_add(out, text, strlen(text));
    evhttp_add_header(head, "Content-Type", "application/json");
    evhttp_send_reply(j->request, status, status == 200 ? "OK" : "Bad", out);
    evbuffer_free(out);
    free(text);
    json_decref(body);
}

static void give_up(struct job *j, const char *what, long status)
{
    answer(j, 502, json_pack("{s:s, s:i}", "message", what, "status", (int)status));
    job_free(j);
}

static void on_written(void *arg, long status, struct eb_span body)
{
    struct job *j = arg;
    char message[512];

    if (status != 204 && status != 400) {
        give_up(j, "write", status);
        return;
    }
    snprintf(message, sizeof message, "Added %s to %s.", j->user_name, j->group_name);
    answer(j, 200, json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:{s:b}, s:{s:b}}", "operation", j->id,
                             "name", "group.add_member", "outcome", "succeeded", "changed", status == 204, "message", message,
                             "userId", j->user_id, "userPrincipalName", j->upn, "displayName", j->user_name, "groupId", j->group,
                             "groupName", j->group_name, "issue", j->issue, "dryRun", 0, "replayed", 0,
                             "before", "member", 0, "after", "member", 1));
    comment(j, message);
}

static void write_member(struct job *j)
{
    char url[256], text[256];
    int len = snprintf(text, sizeof text, "{\"@odata.id\":\"%s/v1.0/directoryObjects/%s\"}", j->floor->cloud, j->user_id);
    struct eb_span body = { text, (size_t)len };

    snprintf(url, sizeof url, "%s/v1.0/groups/%s/members/$ref", j->floor->cloud, j->group);
    fetch(j->floor->client, url, j->floor->graph, &body, on_written, j);
}

/* ---- the two reads, side by side ---- */

static void read_batch(struct job *j)
{
    json_t *item, *list = json_object_get(j->batch, "responses");
    size_t i;

    json_array_foreach(list, i, item) {
        const char *id = eb_json_str(item, "id");
        const json_t *body = json_object_get(item, "body");
        if (eb_streq(id, "0")) {
            j->user_id = eb_json_str(body, "id");
            j->user_name = eb_json_str(body, "displayName");
            j->upn = eb_json_str(body, "userPrincipalName");
        } else if (eb_streq(id, "5")) {
            j->group_name = eb_json_str(body, "displayName");
        }
    }
}

static void on_read(struct job *j)
{
    if (--j->awaited > 0)
        return;
    if (j->user_id == NULL || j->user_name == NULL || j->upn == NULL || j->group_name == NULL)
        give_up(j, "look-up", 0);
    else
        write_member(j);
}

static void on_issue(void *arg, long status, struct eb_span body)
{
    on_read(arg);
}

static void on_batch(void *arg, long status, struct eb_span body)
{
    struct job *j = arg;

    j->batch = json_loadb(body.p, body.len, 0, NULL);
    read_batch(j);
    on_read(j);
}

#define ITEM(id, url) "{\"id\":\"" id "\",\"method\":\"GET\",\"url\":\"" url "\"}"
static const char batch_form[] =
    "{\"requests\":["
    ITEM("0", "/users/%s?$select=" USER) ","
    ITEM("1", "/users?$filter=mail%%20eq%%20'%s'&$select=" USER) ","
    ITEM("2", "/users/%s/transitiveMemberOf?$select=id,displayName,isAssignableToRole&$top=999") ","
    ITEM("3", "/roleManagement/directory/roleAssignments?$select=id,principalId&$top=999") ","
    ITEM("4", "/users/%s/memberOf?$select=id&$top=999") ","
    ITEM("5", "/groups/%s?$select=" GROUP) ","
    ITEM("6", "/groups/%s/transitiveMemberOf?$select=id,displayName&$top=999") ","
    ITEM("7", "/roleManagement/directory/roleEligibilityScheduleInstances?$select=id,principalId,roleDefinitionId&$top=999") ","
    ITEM("8", "/users/%s/ownedObjects/microsoft.graph.group?$select=id,displayName,isAssignableToRole&$top=999")
    "]}";

static void look_up(struct job *j)
{
    const char *u = j->user, *g = j->group;
    char url[256], text[BATCH_MAX];
    int len = snprintf(text, sizeof text, batch_form, u, u, u, u, g, g, u);
    struct eb_span body = { text, (size_t)len };

    j->awaited = 2;
    snprintf(url, sizeof url, "%s/rest/api/3/issue/%s?fields=project,status,reporter,created,customfield_10010", j->floor->cloud, j->issue);
    fetch(j->floor->client, url, j->floor->jira, NULL, on_issue, j);
    snprintf(url, sizeof url, "%s/v1.0/$batch", j->floor->cloud);
    fetch(j->floor->client, url, j->floor->graph, &body, on_batch, j);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    struct job *j = eb_alloc(sizeof *j);

    j->floor = arg;
    j->request = request;
    j->body = json_loadb((const char *)evbuffer_pullup(in, -1), evbuffer_get_length(in), 0, NULL);
    j->issue = eb_json_str(j->body, "issue");
    j->user = eb_json_str(j->body, "user");
    j->group = eb_json_str(j->body, "group");
    snprintf(j->id, sizeof j->id, "00000000-0000-7000-8000-%012llx", ++j->floor->last_id);
    if (j->issue == NULL || j->user == NULL || j->group == NULL || strlen(j->user) > 128 || strlen(j->group) > 64)
        give_up(j, "issue, user and group are needed", 0);
    else
        look_up(j);
}

/* ---- start ---- */

/* As fast as libevent goes: one thread, and changes of interest handed to the kernel together. */
static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();

    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static void on_token(void *arg, long status, struct eb_span body)
{
    struct floor *f = arg;
    json_t *reply = json_loadb(body.p, body.len, 0, NULL);
    char *line_ = eb_asprintf("Authorization: Bearer %s", eb_json_str(reply, "access_token"));

    f->graph = curl_slist_append(curl_slist_append(NULL, line_), "Content-Type: application/json");
    free(line_);
    json_decref(reply);
    event_base_loopbreak(f->base);
}

/* One token for the whole run: it lives for an hour. */
static void fetch_token(struct floor *f)
{
    static const char form[] = "grant_type=client_credentials&client_id=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
                               "&client_secret=sim-client-secret&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    struct eb_span body = { form, sizeof form - 1 };
    char *url = eb_asprintf("%s/" TENANT "/oauth2/v2.0/token", f->cloud);

    fetch(f->client, url, NULL, &body, on_token, f);
    free(url);
    event_base_dispatch(f->base);
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct floor *f = arg;

    if (f->tls == NULL)
        return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    return bufferevent_openssl_socket_new(base, -1, SSL_new(f->tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static void listen_(struct floor *f)
{
    struct evhttp *http = evhttp_new(f->base);
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int on = 1;

    evhttp_set_bevcb(http, on_connection, f);
    evhttp_set_gencb(http, on_request, f);
    struct evhttp_bound_socket *s = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
    setsockopt(evhttp_bound_socket_get_fd(s), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);     /* accepted sockets inherit it */
    getsockname(evhttp_bound_socket_get_fd(s), (struct sockaddr *)&at, &len);
    printf("listening on %s://127.0.0.1:%d\n", f->tls != NULL ? "https" : "http", ntohs(at.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct floor f = { 0 };

    if (argc != 3 && argc != 5) {
        fputs("usage: bench-floor CLOUD_URL CA_FILE [CERTIFICATE KEY]\n", stderr);
        return 2;
    }
    if (argc == 5) {
        f.tls = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(f.tls, argv[3]) != 1 || SSL_CTX_use_PrivateKey_file(f.tls, argv[4], SSL_FILETYPE_PEM) != 1)
            return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    f.base = base_new();
    f.cloud = argv[1];
    f.client = fetch_client_new(f.base, argv[2], CONNECTIONS);
    f.jira = curl_slist_append(curl_slist_append(NULL, "Authorization: Basic YnJpZGdlQGNvbnRvc28uY29tOnNpbS1qaXJhLXRva2Vu"),
                               "Content-Type: application/json");
    fetch_token(&f);
    listen_(&f);
    event_base_dispatch(f.base);
    return 0;
}
