/* Who learns what about whom.
 *
 * party_address is M1 of METRICS.md, the matrix E[who][whom] in {0, 1, 2}. `who` is any party
 * or service and sees what arrives at its own links; `whom` is a party. Level 1: an address of
 * `whom` was seen. Level 2: and it was tied to the identity `whom`, by whatever protocol told
 * so; a tie to another identity than the address's owner is worth nothing. `first` is when the
 * first address of `whom` was seen.
 *
 * Other facts are declared by the node that learns them (env_ops.show): party_member (whom takes
 * part), party_pair (whom talks to other), party_input (the input of whom). One about the node
 * itself is no exposure.
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

struct fact {
    ns_t first;
    enum shown_kind kind;
    party_t at, whom, other;
    uint32_t next; /* of the same hash */
};

struct exposures {
    struct fact *facts; /* by first declaration */
    uint32_t n_facts, cap_facts;
    struct map fact_by_hash;
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
    if (s->shown && e->whom == PARTY_NONE)
        e->whom = s->shown->whom;
    return !s->shown || e->whom == s->shown->whom;
}

/* Room for one more behind n. False: out of memory. */
static bool grow(void **list, uint32_t n, uint32_t *cap, size_t size)
{
    uint32_t more = *cap ? 2 * *cap : 64;
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

static void learn(struct exposures *x, const struct sighting *s)
{
    struct fact f = {.first = s->when,
                     .kind = s->shown->kind,
                     .at = s->at,
                     .whom = s->shown->whom,
                     .other = s->shown->kind == SHOWN_PAIR ? s->shown->other : PARTY_NONE};
    const struct addr name = {.port = (uint16_t)f.kind};
    uint32_t hash, head, i;
    if (f.other < f.whom) {
        f.whom = s->shown->other;
        f.other = s->shown->whom;
    }
    hash = hash_of(f.at, &name) ^ f.whom * 0x9e3779b1U ^ f.other * 0x85ebca6bU;
    hash = hash ? hash : 1;
    head = map_get(&x->fact_by_hash, hash, NONE);
    for (i = head; i != NONE; i = x->facts[i].next)
        if (x->facts[i].kind == f.kind && x->facts[i].at == f.at && x->facts[i].whom == f.whom &&
            x->facts[i].other == f.other)
            return;
    f.next = head;
    if (!grow((void **)&x->facts, x->n_facts, &x->cap_facts, sizeof f) ||
        map_put(&x->fact_by_hash, hash, x->n_facts) != OK)
        return;
    x->facts[x->n_facts++] = f;
}

static void exposure_see(void *self, const struct sighting *s)
{
    struct exposures *x = self;
    uint32_t hash, head, i = s->at < x->n_nodes ? x->last[s->at] : NONE;
    if (s->at < x->n_nodes && s->shown && s->shown->kind != SHOWN_ADDRESS) {
        learn(x, s);
        return;
    }
    if (s->at >= x->n_nodes || (i != NONE && holds(&x->entries[i], s)))
        return;
    hash = hash_of(s->at, &s->peer);
    head = map_get(&x->by_hash, hash, NONE);
    for (i = head; i != NONE && !holds(&x->entries[i], s);)
        i = x->entries[i].next;
    if (i == NONE) {
        if (!grow((void **)&x->entries, x->n, &x->cap, sizeof *x->entries) ||
            map_put(&x->by_hash, hash, x->n) != OK)
            return;
        x->entries[x->n] = (struct entry){.first = s->when,
                                          .addr = s->peer,
                                          .at = s->at,
                                          .whom = s->shown ? s->shown->whom : PARTY_NONE,
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

static int by_fact(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->whom != y->whom)
        return x->whom < y->whom ? -1 : 1;
    return x->other < y->other ? -1 : x->other > y->other;
}

/* Ends the seeing: facts are sorted where they are. */
static void score_facts(struct exposures *x, uint32_t n_parties,
                        void (*row)(void *, const struct exposure *), void *ctx)
{
    static const char *const names[] = {[SHOWN_MEMBER] = "party_member",
                                        [SHOWN_PAIR] = "party_pair",
                                        [SHOWN_INPUT] = "party_input"};
    if (x->n_facts)
        qsort(x->facts, x->n_facts, sizeof *x->facts, by_fact);
    for (uint32_t i = 0; i < x->n_facts; i++) {
        const struct fact *f = &x->facts[i];
        bool own = f->whom == f->at || f->other == f->at;
        bool parties = f->whom < n_parties && (f->kind != SHOWN_PAIR || f->other < n_parties);
        if (parties && !own)
            row(ctx, &(struct exposure){.observer = "exposure",
                                        .what = names[f->kind],
                                        .who = f->at,
                                        .whom = f->whom,
                                        .other = f->other,
                                        .level = 2,
                                        .first = f->first});
    }
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
                                          .other = PARTY_NONE,
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
    score_facts(x, truth->roster->n_parties, row, ctx);
}

static void exposure_free(void *self)
{
    struct exposures *x = self;
    free(x->facts);
    map_free(&x->fact_by_hash);
    free(x->entries);
    free(x->last);
    map_free(&x->by_hash);
}

const struct observer observer_exposure = {
    .name = "exposure",
    .help =
        "who learns the network address of which party, and what else a role's holder reads there",
    .size = sizeof(struct exposures),
    .init = exposure_init,
    .see = exposure_see,
    .score = exposure_score,
    .free = exposure_free,
};
