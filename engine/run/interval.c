#include "engine/run/interval.h"

#include "engine/base/err.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static const double NEGLIGIBLE = 1e-30;
/* Level and tails that are whole in ppm must not fall to the other side by rounding. */
static const double SLACK = 1e-12;

/* The lower side of a binomial distribution of n draws. Weights are P(B = k) up to a factor,
 * 1 at the mode, and go from k to k - 1 by the ratio of neighbours, so that nothing underflows
 * before it is negligible. */
struct side {
    size_t n, mode;
    double odds;            /* (1 - q) / q */
    size_t end;             /* the lowest k whose weight is not negligible */
    double end_weight, sum; /* sum: of all weights below the mode */
};

static double step_down(const struct side *s, size_t k) /* P(k - 1) / P(k) */
{
    return (double)k / (double)(s->n - k + 1) * s->odds;
}

static struct side side_of(size_t n, size_t mode, uint32_t q_ppm)
{
    struct side s = {.n = n, .mode = mode, .end = mode, .end_weight = 1.0};
    s.odds = (double)(1000000 - q_ppm) / (double)q_ppm;
    while (s.end > 0 && s.end_weight > NEGLIGIBLE) {
        s.end_weight *= step_down(&s, s.end--);
        s.sum += s.end_weight;
    }
    return s;
}

/* The largest l with P(B < l) <= limit, and that probability. */
static size_t rank_of(const struct side *s, double total, double limit, double *tail)
{
    size_t k = s->end;
    double weight = s->end_weight, below = 0.0;
    while (k <= s->n && (below + weight) / total <= limit) {
        below += weight;
        k++;
        weight /= step_down(s, k);
    }
    *tail = below / total;
    return k;
}

static double probability_of_0(const struct side *s, double total)
{
    return s->end == 0 ? s->end_weight / total : 0.0;
}

static uint32_t to_ppm(double p)
{
    double ppm = (p + SLACK) * 1e6;
    return ppm <= 0.0 ? 0 : ppm >= 1e6 ? 1000000 : (uint32_t)ppm;
}

void interval_ranks(size_t n, uint32_t q_ppm, uint32_t level_ppm, struct interval *out)
{
    assert(n > 0 && n <= 1000000000 && q_ppm > 0 && q_ppm < 1000000 && level_ppm < 1000000);
    size_t mode = (size_t)(((uint64_t)n + 1) * q_ppm / 1000000);
    struct side lower = side_of(n, mode, q_ppm), upper = side_of(n, n - mode, 1000000 - q_ppm);
    double total = lower.sum + 1.0 + upper.sum;
    double limit = (double)(1000000 - level_ppm) / 2e6 + SLACK / 4, below, above;
    size_t low = rank_of(&lower, total, limit, &below);
    size_t high = rank_of(&upper, total, limit, &above); /* counted from the top */
    if (low == 0 || high == 0) {
        low = high = 1;
        below = probability_of_0(&lower, total);
        above = probability_of_0(&upper, total);
    }
    memset(out, 0, sizeof *out);
    out->low_rank = low;
    out->high_rank = n + 1 - high;
    out->level_ppm = to_ppm(1.0 - below - above);
}

/* Between a <= b, rounded towards a; their distance may exceed int64_t. */
static int64_t middle(int64_t a, int64_t b)
{
    return a + (int64_t)(((uint64_t)b - (uint64_t)a) / 2);
}

int interval_of(const int64_t *sorted, size_t n, uint32_t q_ppm, uint32_t level_ppm,
                struct interval *out)
{
    if (n == 0) {
        memset(out, 0, sizeof *out);
        return ERR_ABSENT;
    }
    for (size_t i = 1; i < n; i++)
        assert(sorted[i - 1] <= sorted[i]);
    interval_ranks(n, q_ppm, level_ppm, out);
    uint64_t whole = (uint64_t)n * q_ppm / 1000000; /* below n */
    bool exact = (uint64_t)n * q_ppm % 1000000 == 0;
    out->low = sorted[out->low_rank - 1];
    out->high = sorted[out->high_rank - 1];
    out->mid = exact ? middle(sorted[whole - 1], sorted[whole]) : sorted[whole];
    return ERR_OK;
}
