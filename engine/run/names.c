#include "engine/run/names.h"

#include <string.h>
#include <xxhash.h>

struct names names_in(struct arena *a)
{
    return (struct names){.arena = a};
}

static uint32_t hash_of(const char *name)
{
    return (uint32_t)XXH3_64bits(name, strlen(name));
}

/* The slot that holds the name, or the free one where it belongs. */
static struct names_slot *slot_of(const struct names *t, const char *name, uint32_t hash)
{
    const struct names_slot *s;
    uint32_t i = hash & (t->cap - 1);
    while ((s = &t->slots[i])->name && (s->hash != hash || strcmp(s->name, name) != 0))
        i = (i + 1) & (t->cap - 1);
    return &t->slots[i];
}

/* The old slots stay in the arena: together less than the new ones. */
static void grow(struct names *t)
{
    struct names old = *t;
    t->cap = old.cap ? 2 * old.cap : 16;
    t->slots = arena_array(t->arena, t->cap, sizeof *t->slots);
    for (uint32_t i = 0; i < old.cap; i++) {
        const struct names_slot *s = &old.slots[i];
        if (s->name)
            *slot_of(t, s->name, s->hash) = *s;
    }
}

uint32_t names_add(struct names *t, const char *name, uint32_t value)
{
    uint32_t hash = hash_of(name);
    if (t->n >= t->cap / 2)
        grow(t);
    struct names_slot *s = slot_of(t, name, hash);
    if (s->name)
        return s->value;
    *s = (struct names_slot){name, value, hash};
    t->n++;
    return NAMES_NONE;
}

uint32_t names_find(const struct names *t, const char *name)
{
    if (t->n == 0)
        return NAMES_NONE;
    const struct names_slot *s = slot_of(t, name, hash_of(name));
    return s->name ? s->value : NAMES_NONE;
}
