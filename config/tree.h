/* tree.h - the file as a tree of nodes with line numbers, and the list of faults found in it.
 *
 * Reading is libyaml's; what the program does not want of YAML (anchors, aliases, tags, merge keys, several documents,
 * keys given twice, deep nesting) becomes a fault here, so that the reader above sees plain mappings, lists and texts.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "base/buf.h"

#define CONFIG_FILE_MAX MiB(1)
#define CONFIG_DEPTH_MAX 12

struct faults {
    const char *file;               /* borrowed; stands before each line */
    struct fault { int line; char *text; } *items;
    size_t count;
    bool more;                      /* the ceiling was passed: further ones are only told to exist */
};
/* key may be "" (the file as a whole); line 0: not known. Control characters in the text are taken out. */
void fault_add(struct faults *f, int line, const char *key, const char *fmt, ...) EB_PRINTF(4, 5);
void faults_print(struct faults *f, struct eb_buf *out);       /* in the order of lines */
void faults_free(struct faults *f);

enum node_type { NODE_TEXT, NODE_LIST, NODE_MAP };
struct node {
    enum node_type type;
    int line;
    bool plain;                     /* a text without quotes */
    bool used;                      /* the reader has met its key */
    char *text;                     /* NODE_TEXT */
    char *name; int name_line;      /* its key, where it stands in a mapping */
    struct node *first, *last, *next;   /* children, in order */
};
/* depth_max: levels of nesting. NULL where the text is empty, or so broken that there is no tree (then a fault says why). The caller's: node_free(). */
struct node *tree_read(struct eb_span text, int depth_max, struct faults *faults);
void node_free(struct node *n);     /* accepts NULL; wipes texts */
struct node *node_child(const struct node *map, const char *name, size_t len);  /* NULL: none, or not a mapping */
bool node_empty(const struct node *n);      /* nothing was written: `key:`, `key: ~`, `key: null` */

#endif
