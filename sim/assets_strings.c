/* assets_strings.c - an arena of texts and an open table over them.
 *
 * Owns blocks of memory that are never moved, so that a text stays where it is. Handle 0 is the empty text.
 */
#include "sim/assets_strings.h"

#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK MiB(1)

struct text { uint32_t len; bool plain /* needs no escape in JSON */; char text[]; };
struct block { struct block *next; size_t used, size; char bytes[]; };
struct assets_strings { struct block *blocks; struct text **texts; uint32_t count, cap; uint32_t *table; size_t slots; };

static uint64_t mix(uint64_t h, unsigned char c)
{
    return (h ^ c) * 0x100000001b3ULL;
}

static uint64_t finish(uint64_t h)
{
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 29);
}

static uint64_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325ULL;

    while (*text != '\0')
        h = mix(h, (unsigned char)*text++);
    return finish(h);
}

/* The byte at p as it is compared; `before` is the byte before it in the text, or 0. */
static unsigned char fold(unsigned char before, unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned char)(c | 0x20);
    return before == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97 ? (unsigned char)(c | 0x20) : c;
}

uint64_t assets_fold_hash(uint64_t seed, const char *text)
{
    uint64_t h = 0xcbf29ce484222325ULL ^ finish(seed);
    unsigned char before = 0;

    for (; *text != '\0'; text++) {
        h = mix(h, fold(before, (unsigned char)*text));
        before = (unsigned char)*text;
    }
    return finish(h);
}

int assets_fold_compare(const char *a, const char *b)
{
    unsigned char before_a = 0, before_b = 0;

    for (;; a++, b++) {
        unsigned char x = fold(before_a, (unsigned char)*a), y = fold(before_b, (unsigned char)*b);
        if (x != y || x == 0)
            return (int)x - (int)y;
        before_a = (unsigned char)*a;
        before_b = (unsigned char)*b;
    }
}

bool assets_fold_equal(const char *a, const char *b)
{
    return assets_fold_compare(a, b) == 0;
}

bool assets_fold_begins(const char *text, const char *with)
{
    unsigned char before = 0;

    for (; *with != '\0'; text++, with++) {
        if (*text == '\0' || fold(before, (unsigned char)*text) != fold(before, (unsigned char)*with))
            return false;
        before = (unsigned char)*text;
    }
    return true;
}

const char *assets_fold_find(const char *text, const char *part)
{
    for (; *text != '\0' || *part == '\0'; text++)
        if (assets_fold_begins(text, part))
            return text;
        else if (*text == '\0')
            break;
    return NULL;
}

static void *take(struct assets_strings *p, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (p->blocks == NULL || p->blocks->size - p->blocks->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        struct block *b = eb_need(malloc(sizeof(*b) + room));
        *b = (struct block){ .next = p->blocks, .size = room };
        p->blocks = b;
    }
    void *at = p->blocks->bytes + p->blocks->used;
    p->blocks->used += size;
    return at;
}

static void rehash(struct assets_strings *p, size_t slots)
{
    free(p->table);
    p->table = eb_alloc(slots * sizeof(*p->table));
    p->slots = slots;
    for (uint32_t i = 0; i < p->count; i++) {
        size_t at = hash(p->texts[i]->text) & (slots - 1);
        while (p->table[at] != 0)
            at = (at + 1) & (slots - 1);
        p->table[at] = i + 1;
    }
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\' || *text == 0x7f)
            return false;
    return true;
}

uint32_t assets_intern(struct assets_strings *p, const char *text)
{
    size_t at = hash(text) & (p->slots - 1), len = strlen(text);

    for (; p->table[at] != 0; at = (at + 1) & (p->slots - 1))
        if (strcmp(p->texts[p->table[at] - 1]->text, text) == 0)
            return p->table[at] - 1;
    struct text *t = take(p, sizeof(*t) + len + 1);
    t->len = (uint32_t)len;
    t->plain = is_plain(text);
    memcpy(t->text, text, len + 1);
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 1024 : p->cap * 2;
        p->texts = eb_need(realloc(p->texts, p->cap * sizeof(struct text *)));
    }
    p->texts[p->count] = t;
    p->table[at] = ++p->count;
    if (p->count > p->slots / 2)
        rehash(p, p->slots * 2);
    return p->count - 1;
}

struct assets_strings *assets_strings_new(size_t texts)
{
    struct assets_strings *p = eb_alloc(sizeof(*p));
    size_t slots = 4096;

    while (slots / 2 < texts)
        slots *= 2;
    rehash(p, slots);
    assets_intern(p, "");
    return p;
}

void assets_strings_free(struct assets_strings *p)
{
    if (p == NULL)
        return;
    for (struct block *b = p->blocks, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    free(p->texts);
    free(p->table);
    free(p);
}

const char *assets_text(const struct assets_strings *p, uint32_t handle)
{
    return p->texts[handle]->text;
}

void assets_text_json(const struct assets_strings *p, uint32_t handle, struct eb_buf *out)
{
    const struct text *t = p->texts[handle];

    if (!t->plain) {
        eb_json_quote(out, t->text);
        return;
    }
    char *at = eb_buf_room(out, t->len + 2);
    if (at == NULL)
        return;
    at[0] = '"';
    memcpy(at + 1, t->text, t->len);
    at[t->len + 1] = '"';
    eb_buf_used(out, t->len + 2);
}
