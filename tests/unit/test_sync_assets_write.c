/* test_sync_assets_write.c - the Assets target: writes one by one and mass loads, against the simulator. */
#include "tests/unit/assets_bed.h"

/* ---- writes ---- */

static void on_written(void *ctx, uint64_t id, const struct sync_written *w)
{
    struct bed *b = ctx;

    b->written = *w;
    snprintf(b->object_id, sizeof(b->object_id), "%s", w->object_id != NULL ? w->object_id : "");
    snprintf(b->object_key, sizeof(b->object_key), "%s", w->object_key != NULL ? w->object_key : "");
    on_end(b, w->err.code != EB_OK ? &w->err : NULL);
}

static enum sync_write_result write_one(struct bed *b, enum stage_action action, const char *object_id, const char *values)
{
    json_t *v = values != NULL ? json_loads(values, 0, NULL) : NULL;

    sync_target_assets.write(b->target, &(struct sync_write){ .action = action, .kind = STAGE_USER, .key = USER("01"), .label = "Ada", .object_id = object_id, .values = v,
        .activate = action == STAGE_CREATE, .seen_ms = 1788256800000 }, 1, on_written, b);
    json_decref(v);                 /* borrowed until now at least */
    run(b);
    return b->written.result;
}

static char *employees(struct bed *b)
{
    control(b, "GET", "/sim/assets?type=Employee", "%s", "");
    return eb_json_text(json_object_get(b->world.reply.body, "objects"));
}

/* How many objects Assets has in all. */
static int64_t there(struct bed *b)
{
    control(b, "GET", "/sim/assets", "%s", "");
    return eb_json_int(json_array_get(json_object_get(b->world.reply.body, "schemas"), 0), "objects", -1);
}

static void on_found(void *ctx, uint64_t id, const char *object_id, const char *object_key, const struct eb_err *err)
{
    struct bed *b = ctx;

    snprintf(b->object_id, sizeof(b->object_id), "%s", object_id != NULL ? object_id : "");
    snprintf(b->object_key, sizeof(b->object_key), "%s", object_key != NULL ? object_key : "");
    on_end(b, err);
}

#define ADA "{\"Entra User ID\": \"" USER("01") "\", \"Name\": \"Ada\", \"Account enabled\": true, \"Badge\": 7, \"Groups\": [\"ENTRA-1\", \"ENTRA-2\"], \"Email\": \"ada@example.com\"}"

static void test_writes(void **state)
{
    struct bed b;
    char id[32], *text;

    (void)state;
    bed_up(&b);
    init(&b);
    people(&b, 0);
    assert_int_equal(write_one(&b, STAGE_CREATE, NULL, ADA), SYNC_WRITTEN);
    assert_string_equal(b.object_key, "ENTRA-3");
    snprintf(id, sizeof(id), "%s", b.object_id);
    text = employees(&b);
    assert_non_null(strstr(text, "\"Status\":\"Active\""));
    assert_non_null(strstr(text, "\"Last seen\":\"2026-09-01T"));
    assert_non_null(strstr(text, "\"Groups\":[\"ENTRA-1\",\"ENTRA-2\"]"));
    assert_non_null(strstr(text, "\"Account enabled\":\"true\""));
    free(text);
    assert_int_equal(write_one(&b, STAGE_UPDATE, id, "{\"Badge\": null, \"Groups\": [\"ENTRA-2\"], \"Manager\": \"ENTRA-3\", \"Account enabled\": false}"), SYNC_WRITTEN);
    text = employees(&b);
    assert_null(strstr(text, "Badge"));
    assert_non_null(strstr(text, "\"Groups\":[\"ENTRA-2\"]"));
    assert_non_null(strstr(text, "\"Email\":\"ada@example.com\""));     /* what is not named stays */
    free(text);
    assert_int_equal(write_one(&b, STAGE_LEAVE, id, NULL), SYNC_WRITTEN);
    text = employees(&b);
    assert_non_null(strstr(text, "\"Status\":\"Inactive\""));
    free(text);
    /* Its id is taken: looked for, not refused. */
    assert_int_equal(write_one(&b, STAGE_CREATE, NULL, ADA), SYNC_WRITE_IN_DOUBT);
    sync_target_assets.find(b.target, STAGE_USER, USER("01"), 1, on_found, &b);
    run(&b);
    assert_string_equal(b.object_id, id);
    assert_string_equal(b.object_key, "ENTRA-3");
    sync_target_assets.find(b.target, STAGE_USER, USER("02"), 1, on_found, &b);
    run(&b);
    assert_string_equal(b.object_id, "");
    assert_int_equal(b.err.code, EB_OK);
    assert_int_equal(write_one(&b, STAGE_DELETE, id, NULL), SYNC_WRITTEN);
    assert_int_equal(write_one(&b, STAGE_DELETE, id, NULL), SYNC_WRITE_GONE);
    assert_int_equal(write_one(&b, STAGE_UPDATE, id, "{\"Badge\": 1}"), SYNC_WRITE_GONE);
    assert_int_equal(write_one(&b, STAGE_LEAVE, id, NULL), SYNC_WRITE_GONE);
    assert_int_equal(b.faults, 0);
    bed_down(&b);
}

/* An object is deleted only when a look at it shows that it is the one that is meant. */
static void test_delete_looks_first(void **state)
{
    static const struct { const char *id, *edit, *rule; enum sync_write_result result; bool stays; const char *why; } cases[] = {
        { "3", NULL, NULL, SYNC_WRITTEN, false, "ours" },
        { "1", NULL, NULL, SYNC_WRITE_GONE, true, "an object of another type" },
        { "4", NULL, NULL, SYNC_WRITE_GONE, true, "somebody else's" },
        { "3", "{\"key\": \"ENTRA-3\", \"attributes\": {\"Entra User ID\": \"\"}}", NULL, SYNC_WRITE_GONE, true, "ours no more" },
        { "99", NULL, NULL, SYNC_WRITE_GONE, true, "not there" },
        { "3", NULL, "{\"status\": 403}", SYNC_WRITE_DENIED, true, "denied" },
        { "3", NULL, "{\"status\": 400}", SYNC_WRITE_REFUSED, true, "what cannot be looked at" },
        { "3", NULL, "{\"status\": 200, \"body\": {\"id\": \"3\"}}", SYNC_WRITE_GONE, true, "an answer that says nothing about what it is" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        init(&b);
        people(&b, 0);
        assert_int_equal(write_one(&b, STAGE_CREATE, NULL, ADA), SYNC_WRITTEN);
        assert_string_equal(b.object_id, "3");
        objects(&b, "{\"type\": \"Employee\", \"attributes\": {\"Name\": \"Bob\", \"Entra User ID\": \"" USER("02") "\"}}");
        if (cases[i].edit != NULL)
            objects(&b, cases[i].edit);
        if (cases[i].rule != NULL)
            control(&b, "POST", "/sim/faults", "[{\"match\": {\"cloud\": \"assets\", \"method\": \"GET\", \"regex\": \"/object/[0-9]+$\"}, \"action\": %s}]", cases[i].rule);
        enum sync_write_result r = write_one(&b, STAGE_DELETE, cases[i].id, NULL);
        if (r != cases[i].result || there(&b) != 3 + cases[i].stays)
            fail_msg("case %zu (%s): %d %s, %lld objects", i, cases[i].why, (int)r, b.err.text, (long long)there(&b));
        bed_down(&b);
    }
}

static void test_write_errors(void **state)
{
    static const struct { const char *rule, *values; enum sync_write_result create, update; const char *text, *why; } cases[] = {
        { NULL, "{\"Badge\": \"x\", \"Manager\": \"ENTRA-999\"}", SYNC_WRITE_REFUSED, SYNC_WRITE_REFUSED, "\"Manager\"", "what can be done without, and what cannot" },
        { NULL, "{\"Manager\": \"ENTRA-999\"}", SYNC_WRITE_REFUSED, SYNC_WRITE_REFUSED, "\"Manager\"", "a reference to nothing" },
        { "{\"status\": 403}", "{}", SYNC_WRITE_DENIED, SYNC_WRITE_DENIED, "403", "refused for all" },
        { "{\"status\": 401}", "{}", SYNC_WRITE_DENIED, SYNC_WRITE_DENIED, "401", "refused for all" },
        { "{\"status\": 409}", "{}", SYNC_WRITE_REFUSED, SYNC_WRITE_REFUSED, "409", "a conflict" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++)
        for (int update = 0; update < 2; update++) {
            struct bed b;
            bed_up(&b);
            init(&b);
            people(&b, 1);
            if (cases[i].rule != NULL)
                control(&b, "POST", "/sim/faults", "[{\"match\": {\"cloud\": \"assets\", \"regex\": \"/object/(create|[0-9]+)$\"}, \"action\": %s}]", cases[i].rule);
            json_t *v = json_loads(cases[i].values, 0, NULL);
            json_object_set_new(v, "Name", json_string("Ada"));
            char *text = eb_json_text(v);
            enum sync_write_result r = write_one(&b, update ? STAGE_UPDATE : STAGE_CREATE, update ? "3" : NULL, text);
            if (r != (update ? cases[i].update : cases[i].create) || strstr(b.err.text, cases[i].text) == NULL)
                fail_msg("case %zu, update %d (%s): %d %s", i, update, cases[i].why, (int)r, b.err.text);
            free(text);
            json_decref(v);
            bed_down(&b);
        }
}

/* A lost answer to a creation is a doubt, whether it happened or not; a 429 is none. */
static void test_create_in_doubt(void **state)
{
    static const struct { const char *action; enum sync_write_result result; int objects; } cases[] = {
        { "{\"drop_after\": true}", SYNC_WRITE_IN_DOUBT, 1 },
        { "{\"drop_before\": true}", SYNC_WRITE_IN_DOUBT, 0 },
        { "{\"status\": 503}", SYNC_WRITE_IN_DOUBT, 0 },
        { "{\"status_after\": 500}", SYNC_WRITE_IN_DOUBT, 1 },
        { "{\"status\": 429, \"retry_after\": 0}", SYNC_WRITTEN, 1 },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        init(&b);
        people(&b, 0);
        control(&b, "POST", "/sim/faults", "[{\"match\": {\"cloud\": \"assets\", \"regex\": \"object/create\"}, \"times\": 1, \"action\": %s}]", cases[i].action);
        enum sync_write_result r = write_one(&b, STAGE_CREATE, NULL, ADA);
        if (r != cases[i].result)
            fail_msg("case %zu: %d %s", i, (int)r, b.err.text);
        sync_target_assets.find(b.target, STAGE_USER, USER("01"), 1, on_found, &b);
        run(&b);
        assert_int_equal(b.object_id[0] != '\0', cases[i].objects);
        bed_down(&b);
    }
}

/* One bad account does not keep a person out. */
static void test_bad_account(void **state)
{
    struct bed b;
    char id[32];

    (void)state;
    bed_up(&b);
    init(&b);
    people(&b, 0);
    assert_int_equal(write_one(&b, STAGE_CREATE, NULL, "{\"Entra User ID\": \"" USER("01") "\", \"Name\": \"Ada\", \"Jira user\": \"nobody-at-all\"}"), SYNC_WRITTEN);
    snprintf(id, sizeof(id), "%s", b.object_id);
    assert_int_equal(b.faults, 1);
    assert_non_null(strstr(b.fault, "create Employee Ada: written without \"Jira user\""));
    assert_int_equal(write_one(&b, STAGE_UPDATE, id, "{\"Name\": \"Ada L\", \"Jira user\": \"nobody-at-all\"}"), SYNC_WRITTEN);
    assert_int_equal(b.faults, 2);
    char *text = employees(&b);
    assert_non_null(strstr(text, "Ada L"));
    assert_null(strstr(text, "Jira user"));
    free(text);
    bed_down(&b);
}

/* Nor does an odd value of what an object can do without. Without a value that is left out, the one from before stays. */
static void test_odd_values(void **state)
{
    static const struct { const char *values; enum sync_write_result create, update; int faults; const char *text, *there, *why; } cases[] = {
        { "{\"Email\": \"not a mail\", \"Job title\": \"Poet\"}", SYNC_WRITTEN, SYNC_WRITTEN, 1, "written without \"Email\": Assets refuses \"Email\"", "Poet", "an odd mail" },
        { "{\"Email\": \"not a mail\", \"Badge\": \"x\", \"Jira user\": \"nobody\", \"Job title\": \"Poet\"}", SYNC_WRITTEN, SYNC_WRITTEN, 3, "written without", "Poet", "one after the other" },
        { "{\"Manager\": \"ENTRA-999\", \"Job title\": \"Poet\"}", SYNC_WRITE_REFUSED, SYNC_WRITE_REFUSED, 0, "", NULL, "never without a reference" },
        { "{\"Entra User ID\": \"" USER("02") "\", \"Job title\": \"Poet\"}", SYNC_WRITE_IN_DOUBT, SYNC_WRITE_REFUSED, 0, "", NULL,
          "never without the identity; a new one is looked for" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++)
        for (int update = 0; update < 2; update++) {
            struct bed b;
            bed_up(&b);
            init(&b);
            people(&b, 0);
            objects(&b, "{\"type\": \"Employee\", \"attributes\": {\"Name\": \"Bob\", \"Entra User ID\": \"" USER("02") "\"}}");
            if (update)
                assert_int_equal(write_one(&b, STAGE_CREATE, NULL, ADA), SYNC_WRITTEN);
            json_t *v = json_loads(ADA, 0, NULL), *more = json_loads(cases[i].values, 0, NULL);
            json_object_update(v, more);
            char *text = eb_json_text(update ? more : v), *all;
            enum sync_write_result r = write_one(&b, update ? STAGE_UPDATE : STAGE_CREATE, update ? "4" : NULL, text);
            all = employees(&b);
            if (r != (update ? cases[i].update : cases[i].create) || b.faults != cases[i].faults || strstr(b.fault, cases[i].text) == NULL ||
                (strstr(all, "Poet") != NULL) != (cases[i].there != NULL) || strstr(all, "not a mail") != NULL)
                fail_msg("case %zu, update %d (%s): %d, %d faults, %s, %s: %s", i, update, cases[i].why, (int)r, b.faults, b.fault, b.err.text, all);
            free(text);
            free(all);
            json_decref(v);
            json_decref(more);
            bed_down(&b);
        }
}

/* ---- mass load ---- */

struct wanting { struct bed *b; int users; struct db *db; struct eb_err *err; int64_t creates, updates, leaves; };

/* The wanted row of one that is there in the source. */
static bool want_one(void *ctx, const struct stage_object *o)
{
    struct wanting *w = ctx;
    char boss[40], *text, hash[33];
    int i = atoi(o->id + 24);
    json_t *r;

    snprintf(boss, sizeof(boss), KEY(w->users - 1));
    r = o->kind == STAGE_GROUP ? json_pack("{s:s, s:s}", SYNC_GROUP_ID, o->id, "Name", i == 1 ? "Sales" : "EMEA")
                               : json_pack("{s:s, s:s, s:b, s:i, s:s, s:s, s:[s, s]}", SYNC_ID, o->id, "Name", "A \"quoted\" name", "Account enabled", 1, "Badge", i,
                                           "Hired", "2020-03-01T00:00:00Z",
                                           SYNC_MANAGER, boss, SYNC_GROUPS, GROUP("01"), GROUP("02"));
    sync_record_seal(r, &text, hash);
    bool ok = stage_wanted_put(w->db, &(struct stage_wanted){ .n = o->n, .kind = o->kind, .key = o->id, .label = "x", .hash = hash, .attributes = text }, w->err);
    free(text);
    json_decref(r);
    return ok;
}

static bool want(struct db *db, void *arg, struct eb_err *err)
{
    struct wanting *w = arg;
    bool ok = true;
    char key[40];

    w->db = db;
    w->err = err;
    for (int i = -2; i < w->users && ok; i++) {
        if (i < 0)
            snprintf(key, sizeof(key), "b0000000-0000-4000-8000-%012d", -i);
        else
            snprintf(key, sizeof(key), KEY(i));
        ok = stage_object_put(db, &(struct stage_object){ .kind = i < 0 ? STAGE_GROUP : STAGE_USER, .id = key, .raw = "{}" }, 1, err);
    }
    return ok && stage_dirty_each(db, STAGE_GROUP, 0, 100000, want_one, w, err) && stage_dirty_each(db, STAGE_USER, 0, 100000, want_one, w, err) && err->code == EB_OK;
}

static bool count_plan(struct db *db, void *arg, struct eb_err *err)
{
    struct wanting *w = arg;
    bool ok = true;
    int64_t n;

    w->creates = w->updates = w->leaves = 0;
    for (enum stage_kind kind = STAGE_USER; kind <= STAGE_GROUP; kind++)
        for (enum stage_action a = STAGE_CREATE; a <= STAGE_LEAVE; a++) {
            ok = ok && stage_plan_count(db, &(struct stage_plan){ .kind = kind, .action = a, .level = -1 }, &n, err);
            *(a == STAGE_CREATE ? &w->creates : a == STAGE_UPDATE ? &w->updates : &w->leaves) += ok ? n : 0;
        }
    return ok;
}

/* A schema, an import source with its token, and people who are wanted. */
static void load_up(struct bed *b, int users)
{
    struct wanting w = { .b = b, .users = users };

    bed_up(b);
    init(b);
    control(b, "POST", "/sim/assets/importsource", "%s", "{\"schemaKey\": \"ENTRA\"}");
    snprintf(b->import_token, sizeof(b->import_token), "%s", eb_json_str(b->world.reply.body, "token"));
    b->config.assets.import_token = b->import_token;
    clients(b);
    assert_true(prepare(b, false));
    job(b, want, &w);
}

static void load(struct bed *b)
{
    sync_target_assets.load(b->target, on_end, b);
    run(b);
}

static void test_load(void **state)
{
    struct bed b;
    struct wanting w = { .b = &b };

    (void)state;
    load_up(&b, 700);
    assert_true(sync_target_assets.loads(b.target, 702));
    assert_false(sync_target_assets.loads(b.target, 100));      /* not above sync.load_above */
    load(&b);
    if (b.err.code != EB_OK)
        fail_msg("%s", b.err.text);
    assert_int_equal(there(&b), 702);
    assert_int_equal(b.faults, 0);
    read_all(&b, 1);
    job(&b, count_plan, &w);
    assert_int_equal(w.creates, 0);
    if (w.updates != 0)
        fail_msg("%lld updates: %s", (long long)w.updates, row(&b, STAGE_USER, "a0000000-0000-4000-8000-000000000003").text);
    assert_int_equal(w.leaves, 0);
    /* Once more, with nothing to load: the mapping is there already. */
    load(&b);
    if (b.err.code != EB_OK)
        fail_msg("%s", b.err.text);
    assert_int_equal(there(&b), 702);
    bed_down(&b);
}

/* Whatever fails on the way, no import is completed that lacks something, and the next one can begin. */
static void test_load_fails(void **state)
{
    static const struct { const char *rule, *text; } cases[] = {
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"/data$\"}, \"after\": 2, \"times\": 1, \"action\": {\"status\": 400}}", "400" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"/data$\"}, \"after\": 4, \"times\": 1, \"action\": {\"status\": 400}}", "400" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"/mapping\"}, \"times\": 1, \"action\": {\"status\": 400}}", "400" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"/executions$\"}, \"times\": 1, \"action\": {\"status\": 409, \"body\": {\"result\": \"error\", \"errorCode\": \"IN_PROGRESS\"}}}", "under way" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"/executions$\"}, \"times\": 1, \"action\": {\"status\": 409, \"body\": {\"result\": \"error\", \"errorCode\": \"MISSING_MAPPING\"}}}", "MISSING_MAPPING" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"/configstatus$\"}, \"times\": 1, \"action\": {\"status\": 200, \"body\": {\"status\": \"DISABLED\"}}}", "switched off" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"imports/info$\"}, \"times\": 1, \"action\": {\"status\": 200, \"body\": {\"links\": {\"getStatus\": \"https://evil.example/x\","
          " \"start\": \"https://evil.example/x\", \"mapping\": \"https://evil.example/x\"}}}}", "leads away" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        load_up(&b, 700);
        control(&b, "POST", "/sim/faults", "[%s]", cases[i].rule);
        load(&b);
        if (b.err.code == EB_OK || strstr(b.err.text, cases[i].text) == NULL)
            fail_msg("case %zu: %s", i, b.err.text);
        char *text = employees(&b);
        assert_string_equal(text, "[]");
        free(text);
        load(&b);
        if (b.err.code != EB_OK)
            fail_msg("case %zu, the next one: %s", i, b.err.text);
        assert_int_equal(there(&b), 702);
        bed_down(&b);
    }
}

/* A lost answer to a chunk: it goes again, and is taken once. */
static void test_load_chunk_again(void **state)
{
    struct bed b;

    (void)state;
    load_up(&b, 700);
    control(&b, "POST", "/sim/faults", "%s", "[{\"match\": {\"cloud\": \"assets\", \"regex\": \"/data$\"}, \"after\": 1, \"times\": 1, \"action\": {\"drop_after\": true}}]");
    load(&b);
    assert_int_equal(b.err.code, EB_OK);
    assert_int_equal(there(&b), 702);
    assert_int_equal(b.faults, 0);          /* no duplicates */
    bed_down(&b);
}

/* Killed in the middle: the execution is still there for the next one, which cancels it. */
static void test_load_killed(void **state)
{
    struct bed b;

    (void)state;
    load_up(&b, 700);
    sync_target_assets.load(b.target, on_end, &b);
    while (b.progress == 0)
        event_base_loop(b.world.base, EVLOOP_ONCE);
    clients(&b);                    /* the client goes too: nothing is said to Assets any more */
    char *text = employees(&b);
    assert_string_equal(text, "[]");
    free(text);
    assert_true(prepare(&b, false));
    load(&b);
    if (b.err.code != EB_OK)
        fail_msg("%s", b.err.text);
    assert_int_equal(there(&b), 702);
    bed_down(&b);
}

/* Closed in the middle of anything: nothing comes back. */
static void test_close(void **state)
{
    struct bed b;
    struct wanting w = { .b = &b };

    (void)state;
    load_up(&b, 10);
    sync_target_assets.prepare(b.target, true, on_end, &b);
    clients(&b);
    assert_true(prepare(&b, false));
    sync_target_assets.read(b.target, 1, on_end, &b);
    clients(&b);
    assert_true(prepare(&b, false));
    sync_target_assets.write(b.target, &(struct sync_write){ .action = STAGE_CREATE, .kind = STAGE_USER, .key = USER("01"), .label = "Ada" }, 1, on_written, &b);
    sync_target_assets.find(b.target, STAGE_USER, USER("01"), 1, on_found, &b);
    clients(&b);
    assert_true(prepare(&b, false));
    sync_target_assets.load(b.target, on_end, &b);
    clients(&b);
    job(&b, count_plan, &w);
    assert_false(b.ended);
    bed_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes),
        cmocka_unit_test(test_delete_looks_first),
        cmocka_unit_test(test_write_errors),
        cmocka_unit_test(test_create_in_doubt),
        cmocka_unit_test(test_bad_account),
        cmocka_unit_test(test_odd_values),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_load_fails),
        cmocka_unit_test(test_load_chunk_again),
        cmocka_unit_test(test_load_killed),
        cmocka_unit_test(test_close),
    };
    signal(SIGPIPE, SIG_IGN);
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
