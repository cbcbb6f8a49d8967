/* duties.h - the groups of policy.separation_of_duties, by id. For snapshot.c only. */
#ifndef DIRECTORY_DUTIES_H
#define DIRECTORY_DUTIES_H

#include "directory/name.h"

struct duties;

struct duties *duties_new(void);
void duties_free(struct duties *d);
/* A name of the kind NAME_DUTY_GROUP, and its id in force (NULL: none). The name's text is borrowed. All that it fits counts. */
void duties_add(struct duties *d, const struct name *n, const char *id);
/* See snapshot.h. */
size_t duties_slots(const struct duties *d);
void duties_mark(const struct duties *d, const char *id, unsigned char *marks);
const char *duties_conflict(const struct duties *d, const unsigned char *held, const unsigned char *asked);
const char *duties_unfound(const struct duties *d);

#endif
