#include "engine/observers/sentinel.h"

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/observers/roc.h"

#include <stdlib.h>

enum { FLOWS = SENTINEL_FLOWS, PAIRS = FLOWS * FLOWS };

struct bench {
    const struct sentinel_attack *attack;
    struct flow in[FLOWS], out[FLOWS];
    double score[PAIRS];
    int label[PAIRS]; /* of pair p, whose scores it is judged by */
    double sigma;
    struct roc roc;
};

static void forget(struct flow *flows)
{
    for (int i = 0; i < FLOWS; i++)
        flow_free(&flows[i]);
}

static int send(struct bench *b, struct dice *d)
{
    for (int i = 0; i < FLOWS; i++) {
        ns_t t = 0;
        for (int k = 0; k < SENTINEL_PACKETS; k++) {
            t += 1 + dice_exp(d, b->attack->gap);
            if (!flow_add(&b->in[i], t))
                return ERR_NOMEM;
        }
    }
    return OK;
}

/* Each leaves after the shift and up to `jitter`, never before the one before it; then every
 * pair is scored. */
static int pass(struct bench *b, struct dice *d, ns_t jitter)
{
    forget(b->out);
    for (int i = 0; i < FLOWS; i++)
        for (uint32_t k = 0; k < b->in[i].n; k++) {
            ns_t t = b->in[i].times[k] + b->attack->shift;
            t += jitter ? (ns_t)dice_below(d, (uint64_t)jitter) : 0;
            if (k && t < b->out[i].times[k - 1])
                t = b->out[i].times[k - 1];
            if (!flow_add(&b->out[i], t))
                return ERR_NOMEM;
        }
    for (int p = 0; p < PAIRS; p++) {
        b->score[p] = b->attack->score(b->attack->ctx, &b->in[p / FLOWS], &b->out[p % FLOWS]);
        b->label[p] = p;
    }
    return OK;
}

static double area(struct bench *b)
{
    struct roc_figures f;
    roc_init(&b->roc, b->attack->low, b->attack->high);
    for (int p = 0; p < PAIRS; p++)
        roc_add(&b->roc, b->label[p] / FLOWS == b->label[p] % FLOWS, b->score[p]);
    roc_judge(&b->roc, &f);
    b->sigma = roc_sigma_null(b->roc.n[1], b->roc.n[0]);
    return f.auc;
}

/* Fisher and Yates. */
static void permute(struct bench *b, struct dice *d)
{
    for (int p = PAIRS - 1; p > 0; p--) {
        int with = (int)dice_below(d, (uint64_t)p + 1), was = b->label[p];
        b->label[p] = b->label[with];
        b->label[with] = was;
    }
}

static int judge(struct bench *b, struct dice *d, struct sentinel *s)
{
    int rc = send(b, d);
    if (rc == OK)
        rc = pass(b, d, 0);
    if (rc == OK) {
        s->direct = area(b);
        rc = pass(b, d, b->attack->jitter);
    }
    if (rc != OK)
        return rc;
    s->fifo = area(b);
    permute(b, d);
    s->permuted = area(b);
    s->sigmas = (s->permuted - 0.5) / b->sigma;
    return OK;
}

int sentinel_run(uint64_t seed, const struct sentinel_attack *attack, struct sentinel *s)
{
    struct bench *b = calloc(1, sizeof *b);
    struct dice d = dice_name(seed, "sentinel", 0, 0, 0);
    int rc;
    *s = (struct sentinel){0};
    if (!b)
        return ERR_NOMEM;
    b->attack = attack;
    rc = judge(b, &d, s);
    if (s->direct < 1 - 1e-9)
        s->failed = "direct";
    else if (s->fifo < 1 - 1e-9)
        s->failed = "fifo";
    else if (s->sigmas > SENTINEL_SIGMA || s->sigmas < -SENTINEL_SIGMA)
        s->failed = "permuted";
    forget(b->in);
    forget(b->out);
    free(b);
    return rc;
}
