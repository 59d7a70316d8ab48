/* M8, the intersection attack: who was there every time the target got something?
 *
 * Time is cut into windows. A window in which a packet comes to the target's line is a round; who
 * sent anything in that window, or up to `way` before it (a packet needs its time), was online in
 * it. Candidates are all tapped senders but the target. The target is the host of the first place,
 * or the first party. Prior: every candidate alike. Population: candidates at first. With cover by
 * everybody all the time nobody falls out: the figure stays what it was.
 */
#include "engine/observers/intersect.h"

#include "engine/observers/lines.h"

#include <stdlib.h>
#include <string.h>

struct intersection_opts {
    int64_t window, way;
};

struct intersection {
    struct observer_setup setup;
    ns_t window, way;
    uint32_t *place, n, target;
    struct intersect left;
    ns_t *last; /* when he sent last, by sender */
    uint64_t *online;
    uint64_t index;
    bool event; /* in this window */
};

struct left {
    uint32_t target, candidates, left, rounds, alone;
};

static void close_window(struct intersection *x)
{
    const ns_t since = (ns_t)x->index * x->window - x->way;
    if (!x->event)
        return;
    memset(x->online, 0, intersect_words(x->left.n) * sizeof *x->online);
    for (uint32_t i = 0; i < x->left.n; i++)
        if (x->last[i] >= since)
            x->online[i / 64] |= UINT64_C(1) << i % 64;
    intersect_round(&x->left, x->online);
    x->event = false;
}

static void advance(struct intersection *x, ns_t when)
{
    const uint64_t to = (uint64_t)(when / x->window);
    if (x->index < to)
        close_window(x);
    x->index = to;
}

static void intersection_see(void *self, const struct sighting *s)
{
    struct intersection *x = self;
    uint32_t place;
    if (s->packets == 0 || s->opens || s->point != SIGHT_LINE || s->at >= x->setup.n_nodes)
        return;
    place = x->place[s->at];
    if (place == UINT32_MAX)
        return;
    advance(x, s->when);
    if (s->out) {
        x->last[place] = s->when;
    } else if (s->at == x->target) {
        x->event = true;
    }
}

static void intersection_end(void *self, ns_t now)
{
    struct intersection *x = self;
    const struct left left = {.target = x->target,
                              .candidates = x->n,
                              .left = x->left.left,
                              .rounds = x->left.rounds,
                              .alone = x->left.alone};
    if (x->left.rounds)
        x->setup.claim(x->setup.ctx, &(struct claim){.when = now, .more = &left});
}

static void intersection_free(void *self)
{
    struct intersection *x = self;
    intersect_free(&x->left);
    free(x->place);
    free(x->last);
    free(x->online);
}

static int intersection_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct intersection *x = self;
    x->setup = *setup;
    x->window = ((const struct intersection_opts *)setup->opts)->window;
    x->way = ((const struct intersection_opts *)setup->opts)->way;
    x->target = lines_target(setup);
    x->place = calloc((size_t)setup->n_nodes + 1, sizeof *x->place);
    x->n = x->place ? lines_senders(setup, x->place, NULL) : 0;
    x->last = malloc((x->n + (size_t)1) * sizeof *x->last);
    x->online = calloc(intersect_words(x->n) + (size_t)1, sizeof *x->online);
    if (!x->place || !x->last || !x->online || (x->n && intersect_init(&x->left, x->n) != OK)) {
        intersection_free(x);
        return err_set(e, ERR_NOMEM, "no memory for observer intersection");
    }
    for (uint32_t i = 0; i < x->n; i++)
        x->last[i] = INT64_MIN;
    if (x->target < setup->n_nodes && x->place[x->target] != UINT32_MAX) {
        uint32_t own = x->place[x->target]; /* nobody sends to himself */
        x->left.alive[own / 64] &= ~(UINT64_C(1) << own % 64);
        x->n--;
    }
    return OK;
}

/* ---- the judge ---------------------------------------------------------------------------- */

struct intersection_score {
    struct left left;
    bool any;
    ns_t window;
};

static int intersection_score_init(void *score, const struct observer_setup *setup)
{
    struct intersection_score *s = score;
    s->window = ((const struct intersection_opts *)setup->opts)->window;
    return OK;
}

static void intersection_judge(void *score, const struct claim *g, const struct truth *t)
{
    struct intersection_score *s = score;
    (void)t;
    s->left = *(const struct left *)g->more;
    s->any = true;
}

static void intersection_report(void *score, const struct truth *t, const struct report *out)
{
    struct intersection_score *s = score;
    struct finding x = {.what = PRIVACY_CANDIDATES, .prior = "uniform over senders"};
    (void)t;
    if (!s->any)
        return;
    x.n = s->left.rounds;
    x.population = s->left.candidates;
    x.window = s->window;
    x.value = s->left.left;
    out->finding(out->ctx, &x);
    x.what = PRIVACY_ROUNDS_TO_ONE;
    x.value = s->left.alone;
    if (s->left.alone)
        out->finding(out->ctx, &x);
}

static const struct opt opts[] = {
    {.name = "window",
     .type = OPT_DURATION,
     .offset = offsetof(struct intersection_opts, window),
     .fallback = "1s",
     .min = NS_MS,
     .max = 86400 * NS_S,
     .help = "The length of a round."},
    {.name = "way",
     .type = OPT_DURATION,
     .offset = offsetof(struct intersection_opts, way),
     .fallback = "500ms",
     .min = 0,
     .max = 86400 * NS_S,
     .help = "What a packet may need: who sent so long before the round was online in it, too."},
    {0},
};

const struct observer observer_intersection = {
    .name = "intersection",
    .help = "who was there each time that something came to the target (the first place's host)",
    .opts = opts,
    .opts_size = sizeof(struct intersection_opts),
    .wants = WANT_LINE,
    .at = "global",
    .size = sizeof(struct intersection),
    .init = intersection_init,
    .see = intersection_see,
    .end = intersection_end,
    .free = intersection_free,
    .score_size = sizeof(struct intersection_score),
    .score_init = intersection_score_init,
    .judge = intersection_judge,
    .report = intersection_report,
};
