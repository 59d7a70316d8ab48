#include "transports/turn_table.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- allocations ---------------------------------------------------------------------------- */

static uint32_t hash_addr(link_t link, const struct addr *addr)
{
    uint64_t h = ((uint64_t)link << 16 | addr->port) + 0x9e3779b97f4a7c15U, word;
    for (size_t i = 0; i < sizeof addr->ip; i += sizeof word) {
        memcpy(&word, addr->ip + i, sizeof word);
        h = (h ^ word ^ (h ^ word) >> 30) * 0xbf58476d1ce4e5b9U;
        h = (h ^ h >> 27) * 0x94d049bb133111ebU;
    }
    h ^= h >> 32;
    return (uint32_t)h ? (uint32_t)h : 1;
}

static uint32_t hash_of(const struct turn_client_id *id)
{
    return hash_addr(id->link, &id->addr);
}

static bool same(const struct turn_client_id *a, const struct turn_client_id *b)
{
    return a->link == b->link && addr_equal(&a->addr, &b->addr);
}

void turn_table_init(struct turn_table *t, uint32_t max)
{
    *t = (struct turn_table){.max = max, .unused = TURN_NONE};
}

static void free_lists(struct turn_allocation *a)
{
    free(a->permissions);
    free(a->channels);
    map_free(&a->by_number);
    map_free(&a->by_peer);
}

void turn_table_free(struct turn_table *t)
{
    for (uint32_t i = 0; i < t->cap; i++) {
        free_lists(&t->slots[i]);
    }
    if (t->slots)
        sodium_memzero(t->slots, t->cap * sizeof *t->slots);
    free(t->slots);
    map_free(&t->by_client);
}

uint32_t turn_table_find(const struct turn_table *t, const struct turn_client_id *id)
{
    uint32_t i = map_get(&t->by_client, hash_of(id), TURN_NONE);
    while (i != TURN_NONE && !same(&t->slots[i].client, id))
        i = t->slots[i].next;
    return i;
}

static bool grow(struct turn_table *t)
{
    uint32_t cap = t->cap ? 2 * t->cap : 8;
    struct turn_allocation *slots;
    cap = cap > t->max ? t->max : cap;
    slots = cap > t->cap ? calloc(cap, sizeof *slots) : NULL;
    if (!slots)
        return false;
    if (t->cap) {
        memcpy(slots, t->slots, t->cap * sizeof *slots);
        sodium_memzero(t->slots, t->cap * sizeof *t->slots);
    }
    free(t->slots);
    for (uint32_t i = cap; i-- > t->cap;) {
        slots[i].next = t->unused;
        t->unused = i;
    }
    t->slots = slots;
    t->cap = cap;
    return true;
}

uint32_t turn_table_add(struct turn_table *t, const struct turn_client_id *id, link_t relay)
{
    uint32_t hash = hash_of(id), head = map_get(&t->by_client, hash, TURN_NONE), i;
    if (t->unused == TURN_NONE && !grow(t))
        return TURN_NONE;
    i = t->unused;
    if (map_put(&t->by_client, hash, i) != OK)
        return TURN_NONE;
    t->unused = t->slots[i].next;
    t->slots[i] =
        (struct turn_allocation){.client = *id, .relay = relay, .whom = PARTY_NONE, .next = head};
    t->n++;
    return i;
}

void turn_table_remove(struct turn_table *t, uint32_t slot)
{
    struct turn_allocation *a = &t->slots[slot];
    uint32_t hash = hash_of(&a->client), head = map_get(&t->by_client, hash, TURN_NONE);
    uint32_t *at = &head;
    while (*at != slot)
        at = &t->slots[*at].next;
    *at = a->next;
    if (head == TURN_NONE)
        map_remove(&t->by_client, hash);
    else
        map_put(&t->by_client, hash, head); /* replaces: takes no memory */
    free_lists(a);
    sodium_memzero(a, sizeof *a);
    a->next = t->unused;
    t->unused = slot;
    t->n--;
}

uint32_t turn_table_of_user(const struct turn_table *t, const char *user)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->cap; i++)
        n += t->slots[i].relay != 0 && strcmp(turn_user_name(t->slots[i].user), user) == 0;
    return n;
}

/* ---- permissions and channels -----------------------------------------------------------------
 */

/* Room for one more in a list of n; it doubles. NULL: no memory. */
static void *room(void *list, uint32_t n, size_t size)
{
    if (n & (n - 1))
        return list;
    return realloc(list, (n ? 2 * n : 1) * size);
}

/* Its permission, or n_permissions. */
static uint32_t permission_of(const struct turn_allocation *a, const struct addr *peer, ns_t now)
{
    uint32_t i = 0;
    while (i < a->n_permissions &&
           (!turn_same_ip(&a->permissions[i].ip, peer) || a->permissions[i].until <= now))
        i++;
    return i;
}

bool turn_permitted(const struct turn_allocation *a, const struct addr *peer, ns_t now)
{
    return permission_of(a, peer, now) < a->n_permissions;
}

bool turn_channel_permitted(struct turn_allocation *a, const struct turn_channel *c, ns_t now)
{
    uint32_t i = c->permission;
    if (i < a->n_permissions && turn_same_ip(&a->permissions[i].ip, &c->peer) &&
        a->permissions[i].until > now)
        return true;
    i = permission_of(a, &c->peer, now);
    a->channels[c - a->channels].permission = i;
    return i < a->n_permissions;
}

int turn_permit(struct turn_allocation *a, const struct addr *peer, ns_t now, ns_t until)
{
    struct turn_permission *dead = NULL, *list;
    for (uint32_t i = 0; i < a->n_permissions; i++) {
        struct turn_permission *p = &a->permissions[i];
        if (turn_same_ip(&p->ip, peer)) {
            p->until = until;
            return OK;
        }
        if (!dead && p->until <= now)
            dead = p;
    }
    if (!dead) {
        if (a->n_permissions == TURN_TABLE_PEERS)
            return ERR_LIMIT;
        list = room(a->permissions, a->n_permissions, sizeof *list);
        if (!list)
            return ERR_NOMEM;
        a->permissions = list;
        dead = &list[a->n_permissions++];
    }
    *dead = (struct turn_permission){.ip = *peer, .until = until};
    return OK;
}

const struct turn_channel *turn_channel_numbered(const struct turn_allocation *a, uint16_t number,
                                                 ns_t now)
{
    uint32_t i = map_get(&a->by_number, number, 0);
    if (i < a->n_channels && a->channels[i].number == number && a->channels[i].until > now)
        return &a->channels[i];
    for (i = 0; i < a->n_channels; i++)
        if (a->channels[i].number == number && a->channels[i].until > now)
            return &a->channels[i];
    return NULL;
}

const struct turn_channel *turn_channel_to(const struct turn_allocation *a, const struct addr *peer,
                                           ns_t now)
{
    uint32_t i = a->n_channels ? map_get(&a->by_peer, hash_addr(0, peer), 0) : 0;
    if (i < a->n_channels && addr_equal(&a->channels[i].peer, peer) && a->channels[i].until > now)
        return &a->channels[i];
    for (i = 0; i < a->n_channels; i++)
        if (addr_equal(&a->channels[i].peer, peer) && a->channels[i].until > now)
            return &a->channels[i];
    return NULL;
}

static void forget(struct map *m, uint32_t key, uint32_t i)
{
    if (map_get(m, key, TURN_NONE) == i)
        map_remove(m, key);
}

/* The channel that is there makes room for another. */
static void place(struct turn_allocation *a, uint32_t i, const struct turn_channel *c, bool fresh)
{
    struct turn_channel *at = &a->channels[i];
    if (!fresh) {
        forget(&a->by_number, at->number, i);
        forget(&a->by_peer, hash_addr(0, &at->peer), i);
    }
    *at = *c;
    map_put(&a->by_number, c->number, i); /* without memory it is looked for */
    map_put(&a->by_peer, hash_addr(0, &c->peer), i);
}

int turn_channel_bind(struct turn_allocation *a, uint16_t number, const struct addr *peer, ns_t now,
                      ns_t until)
{
    struct turn_channel *at = NULL, *list;
    bool fresh = false;
    for (uint32_t i = 0; i < a->n_channels; i++) {
        struct turn_channel *c = &a->channels[i];
        bool number_same = c->number == number, peer_same = addr_equal(&c->peer, peer);
        if (c->until > now && number_same != peer_same)
            return ERR_EXISTS;
        if (number_same || (!at && c->until <= now))
            at = c;
    }
    if (!at) {
        if (a->n_channels == TURN_TABLE_PEERS)
            return ERR_LIMIT;
        list = room(a->channels, a->n_channels, sizeof *list);
        if (!list)
            return ERR_NOMEM;
        a->channels = list;
        at = &list[a->n_channels++];
        fresh = true;
    }
    place(a, (uint32_t)(at - a->channels),
          &(struct turn_channel){.peer = *peer, .number = number, .until = until}, fresh);
    return OK;
}
