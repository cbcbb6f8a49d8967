/* reader.h - inside config/: what the parts of the reader share while one file is read. */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "config/keys.h"
#include "config/tree.h"

struct reader {
    struct config *c;
    struct faults *faults;
    char *directory;                /* of the file; relative paths start here */
    const struct config_names *names;
    enum config_use use;
    int *lines;                     /* for each row of the table outside of items: where it stands, 0: not there */
};

/* read.c: walks table and tree together; fills defaults; names what is missing, unknown, of a wrong type. */
void read_sections(struct reader *r, struct node *root);
/* values.c: one value into its place (`into`: where the row's member lies). path: the key as the user wrote it. */
void read_standard(struct reader *r, const struct key *k, void *into);
bool read_one(struct reader *r, const struct key *k, const char *path, const struct node *n, void *into);
/* secret.c */
bool read_secret(struct reader *r, const char *path, const struct node *n, char **ret);
/* Whether only the owner can read the file: false says in err what to do. */
bool file_private(int fd, const char *name, struct eb_err *err) EB_CHECK;
/* check.c: what several keys say together, and the defaults that follow from others. */
void read_check(struct reader *r);
/* sync.c: the same for `assets` and `sync`. After the defaults of jira and store. */
void read_check_sync(struct reader *r);
bool reader_given(const struct reader *r, const char *name);    /* the key stands in the file */
/* certificate.c: FULL only. Certificate and key can be read, the key is private, they belong together; rsa: the key must be RSA (Entra). */
bool certificate_check(const char *certificate, const char *key, bool rsa, struct eb_err *err) EB_CHECK;
bool authorities_check(const char *file, struct eb_err *err) EB_CHECK;

/* forms.c: forms of values, each NULL where good or what is wrong with it. None repeats the value. */
const char *form_url(const char *text);
const char *form_address(const char *text);
const char *form_network(const char *text);
const char *form_host(const char *text, size_t max);        /* letters, digits, - and . only */
const char *form_project(const char *text);
bool address_loopback(const char *text);        /* of a good ADDRESS:PORT */

char *path_from(const char *directory, const char *path);       /* the caller's; absolute paths stay */
int reader_line(const struct reader *r, const char *name);      /* of a key or, where that is not there, of its section; at least 1 */

#endif
