/* company.c - tables of names and places, and the dice over them.
 *
 * Invariant: no value holds a quote, a backslash or a control character, so that it stands in JSON as it is.
 */
#include "sim/company.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ID_PREFIX "a2000000-0000-4000-8000-"

static const struct company_name given_names[] = {
    { "Ada", "ada" }, { "Aiko", "aiko" }, { "Ana", "ana" }, { "Anders", "anders" }, { "Aoife", "aoife" }, { "Bjørn", "bjorn" }, { "Carlos", "carlos" },
    { "Chen", "chen" }, { "Chloé", "chloe" }, { "Daniel", "daniel" }, { "Deepa", "deepa" }, { "Elif", "elif" }, { "Emma", "emma" }, { "Fatima", "fatima" },
    { "François", "francois" }, { "Grace", "grace" }, { "Hana", "hana" }, { "Hugo", "hugo" }, { "Ines", "ines" }, { "Ivan", "ivan" }, { "Jonas", "jonas" },
    { "Jürgen", "juergen" }, { "Kateřina", "katerina" }, { "Kofi", "kofi" }, { "Lars", "lars" }, { "Leila", "leila" }, { "Lucas", "lucas" }, { "Łukasz", "lukasz" },
    { "Maria", "maria" }, { "Mateo", "mateo" }, { "Mei", "mei" }, { "Noah", "noah" }, { "Olga", "olga" }, { "Omar", "omar" }, { "Piotr", "piotr" },
    { "Priya", "priya" }, { "Rosa", "rosa" }, { "Sören", "soeren" }, { "Sofia", "sofia" }, { "Tariq", "tariq" }, { "Thabo", "thabo" }, { "Uma", "uma" },
    { "Viktor", "viktor" }, { "Wei", "wei" }, { "Yuki", "yuki" }, { "Yusuf", "yusuf" }, { "Zainab", "zainab" }, { "Zoë", "zoe" },
};

static const struct company_name surnames[] = {
    { "Abebe", "abebe" }, { "Ahmed", "ahmed" }, { "Andersen", "andersen" }, { "Baker", "baker" }, { "Bauer", "bauer" }, { "Berg", "berg" }, { "Brown", "brown" },
    { "Chávez", "chavez" }, { "Costa", "costa" }, { "D'Angelo", "d'angelo" }, { "D'Souza", "d'souza" }, { "Dubois", "dubois" }, { "Eriksson", "eriksson" },
    { "Fernández", "fernandez" }, { "Fischer", "fischer" }, { "García", "garcia" }, { "Haddad", "haddad" }, { "Hansen", "hansen" }, { "Horváth", "horvath" },
    { "Ito", "ito" }, { "Ivanova", "ivanova" }, { "Jensen", "jensen" }, { "Johnson", "johnson" }, { "Khan", "khan" }, { "Kim", "kim" }, { "Kowalski", "kowalski" },
    { "Krüger", "krueger" }, { "Lee", "lee" }, { "Lindqvist", "lindqvist" }, { "Martin", "martin" }, { "Mensah", "mensah" }, { "Meyer-Lüdenscheidt", "meyer" },
    { "Moreau", "moreau" }, { "Müller", "mueller" }, { "Nakamura", "nakamura" }, { "Nguyễn", "nguyen" }, { "Novák", "novak" }, { "O'Brien", "o'brien" },
    { "O'Neil", "o'neil" }, { "Okafor", "okafor" }, { "Patel", "patel" }, { "Popescu", "popescu" }, { "Rossi", "rossi" }, { "Santos", "santos" },
    { "Schmidt", "schmidt" }, { "Silva", "silva" }, { "Singh", "singh" }, { "Smith", "smith" }, { "Tanaka", "tanaka" }, { "Taylor", "taylor" },
    { "Van der Berg", "vanderberg" }, { "Weiß", "weiss" }, { "Wójcik", "wojcik" }, { "Yılmaz", "yilmaz" }, { "Zhang", "zhang" },
};

static const char *const departments[COMPANY_DEPARTMENTS] = {
    "Accounting", "Audit", "Brand", "Business Development", "Claims", "Communications", "Compliance", "Construction", "Customer Care", "Data",
    "Design", "Engineering", "Environment & Safety", "Events", "Facilities", "Field Service", "Finance", "Fleet", "Health", "Human Resources",
    "Information Security", "Insurance", "Investor Relations", "IT Operations", "Legal", "Logistics", "Maintenance", "Manufacturing", "Marketing",
    "Payroll", "Pricing", "Procurement", "Product", "Quality", "Real Estate", "Research", "Sales", "Strategy", "Tax", "Training",
};
static const char *const titles[] = {
    "Analyst", "Architect", "Assistant", "Associate", "Consultant", "Coordinator", "Developer", "Director", "Engineer", "Expert", "Lead", "Manager",
    "Officer", "Planner", "Representative", "Senior Analyst", "Senior Engineer", "Specialist", "Team Lead", "Technician", "Trainee", "Vice President",
};
static const char *const offices[] = {
    "Amsterdam", "Bengaluru", "Berlin 1/204", "Bogotá", "Dublin", "Kraków", "København", "Lagos", "Lisboa", "London", "Madrid", "Melbourne", "München",
    "Nairobi", "New York 12F", "Osaka", "Paris", "Praha", "São Paulo", "Singapore", "Stuttgart", "Toronto", "Wien", "Zürich",
};
static const char *const companies[] = { "Contoso AG", "Contoso Ltd", "Contoso Inc", "Contoso Énergie SA" };
static const char *const countries[] = { "DE", "GB", "US", "FR", "IN", "PL" };

static const struct { enum company_field f; const char *name; } fields[COMPANY_FIELDS] = {
    { COMPANY_ENABLED, "accountEnabled" }, { COMPANY_NAME, "companyName" }, { COMPANY_CREATED, "createdDateTime" }, { COMPANY_DEPARTMENT, "department" },
    { COMPANY_DISPLAY_NAME, "displayName" }, { COMPANY_EMPLOYEE_ID, "employeeId" }, { COMPANY_GIVEN_NAME, "givenName" }, { COMPANY_ID, "id" },
    { COMPANY_JOB_TITLE, "jobTitle" }, { COMPANY_MAIL, "mail" }, { COMPANY_NICKNAME, "mailNickname" }, { COMPANY_OFFICE, "officeLocation" },
    { COMPANY_SYNCED, "onPremisesSyncEnabled" }, { COMPANY_ADDRESSES, "proxyAddresses" }, { COMPANY_SURNAME, "surname" },
    { COMPANY_USAGE, "usageLocation" }, { COMPANY_UPN, "userPrincipalName" }, { COMPANY_TYPE, "userType" },
};

int company_field(const char *name)
{
    for (int i = 0; i < COMPANY_FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return i;
    return -1;
}

const char *company_field_name(enum company_field f)
{
    return fields[f].name;
}

const char *company_department(size_t i)
{
    return departments[i % COMPANY_DEPARTMENTS];
}

uint64_t company_dice(uint64_t seed, uint64_t what, uint64_t number)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15ULL + what * 0xd1342543de82ef95ULL + number;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* A die of its own for each question about a person. */
static uint32_t die(const struct company_person *p, uint64_t what, uint32_t below)
{
    return (uint32_t)(company_dice(p->bits, what, 0) % below);
}

enum { D_GIVEN = 1, D_SURNAME, D_GUEST, D_ENABLED, D_MAIL, D_DEPARTMENT, D_TITLE, D_OFFICE, D_COMPANY, D_COUNTRY, D_SYNCED, D_ROCKET, D_CASE, D_UPN,
       D_EMPLOYEE, D_YEAR, D_ACCOUNT, D_HIDDEN, D_EMPTY, D_INACTIVE, D_PERSON, D_BOSS };

void company_person(const struct company *c, uint32_t number, struct company_person *ret)
{
    ret->number = number;
    ret->bits = company_dice(c->seed, D_PERSON, number);
    ret->given = given_names[die(ret, D_GIVEN, EB_LEN(given_names))];
    ret->surname = surnames[die(ret, D_SURNAME, EB_LEN(surnames))];
    ret->guest = die(ret, D_GUEST, 100) < 4;
    ret->enabled = die(ret, D_ENABLED, 100) >= 3;
    ret->has_mail = die(ret, D_MAIL, 100) >= 2;
}

/* The number in at least `digits` digits; returns the end. */
static char *put_number(char *out, uint32_t n, int digits)
{
    char text[12];
    int len = 0;

    for (; n > 0 || len < digits || len == 0; n /= 10)
        text[len++] = (char)('0' + n % 10);
    while (len > 0)
        *out++ = text[--len];
    *out = '\0';
    return out;
}

void company_id(uint32_t number, char out[EB_ID_LEN])
{
    memcpy(out, ID_PREFIX, sizeof(ID_PREFIX) - 1);
    put_number(out + sizeof(ID_PREFIX) - 1, number, 12);
}

uint32_t company_number(const char *id)
{
    const char *at = strstr(id, ID_PREFIX);

    return at != NULL ? (uint32_t)strtoul(at + sizeof(ID_PREFIX) - 1, NULL, 10) : 0;
}

uint32_t company_guess(const char *value)
{
    size_t end = strcspn(value, "@_"), at = end;

    while (at > 0 && isdigit((unsigned char)value[at - 1]))
        at--;
    return at < end && end - at < 10 ? (uint32_t)strtoul(value + at, NULL, 10) : 0;
}

/* given.surname17, the part before the @ of an employee's addresses. */
static char *put_local(const struct company_person *p, char *out)
{
    out = stpcpy(out, p->given.ascii);
    *out++ = '.';
    return put_number(stpcpy(out, p->surname.ascii), p->number, 1);
}

static void put_mail(const struct company_person *p, char *out)
{
    char *at = put_local(p, out);

    strcpy(at, p->guest ? "@partner.example" : "@contoso.com");
    if (die(p, D_CASE, 50) == 0)
        *out = (char)toupper((unsigned char)*out);
}

static void put_upn(const struct company_person *p, char *out)
{
    if (p->guest)
        strcpy(put_local(p, out), "_partner.example#EXT#@contoso.onmicrosoft.com");
    else if (die(p, D_UPN, 10) == 0)        /* an account name that is not the address */
        strcpy(put_number(stpcpy(out, "u"), p->number, 7), "@contoso.com");
    else
        strcpy(put_local(p, out), "@contoso.com");
}

static void put_display_name(const struct company_person *p, char *out)
{
    out = stpcpy(out, p->given.name);
    *out++ = ' ';
    out = stpcpy(out, p->surname.name);
    strcpy(out, p->guest ? " (Partner)" : die(p, D_ROCKET, 300) == 0 ? " 🚀" : "");
}

/* True for half, null for most others, false for those who were synced once. */
static enum company_form synced(const struct company_person *p)
{
    uint32_t d = die(p, D_SYNCED, 20);

    return p->guest || d >= 11 ? COMPANY_NULL : d == 10 ? COMPANY_FALSE : COMPANY_TRUE;
}

static const char *title(const struct company_person *p)
{
    uint32_t d = die(p, D_TITLE, 40);       /* a few have none */

    return d == 0 ? NULL : titles[d % EB_LEN(titles)];
}

enum company_form company_value(const struct company_person *p, enum company_field f, char scratch[COMPANY_TEXT_MAX], const char **ret)
{
    *ret = scratch;
    switch (f) {
    case COMPANY_ENABLED:      return p->enabled ? COMPANY_TRUE : COMPANY_FALSE;
    case COMPANY_SYNCED:       return synced(p);
    case COMPANY_NAME:         *ret = p->guest ? "Partner" : companies[die(p, D_COMPANY, EB_LEN(companies))]; break;
    case COMPANY_DEPARTMENT:   *ret = p->guest ? NULL : departments[die(p, D_DEPARTMENT, COMPANY_DEPARTMENTS)]; break;
    case COMPANY_GIVEN_NAME:   *ret = p->given.name; break;
    case COMPANY_SURNAME:      *ret = p->surname.name; break;
    case COMPANY_JOB_TITLE:    *ret = p->guest ? NULL : title(p); break;
    case COMPANY_OFFICE:       *ret = p->guest ? NULL : offices[die(p, D_OFFICE, EB_LEN(offices))]; break;
    case COMPANY_USAGE:        *ret = countries[die(p, D_COUNTRY, EB_LEN(countries))]; break;
    case COMPANY_TYPE:         *ret = p->guest ? "Guest" : "Member"; break;
    case COMPANY_CREATED:      strcpy(put_number(scratch, 2010 + die(p, D_YEAR, 16), 4), "-04-01T08:00:00Z"); break;
    case COMPANY_DISPLAY_NAME: put_display_name(p, scratch); break;
    case COMPANY_ID:           company_id(p->number, scratch); break;
    case COMPANY_NICKNAME:     put_local(p, scratch); break;
    case COMPANY_UPN:          put_upn(p, scratch); break;
    case COMPANY_EMPLOYEE_ID:
        put_number(stpcpy(scratch, "E"), p->number, 7);
        *ret = p->guest || die(p, D_EMPLOYEE, 25) == 0 ? NULL : scratch;
        break;
    case COMPANY_MAIL:
        put_mail(p, scratch);
        *ret = p->has_mail ? scratch : NULL;
        break;
    default:                                /* COMPANY_ADDRESSES */
        put_mail(p, stpcpy(scratch, "SMTP:"));
        *ret = p->has_mail ? scratch : NULL;
        return p->has_mail ? COMPANY_LIST : COMPANY_NULL;
    }
    return *ret != NULL ? COMPANY_TEXT : COMPANY_NULL;
}

json_t *company_json(const struct company_person *p, enum company_field f)
{
    char scratch[COMPANY_TEXT_MAX];
    const char *text;

    switch (company_value(p, f, scratch, &text)) {
    case COMPANY_TRUE:  return json_true();
    case COMPANY_FALSE: return json_false();
    case COMPANY_TEXT:  return json_string(text);
    case COMPANY_LIST:  return json_pack("[s]", text);
    default:            return NULL;
    }
}

json_t *company_attrs(const struct company_person *p)
{
    json_t *all = json_object();

    for (int f = 0; f < COMPANY_FIELDS; f++) {
        json_t *value = company_json(p, (enum company_field)f);
        if (value != NULL)
            json_object_set_new(all, fields[f].name, value);
    }
    return all;
}

struct company_account company_account(const struct company_person *p)
{
    struct company_account a = { .exists = !p->guest && p->has_mail && die(p, D_ACCOUNT, 10) != 0 };

    a.hidden = die(p, D_HIDDEN, 100) < 15;
    a.empty_address = die(p, D_EMPTY, 2) == 0;
    a.active = p->enabled ? die(p, D_INACTIVE, 50) != 0 : die(p, D_INACTIVE, 50) < 10;
    return a;
}

/* Five reports each at most: 300,000 people are nine deep. */
uint32_t company_manager(const struct company *c, uint32_t number)
{
    return number <= 1 || company_dice(c->seed, D_BOSS, number) % 100 == 0 ? 0 : (number - 2) / 5 + 1;
}
