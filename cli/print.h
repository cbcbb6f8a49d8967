/* print.h - output: aligned tables for people, JSON for programs. Text from outside is cleaned for terminals. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "base/json.h"

#include <stdio.h>

#define TABLE_COLUMNS_MAX 10

struct table;
/* heads: NULL-ended, static, at most TABLE_COLUMNS_MAX. */
struct table *table_new(const char *const *heads);
/* As many cells as heads; copied and cleaned; NULL is shown as "-". */
void table_add(struct table *t, const char *const *cells);
/* Prints and frees; `none` is printed instead of an empty table. */
void table_end(struct table *t, const char *none);
void table_end_to(struct table *t, const char *none, FILE *out);

/* Rows either way: into `array` for programs, where it is not NULL, else into `table`. */
struct listing { json_t *array; struct table *table; };
struct listing listing_new(bool json, const char *const *heads);
/* Prints what was listed; nothing of it where the reading failed (good is false). Frees. False: standard output does not take it. */
bool listing_end(struct listing *l, bool good, const char *none);

/* "Label:   value", labels in one column; nothing for a NULL value. */
void print_field(const char *label, const char *value);
/* A JSON value over several lines, and a line end. Takes v. False: standard output does not take it. */
bool print_json(json_t *v);
/* Minutes are enough for people: "2026-11-22 16:43" (UTC); "-" for 0. */
const char *print_time(int64_t ms, char out[32]);
/* "[ITSM,HR]" -> "ITSM,HR": a JSON list of texts for people. The caller frees. */
char *print_list(const char *json);

#endif
