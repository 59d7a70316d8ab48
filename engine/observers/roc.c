#include "engine/observers/roc.h"

#include "engine/base/err.h"
#include "engine/observers/bits.h"

#include <string.h>

void roc_init(struct roc *r, double low, double high)
{
    memset(r, 0, sizeof *r);
    r->low = low;
    r->high = high;
}

void roc_add(struct roc *r, bool positive, double score)
{
    double place = (score - r->low) / (r->high - r->low) * ROC_BINS;
    int bin = place >= ROC_BINS ? ROC_BINS - 1 : place > 0 ? (int)place : 0;
    r->bins[positive][bin]++;
    r->n[positive]++;
}

void roc_merge(struct roc *r, const struct roc *from)
{
    for (int c = 0; c < 2; c++) {
        r->n[c] += from->n[c];
        for (int i = 0; i < ROC_BINS; i++)
            r->bins[c][i] += from->bins[c][i];
    }
}

/* AUC and DeLong's variance from the placements of each bin. */
static void areas(const struct roc *r, struct roc_figures *f)
{
    double n = (double)r->n[0], p = (double)r->n[1], below[2] = {0, 0};
    double first[2] = {0, 0}, second[2] = {0, 0}, tie = 0, variance = 0;
    for (int i = 0; i < ROC_BINS; i++) {
        double neg = (double)r->bins[0][i], pos = (double)r->bins[1][i];
        double under = (below[0] + neg / 2) / n;    /* of a positive here: negatives below it */
        double over = 1 - (below[1] + pos / 2) / p; /* of a negative here: positives above it */
        first[1] += pos * under;
        second[1] += pos * under * under;
        first[0] += neg * over;
        second[0] += neg * over * over;
        tie += (neg / n) * (pos / p) / 2;
        below[0] += neg;
        below[1] += pos;
    }
    f->auc = first[1] / p;
    f->within = tie;
    for (int c = 0; c < 2; c++) {
        double m = (double)r->n[c], mean = first[c] / m;
        variance += m > 1 ? (second[c] / m - mean * mean) / (m - 1) : 0;
    }
    f->sigma = bits_sqrt(variance);
}

/* From the highest threshold down. */
static void rates(const struct roc *r, struct roc_figures *f)
{
    double tpr = 0, fpr = 0;
    bool crossed = false;
    f->tpr_2 = r->n[0] >= 1000 ? 0 : -1;
    f->tpr_3 = r->n[0] >= 10000 ? 0 : -1;
    for (int i = ROC_BINS - 1; i >= 0; i--) {
        double was_miss = 1 - tpr, was = fpr;
        tpr += (double)r->bins[1][i] / (double)r->n[1];
        fpr += (double)r->bins[0][i] / (double)r->n[0];
        if (f->tpr_2 >= 0 && fpr <= 0.01 + 1e-12)
            f->tpr_2 = tpr;
        if (f->tpr_3 >= 0 && fpr <= 0.001 + 1e-12)
            f->tpr_3 = tpr;
        if (tpr - fpr > f->advantage)
            f->advantage = tpr - fpr;
        if (!crossed && fpr >= 1 - tpr) { /* where the line from before meets FPR = miss */
            double step = (fpr - was) + (was_miss - (1 - tpr));
            f->eer = step > 0 ? was + (fpr - was) * (was_miss - was) / step : fpr;
            crossed = true;
        }
    }
}

int roc_judge(const struct roc *r, struct roc_figures *f)
{
    *f = (struct roc_figures){0};
    if (r->n[0] == 0 || r->n[1] == 0)
        return ERR_ABSENT;
    areas(r, f);
    rates(r, f);
    return OK;
}

double roc_sigma_null(uint64_t positives, uint64_t negatives)
{
    double p = (double)positives, n = (double)negatives;
    return bits_sqrt((p + n + 1) / (12 * p * n));
}
