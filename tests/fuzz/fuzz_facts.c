/* fuzz_facts.c - what Graph answers about a target: pages of groups, users by mail, the objects themselves. */
#include "base/text.h"
#include "directory/facts.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static struct config config = { .references = 1 };

static void check_objects(const json_t *doc, const struct snapshot *s)
{
    struct directory_facts f = { 0 };

    f.user_json = facts_user_json(doc);
    f.group_json = facts_group_json(doc);
    if (f.user_json != NULL) {
        facts_read_user(&f, s);
        assert(f.user.id != NULL && f.user.upn != NULL && f.user.display_name != NULL);
    }
    if (f.group_json != NULL) {
        facts_read_group(&f, s);
        /* Without a name it could not be read: nothing about it is known. */
        assert(json_is_string(json_object_get(f.group_json, "displayName")) ||
               (f.group.synced == POLICY_UNKNOWN && f.group.dynamic == POLICY_UNKNOWN && f.group.role_assignable == POLICY_UNKNOWN));
    }
    json_decref(f.user_json);
    json_decref(f.group_json);
}

/* Lists that are kept, deleted users, owned groups, people: never more than is named, never a match that is not one. */
static void check_lists(const json_t *doc)
{
    static const char *const members[] = { "id", "displayName", NULL };
    const struct facts_list how = { members, "#microsoft.graph.group", 2 };
    struct facts_scan scan = { 0 };
    struct directory_person person;
    json_t *list = NULL, *gone = NULL, *picked = facts_pick(doc, members);
    size_t count = 0;
    const char *next;
    bool cut;

    assert(picked == NULL || json_object_size(picked) <= 2);
    assert(facts_list_add(&list, &how, doc, &cut, &next) == fuzz_accepted && json_array_size(list) <= 2);
    assert(facts_scan_owned(doc, &scan, &next) == fuzz_accepted);
    assert(facts_scan_deleted(doc, "ada@contoso.com", &count, &gone, &next) == fuzz_accepted && (count > 0) == (gone != NULL));
    assert(facts_match_person(doc, "ada@contoso.com", &person) == fuzz_accepted);
    assert((person.match == POLICY_MATCHED) == eb_is_guid(person.user_id));
    if (gone != NULL)
        (void)facts_add_more(gone, doc, "jobTitle,department");
    json_decref(scan.role_groups);
    json_decref(list);
    json_decref(gone);
    json_decref(picked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct names none = { 0 };
    struct snapshot *s = snapshot_new(&config, &none);
    struct facts_scan scan = { 0 };
    const json_t *first;
    const char *next;
    json_t *doc = NULL;
    size_t users;

    fuzz_accepted = false;
    if (eb_json_parse_reply((struct eb_span){ (const char *)data, len }, &doc, NULL)) {
        fuzz_accepted = facts_scan_groups(doc, s, &scan, &next);
        assert(scan.protected_by == NULL);          /* nothing is protected here */
        assert(facts_scan_ids(doc, "id", "00000000-0000-0000-0000-000000000000", &scan, &next) == fuzz_accepted);
        assert(facts_users_by_mail(doc, &users, &first) == fuzz_accepted);
        assert((users == 0) == (first == NULL));
        check_objects(doc, s);
        check_lists(doc);
    }
    json_decref(scan.role_groups);
    json_decref(doc);
    snapshot_unref(s);
    return 0;
}
