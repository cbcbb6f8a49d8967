/* main.c - one program, many commands. Exit codes: 0 done, 1 failed, 2 usage. */
#include "cli/cli.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *const standard_places[] = { "entrabridge.yaml", "/etc/entrabridge/entrabridge.yaml" };

static bool find_config(struct cli *cli)
{
    for (size_t i = 0; cli->config == NULL && i < EB_LEN(standard_places); i++)
        if (access(standard_places[i], F_OK) == 0)
            cli->config = standard_places[i];
    if (cli->config != NULL)
        return true;
    fprintf(stderr, "entrabridge: no configuration: neither ./%s nor %s is there. Name one with --config FILE; "
                    "`entrabridge config reference` prints one to begin with.\n", standard_places[0], standard_places[1]);
    return false;
}

/* What was printed must have arrived: a full disk or a closed pipe is a failure. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "entrabridge: standard output: %s\n", strerror(errno));
    return code == CLI_DONE ? CLI_FAILED : code;
}

static int run(struct cli *cli)
{
    eb_log_setup(EB_LOG_WARN, EB_LOG_TEXT);     /* serve sets what its configuration says */
    if (!cli->command->without_config && !find_config(cli))
        return CLI_FAILED;
    return cli->command->run(cli);
}

static int wrong(const struct cli *cli, const char *prefix, const struct eb_err *err)
{
    int code = cli_misused(cli, "%s", err->text);

    if (cli->command == NULL) {
        fputc('\n', stderr);
        cli_overview(prefix, stderr);
    }
    return code;
}

int main(int argc, char **argv)
{
    struct cli cli;
    struct eb_err err = { 0 };
    char prefix[32] = "";

    switch (cli_parse(argc, argv, &cli, prefix, &err)) {
    case CLI_RUN:
        return finish(run(&cli));
    case CLI_VERSION:
        puts("entrabridge " EB_VERSION);
        return finish(CLI_DONE);
    case CLI_HELP:
        if (cli.command != NULL)
            cli_help(cli.command, stdout);
        else
            cli_overview(prefix, stdout);
        return finish(CLI_DONE);
    case CLI_WRONG:
        break;
    }
    return wrong(&cli, prefix, &err);
}
