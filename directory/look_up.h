/* look_up.h - one look-up under way, and the table of what it asks. For look_up.c, conclude.c, item.c, read.c and round.c only. */
#ifndef DIRECTORY_LOOK_UP_H
#define DIRECTORY_LOOK_UP_H

#include "directory/facts.h"
#include "directory/inside.h"
#include "base/hashtable.h"

/* A user and so many role-assignable groups are asked for their roles one by one where the roles of all do not fit a page. */
#define PRINCIPALS_MAX (GRAPH_BATCH_MAX / 2)

#define SEARCH_MAX 20               /* users found */

/* In the order in which answers are read: who the user is comes before what is said about them. Those up to ITEM_FIRST_ROUND fit one batch. */
enum item {
    ITEM_USER, ITEM_USER_BY_MAIL, ITEM_DELETED,
    ITEM_MORE, ITEM_ROLES, ITEM_ELIGIBLE, ITEM_USER_GROUPS, ITEM_OWNED, ITEM_MEMBERSHIP, ITEM_MANAGER, ITEM_METHODS, ITEM_PASSES,
    ITEM_GROUP, ITEM_GROUP_GROUPS, ITEM_MEMBERS, ITEM_SKUS, ITEM_OTHER, ITEM_OTHER_BY_MAIL, ITEM_TAKEN, ITEM_SEARCH,
    ITEM_FIRST_ROUND,
    ITEM_ROLES_OF = ITEM_FIRST_ROUND, ITEM_ROLES_OF_LAST = ITEM_ROLES_OF + PRINCIPALS_MAX - 1,
    ITEM_ELIGIBLE_OF, ITEM_ELIGIBLE_OF_LAST = ITEM_ELIGIBLE_OF + PRINCIPALS_MAX - 1,
    ITEM_COUNT
};
_Static_assert(ITEM_FIRST_ROUND <= GRAPH_BATCH_MAX, "all items of the first round fit one batch");

/* Active and eligible roles. */
enum role_list { ROLES_ACTIVE, ROLES_ELIGIBLE, ROLE_LISTS };

struct item_state {
    int place;                      /* in the batch under way; -1: not in it */
    int pages;                      /* read so far */
    bool complete;                  /* read to its end */
};

/* Somebody named in the request, under what was sent. */
struct look_up_person {
    char *text;                     /* NULL: nobody, or no form of a user's name. Of the user: the id, once found by mail */
    bool is_id;
    json_t *by_name, *by_mail;      /* whom the text is the id or UPN of; the first whom it is the mail of */
    size_t mail_count;
};

enum round { ROUND_FIRST, ROUND_BY_ID, ROUND_PRINCIPALS };

struct look_up {
    UT_hash_handle hh;              /* in directory.look_ups, by id */
    uint64_t id;
    struct directory *directory;
    struct snapshot *snapshot;      /* NULL: not ready */
    struct directory_facts *facts;
    struct look_up_person user, other;
    unsigned wants;
    char *select, *search;          /* NULL: not asked */
    char **upns;                    /* NULL-ended */
    struct snapshot_group unlisted;         /* any_group: what `group` points to where the policy does not list it */
    const struct snapshot_group *group;     /* of the snapshot; NULL: not asked */
    size_t deleted_count;           /* deleted users that fit */
    struct facts_scan user_scan, owned_scan, group_scan;
    bool settled;                   /* who the user is has been read */
    bool only_by_mail;              /* found, and what was asked under the request's text says nothing */
    json_t *role_lists[ROLE_LISTS]; /* the roles of all: a page */
    bool roles_again[ROLE_LISTS];   /* they did not fit a page, or cannot be listed: asked by principal */
    bool no_eligibilities;          /* the tenant has no licence for them: there are none */
    bool role_of_principal;         /* one of the principals asked for has one */
    enum round round;
    struct item_state items[ITEM_COUNT];
    int pages_under_way;
    int64_t deadline_at_ms;         /* monotonic */
    bool background;
    char *caller;                   /* or NULL */
    struct eb_err err;              /* the first failure: there will be no facts */
    struct eb_timer *timer;         /* where nothing is to be read: the call back still comes later */
    uint64_t caller_id;
    directory_done *done;
    void *ctx;
};

/* ---- item.c ---- */
struct item_row {
    const char *call;               /* what is read, for texts */
    bool object;                    /* the target itself: if it may not be read there are no facts; not found is a fact */
    bool by_user;                   /* asked again by id where the user was found by mail */
    bool (*wanted)(const struct look_up *l);
    char *(*path)(const struct look_up *l, enum item i);
    /* Reads a page. *ret_next: the nextLink to follow, borrowed, or NULL. false: the answer is no such thing. */
    bool (*read)(struct look_up *l, enum item i, const json_t *body, const char **ret_next);
};
const struct item_row *item_row(enum item i);
/* The user, then each of their groups that may have been given a role; NULL: there are not so many. */
const char *item_principal(const struct look_up *l, size_t n);
size_t item_principals(const struct look_up *l);

/* ---- read.c: the table's last column ---- */
typedef bool item_read(struct look_up *l, enum item i, const json_t *body, const char **ret_next);
item_read item_read_person, item_read_by_mail, item_read_deleted, item_read_more, item_read_roles, item_read_principal, item_read_user_groups;
item_read item_read_owned, item_read_membership, item_read_manager, item_read_group, item_read_group_groups, item_read_list, item_read_search;
json_t **item_read_list_of(struct directory_facts *f, enum item i);      /* where the list of that item stands; NULL: it is no such item */

/* ---- conclude.c: what was read becomes facts ---- */
void look_up_settle_user(struct look_up *l);        /* once who the user is has been read */
bool look_up_user_open(const struct look_up *l);    /* found, and not ambiguous: what is said about them matters */
bool look_up_role_seen(const struct look_up *l);    /* of what has been read so far */
void look_up_conclude(struct look_up *l);

/* ---- look_up.c ---- */
/* What directory_facts.memory points to. */
struct facts_memory { struct directory_facts facts; struct snapshot *snapshot; char *group_text; json_t *other_json; };
void look_up_end(struct look_up *l);                /* calls back, frees */
struct look_up *look_up_find(struct directory *d, uint64_t id);

/* ---- round.c ---- */
void round_start(struct look_up *l);

#endif
