/* Memory for what is in flight: size classes with lists of freed pieces.
 *
 * Pieces up to SLAB_MAX bytes are cut from blocks that are given back all at once at the end;
 * bigger ones come from malloc and go back to it. So the memory held is that of the most that
 * was ever in flight at a time.
 */
#ifndef PARTYLINE_WORLDS_SIM_SLAB_H
#define PARTYLINE_WORLDS_SIM_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum { SLAB_MIN = 64, SLAB_MAX = 4096, SLAB_CLASSES = 7, SLAB_BIG = SLAB_CLASSES };

struct slab {
    void *free[SLAB_CLASSES];
    void *blocks;
    unsigned char *at, *end; /* what is left of the newest block */
};

/* Uninitialised memory for any type, or NULL; up to SLAB_MAX at the start of a cache line.
 * *size_class goes back with it. */
void *slab_take(struct slab *, size_t size, uint8_t *size_class);
void slab_give(struct slab *, void *piece, uint8_t size_class);
/* Frees the blocks; pieces of SLAB_BIG have to be given back before. A zeroed struct is an
 * empty slab. */
void slab_free(struct slab *);

#endif
