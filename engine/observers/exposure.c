#include "engine/observers/exposure.h"

#include <stdlib.h>

#define NONE UINT32_MAX

enum { CLAIM_ADDRESS, CLAIM_FACT };

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

/* Does the entry hold that `at` knows the address, as that of `whom`? Ties an untied one. */
static bool holds(struct exposure_entry *e, party_t at, const struct addr *addr, party_t whom)
{
    if (e->at != at || !addr_equal(&e->addr, addr))
        return false;
    if (e->whom == PARTY_NONE)
        e->whom = whom;
    return whom == PARTY_NONE || e->whom == whom;
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

static void learn(struct exposures *x, party_t at, ns_t when, const struct shown *shown)
{
    struct exposure_fact f = {.first = when,
                              .kind = shown->kind,
                              .at = at,
                              .whom = shown->whom,
                              .other = shown->kind == SHOWN_PAIR ? shown->other : PARTY_NONE};
    const struct addr name = {.port = (uint16_t)f.kind};
    uint32_t hash, head, i;
    if (f.other < f.whom) {
        f.whom = shown->other;
        f.other = shown->whom;
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

static void note(struct exposures *x, party_t at, ns_t when, const struct addr *addr, party_t whom)
{
    uint32_t hash, head, i = x->last[at];
    if (i != NONE && holds(&x->entries[i], at, addr, whom))
        return;
    hash = hash_of(at, addr);
    head = map_get(&x->by_hash, hash, NONE);
    for (i = head; i != NONE && !holds(&x->entries[i], at, addr, whom);)
        i = x->entries[i].next;
    if (i == NONE) {
        if (!grow((void **)&x->entries, x->n, &x->cap, sizeof *x->entries) ||
            map_put(&x->by_hash, hash, x->n) != OK)
            return;
        x->entries[x->n] = (struct exposure_entry){
            .first = when, .addr = *addr, .at = at, .whom = whom, .next = head};
        i = x->n++;
    }
    x->last[at] = i;
}

void exposure_see(void *self, const struct sighting *s)
{
    struct exposures *x = self;
    party_t at = s->point == SIGHT_LINE ? x->setup.n_nodes + s->at : s->at;
    if (s->at >= x->setup.n_nodes || s->point == SIGHT_BORDER)
        return;
    if (!s->visible)
        note(x, at, s->when, s->out ? &s->to : &s->from, PARTY_NONE);
    else if (s->visible->kind == SHOWN_ADDRESS)
        note(x, at, s->when, &s->visible->addr, s->visible->whom);
    else if (s->visible->kind != SHOWN_ROUTE)
        learn(x, at, s->when, s->visible);
}

int exposure_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct exposures *x = self;
    x->setup = *setup;
    x->n_viewers = 2 * setup->n_nodes;
    x->last = malloc((x->n_viewers ? x->n_viewers : 1) * sizeof *x->last);
    if (!x->last)
        return err_set(e, ERR_NOMEM, "no memory for observer exposure");
    for (uint32_t i = 0; i < x->n_viewers; i++)
        x->last[i] = NONE;
    return OK;
}

void exposure_end(void *self, ns_t now)
{
    struct exposures *x = self;
    (void)now;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct exposure_entry *e = &x->entries[i];
        const struct candidate tied = {.p = 1, .who = e->whom, .addr = e->addr};
        x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_ADDRESS,
                                                     .when = e->first,
                                                     .about = e->addr,
                                                     .candidates = &tied,
                                                     .n = e->whom != PARTY_NONE,
                                                     .more = e});
    }
    for (uint32_t i = 0; i < x->n_facts; i++)
        x->setup.claim(
            x->setup.ctx,
            &(struct claim){.what = CLAIM_FACT, .when = x->facts[i].first, .more = &x->facts[i]});
}

void exposure_free(void *self)
{
    struct exposures *x = self;
    free(x->facts);
    map_free(&x->fact_by_hash);
    free(x->entries);
    free(x->last);
    map_free(&x->by_hash);
}

/* ---- judging ---------------------------------------------------------------------------- */

/* Rows in order of fact: addresses, members, pairs, inputs. */
static const char *const facts[] = {[SHOWN_ADDRESS] = "party_address",
                                    [SHOWN_MEMBER] = "party_member",
                                    [SHOWN_PAIR] = "party_pair",
                                    [SHOWN_INPUT] = "party_input"};

static void judge_fact(struct exposure_score *s, const struct exposure_fact *f, uint32_t n_parties)
{
    bool own = f->whom == f->at || f->other == f->at;
    bool parties = f->whom < n_parties && (f->kind != SHOWN_PAIR || f->other < n_parties);
    if (!parties || own || !grow((void **)&s->rows, s->n, &s->cap, sizeof *s->rows))
        return;
    s->rows[s->n++] = (struct exposure){.observer = "exposure",
                                        .what = facts[f->kind],
                                        .who = f->at,
                                        .whom = f->whom,
                                        .other = f->other,
                                        .level = 2,
                                        .first = f->first};
}

void exposure_judge(void *score, const struct claim *g, const struct truth *truth)
{
    struct exposure_score *s = score;
    const struct exposure_entry *e = g->more;
    const struct roster *r = truth->roster;
    party_t owner;
    if (g->what == CLAIM_FACT) {
        judge_fact(s, g->more, r->n_parties);
        return;
    }
    owner = truth->owner(truth->world, &g->about);
    if (owner >= r->n_parties || e->at == owner || e->at == r->n + owner)
        return;
    if (!grow((void **)&s->rows, s->n, &s->cap, sizeof *s->rows))
        return;
    s->rows[s->n++] = (struct exposure){.observer = "exposure",
                                        .what = facts[SHOWN_ADDRESS],
                                        .who = e->at,
                                        .whom = owner,
                                        .other = PARTY_NONE,
                                        .level = g->n && g->candidates[0].who == owner ? 2 : 1,
                                        .first = g->when};
}

static unsigned rank(const char *what)
{
    unsigned i = 0;
    while (facts[i] != what)
        i++;
    return i;
}

static int by_fact(const void *a, const void *b)
{
    const struct exposure *x = a, *y = b;
    unsigned i = rank(x->what), j = rank(y->what);
    if (i != j)
        return i < j ? -1 : 1;
    if (x->who != y->who)
        return x->who < y->who ? -1 : 1;
    if (x->whom != y->whom)
        return x->whom < y->whom ? -1 : 1;
    return x->other < y->other ? -1 : x->other > y->other;
}

void exposure_settle(struct exposure_score *s)
{
    uint32_t n = 0;
    if (s->n)
        qsort(s->rows, s->n, sizeof *s->rows, by_fact);
    for (uint32_t i = 0; i < s->n;) {
        struct exposure one = s->rows[i];
        for (; i < s->n && by_fact(&one, &s->rows[i]) == 0; i++) {
            if (s->rows[i].level > one.level)
                one.level = s->rows[i].level;
            if (s->rows[i].first < one.first)
                one.first = s->rows[i].first;
        }
        s->rows[n++] = one;
    }
    s->n = n;
}

static void exposure_report(void *score, const struct truth *truth, const struct report *out)
{
    struct exposure_score *s = score;
    (void)truth;
    exposure_settle(s);
    for (uint32_t i = 0; i < s->n; i++)
        out->exposure(out->ctx, &s->rows[i]);
}

void exposure_score_free(void *score)
{
    struct exposure_score *s = score;
    free(s->rows);
}

const struct observer observer_exposure = {
    .name = "exposure",
    .help = "who learns the network address of which party, and what else a role's holder reads "
            "there",
    .wants = EXPOSURE_WANTS,
    .size = sizeof(struct exposures),
    .init = exposure_init,
    .see = exposure_see,
    .end = exposure_end,
    .free = exposure_free,
    .score_size = sizeof(struct exposure_score),
    .judge = exposure_judge,
    .report = exposure_report,
    .score_free = exposure_score_free,
};
