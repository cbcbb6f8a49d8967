/* test_sync_cli.c - a preview's rows from a plan that is made up here, in their three forms; the progress line; durations.
 *
 * The staging file and the table of attributes are played: pages, names of references, and what cannot be read are the test's own choice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/sync.h"
#include "cli/sync_rows.h"
#include "sync/record.h"

#include <stdlib.h>
#include <string.h>

/* ---- a staging file of hundreds of changes ---- */

#define TEXT(s) ((char *)(uintptr_t)(s))

struct planned { enum stage_kind kind; enum stage_action action; const char *key, *label, *wanted, *target; bool active; };
static const struct planned small[] = {
    { STAGE_GROUP, STAGE_CREATE, "g2", "Group, two", "{\"Name\":\"Group, two\"}", NULL, false },
    { STAGE_USER, STAGE_CREATE, "u1", "Ada", "{\"Account enabled\":true,\"Groups\":[\"g1\",\"gone\"],\"Manager\":\"u9\",\"Name\":\"Ada\"}", NULL, false },
    { STAGE_USER, STAGE_UPDATE, "u2", "Grace", "{\"Department\":\"=SUM(A1)\",\"Name\":\"Grace\",\"Office\":\"A \\\"B\\\", C\"}",
      "{\"Department\":\"Sales\",\"Job title\":\"Clerk\",\"Name\":\"Grace\"}", false },
    { STAGE_USER, STAGE_LEAVE, "u3", NULL, NULL, "{\"Name\":\"-Linus\\u202e\"}", true },
    { STAGE_USER, STAGE_DELETE, "u4", NULL, NULL, "not JSON", false },
};
static const struct planned *plan = small;
static size_t plan_count = EB_LEN(small), generated;    /* generated: so many creations besides */
static bool broken;                                     /* the file cannot be read */
static int lookups, pages;

static void give(size_t n, const struct planned *p, stage_change_each *each, void *ctx, bool *go_on)
{
    struct stage_wanted w = { (int64_t)n, p->kind, p->key, p->label, "", p->wanted, false };
    struct stage_target t = { .n = (int64_t)n, .kind = p->kind, .key = p->key, .active = p->active, .attributes = p->target };
    struct stage_change c = { p->action, p->wanted != NULL ? &w : NULL, p->target != NULL ? &t : NULL };

    *go_on = each(ctx, &c);
}

bool stage_plan_each(struct db *db, const struct stage_plan *want, int64_t after, int limit, stage_change_each *each, void *ctx, struct eb_err *err)
{
    bool go_on = true;

    pages++;
    if (broken)
        return eb_fail(err, EB_INTERNAL, "broken");
    for (size_t i = 0; i < plan_count + generated && go_on && limit > 0; i++) {
        static const struct planned one = { STAGE_USER, STAGE_CREATE, "u", "Somebody", "{\"Groups\":[\"g1\"],\"Name\":\"Somebody\"}", NULL, false };
        const struct planned *p = i < plan_count ? &plan[i] : &one;
        if (p->kind != want->kind || p->action != want->action || (int64_t)i + 1 <= after)
            continue;
        give(i + 1, p, each, ctx, &go_on);
        limit--;
    }
    return true;
}

bool stage_plan_count(struct db *db, const struct stage_plan *want, int64_t *ret, struct eb_err *err)
{
    *ret = want->kind == STAGE_USER && want->action == STAGE_CREATE ? (int64_t)generated : 0;
    for (size_t i = 0; i < plan_count; i++)
        *ret += plan[i].kind == want->kind && plan[i].action == want->action;
    return true;
}

bool stage_object_raw(struct db *db, const char *id, char **ret, struct eb_err *err)
{
    lookups++;
    *ret = strcmp(id, "g1") == 0 ? eb_strdup("{\"displayName\":\"VPN Users\"}") : NULL;
    return true;
}

/* The manager is known to the target alone. */
bool stage_target_get(struct db *db, enum stage_kind kind, const char *key, stage_target_each *each, void *ctx, struct eb_err *err)
{
    if (kind == STAGE_USER && strcmp(key, "u9") == 0)
        each(ctx, &(struct stage_target){ .attributes = "{\"Name\":\"Margaret\"}" });
    return true;
}

bool stage_managers_missing(struct db *db, int64_t after, int limit, stage_wanted_each *each, void *ctx, struct eb_err *err)
{
    if (after == 0)
        each(ctx, &(struct stage_wanted){ .n = 7, .kind = STAGE_USER, .key = "u7", .label = "Joan" });
    return true;
}

bool stage_managers_missing_count(struct db *db, int64_t *ret, struct eb_err *err)
{
    *ret = 1;
    return true;
}

bool stage_notes_each(struct db *db, int64_t after, int limit, stage_note_each *each, void *ctx, struct eb_err *err)
{
    return each(ctx, &(struct stage_note){ "unmatched account", "5b1", "@ghost", "nobody has this e-mail" }) &&
           each(ctx, &(struct stage_note){ "manager missing", "u7", "Joan", "the same once more" }) &&
           each(ctx, &(struct stage_note){ "ambiguous mail", "u8", "Two", "several accounts" });
}

struct sync_schema *sync_schema_new(const struct config_sync *c) { return eb_alloc(sizeof(struct sync_schema)); }
void sync_schema_free(struct sync_schema *s) { free(s); }
const char *sync_kind_name(enum stage_kind kind) { return kind == STAGE_USER ? "Employee" : "Group"; }

const struct sync_attribute *sync_schema_find(const struct sync_schema *s, enum stage_kind kind, const char *name)
{
    static const struct sync_attribute manager = { .type = SYNC_REFERENCE, .to = STAGE_USER }, groups = { .type = SYNC_REFERENCE, .to = STAGE_GROUP };

    return strcmp(name, "Manager") == 0 ? &manager : strcmp(name, "Groups") == 0 ? &groups : NULL;
}

json_t *sync_record_difference(const json_t *was, const json_t *now)
{
    json_t *out = json_object(), *v;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)now, name, v)
        if (!json_equal(v, json_object_get(was, name)))
            json_object_set(out, name, v);
    json_object_foreach((json_t *)(uintptr_t)was, name, v)
        if (json_object_get(now, name) == NULL)
            json_object_set_new(out, name, json_null());
    return out;
}

/* ---- rows ---- */

static bool pass_on(void *ctx, const struct sync_preview_row *row)
{
    struct sync_rows *r = ctx;
    const struct sync_rows_form *f = r->lines_max < 0 ? &sync_rows_forms[-r->lines_max] : &sync_rows_forms[0];

    return f->row(r, row);
}

/* What a form makes of the plan; the caller's. form: its place in the table. */
static char *written(int form, int lines_max, const struct config_sync *c, bool *ret_cut)
{
    struct sync_preview p = { .config = c, .now_ms = 1000 };
    json_t *head = json_pack("{s:{s:i}}", "run", "run", 7);
    struct sync_rows r = { .lines_max = form > 0 ? -form : lines_max };
    struct eb_err err = { 0 };
    char *text = NULL;
    size_t len;

    r.out = open_memstream(&text, &len);
    sync_rows_forms[form].begin(&r, head);
    if (!sync_preview_rows(&p, pass_on, &r, &err))
        fail_msg("%s", err.text);
    sync_rows_forms[form].end(&r);
    fclose(r.out);
    json_decref(head);
    *ret_cut = r.cut;
    return text;
}

static const struct config_sync deleting = { .leavers = CONFIG_LEAVERS_DELETE, .delete_after_ms = 10 };

static void test_csv(void **state)
{
    static const char *const lines[] = {
        "category,kind,key,name,attribute,old,new,text\r\n",
        "create,Group,g2,\"Group, two\",Name,,\"Group, two\",\r\n",
        "create,Employee,u1,Ada,Account enabled,,true,\r\n",
        "create,Employee,u1,Ada,Groups,,\"VPN Users, gone\",\r\n",             /* who is not known keeps its id */
        "create,Employee,u1,Ada,Manager,,Margaret,\r\n",
        "update,Employee,u2,Grace,Department,Sales,\"'=SUM(A1)\",\r\n",         /* no formula */
        "update,Employee,u2,Grace,Office,,\"A \"\"B\"\", C\",\r\n",
        "update,Employee,u2,Grace,Job title,Clerk,,\r\n",
        "update,Employee,u2,Grace,Status,Inactive,Active,\r\n",
        "inactivate,Employee,u3,\"'-Linus\",,,,\r\n",                           /* neither a formula nor bidi */
        "delete,Employee,u4,,,,,\r\n",
        "missing manager link,Employee,u7,Joan,,,,the manager is not among the people who are kept\r\n",
        "unmatched account,,5b1,\"'@ghost\",,,,nobody has this e-mail\r\n",
        "warning,,u8,Two,,,,several accounts\r\n",
    };
    bool cut;
    char *text = written(2, 0, &deleting, &cut), *at = text;

    for (size_t i = 0; i < EB_LEN(lines); i++) {
        const char *found = strstr(at, lines[i]);
        if (found == NULL)
            fail_msg("%s is missing, or out of order, in\n%s", lines[i], text);
        at += strlen(lines[i]) * (found == at);
    }
    free(text);
}

static void test_json(void **state)
{
    bool cut;
    char *text = written(1, 0, &deleting, &cut);
    json_t *doc = json_loads(text, 0, NULL), *changes = json_object_get(doc, "changes");

    if (doc == NULL)
        fail_msg("no JSON: %s", text);
    assert_int_equal(eb_json_int(json_object_get(doc, "run"), "run", 0), 7);
    assert_int_equal(json_array_size(changes), 8);
    assert_string_equal(eb_json_str(json_array_get(changes, 1), "category"), "create");
    assert_int_equal(json_array_size(json_object_get(json_array_get(changes, 2), "values")), 4);
    assert_string_equal(eb_json_str(json_array_get(changes, 3), "name"), "-Linus");
    assert_true(json_is_null(json_object_get(json_array_get(changes, 4), "name")));
    assert_string_equal(eb_json_str(json_array_get(changes, 6), "text"), "nobody has this e-mail");
    json_decref(doc);
    free(text);
}

/* What the configuration does not ask for is not shown. */
static void test_leavers(void **state)
{
    static const struct { int leavers; int64_t inactivate, remove; } cases[] = {
        { CONFIG_LEAVERS_INACTIVE, 1, 0 }, { CONFIG_LEAVERS_KEEP, 0, 0 }, { CONFIG_LEAVERS_DELETE, 1, 1 },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct config_sync c = { .leavers = cases[i].leavers };
        struct sync_preview p = { .config = &c };
        int64_t totals[SYNC_PREVIEW_CATEGORIES];
        struct eb_err err = { 0 };
        bool cut;
        char *text = written(2, 0, &c, &cut);

        assert_true(sync_preview_totals(&p, totals, &err));
        assert_int_equal(totals[SYNC_PREVIEW_CREATE], 2);
        assert_int_equal(totals[SYNC_PREVIEW_UPDATE], 1);
        assert_int_equal(totals[SYNC_PREVIEW_INACTIVATE], cases[i].inactivate);
        assert_int_equal(totals[SYNC_PREVIEW_DELETE], cases[i].remove);
        assert_int_equal(totals[SYNC_PREVIEW_MANAGER], 1);
        assert_int_equal(totals[SYNC_PREVIEW_UNMATCHED], 1);
        assert_int_equal(totals[SYNC_PREVIEW_WARNING], 1);
        assert_int_equal(strstr(text, "\ninactivate,") != NULL, cases[i].inactivate);
        assert_int_equal(strstr(text, "\ndelete,") != NULL, cases[i].remove);
        free(text);
    }
}

/* Whole pages and one object more: each once, names looked up once; a table stops where nobody looks any further. */
static void test_many(void **state)
{
    struct config_sync c = { .leavers = CONFIG_LEAVERS_KEEP };
    size_t lines = 0;
    bool cut;

    plan_count = 0;
    generated = 1001;
    lookups = 0;
    char *text = written(2, 0, &c, &cut);
    for (const char *p = text; (p = strstr(p, "VPN Users")) != NULL; p++)
        lines++;
    assert_int_equal(lines, 1001);
    assert_int_equal(lookups, 1);
    free(text);
    pages = 0;
    text = written(0, 200, &c, &cut);
    assert_true(cut);
    assert_true(pages <= 2);                /* of groups, and the first one of users */
    lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 201);           /* and the heads */
    free(text);
    generated = 499;
    text = written(0, 0, &c, &cut);         /* parts of 500 lines, with 3 more of other categories */
    assert_false(cut);
    assert_non_null(strstr(text, "several accounts"));
    free(text);
    generated = 0;
    plan_count = EB_LEN(small);
}

static void test_broken(void **state)
{
    struct sync_preview p = { .config = &deleting };
    struct sync_rows r = { .out = stdout };
    struct eb_err err = { 0 };

    broken = true;
    assert_false(sync_preview_rows(&p, pass_on, &r, &err));
    assert_string_equal(err.text, "broken");
    broken = false;
}

/* ---- progress, durations, counts ---- */

static void test_progress_line(void **state)
{
    static const struct { int64_t first, done, total, took_ms; const char *line, *why; } cases[] = {
        { 0, 0, -1, 0, "reading users ... ", "nothing is known" },
        { 0, 1998, -1, 500, "reading users: 1998 ", "too early for a rate" },
        { 0, 1998, -1, 2000, "reading users: 1998, 999/s ", "no end in sight" },
        { 0, 0, 100, 5000, "[                              ]   0%  reading users: 0 of 100 ", "nothing moves" },
        { 0, 50, 100, 10000, "[###############               ]  50%  reading users: 50 of 100, 5/s, 10 s left ", "half" },
        { 50, 75, 100, 10000, "[######################        ]  75%  reading users: 75 of 100, 2/s, 10 s left ", "the rate is of what was seen" },
        { 0, 100, 100, 10000, "[##############################] 100%  reading users: 100 of 100, 10/s ", "done" },
        { 0, 120, 100, 10000, "[##############################] 100%  reading users: 120 of 100, 12/s ", "more than was thought" },
        { 0, 100, 10000, 10000, "[                              ]   1%  reading users: 100 of 10000, 10/s, 17 min left ", "minutes" },
        { 0, 1000, 300000, 60000, "[                              ]   0%  reading users: 1000 of 300000, 16/s, 4 h 59 min left ", "hours" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct progress p = { .phase = "reading users", .since_ms = 7, .first = cases[i].first };
        char line[200];
        progress_line(&p, cases[i].done, cases[i].total, 7 + cases[i].took_ms, line, sizeof line);
        if (strcmp(line, cases[i].line) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].why, line, cases[i].line);
    }
}

static void test_took(void **state)
{
    static const struct { int64_t ms; const char *text; } cases[] = {
        { -1, "-" }, { 0, "0 ms" }, { 999, "999 ms" }, { 12345, "12.3 s" }, { 59999, "59.9 s" }, { 60000, "1 min 0 s" }, { 200000, "3 min 20 s" },
        { 7500000, "2 h 5 min" }, { 273600000, "3 d 4 h" },
    };
    char out[32];

    for (size_t i = 0; i < EB_LEN(cases); i++)
        assert_string_equal(sync_took(cases[i].ms, out), cases[i].text);
}

static void test_run(void **state)
{
    struct sync_run r = { .number = 3, .kind = TEXT("full"), .total = -1, .counts = TEXT("{\"creates\": 5}"), .calls = TEXT("broken") };
    json_t *o = sync_run_json(&r);

    assert_int_equal(sync_run_count(&r, "creates"), 5);
    assert_int_equal(sync_run_count(&r, "errors"), 0);
    assert_int_equal(eb_json_int(json_object_get(o, "counts"), "creates", 0), 5);
    assert_true(json_is_object(json_object_get(o, "calls")));       /* what cannot be read is empty */
    assert_true(json_is_null(json_object_get(o, "outcome")));
    assert_true(json_is_null(json_object_get(o, "ended")));
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv), cmocka_unit_test(test_json), cmocka_unit_test(test_leavers), cmocka_unit_test(test_many), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_progress_line), cmocka_unit_test(test_took), cmocka_unit_test(test_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
