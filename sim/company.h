/* company.h - the generated company: what the person of a number is, computed from seed and number each time it is asked for.
 *
 * A person that nobody has changed costs no memory for attributes: entra.h keeps the number, and this says the values. All functions
 * are pure; a person's name, addresses and account never depend on how many others there are.
 */
#ifndef SIM_COMPANY_H
#define SIM_COMPANY_H

#include "base/json.h"
#include "base/random.h"

#define COMPANY_TEXT_MAX 160

struct company {
    uint64_t seed;
    uint32_t people, groups;        /* as generated at the start */
    uint32_t last;                  /* the highest number given out: those who joined come after the others */
};

enum company_field {
    COMPANY_ENABLED, COMPANY_NAME, COMPANY_CREATED, COMPANY_DEPARTMENT, COMPANY_DISPLAY_NAME, COMPANY_EMPLOYEE_ID, COMPANY_GIVEN_NAME,
    COMPANY_ID, COMPANY_JOB_TITLE, COMPANY_MAIL, COMPANY_NICKNAME, COMPANY_OFFICE, COMPANY_SYNCED, COMPANY_ADDRESSES, COMPANY_SURNAME,
    COMPANY_USAGE, COMPANY_UPN, COMPANY_TYPE, COMPANY_FIELDS
};
int company_field(const char *graph_name);           /* or -1 */
const char *company_field_name(enum company_field f);

struct company_name { const char *name, *ascii; };   /* as people write it, as it stands in an address */
struct company_person {
    uint32_t number;
    uint64_t bits;                  /* the dice of this person */
    struct company_name given, surname;
    bool guest, enabled, has_mail;
};
void company_person(const struct company *c, uint32_t number, struct company_person *ret);
void company_id(uint32_t number, char out[EB_ID_LEN]);          /* the object id */
uint32_t company_number(const char *id);             /* of an object id, or of what ends in one; 0: none of ours */
/* The number that an address, UPN or employee id would belong to; 0: none. Whether it does is for the caller to compare. */
uint32_t company_guess(const char *value);

enum company_form { COMPANY_NULL, COMPANY_TRUE, COMPANY_FALSE, COMPANY_TEXT, COMPANY_LIST };   /* LIST: of the one text */
/* *ret_text points into `scratch` or at a constant; it never needs escaping in JSON. */
enum company_form company_value(const struct company_person *p, enum company_field f, char scratch[COMPANY_TEXT_MAX], const char **ret_text);
json_t *company_json(const struct company_person *p, enum company_field f);     /* NULL: null */
json_t *company_attrs(const struct company_person *p);                          /* all of them, under Graph's names */

/* The Atlassian account of a person. */
struct company_account { bool exists, active, hidden, empty_address; };         /* empty_address: hidden as "", not left out */
struct company_account company_account(const struct company_person *p);

uint32_t company_manager(const struct company *c, uint32_t number);             /* 0: none */
uint64_t company_dice(uint64_t seed, uint64_t what, uint64_t number);           /* even bits, the same each time */
const char *company_department(size_t i);            /* of COMPANY_DEPARTMENTS */
#define COMPANY_DEPARTMENTS 40

#endif
