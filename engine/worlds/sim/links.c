#include "engine/worlds/sim/inner.h"

#include <assert.h>
#include <string.h>

enum { SLOT_BITS = LINKS_SLOT_BITS, PORT_MIN = 32768, PORTS = 28232 }; /* Linux's ephemeral range */

_Static_assert(SIM_LINKS < 1 << SLOT_BITS, "a link's number holds its slot");

void links_free_slots(struct sim *sim, struct sim_node *n)
{
    if (n->cap_slots > 1)
        slab_back(&sim->slab, n->slots, n->cap_slots * sizeof *n->slots);
    n->slots = NULL;
}

static int grow(struct sim *sim, struct sim_node *n)
{
    uint32_t cap = n->cap_slots ? 2 * n->cap_slots : 1;
    struct sim_slot *slots = cap > 1 ? slab_lend(&sim->slab, cap * sizeof *slots) : &n->slot;
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n->n_slots; i++)
        slots[i] = n->slots[i];
    links_free_slots(sim, n);
    n->slots = slots;
    n->cap_slots = cap;
    return OK;
}

/* Numbers begin with 1, 2, 3 ...; a slot used again gets a number that was not in use before. */
int links_take(struct sim *sim, struct sim_node *n, struct sim_end *end)
{
    struct sim_slot *slot;
    if (n->n_links >= sim->tuning.links)
        return ERR_LIMIT;
    if (n->free_slot) {
        slot = &n->slots[n->free_slot - 1];
        n->free_slot = slot->next_free;
    } else {
        if (n->n_slots == n->cap_slots && grow(sim, n) != OK) {
            sim->broken = ERR_NOMEM;
            return ERR_LIMIT;
        }
        slot = &n->slots[n->n_slots++];
        *slot = (struct sim_slot){.link = n->n_slots};
    }
    slot->end = end;
    end->link = slot->link;
    n->n_links++;
    end->refs++;
    return OK;
}

void links_release(struct sim *sim, struct sim_end *end)
{
    struct sim_node *n = end->node;
    uint32_t number = end->link & ((1U << SLOT_BITS) - 1);
    struct sim_slot *slot = &n->slots[number - 1];
    assert(slot->end == end);
    end->state = END_CLOSED;
    if (n->recent == end)
        n->recent = NULL;
    slot->end = NULL;
    slot->link += 1U << SLOT_BITS;
    slot->next_free = n->free_slot;
    n->free_slot = number;
    n->n_links--;
    links_unref(sim, end);
}

struct sim_conn *links_new(struct sim *sim, struct sim_node *n, enum link_kind kind)
{
    struct sim_conn *c = slab_lend(&sim->slab, sizeof *c);
    if (!c) {
        sim->broken = ERR_NOMEM;
        return NULL;
    }
    memset(c, 0, sizeof *c);
    if (sim->tap) {
        c->counts = slab_lend(&sim->slab, 2 * sizeof *c->counts);
        if (!c->counts) {
            slab_back(&sim->slab, c, sizeof *c);
            sim->broken = ERR_NOMEM;
            return NULL;
        }
        memset(c->counts, 0, 2 * sizeof *c->counts);
    }
    for (int i = 0; i < 2; i++) {
        c->end[i].second = i == 1;
        c->end[i].kind = (uint8_t)kind;
    }
    c->end[0].node = n;
    if (links_take(sim, n, &c->end[0]) != OK) {
        links_forget(sim, c);
        return NULL;
    }
    return c;
}

void links_forget(struct sim *sim, struct sim_conn *c)
{
    if (c->end[0].refs || c->end[1].refs)
        return;
    for (int i = 0; i < 2; i++)
        wire_forget(sim, &c->end[i]);
    slab_back(&sim->slab, c->counts, 2 * sizeof *c->counts);
    slab_back(&sim->slab, c, sizeof *c);
}

uint16_t links_port(struct sim_node *n)
{
    uint16_t port = (uint16_t)(PORT_MIN + n->ports);
    n->ports = (uint16_t)((n->ports + 1) % PORTS);
    return port;
}

struct addr links_local(const struct sim_end *end)
{
    struct addr a = end->node->env.self;
    a.port = end->port;
    return a;
}

struct addr links_seen(const struct sim *sim, const struct sim_end *end)
{
    return translate_seen(sim, end);
}

uint32_t links_number(struct sim *sim, struct sim_node *from, const struct sim_node *to)
{
    uint32_t k = map_get(&from->dialled, to->id + 1, 0);
    if (map_put(&from->dialled, to->id + 1, k + 1) != OK)
        sim->broken = ERR_NOMEM;
    return k;
}
