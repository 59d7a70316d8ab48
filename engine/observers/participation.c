/* M10, participation: who takes part in a computation, by how much passes his line.
 *
 * Packets are counted at every tapped sender's line in windows of one length; the score of a
 * window is its count (presence.h). Positive is, for the figure `now`, a window in which a real
 * packet passed that line, negative any other, of the same host or of another; for the figure
 * `ever`, any window of a party's line, negative one of anybody else's. With cover at a constant
 * rate, and no more to send than it carries, the AUC is 1/2; a queue that runs over would show.
 * Prior: each window by itself. Windows before a host's first packet are not counted: nobody is
 * there yet.
 */
#include "engine/observers/bits.h"
#include "engine/observers/lines.h"
#include "engine/observers/presence.h"
#include "engine/observers/roc.h"

#include <stdlib.h>

enum { CLAIM_SEEN, CLAIM_WINDOW };

struct participation_opts {
    int64_t window;
};

struct host {
    struct presence seen;
    bool began;
};

struct participation {
    struct observer_setup setup;
    uint32_t *place, *who, n;
    struct host *hosts;
    uint32_t at; /* whose window ends */
};

struct window {
    uint32_t who;
    uint64_t index;
};

static void done(void *ctx, uint64_t index, uint32_t count)
{
    const struct participation *x = ctx;
    const struct window w = {x->at, index};
    x->setup.claim(x->setup.ctx,
                   &(struct claim){.what = CLAIM_WINDOW, .figure = count, .more = &w});
}

static void participation_see(void *self, const struct sighting *s)
{
    struct participation *x = self;
    struct window w;
    struct host *h;
    if (s->packets == 0 || s->opens || s->point != SIGHT_LINE || s->at >= x->setup.n_nodes ||
        x->place[s->at] == UINT32_MAX)
        return;
    h = &x->hosts[x->place[s->at]];
    if (!h->began)
        h->seen.index = (uint64_t)(s->when / h->seen.window);
    h->began = true;
    x->at = s->at;
    presence_see(&h->seen, s->when, done, x);
    h->seen.count += s->packets - 1; /* of a message that is several packets */
    w = (struct window){s->at, h->seen.index};
    x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_SEEN, .when = s->when, .more = &w});
}

static void participation_end(void *self, ns_t now)
{
    struct participation *x = self;
    for (uint32_t i = 0; i < x->n; i++)
        if (x->hosts[i].began) {
            x->at = x->who[i];
            presence_end(&x->hosts[i].seen, now, done, x);
        }
}

static void participation_free(void *self)
{
    struct participation *x = self;
    free(x->place);
    free(x->who);
    free(x->hosts);
}

static int participation_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct participation *x = self;
    const struct participation_opts *o = setup->opts;
    x->setup = *setup;
    x->place = calloc((size_t)setup->n_nodes + 1, sizeof *x->place);
    x->who = calloc((size_t)setup->n_nodes + 1, sizeof *x->who);
    x->hosts = calloc((size_t)setup->n_nodes + 1, sizeof *x->hosts);
    if (!x->place || !x->who || !x->hosts) {
        participation_free(x);
        return err_set(e, ERR_NOMEM, "no memory for observer participation");
    }
    x->n = lines_senders(setup, x->place, x->who);
    for (uint32_t i = 0; i < x->n; i++)
        x->hosts[i].seen.window = o->window;
    return OK;
}

/* ---- the judge ---------------------------------------------------------------------------- */

struct participation_score {
    ns_t window;
    uint64_t *real; /* by node: the last window with a real packet, plus 1 */
    uint32_t n;
    struct roc now, ever; /* a bin a count */
};

static int participation_score_init(void *score, const struct observer_setup *setup)
{
    struct participation_score *s = score;
    s->window = ((const struct participation_opts *)setup->opts)->window;
    s->n = setup->n_nodes;
    roc_init(&s->now, 0, ROC_BINS);
    roc_init(&s->ever, 0, ROC_BINS);
    s->real = calloc((size_t)s->n + 1, sizeof *s->real);
    return s->real ? OK : ERR_NOMEM;
}

static void participation_judge(void *score, const struct claim *g, const struct truth *t)
{
    struct participation_score *s = score;
    const struct window *w = g->more;
    if (w->who >= s->n)
        return;
    if (g->what == CLAIM_WINDOW) {
        roc_add(&s->now, s->real[w->who] == w->index + 1, g->figure);
        roc_add(&s->ever, w->who < t->roster->n_parties, g->figure);
    } else if (t->packet && t->packet->kind == TRUTH_REAL) {
        s->real[w->who] = w->index + 1;
    }
}

static void say(const struct participation_score *s, const struct roc *roc, const char *about,
                const struct report *out)
{
    struct roc_figures f;
    struct finding x = {.what = PRIVACY_PRESENCE_AUC,
                        .about = about,
                        .n = roc->n[0] + roc->n[1],
                        .population = roc->n[1],
                        .prior = "each window by itself",
                        .window = s->window};
    if (roc_judge(roc, &f) != OK)
        return;
    x.value = bits_ppm(f.auc);
    out->finding(out->ctx, &x);
    x.what = PRIVACY_PRESENCE_ADVANTAGE;
    x.value = bits_ppm(f.advantage);
    out->finding(out->ctx, &x);
}

static void participation_report(void *score, const struct truth *t, const struct report *out)
{
    const struct participation_score *s = score;
    (void)t;
    say(s, &s->now, "now", out);
    say(s, &s->ever, "ever", out);
}

static void participation_score_free(void *score)
{
    struct participation_score *s = score;
    free(s->real);
}

static const struct opt opts[] = {
    {.name = "window",
     .type = OPT_DURATION,
     .offset = offsetof(struct participation_opts, window),
     .fallback = "1s",
     .min = NS_MS,
     .max = 86400 * NS_S,
     .help = "The length of the windows that packets are counted in."},
    {0},
};

const struct observer observer_participation = {
    .name = "participation",
    .help = "who takes part in a computation, by how many packets pass his line",
    .opts = opts,
    .opts_size = sizeof(struct participation_opts),
    .wants = WANT_LINE | WANT_TRUTH,
    .at = "global",
    .size = sizeof(struct participation),
    .init = participation_init,
    .see = participation_see,
    .end = participation_end,
    .free = participation_free,
    .score_size = sizeof(struct participation_score),
    .score_init = participation_score_init,
    .judge = participation_judge,
    .report = participation_report,
    .score_free = participation_score_free,
};
