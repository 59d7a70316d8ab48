#include "engine/observers/challenge.h"

#include "engine/observers/bits.h"

#define LEVEL 0.95

void challenge_free(struct challenge *c)
{
    hist_free(&c->epsilon);
}

static double epsilon_of(double p, double q)
{
    double e = p > 0 && q > 0 ? unlink_epsilon(p, q) : p > 0 || q > 0 ? CHALLENGE_EPSILON : 0;
    return e < CHALLENGE_EPSILON ? e : CHALLENGE_EPSILON;
}

void challenge_add(struct challenge *c, double p_true, double p_other)
{
    unsigned bit = (unsigned)dice_below(&c->dice, 2);
    double sum = p_true + p_other, of_one = bit ? p_true : p_other;
    int64_t bin = sum > 0 ? bits_round(of_one / sum * CHALLENGE_BINS) : CHALLENGE_BINS / 2;
    int64_t epsilon = bits_milli(epsilon_of(p_true, p_other));
    c->counts[c->n++ & 1][bit][bin]++;
    hist_add(&c->epsilon, epsilon);
    c->epsilon_milli += (uint64_t)epsilon;
}

static struct unlink_test test_at(const struct challenge *c, int half, int threshold)
{
    struct unlink_test t = {0};
    for (int i = 0; i <= CHALLENGE_BINS; i++) {
        const uint64_t positive = c->counts[half][1][i], negative = c->counts[half][0][i];
        t.positives += positive;
        t.negatives += negative;
        t.hits += i >= threshold ? positive : 0;
        t.alarms += i >= threshold ? negative : 0;
    }
    return t;
}

/* The lowest of the best; above all bins: never say it is sender 1, which is worth nothing. */
static int best_threshold(const struct challenge *c, double factor)
{
    struct unlink_test all = test_at(c, 0, 0);
    uint64_t hits = 0, alarms = 0;
    double most = 0;
    int best = CHALLENGE_BINS + 1;
    for (int i = CHALLENGE_BINS; i >= 0 && all.positives && all.negatives; i--) {
        double gain;
        hits += c->counts[0][1][i];
        alarms += c->counts[0][0][i];
        gain =
            (double)hits / (double)all.positives - factor * (double)alarms / (double)all.negatives;
        if (gain > most) {
            most = gain;
            best = i;
        }
    }
    return best;
}

struct unlink_advantage challenge_advantage(const struct challenge *c, double factor)
{
    const struct unlink_test t = test_at(c, 1, best_threshold(c, factor));
    return unlink_advantage(&t, factor, LEVEL);
}
