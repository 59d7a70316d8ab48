/* A relay's links: their slots, and how many come from one address. */
#include "transports/relay_server.h"

#include <sodium.h>
#include <stdlib.h>

#include "engine/base/bytes.h"

#define NONE STRANGERS_NONE

static uint32_t address_of(const struct relay_server *s, const struct addr *a)
{
    static const uint8_t mapped[12] = {[10] = 255, [11] = 255};
    uint8_t hash[crypto_shorthash_BYTES];
    size_t len = memcmp(a->ip, mapped, sizeof mapped) == 0 ? 16 : 8;
    uint32_t key;
    crypto_shorthash(hash, a->ip, len, s->address_key);
    key = get_le32(hash);
    return key ? key : 1;
}

static void address_count(struct relay_server *s, const struct addr *a, bool more)
{
    uint32_t key = address_of(s, a), n = map_get(&s->addresses, key, 0);
    if (more)
        map_put(&s->addresses, key, n + 1); /* uncounted without memory */
    else if (n > 1)
        map_put(&s->addresses, key, n - 1);
    else
        map_remove(&s->addresses, key);
}

static uint32_t slot_new(struct relay_server *s)
{
    uint32_t cap = s->cap_outs ? 2 * s->cap_outs : 16;
    struct relay_out **outs;
    uint32_t *unused;
    if (s->n_unused)
        return s->unused_slots[--s->n_unused];
    if (s->n_outs < s->cap_outs)
        return s->n_outs++;
    if (cap > TRANSPORT_TIMERS - RELAY_TIMER_LINKS)
        return NONE;
    outs = realloc(s->outs, cap * sizeof(struct relay_out *));
    s->outs = outs ? outs : s->outs;
    unused = outs ? realloc(s->unused_slots, cap * sizeof *unused) : NULL;
    s->unused_slots = unused ? unused : s->unused_slots;
    if (!unused)
        return NONE;
    s->cap_outs = cap;
    return s->n_outs++;
}

struct relay_out *relay_out_new(struct relay_server *s, link_t link, struct addr addr)
{
    struct relay_out *out = calloc(1, sizeof *out);
    uint32_t slot = out ? slot_new(s) : NONE;
    if (slot == NONE) {
        free(out);
        return NULL;
    }
    s->setup.env->ops->tag(s->setup.env, link, slot + 1);
    *out = (struct relay_out){.addr = addr, .slot = slot, .stranger = NONE};
    ring_init(&out->active);
    ring_init(&out->notices);
    ring_init(&out->owing);
    ring_init(&out->dirty);
    out->heard = out->said = s->setup.env->now;
    address_count(s, &addr, true);
    s->outs[slot] = out;
    return out;
}

void relay_out_free(struct relay_server *s, struct relay_out *out)
{
    struct relay_ring *rings[] = {&out->active, &out->notices, &out->owing};
    for (size_t i = 0; i < sizeof rings / sizeof rings[0]; i++)
        while (!ring_empty(rings[i]))
            ring_leave(rings[i]->next);
    ring_leave(&out->dirty);
    address_count(s, &out->addr, false);
    if (out->stranger != NONE)
        strangers_remove(&s->strangers, out->stranger);
    s->outs[out->slot] = NULL;
    s->unused_slots[s->n_unused++] = out->slot;
    noiselink_wipe(&out->link);
    free(out->news);
    free(out->newsy);
    free(out);
}

bool relay_out_crowded(const struct relay_server *s, const struct addr *a)
{
    return map_get(&s->addresses, address_of(s, a), 0) >= (uint64_t)relay_opts_of(s)->per_address;
}

void relay_out_close(struct relay_server *s, struct relay_out *out)
{
    s->setup.env->ops->close(s->setup.env, out->link.link);
    relay_out_free(s, out);
}
