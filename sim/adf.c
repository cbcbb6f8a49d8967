/* adf.c - one table of node types: where each may stand and what it may hold.
 *
 * https://developer.atlassian.com/cloud/jira/platform/apis/document/structure
 */
#include "sim/adf.h"

#include "base/text.h"

#include <string.h>

enum place { BLOCK = 1, INLINE = 2, ITEM = 4, ROW = 8, CELL = 16, MEDIA = 32, TASK = 64, NOT_AT_ROOT = 128 };
static const struct node_type {
    const char *name;
    unsigned is;                    /* what it is */
    unsigned holds;                 /* what its children are; 0: no content */
    bool needs_child;
    const char *needs_attr;
} node_types[] = {
    { "paragraph", BLOCK, INLINE, false, NULL },       { "heading", BLOCK, INLINE, false, "level" },
    { "bulletList", BLOCK, ITEM, true, NULL },         { "orderedList", BLOCK, ITEM, true, NULL },
    { "codeBlock", BLOCK, INLINE, false, NULL },       { "panel", BLOCK, BLOCK, true, "panelType" },
    { "rule", BLOCK, 0, false, NULL },                 { "blockquote", BLOCK, BLOCK, true, NULL },
    { "table", BLOCK, ROW, true, NULL },               { "expand", BLOCK, BLOCK, true, NULL },
    { "nestedExpand", BLOCK | NOT_AT_ROOT, BLOCK, true, NULL },
    { "mediaSingle", BLOCK, MEDIA, true, NULL },       { "mediaGroup", BLOCK, MEDIA, true, NULL },
    { "taskList", BLOCK, TASK, true, NULL },           { "decisionList", BLOCK, TASK, true, NULL },
    { "blockCard", BLOCK, 0, false, NULL },            { "embedCard", BLOCK, 0, false, NULL },
    { "listItem", ITEM, BLOCK, true, NULL },           { "tableRow", ROW, CELL, true, NULL },
    { "tableHeader", CELL, BLOCK, true, NULL },        { "tableCell", CELL, BLOCK, true, NULL },
    { "media", MEDIA, 0, false, NULL },                { "caption", MEDIA, INLINE, false, NULL },
    { "taskItem", TASK, INLINE, false, "state" },      { "decisionItem", TASK, INLINE, false, "state" },
    { "text", INLINE, 0, false, NULL },                { "hardBreak", INLINE, 0, false, NULL },
    { "mention", INLINE, 0, false, "id" },             { "emoji", INLINE, 0, false, "shortName" },
    { "date", INLINE, 0, false, "timestamp" },         { "status", INLINE, 0, false, "text" },
    { "inlineCard", INLINE, 0, false, NULL },          { "mediaInline", INLINE, 0, false, NULL },
};

static const char *const mark_types[] = { "strong", "em", "code", "link", "strike", "underline", "subsup", "textColor",
    "backgroundColor", "border", "alignment", "indentation", "breakout", "annotation", "dataConsumer", "fragment", "fontSize" };
static const char *const panel_types[] = { "info", "note", "tip", "warning", "error", "success", "custom" };

#define DEPTH_MAX 20

static bool one_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; text != NULL && i < n; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

static const struct node_type *find_type(const char *name)
{
    for (size_t i = 0; name != NULL && i < EB_LEN(node_types); i++)
        if (strcmp(node_types[i].name, name) == 0)
            return &node_types[i];
    return NULL;
}

static bool known_members(const json_t *obj, const char *const *names, size_t n, const char *what, struct eb_err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)obj, key, value)
        if (!one_of(key, names, n))
            return eb_fail(err, EB_INVALID_REQUEST, "%s has an unknown member %s", what, key);
    return true;
}

static bool marks_check(const json_t *marks, struct eb_err *err)
{
    static const char *const names[] = { "type", "attrs" };

    if (marks != NULL && !json_is_array(marks))
        return eb_fail(err, EB_INVALID_REQUEST, "marks is no list");
    for (size_t i = 0; i < json_array_size(marks); i++) {
        const json_t *m = json_array_get(marks, i);
        const char *type = eb_json_str(m, "type");
        if (!one_of(type, mark_types, EB_LEN(mark_types)))
            return eb_fail(err, EB_INVALID_REQUEST, "unknown mark %s", type != NULL ? type : "");
        if (!known_members(m, names, EB_LEN(names), "a mark", err))
            return false;
        if (strcmp(type, "link") == 0 && eb_json_str(json_object_get(m, "attrs"), "href") == NULL)
            return eb_fail(err, EB_INVALID_REQUEST, "a link has no href");
    }
    return true;
}

static bool attrs_check(const struct node_type *t, const json_t *node, struct eb_err *err)
{
    const json_t *attrs = json_object_get(node, "attrs");

    if (attrs != NULL && !json_is_object(attrs))
        return eb_fail(err, EB_INVALID_REQUEST, "attrs of %s is no object", t->name);
    if (t->needs_attr != NULL && json_object_get(attrs, t->needs_attr) == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "%s needs attrs.%s", t->name, t->needs_attr);
    int64_t level = eb_json_int(attrs, "level", 0);
    if (strcmp(t->name, "heading") == 0 && (level < 1 || level > 6))
        return eb_fail(err, EB_INVALID_REQUEST, "a heading's level is 1 to 6");
    if (strcmp(t->name, "panel") == 0 && !one_of(eb_json_str(attrs, "panelType"), panel_types, EB_LEN(panel_types)))
        return eb_fail(err, EB_INVALID_REQUEST, "unknown panelType");
    return true;
}

static bool text_check(const json_t *node, bool in_code, struct eb_err *err)
{
    const json_t *text = json_object_get(node, "text");

    if (!json_is_string(text) || json_string_length(text) == 0)
        return eb_fail(err, EB_INVALID_REQUEST, "a text node needs text of at least one character");
    if (in_code && json_object_get(node, "marks") != NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "text in a codeBlock has no marks");
    return true;
}

static bool children_check(const json_t *content, unsigned holds, bool root, bool in_code, int depth, struct eb_err *err);

static bool node_check(const json_t *node, unsigned place, bool root, bool in_code, int depth, struct eb_err *err)
{
    static const char *const names[] = { "type", "text", "attrs", "content", "marks" };
    const char *name = eb_json_str(node, "type");
    const struct node_type *t = find_type(name);
    const json_t *content = json_object_get(node, "content");

    if (depth > DEPTH_MAX)
        return eb_fail(err, EB_INVALID_REQUEST, "nested too deeply");
    if (t == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "unknown node type %s", name != NULL ? name : "");
    if (!(t->is & place) || (root && (t->is & NOT_AT_ROOT)))
        return eb_fail(err, EB_INVALID_REQUEST, "%s may not stand here", name);
    if (in_code && strcmp(name, "text") != 0)
        return eb_fail(err, EB_INVALID_REQUEST, "a codeBlock holds text only");
    if (!known_members(node, names, EB_LEN(names), name, err) || !attrs_check(t, node, err) ||
        !marks_check(json_object_get(node, "marks"), err))
        return false;
    bool is_text = strcmp(name, "text") == 0;
    if (is_text ? !text_check(node, in_code, err) : json_object_get(node, "text") != NULL)
        return is_text ? false : eb_fail(err, EB_INVALID_REQUEST, "text is for nodes of type text only");
    if (content != NULL && t->holds == 0)
        return eb_fail(err, EB_INVALID_REQUEST, "%s has no content", name);
    if (t->needs_child && json_array_size(content) == 0)
        return eb_fail(err, EB_INVALID_REQUEST, "%s needs content", name);
    return content == NULL || children_check(content, t->holds, false, strcmp(name, "codeBlock") == 0, depth + 1, err);
}

static bool children_check(const json_t *content, unsigned holds, bool root, bool in_code, int depth, struct eb_err *err)
{
    if (!json_is_array(content))
        return eb_fail(err, EB_INVALID_REQUEST, "content is no list");
    for (size_t i = 0; i < json_array_size(content); i++)
        if (!node_check(json_array_get(content, i), holds, root, in_code, depth, err))
            return false;
    return true;
}

bool adf_check(const json_t *doc, struct eb_err *err)
{
    static const char *const names[] = { "type", "version", "content" };

    if (!json_is_object(doc))
        return eb_fail(err, EB_INVALID_REQUEST, "an ADF document was expected, not text");
    if (!eb_streq(eb_json_str(doc, "type"), "doc") || eb_json_int(doc, "version", 0) != 1)
        return eb_fail(err, EB_INVALID_REQUEST, "the root is of type doc and version 1");
    return known_members(doc, names, EB_LEN(names), "the root", err) &&
           children_check(json_object_get(doc, "content"), BLOCK, true, false, 0, err);
}

static void text_of(const json_t *node, struct eb_buf *out)
{
    const char *type = eb_json_str(node, "type"), *text = eb_json_str(node, "text");
    const json_t *content = json_object_get(node, "content"), *attrs = json_object_get(node, "attrs");
    const struct node_type *t = find_type(type);

    if (text != NULL)
        eb_buf_str(out, text);
    else if (eb_streq(type, "hardBreak"))
        eb_buf_str(out, "\n");
    else if (eb_json_str(attrs, "text") != NULL)
        eb_buf_str(out, eb_json_str(attrs, "text"));
    for (size_t i = 0; i < json_array_size(content); i++)
        text_of(json_array_get(content, i), out);
    bool leaf_block = t != NULL && (t->holds & INLINE);
    if (leaf_block && out->len > 0 && out->data[out->len - 1] != '\n')
        eb_buf_str(out, "\n");
}

char *adf_text(const json_t *doc)
{
    struct eb_buf b = EB_BUF(KiB(128));

    text_of(doc, &b);
    while (b.len > 0 && b.data[b.len - 1] == '\n')
        b.data[--b.len] = '\0';
    char *text = eb_buf_take(&b);
    return text != NULL ? text : eb_strdup("");
}

json_t *adf_from_text(const char *text)
{
    return json_pack("{s:s, s:i, s:[{s:s, s:[{s:s, s:s}]}]}", "type", "doc", "version", 1, "content",
                     "type", "paragraph", "content", "type", "text", "text", text);
}
