/* control.h - the control API under /sim/ and the page at the root: for tests and for people who watch. */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "sim/sim.h"

/* All but /sim/wait, which http.c holds open. */
void control_answer(struct sim *s, struct sim_call *c, struct sim_reply *r);

sim_handler control_state, control_put_users, control_put_groups, control_put_issues, control_put_comments, control_put_accounts, control_churn, control_directory;
/* One object of a POST: changes state and appends what it is now to `done`. */
typedef bool control_put_one(struct sim *s, const json_t *from, json_t *done, struct eb_err *err);
/* The body is one object or an array of them; answers {name: done}. */
void control_put_all(struct sim *s, struct sim_call *c, struct sim_reply *r, const char *name, control_put_one *put);
json_t *control_comment_json(const struct tracker_comment *m);
void control_error(struct sim_reply *r, const struct eb_err *err);
json_t *control_user_json(struct sim *s, const struct entra_object *o);
json_t *control_group_json(const struct entra_object *o);
json_t *control_issue_json(const struct tracker_issue *i, size_t last /* comments; 0: all */);

sim_handler control_assets, control_put_assets_objects, control_put_assets_schemas, control_put_assets_source;
json_t *control_assets_page(struct sim *s);          /* what the page shows of Assets */
json_t *control_assets_counters(struct sim *s);      /* for each object; null: too many */

extern const char sim_page_html[];           /* made from page.html when it is built */

#endif
