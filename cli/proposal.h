/* proposal.h - what the routes and names of a Swagger document become here: by the envelope's own tables, or guessed from their words. Pure. */
#ifndef CLI_PROPOSAL_H
#define CLI_PROPOSAL_H

#include "base/json.h"

/* routes: as swagger_read() gives them. The same with "kind" (NULL where nothing fits), "known" (false: guessed from the words of its name), and for each field
 * "field" (what it stands for under compat.fields; null: not recognised). The caller's. */
json_t *proposal_make(const json_t *routes);
/* The section `compat` as YAML: what is known stands in force, guesses and what was not recognised are commented out. files: for the head, NULL-ended. */
bool proposal_yaml(const json_t *proposal, const char *const *files, struct eb_buf *out);
/* The same for programs: {"routes": {…}, "fields": {…}}, what is known only. The caller's. */
json_t *proposal_section(const json_t *proposal);

#endif
