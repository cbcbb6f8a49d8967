/* random.c - random bytes and ids.
 *
 * Secrets come from OpenSSL's private generator, ids straight from the kernel: no pool of ours
 * that a fork could hand out twice. Without randomness nothing here can be done safely: abort.
 */
#include "base/random.h"

#include "base/hash.h"

#include <errno.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static void no_randomness(void)
{
    static const char text[] = "entrabridge: the system gives no random bytes\n";
    (void)!fwrite(text, 1, sizeof(text) - 1, stderr);
    abort();
}

void eb_random(void *out, size_t len)
{
    unsigned char *p = out;

    while (len > 0) {
        int part = len > INT_MAX ? INT_MAX : (int)len;
        if (RAND_priv_bytes(p, part) != 1)
            no_randomness();
        p += part;
        len -= (size_t)part;
    }
}

uint32_t eb_random_below(uint32_t n)
{
    uint32_t value;

    if (n < 2)
        return 0;
    /* Values below 2^32 mod n are drawn again, else the low results would come more often. */
    uint32_t skip = -n % n;
    do
        eb_random(&value, sizeof(value));
    while (value < skip);
    return value % n;
}

static void kernel_random(void *out, size_t len)
{
    ssize_t n;

    do
        n = getrandom(out, len, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)len)              /* up to 256 bytes come whole */
        no_randomness();
}

static void uuid_text(uint8_t raw[16], unsigned version, char out[EB_ID_LEN])
{
    static const uint8_t group_start[] = { 0, 4, 6, 8, 10, 16 };
    char *p = out;

    raw[6] = (uint8_t)((raw[6] & 0x0F) | version << 4);
    raw[8] = (uint8_t)((raw[8] & 0x3F) | 0x80);
    for (size_t g = 0; g < 5; g++) {
        size_t len = (size_t)(group_start[g + 1] - group_start[g]);
        eb_hex(raw + group_start[g], len, p);
        p += 2 * len;
        *p++ = g < 4 ? '-' : '\0';
    }
}

/* Milliseconds and 12 bits of a fraction (RFC 9562, 6.2, method 3), never the same twice in one
 * process and never going back, also when the clock does. */
static uint64_t id_stamp(void)
{
    static _Atomic uint64_t last;
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    uint64_t ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
    uint64_t stamp = ms << 12 | (uint64_t)ts.tv_nsec % 1000000 * 4096 / 1000000;
    uint64_t before = atomic_load(&last);
    uint64_t mine;
    do
        mine = stamp > before ? stamp : before + 1;
    while (!atomic_compare_exchange_weak(&last, &before, mine));
    return mine;
}

void eb_id_new(char out[EB_ID_LEN])
{
    uint64_t stamp = id_stamp();
    uint64_t ms = stamp >> 12;
    uint8_t raw[16];

    kernel_random(raw, sizeof(raw));
    for (int i = 0; i < 6; i++)
        raw[i] = (uint8_t)(ms >> (40 - 8 * i));
    raw[6] = (uint8_t)(stamp >> 8 & 0x0F);
    raw[7] = (uint8_t)stamp;
    uuid_text(raw, 7, out);
}

void eb_uuid4(char out[EB_ID_LEN])
{
    uint8_t raw[16];

    kernel_random(raw, sizeof(raw));
    uuid_text(raw, 4, out);
}
