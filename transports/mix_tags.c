#include "transports/mix_tags.h"

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdlib.h>

enum { LEAST = 64 };

void mix_tags_init(struct mix_tags *t, uint32_t most)
{
    *t = (struct mix_tags){.most = most};
}

void mix_tags_free(struct mix_tags *t)
{
    free(t->half[0].slots);
    free(t->half[1].slots);
    *t = (struct mix_tags){.most = t->most};
}

/* Its slot, or the empty one where it would go. */
static struct mix_tag *find(struct mix_tag *slots, uint32_t cap, struct mix_tag x)
{
    uint32_t i = (uint32_t)x.a & (cap - 1);
    while ((slots[i].a || slots[i].b) && (slots[i].a != x.a || slots[i].b != x.b))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static int grow(struct mix_tags *t)
{
    uint32_t cap = t->half[0].cap ? 2 * t->half[0].cap : LEAST;
    struct mix_tag *slots = calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < t->half[0].cap; i++) {
        struct mix_tag x = t->half[0].slots[i];
        if (x.a || x.b)
            *find(slots, cap, x) = x;
    }
    free(t->half[0].slots);
    t->half[0].slots = slots;
    t->half[0].cap = cap;
    return OK;
}

int mix_tags_add(struct mix_tags *t, const uint8_t tag[16])
{
    struct mix_tag x = {get_le64(tag), get_le64(tag + 8)}, *to = NULL, *old;
    x.b |= !x.a && !x.b;
    if (t->half[1].n) {
        old = find(t->half[1].slots, t->half[1].cap, x);
        if (old->a || old->b)
            return ERR_REPLAY;
    }
    if (t->half[0].n) {
        to = find(t->half[0].slots, t->half[0].cap, x);
        if (to->a || to->b)
            return ERR_REPLAY;
    }
    if (t->half[0].n >= t->most) {
        free(t->half[1].slots);
        t->half[1] = t->half[0];
        t->half[0].slots = NULL;
        t->half[0].n = t->half[0].cap = 0;
    }
    if (2 * (uint64_t)t->half[0].n >= t->half[0].cap) {
        if (grow(t) != OK)
            return ERR_NOMEM;
        to = find(t->half[0].slots, t->half[0].cap, x);
    }
    *to = x;
    t->half[0].n++;
    return OK;
}
