/* audit_export.c - `audit export`: the audit rows as JSON Lines, or as CEF for a SIEM.
 *
 * Texts from outside are stripped of control and bidi characters on the way out: what was exported may be shown at a terminal.
 */
#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_cef.h"
#include "cli/audit_since.h"
#include "cli/output.h"
#include "cli/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct export { FILE *out; bool cef, failed; };

bool audit_since(const char *text, int64_t *ret_ms)
{
    int64_t ago;

    *ret_ms = INT64_MIN;
    if (text == NULL)
        return true;
    if (eb_duration_parse(text, &ago, NULL)) {
        *ret_ms = eb_now_ms() - ago;
        return true;
    }
    return eb_time_parse(text, ret_ms, NULL);
}

/* ---- rows ---- */

static json_t *clean_text(const char *text)
{
    char *clean = eb_alloc(strlen(text) + 1);
    json_t *v = json_string(eb_text_clean(text, clean, strlen(text) + 1));

    free(clean);
    return v;
}

/* A copy with clean texts and names. What is nested too deep is left out. */
static json_t *cleaned(const json_t *v, int depth)
{
    const char *key;
    json_t *member, *copy;
    size_t i;

    if (json_is_string(v))
        return clean_text(json_string_value(v));
    if (depth >= DEPTH_MAX)
        return json_null();
    if (json_is_array(v)) {
        copy = json_array();
        json_array_foreach(v, i, member)
            json_array_append_new(copy, cleaned(member, depth + 1));
        return copy;
    }
    if (!json_is_object(v))
        return json_incref((json_t *)(uintptr_t)v);
    copy = json_object();
    json_object_foreach((json_t *)(uintptr_t)v, key, member) {
        json_t *name = clean_text(key);
        json_object_set_new(copy, json_string_value(name), cleaned(member, depth + 1));
        json_decref(name);
    }
    return copy;
}

static json_t *parse(const char *text)
{
    json_t *v = NULL;

    if (text == NULL || !eb_json_parse_reply((struct eb_span){ text, strlen(text) }, &v, NULL))
        return NULL;
    json_t *copy = cleaned(v, 0);
    json_decref(v);
    return copy;
}

/* Not JSON: shown as it stands, so that nothing is left out. */
static void set_part(json_t *row, const char *name, json_t *parsed, const char *text)
{
    if (parsed != NULL)
        json_object_set(row, name, parsed);
    else if (text != NULL)
        json_object_set_new(row, name, clean_text(text));
}

static bool write_json(FILE *out, const struct audit_row *r, json_t *data, json_t *personal)
{
    char time[EB_TIME_LEN];
    EB_AUTO(json_t, json_decref) row = json_pack("{s:I, s:s, s:s, s:s*, s:s, s:s}", "number", (json_int_t)r->number,
                                                 "time", eb_time_format(r->time_ms, time), "event", r->event, "operation", r->operation,
                                                 "previous", r->previous, "hash", r->hash);

    if (row == NULL)
        return false;
    set_part(row, "data", data, r->data);
    set_part(row, "personal", personal, r->personal);
    if (r->has_personal && r->personal == NULL)
        json_object_set_new(row, "erased", json_true());
    return json_dumpf(row, out, JSON_COMPACT) == 0 && putc('\n', out) != EOF;
}

static bool write_cef(FILE *out, const struct audit_row *r, const json_t *data, const json_t *personal)
{
    struct eb_buf line = EB_BUF(KiB(64));

    cef_line(r, data, personal, &line);
    eb_buf_str(&line, "\n");
    bool good = !line.failed && fwrite(line.data, 1, line.len, out) == line.len;
    eb_buf_free(&line);
    return good;
}

static bool export_row(void *ctx, const struct audit_row *r)
{
    struct export *x = ctx;
    json_t *data = parse(r->data), *personal = parse(r->personal);

    x->failed = !(x->cef ? write_cef(x->out, r, data, personal) : write_json(x->out, r, data, personal));
    json_decref(data);
    json_decref(personal);
    return !x->failed;
}

/* ---- the file ---- */

static int export_to(const struct cli *cli, struct export *x, int64_t since_ms)
{
    const char *path = cli_value(cli, "output");
    struct eb_err err = { 0 };
    struct tool tool;

    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    x->out = output_open(path);
    bool good = x->out != NULL ? audit_list(tool.db, since_ms, export_row, x, &err)
                               : eb_fail(&err, EB_INTERNAL, "%s cannot be written: %s", path, strerror(errno));
    tool_close(&tool);
    if (x->out != NULL && (!output_close(x->out) || x->failed) && good)
        good = eb_fail(&err, EB_INTERNAL, "%s does not take the rows: %s", path != NULL ? path : "Standard output", strerror(errno));
    return good ? CLI_DONE : cli_failed(&err);
}

int cli_audit_export(struct cli *cli)
{
    const char *format = cli_value(cli, "format");
    struct export x = { .cef = eb_streq(format, "cef") };
    int64_t since_ms;

    if (!audit_since(cli_value(cli, "since"), &since_ms))
        return cli_misused(cli, AUDIT_SINCE_HELP);
    if (format != NULL && !x.cef && strcmp(format, "jsonl") != 0)
        return cli_misused(cli, "--format is jsonl or cef");
    return export_to(cli, &x, since_ms);
}
