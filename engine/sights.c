#include "engine/sights.h"

#include "engine/sights_greedy.h"

#include <stdlib.h>

/* One adversary at work. */
struct adversary {
    struct sights *sights;
    const struct observer_spec *spec;
    const struct stake *stake;
    void *attack, *score;
    bool attacking, scoring; /* to be freed */
};

/* Who has tapped what, by its index: those of i are list[first[i]] .. list[first[i + 1] - 1]. */
struct taps {
    uint32_t *first, *list;
};

struct sights {
    struct sights_setup setup;
    unsigned wants;
    struct adversary *adversaries;
    uint32_t n;
    struct taps by_place[SIGHT_BORDER]; /* NODE and LINE */
    uint32_t *all[SIGHT_POINTS];        /* who has tapped all of a kind, or some borders */
    uint32_t n_all[SIGHT_POINTS];
    /* the sighting in hand */
    const struct sighting *sighting;
    const struct packet_truth *truth;
    struct sights_found *found;
    const struct adversary *reporting;
    struct greedy *greedy; /* NULL: nobody wants the worst of too many coalitions */
    int broken;
};

static const struct stake everywhere = {.at = "every node"};

/* ---- claims and reports ---------------------------------------------------------------- */

static struct truth truth_of(const struct sights *s)
{
    return (struct truth){.roster = s->setup.roster,
                          .owner = s->setup.owner,
                          .world = s->setup.world,
                          .packet = s->truth,
                          .sighting = s->sighting};
}

static void take_claim(void *ctx, const struct claim *g)
{
    const struct adversary *a = ctx;
    const struct truth truth = truth_of(a->sights);
    if (a->spec->ops->judge)
        a->spec->ops->judge(a->score, g, &truth);
}

static void check(struct sights *s, int rc)
{
    if (rc != OK)
        s->broken = rc;
}

static void add_exposure(void *ctx, const struct exposure *x)
{
    struct sights *s = ctx;
    check(s, sights_found_exposure(s->found, x));
}

static void add_finding(void *ctx, const struct finding *x)
{
    struct sights *s = ctx;
    const struct adversary *a = s->reporting;
    check(s, sights_found_finding(s->found, (uint32_t)(a->spec - s->setup.observers),
                                  a->spec->ops->name, a->stake->at, x));
}

static void take_row(void *ctx, struct finding_row *row)
{
    struct sights *s = ctx;
    check(s, sights_found_row(s->found, row));
}

static void add_invalid(void *ctx, const char *why)
{
    struct sights *s = ctx;
    check(s, sights_found_invalid(s->found, why));
}

/* ---- who has tapped what ---------------------------------------------------------------- */

/* Is it in the list of all of its kind? A border always is: there are few. */
static bool taps_all(const struct place *p)
{
    return p->at == PARTY_NONE || p->point == SIGHT_BORDER;
}

static bool has_tapped(const struct adversary *a, const struct sighting *s)
{
    if (a->stake->n_places == 0)
        return true;
    for (size_t i = 0; i < a->stake->n_places; i++) {
        const struct place *p = &a->stake->places[i];
        if (p->point != s->point)
            continue;
        if (p->at == PARTY_NONE || (p->at == s->at && p->beyond == s->beyond) ||
            (p->at == s->beyond && p->beyond == s->at))
            return true;
        if (p->beyond == PARTY_NONE && (p->at == s->at || p->at == s->beyond))
            return true;
    }
    return false;
}

/* Counts (list NULL) or enters an adversary's places of one kind. */
static void enter(struct taps *t, const struct adversary *a, uint32_t number, uint8_t point)
{
    for (size_t i = 0; i < a->stake->n_places; i++) {
        const struct place *p = &a->stake->places[i];
        if (p->point != point || taps_all(p))
            continue;
        if (t->list)
            t->list[t->first[p->at]++] = number;
        else
            t->first[p->at + 1]++;
    }
}

static int index_places(struct sights *s, uint8_t point)
{
    struct taps *t = &s->by_place[point];
    uint32_t n = s->setup.roster->n;
    t->first = calloc((size_t)n + 2, sizeof *t->first);
    if (!t->first)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n; i++)
        enter(t, &s->adversaries[i], i, point);
    for (uint32_t i = 0; i < n; i++)
        t->first[i + 1] += t->first[i];
    t->list = calloc((size_t)t->first[n] + 1, sizeof *t->list);
    if (!t->list)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n; i++)
        enter(t, &s->adversaries[i], i, point);
    for (uint32_t i = n; i > 0; i--) /* each has moved to the next one's beginning */
        t->first[i] = t->first[i - 1];
    t->first[0] = 0;
    return OK;
}

static int index_all(struct sights *s, uint8_t point)
{
    s->all[point] = calloc((size_t)s->n + 1, sizeof *s->all[point]);
    if (!s->all[point])
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct stake *k = s->adversaries[i].stake;
        bool all = k->n_places == 0;
        for (size_t p = 0; p < k->n_places; p++)
            all |= k->places[p].point == point && taps_all(&k->places[p]);
        if (all)
            s->all[point][s->n_all[point]++] = i;
    }
    return OK;
}

/* ---- seeing ----------------------------------------------------------------------------- */

static unsigned want_of(const struct sighting *s)
{
    if (s->visible)
        return WANT_SHOWN;
    if (s->kept)
        return WANT_KEPT;
    switch (s->point) {
    case SIGHT_NODE:
        return s->out ? WANT_NODE_OUT : WANT_NODE_IN;
    case SIGHT_LINE:
        return s->opens || s->datagram ? WANT_LINE | WANT_LINE_OPENS : WANT_LINE;
    default:
        return WANT_BORDER;
    }
}

static void tell(struct adversary *a, const struct sighting *s, unsigned want)
{
    if (a->spec->ops->wants & want)
        a->spec->ops->see(a->attack, s);
}

static void deliver(struct sights *s, const struct sighting *sighting)
{
    const unsigned want = want_of(sighting);
    const uint8_t point = sighting->point;
    s->sighting = sighting;
    for (uint32_t i = 0; i < s->n_all[point]; i++) {
        struct adversary *a = &s->adversaries[s->all[point][i]];
        if (point != SIGHT_BORDER || has_tapped(a, sighting))
            tell(a, sighting, want);
    }
    if (point < SIGHT_BORDER && sighting->at < s->setup.roster->n) {
        const struct taps *t = &s->by_place[point];
        for (uint32_t i = t->first[sighting->at]; i < t->first[sighting->at + 1]; i++)
            tell(&s->adversaries[t->list[i]], sighting, want);
    }
    s->sighting = NULL;
}

void sights_see(struct sights *s, const struct sighting *sighting, const struct packet_truth *truth)
{
    s->truth = truth && truth->kind != TRUTH_UNKNOWN ? truth : NULL;
    if (s->setup.record && (s->setup.record_wants & want_of(sighting)))
        s->setup.record(s->setup.record_ctx, sighting, s->truth);
    if (s->greedy && (greedy_wants(s->greedy) & want_of(sighting)))
        greedy_see(s->greedy, sighting, s->truth);
    deliver(s, sighting);
    if (sighting->visible &&
        sighting->visible->in_clear) { /* and who has tapped its line sees it */
        struct sighting line = *sighting;
        line.point = SIGHT_LINE;
        deliver(s, &line);
    }
    s->truth = NULL;
}

unsigned sights_wants(const struct sights *s)
{
    return s ? s->wants : 0;
}

/* ---- making and ending ------------------------------------------------------------------ */

static int employ(struct adversary *a, struct err *e)
{
    const struct observer *o = a->spec->ops;
    struct observer_setup setup = {.opts = a->spec->opts,
                                   .places = a->stake->places,
                                   .n_places = a->stake->n_places,
                                   .n_nodes = a->sights->setup.roster->n,
                                   .n_parties = a->sights->setup.roster->n_parties,
                                   .services = a->sights->setup.roster->entries +
                                               a->sights->setup.roster->n_parties,
                                   .seed = a->sights->setup.seed,
                                   .claim = take_claim,
                                   .ctx = a};
    int rc;
    a->attack = calloc(1, o->size ? o->size : 1);
    a->score = calloc(1, o->score_size ? o->score_size : 1);
    if (!a->attack || !a->score)
        return err_set(e, ERR_NOMEM, "no memory for observer %s", o->name);
    rc = o->init(a->attack, &setup, e);
    a->attacking = rc == OK;
    if (rc == OK && o->score_init) {
        setup.claim = NULL;
        rc = o->score_init(a->score, &setup);
    }
    a->scoring = rc == OK;
    return rc;
}

static size_t stakes_of(const struct observer_spec *o)
{
    return o->nowhere || o->pool ? 0 : o->n_stakes ? o->n_stakes : 1;
}

static int employ_all(struct sights *s, struct err *e)
{
    uint32_t k = 0;
    for (size_t i = 0; i < s->setup.n_observers; i++) {
        const struct observer_spec *o = &s->setup.observers[i];
        if (!o->nowhere)
            s->wants |= o->ops->wants;
        for (size_t j = 0; j < stakes_of(o); j++) {
            struct adversary *a = &s->adversaries[k++];
            int rc;
            *a = (struct adversary){
                .sights = s, .spec = o, .stake = o->n_stakes ? &o->stakes[j] : &everywhere};
            s->n = k;
            rc = employ(a, e);
            if (rc != OK)
                return rc;
        }
    }
    return OK;
}

int sights_new(struct sights **out, const struct sights_setup *setup, struct err *e)
{
    struct sights *s;
    size_t n = 0;
    int rc = OK;
    *out = NULL;
    for (size_t i = 0; i < setup->n_observers; i++)
        n += setup->observers[i].pool ? 1 : stakes_of(&setup->observers[i]);
    if (n == 0 && !setup->record)
        return OK;
    s = calloc(1, sizeof *s);
    if (s)
        s->adversaries = calloc(n + 1, sizeof *s->adversaries);
    if (!s || !s->adversaries) {
        free(s);
        return err_set(e, ERR_NOMEM, "no memory for the observers");
    }
    s->setup = *setup;
    s->wants = setup->record ? setup->record_wants : 0;
    rc = greedy_new(&s->greedy, setup);
    s->wants |= greedy_wants(s->greedy);
    if (rc == OK)
        rc = employ_all(s, e);
    for (uint8_t p = 0; rc == OK && p < SIGHT_BORDER; p++)
        rc = index_places(s, p);
    for (uint8_t p = 0; rc == OK && p < SIGHT_POINTS; p++)
        rc = index_all(s, p);
    if (rc != OK) {
        sights_free(s);
        return rc;
    }
    *out = s;
    return OK;
}

int sights_end(struct sights *s, ns_t now, struct sights_found *found)
{
    const struct report report = {
        .exposure = add_exposure, .finding = add_finding, .invalid = add_invalid, .ctx = s};
    struct truth truth;
    *found = (struct sights_found){0};
    if (!s)
        return OK;
    truth = truth_of(s);
    s->found = found;
    if (s->setup.recorded)
        s->setup.recorded(s->setup.record_ctx, &truth, now);
    for (uint32_t i = 0; i < s->n; i++) {
        struct adversary *a = &s->adversaries[i];
        s->reporting = a;
        if (a->spec->ops->end)
            a->spec->ops->end(a->attack, now);
        if (a->spec->ops->report)
            a->spec->ops->report(a->score, &truth, &report);
    }
    if (s->greedy && !s->broken)
        s->broken = greedy_end(s->greedy, now, take_row, add_invalid, s);
    if (s->broken)
        sights_found_free(found);
    return s->broken;
}

void sights_free(struct sights *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        struct adversary *a = &s->adversaries[i];
        if (a->attacking && a->spec->ops->free)
            a->spec->ops->free(a->attack);
        if (a->scoring && a->spec->ops->score_free)
            a->spec->ops->score_free(a->score);
        free(a->attack);
        free(a->score);
    }
    for (int p = 0; p < SIGHT_POINTS; p++) {
        free(s->all[p]);
        if (p < SIGHT_BORDER) {
            free(s->by_place[p].first);
            free(s->by_place[p].list);
        }
    }
    greedy_free(s->greedy);
    free(s->adversaries);
    free(s);
}
