/* Who learns whose address: M1 of METRICS.md, the matrix E[who][whom] in {0, 1, 2}.
 *
 * `who` is any party or service and sees what arrives at its own links; `whom` is a party.
 * Level 1: an address of `whom` was seen. Level 2: and it was tied to the identity `whom`,
 * by whatever protocol told so; a tie to another identity than the address's owner is worth
 * nothing. `first` is when the first address of `whom` was seen.
 *
 * A sighting runs once a message, so the entry that a node used last is tried first. Kept is
 * one entry for each (node, address), and one more for each further identity tied to it.
 */
#include "engine/base/map.h"
#include "engine/observer.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct entry {
    ns_t first;
    struct addr addr;
    party_t at, whom; /* whom: PARTY_NONE: not tied */
    uint32_t next;    /* of the same hash */
};

struct exposures {
    struct entry *entries; /* by first sighting */
    uint32_t n, cap, n_nodes;
    uint32_t *last; /* a node's entry used last */
    struct map by_hash;
};

static uint32_t hash_of(party_t at, const struct addr *a)
{
    uint64_t h = ((uint64_t)at << 16 | a->port) + 0x9e3779b97f4a7c15U, word;
    for (size_t i = 0; i < sizeof a->ip; i += sizeof word) {
        memcpy(&word, a->ip + i, sizeof word);
        h ^= word;
        h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9U;
        h = (h ^ h >> 27) * 0x94d049bb133111ebU;
        h ^= h >> 31;
    }
    h ^= h >> 32;
    return (uint32_t)h ? (uint32_t)h : 1;
}

/* Does the entry hold all that the sighting tells? Ties an untied one. */
static bool holds(struct entry *e, const struct sighting *s)
{
    if (e->at != s->at || !addr_equal(&e->addr, &s->peer))
        return false;
    if (s->named && e->whom == PARTY_NONE)
        e->whom = s->whom;
    return !s->named || e->whom == s->whom;
}

static struct entry *new_entry(struct exposures *x)
{
    if (x->n == x->cap) {
        uint32_t cap = x->cap ? 2 * x->cap : 64;
        struct entry *more = cap > x->cap ? realloc(x->entries, cap * sizeof *more) : NULL;
        if (!more)
            return NULL;
        x->entries = more;
        x->cap = cap;
    }
    return &x->entries[x->n];
}

static void exposure_see(void *self, const struct sighting *s)
{
    struct exposures *x = self;
    uint32_t hash, head, i = s->at < x->n_nodes ? x->last[s->at] : NONE;
    struct entry *e;
    if (s->at >= x->n_nodes || (i != NONE && holds(&x->entries[i], s)))
        return;
    hash = hash_of(s->at, &s->peer);
    head = map_get(&x->by_hash, hash, NONE);
    for (i = head; i != NONE && !holds(&x->entries[i], s);)
        i = x->entries[i].next;
    if (i == NONE) {
        e = new_entry(x);
        if (!e || map_put(&x->by_hash, hash, x->n) != OK)
            return;
        *e = (struct entry){.first = s->when,
                            .addr = s->peer,
                            .at = s->at,
                            .whom = s->named ? s->whom : PARTY_NONE,
                            .next = head};
        i = x->n++;
    }
    x->last[s->at] = i;
}

static int exposure_init(void *self, const void *opts, uint32_t n_nodes)
{
    struct exposures *x = self;
    (void)opts;
    x->last = malloc((n_nodes ? n_nodes : 1) * sizeof *x->last);
    if (!x->last)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n_nodes; i++)
        x->last[i] = NONE;
    x->n_nodes = n_nodes;
    return OK;
}

static int by_pair(const void *a, const void *b)
{
    const struct exposure *x = a, *y = b;
    if (x->who != y->who)
        return x->who < y->who ? -1 : 1;
    if (x->whom != y->whom)
        return x->whom < y->whom ? -1 : 1;
    return 0;
}

static void exposure_score(void *self, const struct truth *truth,
                           void (*row)(void *, const struct exposure *), void *ctx)
{
    struct exposures *x = self;
    struct exposure *rows = malloc((x->n ? x->n : 1) * sizeof *rows);
    size_t n = 0;
    if (!rows)
        return;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct entry *e = &x->entries[i];
        party_t owner = truth->owner(truth->world, &e->addr);
        if (owner < truth->roster->n_parties && owner != e->at)
            rows[n++] = (struct exposure){.observer = "exposure",
                                          .what = "party_address",
                                          .who = e->at,
                                          .whom = owner,
                                          .level = e->whom == owner ? 2 : 1,
                                          .first = e->first};
    }
    qsort(rows, n, sizeof *rows, by_pair);
    for (size_t i = 0; i < n;) {
        struct exposure one = rows[i];
        for (; i < n && by_pair(&one, &rows[i]) == 0; i++) {
            if (rows[i].level > one.level)
                one.level = rows[i].level;
            if (rows[i].first < one.first)
                one.first = rows[i].first;
        }
        row(ctx, &one);
    }
    free(rows);
}

static void exposure_free(void *self)
{
    struct exposures *x = self;
    free(x->entries);
    free(x->last);
    map_free(&x->by_hash);
}

const struct observer observer_exposure = {
    .name = "exposure",
    .help = "who sees the network address of which party, and can tie it to the identity",
    .size = sizeof(struct exposures),
    .init = exposure_init,
    .see = exposure_see,
    .score = exposure_score,
    .free = exposure_free,
};
