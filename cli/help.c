/* help.c - help that suffices, printed from the table. */
#include "cli/cli.h"

#include <string.h>

/* "  --operations A,B|'*'   text", the text in one column. */
static void print_option(const char *name, const char *value, bool required, const char *help, FILE *out)
{
    char left[64];

    snprintf(left, sizeof(left), "--%s%s%s", name, value != NULL ? " " : "", value != NULL ? value : "");
    fprintf(out, "  %-24s %s%s\n", left, required ? "(required) " : "", help);
}

static void print_usage(const struct cli_command *c, FILE *out)
{
    fprintf(out, "Usage: entrabridge %s", c->name);
    for (size_t i = 0; i < CLI_OPTIONS_MAX && c->options[i].name != NULL; i++) {
        const struct cli_option *o = &c->options[i];
        fprintf(out, " %s--%s%s%s%s", o->required ? "" : "[", o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "",
                o->required ? "" : "]");
    }
    fprintf(out, "%s%s\n", c->argument != NULL ? " " : "", c->argument != NULL ? c->argument : "");
}

static void print_common(bool config, FILE *out)
{
    if (config)
        print_option("config", "FILE", false, "The configuration; ./entrabridge.yaml, else /etc/entrabridge/entrabridge.yaml by default.", out);
    print_option("json", NULL, false, "Output for programs.", out);
    print_option("help", NULL, false, "This text.", out);
}

void cli_help(const struct cli_command *c, FILE *out)
{
    print_usage(c, out);
    fprintf(out, "\n%s\n", c->summary);
    if (c->details[0] != '\0')
        fprintf(out, "%s\n", c->details);
    fprintf(out, "\nOptions:\n");
    for (size_t i = 0; i < CLI_OPTIONS_MAX && c->options[i].name != NULL; i++)
        print_option(c->options[i].name, c->options[i].value, c->options[i].required, c->options[i].help, out);
    print_common(!c->without_config, out);
    fprintf(out, "\nExample:\n  %s\n\nExit codes: 0 done, 1 failed, 2 usage.\n", c->example);
}

void cli_overview(const char *prefix, FILE *out)
{
    fprintf(out, "entrabridge " EB_VERSION ": from Jira Service Management automation to Microsoft Entra ID.\n\n"
                 "Usage: entrabridge %sCOMMAND [OPTIONS]\n\nCommands:\n", prefix);
    for (size_t i = 0; i < cli_command_count; i++)
        if (strncmp(cli_commands[i].name, prefix, strlen(prefix)) == 0)
            fprintf(out, "  %-20s %s\n", cli_commands[i].name, cli_commands[i].summary);
    fprintf(out, "\nOptions of every command:\n");
    print_common(true, out);
    print_option("version", NULL, false, "The version.", out);
    fprintf(out, "\n`entrabridge COMMAND --help` says more and gives an example.\n");
}
