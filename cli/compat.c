/* compat.c - `compat import`: the section `compat` from the marketplace app's Swagger files. Nothing is printed before every file was read whole. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/proposal.h"
#include "config/swagger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool read_file(const char *path, struct eb_buf *out, struct eb_buf *faults)
{
    char piece[KiB(8)];
    FILE *f = fopen(path, "rbe");
    size_t n;

    if (f == NULL) {
        eb_buf_addf(faults, "%s: %s\n", path, strerror(errno));
        return false;
    }
    while ((n = fread(piece, 1, sizeof piece, f)) > 0 && eb_buf_add(out, piece, n))
        ;
    bool good = !ferror(f) && !out->failed;
    if (!good)
        eb_buf_addf(faults, "%s: %s\n", path, out->failed ? "is larger than 4 MiB" : strerror(errno));
    fclose(f);
    return good;
}

static bool import(const char *path, json_t *routes, struct eb_buf *faults)
{
    struct eb_buf text = EB_BUF(SWAGGER_FILE_MAX);
    bool good = read_file(path, &text, faults) && swagger_read(path, (struct eb_span){ text.data != NULL ? text.data : "", text.len }, routes, faults);

    eb_buf_free(&text);
    return good;
}

static bool print(const struct cli *cli, const json_t *routes, const char *const *files)
{
    EB_AUTO(json_t, json_decref) proposal = proposal_make(routes);
    struct eb_buf text = EB_BUF(MiB(4));

    if (cli->json)
        return print_json(json_pack("{s:O, s:o}", "routes", proposal, "compat", proposal_section(proposal)));
    bool good = proposal_yaml(proposal, files, &text) && fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    eb_buf_free(&text);
    return good;
}

int cli_compat_import(struct cli *cli)
{
    const char *files[CLI_ARGUMENTS_MAX + 1] = { cli->argument };
    EB_AUTO(json_t, json_decref) routes = json_array();
    struct eb_buf faults = EB_BUF(KiB(256));
    bool good = true;

    for (size_t i = 0; i < EB_LEN(cli->further) && cli->further[i] != NULL; i++)
        files[i + 1] = cli->further[i];
    for (size_t i = 0; files[i] != NULL; i++)
        good = import(files[i], routes, &faults) && good;       /* all faults at once */
    if (!good)
        fputs(faults.data != NULL ? faults.data : "", stderr);
    eb_buf_free(&faults);
    return good && print(cli, routes, files) ? CLI_DONE : CLI_FAILED;
}
