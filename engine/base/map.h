/* A map from u32 to u32: open addressing, linear probing, no tombstones.
 *
 * It can be asked and changed, never iterated: nothing may depend on its inner order. A
 * map of one entry or none (all zero) owns no memory; a full one takes 11 to 22 bytes an entry.
 * The key 0 is not allowed.
 */
#ifndef PARTYLINE_BASE_MAP_H
#define PARTYLINE_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct map_slot {
    uint32_t key, value; /* key 0: empty */
};

struct map {
    union {
        struct map_slot *slots;
        struct map_slot one; /* with cap 0 */
    };
    uint32_t n, cap; /* cap: 0 or a power of two */
};

/* Inserts or replaces. OK or ERR_NOMEM (and the map is as before). */
int map_put(struct map *, uint32_t key, uint32_t value);
/* Where a key's search begins; cap is not 0. */
static inline uint32_t map_home(const struct map *m, uint32_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (m->cap - 1);
}
/* The key's value, or `absent` if it is not there. */
static inline uint32_t map_get(const struct map *m, uint32_t key, uint32_t absent)
{
    uint32_t i;
    if (m->n == 0 || key == 0)
        return absent;
    if (m->cap == 0)
        return m->one.key == key ? m->one.value : absent;
    for (i = map_home(m, key); m->slots[i].key != key; i = (i + 1) & (m->cap - 1))
        if (m->slots[i].key == 0)
            return absent;
    return m->slots[i].value;
}
/* False if it was not there. Never shrinks. */
bool map_remove(struct map *, uint32_t key);
/* Frees; the map is empty and usable again. */
void map_free(struct map *);

#endif
