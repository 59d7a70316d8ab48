#include "engine/worlds/sim/slab.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128 * 1024 };

static size_t size_of(uint8_t size_class)
{
    unsigned fine = SLAB_FINE / SLAB_STEP;
    return size_class < fine ? (size_class + 1U) * SLAB_STEP
                             : (size_t)SLAB_FINE << (size_class - fine + 1);
}

void *slab_cut(struct slab *p, size_t size, uint8_t size_class)
{
    void *piece;
    if (size_class == SLAB_BIG)
        return malloc(size);
    size = size_of(size_class);
    if (size % SLAB_LINE == 0)
        p->at += (uintptr_t)p->at % SLAB_LINE;
    if (p->at >= p->end || (size_t)(p->end - p->at) < size) {
        struct slab_piece *block = aligned_alloc(SLAB_LINE, BLOCK);
        if (!block)
            return NULL;
        block->next = p->blocks;
        p->blocks = block;
        p->at = (unsigned char *)block + SLAB_LINE;
        p->end = (unsigned char *)block + BLOCK;
    }
    piece = p->at;
    p->at += size;
    return piece;
}

void slab_drop(void *piece)
{
    free(piece);
}

void slab_free(struct slab *p)
{
    struct slab_piece *block = p->blocks;
    while (block) {
        struct slab_piece *next = block->next;
        free(block);
        block = next;
    }
    memset(p, 0, sizeof *p);
}
