/* pins.h - pins on their way from and to the store. */
#ifndef DIRECTORY_PINS_H
#define DIRECTORY_PINS_H

#include "directory/name.h"
#include "directory/inside.h"

struct pin { char type[16]; char *name; char id[NAME_ID_LEN]; };
struct pins { struct pin *items; size_t count; };

void pins_add(struct pins *p, const char *type, const char *name, const char *id);
void pins_free(struct pins *p);                     /* what it holds, not *p */
bool pins_read(struct pins *p, struct db *db, struct eb_err *err) EB_CHECK;     /* all of the database */

/* Both end in bind_on_pins(), by id, on the loop. What `put` holds is taken over. */
void pins_load(struct directory *d, uint64_t bind);
void pins_put(struct directory *d, uint64_t bind, struct pins *put);
void pins_forget_jobs(struct directory *d);         /* the directory goes; jobs under way free themselves */

#endif
