/* tool.c - opening and closing for commands, and the ways to say that it did not work. */
#include "cli/tool.h"

#include "base/text.h"
#include "ops/kinds.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_failed(const struct eb_err *err)
{
    char clean[sizeof(err->text)];

    fprintf(stderr, "entrabridge: %s\n", eb_text_clean(err->text, clean, sizeof(clean)));
    return CLI_FAILED;
}

int cli_misused(const struct cli *cli, const char *fmt, ...)
{
    char text[400], clean[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(stderr, "entrabridge: %s\n", eb_text_clean(text, clean, sizeof(clean)));
    if (cli->command != NULL)
        fprintf(stderr, "`entrabridge %s --help` tells more.\n", cli->command->name);
    return CLI_USAGE;
}

bool tool_config(const struct cli *cli, enum config_use use, struct config **ret)
{
    struct eb_buf faults = EB_BUF(KiB(256));
    bool good = config_load(cli->config, ops_config_names(), use, ret, &faults);

    if (!good)
        fputs(faults.data != NULL ? faults.data : "", stderr);
    eb_buf_free(&faults);
    return good;
}

bool tool_open(const struct cli *cli, enum tool_keys keys, struct tool *ret)
{
    struct tool t = { 0 };
    struct eb_err err = { 0 };

    if (!tool_config(cli, CONFIG_SHAPE, &t.config))
        return false;
    if ((keys == TOOL_NO_KEYS || auth_keys_open(t.config->keys_directory, keys == TOOL_MAKE_KEYS, &t.keys, &err)) &&
        db_open(t.config->store_url, DB_TOOL, &t.db, &err) && db_follow(t.db, t.config->keys_directory, DB_TOOL, &err)) {
        *ret = t;
        return true;
    }
    cli_failed(&err);
    tool_close(&t);
    return false;
}

void tool_close(struct tool *t)
{
    if (t->db != NULL)
        db_close(t->db);
    auth_keys_free(t->keys);
    config_unref(t->config);
}

const char *tool_who(char out[80])
{
    const struct passwd *user = getpwuid(getuid());

    snprintf(out, 80, "%.50s (uid %u)", user != NULL ? user->pw_name : "unknown", (unsigned)getuid());
    return out;
}

bool tool_number(const struct cli *cli, const char *option, int standard, int max, int *ret)
{
    const char *text = cli_value(cli, option);
    char *end = NULL;

    *ret = standard;
    if (text == NULL)
        return true;
    long n = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || n < 1 || n > max) {
        cli_misused(cli, "--%s is a number from 1 to %d", option, max);
        return false;
    }
    *ret = (int)n;
    return true;
}
