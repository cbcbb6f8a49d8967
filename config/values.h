/* values.h - inside config/: what the readers of single values share. */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "config/reader.h"

struct spot { struct reader *r; const struct key *k; const char *path; void *into; };     /* into NULL: check only */

/* Adds the fault "WHAT, expected ..." at the node's line; is false. */
bool wrong(const struct spot *s, const struct node *n, const char *what);
/* A text without surprises: that a name on the screen is the name that is compared. */
bool clean_text(const struct spot *s, const struct node *n);
bool keep_text(const struct spot *s, char *text);       /* takes the text; is true */
bool read_duration(const struct spot *s, const struct node *n);
/* A list of texts, or one text alone. form may be NULL. */
bool read_texts(const struct spot *s, const struct node *n, const char *(*form)(const char *), struct config_list *ret);

/* rule_values.c: values that stand in rules of the policy only. */
bool read_names(const struct spot *s, const struct node *n);
bool read_numbers(const struct spot *s, const struct node *n);
bool read_attributes(const struct spot *s, const struct node *n);
bool read_bind(const struct spot *s, const struct node *n);
bool read_when(const struct spot *s, const struct node *n);
bool read_group(const struct spot *s, const struct node *n);
bool read_requester(const struct spot *s, const struct node *n);
bool read_pattern(const struct spot *s, const struct node *n);
bool read_redirect(const struct spot *s, const struct node *n);

/* compat.c: values that stand in the section `compat` only. */
bool read_route_names(const struct spot *s, const struct node *n);
bool read_field_names(const struct spot *s, const struct node *n);
bool read_domain(const struct spot *s, const struct node *n);

/* sync.c: values that stand in the section `sync` only. */
bool read_period(const struct spot *s, const struct node *n);
bool read_clock(const struct spot *s, const struct node *n);
bool read_source(const struct spot *s, const struct node *n);

#endif
