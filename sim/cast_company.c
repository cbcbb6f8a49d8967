/* cast_company.c - makes the generated company: people as numbers, a tree of managers, groups, nesting, and the Atlassian accounts.
 *
 * People are a2000000-…-N, groups b2000000-…-N. All of it follows from the seed.
 */
#include "sim/cast.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_PERSON 5                /* memberships, on average */
#define SIZE_MOST 500               /* of all groups but the large ones */
#define LARGE_MOST 20000
#define CHAIN 50                    /* of so many groups the first four are nested in one another */

enum { D_SIZE = 100, D_START, D_KIND, D_NAME, D_OWNERS };

static struct entra_object *at(struct sim *s, const char *prefix, uint32_t number)
{
    char id[EB_ID_LEN];

    snprintf(id, sizeof(id), "%s-0000-4000-8000-%012u", prefix, number);
    return entra_find(s->entra, id);
}

void cast_person_account(struct sim *s, uint32_t number)
{
    struct company_person p;

    company_person(&s->entra->company, number, &p);
    if (company_account(&p).exists)
        tracker_numbered_add(s->tracker, number);
}

static void people(struct sim *s, const struct company *c)
{
    struct entra_object **all = eb_alloc((c->people + 1) * sizeof(entra_ref));

    for (uint32_t n = 1; n <= c->people; n++) {
        uint32_t manager = company_manager(c, n);
        all[n] = entra_add_person(s->entra, n);
        if (manager != 0)
            entra_set_manager(s->entra, all[n], all[manager]);
        cast_person_account(s, n);
    }
    free(all);
}

/* The weight of a group, before all are scaled to the memberships wanted. */
static double weight(const struct company *c, uint32_t g)
{
    static const struct { unsigned below; double least, most; } classes[] = { { 600, 1, 20 }, { 900, 20, 100 }, { 997, 100, 400 }, { 1000, 1000, 6000 } };
    uint64_t d = company_dice(c->seed, D_SIZE, g);
    size_t i = 0;

    while (d % 1000 >= classes[i].below)
        i++;
    return classes[i].least + (classes[i].most - classes[i].least) * (double)(d / 1000 % 1000) / 1000;
}

static uint32_t size_of(const struct company *c, uint32_t g, double scale)
{
    double w = weight(c, g), most = w >= 1000 ? LARGE_MOST : SIZE_MOST;
    double size = w * scale;

    size = size < 1 ? 1 : size > most ? most : size;
    return size > c->people ? c->people : (uint32_t)size;
}

/* A step that meets everybody once before it meets anybody twice. */
static uint32_t step_of(const struct company *c, uint32_t g)
{
    static const uint32_t primes[] = { 7919, 104729, 1299709, 15485863 };

    for (size_t i = 0; i < EB_LEN(primes); i++)
        if (c->people % primes[(g + i) % EB_LEN(primes)] != 0)
            return primes[(g + i) % EB_LEN(primes)];
    return 1;
}

static const char *kind_of(const struct company *c, uint32_t g)
{
    static const char *const kinds[] = { "security", "unified", "unified", "unified", "security", "dynamic", "synced", "security", "mail_security", "security" };

    return (g - 1) % CHAIN < 4 ? "security" : kinds[company_dice(c->seed, D_KIND, g) % EB_LEN(kinds)];
}

static struct entra_object *add_group(struct sim *s, const struct company *c, uint32_t g)
{
    static const char *const uses[] = { "Team", "Readers", "Editors", "Licences", "VPN", "Project", "On Call", "Mailing" };
    char id[EB_ID_LEN], nick[24], name[128], mail[48];
    uint64_t d = company_dice(c->seed, D_NAME, g);

    snprintf(id, sizeof(id), "b2000000-0000-4000-8000-%012u", g);
    snprintf(nick, sizeof(nick), "team%u", g);
    snprintf(name, sizeof(name), "%s %s %u%s", company_department(d), uses[d / 64 % EB_LEN(uses)], g, g % 97 == 0 ? " “Köln”" : g % 89 == 0 ? " (people's)" : "");
    json_t *attrs = json_pack("{s:s, s:s, s:s, s:s}", "id", id, "displayName", name, "mailNickname", nick, "createdDateTime", "2025-06-01T09:00:00Z");
    cast_group_kind(attrs, kind_of(c, g));
    if (g % 3 == 0)
        json_object_set_new(attrs, "description", json_string(name));
    if (json_is_true(json_object_get(attrs, "mailEnabled"))) {
        snprintf(mail, sizeof(mail), "%s@contoso.com", nick);
        json_object_set_new(attrs, "mail", json_string(mail));
    }
    struct entra_object *o = entra_add(s->entra, ENTRA_GROUP, attrs);
    o->number = g;
    return o;
}

static void fill_group(struct sim *s, const struct company *c, struct entra_object *g, struct entra_object **all, double scale)
{
    uint32_t size = size_of(c, g->number, scale), step = step_of(c, g->number);
    uint64_t start = company_dice(c->seed, D_START, g->number);

    for (uint32_t k = 0; k < size; k++)
        entra_link(s->entra, ENTRA_MEMBER, g, all[1 + (start + (uint64_t)k * step) % c->people]);
    for (uint32_t k = 0; k <= company_dice(c->seed, D_OWNERS, g->number) % 3; k++)
        entra_link(s->entra, ENTRA_OWNER, g, all[1 + (start + k) % c->people]);
}

/* Four deep in each chain; the first one bites its tail. */
static void nest(struct sim *s, const struct company *c)
{
    for (uint32_t g = 1; g + 3 <= c->groups; g += CHAIN)
        for (uint32_t k = 0; k < 3; k++)
            entra_link(s->entra, ENTRA_MEMBER, at(s, "b2000000", g + k), at(s, "b2000000", g + k + 1));
    if (c->groups >= 4)
        entra_link(s->entra, ENTRA_MEMBER, at(s, "b2000000", 4), at(s, "b2000000", 1));
}

static void groups(struct sim *s, const struct company *c)
{
    struct entra_object **all = eb_alloc((c->people + 1) * sizeof(entra_ref));
    double sum = 0;

    for (uint32_t n = 1; n <= c->people; n++)
        all[n] = at(s, "a2000000", n);
    for (uint32_t g = 1; g <= c->groups; g++)
        sum += weight(c, g);
    for (uint32_t g = 1; g <= c->groups; g++) {
        struct entra_object *o = add_group(s, c, g);
        if (c->people > 0)
            fill_group(s, c, o, all, PER_PERSON * (double)c->people / sum);
    }
    nest(s, c);
    free(all);
}

/* Accounts that no Entra person has: apps, customers of the portal, people of another directory. */
static void other_accounts(struct sim *s, const struct company *c)
{
    static const struct { const char *prefix, *name, *type; uint32_t one_in; bool mail; } kinds[] = {
        { "5f1aa", "App", "app", 2000, false }, { "qm:0a1b2c3d-", "Portal Customer", "customer", 100, true }, { "557058:", "Contractor", "atlassian", 100, true },
    };
    char id[96], name[64], mail[64];

    for (size_t i = 0; i < EB_LEN(kinds); i++)
        for (uint32_t n = 1; n <= 1 + c->people / kinds[i].one_in; n++) {
            snprintf(id, sizeof(id), "%s%019u", kinds[i].prefix, n);
            snprintf(name, sizeof(name), "%s %u", kinds[i].name, n);
            snprintf(mail, sizeof(mail), "other%u@elsewhere.example", n);
            tracker_account_put(s->tracker, id, name, kinds[i].mail ? mail : NULL, kinds[i].type);
        }
}

void cast_company(struct sim *s)
{
    struct company *c = &s->entra->company;

    *c = (struct company){ .seed = (uint64_t)s->opt.seed, .people = (uint32_t)s->opt.company_users, .groups = (uint32_t)s->opt.company_groups };
    if (c->people == 0 && c->groups == 0)
        return;
    people(s, c);
    groups(s, c);
    other_accounts(s, c);
}
