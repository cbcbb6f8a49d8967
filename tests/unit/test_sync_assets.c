/* test_sync_assets.c - the target "assets" against the simulated Assets, over sockets, with a staging file: schema and reading. */
#include "tests/unit/assets_bed.h"

/* ---- the schema ---- */

static void test_init_twice(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b);
    no_assets = true;
    assert_false(prepare(&b, true));
    assert_non_null(strstr(b.err.text, "no JSM Assets"));
    no_assets = false;
    assert_false(prepare(&b, false));
    assert_non_null(strstr(b.err.text, "sync init"));
    init(&b);
    assert_true(made(&b) > 25);
    assert_true(prepare(&b, false));
    init(&b);
    assert_int_equal(made(&b), 0);
    assert_string_equal(assets_workspace(b.assets), "f1668d0c-828c-470c-b7d1-8c4f48cd345a");
    control(&b, "GET", "/sim/assets", "%s", "");
    char *text = eb_json_text(b.world.reply.body);
    assert_non_null(strstr(text, "\"key\":\"ENTRA\",\"name\":\"Entra Directory\",\"objects\":0,\"types\":{\"Group\":0,\"Employee\":0}"));
    free(text);
    bed_down(&b);
}

/* An init that was cut goes on where it was: every second write is lost or cut, for a while. */
static void test_init_cut(void **state)
{
    struct bed b;
    int rounds = 0;

    (void)state;
    bed_up(&b);
    control(&b, "POST", "/sim/faults", "[{\"match\": {\"cloud\": \"assets\", \"regex\": \"create$|objecttypeattribute|referencetype$\", \"method\": \"POST\"},"
            " \"after\": 2, \"times\": 1, \"action\": {\"drop_after\": true}}]");
    while (!prepare(&b, true) && rounds++ < 5)
        assert_non_null(strstr(b.err.text, "may have been made"));
    assert_int_equal(rounds, 1);
    init(&b);
    assert_int_equal(made(&b), 0);
    bed_down(&b);
}

/* The same place as long as ids are the same; another workspace, schema or attribute is another one. */
static void test_place(void **state)
{
    static char other_key[] = "OTHER", other_workspace[] = "a1668d0c-828c-470c-b7d1-8c4f48cd345a";
    struct bed b;
    char *places[5];

    (void)state;
    bed_up(&b);
    init(&b);
    places[0] = sync_target_assets.place(b.target);
    clients(&b);
    assert_true(prepare(&b, false));
    places[1] = sync_target_assets.place(b.target);
    assert_string_equal(places[1], places[0]);
    b.config.sync.attribute_count = 1;
    sync_schema_free(b.schema);
    b.x.schema = b.schema = sync_schema_new(&b.config.sync);
    clients(&b);
    assert_true(prepare(&b, false));
    places[2] = sync_target_assets.place(b.target);
    control(&b, "POST", "/sim/assets/schemas", "%s", "[{\"key\": \"OTHER\", \"name\": \"Other\", \"types\": []}]");
    b.config.assets.schema_key = other_key;
    init(&b);
    places[3] = sync_target_assets.place(b.target);
    assert_non_null(strstr(places[3], b.url));
    assert_non_null(strstr(places[3], "f1668d0c-828c-470c-b7d1-8c4f48cd345a"));
    struct eb_err err = { 0 };
    assert_true(assets_set_workspace(b.assets, other_workspace, &err));
    places[4] = sync_target_assets.place(b.target);
    for (size_t i = 1; i < EB_LEN(places); i++)
        for (size_t n = i + 1; n < EB_LEN(places); n++)
            assert_string_not_equal(places[i], places[n]);
    for (size_t i = 0; i < EB_LEN(places); i++)
        free(places[i]);
    bed_down(&b);
}

static void test_schemas_of_others(void **state)
{
    static const struct { const char *schema; bool good; const char *text, *why; } cases[] = {
        { "{\"key\": \"ENTRA\", \"name\": \"Hardware\", \"types\": [\"Laptop\", \"Phone\"]}", false, "Laptop", "somebody else's" },
        { "{\"key\": \"ENTRA\", \"name\": \"Company directory\", \"types\": []}", true, "", "given by the administrator, empty" },
        { "{\"key\": \"ENTRA\", \"name\": \"Company directory\", \"types\": [\"Employee\", \"Office\"]}", true, "", "one that has our object type" },
        { "{\"key\": \"HW\", \"name\": \"Hardware\", \"types\": [\"Laptop\"]}", true, "", "another key" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        control(&b, "POST", "/sim/assets/schemas", "[%s]", cases[i].schema);
        if (prepare(&b, true) != cases[i].good || strstr(b.err.text, cases[i].text) == NULL)
            fail_msg("case %zu (%s): %s", i, cases[i].why, b.err.text);
        if (!cases[i].good) {
            assert_int_equal(made(&b), 0);
            assert_non_null(strstr(b.err.text, "assets.schema_key"));
        }
        bed_down(&b);
    }
}

static void on_call(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct bed *b = ctx;

    snprintf(b->object_id, sizeof(b->object_id), "%s", eb_json_str(r->body, "id") != NULL ? eb_json_str(r->body, "id") : eb_json_str(json_array_get(r->body, 0), "id"));
    on_end(ctx, r->result == ASSETS_OK ? NULL : &r->err);
}

/* Somebody has made the type, with one attribute of their own. */
static void made_by_hand(struct bed *b, json_t *attribute)
{
    bed_up(b);
    control(b, "POST", "/sim/assets/schemas", "%s", "[{\"key\": \"ENTRA\", \"name\": \"Ours\", \"types\": [\"Employee\"]}]");
    assert_false(prepare(b, false));
    assets_send(b->assets, &(struct assets_call){ .kind = ASSETS_TYPES, .a = "1" }, 0, on_call, b);
    run(b);
    assets_send(b->assets, &(struct assets_call){ .kind = ASSETS_ATTRIBUTE_CREATE, .a = b->object_id, .body = attribute }, 0, on_call, b);
    run(b);
    assert_int_equal(b->err.code, EB_OK);
}

static void test_attribute_of_another_type(void **state)
{
    struct bed b;
    json_t *body = json_pack("{s:s, s:i, s:i}", "name", "Office", "type", 0, "defaultTypeId", 1);

    (void)state;
    made_by_hand(&b, body);
    assert_false(prepare(&b, true));
    assert_non_null(strstr(b.err.text, "Employee \"Office\" is Integer, Text is needed"));
    json_decref(body);
    bed_down(&b);
}

/* Two of one person must not be possible: an identity that Assets does not keep unique is not accepted. */
static void test_identity_not_unique(void **state)
{
    struct bed b;
    json_t *body = json_pack("{s:s, s:i, s:i}", "name", SYNC_ID, "type", 0, "defaultTypeId", 0);

    (void)state;
    for (int unique = 0; unique < 2; unique++) {
        json_object_set_new(body, "uniqueAttribute", json_boolean(unique));
        made_by_hand(&b, body);
        if (prepare(&b, true) != (unique == 1) || (unique == 0 && strstr(b.err.text, "Employee \"Entra User ID\" is not unique: make it so") == NULL))
            fail_msg("unique %d: %s", unique, b.err.text);
        bed_down(&b);
    }
    json_decref(body);
}

/* The name of our schema is taken by one with another key: the second one bears its key in its name, also where the first is hidden from us. */
static void test_schema_name_taken(void **state)
{
    static const struct { const char *schemas, *field; int times; const char *made, *text, *why; } cases[] = {
        { "[{\"key\": \"OLD\", \"name\": \"Entra Directory\", \"types\": []}]", NULL, 0, "Entra Directory (ENTRA)", "", "seen" },
        { NULL, "name", 1, "Entra Directory (ENTRA)", "", "hidden" },
        { NULL, "name", 2, NULL, "does not take the name of the schema \"Entra Directory (ENTRA)\"", "both hidden" },
        { NULL, "objectSchemaKey", 1, NULL, "does not take the key of the schema \"Entra Directory\" with the key ENTRA", "the key, by one that is hidden" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        if (cases[i].schemas != NULL)
            control(&b, "POST", "/sim/assets/schemas", "%s", cases[i].schemas);
        if (cases[i].field != NULL)
            control(&b, "POST", "/sim/faults", "[{\"match\": {\"cloud\": \"assets\", \"regex\": \"objectschema/create\"}, \"times\": %d, \"action\": {\"status\": 400,"
                    " \"body\": {\"errorMessages\": [], \"errors\": {\"%s\": \"It is taken.\"}}}}]", cases[i].times, cases[i].field);
        bool good = prepare(&b, true);
        if (good != (cases[i].made != NULL) || strstr(b.err.text, cases[i].text) == NULL)
            fail_msg("case %zu (%s): %s", i, cases[i].why, b.err.text);
        if (good) {
            char *text = eb_json_text(sync_target_assets.made(b.target));
            assert_non_null(strstr(text, cases[i].made));
            free(text);
            init(&b);
            assert_int_equal(made(&b), 0);
        }
        bed_down(&b);
    }
}

static void test_no_role(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b);
    control(&b, "POST", "/sim/settings", "%s", "{\"assets_admin\": false}");
    assert_false(prepare(&b, true));
    assert_non_null(strstr(b.err.text, "Object schema managers"));
    assert_false(prepare(&b, false));
    assert_non_null(strstr(b.err.text, "role in the schema"));
    bed_down(&b);
}

/* ---- reading ---- */

static void test_read(void **state)
{
    struct bed b;
    struct looking l;
    char key[40];

    (void)state;
    bed_up(&b);
    init(&b);
    control(&b, "POST", "/sim/settings", "%s", "{\"aql_page_max\": 50}");
    people(&b, 230);
    snprintf(key, sizeof(key), KEY(7));
    /* Managers that come later; hand-made ones; two with one id; one that left. */
    objects(&b, "{\"key\": \"ENTRA-3\", \"attributes\": {\"Manager\": \"User 200\"}},"
                "{\"type\": \"Employee\", \"attributes\": {\"Name\": \"Guest book\"}}, {\"type\": \"Group\", \"attributes\": {\"Name\": \"Bowling\", \"Entra Group ID\": \"none\"}}");
    control(&b, "POST", "/sim/assets/objects", "[{\"key\": \"ENTRA-4\", \"attributes\": {\"Manager\": \"Guest book\"}},"
            "{\"type\": \"Employee\", \"attributes\": {\"Name\": \"Double\", \"Entra User ID\": \"%s\", \"Status\": \"Active\"}},"
            "{\"key\": \"ENTRA-5\", \"attributes\": {\"Status\": \"Inactive\", \"Last seen\": \"2026-09-01T10:00:00.000Z\"}}]", key);
    b.shorter = true;
    read_all(&b, 1);
    l = row(&b, STAGE_GROUP, GROUP("02"));
    assert_int_equal(l.count, 2);
    assert_string_equal(l.text, "{\"Entra Group ID\":\"" GROUP("02") "\",\"Name\":\"EMEA\",\"Parent groups\":[\"" GROUP("01") "\"]}");
    assert_int_equal(l.notes, 2);
    assert_non_null(strstr(l.note, "2 objects of our object types have no Entra id"));
    assert_non_null(strstr(l.note, "the older one is kept true"));
    l = row(&b, STAGE_USER, key);
    assert_int_equal(l.count, 230);
    assert_string_equal(l.object_key, "ENTRA-10");              /* the older of two */
    assert_true(l.active && l.left_ms == 0);
    snprintf(key, sizeof(key), KEY(0));
    l = row(&b, STAGE_USER, key);
    assert_string_equal(l.text, "{\"Account enabled\":true,\"Badge\":0,\"Email\":\"u0@example.com\",\"Entra User ID\":\"a0000000-0000-4000-8000-000000000000\","
                        "\"Groups\":[\"" GROUP("01") "\",\"" GROUP("02") "\"],\"Manager\":\"a0000000-0000-4000-8000-000000000200\",\"Name\":\"User 0\"}");
    snprintf(key, sizeof(key), KEY(1));
    l = row(&b, STAGE_USER, key);
    assert_non_null(strstr(l.text, "\"Manager\":\"?ENTRA-"));   /* it is not ours: a difference to whatever is wanted */
    snprintf(key, sizeof(key), KEY(2));
    l = row(&b, STAGE_USER, key);
    assert_false(l.active);
    int64_t left_ms = 0;
    assert_true(eb_time_parse("2026-09-01T10:00:00Z", &left_ms, NULL));
    assert_true(l.left_ms == left_ms);
    bed_down(&b);
}

/* Edits by hand, objects that went, and one that the index forgets. */
static void test_read_again(void **state)
{
    struct bed b;
    struct looking l;
    char key[40];

    (void)state;
    bed_up(&b);
    init(&b);
    people(&b, 60);
    read_all(&b, 1);
    objects(&b, "{\"key\": \"ENTRA-3\", \"attributes\": {\"Name\": \"Renamed\", \"Groups\": []}}, {\"key\": \"ENTRA-4\", \"deleted\": true},"
                "{\"key\": \"ENTRA-5\", \"attributes\": {\"Entra User ID\": \"\"}}");
    read_all(&b, 2);
    snprintf(key, sizeof(key), KEY(0));
    l = row(&b, STAGE_USER, key);
    assert_int_equal(l.count, 58);                              /* one is gone, one is ours no more */
    assert_non_null(strstr(l.text, "\"Renamed\""));
    assert_null(strstr(l.text, "Groups"));
    /* The last page is cut off: rows that it would have had are looked at, and kept. */
    control(&b, "POST", "/sim/faults", "%s", "[{\"match\": {\"cloud\": \"assets\", \"regex\": \"object/aql\"}, \"after\": 1, \"times\": 1, \"action\": {\"status\": 200,"
            " \"body\": {\"startAt\": 0, \"maxResults\": 500, \"total\": 0, \"values\": [], \"isLast\": true}}}]");
    read_all(&b, 3);
    l = row(&b, STAGE_USER, key);
    assert_int_equal(l.count, 58);
    assert_non_null(strstr(l.text, "\"Renamed\""));
    bed_down(&b);
}

/* An error on the way ends the reading, and nothing is removed for it. */
static void test_read_fails(void **state)
{
    static const struct { const char *rule, *text; } cases[] = {
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"object/aql\"}, \"after\": 2, \"action\": {\"status\": 403}}", "403" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"object/aql\"}, \"after\": 1, \"action\": {\"status\": 200, \"body\": {\"values\": [], \"isLast\": false}}}", "empty page" },
        { "{\"match\": {\"cloud\": \"assets\", \"regex\": \"object/[0-9]+$\"}, \"action\": {\"status\": 400}}", "400" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        init(&b);
        control(&b, "POST", "/sim/settings", "%s", "{\"aql_page_max\": 20}");
        people(&b, 60);
        read_all(&b, 1);
        objects(&b, "{\"key\": \"ENTRA-4\", \"deleted\": true}");
        control(&b, "POST", "/sim/faults", "[%s]", cases[i].rule);
        sync_target_assets.read(b.target, 2, on_end, &b);
        run(&b);
        if (b.err.code == EB_OK || strstr(b.err.text, cases[i].text) == NULL)
            fail_msg("case %zu: %s", i, b.err.text);
        assert_int_equal(row(&b, STAGE_USER, "x").count, 60);
        bed_down(&b);
    }
}

/* An account without its role is told that nothing is there; nothing is removed for that. What is deleted by hand goes, up to a half. */
static void test_most_are_gone(void **state)
{
    static const struct { int users, deleted; bool hidden, good; int64_t left; const char *why; } cases[] = {
        { 60, 0, true, false, 60, "all of them hidden" },
        { 60, 32, false, false, 60, "32 of 62, in two batches" },
        { 60, 31, false, true, 29, "a half" },
        { 18, 0, true, true, 0, "a few" },
        { 19, 0, true, false, 19, "just more than a few" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        char one[80];
        bed_up(&b);
        init(&b);
        people(&b, cases[i].users);
        read_all(&b, 1);
        for (int n = 0; n < cases[i].deleted; n++) {
            snprintf(one, sizeof(one), "{\"key\": \"ENTRA-%d\", \"deleted\": true}", n + 3);
            objects(&b, one);
        }
        if (cases[i].hidden)
            control(&b, "POST", "/sim/faults", "%s", "[{\"match\": {\"cloud\": \"assets\", \"regex\": \"object/aql\"}, \"times\": -1, \"action\": {\"status\": 200,"
                    " \"body\": {\"startAt\": 0, \"maxResults\": 500, \"total\": 0, \"values\": [], \"isLast\": true}}},"
                    "{\"match\": {\"cloud\": \"assets\", \"regex\": \"object/[0-9]+$\"}, \"times\": -1, \"action\": {\"status\": 404}}]");
        sync_target_assets.read(b.target, 2, on_end, &b);
        run(&b);
        bool good = b.err.code == EB_OK, told = strstr(b.err.text, "lost its role in the schema ENTRA") != NULL && strstr(b.err.text, "makes them anew.") != NULL;
        int64_t left = row(&b, STAGE_USER, "x").count;
        if (good != cases[i].good || told == good || left != cases[i].left)
            fail_msg("case %zu (%s): %lld left, %s", i, cases[i].why, (long long)left, b.err.text);
        bed_down(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_twice),
        cmocka_unit_test(test_init_cut),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_schemas_of_others),
        cmocka_unit_test(test_attribute_of_another_type),
        cmocka_unit_test(test_identity_not_unique),
        cmocka_unit_test(test_schema_name_taken),
        cmocka_unit_test(test_no_role),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_again),
        cmocka_unit_test(test_read_fails),
        cmocka_unit_test(test_most_are_gone),
    };
    signal(SIGPIPE, SIG_IGN);
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
