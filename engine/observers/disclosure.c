/* M9, statistical disclosure: whom does the target write to, in the long run?
 *
 * Time is cut into rounds of one length, which has to be long against a packet's way. A round in
 * which the target's line sends is one with the target, any other one without; a packet that comes
 * to a sender's line is a message for it. After each round receivers are ranked by sda.h. The
 * target is the host of the first place, or the first party; its true peers are those whom its
 * real packets are for. Prior: every receiver alike. Rounds without the target are needed: a
 * target that always sends hides in its own cover.
 */
#include "engine/observers/bits.h"
#include "engine/observers/lines.h"
#include "engine/observers/sda.h"

#include <stdlib.h>
#include <string.h>

enum { CLAIM_SEEN, CLAIM_RANKS };

struct disclosure_opts {
    int64_t window;
};

struct disclosure {
    struct observer_setup setup;
    ns_t window;
    uint32_t *place, *who, n, target;
    struct sda counts;
    uint32_t *came; /* in this round, by receiver */
    double *v;
    struct candidate *ranks;
    uint64_t index, own; /* own: packets of the target in rounds with it */
    uint32_t sent;       /* by the target in this round */
};

static void close_round(struct disclosure *x)
{
    bool with = x->sent > 0;
    for (uint32_t i = 0; i < x->n; i++)
        for (; x->came[i]; x->came[i]--)
            sda_message(&x->counts, with, i);
    sda_round(&x->counts, with);
    x->own += x->sent;
    x->sent = 0;
    x->index++;
    if (!with || x->counts.rounds_without == 0)
        return;
    sda_estimate(&x->counts, (double)x->own / (double)x->counts.rounds_with, x->v);
    for (uint32_t i = 0; i < x->n; i++)
        x->ranks[i] = (struct candidate){.p = x->v[i], .who = x->who[i]};
    x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_RANKS,
                                                 .when = (ns_t)x->index * x->window,
                                                 .figure = (double)x->counts.rounds_with,
                                                 .candidates = x->ranks,
                                                 .n = x->n});
}

static void advance(struct disclosure *x, ns_t when)
{
    while (x->index < (uint64_t)(when / x->window))
        close_round(x);
}

static void disclosure_see(void *self, const struct sighting *s)
{
    struct disclosure *x = self;
    if (s->packets == 0 || s->opens || s->point != SIGHT_LINE || s->at >= x->setup.n_nodes ||
        x->place[s->at] == UINT32_MAX)
        return;
    if (x->counts.rounds_with + x->counts.rounds_without == 0 && x->sent == 0 && x->index == 0)
        x->index =
            (uint64_t)(s->when / x->window); /* the first round is that of the first packet */
    advance(x, s->when);
    if (s->out && s->at == x->target) {
        x->sent++;
        x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_SEEN, .when = s->when});
    } else if (!s->out && s->at != x->target) {
        x->came[x->place[s->at]]++;
    }
}

static void disclosure_end(void *self, ns_t now)
{
    advance(self, now);
}

static void disclosure_free(void *self)
{
    struct disclosure *x = self;
    sda_free(&x->counts);
    free(x->place);
    free(x->who);
    free(x->came);
    free(x->v);
    free(x->ranks);
}

static int disclosure_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct disclosure *x = self;
    size_t n = (size_t)setup->n_nodes + 1;
    x->setup = *setup;
    x->window = ((const struct disclosure_opts *)setup->opts)->window;
    x->target = lines_target(setup);
    x->place = calloc(n, sizeof *x->place);
    x->who = calloc(n, sizeof *x->who);
    x->came = calloc(n, sizeof *x->came);
    x->v = calloc(n, sizeof *x->v);
    x->ranks = calloc(n, sizeof *x->ranks);
    if (x->place && x->who && x->came && x->v && x->ranks) {
        x->n = lines_senders(setup, x->place, x->who);
        if (x->n == 0 || sda_init(&x->counts, x->n) == OK)
            return OK;
    }
    disclosure_free(x);
    return err_set(e, ERR_NOMEM, "no memory for observer disclosure");
}

/* ---- the judge ---------------------------------------------------------------------------- */

struct disclosure_score {
    ns_t window;
    uint32_t target, n_nodes;
    bool *peer; /* by node: truth, as it grows */
    double *v;  /* of all but the target */
    party_t *who;
    struct sda_figures last;
    uint64_t rounds, since; /* since: from which round on all have been on top; 0: not now */
    uint32_t population;
};

static int disclosure_score_init(void *score, const struct observer_setup *setup)
{
    struct disclosure_score *s = score;
    s->window = ((const struct disclosure_opts *)setup->opts)->window;
    s->target = lines_target(setup);
    s->n_nodes = setup->n_nodes;
    s->peer = calloc((size_t)setup->n_nodes + 1, sizeof *s->peer);
    s->v = calloc((size_t)setup->n_nodes + 1, sizeof *s->v);
    s->who = calloc((size_t)setup->n_nodes + 1, sizeof *s->who);
    return s->peer && s->v && s->who ? OK : ERR_NOMEM;
}

static bool is_peer(const void *ctx, uint32_t i)
{
    const struct disclosure_score *s = ctx;
    return s->peer[s->who[i]];
}

static void disclosure_judge(void *score, const struct claim *g, const struct truth *t)
{
    struct disclosure_score *s = score;
    uint32_t n = 0;
    if (g->what == CLAIM_SEEN) {
        if (t->packet && t->packet->kind == TRUTH_REAL && t->packet->to < s->n_nodes)
            s->peer[t->packet->to] = true;
        return;
    }
    for (size_t i = 0; i < g->n; i++)
        if (g->candidates[i].who != s->target && g->candidates[i].who < s->n_nodes) {
            s->v[n] = g->candidates[i].p;
            s->who[n++] = g->candidates[i].who;
        }
    s->last = sda_judge(s->v, n, is_peer, s);
    s->rounds = (uint64_t)g->figure;
    s->population = n;
    if (!s->last.all_on_top)
        s->since = 0;
    else if (s->since == 0)
        s->since = s->rounds;
}

static void disclosure_report(void *score, const struct truth *t, const struct report *out)
{
    struct disclosure_score *s = score;
    struct finding x = {.what = PRIVACY_DISCLOSURE_AUC, .prior = "uniform over receivers"};
    (void)t;
    if (s->rounds == 0)
        return;
    x.n = s->rounds;
    x.population = s->population;
    x.window = s->window;
    x.value = bits_ppm(s->last.auc);
    out->finding(out->ctx, &x);
    x.what = PRIVACY_DISCLOSURE_ROUNDS;
    x.value = (int64_t)s->since;
    if (s->since)
        out->finding(out->ctx, &x);
}

static void disclosure_score_free(void *score)
{
    struct disclosure_score *s = score;
    free(s->peer);
    free(s->v);
    free(s->who);
}

static const struct opt opts[] = {
    {.name = "window",
     .type = OPT_DURATION,
     .offset = offsetof(struct disclosure_opts, window),
     .fallback = "1s",
     .min = 10 * NS_MS,
     .max = 86400 * NS_S,
     .help = "The length of a round; long against a packet's way."},
    {0},
};

const struct observer observer_disclosure = {
    .name = "disclosure",
    .help = "whom the target (the first place's host) writes to, by who gets more when it sends",
    .opts = opts,
    .opts_size = sizeof(struct disclosure_opts),
    .wants = WANT_LINE | WANT_TRUTH,
    .at = "global",
    .size = sizeof(struct disclosure),
    .init = disclosure_init,
    .see = disclosure_see,
    .end = disclosure_end,
    .free = disclosure_free,
    .score_size = sizeof(struct disclosure_score),
    .score_init = disclosure_score_init,
    .judge = disclosure_judge,
    .report = disclosure_report,
    .score_free = disclosure_score_free,
};
