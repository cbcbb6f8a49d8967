/* tool.h - what commands beside a running service need: the configuration, the database, the keys. */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include "auth/auth.h"
#include "cli/cli.h"
#include "config/config.h"
#include "store/db.h"

struct tool { struct config *config; struct auth_keys *keys; struct db *db; };

enum tool_keys { TOOL_NO_KEYS, TOOL_KEYS, TOOL_MAKE_KEYS };
/* false: said on standard error, nothing is left open. The database is made or migrated where needed. */
bool tool_open(const struct cli *cli, enum tool_keys keys, struct tool *ret);
void tool_close(struct tool *t);

/* The configuration alone; its faults are said on standard error. */
bool tool_config(const struct cli *cli, enum config_use use, struct config **ret);
/* Who runs the command, for the audit row: "ada (uid 1000)". */
const char *tool_who(char out[80]);
/* A whole number from 1 to max, or `standard` where the option is not given. False: said. */
bool tool_number(const struct cli *cli, const char *option, int standard, int max, int *ret);

#endif
