/* read_floor.c - the least that reading a directory can cost: a bare libcurl and jansson loop fetches each page and parses it, and nothing else is done.
 *
 * One page at a time, over one connection that is kept; nothing is stored, checked or remembered but the link to the next page. What a synchronization's reading does on top is
 * measured against this, on the same pages: bench/sync gives the paths that the product asked for.
 *
 * usage: bench-read-floor CLOUD_URL CA_FILE PATH...       for each path a line of JSON: pages, records, bytes, seconds, CPU seconds
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TENANT "11111111-2222-4333-8444-555555555555"
#define CLIENT "client_id=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee&client_secret=sim-client-secret&grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
#define PAGE_MAX MiB(64)

struct tally { long pages, records; size_t bytes; };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench-read-floor: %s\n", what);
    exit(1);
}

static size_t take(char *data, size_t size, size_t count, void *body)
{
    return eb_buf_add(body, data, size * count) ? size * count : 0;
}

static json_t *fetch(CURL *easy, struct eb_buf *body, const char *url)
{
    long status = 0;

    eb_buf_reset(body);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    must(curl_easy_perform(easy) == CURLE_OK && curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200, url);
    json_t *doc = json_loadb(body->data, body->len, 0, NULL);
    must(doc != NULL, "an answer is no JSON");
    return doc;
}

static struct curl_slist *authorize(CURL *easy, struct eb_buf *body, const char *cloud)
{
    char *url = eb_asprintf("%s/" TENANT "/oauth2/v2.0/token", cloud);

    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, CLIENT);
    json_t *doc = fetch(easy, body, url);
    const char *token = json_string_value(json_object_get(doc, "access_token"));
    must(token != NULL, "there is no token in the answer");
    char *line = eb_asprintf("Authorization: Bearer %s", token);
    struct curl_slist *headers = curl_slist_append(NULL, line);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    free(line);
    free(url);
    json_decref(doc);
    return headers;
}

static struct tally walk(CURL *easy, struct eb_buf *body, const char *cloud, const char *path)
{
    char *url = eb_asprintf("%s%s", cloud, path);
    struct tally t = { 0 };

    while (url != NULL) {
        json_t *doc = fetch(easy, body, url);
        const char *next = json_string_value(json_object_get(doc, "@odata.nextLink"));
        t.pages++;
        t.records += (long)json_array_size(json_object_get(doc, "value"));
        t.bytes += body->len;
        free(url);
        url = eb_strdup(next);
        json_decref(doc);
    }
    return t;
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct eb_buf body = EB_BUF(PAGE_MAX);

    must(argc > 3, "usage: bench-read-floor CLOUD_URL CA_FILE PATH...");
    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl does not start");
    CURL *easy = curl_easy_init();
    must(easy != NULL, "libcurl gives no handle");
    curl_easy_setopt(easy, CURLOPT_CAINFO, argv[2]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    struct curl_slist *headers = authorize(easy, &body, argv[1]);
    for (int i = 3; i < argc; i++) {
        int64_t from_us = eb_mono_us();
        double cpu = cpu_s();
        struct tally t = walk(easy, &body, argv[1], argv[i]);
        printf("{\"pages\": %ld, \"records\": %ld, \"bytes\": %zu, \"seconds\": %.3f, \"cpu_s\": %.3f}\n", t.pages, t.records, t.bytes,
               (double)(eb_mono_us() - from_us) / 1e6, cpu_s() - cpu);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    eb_buf_free(&body);
    return 0;
}
