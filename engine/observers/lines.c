#include "engine/observers/lines.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const uint8_t ip[16])
{
    uint64_t h = 0x9e3779b97f4a7c15U, word;
    for (size_t i = 0; i < 16; i += sizeof word) {
        memcpy(&word, ip + i, sizeof word);
        h ^= word;
        h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9U;
        h = (h ^ h >> 27) * 0x94d049bb133111ebU;
        h ^= h >> 31;
    }
    h ^= h >> 32;
    return (uint32_t)h ? (uint32_t)h : 1;
}

static struct lines_entry *find(const struct lines *l, uint32_t hash, const uint8_t ip[16])
{
    uint32_t i = map_get(&l->by_hash, hash, UINT32_MAX);
    while (i != UINT32_MAX && memcmp(l->entries[i].ip, ip, 16) != 0)
        i = l->entries[i].next;
    return i == UINT32_MAX ? NULL : &l->entries[i];
}

static bool add(struct lines *l, uint32_t hash, const uint8_t ip[16], uint32_t who)
{
    if (l->n == l->cap) {
        uint32_t more = l->cap ? 2 * l->cap : 64;
        struct lines_entry *grown = realloc(l->entries, more * sizeof *grown);
        if (!grown)
            return false;
        l->entries = grown;
        l->cap = more;
    }
    l->entries[l->n] =
        (struct lines_entry){.who = who, .next = map_get(&l->by_hash, hash, UINT32_MAX)};
    memcpy(l->entries[l->n].ip, ip, 16);
    if (map_put(&l->by_hash, hash, l->n) != OK)
        return false;
    l->n++;
    return true;
}

/* A tapped host's address is its own from then on. */
static void learn(struct lines *l, const struct addr *a, uint32_t who)
{
    uint32_t hash = hash_of(a->ip);
    struct lines_entry *e = find(l, hash, a->ip);
    if (!e)
        add(l, hash, a->ip, who);
    else if (e->who >= l->n_nodes)
        e->who = who;
}

int lines_init(struct lines *l, const struct observer_setup *setup)
{
    static const uint8_t none[16];
    *l = (struct lines){.n_nodes = setup->n_nodes};
    for (uint32_t i = setup->n_parties; setup->services && i < setup->n_nodes; i++) {
        const struct addr *a = &setup->services[i - setup->n_parties].addr;
        uint32_t hash = hash_of(a->ip);
        if (memcmp(a->ip, none, sizeof none) != 0 && !find(l, hash, a->ip) &&
            !add(l, hash, a->ip, i)) {
            lines_free(l);
            return ERR_NOMEM;
        }
    }
    return OK;
}

void lines_free(struct lines *l)
{
    free(l->entries);
    map_free(&l->by_hash);
    *l = (struct lines){0};
}

uint32_t lines_who(struct lines *l, const struct addr *a)
{
    uint32_t hash = hash_of(a->ip);
    const struct lines_entry *e = find(l, hash, a->ip);
    if (e)
        return e->who;
    if (l->n_strangers >= LINES_STRANGERS || !add(l, hash, a->ip, l->n_nodes + l->n_strangers))
        return UINT32_MAX;
    return l->n_nodes + l->n_strangers++;
}

uint32_t lines_peer(struct lines *l, const struct sighting *s)
{
    learn(l, s->out ? &s->from : &s->to, s->at);
    return lines_who(l, s->out ? &s->to : &s->from);
}

uint32_t lines_flow(const struct sighting *s)
{
    uint32_t from = hash_of(s->from.ip) ^ s->from.port, to = hash_of(s->to.ip) ^ s->to.port;
    uint64_t h = ((uint64_t)from << 32 | to) * 0x9e3779b97f4a7c15U + s->datagram;
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9U;
    h ^= h >> 32;
    return (uint32_t)h ? (uint32_t)h : 1;
}

enum lines_role lines_role(const struct observer_setup *setup, uint32_t who)
{
    static const struct {
        const char *name;
        enum lines_role role;
    } known[] = {{"mix", LINES_MIX},     {"provider", LINES_PROVIDER}, {"directory", LINES_OTHER},
                 {"relay", LINES_RELAY}, {"turn", LINES_RELAY},        {"matchmaker", LINES_OTHER}};
    const char *role;
    if (who < setup->n_parties)
        return LINES_SENDER;
    if (who >= setup->n_nodes || !setup->services)
        return LINES_OTHER;
    role = setup->services[who - setup->n_parties].role;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(role, known[i].name) == 0)
            return known[i].role;
    return LINES_SENDER;
}

uint32_t lines_senders(const struct observer_setup *setup, uint32_t *place, uint32_t *who)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < setup->n_nodes; i++) {
        bool sends = lines_role(setup, i) == LINES_SENDER;
        place[i] = sends ? n : UINT32_MAX;
        if (sends && who)
            who[n] = i;
        n += sends;
    }
    return n;
}

uint32_t lines_target(const struct observer_setup *setup)
{
    for (size_t i = 0; i < setup->n_places; i++)
        if (setup->places[i].point == SIGHT_LINE && setup->places[i].at < setup->n_nodes)
            return setup->places[i].at;
    return 0;
}
