/* address.h - source addresses and CIDR blocks, IPv4 and IPv6 alike (IPv4 as ::ffff:a.b.c.d, so that both families compare). */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include "base/error.h"
#include "config/config.h"

#include <stdint.h>
#include <sys/socket.h>

struct address { uint8_t bytes[16]; };
struct address_block { struct address base; unsigned bits; };       /* bits of the 128 that count */
struct address_list { struct address_block *blocks; size_t count; };

bool address_of(const struct sockaddr *sa, struct address *ret);
bool address_parse(const char *text, size_t len, struct address *ret);      /* without port or brackets */
const char *address_text(const struct address *a, char *out, size_t size);

/* The setting's name goes into the error. The list is the caller's: address_list_free(). */
bool address_list_parse(const struct config_list *from, const char *setting, struct address_list *ret, struct eb_err *err) EB_CHECK;
void address_list_free(struct address_list *l);
bool address_list_has(const struct address_list *l, const struct address *a);

/* Whose request it is that came from `peer` with these X-Forwarded-For values, in their order: the rightmost address that is not a
 * trusted proxy. false: the header does not say (missing, or no address where one is needed). */
bool address_client(const struct address *peer, const char *const *forwarded, size_t count, const struct address_list *trusted,
                    struct address *ret);

#endif
