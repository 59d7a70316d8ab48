/* A map from names to numbers in an arena: open addressing, asked and added to, never
 * iterated. Names are lent.
 */
#ifndef PARTYLINE_RUN_NAMES_H
#define PARTYLINE_RUN_NAMES_H

#include "engine/base/arena.h"

#include <stdint.h>

#define NAMES_NONE UINT32_MAX

struct names_slot {
    const char *name;
    uint32_t value, hash;
};

struct names {
    struct arena *arena;
    struct names_slot *slots;
    uint32_t n, cap;
};

struct names names_in(struct arena *a);
/* NAMES_NONE if it was new (and is added), else the number it has already. */
uint32_t names_add(struct names *t, const char *name, uint32_t value);
/* NAMES_NONE if there is none of that name. */
uint32_t names_find(const struct names *t, const char *name);

#endif
