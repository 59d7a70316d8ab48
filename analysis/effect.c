#include "analysis/effect.h"

#include "engine/base/err.h"
#include "engine/base/prng.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 5000, RESAMPLES_MIN = 1000, DRAWS = 20000000 };

static const uint64_t SEED = 9;
/* The studentised interval of few pairs can be absurdly wide: beyond so many of Student's it is
 * cut. */
static const double T_CAP = 3.0;
static const double PI = 3.141592653589793;

/* ---- functions ------------------------------------------------------------------------ */

double effect_root(double x)
{
    double r = x > 1.0 ? x : 1.0, next = r;
    if (x <= 0.0)
        return 0.0;
    for (int i = 0; i < 1100; i++) { /* Newton from above: falls until it is there */
        next = 0.5 * (r + x / r);
        if (next >= r)
            break;
        r = next;
    }
    return r;
}

/* e^-x for x >= 0: the series of e^(-x / 2^k), squared k times. */
static double exp_minus(double x)
{
    double sum = 1.0, term = 1.0;
    int k = 0;
    if (x > 700.0)
        return 0.0;
    for (; x > 0.25; k++)
        x *= 0.5;
    for (int i = 1; i < 20; i++) {
        term *= -x / (double)i;
        sum += term;
    }
    while (k-- > 0)
        sum *= sum;
    return sum;
}

double effect_normal(double z)
{
    double size = z < 0.0 ? -z : z, term = size, sum = size;
    if (size > 8.0)
        return z < 0.0 ? 0.0 : 1.0;
    for (int k = 1; k < 200; k++) { /* Abramowitz and Stegun 26.2.11 */
        term *= size * size / (double)(2 * k + 1);
        sum += term;
    }
    sum *= exp_minus(0.5 * size * size) / effect_root(2.0 * PI);
    return z < 0.0 ? 0.5 - sum : 0.5 + sum;
}

/* x >= 0: halved until the series is short. */
static double arctan(double x)
{
    double sum = 0.0;
    int k = 0;
    for (; x > 0.1; k++)
        x = x / (1.0 + effect_root(1.0 + x * x));
    for (int i = 25; i >= 1; i -= 2)
        sum = 1.0 / (double)i - x * x * sum;
    sum *= x;
    while (k-- > 0)
        sum *= 2.0;
    return sum;
}

double effect_t_tails(double t, unsigned nu)
{
    double n = (double)nu, cos2 = n / (n + t * t), sin = effect_root(1.0 - cos2);
    double term = 1.0, sum = 1.0, inside;
    assert(nu > 0);
    if (t > 1e150)
        return 0.0;
    for (unsigned k = nu % 2 ? 3 : 2; k < nu; k += 2) { /* Abramowitz and Stegun 26.7.3, 26.7.4 */
        term *= cos2 * (double)(k - 1) / (double)k;
        sum += term;
    }
    inside =
        nu % 2 == 0
            ? sin * sum
            : 2.0 / PI *
                  (arctan(t / effect_root(n)) + (nu > 1 ? sin * effect_root(cos2) * sum : 0.0));
    return inside >= 1.0 ? 0.0 : 1.0 - inside;
}

/* ---- the interval --------------------------------------------------------------------- */

/* Where t's two tails hold 5 %. */
static double t_quantile(unsigned nu)
{
    double low = 0.0, high = 64.0;
    for (int i = 0; i < 60; i++) {
        double mid = 0.5 * (low + high);
        if (effect_t_tails(mid, nu) > 0.05)
            low = mid;
        else
            high = mid;
    }
    return high;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static size_t resamples_of(size_t n)
{
    size_t most = DRAWS / n;
    return most > RESAMPLES ? RESAMPLES : most < RESAMPLES_MIN ? RESAMPLES_MIN : most;
}

/* t as t * |t|: the same order, and no root for each resample. */
static double squared_t(double sum, double squares, size_t n)
{
    double mean = sum / (double)n, spread = (squares - sum * mean) / (double)(n * (n - 1));
    double t2 = mean * mean;
    if (t2 <= 0.0)
        return 0.0;
    t2 = spread > t2 * 1e-12 ? t2 / spread : 1e12; /* all drawn alike: beyond any cap */
    return mean < 0.0 ? -t2 : t2;
}

/* The t whose square is s, cut to +-cap. */
static double cut_t(double s, double cap)
{
    double t = effect_root(s < 0.0 ? -s : s);
    t = t < cap ? t : cap;
    return s < 0.0 ? -t : t;
}

/* Of the n differences from their mean: m sums, and m squared t. */
static void resample(const double *c, size_t n, size_t m, uint64_t which, double *sums, double *ts)
{
    struct dice dice = dice_name(SEED, "bootstrap", which, n, 0);
    for (size_t i = 0; i < m; i++) {
        double sum = 0.0, squares = 0.0;
        for (size_t k = 0; k < n; k++) {
            double x = c[dice_below(&dice, n)];
            sum += x;
            squares += x * x;
        }
        sums[i] = sum;
        ts[i] = squared_t(sum, squares, n);
    }
    qsort(sums, m, sizeof *sums, by_value);
    qsort(ts, m, sizeof *ts, by_value);
}

static int bootstrap(const double *d, size_t n, uint64_t which, struct effect *out)
{
    size_t m = resamples_of(n), rank, at = m / 40; /* 2.5 % */
    double *memory = malloc((2 * m + n) * sizeof *memory), *ts = memory + m, *c = ts + m;
    double quantile = t_quantile((unsigned)n - 1), squares = 0.0, error, low, high;
    double tail = effect_normal(-effect_root((double)n / (double)(n - 1)) * quantile);
    if (!memory)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        c[i] = d[i] - out->change;
        squares += c[i] * c[i];
    }
    resample(c, n, m, which, memory, ts);
    error = effect_root(squares / (double)(n * (n - 1)));
    low = -cut_t(ts[m - 1 - at], T_CAP * quantile) * error;
    high = -cut_t(ts[at], T_CAP * quantile) * error;
    rank = (size_t)(tail * (double)m); /* as many lie outside, on each side */
    if (memory[rank] / (double)n < low)
        low = memory[rank] / (double)n;
    if (memory[m - 1 - rank] / (double)n > high)
        high = memory[m - 1 - rank] / (double)n;
    out->low = out->change + low;
    out->high = out->change + high;
    out->interval = true;
    free(memory);
    return OK;
}

/* ---- effects -------------------------------------------------------------------------- */

static double t_test(const double *d, size_t n, double mean)
{
    double squares = 0.0;
    for (size_t i = 0; i < n; i++)
        squares += (d[i] - mean) * (d[i] - mean);
    if (squares <= 0.0)
        return mean < 0.0 || mean > 0.0 ? 0.0 : 1.0;
    double error = effect_root(squares / (double)(n - 1) / (double)n);
    return effect_t_tails((mean < 0.0 ? -mean : mean) / error, (unsigned)n - 1);
}

/* Half the distance between the means of two parts: those where `first` is true, the rest. */
static double half_distance(const double *d, size_t n, bool alternate)
{
    double sum[2] = {0}, distance;
    size_t count[2] = {0};
    for (size_t i = 0; i < n; i++) {
        size_t part = alternate ? i % 2 : i >= n / 2;
        sum[part] += d[i];
        count[part]++;
    }
    distance = sum[0] / (double)count[0] - sum[1] / (double)count[1];
    return 0.5 * (distance < 0.0 ? -distance : distance);
}

int effect_of(const double *a, const double *b, size_t n, uint64_t which, struct effect *out)
{
    double *d = calloc(n + 1, sizeof *d);
    int rc = OK;
    *out = (struct effect){.pairs = n, .p = 1.0, .same = true};
    if (!d)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        d[i] = b[i] - a[i];
        out->a += a[i] / (double)n;
        out->b += b[i] / (double)n;
        out->change += d[i] / (double)n;
        out->same = out->same && !(d[i] < 0.0 || d[i] > 0.0);
    }
    if (n >= EFFECT_PAIRS_MIN && out->same) {
        out->interval = true;
    } else if (n >= EFFECT_PAIRS_MIN) {
        double odd = half_distance(d, n, true), drift = half_distance(d, n, false);
        out->noise = odd > drift ? odd : drift;
        out->p = t_test(d, n, out->change);
        rc = bootstrap(d, n, which, out);
    }
    free(d);
    return rc;
}

bool effect_ppm(const struct effect *x, double change, int64_t *ppm)
{
    double share;
    if (x->a <= 0.0)
        return false;
    share = change / x->a * 1e6;
    share = share > 9e18 ? 9e18 : share < -9e18 ? -9e18 : share;
    *ppm = (int64_t)(share < 0.0 ? share - 0.5 : share + 0.5);
    return true;
}

struct ranked {
    double p;
    size_t at;
};

static int by_p(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->p < y->p ? -1 : x->p > y->p ? 1 : x->at < y->at ? -1 : x->at > y->at;
}

int effect_holm(const double *p, size_t n, double *adjusted)
{
    struct ranked *order = calloc(n + 1, sizeof *order);
    double most = 0.0;
    if (!order)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        order[i] = (struct ranked){p[i], i};
    qsort(order, n, sizeof *order, by_p);
    for (size_t i = 0; i < n; i++) {
        double now = order[i].p * (double)(n - i);
        most = now > most ? now : most;
        adjusted[order[i].at] = most < 1.0 ? most : 1.0;
    }
    free(order);
    return OK;
}
