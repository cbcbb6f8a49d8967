/* token_error.c - what the token endpoint's errors mean, as a table, and which scope a Graph root asks for.
 *
 * Entra says that the numbers may change: `error` decides where no number is known. No text of the endpoint goes on,
 * only the number, so that nothing it may repeat of the request is logged.
 */
#include "graph/token.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const struct { int number; bool transient; const char *text; } numbers[] = {
    { 7000215, false, "the client secret is wrong: entra.client_secret must hold the secret's value (often its id was pasted)" },
    { 7000222, false, "the client secret has expired: make a new one in the app registration and put it into entra.client_secret" },
    { 7000218, false, "Entra saw no credential in the request: check entra.client_secret or entra.client_certificate" },
    { 7000216, false, "Entra saw no credential in the request: check entra.client_secret or entra.client_certificate" },
    { 700027,  false, "the certificate of entra.client_certificate is not registered on the application, or the clock of this machine is wrong" },
    { 50012,   false, "Entra does not accept the signature: check entra.client_certificate and the clock of this machine" },
    { 700024,  false, "the assertion is outside its time: check the clock of this machine" },
    { 700016,  false, "the tenant does not know the application: check entra.client_id and entra.tenant_id" },
    { 7000112, false, "the application is disabled in the tenant: enable its sign-in under Enterprise applications" },
    { 700011,  false, "the tenant does not know the application: check entra.client_id and entra.tenant_id" },
    { 90002,   false, "the tenant is not known: check entra.tenant_id and entra.cloud" },
    { 900023,  false, "the tenant is not known: entra.tenant_id must be a GUID or a verified domain" },
    { 900144,  false, "the request lacked a field: check entra.client_id and entra.client_secret" },
    { 70011,   false, "the scope is not accepted: check entra.cloud and entra.graph_url" },
    { 700022,  false, "the scope is not accepted: check entra.cloud and entra.graph_url" },
    { 500011,  false, "the tenant does not know Graph under this host: check entra.cloud and entra.graph_url" },
    { 530032,  false, "a security policy of the tenant blocks the application: see its sign-in log in Entra" },
    { 90006,   true,  "Entra has a passing fault" },
    { 90012,   true,  "Entra has a passing fault" },
    { 90024,   true,  "Entra has a passing fault" },
    { 90033,   true,  "Entra has a passing fault" },
    { 90055,   true,  "Entra throttles the tenant" },
    { 90090,   true,  "Entra has a passing fault" },
};

static const struct { const char *error, *text; bool transient; } words[] = {
    { "invalid_client", "the credentials are not accepted: check entra.client_id and entra.client_secret (or the certificate)", false },
    { "unauthorized_client", "the tenant does not accept the application: check entra.client_id and entra.tenant_id", false },
    { "invalid_request", "the request is not accepted: check entra.tenant_id, entra.client_id and entra.cloud", false },
    { "invalid_scope", "the scope is not accepted: check entra.cloud and entra.graph_url", false },
    { "invalid_resource", "the scope is not accepted: check entra.cloud and entra.graph_url", false },
    { "temporarily_unavailable", "Entra has a passing fault", true },
    { "server_error", "Entra has a passing fault", true },
};

/* The number stands in error_codes; older answers have it in the text only, as "AADSTS7000215: …". */
static int64_t number_of(const json_t *doc)
{
    const json_t *first = json_array_get(json_object_get(doc, "error_codes"), 0);
    const char *text = eb_json_str(doc, "error_description");
    const char *at = text != NULL ? strstr(text, "AADSTS") : NULL;
    long long number = 0;

    if (json_is_integer(first))
        return json_integer_value(first);
    return at != NULL && sscanf(at + 6, "%18lld", &number) == 1 ? number : 0;
}

void graph_token_error(int status, struct eb_span body, bool *ret_transient, struct eb_err *ret)
{
    json_t *doc = NULL;
    char word[64], shown[64] = "";

    *ret_transient = status == 429 || status >= 500;
    if (!eb_json_parse_reply(body, &doc, NULL)) {
        (void)eb_fail(ret, EB_ENTRA_UNAVAILABLE, "The token endpoint answered %d with something that is not its JSON: check "
                      "entra.authority_url, and whether a proxy stands in between.", status);
        return;
    }
    const char *error = eb_json_str(doc, "error");
    int64_t number = number_of(doc);
    const char *text = "Entra gives no access token";

    eb_text_clean(error != NULL ? error : "", word, sizeof(word));
    for (size_t i = 0; i < EB_LEN(words); i++)
        if (eb_streq(word, words[i].error)) {
            text = words[i].text;
            *ret_transient = *ret_transient || words[i].transient;
        }
    for (size_t i = 0; i < EB_LEN(numbers); i++)
        if (numbers[i].number == number) {
            text = numbers[i].text;
            *ret_transient = numbers[i].transient;
        }
    if (number > 0)
        (void)snprintf(shown, sizeof(shown), ", AADSTS%lld", (long long)number);
    (void)eb_fail(ret, EB_ENTRA_UNAVAILABLE, "No access token from Entra: %s (%d, %s%s).", text, status,
                  word[0] != '\0' ? word : "no error named", shown);
    json_decref(doc);
}

static bool has_host(const char *url, const char *host)
{
    return strncmp(url, "https://", 8) == 0 && strncmp(url + 8, host, strlen(host)) == 0 &&
           strchr("/:", url[8 + strlen(host)]) != NULL;
}

const char *graph_scope(const char *graph_url, const char *authority_url)
{
    static const struct { const char *host, *authority, *scope; } clouds[] = {
        { "graph.microsoft.com", "login.microsoftonline.com", "https://graph.microsoft.com/.default" },
        { "graph.microsoft.us", "login.microsoftonline.us", "https://graph.microsoft.us/.default" },
        { "dod-graph.microsoft.us", "login.microsoftonline.us", "https://dod-graph.microsoft.us/.default" },
        { "microsoftgraph.chinacloudapi.cn", "login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/.default" },
        { "microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/.default" },
    };

    for (size_t i = 0; i < EB_LEN(clouds); i++)
        if (has_host(graph_url, clouds[i].host))
            return clouds[i].scope;
    for (size_t i = 0; i < EB_LEN(clouds); i++)
        if (has_host(authority_url, clouds[i].authority))
            return clouds[i].scope;
    return clouds[0].scope;
}
