/* config.c - `config reference` and `config validate`. */
#include "config/config.h"

#include "cli/cli.h"
#include "cli/print.h"
#include "ops/kinds.h"

#include <string.h>

int cli_config_reference(struct cli *cli)
{
    struct eb_buf text = EB_BUF(KiB(256));
    bool good = config_reference(&text) && fwrite(text.data, 1, text.len, stdout) == text.len;

    eb_buf_free(&text);
    return good ? CLI_DONE : CLI_FAILED;
}

static json_t *lines_json(const char *text)
{
    json_t *list = json_array();

    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        json_array_append_new(list, json_stringn(text, len));
        text += len + (text[len] == '\n');
    }
    return list;
}

int cli_config_validate(struct cli *cli)
{
    struct eb_buf faults = EB_BUF(KiB(256));
    struct config *c = NULL;
    bool good = config_load(cli->config, ops_config_names(), cli_value(cli, "secrets") != NULL ? CONFIG_FULL : CONFIG_SHAPE, &c, &faults);
    bool printed = true;

    if (cli->json)
        printed = print_json(json_pack("{s:b, s:s, s:o}", "valid", (int)good, "file", cli->config, "faults", lines_json(faults.data)));
    else if (good)
        printf("%s: no faults\n", cli->config);
    else
        fputs(faults.data != NULL ? faults.data : "", stderr);
    config_unref(c);
    eb_buf_free(&faults);
    return good && printed ? CLI_DONE : CLI_FAILED;
}
