#include "engine/worlds/sim/slab.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128 * 1024 };

/* The head of a freed piece, or of a block. */
struct piece {
    struct piece *next;
};

static uint8_t class_of(size_t size)
{
    if (size <= SLAB_MIN)
        return 0;
    if (size > SLAB_MAX)
        return SLAB_BIG;
    return (uint8_t)(58 - __builtin_clzll(size - 1));
}

static void *cut(struct slab *p, size_t size)
{
    void *piece;
    if ((size_t)(p->end - p->at) < size) {
        struct piece *block = aligned_alloc(SLAB_MIN, BLOCK);
        if (!block)
            return NULL;
        block->next = p->blocks;
        p->blocks = block;
        p->at = (unsigned char *)block + SLAB_MIN;
        p->end = (unsigned char *)block + BLOCK;
    }
    piece = p->at;
    p->at += size;
    return piece;
}

void *slab_take(struct slab *p, size_t size, uint8_t *size_class)
{
    uint8_t k = class_of(size);
    struct piece *piece;
    *size_class = k;
    if (k == SLAB_BIG)
        return malloc(size);
    piece = p->free[k];
    if (!piece)
        return cut(p, (size_t)SLAB_MIN << k);
    p->free[k] = piece->next;
    return piece;
}

void slab_give(struct slab *p, void *piece, uint8_t size_class)
{
    struct piece *freed = piece;
    if (size_class == SLAB_BIG) {
        free(piece);
        return;
    }
    freed->next = p->free[size_class];
    p->free[size_class] = freed;
}

void slab_free(struct slab *p)
{
    struct piece *block = p->blocks;
    while (block) {
        struct piece *next = block->next;
        free(block);
        block = next;
    }
    memset(p, 0, sizeof *p);
}
