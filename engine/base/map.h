/* A map from u32 to u32: open addressing, linear probing, no tombstones.
 *
 * It can be asked and changed, never iterated: nothing may depend on its inner order. An
 * empty map (all zero) owns no memory; a full one takes 11 to 22 bytes an entry. The key 0
 * is not allowed.
 */
#ifndef PARTYLINE_BASE_MAP_H
#define PARTYLINE_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct map_slot {
    uint32_t key, value; /* key 0: empty */
};

struct map {
    struct map_slot *slots;
    uint32_t n, cap; /* cap: 0 or a power of two */
};

/* Inserts or replaces. OK or ERR_NOMEM (and the map is as before). */
int map_put(struct map *, uint32_t key, uint32_t value);
/* The key's value, or `absent` if it is not there. */
uint32_t map_get(const struct map *, uint32_t key, uint32_t absent);
/* False if it was not there. Never shrinks. */
bool map_remove(struct map *, uint32_t key);
/* Frees; the map is empty and usable again. */
void map_free(struct map *);

#endif
