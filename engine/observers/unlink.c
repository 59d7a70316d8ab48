#include "engine/observers/unlink.h"

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/observers/assign.h"
#include "engine/observers/chance.h"

#include <stdlib.h>

int unlink_init(struct unlink *u, uint32_t n)
{
    *u = (struct unlink){.n = n};
    if (n == 0 || n > ASSIGN_MOST)
        return ERR_INVALID;
    u->weight = calloc((size_t)n * n, sizeof *u->weight);
    return u->weight ? OK : ERR_NOMEM;
}

void unlink_free(struct unlink *u)
{
    free(u->weight);
    *u = (struct unlink){0};
}

void unlink_add(struct unlink *u, uint32_t j, const double *belief)
{
    for (uint32_t i = 0; j < u->n && i < u->n; i++)
        u->weight[(size_t)j * u->n + i] += belief[i];
}

/* The receiver's weights, 1 together; false: it got nothing. Nobody sends to himself. */
static bool row_of(const struct unlink *u, uint32_t j, double *out)
{
    double sum = 0;
    for (uint32_t i = 0; i < u->n; i++) {
        out[i] = i == j ? 0 : u->weight[(size_t)j * u->n + i];
        sum += out[i];
    }
    for (uint32_t i = 0; sum > 0 && i < u->n; i++)
        out[i] /= sum;
    return sum > 0;
}

struct truth_of {
    bool (*linked)(const void *ctx, uint32_t i, uint32_t j);
    const void *ctx;
};

/* The chance that one of the heaviest, drawn at random, is a true sender; -1: there is none. */
static double best_right(const double *row, uint32_t n, uint32_t j, const struct truth_of *t)
{
    double most = 0;
    uint32_t heaviest = 0, right = 0, senders = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool linked = i != j && t->linked(t->ctx, i, j);
        senders += linked;
        if (i == j || row[i] < most)
            continue;
        if (row[i] > most)
            heaviest = right = 0;
        most = row[i];
        heaviest++;
        right += linked;
    }
    return senders ? (double)right / (double)(heaviest ? heaviest : 1) : -1;
}

int unlink_judge(const struct unlink *u, bool (*linked)(const void *, uint32_t, uint32_t),
                 const void *ctx, struct unlink_figures *out)
{
    const struct truth_of truth = {linked, ctx};
    double *rows = malloc((size_t)u->n * u->n * sizeof *rows);
    bool *judged = calloc(u->n, sizeof *judged);
    uint32_t *to = malloc(u->n * sizeof *to);
    int rc = rows && judged && to ? OK : ERR_NOMEM;
    *out = (struct unlink_figures){0};
    for (uint32_t j = 0; rc == OK && j < u->n; j++) {
        double *row = rows + (size_t)j * u->n, right;
        bool got = row_of(u, j, row);
        right = best_right(row, u->n, j, &truth);
        judged[j] = got && right >= 0;
        out->judged += judged[j];
        out->linking += judged[j] ? right : 0;
        row[j] = -1; /* an assignment to himself is the last resort */
    }
    if (rc == OK)
        rc = assign_best(rows, u->n, to);
    for (uint32_t j = 0; rc == OK && j < u->n; j++)
        out->assignment += judged[j] && to[j] != j && linked(ctx, to[j], j);
    if (out->judged) {
        out->linking /= (double)out->judged;
        out->assignment /= (double)out->judged;
    }
    free(rows);
    free(judged);
    free(to);
    return rc;
}

double unlink_epsilon(double p0, double p1)
{
    double e = det_log(p0 / p1);
    return e < 0 ? -e : e;
}

struct unlink_advantage unlink_advantage(const struct unlink_test *t, double factor, double level)
{
    double both = 1 - (1 - level) / 2; /* two one-sided bounds, each with half of the rest */
    double one = 1 - 2 * (1 - both);
    struct chance_interval tpr, fpr;
    if (t->positives == 0 || t->negatives == 0)
        return (struct unlink_advantage){0};
    tpr = chance_clopper_pearson(t->positives, t->hits, one);
    fpr = chance_clopper_pearson(t->negatives, t->alarms, one);
    return (struct unlink_advantage){
        .advantage = (double)t->hits / (double)t->positives -
                     factor * (double)t->alarms / (double)t->negatives,
        .low = tpr.low - factor * fpr.high,
    };
}
