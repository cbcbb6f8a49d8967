/* text.h - text from outside: UTF-8, control and bidi characters, forms of names. */
#ifndef EB_TEXT_H
#define EB_TEXT_H

#include "base/buf.h"

bool eb_utf8_valid(const char *s, size_t len);
/* Length of the character at s (1 to 4), of which at most len bytes may be read; 0: not UTF-8. */
size_t eb_utf8_next(const char *s, size_t len, uint32_t *ret_char);
/* A control (C0, DEL, C1), a line or paragraph separator, or a bidi/zero-width formatting
 * character (U+061C, 200B-200F, 2028-202E, 2060-2069, FEFF)? */
bool eb_char_unclean(uint32_t c);
bool eb_text_unclean(const char *s);                /* has such a character, or bytes that are not UTF-8 */
/* Copies s without those characters, and cut on a character boundary to fit. Returns out. */
const char *eb_text_clean(const char *s, char *out, size_t size);
bool eb_is_guid(const char *s);                     /* 8-4-4-4-12 hex digits */
/* A Jira issue key (ABC-123) or a numeric id; one spelling each: no leading zero, upper case. */
bool eb_is_issue(const char *s);
bool eb_streq(const char *a, const char *b);        /* NULL equals NULL only */
bool eb_strieq(const char *a, const char *b);       /* ASCII case folded */
bool eb_text_matches(const char *pattern, const char *text);        /* "*" stands for any text, ASCII case folded */
/* Percent-encodes all but RFC 3986 unreserved characters: the one encoder for path segments and query values. */
bool eb_url_escape(struct eb_buf *out, const char *s);
/* There is no memory: says so and ends the program, since a start goes on where it was and a half-known state does not. */
_Noreturn void eb_no_memory(void);
void *eb_need(void *p);                             /* p, unless it is NULL: then eb_no_memory() */
void *eb_alloc(size_t size);                        /* zeroed; ends the program when there is none */
char *eb_strdup(const char *s);                     /* NULL stays NULL */
char *eb_asprintf(const char *fmt, ...) EB_PRINTF(1, 2);
void eb_wipe_free(char *s);                         /* OPENSSL_cleanse, then free; accepts NULL */

#endif
