/* delta_token.h - where a reader of delta is: all of it stands in the token, nothing is kept for it.
 *
 * https://learn.microsoft.com/graph/delta-query-overview: $skiptoken goes on in a round, $deltatoken begins the next one.
 */
#ifndef SIM_DELTA_TOKEN_H
#define SIM_DELTA_TOKEN_H

#include "sim/odata.h"
#include "sim/sim.h"

#define DELTA_IDS_MAX 50
enum delta_phase { DELTA_ALL, DELTA_BIN, DELTA_CHANGES, DELTA_DONE };   /* a first round: all objects, then the recycle bin */
struct delta_token {
    enum entra_kind kind;
    bool next;                      /* of a nextLink */
    enum delta_phase phase;
    uint32_t page;                  /* how many came before in this round */
    uint32_t at, edge;              /* the next object's place, the last member given of it */
    uint64_t place, end;            /* rows of the log: the first not read, where the round ends; in a first round both say where the next begins */
    int64_t issued_ms;              /* when the round began */
    unsigned epoch, generation;
    char select[2048];              /* as sent; "" : none */
    char ids[DELTA_IDS_MAX * EB_ID_LEN + 1];        /* of $filter, each ended by a blank; "" : none */
};

/* A link of this place: nextLink or deltaLink. The caller frees it. */
char *delta_link(const struct sim_call *c, const struct delta_token *t);
/* The token of the call, or a new one for a first round or `latest` (then phase is DELTA_DONE). False: answered, with 400 or 410. */
bool delta_token_read(struct sim *s, struct sim_call *c, enum entra_kind kind, struct delta_token *ret, struct sim_reply *r) EB_CHECK;
bool delta_wants_id(const struct delta_token *t, const char *id);    /* by $filter */

/* What $select asks for. */
struct delta_select { struct odata_select columns; bool manager, members, owners; };
bool delta_select_read(struct sim_call *c, const struct delta_token *t, struct delta_select *ret, struct sim_reply *r) EB_CHECK;

#endif
