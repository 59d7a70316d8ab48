#include "engine/sights_greedy.h"

#include <stdio.h>
#include <stdlib.h>

struct greedy_item {
    struct sighting sighting;
    union {
        struct shown shown;
        struct retained kept;
    } its;
    struct packet_truth truth;
};

struct greedy {
    struct sights_setup setup;
    unsigned wants;
    struct greedy_item *items;
    size_t n, cap;
    bool cut;
};

static bool wanted(const struct observer_spec *o)
{
    return o->by_worst && o->pool && !o->nowhere;
}

int greedy_new(struct greedy **out, const struct sights_setup *setup)
{
    unsigned wants = 0;
    *out = NULL;
    for (size_t i = 0; i < setup->n_observers; i++)
        if (wanted(&setup->observers[i]))
            wants |= setup->observers[i].ops->wants;
    if (!wants)
        return OK;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    (*out)->setup = *setup;
    (*out)->setup.record = NULL;
    (*out)->setup.recorded = NULL;
    (*out)->wants = wants;
    return OK;
}

unsigned greedy_wants(const struct greedy *g)
{
    return g ? g->wants : 0;
}

void greedy_see(struct greedy *g, const struct sighting *s, const struct packet_truth *truth)
{
    struct greedy_item *x;
    if (g->n == g->cap) {
        size_t more = g->cap ? 2 * g->cap : 1024;
        x = more <= GREEDY_SIGHTINGS ? realloc(g->items, more * sizeof *x) : NULL;
        if (!x) {
            g->cut = true;
            return;
        }
        g->items = x;
        g->cap = more;
    }
    x = &g->items[g->n++];
    *x = (struct greedy_item){.sighting = *s};
    if (s->visible)
        x->its.shown = *s->visible;
    else if (s->kept)
        x->its.kept = *s->kept;
    if (truth)
        x->truth = *truth;
}

void greedy_free(struct greedy *g)
{
    if (g)
        free(g->items);
    free(g);
}

/* ---- one step ----------------------------------------------------------------------------- */

/* What adversaries at these stakes would have found. */
static int replay(const struct greedy *g, const struct observer_spec *o, ns_t now,
                  struct sights_found *found)
{
    struct sights_setup setup = g->setup;
    struct sights *s;
    struct err e;
    int rc;
    setup.observers = o;
    setup.n_observers = 1;
    rc = sights_new(&s, &setup, &e);
    if (rc != OK)
        return rc;
    for (size_t i = 0; i < g->n; i++) {
        const struct greedy_item *x = &g->items[i];
        struct sighting seen = x->sighting;
        if (seen.visible)
            seen.visible = &x->its.shown;
        if (seen.kept)
            seen.kept = &x->its.kept;
        sights_see(s, &seen, &x->truth);
    }
    rc = sights_end(s, now, found);
    sights_free(s);
    return rc;
}

static bool is_worse(enum privacy what, int64_t a, int64_t b)
{
    return privacy_sense(what) == PRIVACY_LESS_IS_WORSE ? a < b : a > b;
}

static uint32_t number_of(const struct finding_row *row)
{
    uint32_t n = 0;
    for (const char *c = row->at; *c >= '0' && *c <= '9'; c++)
        n = n * 10 + (uint32_t)(*c - '0');
    return n;
}

/* The stake of which some row of the metric is worst, the first of equal ones; UINT32_MAX: none has
 * it. A stake's `at` is its number. */
static uint32_t worst_of(const struct sights_found *f, enum privacy what)
{
    const struct finding_row *best = NULL;
    for (size_t i = 0; i < f->n_findings; i++) {
        const struct finding_row *row = &f->findings[i];
        if (row->what == what && (!best || is_worse(what, row->value, best->value)))
            best = row;
    }
    return best ? number_of(best) : UINT32_MAX;
}

/* The places of each candidate: those chosen, and one more; by its number in the pool. */
struct tries {
    struct stake *stakes;
    struct place *places;
    char (*numbers)[12];
    uint32_t n;
};

static int make_tries(struct tries *t, const struct observer_spec *o, const uint32_t *chosen,
                      uint32_t n_chosen)
{
    const uint32_t n = n_chosen + 1 + o->n_base;
    *t = (struct tries){.stakes = calloc(o->n_pool, sizeof *t->stakes),
                        .places = calloc((size_t)o->n_pool * n, sizeof *t->places),
                        .numbers = calloc(o->n_pool, sizeof *t->numbers)};
    if (!t->stakes || !t->places || !t->numbers)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < o->n_pool; i++) {
        struct place *own = t->places + (size_t)t->n * n;
        bool in = false;
        for (uint32_t k = 0; k < n_chosen; k++) {
            own[k] = o->pool[chosen[k]];
            in |= chosen[k] == i;
        }
        if (in)
            continue;
        own[n_chosen] = o->pool[i];
        for (uint32_t k = 0; k < o->n_base; k++)
            own[n_chosen + 1 + k] = o->base[k];
        snprintf(t->numbers[t->n], sizeof t->numbers[t->n], "%u", (unsigned)i);
        t->stakes[t->n] = (struct stake){.places = own, .n_places = n, .at = t->numbers[t->n]};
        t->n++;
    }
    return OK;
}

static void free_tries(struct tries *t)
{
    free(t->stakes);
    free(t->places);
    free(t->numbers);
}

/* ---- all of them -------------------------------------------------------------------------- */

/* The rows of the stake with that number, of the last step. */
static void hand_over(struct sights_found *f, uint32_t number, const char *where, uint32_t entry,
                      void (*row)(void *ctx, struct finding_row *), void *ctx)
{
    for (size_t i = 0; i < f->n_findings; i++) {
        struct finding_row *x = &f->findings[i];
        if (number_of(x) != number)
            continue;
        snprintf(x->at, sizeof x->at, "%s", where);
        x->entry = entry;
        row(ctx, x);
    }
}

static int find_one(const struct greedy *g, uint32_t entry, ns_t now,
                    void (*row)(void *ctx, struct finding_row *),
                    void (*invalid)(void *ctx, const char *why), void *ctx)
{
    const struct observer_spec *o = &g->setup.observers[entry];
    uint32_t *chosen = calloc(o->coalition, sizeof *chosen);
    int rc = chosen ? OK : ERR_NOMEM;
    for (uint32_t k = 0; rc == OK && k < o->coalition; k++) {
        struct observer_spec step = *o;
        struct sights_found found = {0};
        struct tries t;
        rc = make_tries(&t, o, chosen, k);
        step.by_worst = false;
        step.pool = NULL;
        step.stakes = t.stakes;
        step.n_stakes = t.n;
        if (rc == OK)
            rc = replay(g, &step, now, &found);
        free_tries(&t);
        if (rc != OK)
            break;
        chosen[k] = worst_of(&found, o->worst);
        if (found.invalid)
            invalid(ctx, found.invalid);
        if (chosen[k] != UINT32_MAX && k + 1 == o->coalition) {
            char where[sizeof found.findings->at];
            snprintf(where, sizeof where, "worst %u of %u%s%s by %s, greedy%s", (unsigned)k + 1,
                     (unsigned)o->n_pool, o->with ? " with " : "", o->with ? o->with : "",
                     privacy_infos[o->worst].name, g->cut ? ", cut off" : "");
            hand_over(&found, chosen[k], where, entry, row, ctx);
        }
        sights_found_free(&found);
        if (chosen[k] == UINT32_MAX)
            break; /* nobody can say: no figure */
    }
    free(chosen);
    return rc;
}

int greedy_end(struct greedy *g, ns_t now, void (*row)(void *ctx, struct finding_row *),
               void (*invalid)(void *ctx, const char *why), void *ctx)
{
    int rc = OK;
    for (uint32_t i = 0; rc == OK && i < g->setup.n_observers; i++)
        if (wanted(&g->setup.observers[i]))
            rc = find_one(g, i, now, row, invalid, ctx);
    return rc;
}
