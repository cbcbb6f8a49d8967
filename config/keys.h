/* keys.h - the one table of keys: what the file may say. The reader, `config reference` and the reload check walk it.
 *
 * Names are dotted paths. "[]" stands for each item of a list, "*" for each entry of a mapping whose names are the user's;
 * below either, `offset` counts from the start of that item, elsewhere from the start of struct config.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config/config.h"

enum key_type {
    KEY_SECTION,        /* a mapping of further keys */
    KEY_ITEMS,          /* a list of mappings: an array in the configuration */
    KEY_ENTRIES,        /* a mapping with free names: an array whose items begin with the name (char *) */
    KEY_LATER,          /* known to the design, not enforced by this build: a fault */
    KEY_TEXT, KEY_TENANT, KEY_CLIENT, KEY_EMAIL, KEY_ADDRESS, KEY_STORE, KEY_URL, KEY_PATH, KEY_SECRET,
    KEY_DURATION, KEY_SIZE, KEY_INT, KEY_BOOL,
    KEY_WORD,           /* one of `words`: its index, an int (or an enum) */
    KEY_EITHER,         /* one of two words: a bool, true for the first */
    KEY_LIST, KEY_NETWORKS, KEY_PROJECTS,
    KEY_NAMES,          /* a list that names at least one */
    KEY_NUMBERS,        /* ids: a list of at least one number */
    KEY_ATTRIBUTES,     /* names of config/attribute.h */
    KEY_BIND,           /* a field of the request and the field that must equal it: struct config_pairs */
    KEY_GROUP,          /* group:NAME; the name is kept */
    KEY_REQUESTER,      /* into the requester and requester_group of the conditions at its offset */
    KEY_PATTERN,        /* a user principal name with {attribute} in it */
    KEY_REDIRECT,       /* an https URL, with a query or without */
    KEY_PERIOD,         /* a duration, or `never`: 0 */
    KEY_CLOCK,          /* a time of day in minutes, or `any`: -1 */
    KEY_ZONE,           /* an IANA time zone that this machine knows */
    KEY_SOURCE,         /* a name of config/attribute.h that has one value, or extensionAttribute1 to 15 */
    KEY_TYPE_COUNT
};

enum key_storage {
    STORE_NOTHING, STORE_STRING, STORE_WIPED, STORE_INT, STORE_INT64, STORE_BOOL, STORE_LIST, STORE_PROJECTS, STORE_PAIRS, STORE_REQUESTER
};

#define KEY_REQUIRED 1u     /* missing is a fault (within an optional section: where the section is there) */
#define KEY_OPTIONAL 2u     /* a section that may be left out as a whole */
#define KEY_RELOAD   4u     /* a reload takes a new value; the others need a restart */
#define KEY_SHOWN    8u     /* stands uncommented in the reference though it is not required */
#define KEY_NOTED   16u     /* a section: whether it is there is a bool at its offset */

struct reader;
struct node;
/* What the keys of one item say together. n: the item as it was written; item: as it was read. */
typedef void key_check(struct reader *r, const char *path, const struct node *n, void *item);

struct key {
    const char *name;
    enum key_type type;
    unsigned flags;
    size_t offset;
    size_t count_offset, item_size;     /* KEY_ITEMS, KEY_ENTRIES: where the count stands, size of one item */
    const char *standard;               /* the default, as it would be written; NULL: none, or made from other keys (help says) */
    int64_t min, max;                   /* numbers, durations (ms), sizes (bytes) */
    const char *const *words;           /* NULL-ended */
    const char *sample;                 /* for the reference, where there is no default */
    const char *const *only;            /* below an entry: the entries' names that it means something for, NULL-ended; NULL: all */
    key_check *check;                   /* KEY_ITEMS, KEY_ENTRIES: of each item; or NULL */
    const char *help;
};

extern const struct key config_keys[];
extern const size_t config_key_count;

/* The parent's part of a name has this length: 6 of "listen.address", 25 of "policy.serviceable_groups[]"; 0 at the top. */
size_t key_parent(const char *name);
const char *key_last(const char *name);         /* "address"; "[]" and "*" for items and entries */
bool key_within(const struct key *k);           /* below an item or entry: its offset counts from there */
enum key_storage key_storage(const struct key *k);
/* What the user should have written: "a duration such as 90s, between 1s and 60s". Returns out. */
const char *key_expected(const struct key *k, char *out, size_t size);

#endif
