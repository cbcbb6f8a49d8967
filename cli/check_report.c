/* check_report.c - what `check` found, for people and for programs. */
#include "base/text.h"
#include "cli/check.h"
#include "cli/print.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const result_texts[] = { [CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_FAULT] = "FAULT" };
static const char *const result_words[] = { [CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_FAULT] = "fault" };

void check_say(struct check_report *r, enum check_result result, const char *subject, const char *fmt, ...)
{
    struct check_finding *grown = realloc(r->items, (r->count + 1) * sizeof(*grown));
    char text[1024];
    va_list ap;

    if (grown == NULL)
        eb_no_memory();
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    r->items = grown;
    grown[r->count++] = (struct check_finding){ result, subject, eb_strdup(text) };
    r->faults |= result == CHECK_FAULT;
}

static void say_name(struct check_report *r, const struct directory_binding *b)
{
    bool project = strcmp(b->what, "project") == 0;

    if (b->state == DIRECTORY_BOUND)
        return;
    if (b->pin != NULL)
        check_say(r, CHECK_WARNING, "name", "%s '%s' is pinned to %s, but the name now fits %s%s: the pinned one stays in force%s", b->what, b->name, b->pin,
                  b->state == DIRECTORY_MOVED ? b->fits : b->state == DIRECTORY_NONE ? "nothing" : "several", project ? " in Jira" : " in Entra",
                  project || b->state == DIRECTORY_NONE ? "" : ". If another one is meant, name it by its id");
    else if (b->state == DIRECTORY_SEVERAL)
        check_say(r, CHECK_FAULT, "name", "%s '%s' fits several in Entra: name the right one by its object id%s", b->what, b->name,
                  strncmp(b->what, "protected", 9) == 0 ? "; until then all of them are protected" : "; until then it permits nothing");
    else
        check_say(r, CHECK_FAULT, "name", "%s '%s' was not found in %s%s", b->what, b->name, project ? "Jira, or our account may not see it" : "Entra",
                  strncmp(b->what, "protected", 9) == 0 ? ": until it is, everybody counts as protected" : "");
}

void check_say_names(struct check_report *r, const struct directory_binding *names, size_t count)
{
    size_t bound = 0;

    for (size_t i = 0; i < count; i++) {
        bound += names[i].state == DIRECTORY_BOUND;
        say_name(r, &names[i]);
    }
    if (bound == count)
        check_say(r, CHECK_OK, "names", "all %zu names of the policy fit one object each", count);
}

static json_t *text_or_null(const char *text) { return text == NULL ? json_null() : json_string(text); }

static bool report_json(const struct check_report *r, const char *path, const struct directory_binding *names, size_t count)
{
    json_t *findings = json_array(), *list = json_array();

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(findings, json_pack("{s:s, s:s, s:o}", "result", result_words[r->items[i].result], "subject", r->items[i].subject,
                                                  "text", text_or_null(r->items[i].text)));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "what", names[i].what, "name", text_or_null(names[i].name),
                                              "state", directory_state_text(names[i].state), "id", text_or_null(names[i].id),
                                              "fits", text_or_null(names[i].fits), "pin", text_or_null(names[i].pin)));
    return print_json(json_pack("{s:b, s:s, s:o, s:o, s:O?}", "ok", (int)!r->faults, "file", path, "findings", findings, "names", list, "operations", r->kinds));
}

static char *words(const json_t *list, const char *last)
{
    struct eb_buf b = EB_BUF(KiB(4));
    const json_t *v;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, v)
        eb_buf_addf(&b, "%s%s", b.len > 0 ? " " : "", json_string_value(v));
    if (last != NULL)
        eb_buf_addf(&b, "%sdirectory role %s", b.len > 0 ? ", " : "", last);
    return eb_buf_take(&b);
}

/* What all kinds need alike stands in one row of its own, so that the others stay readable. */
static bool needed_by_all(const json_t *kinds, const char *permission)
{
    const json_t *k, *v;
    size_t i, n;

    json_array_foreach((json_t *)(uintptr_t)kinds, i, k) {
        bool found = false;
        json_array_foreach(json_object_get(k, "permissions"), n, v)
            found |= strcmp(json_string_value(v), permission) == 0;
        if (!found)
            return false;
    }
    return true;
}

static json_t *those(const json_t *kinds, const json_t *permissions, bool of_all)
{
    json_t *list = json_array();
    json_t *v;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)permissions, i, v)
        if (needed_by_all(kinds, json_string_value(v)) == of_all)
            json_array_append(list, v);
    return list;
}

/* k: of that kind; of_all: the part of it that all kinds need alike. */
static void add_kind(struct table *t, const char *name, const json_t *kinds, const json_t *k, bool of_all)
{
    const json_t *missing = json_object_get(k, "missing");
    json_t *needs = those(kinds, json_object_get(k, "permissions"), of_all), *lacks = those(kinds, missing, of_all);
    char *need = words(needs, of_all ? NULL : eb_json_str(k, "role")), *lack = words(lacks, NULL);

    table_add(t, (const char *const[]){ name, need, json_is_null(missing) ? "cannot be told" : lack });
    free(need);
    free(lack);
    json_decref(needs);
    json_decref(lacks);
}

static void report_kinds(const json_t *kinds)
{
    static const char *const heads[] = { "OPERATION", "NEEDS OF GRAPH", "MISSING", NULL };
    struct table *t;
    const json_t *k;
    size_t i;

    if (json_array_size(kinds) == 0)
        return;
    t = table_new(heads);
    add_kind(t, "(each)", kinds, json_array_get(kinds, 0), true);
    json_array_foreach((json_t *)(uintptr_t)kinds, i, k)
        add_kind(t, eb_json_str(k, "operation"), kinds, k, false);
    table_end(t, "");
    putchar('\n');
}

static void report_text(const struct check_report *r, const struct directory_binding *names, size_t count)
{
    static const char *const finding_heads[] = { "RESULT", "ABOUT", "WHAT", NULL };
    static const char *const name_heads[] = { "NAME", "WHAT", "STATE", "ID NOW", "PINNED", NULL };

    if (count > 0) {
        struct table *t = table_new(name_heads);
        for (size_t i = 0; i < count; i++)
            table_add(t, (const char *const[]){ names[i].name, names[i].what, directory_state_text(names[i].state),
                                                names[i].fits != NULL ? names[i].fits : names[i].pin == NULL ? names[i].id : NULL, names[i].pin });
        table_end(t, "");
        putchar('\n');
    }
    report_kinds(r->kinds);
    struct table *t = table_new(finding_heads);
    for (size_t i = 0; i < r->count; i++)
        table_add(t, (const char *const[]){ result_texts[r->items[i].result], r->items[i].subject, r->items[i].text });
    table_end(t, "nothing was checked");
    printf("\n%s\n", r->faults ? "There are faults." : "No faults.");
}

int check_print(struct check_report *r, const struct cli *cli, const struct directory_binding *names, size_t count)
{
    bool printed = true, faults = r->faults;

    if (cli->json)
        printed = report_json(r, cli->config, names, count);
    else
        report_text(r, names, count);
    for (size_t i = 0; i < r->count; i++)
        free(r->items[i].text);
    free(r->items);
    json_decref(r->kinds);
    *r = (struct check_report){ 0 };
    return printed && !faults ? CLI_DONE : CLI_FAILED;
}
