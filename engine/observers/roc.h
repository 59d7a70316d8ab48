/* How well a score tells positives from negatives: the figures of M6 and M10.
 *
 * Scores go to two histograms of 4096 equal bins over [low, high] (what is beyond goes to the
 * end bins), so memory is fixed and sessions merge by adding. AUC = P(positive > negative) +
 * P(equal) / 2, range [0, 1], 1/2 for a score that tells nothing; equal means "in one bin", so
 * its error is at most half the mass of pairs within a bin, which is reported beside it.
 * EER: where FPR = 1 - TPR, between thresholds by a straight line. TPR at an FPR: the largest of
 * a threshold that does not exceed it; only with at least 10 / FPR negatives.
 * The standard error is DeLong's (Biometrics 1988), for independent positives and negatives;
 * pairs that share a flow are not, so intervals go over sessions (trials).
 */
#ifndef PARTYLINE_OBSERVERS_ROC_H
#define PARTYLINE_OBSERVERS_ROC_H

#include <stdbool.h>
#include <stdint.h>

enum { ROC_BINS = 4096 };

struct roc {
    double low, high;
    uint64_t n[2];              /* negatives, positives */
    uint64_t bins[2][ROC_BINS]; /* by rising score */
};

void roc_init(struct roc *, double low, double high);
void roc_add(struct roc *, bool positive, double score);
/* The same range. */
void roc_merge(struct roc *, const struct roc *from);

struct roc_figures {
    double auc, sigma; /* sigma: DeLong's standard error of auc */
    double within;     /* half the share of pairs in one bin: auc is within this of exact */
    double eer;
    double tpr_2, tpr_3; /* at FPR 1e-2, 1e-3; negative: too few negatives to say */
    double advantage;    /* max TPR - FPR */
};
/* ERR_ABSENT without a positive or without a negative. */
int roc_judge(const struct roc *, struct roc_figures *);

/* The standard error of the AUC when scores tell nothing, no ties: sqrt((P+N+1) / (12 P N)). */
double roc_sigma_null(uint64_t positives, uint64_t negatives);

#endif
