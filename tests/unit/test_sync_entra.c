/* test_sync_entra.c - after every reading, however it was disturbed, what is wanted equals the truth, object by object; and a reading that failed takes nobody away. */
#include "tests/unit/entra_bed.h"


static void test_all_then_changes(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b);
    reads(&b, SYNC_READ_CHANGES, "first");
    assert_true(b.all);
    assert_int_equal(b.counts.graph_calls, page_calls);
    reads(&b, SYNC_READ_CHANGES, "nothing has changed");
    assert_false(b.all);
    assert_int_equal(page_calls, 2);
    assert_int_equal(account_calls, 0);         /* a day has not passed */
    page_size = 999;
    reads(&b, SYNC_READ_ALL, "everything again");
    assert_true(b.all);
    assert_int_equal(page_calls, 3);            /* from where changes count, the users, the groups */
    assert_int_equal(b.faults, 0);
    bed_down(&b);
}

static void nothing(void) { }
static void long_title(void)
{
    char text[2 * 300 + 1] = "";

    for (int i = 0; i < 300; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 3);
    set_title(12, text);
}
static void faces(void)             /* 127 characters of two units each, and one unit that is left: the 128th does not fit into it */
{
    char text[4 * 150 + 1] = "";

    for (int i = 0; i < 150; i++)
        memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 5);
    set_title(13, text);
}
static void titles(void) { set_title(3, "Chief"); set_title(4, ""); set_title(5, "\xe5\xbc\xa0"); }
static void managers(void) { set_manager(20, 2); set_manager(21, -1); set_manager(0, 5); }
static void members(void) { set_member(0, 29, true); set_member(1, 1, false); set_member(5, USERS + 0, true); set_member(0, USERS + 1, false); }
static void owners(void) { set_owner(2, 9, true); set_owner(1, 1, false); set_owner(3, 3, false); set_owner(3, 4, true); }
static void joins(void) { add_person(35); set_member(2, 35, true); }
static void leaves(void) { soft_delete(1); purge(2); }
static void comes_back(void) { restore(1); }
static void purged(void) { soft_delete(6); purge(6); }
static void renamed(void) { snprintf(teams[2].name, sizeof(teams[2].name), "Renamed"); teams[2].changed = ++version; }
static void group_goes(void) { group_off(2, true); group_off(5, false); }
static void group_back(void) { group_restore(2); }
static void half_told(void) { add_person(36); people[36].made = 1; }         /* as if it had been there always */
static void disabled(void) { people[11].disabled = true; people[11].changed = ++version; }

static const struct { void (*change)(void); const char *why; } changes[] = {
    { nothing, "nothing" }, { titles, "attributes, one cleared" }, { long_title, "a text that is too long, cut between two letters" }, { faces, "letters that count twice" }, { managers, "managers: another, none, one for the first" }, { members, "members come and go, groups among them" }, { owners, "owners come and go" },
    { joins, "somebody new" }, { half_told, "a change of somebody who is not known tells a part only: looked at" }, { disabled, "an account is disabled" }, { leaves, "somebody is deleted, somebody purged; the first is still a member" },
    { comes_back, "who was deleted is back, with all memberships, of which no group says anything" },
    { purged, "deleted and purged since the last time" }, { renamed, "a group is renamed" }, { group_goes, "groups are deleted" },
    { group_back, "a group is back, and is in others again" }, { nothing, "nothing more" },
};

static void test_changes(void **state)
{
    (void)state;
    for (int quirks = 0; quirks < 4; quirks++) {
        struct bed b;
        bed_up(&b);
        repeats = quirks & 1;
        empties = quirks & 2;
        reads(&b, SYNC_READ_CHANGES, "first");
        for (size_t i = 0; i < EB_LEN(changes); i++) {
            changes[i].change();
            reads(&b, SYNC_READ_CHANGES, changes[i].why);
            assert_false(b.all);
        }
        reads(&b, SYNC_READ_ALL, "everything");
        assert_int_equal(b.faults, 0);
        bed_down(&b);
    }
}

static void test_faults(void **state)
{
    static const struct { enum fault kind; bool fails; const char *why; } cases[] = {
        { FAULT_ERROR, true, "no answer" }, { FAULT_CUT, true, "cut" }, { FAULT_NO_PAGE, true, "no page" },
        { FAULT_GONE, false, "the link is not good any more: everything is read, by itself" },
    };
    (void)state;
    for (size_t c = 0; c < EB_LEN(cases); c++)
        for (int round = 0; round < 3; round++) {
            struct bed b;
            int pages;
            bed_up(&b);
            page_size = 7;
            if (round > 0)
                reads(&b, SYNC_READ_CHANGES, "first");
            for (int at = 1; at < 100; at++) {
                set_title(at % 30, at % 2 == 0 ? "even" : "odd");
                set_member(at % 6, at % 30, !teams[at % 6].member[at % 30]);
                if (at == 5 && people[9].there)
                    soft_delete(9);
                fault_kind = cases[c].kind;
                fault_at = at;
                bool ok = read_once(&b, round == 1 ? SYNC_READ_ALL : SYNC_READ_CHANGES);
                pages = page_calls;
                if (ok == cases[c].fails && pages >= at)
                    fail_msg("%s, round %d, page %d: %d %s", cases[c].why, round, at, ok, b.err.text);
                fault_at = 0;
                if (ok)
                    is_true(&b, cases[c].why);
                else
                    reads(&b, SYNC_READ_CHANGES, cases[c].why);         /* goes on, or anew */
                if (pages < at)
                    break;
            }
            bed_down(&b);
        }
}

static void test_stopped(void **state)
{
    (void)state;
    for (int changed = 0; changed < 2; changed++)
        for (int at = 1; at < 60; at++) {
            struct bed b;
            bed_up(&b);
            if (changed) {
                reads(&b, SYNC_READ_CHANGES, "first");
                members();
                titles();
                leaves();
                joins();
            }
            stop_at = at;
            bool ok = read_once(&b, SYNC_READ_CHANGES);
            int before = page_calls;
            stop_at = 0;
            if (ok) {
                is_true(&b, "not stopped");
                bed_down(&b);
                break;
            }
            stage_close(&b);
            stage_open(&b);
            set_title(1, "meanwhile");
            assert_true(read_once(&b, SYNC_READ_CHANGES));      /* goes on: may not have seen it */
            sync_source_entra.close(b.source);
            reads(&b, SYNC_READ_CHANGES, "and what happened meanwhile");
            assert_true(before == at);
            bed_down(&b);
        }
}

static void test_nobody_is_no_answer(void **state)
{
    static const struct { enum fault kind; int at; const char *why; } cases[] = {
        { FAULT_EMPTY, 2, "a list of nobody" }, { FAULT_NO_LINK, 1, "no link from which changes count" },
    };
    struct bed b;

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        bed_up(&b);
        reads(&b, SYNC_READ_CHANGES, "first");
        fault_kind = cases[i].kind;
        fault_at = cases[i].at;
        if (read_once(&b, SYNC_READ_ALL))
            fail_msg("case %zu (%s) passed", i, cases[i].why);
        fault_at = 0;
        reads(&b, SYNC_READ_CHANGES, cases[i].why);
        bed_down(&b);
    }
    bed_up(&b);
    no_accounts = true;
    assert_false(read_once(&b, SYNC_READ_ALL));
    assert_non_null(strstr(b.err.text, "accounts"));
    bed_down(&b);
    bed_up(&b);
    endless = true;
    assert_false(read_once(&b, SYNC_READ_ALL));
    assert_non_null(strstr(b.err.text, "endless"));
    bed_down(&b);
}

static void test_odd_items(void **state)
{
    static const enum fault kinds[] = { FAULT_NO_ID, FAULT_ODD };

    (void)state;
    for (size_t i = 0; i < EB_LEN(kinds); i++) {
        struct bed b;
        bed_up(&b);
        reads(&b, SYNC_READ_CHANGES, "first");
        fault_kind = kinds[i];
        fault_at = 3;                           /* a page of the list of users */
        reads(&b, SYNC_READ_ALL, kinds[i] == FAULT_ODD ? "odd" : "no id");
        assert_int_equal(b.faults, 1);
        bed_down(&b);
    }
}

static void test_attributes_are_read_anew(void **state)
{
    static char name[] = "Badge", from[] = "extensionAttribute3", hired[] = "Hired", date[] = "employeeHireDate";
    struct config_sync_attribute more[] = { { name, from, SYNC_TEXT }, { hired, date, SYNC_DATE_TIME } };
    struct bed b;

    (void)state;
    bed_up(&b);
    reads(&b, SYNC_READ_CHANGES, "first");
    b.config.sync.attributes = more;
    b.config.sync.attribute_count = EB_LEN(more);
    sync_schema_free(b.schema);
    b.x.schema = b.schema = sync_schema_new(&b.config.sync);
    assert_true(read_once(&b, SYNC_READ_CHANGES));
    assert_true(b.all);
    store_submit(b.stage, judge, &b, judged);
    eb_loop_run(loop);
    sync_source_entra.close(b.source);
    assert_non_null(strstr(b.why, "\"Badge\":\"ext\""));
    assert_non_null(strstr(b.why, "\"Hired\":\"2020-03-01T00:00:00Z\""));         /* as a target will show it */
    bed_down(&b);
}

static void test_wrong_guess(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++)
        for (int size = 3; size < 1000; size += 500) {
            struct bed b;
            bed_up(&b);
            misleads = true;
            page_size = size;
            told_count = size > 100 ? 0 : -1;
            b.config.sync.mode = mode == 0 ? CONFIG_DIRECTORY_FIRST : CONFIG_ACCOUNTS_FIRST;
            reads(&b, SYNC_READ_CHANGES, "first");
            reads(&b, SYNC_READ_ALL, "everything");
            half_told();
            reads(&b, SYNC_READ_CHANGES, "somebody is looked at");
            bed_down(&b);
        }
}

static void test_raw_text(void **state)
{
    static const char *const raws[] = {
        "{}", "{\"b\":1,\"a\":\"x\"}", "{\"a\":\"q\\\"\\\\ \\u0001 \u00e9\",\"c\":[\"z\",true,null],\"B\":false,\"aa\":-7}", "{\"q\\\"\":1,\"n\":1.5,\"\":\"\"}",
        "{\"o\":{\"k\":[]}}",
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(raws); i++) {
        json_t *raw = json_loads(raws[i], 0, NULL);
        char *text = entra_raw_text(raw), *canonical = eb_json_canonical(raw);
        assert_string_equal(text, canonical);
        free(text);
        free(canonical);
        json_decref(raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_then_changes), cmocka_unit_test(test_changes), cmocka_unit_test(test_faults), cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_nobody_is_no_answer), cmocka_unit_test(test_odd_items), cmocka_unit_test(test_attributes_are_read_anew),
        cmocka_unit_test(test_wrong_guess), cmocka_unit_test(test_raw_text),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
