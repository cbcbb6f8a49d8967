/* assets_strings.h - every attribute value of the simulated Assets as text, kept once and named by a number.
 *
 * A company's values repeat (departments, dates, true and false): an object holds four bytes a value. Texts stay until the
 * store goes.
 */
#ifndef SIM_ASSETS_STRINGS_H
#define SIM_ASSETS_STRINGS_H

#include "base/buf.h"

struct assets_strings;

struct assets_strings *assets_strings_new(size_t texts /* how many there will be; more are no fault */);
void assets_strings_free(struct assets_strings *p);
uint32_t assets_intern(struct assets_strings *p, const char *text);
const char *assets_text(const struct assets_strings *p, uint32_t handle);
/* Appends the text as JSON, with its quotes. */
void assets_text_json(const struct assets_strings *p, uint32_t handle, struct eb_buf *out);

/* Folds the case of ASCII and of Latin-1's letters, as AQL's = does. */
uint64_t assets_fold_hash(uint64_t seed, const char *text);
bool assets_fold_equal(const char *a, const char *b);
int assets_fold_compare(const char *a, const char *b);
bool assets_fold_begins(const char *text, const char *with);
const char *assets_fold_find(const char *text, const char *part);    /* or NULL */

#endif
