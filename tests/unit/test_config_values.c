/* test_config_values.c - what comes out of a configuration that loads: defaults, values, the reference, what needs a restart. */
#include "tests/unit/config_fixture.h"

static void test_defaults(void **state)
{
    struct eb_buf faults = EB_BUF(KiB(64));
    struct config *c = NULL;

    put_with("more", "");
    assert_true(load(CONFIG_FULL, &c, &faults));
    char *store = eb_asprintf("sqlite:%s/entrabridge.db", directory), *keys = in_directory("keys");
    assert_string_equal(c->store_url, store);
    assert_string_equal(c->keys_directory, keys);
    free(store);
    free(keys);
    assert_string_equal(c->public_url, "http://127.0.0.1:8080");
    assert_string_equal(c->entra.authority_url, "https://login.microsoftonline.com");
    assert_string_equal(c->entra.graph_url, "https://graph.microsoft.com/v1.0");
    assert_string_equal(c->jira.api_url, "https://example.atlassian.net");
    assert_string_equal(c->entra.client_secret, "hunter2");     /* one line end taken off */
    assert_null(c->jira.email);
    assert_true(c->jira.comments_internal);
    assert_true(c->policy.protect_directory_roles);
    assert_int_equal(c->policy.operation_count, 0);
    assert_int_equal(c->listen.max_body_bytes, 65536);
    assert_int_equal(c->listen.max_head_bytes, 16384);
    assert_int_equal(c->listen.request_deadline_ms, 10000);
    assert_int_equal(c->listen.idle_ms, 15000);
    assert_int_equal(c->response_deadline_ms, 2500);
    assert_int_equal(c->recovery_max_age_ms, 3600000);
    assert_int_equal(c->max_operations, 1000);
    assert_int_equal(c->drain_ms, 30000);
    assert_int_equal(c->log_level, EB_LOG_INFO);
    assert_int_equal(strlen(c->hash), 64);
    assert_ptr_equal(config_ref(c), c);
    config_unref(c);
    config_unref(c);
}

static void assert_conditions(const struct config_conditions *k)
{
    assert_true(k->approval);
    assert_int_equal(k->approvals, 3);
    assert_string_equal(k->approvers, "Bosses");
    assert_int_equal(k->approval_max_age_ms, INT64_C(2) * 86400000);
    assert_int_equal(k->bind.count, 2);
    assert_string_equal(k->bind.items[0].name, "user");
    assert_string_equal(k->bind.items[1].value, "summary");
    assert_int_equal(k->requester, CONFIG_REQUESTER_GROUP);
    assert_string_equal(k->requester_group, "Staff");
    assert_string_equal(k->request_types.items[0], "25");
    assert_string_equal(k->statuses.items[0], "Open");
    assert_int_equal(k->max_age_ms, INT64_C(5) * 86400000);
    assert_int_equal(k->max_duration_ms, 8 * 3600000);
    assert_int_equal(k->mode, CONFIG_SHADOW);
}

static void test_policy_values(void **state)
{
    struct eb_buf faults = EB_BUF(KiB(64));
    struct config *c = NULL;

    put_with("policy", "policy:\n"
                       "  serviceable_groups:\n"
                       "    - {group: \"VPN Users\", projects: [ITSM, HR]}\n"
                       "    - {group: 0f6c2a1e-0000-0000-0000-000000000000, projects: \"*\"}\n"
                       "    - {group: G, projects: HR, approval: required, approvals: 3, approvers: \"group:Bosses\", approval_max_age: 2d,\n"
                       "       bind: {user: customfield_1, group: summary}, requester: \"group: Staff\", request_types: [25], statuses: Open,\n"
                       "       max_age: 5d, max_duration: 8h, mode: shadow}\n"
                       "  protected: {users: [a@b.c], groups: [\"Tier 0\", X], directory_roles: false}\n"
                       "  operations:\n"
                       "    user.disable: {projects: HR}\n"
                       "    user.get: {projects: [\"*\"], issue: optional}\n"
                       "    user.update: {projects: HR, attributes: [jobTitle], approval: required, requester: self, sensitive: true}\n"
                       "    user.create: {projects: HR, user_principal_name: \"{surname}@b.c\", password_length: 30}\n"
                       "  separation_of_duties: [{groups: [A, B, C]}]\n"
                       "  mode: shadow\n");
    assert_true(load(CONFIG_SHAPE, &c, &faults));
    const struct config_policy *p = &c->policy;
    assert_int_equal(p->group_count, 3);
    assert_string_equal(p->groups[0].group, "VPN Users");
    assert_int_equal(p->groups[0].projects.keys.count, 2);
    assert_string_equal(p->groups[0].projects.keys.items[1], "HR");
    assert_false(p->groups[0].projects.all);
    assert_true(p->groups[1].projects.all);
    assert_int_equal(p->protected_groups.count, 2);
    assert_string_equal(p->protected_users.items[0], "a@b.c");
    assert_false(p->protect_directory_roles);
    assert_int_equal(p->operation_count, 4);
    assert_string_equal(p->operations[0].kind, "user.disable");
    assert_string_equal(p->operations[0].projects.keys.items[0], "HR");
    assert_false(p->operations[0].issue_optional);
    assert_true(p->operations[1].projects.all);
    assert_true(p->operations[1].issue_optional);
    assert_null(c->entra.client_secret);            /* SHAPE reads no secret */
    assert_conditions(&p->groups[2].conditions);
    assert_int_equal(p->groups[0].conditions.requester, CONFIG_REQUESTER_UNASKED);
    assert_false(p->groups[0].conditions.approval);
    assert_true(p->operations[2].conditions.approval && p->operations[2].sensitive);
    assert_int_equal(p->operations[2].conditions.requester, CONFIG_REQUESTER_SELF);
    assert_string_equal(p->operations[2].attributes.items[0], "jobTitle");
    assert_string_equal(p->operations[3].user_principal_name, "{surname}@b.c");
    assert_int_equal(p->operations[3].password_length, 30);
    assert_int_equal(p->operations[0].password_length, c->password_length);
    assert_int_equal(p->duty_count, 1);
    assert_string_equal(p->duties[0].groups.items[2], "C");
    assert_int_equal(p->mode, CONFIG_SHADOW);
    config_unref(c);
}

static struct config *load_more(const char *text)
{
    struct eb_buf faults = EB_BUF(KiB(64));
    struct config *c = NULL;

    put_with("more", text);
    if (!load(CONFIG_FULL, &c, &faults))
        fail_msg("%s", faults.data);
    eb_buf_free(&faults);
    return c;
}

/* `assets` alone is a synchronization of everything; without it nothing is synchronized, and the defaults stand all the same. */
static void test_sync_defaults(void **state)
{
    static const char *const files[] = { "", "assets:\n", "assets: {}\nsync: {users: {}, guard: }\n" };
    char *stage = in_directory("entrabridge.db.sync");

    for (size_t i = 0; i < EB_LEN(files); i++) {
        struct config *c = load_more(files[i]);
        const struct config_sync *s = &c->sync;
        assert_int_equal(c->assets.wanted, i > 0);
        assert_string_equal(c->assets.schema_key, "ENTRA");
        assert_string_equal(c->assets.api_url, "https://api.atlassian.com");
        assert_int_equal(c->assets.max_calls, 8);
        assert_null(c->assets.import_token);
        assert_int_equal(s->mode, CONFIG_DIRECTORY_FIRST);
        assert_int_equal(s->every_ms, 3600000);
        assert_int_equal(s->jitter_ms, 120000);
        assert_int_equal(s->full_every_ms, INT64_C(7) * 86400000);
        assert_int_equal(s->at_minute, -1);
        assert_false(s->guests);
        assert_int_equal(s->accounts, CONFIG_ACCOUNTS_ALL);
        assert_int_equal(s->member_of.count + s->filter_count + s->groups.count + s->attribute_count, 0);
        assert_true(s->groups_wanted);
        assert_int_equal(s->leavers, CONFIG_LEAVERS_INACTIVE);
        assert_int_equal(s->delete_after_ms, INT64_C(90) * 86400000);
        assert_int_equal(s->guard_percent, 10);
        assert_int_equal(s->guard_number, 500);
        assert_int_equal(s->loading, CONFIG_LOAD_AUTO);
        assert_int_equal(s->load_above, 5000);
        assert_int_equal(s->keep_history_ms, INT64_C(90) * 86400000);
        assert_string_equal(s->stage, stage);
        config_unref(c);
    }
    free(stage);
}

static void test_sync_values(void **state)
{
    struct config *c = load_more("assets: {workspace_id: w, schema_key: HR, import_token: {file: good}, max_calls: 2}\n"
                                 "sync:\n"
                                 "  mode: accounts_first\n  every: 2d\n  at: \"02:30\"\n"
                                 "  users: {guests: true, accounts: disabled, member_of: [A, B], where: [{attribute: city, matches: B*}, {attribute: id, matches: x}]}\n"
                                 "  groups: {names: [\"Sales*\"]}\n"
                                 "  attributes: [{name: Floor, from: city, type: integer}, {name: Hired, from: employeeHireDate, type: date}, {name: Site, from: onPremisesExtensionAttributes.extensionAttribute7}]\n"
                                 "  leavers: delete\n  load: always\n  stage: /x/y\n");
    const struct config_sync *s = &c->sync;

    assert_true(c->assets.wanted);
    assert_string_equal(c->assets.workspace_id, "w");
    assert_string_equal(c->assets.schema_key, "HR");
    assert_string_equal(c->assets.import_token, "hunter2");
    assert_int_equal(s->mode, CONFIG_ACCOUNTS_FIRST);
    assert_int_equal(s->at_minute, 150);
    assert_int_equal(s->accounts, CONFIG_ACCOUNTS_DISABLED);
    assert_string_equal(s->member_of.items[1], "B");
    assert_int_equal(s->filter_count, 2);
    assert_string_equal(s->filters[0].attribute, "city");
    assert_string_equal(s->filters[0].matches, "B*");
    assert_string_equal(s->groups.items[0], "Sales*");
    assert_int_equal(s->attribute_count, 3);
    assert_string_equal(s->attributes[0].name, "Floor");
    assert_string_equal(s->attributes[0].from, "city");
    assert_int_equal(s->attributes[0].type, 3);         /* SYNC_INTEGER, SYNC_DATE_TIME, SYNC_TEXT */
    assert_int_equal(s->attributes[1].type, 4);
    assert_int_equal(s->attributes[2].type, 0);
    assert_string_equal(s->attributes[2].from, "extensionAttribute7");
    assert_int_equal(s->leavers, CONFIG_LEAVERS_DELETE);
    assert_int_equal(s->loading, CONFIG_LOAD_ALWAYS);
    assert_string_equal(s->stage, "/x/y");
    config_unref(c);
}

/* Assets stands behind the same gateway as Jira, and a token with scopes works there only. */
static void test_assets_url(void **state)
{
    struct eb_buf faults = EB_BUF(KiB(64));
    struct config *c = NULL;

    put_with("jira", JIRA("api_token: {file: good}, api_url: https://api.atlassian.com/ex/jira/1-2"));
    assert_true(load(CONFIG_FULL, &c, &faults));
    assert_string_equal(c->assets.api_url, "https://api.atlassian.com/ex/jira/1-2");
    config_unref(c);
}

static void test_clouds(void **state)
{
    static const struct { const char *rest, *authority, *graph; } rows[] = {
        { "client_secret: {file: good}, cloud: usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us/v1.0" },
        { "client_secret: {file: good}, cloud: usgov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/v1.0" },
        { "client_secret: {file: good}, cloud: china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0" },
        { "client_secret: {file: good}, cloud: china, authority_url: https://login.chinacloudapi.cn/", "https://login.chinacloudapi.cn",
          "https://microsoftgraph.chinacloudapi.cn/v1.0" },
        { "client_secret: {file: good}, graph_url: 'http://127.0.0.1:9/v1.0//'", "https://login.microsoftonline.com", NULL },
    };
    for (size_t i = 0; i < EB_LEN(rows); i++) {
        struct eb_buf faults = EB_BUF(KiB(64));
        struct config *c = NULL;
        char *text = eb_asprintf(ENTRA("%s"), rows[i].rest);

        put_with("entra", text);
        free(text);
        assert_int_equal(load(CONFIG_FULL, &c, &faults), rows[i].graph != NULL);    /* an empty segment is a fault */
        if (c != NULL) {
            assert_string_equal(c->entra.authority_url, rows[i].authority);
            assert_string_equal(c->entra.graph_url, rows[i].graph);
        }
        config_unref(c);
        eb_buf_free(&faults);
    }
}

/* The reference is a file that loads; so does the reference with every commented key put in. */
static void test_reference(void **state)
{
    struct eb_buf reference = EB_BUF(KiB(64)), faults = EB_BUF(KiB(64)), live = EB_BUF(KiB(64));
    struct config *c = NULL;
    bool other_kind = false;

    assert_true(config_reference(&reference));
    put_file("e.yaml", reference.data, reference.len, 0644);
    if (!load(CONFIG_SHAPE, &c, &faults))
        fail_msg("%s", faults.data);
    config_unref(c);
    c = NULL;
    for (char *line = strtok(reference.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *mark = strstr(line, "# ");
        size_t indent = strspn(line, " ");
        const char *name = mark == NULL ? "" : strncmp(mark, "# - ", 4) == 0 ? mark + 4 : mark + 2;
        bool key = mark == line + indent && strchr(mark, ':') != NULL && *name >= 'a' && *name <= 'z' && strcspn(name, " ") > strcspn(name, ":");
        if (strstr(line, "; only for ") != NULL)
            other_kind = strstr(line, "group.add_member") == NULL;      /* the kind that the sample entry is of */
        if (key && !other_kind && strstr(line, "client_certificate") == NULL && strstr(line, "secrets/entra.") == NULL)
            eb_buf_addf(&live, "%.*s%s\n", (int)indent, line, mark + 2);
        else if (!key)
            eb_buf_addf(&live, "%s\n", line);
        if (key)
            other_kind = false;
    }
    put_file("e.yaml", live.data, live.len, 0644);
    if (!load(CONFIG_SHAPE, &c, &faults))
        fail_msg("%s in %s", faults.data, live.data);
    config_unref(c);
    eb_buf_free(&reference);
    eb_buf_free(&live);
    eb_buf_free(&faults);
}

static void test_needs_restart(void **state)
{
    struct eb_buf faults = EB_BUF(KiB(64)), names = EB_BUF(KiB(4));
    struct config *was = NULL, *now = NULL, *again = NULL;

    put_with("more", "");
    assert_true(load(CONFIG_FULL, &was, &faults));
    put_with("more", "log: {level: debug}\n");
    assert_true(load(CONFIG_FULL, &now, &faults));
    assert_false(config_needs_restart(was, now, &names));
    put_with("listen", "listen: {address: \"127.0.0.1:9\"}\nkeys: {directory: elsewhere}\n");
    assert_true(load(CONFIG_FULL, &again, &faults));
    assert_true(config_needs_restart(was, again, &names));
    assert_string_equal(names.data, "listen.address, keys.directory");
    assert_string_not_equal(was->hash, now->hash);
    config_unref(again);
    eb_buf_reset(&names);
    put_with("more", "assets: {}\nsync: {every: 1d, stage: elsewhere}\n");      /* a section that comes changes more than its keys */
    assert_true(load(CONFIG_FULL, &again, &faults));
    assert_true(config_needs_restart(was, again, &names));
    assert_string_equal(names.data, "assets, sync.stage");
    config_unref(was);
    config_unref(now);
    config_unref(again);
    eb_buf_free(&names);
    eb_buf_free(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_policy_values),
        cmocka_unit_test(test_sync_defaults),
        cmocka_unit_test(test_sync_values),
        cmocka_unit_test(test_assets_url),
        cmocka_unit_test(test_clouds),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_needs_restart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
