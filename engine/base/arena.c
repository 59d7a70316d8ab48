#include "engine/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 << 10 };

struct arena_block {
    struct arena_block *next;
    size_t at, size; /* of the bytes behind this header */
    max_align_t bytes[];
};

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap};
}

static void *exhausted(struct arena *a)
{
    if (a->landing)
        longjmp(*a->landing, 1);
    return NULL;
}

/* Big requests get a block of their own behind the current one. */
static struct arena_block *add_block(struct arena *a, size_t size)
{
    size_t want = size > BLOCK / 4 ? size : BLOCK;
    if (want > a->cap - a->used || sizeof(struct arena_block) > a->cap - a->used - want)
        return NULL;
    struct arena_block *b = calloc(1, sizeof *b + want);
    if (!b)
        return NULL;
    a->used += sizeof *b + want;
    b->size = want;
    if (want != BLOCK && a->blocks) {
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        b->next = a->blocks;
        a->blocks = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return exhausted(a);
    size = (size + (size == 0) + align - 1) / align * align;
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->at < size)
        b = add_block(a, size);
    if (!b)
        return exhausted(a);
    void *p = (char *)b->bytes + b->at;
    b->at += size;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        return exhausted(a);
    return arena_alloc(a, n * size);
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
    char *p = arena_alloc(a, len + 1);
    if (p && len)
        memcpy(p, text, len);
    return p;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int len = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *p = len < 0 ? exhausted(a) : arena_alloc(a, (size_t)len + 1);
    if (p) {
        va_start(ap, format);
        vsnprintf(p, (size_t)len + 1, format, ap);
        va_end(ap);
    }
    return p;
}

void arena_free(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
}
