/* forms.c - the forms of addresses, URLs and names. Pure functions: NULL, or what is wrong.
 *
 * Invariant: no answer repeats the value, since a URL may have been pasted with a password in it.
 */
#include "config/reader.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool digits_up_to(const char *text, long max)
{
    size_t len = strlen(text);

    return len > 0 && len <= 5 && strspn(text, "0123456789") == len && strtol(text, NULL, 10) <= max;
}

const char *form_host(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len == 0 || len > max)
        return "is empty or too long";
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '.')
            return "holds a character other than letters, digits, - and .";
    return text[0] == '.' || text[0] == '-' || strstr(text, "..") != NULL ? "is not a name" : NULL;
}

static bool loopback_host(const char *host)
{
    struct in_addr four;

    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return strcmp(host, "[::1]") == 0 || strcasecmp(host, "localhost") == 0;
}

/* Splits "HOST[:PORT]" in place; host keeps the brackets of IPv6. *ret_port NULL: none. */
static const char *split_authority(char *text, const char **ret_port)
{
    char *end = text;

    *ret_port = NULL;
    if (*text == '[') {
        struct in6_addr six;
        end = strchr(text, ']');
        if (end == NULL)
            return "has a [ without ]";
        *end = '\0';
        bool good = inet_pton(AF_INET6, text + 1, &six) == 1;
        *end++ = ']';
        if (!good)
            return "has no IPv6 address between [ and ]";
    } else {
        end += strcspn(text, ":");
    }
    if (*end != '\0' && *end != ':')
        return "has something other than a port after its host";
    if (*end == ':') {
        *end = '\0';
        *ret_port = end + 1;
    }
    return *text != '[' ? form_host(text, 253) : NULL;
}

static const char *form_path(const char *path)
{
    for (const char *p = path; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && strchr("-._~/:@!$&'()*+,;=", *p) == NULL)
            return "has a character in its path that is not allowed there";
    if (strstr(path, "/../") != NULL || strstr(path, "/./") != NULL || strstr(path, "//") != NULL)
        return "has an empty, . or .. segment in its path";
    size_t len = strlen(path);
    return (len >= 3 && strcmp(path + len - 3, "/..") == 0) || (len >= 2 && strcmp(path + len - 2, "/.") == 0)
               ? "has an empty, . or .. segment in its path" : NULL;
}

const char *form_url(const char *text)
{
    bool plain = strncasecmp(text, "http://", 7) == 0;
    char host[300];
    const char *port, *wrong;

    if (!plain && strncasecmp(text, "https://", 8) != 0)
        return "does not begin with https://";
    text += plain ? 7 : 8;
    size_t len = strcspn(text, "/?#");
    if (len == 0 || len >= sizeof(host))
        return "has no host, or one that is too long";
    memcpy(host, text, len);
    host[len] = '\0';
    if (strchr(host, '@') != NULL)
        return "has a user or password before its host";
    if (strpbrk(text + len, "?#") != NULL)
        return "has a query or a fragment";
    if ((wrong = split_authority(host, &port)) != NULL)
        return wrong;
    if (port != NULL && (!digits_up_to(port, 65535) || atoi(port) == 0))
        return "has a port that is not a number from 1 to 65535";
    if (plain && !loopback_host(host))
        return "is plain http to a host that is not a loopback address";
    return form_path(text + len);
}

const char *form_address(const char *text)
{
    char host[300];
    const char *port, *wrong;
    struct in_addr four;

    if (strlen(text) >= sizeof(host))
        return "is too long";
    strcpy(host, text);
    if ((wrong = split_authority(host, &port)) != NULL)
        return wrong;
    if (port == NULL || !digits_up_to(port, 65535))
        return "has no port from 0 to 65535";
    if (*host != '[' && inet_pton(AF_INET, host, &four) != 1)
        return "is not a numeric address";
    return NULL;
}

bool address_loopback(const char *text)
{
    char host[300];
    const char *port;

    if (strlen(text) >= sizeof(host))
        return false;
    strcpy(host, text);
    return split_authority(host, &port) == NULL && loopback_host(host);
}

const char *form_network(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char raw[16];
    size_t len = strcspn(text, "/");

    if (len >= sizeof(address))
        return "is not an address";
    memcpy(address, text, len);
    address[len] = '\0';
    bool six = strchr(address, ':') != NULL;
    if (inet_pton(six ? AF_INET6 : AF_INET, address, raw) != 1)
        return "is not an address";
    if (text[len] == '/' && !digits_up_to(text + len + 1, six ? 128 : 32))
        return six ? "has no prefix length from 0 to 128" : "has no prefix length from 0 to 32";
    return NULL;
}

const char *form_project(const char *text)
{
    size_t len = strlen(text);

    if (len < 2 || len > 50 || !isupper((unsigned char)*text))
        return "is not a project key";
    for (size_t i = 0; i < len; i++)
        if (!isupper((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '_')
            return "is not a project key (capital letters, digits and _)";
    return NULL;
}
