/* tree.c - from libyaml's events to nodes.
 *
 * Owns the parser and each event (released as soon as it was looked at). A node belongs to its parent, the root to the caller.
 * Invariant: nesting never passes depth_max, in the tree and on the stack.
 */
#include "config/tree.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define KEYS_MAX 1000      /* in one mapping: each new key is compared with those before it */

struct building { yaml_parser_t parser; struct faults *faults; int depth, depth_max; };

void node_free(struct node *n)
{
    if (n == NULL)
        return;
    for (struct node *child = n->first, *next; child != NULL; child = next) {
        next = child->next;
        node_free(child);
    }
    eb_wipe_free(n->text);
    free(n->name);
    free(n);
}

struct node *node_child(const struct node *map, const char *name, size_t len)
{
    if (map == NULL || map->type != NODE_MAP)
        return NULL;
    for (struct node *child = map->first; child != NULL; child = child->next)
        if (strlen(child->name) == len && memcmp(child->name, name, len) == 0)
            return child;
    return NULL;
}

bool node_empty(const struct node *n)
{
    return n->type == NODE_TEXT && n->plain &&
           (*n->text == '\0' || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

static struct node *node_new(enum node_type type, const yaml_event_t *e)
{
    struct node *n = eb_alloc(sizeof(*n));

    n->type = type;
    n->line = (int)e->start_mark.line + 1;
    return n;
}

/* libyaml's messages are constants of its own; they never quote the file. */
static bool next_event(struct building *b, yaml_event_t *e)
{
    if (yaml_parser_parse(&b->parser, e))
        return true;
    const char *problem = b->parser.problem != NULL ? b->parser.problem : "it cannot be read";
    size_t line = b->parser.problem_mark.line;

    if (b->parser.error == YAML_MEMORY_ERROR)
        problem = "out of memory";
    if (b->parser.error == YAML_READER_ERROR)
        line = 0;
    fault_add(b->faults, (int)line + 1, "", "not valid YAML: %s", problem);
    return false;
}

/* What YAML can do and this file must not. */
static bool plain_yaml(struct building *b, const yaml_event_t *e)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    int line = (int)e->start_mark.line + 1;

    switch (e->type) {
    case YAML_SCALAR_EVENT: anchor = e->data.scalar.anchor; tag = e->data.scalar.tag; break;
    case YAML_SEQUENCE_START_EVENT: anchor = e->data.sequence_start.anchor; tag = e->data.sequence_start.tag; break;
    case YAML_MAPPING_START_EVENT: anchor = e->data.mapping_start.anchor; tag = e->data.mapping_start.tag; break;
    case YAML_ALIAS_EVENT: anchor = e->data.alias.anchor; break;
    default: break;
    }
    if (anchor != NULL)
        fault_add(b->faults, line, "", "anchors and aliases (&name, *name) are not read; write the value out, or quote a text that begins so");
    else if (tag != NULL)
        fault_add(b->faults, line, "", "tags (!name) are not read; leave the tag out, or quote a text that begins so");
    return anchor == NULL && tag == NULL;
}

static struct node *read_value(struct building *b, const yaml_event_t *e);

static void append(struct node *parent, struct node *child)
{
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

static struct node *read_list(struct building *b, const yaml_event_t *start)
{
    struct node *list = node_new(NODE_LIST, start);

    for (;;) {
        yaml_event_t e;
        if (!next_event(b, &e))
            break;
        if (e.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&e);
            return list;
        }
        struct node *item = read_value(b, &e);
        yaml_event_delete(&e);
        if (item == NULL)
            break;
        append(list, item);
    }
    node_free(list);
    return NULL;
}

/* The key of one pair, or NULL with a fault. */
static char *read_key(struct building *b, const yaml_event_t *e)
{
    int line = (int)e->start_mark.line + 1;

    if (!plain_yaml(b, e))
        return NULL;
    if (e->type != YAML_SCALAR_EVENT) {
        fault_add(b->faults, line, "", "a key must be a text");
        return NULL;
    }
    const char *text = (const char *)e->data.scalar.value;
    if (strlen(text) != e->data.scalar.length || e->data.scalar.length > 200 || eb_text_unclean(text)) {
        fault_add(b->faults, line, "", "a key is too long or holds control characters");
        return NULL;
    }
    if (strcmp(text, "<<") == 0 && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        fault_add(b->faults, line, "", "merge keys (<<) are not read; write the values out");
        return NULL;
    }
    return eb_strdup(text);
}

static bool read_pair(struct building *b, const yaml_event_t *key, struct node *map)
{
    yaml_event_t e;
    char *name = read_key(b, key);

    if (name == NULL || !next_event(b, &e)) {
        free(name);
        return false;
    }
    struct node *value = read_value(b, &e);
    yaml_event_delete(&e);
    if (value == NULL) {
        free(name);
        return false;
    }
    value->name = name;
    value->name_line = (int)key->start_mark.line + 1;
    const struct node *twin = node_child(map, name, strlen(name));
    if (twin != NULL) {
        fault_add(b->faults, value->name_line, name, "given twice (first in line %d), expected once", twin->name_line);
        node_free(value);
    } else {
        append(map, value);
    }
    return true;
}

static struct node *read_map(struct building *b, const yaml_event_t *start)
{
    struct node *map = node_new(NODE_MAP, start);

    for (int keys = 0;; keys++) {
        yaml_event_t e;
        if (keys > KEYS_MAX)
            fault_add(b->faults, map->line, "", "a mapping of more than %d keys", KEYS_MAX);
        if (keys > KEYS_MAX || !next_event(b, &e))
            break;
        bool end = e.type == YAML_MAPPING_END_EVENT;
        bool good = end || read_pair(b, &e, map);
        yaml_event_delete(&e);
        if (end)
            return map;
        if (!good)
            break;
    }
    node_free(map);
    return NULL;
}

static struct node *read_text(struct building *b, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;

    if (strlen(text) != e->data.scalar.length) {
        fault_add(b->faults, (int)e->start_mark.line + 1, "", "a text holds a NUL character");
        return NULL;
    }
    struct node *n = node_new(NODE_TEXT, e);
    n->text = eb_strdup(text);
    n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return n;
}

static struct node *read_value(struct building *b, const yaml_event_t *e)
{
    struct node *n = NULL;

    if (!plain_yaml(b, e))
        return NULL;
    if (e->type == YAML_SCALAR_EVENT)
        return read_text(b, e);
    if (++b->depth > b->depth_max)
        fault_add(b->faults, (int)e->start_mark.line + 1, "", "nested deeper than %d levels", b->depth_max);
    else
        n = e->type == YAML_SEQUENCE_START_EVENT ? read_list(b, e) : read_map(b, e);
    b->depth--;
    return n;
}

/* Stream start, then a document start, then the root; anything after its end but the stream's end is a fault. */
static struct node *read_document(struct building *b)
{
    struct node *root = NULL;
    int documents = 0;

    for (;;) {
        yaml_event_t e;
        if (!next_event(b, &e))
            break;
        yaml_event_type_t type = e.type;
        bool good = true;
        if (type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
            fault_add(b->faults, (int)e.start_mark.line + 1, "", "a second document begins (---); expected one");
            good = false;
        } else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
                   type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT) {
            root = read_value(b, &e);
            good = root != NULL;
        }
        yaml_event_delete(&e);
        if (type == YAML_STREAM_END_EVENT)
            return root;
        if (!good)
            break;
    }
    node_free(root);
    return NULL;
}

struct node *tree_read(struct eb_span text, int depth_max, struct faults *faults)
{
    struct building b = { .faults = faults, .depth_max = depth_max };

    if (!yaml_parser_initialize(&b.parser)) {
        fault_add(faults, 0, "", "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text.p, text.len);
    struct node *root = read_document(&b);
    yaml_parser_delete(&b.parser);
    return root;
}
