/* tracker_accounts.c - finding accounts, and walking them in order.
 *
 * An account of the generated company is a number until somebody asks for it by id: then it becomes one like any other, at its place.
 */
#include "sim/tracker.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define ID_PREFIX TRACKER_ACCOUNT_PREFIX

void tracker_numbered_add(struct tracker *t, uint32_t number)
{
    size_t n = t->numbered_count;

    if ((n & (n - 1)) == 0)
        t->numbered = eb_need(realloc(t->numbered, (n == 0 ? 1 : n * 2) * sizeof(*t->numbered)));
    t->numbered[t->numbered_count++] = (struct tracker_numbered){ number, false };
}

static int by_number(const void *key, const void *item)
{
    uint32_t a = *(const uint32_t *)key, b = ((const struct tracker_numbered *)item)->number;

    return a < b ? -1 : a > b;
}

static struct tracker_numbered *find_numbered(const struct tracker *t, uint32_t number)
{
    return number == 0 || t->numbered_count == 0 ? NULL : bsearch(&number, t->numbered, t->numbered_count, sizeof(*t->numbered), by_number);
}

void tracker_roll_add(struct tracker *t, struct tracker_account *a)
{
    size_t n = t->roll_count;

    if (find_numbered(t, company_number(a->id)) != NULL)
        return;                     /* has its place among the numbers */
    if ((n & (n - 1)) == 0)         /* full at each power of two */
        t->roll = eb_need(realloc(t->roll, (n == 0 ? 1 : n * 2) * sizeof(struct tracker_account *)));
    t->roll[t->roll_count++] = a;
}

/* The number becomes an account. */
static struct tracker_account *own(struct tracker *t, struct tracker_numbered *n, const char *id)
{
    char name[COMPANY_TEXT_MAX], mail[COMPANY_TEXT_MAX];
    const char *name_text, *mail_text;
    struct company_person p;

    company_person(t->company, n->number, &p);
    company_value(&p, COMPANY_DISPLAY_NAME, name, &name_text);
    company_value(&p, COMPANY_MAIL, mail, &mail_text);
    struct company_account dice = company_account(&p);
    n->own = true;                  /* before it is put, which looks for it */
    struct tracker_account *a = tracker_account_put(t, id, name_text, mail_text, "atlassian");
    a->active = dice.active;
    a->email_hidden = dice.hidden;
    a->email_empty = dice.empty_address;
    return a;
}

struct tracker_account *tracker_account(struct tracker *t, const char *id)
{
    struct tracker_account *a;

    HASH_FIND_STR(t->accounts, id, a);
    if (a != NULL || t->company == NULL || strncmp(id, ID_PREFIX, strlen(ID_PREFIX)) != 0)
        return a;
    struct tracker_numbered *n = find_numbered(t, company_number(id));
    return n != NULL && !n->own ? own(t, n, id) : NULL;
}

bool tracker_account_exists(const struct tracker *t, const char *id)
{
    const struct tracker_account *a;

    HASH_FIND_STR(t->accounts, id, a);
    return a != NULL || (t->company != NULL && strncmp(id, ID_PREFIX, strlen(ID_PREFIX)) == 0 && find_numbered(t, company_number(id)) != NULL);
}

size_t tracker_account_count(const struct tracker *t)
{
    return t->roll_count + t->numbered_count;
}

const struct tracker_account *tracker_account_at(struct tracker *t, size_t place, uint32_t *ret_number)
{
    char id[sizeof(ID_PREFIX) + EB_ID_LEN] = ID_PREFIX;

    *ret_number = 0;
    if (place < t->roll_count)
        return t->roll[place];
    const struct tracker_numbered *n = &t->numbered[place - t->roll_count];
    if (!n->own) {
        *ret_number = n->number;
        return NULL;
    }
    company_id(n->number, id + strlen(ID_PREFIX));
    return tracker_account(t, id);
}
