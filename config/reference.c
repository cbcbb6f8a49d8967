/* reference.c - the table as a commented YAML file that loads as it stands.
 *
 * Required keys stand live with a sample value; the others are commented out with their default.
 */
#include "config/keys.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    "# entrabridge " EB_VERSION ": every key of the configuration file.\n"
    "#\n"
    "# Commented keys show their default, or a sample where there is none. Paths are relative to this file.\n"
    "# Secrets are references: {file: PATH} (readable by its owner only), {env: NAME}, {credential: NAME} (systemd).\n"
    "# Durations: 250ms, 90s, 15m, 8h, 30d. Sizes: 1024, 16KiB, 1MiB.\n";

/* How deep a row is indented, and what stands before it. */
struct style { int indent; bool live; bool dash; };

static bool row_live(const struct key *k)
{
    if ((k->flags & (KEY_REQUIRED | KEY_SHOWN)) != 0)
        return true;
    return k->type == KEY_SECTION && (k->flags & KEY_OPTIONAL) == 0;
}

static void put_start(struct eb_buf *out, const struct style *s)
{
    eb_buf_addf(out, "%*s%s", s->indent, "", s->live ? "" : "# ");
}

/* "duration, from 1s to 120s; default 10s; a change needs a restart" */
static void put_help(struct eb_buf *out, const struct key *k, const struct style *s)
{
    char expected[256];
    struct style plain = { s->indent, true, false };

    put_start(out, &plain);
    eb_buf_addf(out, "# %s\n", k->help);
    if (k->type == KEY_SECTION || k->type == KEY_ITEMS || k->type == KEY_ENTRIES)
        return;
    put_start(out, &plain);
    eb_buf_addf(out, "#   %s: %s", (k->flags & KEY_REQUIRED) != 0 ? "required" : "optional", key_expected(k, expected, sizeof(expected)));
    if (k->standard != NULL)
        eb_buf_addf(out, "; default %s", k->standard);
    if ((k->flags & KEY_RELOAD) == 0 && !key_within(k))
        eb_buf_str(out, "; a change needs a restart");
    for (size_t i = 0; k->only != NULL && k->only[i] != NULL; i++)
        eb_buf_addf(out, "%s %s", i == 0 ? "; only for" : ",", k->only[i]);
    eb_buf_str(out, "\n");
}

static void put_row(struct eb_buf *out, const struct key *k, const struct style *s)
{
    put_help(out, k, s);
    put_start(out, s);
    eb_buf_addf(out, "%s%s:", s->dash ? "- " : "", key_last(k->name));
    if (k->type != KEY_SECTION && k->type != KEY_ITEMS && k->type != KEY_ENTRIES)
        eb_buf_addf(out, " %s", k->standard != NULL ? k->standard : k->sample);
    eb_buf_str(out, "\n");
}

static void put_below(struct eb_buf *out, const char *parent, struct style s);

/* The children of an item stand beside its dash; those of an entry below a sample name. */
static void put_children(struct eb_buf *out, const struct key *k, const struct style *s)
{
    char below[128];
    struct style deeper = { s->indent + 2, s->live, false };

    snprintf(below, sizeof(below), "%s%s", k->name, k->type == KEY_ITEMS ? "[]" : k->type == KEY_ENTRIES ? ".*" : "");
    if (k->type == KEY_ITEMS)
        deeper.dash = true;
    if (k->type == KEY_ENTRIES) {
        put_start(out, &deeper);
        eb_buf_addf(out, "%s:\n", k->sample);
        deeper.indent += 2;
    }
    put_below(out, below, deeper);
}

static void put_below(struct eb_buf *out, const char *parent, struct style s)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct key *k = &config_keys[i];
        size_t len = key_parent(k->name);
        if (k->type == KEY_LATER || len != strlen(parent) || strncmp(k->name, parent, len) != 0)
            continue;
        struct style row = { s.indent, s.live && row_live(k), s.dash };
        if (len == 0)
            eb_buf_str(out, "\n");
        put_row(out, k, &row);
        if (s.dash)
            s = (struct style){ s.indent + 2, s.live, false };
        if (k->type == KEY_SECTION || k->type == KEY_ITEMS || k->type == KEY_ENTRIES)
            put_children(out, k, &row);
    }
}

bool config_reference(struct eb_buf *out)
{
    eb_buf_str(out, head);
    put_below(out, "", (struct style){ 0, true, false });
    return !out->failed;
}
