/* address.c - addresses, blocks, and whose address a proxy passes on. */
#include "server/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void from_v4(const void *v4, struct address *ret)
{
    memcpy(ret->bytes, mapped, sizeof(mapped));
    memcpy(ret->bytes + sizeof(mapped), v4, 4);
}

bool address_of(const struct sockaddr *sa, struct address *ret)
{
    if (sa == NULL)
        return false;
    if (sa->sa_family == AF_INET) {
        from_v4(&((const struct sockaddr_in *)(const void *)sa)->sin_addr, ret);
        return true;
    }
    if (sa->sa_family != AF_INET6)
        return false;
    memcpy(ret->bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, sizeof(ret->bytes));
    return true;
}

bool address_parse(const char *text, size_t len, struct address *ret)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t v4[4];

    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, v4) == 1) {
        from_v4(v4, ret);
        return true;
    }
    return inet_pton(AF_INET6, copy, ret->bytes) == 1;
}

static bool is_v4(const struct address *a)
{
    return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

const char *address_text(const struct address *a, char *out, size_t size)
{
    const char *s = is_v4(a) ? inet_ntop(AF_INET, a->bytes + sizeof(mapped), out, (socklen_t)size)
                             : inet_ntop(AF_INET6, a->bytes, out, (socklen_t)size);
    return s != NULL ? s : "?";
}

static bool block_parse(const char *text, struct address_block *ret)
{
    size_t len = strcspn(text, "/");
    char *end = NULL;

    if (!address_parse(text, len, &ret->base))
        return false;
    unsigned offset = strchr(text, '.') != NULL && is_v4(&ret->base) ? 96 : 0;
    ret->bits = 128;
    if (text[len] == '\0')
        return true;
    unsigned long bits = strtoul(text + len + 1, &end, 10);
    if (text[len + 1] < '0' || text[len + 1] > '9' || *end != '\0' || bits > 128 - offset)
        return false;
    ret->bits = (unsigned)bits + offset;
    return true;
}

bool address_list_parse(const struct config_list *from, const char *setting, struct address_list *ret, struct eb_err *err)
{
    struct address_list l = { from->count > 0 ? eb_alloc(from->count * sizeof(*l.blocks)) : NULL, from->count };

    for (size_t i = 0; i < from->count; i++) {
        if (!block_parse(from->items[i], &l.blocks[i])) {
            address_list_free(&l);
            return eb_fail_field(err, EB_INVALID_REQUEST, setting, "%s: '%s' is not an address or a CIDR block", setting, from->items[i]);
        }
    }
    *ret = l;
    return true;
}

void address_list_free(struct address_list *l)
{
    free(l->blocks);
    *l = (struct address_list){ 0 };
}

static bool block_has(const struct address_block *b, const struct address *a)
{
    unsigned whole = b->bits / 8, rest = b->bits % 8;

    if (memcmp(b->base.bytes, a->bytes, whole) != 0)
        return false;
    return rest == 0 || (b->base.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

bool address_list_has(const struct address_list *l, const struct address *a)
{
    for (size_t i = 0; i < l->count; i++)
        if (block_has(&l->blocks[i], a))
            return true;
    return false;
}

/* Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711. */
static bool parse_with_port(const char *p, size_t len, struct address *ret)
{
    const char *colon = memchr(p, ':', len), *bracket = len > 0 && *p == '[' ? memchr(p, ']', len) : NULL;

    if (bracket != NULL)
        return address_parse(p + 1, (size_t)(bracket - p - 1), ret);
    if (colon != NULL && memchr(colon + 1, ':', len - (size_t)(colon + 1 - p)) == NULL)
        len = (size_t)(colon - p);
    return address_parse(p, len, ret);
}

/* The last address of a comma-separated list that ends at *len; shortens *len to what stands before it. */
static bool last_of(const char *value, size_t *len, struct address *ret)
{
    size_t end = *len, start;

    for (start = end; start > 0 && value[start - 1] != ','; start--)
        ;
    *len = start > 0 ? start - 1 : 0;
    while (start < end && (value[start] == ' ' || value[start] == '\t'))
        start++;
    while (end > start && (value[end - 1] == ' ' || value[end - 1] == '\t'))
        end--;
    return parse_with_port(value + start, end - start, ret);
}

bool address_client(const struct address *peer, const char *const *forwarded, size_t count, const struct address_list *trusted,
                    struct address *ret)
{
    struct address at = *peer;
    bool told = false;

    if (!address_list_has(trusted, peer)) {
        *ret = *peer;
        return true;
    }
    while (count-- > 0) {
        size_t len = strlen(forwarded[count]);
        do {
            if (!last_of(forwarded[count], &len, &at))
                return false;
            told = true;
            if (!address_list_has(trusted, &at)) {
                *ret = at;
                return true;
            }
        } while (len > 0);
    }
    *ret = at;                      /* trusted all the way: the farthest one that is known */
    return told;
}
