/* M11, metadata at rest: what a seizure of the tapped servers would find (env_keep). A record that
 * is declared again is replaced; who keeps more than KEEPING_MAX records is counted up to there. */
#include "engine/base/map.h"
#include "engine/observer.h"

#include <stdlib.h>

#define NONE UINT32_MAX

enum { KEEPING_MAX = 1 << 20 };

struct piece {
    ns_t from, until; /* at rest */
    uint64_t record, bits;
    party_t at, whom, other;
    unsigned fields;
    uint32_t next; /* of the same hash */
};

struct keeping {
    struct observer_setup setup;
    struct piece *pieces;
    uint32_t n, cap;
    struct map newest; /* hash of node and record -> its newest piece */
};

static int keeping_init(void *self, const struct observer_setup *setup, struct err *e)
{
    (void)e;
    ((struct keeping *)self)->setup = *setup;
    return OK;
}

static void keeping_see(void *self, const struct sighting *s)
{
    struct keeping *k = self;
    const struct retained *r = s->kept;
    uint64_t h = (r->record ^ (uint64_t)s->at << 40) * 0x9e3779b97f4a7c15U;
    uint32_t key = (uint32_t)(h >> 32) | 1, head = map_get(&k->newest, key, NONE);
    for (uint32_t i = head; i != NONE; i = k->pieces[i].next) {
        struct piece *p = &k->pieces[i];
        if (p->at == s->at && p->record == r->record && p->until > s->when)
            p->until = s->when;
    }
    if (r->until <= s->when || k->n == KEEPING_MAX)
        return;
    if (k->n == k->cap) {
        uint32_t cap = k->cap ? 2 * k->cap : 64;
        struct piece *more = realloc(k->pieces, cap * sizeof *more);
        if (!more)
            return;
        k->pieces = more;
        k->cap = cap;
    }
    if (map_put(&k->newest, key, k->n) != OK)
        return;
    k->pieces[k->n++] = (struct piece){.from = s->when,
                                       .until = r->until,
                                       .record = r->record,
                                       .bits = r->bits,
                                       .at = s->at,
                                       .whom = r->whom,
                                       .other = r->other,
                                       .fields = r->fields,
                                       .next = head};
}

struct step {
    ns_t at;
    int64_t bits;
};

/* What leaves at a time does so before what comes. */
static int by_time(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->bits > y->bits) - (x->bits < y->bits);
}

static int64_t peak_of(const struct keeping *k)
{
    struct step *steps = malloc(((size_t)k->n * 2 + 1) * sizeof *steps);
    int64_t now = 0, most = 0;
    size_t n = 0;
    for (uint32_t i = 0; steps && i < k->n; i++) {
        steps[n++] = (struct step){k->pieces[i].from, (int64_t)k->pieces[i].bits};
        steps[n++] = (struct step){k->pieces[i].until, -(int64_t)k->pieces[i].bits};
    }
    if (steps)
        qsort(steps, n, sizeof *steps, by_time);
    for (size_t i = 0; i < n; i++) {
        now += steps[i].bits;
        most = now > most ? now : most;
    }
    free(steps);
    return most;
}

static int by_fact(const void *a, const void *b)
{
    const struct piece *x = *(const struct piece *const *)a, *y = *(const struct piece *const *)b;
    if (x->whom != y->whom)
        return x->whom < y->whom ? -1 : 1;
    if (x->other != y->other)
        return x->other < y->other ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* Different (whom, time), or (whom, other, time), in what is at rest with all these fields. */
static int64_t facts(const struct keeping *k, unsigned fields, ns_t now)
{
    const struct piece **list = malloc(((size_t)k->n + 1) * sizeof *list);
    int64_t different = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; list && i < k->n; i++)
        if (k->pieces[i].until > now && (k->pieces[i].fields & fields) == fields)
            list[n++] = &k->pieces[i];
    if (list)
        qsort(list, n, sizeof *list, by_fact);
    for (uint32_t i = 0; i < n; i++)
        different += i == 0 || by_fact(&list[i - 1], &list[i]) != 0;
    free(list);
    return different;
}

static void keeping_end(void *self, ns_t now)
{
    struct keeping *k = self;
    uint64_t rest = 0, bit_ms = 0;
    int64_t values[5];
    static const enum privacy what[] = {PRIVACY_AT_REST, PRIVACY_AT_REST_PEAK, PRIVACY_AT_REST_TIME,
                                        PRIVACY_SEIZED_ADDRESSES, PRIVACY_SEIZED_PAIRS};
    for (uint32_t i = 0; i < k->n; i++) {
        const struct piece *p = &k->pieces[i];
        ns_t until = p->until < now ? p->until : now;
        rest += p->until > now ? p->bits : 0;
        bit_ms += until > p->from ? p->bits * (uint64_t)((until - p->from) / NS_MS) : 0;
    }
    values[0] = (int64_t)rest;
    values[1] = peak_of(k);
    values[2] = (int64_t)(bit_ms / 1000);
    values[3] = facts(k, KEPT_ADDRESS | KEPT_TIME, now);
    values[4] = facts(k, KEPT_PAIR | KEPT_TIME, now);
    for (unsigned i = 0; i < sizeof what / sizeof *what; i++)
        k->setup.claim(
            k->setup.ctx,
            &(struct claim){
                .what = what[i], .when = now, .figure = (double)values[i], .n = 0, .more = &k->n});
}

static void keeping_free(void *self)
{
    struct keeping *k = self;
    free(k->pieces);
    map_free(&k->newest);
}

/* ---- the figures need no truth ---------------------------------------------------------- */

struct score {
    struct finding list[8];
    unsigned n;
};

static void keeping_judge(void *score, const struct claim *c, const struct truth *truth)
{
    struct score *s = score;
    (void)truth;
    if (s->n < sizeof s->list / sizeof *s->list)
        s->list[s->n++] = (struct finding){.what = (enum privacy)c->what,
                                           .value = (int64_t)c->figure,
                                           .n = *(const uint32_t *)c->more};
}

static void keeping_report(void *score, const struct truth *truth, const struct report *out)
{
    const struct score *s = score;
    (void)truth;
    for (unsigned i = 0; i < s->n; i++)
        out->finding(out->ctx, &s->list[i]);
}

const struct observer observer_retention = {
    .name = "retention",
    .help = "what servers keep, over time, and which facts a seizure at the end would find",
    .wants = WANT_KEPT,
    .size = sizeof(struct keeping),
    .init = keeping_init,
    .see = keeping_see,
    .end = keeping_end,
    .free = keeping_free,
    .score_size = sizeof(struct score),
    .judge = keeping_judge,
    .report = keeping_report,
};
