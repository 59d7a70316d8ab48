#include "engine/observers/anonymity.h"

#include "engine/base/err.h"
#include "engine/observers/bits.h"
#include "engine/observers/chance.h"

#include <stdlib.h>

void anonymity_arrive(struct anonymity *a)
{
    double n = (double)a->inside, all = n + 1;
    a->entropy = bits_binary(1 / all) + n / all * a->entropy;
    a->guess = 1 / all;
    a->collision = (n * n * a->collision + 1) / (all * all);
    a->guesswork = 1 + n / all * a->guesswork;
    a->inside++;
}

void anonymity_leave(struct anonymity *a)
{
    if (a->inside && --a->inside == 0)
        *a = (struct anonymity){0};
}

double anonymity_shuffle(uint64_t n, uint64_t known)
{
    return n > known ? bits_log2((double)(n - known)) : 0;
}

double anonymity_timed(double mean)
{
    double sum = 0, mass = 0;
    for (uint64_t k = 0; (double)k < mean || mass < 1 - 1e-15; k++) {
        double p = chance_poisson(mean, k);
        sum += p * bits_log2((double)k + 1);
        mass += p;
        if ((double)k > mean && p < 1e-18)
            break;
    }
    return sum;
}

double anonymity_pool(uint64_t n, uint64_t kept)
{
    double in = (double)n, all = (double)(n + kept);
    return bits_log2(all) + (kept ? (double)kept / in * bits_log2(all / (double)kept) : 0);
}

/* ---- the steady state of a Poisson mix --------------------------------------------------- */

/* With times in mean delays: g_n = P(n inside) E[figure | n inside] obeys
 * g_n (rho + n) = rho (p_(n-1) fresh(n) + keep(n) g_(n-1)) + (n + 1) g_(n+1), n >= 1, g_0 = 0,
 * where an arrival that makes it n turns a figure f into fresh(n) + keep(n) f. */
struct sizes {
    double rho;
    uint64_t first, n; /* sizes first .. first + n - 1 */
    double *p, *slope, *value;
};

static double entropy_fresh(double n)
{
    return bits_binary(1 / n);
}
static double one_by_one(double n)
{
    return (n - 1) / n;
}
static double collision_fresh(double n)
{
    return 1 / (n * n);
}
static double collision_keep(double n)
{
    return one_by_one(n) * one_by_one(n);
}
static double guess_fresh(double n)
{
    return 1 / n;
}
static double min_fresh(double n)
{
    return bits_log2(n);
}
static double nothing(double n)
{
    (void)n;
    return 0;
}

/* Thomas's algorithm; at departures size n has the weight n p_n / rho. */
static double solve(const struct sizes *s, double (*fresh)(double), double (*keep)(double))
{
    double mean = 0, next = 0;
    for (uint64_t i = 0; i < s->n; i++) {
        double n = (double)(s->first + i);
        double below = i ? s->slope[i - 1] : 0, in = i ? s->value[i - 1] : 0;
        double pivot = s->rho + n - s->rho * keep(n) * below;
        double before = i ? s->p[i - 1] : n > 1 ? 0 : chance_poisson(s->rho, 0);
        s->slope[i] = (n + 1) / pivot;
        s->value[i] = s->rho * (before * fresh(n) + keep(n) * in) / pivot;
    }
    for (uint64_t i = s->n; i-- > 0;) {
        next = s->value[i] + (i + 1 < s->n ? s->slope[i] * next : 0);
        mean += (double)(s->first + i) * next;
    }
    return mean / s->rho;
}

int anonymity_poisson(double rho, struct anonymity_mean *out)
{
    double spread = 12 * bits_sqrt(rho) + 40;
    struct sizes s = {.rho = rho, .first = rho > spread ? (uint64_t)(rho - spread) : 1};
    if (!(rho > 0) || rho > 1e6)
        return ERR_INVALID;
    s.n = (uint64_t)(rho + spread) - s.first + 1;
    s.p = calloc(3 * s.n, sizeof *s.p);
    if (!s.p)
        return ERR_NOMEM;
    s.slope = s.p + s.n;
    s.value = s.slope + s.n;
    for (uint64_t i = 0; i < s.n; i++)
        s.p[i] = chance_poisson(rho, s.first + i);
    *out = (struct anonymity_mean){.entropy = solve(&s, entropy_fresh, one_by_one),
                                   .guess = solve(&s, guess_fresh, nothing),
                                   .collision = solve(&s, collision_fresh, collision_keep),
                                   .min_entropy = solve(&s, min_fresh, nothing)};
    free(s.p);
    return OK;
}
