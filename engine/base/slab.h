/* Memory for what is many and small, such as hosts and what is in flight between them: size
 * classes with lists of freed pieces.
 *
 * Pieces up to SLAB_MAX bytes are cut from blocks (huge pages, once there are some) that are given
 * back all at once at the end; bigger ones come from malloc and go back to it. So the memory held
 * is that of the most that there ever was at a time. Up to SLAB_FINE bytes a class is SLAB_STEP
 * wide, beyond that it doubles.
 */
#ifndef PARTYLINE_BASE_SLAB_H
#define PARTYLINE_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum {
    SLAB_STEP = 32,
    SLAB_LINE = 64,
    SLAB_FINE = 1024,
    SLAB_MAX = 4096,
    SLAB_CLASSES = SLAB_FINE / SLAB_STEP + 2, /* 2048 and 4096 */
    SLAB_BIG = SLAB_CLASSES
};

/* The head of a freed piece. */
struct slab_piece {
    struct slab_piece *next;
};

struct slab_block;

struct slab {
    struct slab_piece *free[SLAB_CLASSES];
    struct slab_block *blocks;
    size_t n_blocks;
    unsigned char *at, *end; /* what is left of the newest block */
};

/* What slab_take does when nothing of that class is free. */
void *slab_cut(struct slab *, size_t size, uint8_t size_class);

/* The class of pieces of so many bytes, at least 1. */
static inline uint8_t slab_class(size_t size)
{
    if (size > SLAB_FINE)
        return size > SLAB_MAX ? SLAB_BIG : SLAB_CLASSES - 1 - (size <= SLAB_MAX / 2);
    return (uint8_t)((size - 1) / SLAB_STEP);
}

/* Uninitialised memory for any type, or NULL; what is a multiple of SLAB_LINE
 * bytes, at the start of a cache line. *size_class goes back with it. */
static inline void *slab_take(struct slab *p, size_t size, uint8_t *size_class)
{
    uint8_t k = *size_class = slab_class(size);
    struct slab_piece *piece;
    if (k == SLAB_BIG || !p->free[k])
        return slab_cut(p, size, k);
    piece = p->free[k];
    p->free[k] = piece->next;
    return piece;
}

/* What slab_give does with a piece of SLAB_BIG. */
void slab_drop(void *piece);

static inline void slab_give(struct slab *p, void *piece, uint8_t size_class)
{
    struct slab_piece *freed = piece;
    if (size_class == SLAB_BIG) {
        slab_drop(piece);
        return;
    }
    freed->next = p->free[size_class];
    p->free[size_class] = freed;
}

/* The same for those who know the size anyway; from malloc where there is no slab (NULL), and from
 * pages.h what is big. */
void *slab_lend(struct slab *, size_t size);
void slab_back(struct slab *, void *piece, size_t size);

/* Frees the blocks; pieces of SLAB_BIG have to be given back before. A zeroed
 * struct is an empty slab. */
void slab_free(struct slab *);

#endif
