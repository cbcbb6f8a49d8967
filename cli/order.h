/* order.h - what the command line asks of the running service, and waits for. */
#ifndef CLI_ORDER_H
#define CLI_ORDER_H

#include "base/json.h"
#include "cli/tool.h"

/* Puts an order in and waits for the answer, which is the caller's then. False: no service runs here, or it does not answer. late: for the text where an
 * order was taken and no answer came. */
bool order_ask(struct tool *tool, const char *kind, const char *data, const char *late, json_t **ret_answer, struct eb_err *err) EB_CHECK;
/* True: the answer is a refusal of the order itself, which is in err now. */
bool order_refused(const json_t *answer, struct eb_err *err);
void order_pause(void);                 /* between two looks */

#endif
