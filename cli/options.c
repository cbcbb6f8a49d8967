/* options.c - from argv to a command with its values, by the rows of the table.
 *
 * Invariant: with CLI_RUN every required option has a value, nothing was given twice, and nothing was left over.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

struct parsing { struct cli *cli; char **argv; int argc, at; bool help, version; struct eb_err *err; };

const char *cli_value(const struct cli *cli, const char *option)
{
    for (size_t i = 0; i < CLI_OPTIONS_MAX && cli->command->options[i].name != NULL; i++)
        if (strcmp(cli->command->options[i].name, option) == 0)
            return cli->values[i];
    return NULL;
}

static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] != '\0';
}

/* Options that take a value before the command is known: --config only. */
static bool skips_next(const char *arg)
{
    return strcmp(arg, "--config") == 0;
}

/* The first one or two words that are no options name the command. Returns how many words were taken. */
static int find_command(struct parsing *p, char prefix[32])
{
    const char *words[2] = { NULL, NULL };
    int count = 0;
    char name[64];

    for (int i = 1; i < p->argc && count < 2; i++) {
        if (!is_option(p->argv[i]))
            words[count++] = p->argv[i];
        else if (skips_next(p->argv[i]))
            i++;
    }
    *prefix = '\0';
    for (int taken = count; taken > 0; taken--) {
        snprintf(name, sizeof(name), "%s%s%s", words[0], taken > 1 ? " " : "", taken > 1 ? words[1] : "");
        for (size_t i = 0; i < cli_command_count; i++)
            if (strcmp(cli_commands[i].name, name) == 0) {
                p->cli->command = &cli_commands[i];
                return taken;
            }
    }
    size_t len = count > 0 ? strlen(words[0]) : 0;
    for (size_t i = 0; i < cli_command_count && len > 0 && len < 31; i++)
        if (strncmp(cli_commands[i].name, words[0], len) == 0 && cli_commands[i].name[len] == ' ')
            snprintf(prefix, 32, "%s ", words[0]);
    if (count > 0 && *prefix == '\0')
        eb_fail(p->err, EB_INVALID_REQUEST, "no command `%s`", words[0]);
    else if (count > 1)
        eb_fail(p->err, EB_INVALID_REQUEST, "no command `%s %s`", words[0], words[1]);
    else
        eb_fail(p->err, EB_INVALID_REQUEST, "a command is missing");
    return 0;
}

/* The value of "--name=value" or of the next word. NULL: err is set. */
static const char *take_value(struct parsing *p, const char *name, const char *inside)
{
    if (inside != NULL)
        return inside;
    if (p->at + 1 >= p->argc) {
        eb_fail(p->err, EB_INVALID_REQUEST, "--%s needs a value", name);
        return NULL;
    }
    return p->argv[++p->at];
}

static bool set_once(struct parsing *p, const char *name, const char **slot, const char *value)
{
    if (value == NULL)
        return false;
    if (*slot != NULL)
        return eb_fail(p->err, EB_INVALID_REQUEST, "--%s is given twice", name);
    *slot = value;
    return true;
}

static bool own_option(struct parsing *p, const char *name, const char *inside)
{
    const struct cli_command *c = p->cli->command;

    for (size_t i = 0; c != NULL && i < CLI_OPTIONS_MAX && c->options[i].name != NULL; i++) {
        if (strcmp(c->options[i].name, name) != 0)
            continue;
        if (c->options[i].value != NULL)
            return set_once(p, name, &p->cli->values[i], take_value(p, name, inside));
        if (inside != NULL)
            return eb_fail(p->err, EB_INVALID_REQUEST, "--%s takes no value", name);
        return set_once(p, name, &p->cli->values[i], "");
    }
    return eb_fail(p->err, EB_INVALID_REQUEST, "no option --%s", name);
}

static bool take_option(struct parsing *p, const char *arg)
{
    char name[64];
    const char *inside = strchr(arg, '=');
    size_t len = inside != NULL ? (size_t)(inside - arg) : strlen(arg);

    if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0)
        return p->help = true;
    if (strcmp(arg, "-V") == 0 || strcmp(arg, "--version") == 0)
        return p->version = true;
    if (strncmp(arg, "--", 2) != 0 || len < 3 || len - 2 >= sizeof(name))
        return eb_fail(p->err, EB_INVALID_REQUEST, "no option %.40s", arg);
    snprintf(name, sizeof(name), "%.*s", (int)(len - 2), arg + 2);
    if (inside != NULL)
        inside++;
    if (strcmp(name, "config") == 0)
        return set_once(p, name, &p->cli->config, take_value(p, name, inside));
    if (strcmp(name, "json") == 0 && inside == NULL)
        return p->cli->json = true;
    return own_option(p, name, inside);
}

/* One more, where the command takes several ("FILE..."). */
static bool take_further(struct parsing *p, const char *arg)
{
    size_t i = 0;

    if (p->cli->command == NULL || p->cli->command->argument == NULL || strstr(p->cli->command->argument, "...") == NULL)
        return eb_fail(p->err, EB_INVALID_REQUEST, "`%.60s` is one word too many", arg);
    while (i < EB_LEN(p->cli->further) && p->cli->further[i] != NULL)
        i++;
    if (i == EB_LEN(p->cli->further))
        return eb_fail(p->err, EB_INVALID_REQUEST, "`%.60s` is one too many: at most %d at once", arg, CLI_ARGUMENTS_MAX);
    p->cli->further[i] = arg;
    return true;
}

static bool take_argument(struct parsing *p, const char *arg)
{
    if (p->cli->argument != NULL || p->cli->command == NULL || p->cli->command->argument == NULL)
        return take_further(p, arg);
    p->cli->argument = arg;
    return true;
}

static bool take_words(struct parsing *p, int of_command)
{
    bool only_words = false;

    for (p->at = 1; p->at < p->argc; p->at++) {
        const char *arg = p->argv[p->at];
        if (!only_words && strcmp(arg, "--") == 0)
            only_words = true;
        else if (!only_words && is_option(arg)) {
            if (!take_option(p, arg))
                return false;
        } else if (of_command > 0)
            of_command--;
        else if (!take_argument(p, arg))
            return false;
    }
    return true;
}

static bool whole(struct parsing *p)
{
    const struct cli_command *c = p->cli->command;

    for (size_t i = 0; i < CLI_OPTIONS_MAX && c->options[i].name != NULL; i++)
        if (c->options[i].required && p->cli->values[i] == NULL)
            return eb_fail(p->err, EB_INVALID_REQUEST, "--%s is missing", c->options[i].name);
    if (c->argument != NULL && c->argument[0] != '[' && p->cli->argument == NULL)
        return eb_fail(p->err, EB_INVALID_REQUEST, "%s is missing", c->argument);
    return true;
}

static bool asks(int argc, char **argv, const char *shortly, const char *option)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], option) == 0 || strcmp(argv[i], shortly) == 0)
            return true;
    return false;
}

enum cli_parsed cli_parse(int argc, char **argv, struct cli *cli, char prefix[32], struct eb_err *err)
{
    struct parsing p = { .cli = cli, .argv = argv, .argc = argc, .err = err };
    int taken;

    *cli = (struct cli){ 0 };
    taken = find_command(&p, prefix);
    if (cli->command == NULL) {
        if (asks(argc, argv, "-V", "--version"))
            return CLI_VERSION;
        return asks(argc, argv, "-h", "--help") || (argc == 2 && strcmp(argv[1], "help") == 0) ? CLI_HELP : CLI_WRONG;
    }
    bool good = take_words(&p, taken);
    if (p.help)
        return CLI_HELP;
    if (p.version)
        return CLI_VERSION;
    return good && whole(&p) ? CLI_RUN : CLI_WRONG;
}
