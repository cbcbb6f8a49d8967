/* cli.h - the command line: a table of commands (commands.c), one file each.
 *
 * A command gets its options parsed by its own rows and returns an exit code. What programs read goes to standard output,
 * what went wrong to standard error. Options stand after the command (--config and --json also before it), as --name value or --name=value.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/error.h"

#include <stdio.h>

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };
#define CLI_OPTIONS_MAX 10
#define CLI_ARGUMENTS_MAX 64

struct cli_command;
struct cli {
    const char *config;             /* the path of the configuration file; set for commands that use one */
    bool json;                      /* for programs */
    const struct cli_command *command;
    const char *argument;           /* NULL: none was given */
    const char *further[CLI_ARGUMENTS_MAX - 1];     /* where the command takes several; NULL-ended unless full */
    const char *values[CLI_OPTIONS_MAX];    /* by the command's rows; NULL: not given, "" for a switch */
};
struct cli_option {
    const char *name;               /* "operations", without dashes */
    const char *value;              /* "A,B|'*'" as help shows it; NULL: a switch */
    bool required;
    const char *help;
};
struct cli_command {
    const char *name;               /* "token create" */
    const char *argument;           /* "ID", "[ID]" where it may be left out, "FILE..." where there may be several, NULL: there is none */
    struct cli_option options[CLI_OPTIONS_MAX];
    bool without_config;
    int (*run)(struct cli *cli);
    const char *summary;            /* one line */
    const char *details, *example;  /* lines of --help */
};
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

const char *cli_value(const struct cli *cli, const char *option);   /* NULL: not given; "" for a switch */

/* options.c */
enum cli_parsed { CLI_RUN, CLI_HELP, CLI_VERSION, CLI_WRONG };
/* Fills *cli from argv; CLI_WRONG: err says why. HELP with cli->command NULL is about the whole program; `prefix` (may be "") is the group that was named. */
enum cli_parsed cli_parse(int argc, char **argv, struct cli *cli, char prefix[32], struct eb_err *err);

/* help.c */
void cli_help(const struct cli_command *c, FILE *out);
void cli_overview(const char *prefix, FILE *out);       /* commands that begin with prefix; "" is all */

/* Say what went wrong on standard error; the exit code to return. */
int cli_failed(const struct eb_err *err);
int cli_misused(const struct cli *cli, const char *fmt, ...) EB_PRINTF(2, 3);

/* One function a command. */
int cli_serve(struct cli *cli);
int cli_check(struct cli *cli);
int cli_config_reference(struct cli *cli);
int cli_config_validate(struct cli *cli);
int cli_token_create(struct cli *cli);
int cli_token_list(struct cli *cli);
int cli_token_revoke(struct cli *cli);
int cli_operations_list(struct cli *cli);
int cli_operations_show(struct cli *cli);
int cli_operations_expiring(struct cli *cli);       /* `operations list --expiring` */
int cli_operations_cancel(struct cli *cli);
int cli_operations_release(struct cli *cli);
int cli_operations_undo(struct cli *cli);
int cli_recover(struct cli *cli);
int cli_pause(struct cli *cli);
int cli_resume(struct cli *cli);
int cli_outbox_list(struct cli *cli);
int cli_outbox_retry(struct cli *cli);
int cli_compat_import(struct cli *cli);
int cli_policy_explain(struct cli *cli);
int cli_policy_pin(struct cli *cli);
int cli_audit_verify(struct cli *cli);
int cli_audit_export(struct cli *cli);
int cli_audit_erase(struct cli *cli);
int cli_sync_init(struct cli *cli);
int cli_sync_preview(struct cli *cli);
int cli_sync_run(struct cli *cli);
int cli_sync_status(struct cli *cli);
int cli_sync_history(struct cli *cli);
int cli_sync_show(struct cli *cli);

#endif
