/* scan.h - the raw bytes of a request's head, judged before evhttp sees them.
 *
 * Pure: no I/O, no memory. Each byte is looked at once, whatever the pieces it comes in: O(bytes).
 * Invariant: what SCAN_GOOD lets through has one reading only, for evhttp and for any proxy before us.
 */
#ifndef SERVER_SCAN_H
#define SERVER_SCAN_H

#include "base/buf.h"

struct scan_limits {
    size_t head;                    /* bytes, line ends and all */
    unsigned headers;
    uint64_t body;                  /* bytes that a Content-Length may announce */
};

enum scan_result { SCAN_MORE, SCAN_GOOD, SCAN_BAD };

/* Places are offsets from the first byte of the head: the caller's buffer may move between calls. */
struct scan_piece { size_t at, len; };

struct scan {                       /* zeroed for each request */
    size_t seen, line;              /* bytes judged; where the line under way begins */
    unsigned lines, hosts, lengths, expects;
    bool after_cr;
    /* What SCAN_GOOD found; after SCAN_BAD what was read until then. */
    bool known;                     /* a method that evhttp knows */
    bool takes_body;
    bool minor;                     /* HTTP/1.1; else 1.0 */
    struct scan_piece method, target, accept;   /* accept: the first Accept; length 0 when there is none */
    uint64_t body;                  /* Content-Length */
    size_t head;                    /* length of the head with its empty line */
};

/* p holds the request from its first byte, len bytes of it so far; the bytes may go beyond the head.
 * SCAN_BAD: err has the code (400, 411, 413, 431), and the connection is of no more use. */
enum scan_result scan_run(struct scan *s, const char *p, size_t len, const struct scan_limits *l, struct eb_err *err);

#endif
