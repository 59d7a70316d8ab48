#include "engine/base/slab.h"

#include "engine/base/pages.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 64 * 1024, BIG = PAGES_BLOCK };

/* At the beginning of a block. */
struct slab_block {
    struct slab_block *next;
};

static size_t size_of(uint8_t size_class)
{
    unsigned fine = SLAB_FINE / SLAB_STEP;
    return size_class < fine ? (size_class + 1U) * SLAB_STEP
                             : (size_t)SLAB_FINE << (size_class - fine + 1);
}

/* Small ones first: most trials need no more. */
static int add_block(struct slab *p)
{
    enum { FEW = 8 };
    size_t size = p->n_blocks < FEW ? SMALL : BIG;
    struct slab_block *block = pages_lend(size);
    if (!block)
        return 0;
    block->next = p->blocks;
    p->blocks = block;
    p->n_blocks++;
    p->at = (unsigned char *)block + SLAB_LINE;
    p->end = (unsigned char *)block + size;
    return 1;
}

void *slab_cut(struct slab *p, size_t size, uint8_t size_class)
{
    void *piece;
    if (size_class == SLAB_BIG)
        return aligned_alloc(SLAB_LINE, (size + SLAB_LINE - 1) / SLAB_LINE * SLAB_LINE);
    size = size_of(size_class);
    if (p->at && size % SLAB_LINE == 0)
        p->at += -(uintptr_t)p->at % SLAB_LINE;
    if ((p->at >= p->end || (size_t)(p->end - p->at) < size) && !add_block(p))
        return NULL;
    piece = p->at;
    p->at += size;
    return piece;
}

void slab_drop(void *piece)
{
    free(piece);
}

void *slab_lend(struct slab *p, size_t size)
{
    uint8_t size_class;
    if (size >= PAGES_HUGE)
        return pages_lend(size);
    return p ? slab_take(p, size, &size_class) : malloc(size);
}

void slab_back(struct slab *p, void *piece, size_t size)
{
    if (p && piece && size < PAGES_HUGE)
        slab_give(p, piece, slab_class(size));
    else
        free(piece);
}

void slab_free(struct slab *p)
{
    while (p->blocks) {
        struct slab_block *block = p->blocks;
        p->blocks = block->next;
        pages_give(block);
    }
    memset(p, 0, sizeof *p);
}
