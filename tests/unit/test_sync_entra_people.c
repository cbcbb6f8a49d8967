/* test_sync_entra_people.c - who is in scope, whose an account is, and who is still there although a list does not say so. */
#include "tests/unit/entra_bed.h"

static void test_scope(void **state)
{
    static char name[] = "Team 1", missing[] = "Team X", pattern[] = "*2", id[ID_LEN];
    char *one[] = { name }, *none[] = { missing }, *two[] = { pattern, id };
    struct bed b;

    (void)state;
    bed_up(&b);
    reads(&b, SYNC_READ_CHANGES, "first");
    b.config.sync.guests = false;
    b.config.sync.accounts = CONFIG_ACCOUNTS_ENABLED;
    reads(&b, SYNC_READ_CHANGES, "no guests, enabled only");
    assert_false(b.all);                        /* another filter judges anew, and reads nothing */
    people[11].disabled = true;
    people[11].changed = ++version;
    reads(&b, SYNC_READ_CHANGES, "one more is disabled");
    b.config.sync.member_of = (struct config_list){ one, 1 };
    reads(&b, SYNC_READ_CHANGES, "members of a group, and of one in it");
    set_member(2, 1, true);
    set_member(1, 5, false);
    set_member(2, 5, false);
    reads(&b, SYNC_READ_CHANGES, "they change");
    b.config.sync.member_of = (struct config_list){ none, 1 };
    assert_true(read_once(&b, SYNC_READ_CHANGES));
    store_submit(b.stage, judge, &b, judged);
    eb_loop_run(loop);
    assert_int_equal(b.err.code, EB_GROUP_NOT_FOUND);       /* not: everybody has left */
    sync_source_entra.close(b.source);
    b.config.sync.member_of = (struct config_list){ 0 };
    group_id(3, id);
    b.config.sync.groups = (struct config_list){ two, 2 };
    reads(&b, SYNC_READ_CHANGES, "groups by pattern and by id");
    b.config.sync.groups_wanted = false;
    reads(&b, SYNC_READ_CHANGES, "no groups");
    bed_down(&b);
}

static void test_accounts_first(void **state)
{
    struct bed b;

    (void)state;
    for (int listing = 0; listing < 2; listing++) {
        bed_up(&b);
        b.config.sync.mode = CONFIG_ACCOUNTS_FIRST;
        told_count = listing ? 0 : -1;          /* so few that a listing costs less */
        page_size = listing ? 999 : 3;
        reads(&b, SYNC_READ_CHANGES, "first");
        assert_int_equal(asked_mails > 0, !listing);
        assert_true(b.counts.unmatched >= 4);
        reads(&b, SYNC_READ_CHANGES, "nothing");
        assert_int_equal(asked_mails, 0);       /* who is not in Entra is not asked for again at once */
        add_person(34);
        add_person(33);
        set_title(4, "other");
        soft_delete(5);
        reads(&b, SYNC_READ_CHANGES, "somebody with an account comes, somebody without, one goes");
        restore(5);
        reads(&b, SYNC_READ_CHANGES, "and is back");
        reads(&b, SYNC_READ_ALL, "everything");
        bed_down(&b);
    }
}

static void test_manager_account(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b);
    reads(&b, SYNC_READ_CHANGES, "first");
    account_away[1] = account_away[4] = true;
    account_missed[1] = account_missed[4] = true;
    reads(&b, SYNC_READ_ALL, "missed once: may be there");
    account_missed[1] = account_missed[4] = false;
    reads(&b, SYNC_READ_ALL, "managers without an account");
    account_away[1] = false;
    reads(&b, SYNC_READ_ALL, "one has it again");
    bed_down(&b);
}

static void test_shared_mail(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        struct bed b;
        bed_up(&b);
        page_size = 999;
        b.config.sync.mode = mode == 0 ? CONFIG_DIRECTORY_FIRST : CONFIG_ACCOUNTS_FIRST;
        reads(&b, SYNC_READ_CHANGES, "first");
        set_mail(8, "u1@x.com");
        reads(&b, SYNC_READ_CHANGES, "two have one mail");
        assert_int_equal(account_of(1), -1);
        set_mail(1, "u31@X.com");
        reads(&b, SYNC_READ_CHANGES, "the first has another one: the account is the second's");
        assert_int_equal(account_of(8), 1);
        set_mail(8, "");
        reads(&b, SYNC_READ_CHANGES, "and the second its own again");
        set_mail(1, "");
        reads(&b, SYNC_READ_ALL, "as in the beginning");
        soft_delete(1);
        set_mail(8, "u1@x.com");
        reads(&b, SYNC_READ_CHANGES, "who goes bears no mail");
        bed_down(&b);
    }
}

static void test_unlisted(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {      /* directory first; accounts first, listed or asked for by mail */
        struct bed b;
        bed_up(&b);
        b.config.sync.mode = mode == 0 ? CONFIG_DIRECTORY_FIRST : CONFIG_ACCOUNTS_FIRST;
        told_count = mode == 1 ? 0 : -1;
        page_size = mode == 2 ? 3 : 999;
        reads(&b, SYNC_READ_CHANGES, "first");
        for (int i = 0; i < 25; i++)
            unlisted[i] = true;
        set_title(4, "new");
        soft_delete(5);
        soft_delete(28);
        reads(&b, SYNC_READ_ALL, "a list without most of them");
        assert_true(batch_calls >= (mode == 0 ? 2 : 1));
        memset(unlisted, 0, sizeof(unlisted));
        reads(&b, SYNC_READ_ALL, "a whole list");
        bed_down(&b);
    }
}

static void test_short_list(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b);
    page_size = 999;
    reads(&b, SYNC_READ_CHANGES, "first");
    for (int i = 10; i < 30; i++)
        unlisted[i] = true;
    confirm_max = 3;
    assert_false(read_once(&b, SYNC_READ_ALL));
    assert_non_null(strstr(b.err.text, "not whole"));
    memset(unlisted, 0, sizeof(unlisted));
    reads(&b, SYNC_READ_CHANGES, "everything, for the last reading failed");
    for (int i = 10; i < 30; i++) {
        soft_delete(i);
        purge(i);
    }
    told_count = 10;
    reads(&b, SYNC_READ_ALL, "they have gone indeed");
    assert_int_equal(batch_calls, 1);
    confirm_max = 0;
    bed_down(&b);
}

static void test_hidden_mails(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        struct bed b;
        bed_up(&b);
        b.config.sync.mode = mode == 0 ? CONFIG_DIRECTORY_FIRST : CONFIG_ACCOUNTS_FIRST;
        reads(&b, SYNC_READ_CHANGES, "first");
        mail_hidden[1] = mail_hidden[2] = true;
        reads(&b, SYNC_READ_ALL, "two hide their mails");
        reads(&b, SYNC_READ_ALL, "and go on");
        memset(mail_hidden, true, sizeof(mail_hidden));
        for (int again = 0; again < 2; again++) {
            assert_false(read_once(&b, SYNC_READ_ALL));
            assert_non_null(strstr(b.err.text, "addresses"));
        }
        memset(mail_hidden, false, sizeof(mail_hidden));
        reads(&b, SYNC_READ_CHANGES, "shown again");
        bed_down(&b);
    }
}

static void test_matches(void **state)
{
    static const struct { const char *pattern, *text; bool fits; } cases[] = {
        { "*", "", true }, { "", "", true }, { "", "a", false }, { "a*", "ABC", true }, { "*c", "abc", true }, { "*b*", "abc", true }, { "a*c", "abd", false },
        { "*a*a*b", "aaaaaaaaab", true }, { "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false }, { "?", "a", false }, { "a", "A", true },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (eb_text_matches(cases[i].pattern, cases[i].text) != cases[i].fits)
            fail_msg("%s against %s", cases[i].pattern, cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scope), cmocka_unit_test(test_accounts_first), cmocka_unit_test(test_manager_account),
        cmocka_unit_test(test_shared_mail), cmocka_unit_test(test_unlisted), cmocka_unit_test(test_short_list), cmocka_unit_test(test_hidden_mails),
        cmocka_unit_test(test_matches),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
