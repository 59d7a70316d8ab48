/* M6, flow correlation: who sends to whom, from nothing but when packets pass.
 *
 * Every tapped host that sends has two flows: what leaves it, and what comes to it. Each pair of
 * what leaves one and what comes to another gets a score (correlate.h): `counts`, and `order` if
 * the path's law is given. Positives are pairs of which one truly sends to the other (where a
 * transport says nothing of it: pairs of parties), negatives all other pairs, so a single session
 * needs others around it. Prior: each pair by itself, flows known as such. Sentinels run beside
 * with the same code; if one fails the trial is void.
 */
#include "engine/observers/bits.h"
#include "engine/observers/lines.h"
#include "engine/observers/roc.h"
#include "engine/observers/sentinel.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLAIM_SEEN, CLAIM_PAIR, CLAIM_SENTINEL };
enum { BY_COUNTS, BY_ORDER, METHODS };
enum { SENDERS_MOST = 1024 };

struct timing_opts {
    int64_t bin, max_lag, path_base, path_mean, path_stages;
};

struct timing {
    struct observer_setup setup;
    struct lines lines;
    uint32_t *place, *who, n;
    struct flow *out, *in; /* by sender */
    ns_t first, full;      /* full: when the first flow was full */
    struct correlate_window window;
    struct correlate_path path;
};

struct pair {
    uint32_t from, to, method;
};

/* ---- the attack --------------------------------------------------------------------------- */

static void timing_see(void *self, const struct sighting *s)
{
    struct timing *x = self;
    uint32_t place;
    if (s->packets == 0 || s->opens || s->point != SIGHT_LINE || s->at >= x->setup.n_nodes)
        return;
    place = x->place[s->at];
    if (place == UINT32_MAX)
        return;
    if (!s->out)
        x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_SEEN, .when = s->when});
    x->first = x->first < 0 ? s->when : x->first;
    for (uint32_t i = 0; i < s->packets; i++)
        if (!flow_add(s->out ? &x->out[place] : &x->in[place], s->when)) {
            x->full = s->when < x->full ? s->when : x->full;
            break;
        }
}

static double by_counts(const void *ctx, const struct flow *in, const struct flow *out)
{
    return correlate_counts(in, out, ctx);
}
static double by_order(const void *ctx, const struct flow *in, const struct flow *out)
{
    return correlate_matched(in, out, ctx);
}

static bool has_order(const struct timing_opts *o)
{
    return o->path_mean > 0;
}

static void sentinels(struct timing *x, uint32_t method)
{
    const struct timing_opts *o = x->setup.opts;
    const ns_t gap = method == BY_COUNTS ? 2 * o->bin : 2 * o->path_mean;
    const struct correlate_window w = {
        .until = SENTINEL_LENGTH * gap + o->max_lag, .bin = o->bin, .max_lag = o->max_lag};
    const struct sentinel_attack counts = {
        by_counts, &w, -1, 1.0001, gap, o->max_lag / 2 / o->bin * o->bin, o->bin / 2};
    const struct sentinel_attack order = {by_order,
                                          &x->path,
                                          CORRELATE_FLOOR,
                                          1,
                                          gap,
                                          x->path.base +
                                              x->path.mean * (x->path.stages ? x->path.stages : 1),
                                          x->path.mean / 2};
    struct sentinel s;
    if (sentinel_run(x->setup.seed, method == BY_COUNTS ? &counts : &order, &s) == OK && s.failed)
        x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_SENTINEL, .more = s.failed});
}

static double score(const struct timing *x, uint32_t from, uint32_t to, uint32_t method)
{
    return method == BY_COUNTS ? correlate_counts(&x->out[from], &x->in[to], &x->window)
                               : correlate_matched(&x->out[from], &x->in[to], &x->path);
}

static void timing_end(void *self, ns_t now)
{
    struct timing *x = self;
    const struct timing_opts *o = x->setup.opts;
    const uint32_t methods = has_order(o) ? METHODS : BY_COUNTS + 1;
    x->window = (struct correlate_window){.from = x->first < 0 ? 0 : x->first,
                                          .until = x->full < now ? x->full : now + 1,
                                          .bin = o->bin,
                                          .max_lag = o->max_lag};
    for (uint32_t m = 0; m < methods; m++) {
        sentinels(x, m);
        for (uint32_t i = 0; i < x->n; i++)
            for (uint32_t j = 0; j < x->n; j++)
                if (i != j && x->out[i].n && x->in[j].n)
                    x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_PAIR,
                                                                 .when = now,
                                                                 .figure = score(x, i, j, m),
                                                                 .more = &(struct pair){
                                                                     x->who[i], x->who[j], m}});
    }
}

static void timing_free(void *self)
{
    struct timing *x = self;
    for (uint32_t i = 0; x->out && x->in && i < x->n; i++) {
        flow_free(&x->out[i]);
        flow_free(&x->in[i]);
    }
    free(x->out);
    free(x->in);
    free(x->place);
    free(x->who);
    lines_free(&x->lines);
}

static int timing_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct timing *x = self;
    const struct timing_opts *o = setup->opts;
    x->setup = *setup;
    x->first = -1;
    x->full = NS_NEVER;
    x->path = (struct correlate_path){
        .base = o->path_base, .mean = o->path_mean, .stages = (uint32_t)o->path_stages};
    x->place = calloc((size_t)setup->n_nodes + 1, sizeof *x->place);
    x->who = calloc((size_t)setup->n_nodes + 1, sizeof *x->who);
    if (!x->place || !x->who || lines_init(&x->lines, setup) != OK) {
        timing_free(x);
        return err_set(e, ERR_NOMEM, "no memory for observer timing");
    }
    x->n = lines_senders(setup, x->place, x->who);
    if (x->n > SENDERS_MOST) {
        timing_free(x);
        return err_set(e, ERR_INVALID, "observer timing: %u senders are more than %d",
                       (unsigned)x->n, SENDERS_MOST);
    }
    x->out = calloc((size_t)x->n + 1, sizeof *x->out);
    x->in = calloc((size_t)x->n + 1, sizeof *x->in);
    if (x->out && x->in)
        return OK;
    timing_free(x);
    return err_set(e, ERR_NOMEM, "no memory for observer timing");
}

/* ---- the judge ---------------------------------------------------------------------------- */

struct timing_score {
    struct timing_opts opts;
    struct map talks; /* from << 16 | to, plus 1 */
    bool told;
    struct roc *roc; /* a method each */
    const char *failed;
};

static uint32_t key(uint32_t from, uint32_t to)
{
    return (from << 16 | (to & 0xffff)) + 1;
}

static int timing_score_init(void *score, const struct observer_setup *setup)
{
    struct timing_score *s = score;
    s->opts = *(const struct timing_opts *)setup->opts;
    s->roc = malloc(METHODS * sizeof *s->roc);
    if (!s->roc)
        return ERR_NOMEM;
    roc_init(&s->roc[BY_COUNTS], -1, 1.0001);
    roc_init(&s->roc[BY_ORDER], CORRELATE_FLOOR, 1);
    return OK;
}

static void timing_judge(void *score, const struct claim *g, const struct truth *t)
{
    struct timing_score *s = score;
    const struct pair *p = g->more;
    if (g->what == CLAIM_SEEN) {
        if (t->packet && t->packet->kind == TRUTH_REAL) {
            map_put(&s->talks, key(t->packet->from, t->packet->to), 1);
            s->told = true;
        }
    } else if (g->what == CLAIM_SENTINEL) {
        s->failed = g->more;
    } else {
        bool both = p->from < t->roster->n_parties && p->to < t->roster->n_parties;
        bool talks = s->told ? map_get(&s->talks, key(p->from, p->to), 0) : both;
        roc_add(&s->roc[p->method], talks, g->figure);
    }
}

static void say(const struct report *out, enum privacy what, const char *about, double ratio,
                const struct roc *r)
{
    const struct finding f = {.what = what,
                              .about = about,
                              .value = bits_ppm(ratio),
                              .n = r->n[0] + r->n[1],
                              .population = r->n[1],
                              .prior = "each pair by itself"};
    if (ratio >= 0)
        out->finding(out->ctx, &f);
}

static void timing_report(void *score, const struct truth *t, const struct report *out)
{
    struct timing_score *s = score;
    char about[METHODS][32], text[64];
    (void)t;
    opt_print_value(OPT_DURATION, s->opts.bin, text, sizeof text);
    snprintf(about[BY_COUNTS], sizeof about[0], "counts %.20s", text);
    snprintf(about[BY_ORDER], sizeof about[0], "order");
    for (int m = 0; m < METHODS; m++) {
        struct roc_figures f;
        if (roc_judge(&s->roc[m], &f) != OK)
            continue;
        say(out, PRIVACY_TIMING_AUC, about[m], f.auc, &s->roc[m]);
        say(out, PRIVACY_TIMING_SIGMA, about[m], f.sigma, &s->roc[m]);
        say(out, PRIVACY_TIMING_EER, about[m], f.eer, &s->roc[m]);
        say(out, PRIVACY_TIMING_TPR_2, about[m], f.tpr_2, &s->roc[m]);
        say(out, PRIVACY_TIMING_TPR_3, about[m], f.tpr_3, &s->roc[m]);
    }
    if (s->failed) {
        snprintf(text, sizeof text, "timing: sentinel %.20s failed", s->failed);
        out->invalid(out->ctx, text);
    }
}

static void timing_score_free(void *score)
{
    struct timing_score *s = score;
    map_free(&s->talks);
    free(s->roc);
}

#define AT(field) .offset = offsetof(struct timing_opts, field)

static const struct opt opts[] = {
    {.name = "bin",
     .type = OPT_DURATION,
     AT(bin),
     .fallback = "50ms",
     .min = NS_MS,
     .max = 3600 * NS_S,
     .help = "Packets are counted in bins of this length: 10ms, 50ms, 200ms."},
    {.name = "max_lag",
     .type = OPT_DURATION,
     AT(max_lag),
     .fallback = "2s",
     .min = 0,
     .max = 3600 * NS_S,
     .help = "How much later than what leaves one host what comes to the other is looked for."},
    {.name = "path_mean",
     .type = OPT_DURATION,
     AT(path_mean),
     .fallback = "0",
     .min = 0,
     .max = 3600 * NS_S,
     .help = "The path's law for scores by order: each stage's mean delay; 0: no such score."},
    {.name = "path_stages",
     .type = OPT_INT,
     AT(path_stages),
     .fallback = "3",
     .min = 0,
     .max = 18,
     .help = "Of the path: exponential stages; 0: a fixed delay, within about path_mean."},
    {.name = "path_base",
     .type = OPT_DURATION,
     AT(path_base),
     .fallback = "0",
     .min = 0,
     .max = 3600 * NS_S,
     .help = "Of the path: the fixed part of the delay."},
    {0},
};

const struct observer observer_timing = {
    .name = "timing",
    .help = "who sends to whom, by when packets leave one host and come to another",
    .opts = opts,
    .opts_size = sizeof(struct timing_opts),
    .wants = WANT_LINE | WANT_TRUTH,
    .at = "global",
    .size = sizeof(struct timing),
    .init = timing_init,
    .see = timing_see,
    .end = timing_end,
    .free = timing_free,
    .score_size = sizeof(struct timing_score),
    .score_init = timing_score_init,
    .judge = timing_judge,
    .report = timing_report,
    .score_free = timing_score_free,
};
