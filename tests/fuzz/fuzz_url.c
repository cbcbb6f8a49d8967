/* fuzz_url.c - URLs from answers (nextLink, Location): which stay within the cloud's base. Accepted: one that does. */
#include "outbound/url.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <strings.h>

#define BASE "https://graph.microsoft.com/v1.0"

bool fuzz_accepted;

/* An accepted one differs from the base in the case of scheme and host at most, and cannot climb out of the base path. */
static void check_accepted(const char *url, const char *path)
{
    assert(strncasecmp(url, "https://graph.microsoft.com", strlen("https://graph.microsoft.com")) == 0);
    assert(path > url && path < url + strlen(url) && (*path == '/' || *path == '?'));
    assert(strpbrk(url, "\\ \r\n\t#") == NULL && strchr(url, '@') != url + strlen("https://"));
    size_t to_query = strcspn(path, "?");
    const char *climb = strstr(path, "/../");
    assert(climb == NULL || (size_t)(climb - path) > to_query);
    assert(to_query < 3 || strncmp(path + to_query - 3, "/..", 3) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *url = fuzz_string(data, len);
    const char *path = NULL;
    struct eb_err err = { 0 };
    bool plain = false;

    fuzz_accepted = outbound_url_match(BASE, url, &path);
    if (fuzz_accepted)
        check_accepted(url, path);
    if (outbound_url_base("fuzz", url, &plain, &err)) {
        char inside[8192];      /* what is a base itself holds what lies below it */
        if ((size_t)snprintf(inside, sizeof(inside), "%s/users?$top=1", url) < sizeof(inside)) {
            bool within = outbound_url_match(url, inside, &path);
            assert(within && strcmp(path, "/users?$top=1") == 0);
        }
    } else {
        assert(err.code == EB_INVALID_REQUEST && err.text[0] != '\0');
    }
    free(url);
    return 0;
}
