#include "engine/worlds/link/nat.h"

#include <stdlib.h>

/* ---- hashes --------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0xbf58476d1ce4e5b9U;
    h = (h ^ h >> 29) * 0x94d049bb133111ebU;
    return h ^ h >> 32;
}

static uint64_t mix_ip(uint64_t h, const uint8_t ip[16])
{
    uint64_t word[2];
    memcpy(word, ip, 16);
    return mix(mix(h, word[0]), word[1]);
}

static uint32_t key_of(uint64_t h)
{
    return (uint32_t)h ? (uint32_t)h : 1;
}

uint32_t nat_hash_ip(const uint8_t ip[16])
{
    return key_of(mix_ip(1, ip));
}

static uint32_t hash_inner(const struct nat_mapping *m)
{
    uint64_t h = mix(2 + (uint64_t)m->protocol, (uint64_t)m->inside << 16 | m->inner_port);
    return key_of(mix_ip(mix(h, m->remote.port), m->remote.ip));
}

static uint32_t hash_outer(uint32_t box, unsigned protocol, uint16_t port)
{
    return key_of(mix(4 + (uint64_t)protocol, (uint64_t)box << 16 | port));
}

static uint32_t hash_remote(uint32_t mapping, const struct addr *remote)
{
    return key_of(mix_ip(mix(6, (uint64_t)mapping << 16 | remote->port), remote->ip));
}

/* ---- pools ---------------------------------------------------------------------------- */

void nat_table_init(struct nat_table *t)
{
    *t = (struct nat_table){.free_mapping = NAT_NONE_SUCH, .free_session = NAT_NONE_SUCH};
}

void nat_table_free(struct nat_table *t)
{
    free(t->mappings);
    free(t->sessions);
    map_free(&t->by_inner);
    map_free(&t->by_outer);
    map_free(&t->by_remote);
    nat_table_init(t);
}

static bool room(void **list, uint32_t n, uint32_t *cap, size_t size)
{
    uint32_t more = *cap ? 2 * *cap : 16;
    void *grown;
    if (n < *cap)
        return true;
    grown = more > *cap ? realloc(*list, more * size) : NULL;
    if (!grown)
        return false;
    *list = grown;
    *cap = more;
    return true;
}

/* ---- mappings ------------------------------------------------------------------------- */

static bool same_key(const struct nat_mapping *a, const struct nat_mapping *b)
{
    return a->inside == b->inside && a->inner_port == b->inner_port && a->protocol == b->protocol &&
           addr_equal(&a->remote, &b->remote);
}

static bool expired(const struct nat_mapping *m, ns_t now)
{
    return !m->forward && m->expires <= now;
}

uint32_t nat_find_inner(struct nat *nat, const struct nat_mapping *key, ns_t now)
{
    struct nat_table *t = &nat->table;
    uint32_t i = map_get(&t->by_inner, hash_inner(key), NAT_NONE_SUCH);
    while (i != NAT_NONE_SUCH && !same_key(&t->mappings[i], key))
        i = t->mappings[i].next_inner;
    if (i == NAT_NONE_SUCH || !expired(&t->mappings[i], now))
        return i;
    nat_remove_mapping(nat, i);
    return NAT_NONE_SUCH;
}

uint32_t nat_find_outer(struct nat *nat, uint32_t box, enum nat_protocol protocol, uint16_t port,
                        ns_t now)
{
    struct nat_table *t = &nat->table;
    uint32_t i = map_get(&t->by_outer, hash_outer(box, protocol, port), NAT_NONE_SUCH);
    while (i != NAT_NONE_SUCH &&
           (t->mappings[i].box != box || t->mappings[i].protocol != protocol ||
            t->mappings[i].outer_port != port))
        i = t->mappings[i].next_outer;
    if (i == NAT_NONE_SUCH || !expired(&t->mappings[i], now))
        return i;
    nat_remove_mapping(nat, i);
    return NAT_NONE_SUCH;
}

/* Takes `gone` out of the chain that a map's value begins. */
static void unchain(struct map *map, uint32_t hash, uint32_t gone, uint32_t next, char *links,
                    size_t size)
{
    uint32_t i = map_get(map, hash, NAT_NONE_SUCH), *link = NULL;
    while (i != gone) {
        link = (uint32_t *)(void *)(links + i * size);
        i = *link;
    }
    if (link)
        *link = next;
    else if (next == NAT_NONE_SUCH)
        map_remove(map, hash);
    else
        map_put(map, hash, next); /* is there: takes no memory */
}

static void remove_session(struct nat *, uint32_t);

void nat_remove_mapping(struct nat *nat, uint32_t i)
{
    struct nat_table *t = &nat->table;
    struct nat_mapping *m = &t->mappings[i];
    struct nat_inside *inside = &nat->insides[m->inside];
    while (m->sessions != NAT_NONE_SUCH)
        remove_session(nat, m->sessions);
    unchain(&t->by_inner, hash_inner(m), i, m->next_inner, (char *)&t->mappings[0].next_inner,
            sizeof *m);
    unchain(&t->by_outer, hash_outer(m->box, m->protocol, m->outer_port), i, m->next_outer,
            (char *)&t->mappings[0].next_outer, sizeof *m);
    if (m->prev != NAT_NONE_SUCH)
        t->mappings[m->prev].next = m->next;
    else
        inside->mappings = m->next;
    if (m->next != NAT_NONE_SUCH)
        t->mappings[m->next].prev = m->prev;
    inside->n -= !m->forward;
    m->live = false;
    m->next = t->free_mapping;
    t->free_mapping = i;
    t->live_mappings--;
}

static void sweep_mappings(struct nat *nat, ns_t now)
{
    struct nat_table *t = &nat->table;
    for (int k = 0; k < 2 && t->n_mappings; k++) {
        uint32_t i = t->hand_mapping < t->n_mappings ? t->hand_mapping : 0;
        t->hand_mapping = i + 1;
        if (t->mappings[i].live && expired(&t->mappings[i], now))
            nat_remove_mapping(nat, i);
    }
}

static int chain(struct map *map, uint32_t hash, uint32_t i, uint32_t *next)
{
    *next = map_get(map, hash, NAT_NONE_SUCH);
    return map_put(map, hash, i);
}

uint32_t nat_add_mapping(struct nat *nat, const struct nat_mapping *from, ns_t now)
{
    struct nat_table *t = &nat->table;
    struct nat_inside *inside = &nat->insides[from->inside];
    struct nat_mapping *m;
    uint32_t i, hash = hash_inner(from);
    sweep_mappings(nat, now);
    if (t->free_mapping == NAT_NONE_SUCH &&
        !room((void **)&t->mappings, t->n_mappings, &t->cap_mappings, sizeof *m))
        return NAT_NONE_SUCH;
    i = t->free_mapping != NAT_NONE_SUCH ? t->free_mapping : t->n_mappings;
    m = &t->mappings[i];
    uint32_t free_next = i == t->n_mappings ? NAT_NONE_SUCH : m->next;
    *m = *from;
    if (chain(&t->by_inner, hash, i, &m->next_inner) != OK)
        return NAT_NONE_SUCH;
    if (chain(&t->by_outer, hash_outer(m->box, m->protocol, m->outer_port), i, &m->next_outer) !=
        OK) {
        unchain(&t->by_inner, hash, i, m->next_inner, (char *)&t->mappings[0].next_inner,
                sizeof *m);
        return NAT_NONE_SUCH;
    }
    if (i == t->n_mappings)
        t->n_mappings++;
    t->free_mapping = free_next;
    m->live = true;
    m->sessions = NAT_NONE_SUCH;
    m->n_sessions = 0;
    m->prev = NAT_NONE_SUCH;
    m->next = inside->mappings;
    if (m->next != NAT_NONE_SUCH)
        t->mappings[m->next].prev = i;
    inside->mappings = i;
    inside->n += !m->forward;
    t->live_mappings++;
    return i;
}

/* ---- sessions ------------------------------------------------------------------------- */

static void remove_session(struct nat *nat, uint32_t i)
{
    struct nat_table *t = &nat->table;
    struct nat_session *s = &t->sessions[i];
    struct nat_mapping *m = &t->mappings[s->mapping];
    unchain(&t->by_remote, hash_remote(s->mapping, &s->remote), i, s->next_hash,
            (char *)&t->sessions[0].next_hash, sizeof *s);
    if (s->prev != NAT_NONE_SUCH)
        t->sessions[s->prev].next = s->next;
    else
        m->sessions = s->next;
    if (s->next != NAT_NONE_SUCH)
        t->sessions[s->next].prev = s->prev;
    m->n_sessions--;
    s->live = false;
    s->next = t->free_session;
    t->free_session = i;
    t->live_sessions--;
}

uint32_t nat_find_session(struct nat *nat, uint32_t mapping, const struct addr *remote, ns_t now)
{
    struct nat_table *t = &nat->table;
    uint32_t i = map_get(&t->by_remote, hash_remote(mapping, remote), NAT_NONE_SUCH);
    while (i != NAT_NONE_SUCH &&
           (t->sessions[i].mapping != mapping || !addr_equal(&t->sessions[i].remote, remote)))
        i = t->sessions[i].next_hash;
    if (i == NAT_NONE_SUCH || t->sessions[i].expires > now)
        return i;
    remove_session(nat, i);
    return NAT_NONE_SUCH;
}

static void sweep_sessions(struct nat *nat, ns_t now)
{
    struct nat_table *t = &nat->table;
    for (int k = 0; k < 2 && t->n_sessions; k++) {
        uint32_t i = t->hand_session < t->n_sessions ? t->hand_session : 0;
        t->hand_session = i + 1;
        if (t->sessions[i].live && t->sessions[i].expires <= now)
            remove_session(nat, i);
    }
}

uint32_t nat_add_session(struct nat *nat, uint32_t mapping, const struct addr *remote, ns_t now)
{
    struct nat_table *t = &nat->table;
    struct nat_mapping *m = &t->mappings[mapping];
    struct nat_session *s;
    uint32_t i, free_next = NAT_NONE_SUCH;
    sweep_sessions(nat, now);
    if (m->n_sessions >= NAT_SESSIONS ||
        (t->free_session == NAT_NONE_SUCH &&
         !room((void **)&t->sessions, t->n_sessions, &t->cap_sessions, sizeof *s)))
        return NAT_NONE_SUCH;
    i = t->free_session != NAT_NONE_SUCH ? t->free_session : t->n_sessions;
    s = &t->sessions[i];
    if (i != t->n_sessions)
        free_next = s->next;
    *s = (struct nat_session){.remote = *remote,
                              .mapping = mapping,
                              .expires = now,
                              .prev = NAT_NONE_SUCH,
                              .next = m->sessions};
    if (chain(&t->by_remote, hash_remote(mapping, remote), i, &s->next_hash) != OK) {
        s->next = free_next;
        return NAT_NONE_SUCH;
    }
    if (i == t->n_sessions)
        t->n_sessions++;
    t->free_session = free_next;
    s->live = true;
    if (s->next != NAT_NONE_SUCH)
        t->sessions[s->next].prev = i;
    m->sessions = i;
    m->n_sessions++;
    t->live_sessions++;
    return i;
}
