#include "engine/protocols/web_mpc/snip.h"

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/crypto/field61.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- shape ------------------------------------------------------------------------------ */

static void weights(struct snip *s, uint64_t max)
{
    uint64_t sum = 0, next = 1;
    while (sum + next < max) {
        s->weight[s->bits++] = next;
        sum += next;
        next *= 2;
    }
    s->weight[s->bits++] = max - sum;
}

int snip_init(struct snip *s, uint32_t cells, uint64_t max)
{
    uint64_t *numbers, factorial = 1;
    *s = (struct snip){.cells = cells};
    weights(s, max);
    if (cells > SNIP_GATES_MAX || cells * (s->bits + 1) > SNIP_GATES_MAX)
        return ERR_LIMIT;
    s->gates = cells * (s->bits + 1);
    s->inverse = calloc(2 * (size_t)s->gates + 1, sizeof *s->inverse);
    s->spread = calloc((size_t)s->gates + 1, sizeof *s->spread);
    numbers = calloc(2 * (size_t)s->gates + 1, sizeof *numbers);
    if (!s->inverse || !s->spread || !numbers) {
        free(numbers);
        snip_free(s);
        return ERR_NOMEM;
    }
    for (uint32_t k = 0; k <= 2 * s->gates; k++)
        numbers[k] = k;
    f61_inv_batch(s->inverse, numbers, 2 * (size_t)s->gates + 1);
    free(numbers);
    for (uint32_t k = 1; k <= s->gates; k++)
        factorial = f61_mul(factorial, s->inverse[k]); /* 1 / M! */
    s->spread[0] = s->gates % 2 ? f61_neg(factorial) : factorial;
    for (uint32_t j = 1; j <= s->gates; j++) /* the factors go from j .. j - M to one less */
        s->spread[j] = f61_neg(f61_mul(f61_mul(s->spread[j - 1], s->inverse[j]), s->gates - j + 1));
    return OK;
}

void snip_free(struct snip *s)
{
    free(s->inverse);
    free(s->spread);
    s->inverse = s->spread = NULL;
}

size_t snip_len(const struct snip *s)
{
    return 2 * (size_t)s->gates + 5;
}

size_t snip_square(const struct snip *s, uint32_t cell)
{
    return (size_t)s->cells * s->bits + cell;
}

/* Behind the squares: f(0), h(0), h(M+1) .. h(2M), a, b, c. */
static size_t tail(const struct snip *s)
{
    return s->gates;
}

uint64_t snip_value(const struct snip *s, const uint64_t *vector, uint32_t cell)
{
    return f61_dot(s->weight, vector + (size_t)cell * s->bits, s->bits);
}

/* ---- proving ---------------------------------------------------------------------------- */

void snip_witness(const struct snip *s, const uint64_t *values, uint64_t *vector)
{
    for (uint32_t cell = 0; cell < s->cells; cell++) {
        uint64_t rest = values[cell], *bits = vector + (size_t)cell * s->bits;
        uint64_t last = s->weight[s->bits - 1], low = (UINT64_C(1) << (s->bits - 1)) - 1;
        uint64_t over = (low - rest) >> 63; /* rest > low: the last weight is needed */
        bits[s->bits - 1] = over;
        rest -= last & (0 - over);
        for (uint32_t i = 0; i + 1 < s->bits; i++)
            bits[i] = rest >> i & 1;
        vector[snip_square(s, cell)] = f61_mul(values[cell], values[cell]);
    }
}

/* f at 0 .. M: f[j] is gate j's input. */
static void inputs(const struct snip *s, const uint64_t *vector, uint64_t *f)
{
    size_t n = (size_t)s->cells * s->bits;
    f[0] = vector[tail(s)];
    memcpy(f + 1, vector, n * sizeof *f);
    for (uint32_t cell = 0; cell < s->cells; cell++)
        f[1 + n + cell] = snip_value(s, vector, cell);
}

void snip_prove(const struct snip *s, struct prng *rng, uint64_t *vector)
{
    uint64_t f[SNIP_GATES_MAX + 1], *at = vector + tail(s), full = 1;
    uint32_t m = s->gates;
    at[0] = f61_random(rng);
    inputs(s, vector, f);
    at[1] = f61_mul(f[0], f[0]);
    for (uint32_t j = 0; j <= m; j++) {
        f[j] = f61_mul(f[j], s->spread[j]);
        full = j ? f61_mul(full, j + 1) : 1; /* at last (M + 1)!, of x = M + 1 */
    }
    for (uint32_t x = m + 1; x <= 2 * m; x++) {
        u128 sum = 0;
        uint64_t value = 0;
        for (uint32_t j = 0; j <= m; j++) {
            sum += (u128)f[j] * s->inverse[x - j];
            if (j % 16 == 15) {
                value = f61_add(value, f61_reduce128(sum));
                sum = 0;
            }
        }
        value = f61_mul(f61_add(value, f61_reduce128(sum)), full);
        at[2 + x - m - 1] = f61_mul(value, value);
        full = f61_mul(f61_mul(full, x + 1), s->inverse[x - m]); /* x! / (x - M - 1)! */
    }
    at[m + 2] = f61_random(rng);
    at[m + 3] = f61_random(rng);
    at[m + 4] = f61_mul(at[m + 2], at[m + 3]);
    sodium_memzero(f, sizeof f);
}

/* ---- verifying -------------------------------------------------------------------------- */

/* Coefficients at r for values at 0 .. n - 1, by the barycentric form; all public. */
static int coefficients(uint64_t r, uint32_t n, uint64_t *out)
{
    uint64_t *minus = calloc(2 * (size_t)n, sizeof *minus), *inverse, full = 1, down = 1;
    if (!minus)
        return ERR_NOMEM;
    inverse = minus + n;
    for (uint32_t j = 0; j < n; j++)
        full = f61_mul(full, f61_sub(r, j));
    for (uint32_t j = 1; j < n; j++)
        down = f61_mul(down, f61_neg(j)); /* product of (0 - i) */
    for (uint32_t j = 0; j < n; j++) {
        minus[j] = f61_mul(f61_sub(r, j), down);
        if (j + 1 < n) /* product of (j + 1 - i): one more above, one less below */
            down = f61_neg(f61_mul(down, f61_mul(j + 1, f61_inv(n - 1 - j))));
    }
    f61_inv_batch(inverse, minus, n);
    for (uint32_t j = 0; j < n; j++)
        out[j] = f61_mul(full, inverse[j]);
    free(minus);
    return OK;
}

static void lay_out(struct snip_query *q, const struct snip *s, const uint64_t *cf,
                    const uint64_t *ch)
{
    size_t n = (size_t)s->cells * s->bits, at = tail(s);
    for (size_t i = 0; i < n; i++) {
        uint32_t cell = (uint32_t)(i / s->bits);
        q->f[i] = f61_add(cf[1 + i], f61_mul(s->weight[i % s->bits], cf[1 + n + cell]));
        q->h[i] = ch[1 + i];
    }
    memcpy(q->h + n, ch + 1 + n, s->cells * sizeof *ch);
    q->f[at] = cf[0];
    q->h[at + 1] = ch[0];
    memcpy(q->h + at + 2, ch + s->gates + 1, s->gates * sizeof *ch);
}

int snip_query_init(struct snip_query *q, const struct snip *s, const uint8_t seed[SNIP_SEED])
{
    uint64_t *c = malloc((3 * (size_t)s->gates + 2) * sizeof *c);
    struct prng rng;
    int rc = ERR_NOMEM;
    *q = (struct snip_query){.len = snip_len(s)};
    q->f = calloc(q->len, sizeof *q->f);
    q->h = calloc(q->len, sizeof *q->h);
    prng_key(&rng, seed);
    do
        q->r = f61_random(&rng);
    while (q->r <= 2 * s->gates);
    prng_wipe(&rng);
    if (c && q->f && q->h)
        rc = coefficients(q->r, s->gates + 1, c);
    if (rc == OK)
        rc = coefficients(q->r, 2 * s->gates + 1, c + s->gates + 1);
    if (rc == OK)
        lay_out(q, s, c, c + s->gates + 1);
    else
        snip_query_free(q);
    free(c);
    return rc;
}

void snip_query_free(struct snip_query *q)
{
    free(q->f);
    free(q->h);
    q->f = q->h = NULL;
}

struct snip_half snip_open(const struct snip_query *q, const uint64_t *share)
{
    const uint64_t *abc = share + q->len - 3;
    uint64_t f = f61_dot(q->f, share, q->len), h = f61_dot(q->h, share, q->len);
    return (struct snip_half){.d = f61_sub(f, abc[0]),
                              .e = f61_sub(f61_mul(q->r, f), abc[1]),
                              .a = abc[0],
                              .b = abc[1],
                              .c = abc[2],
                              .rh = f61_mul(q->r, h)};
}

uint64_t snip_sigma(const struct snip_half *half, uint64_t d, uint64_t e)
{
    uint64_t product = f61_add(f61_mul(d, e), half->c);
    product = f61_add(product, f61_mul(d, half->b));
    product = f61_add(product, f61_mul(e, half->a));
    return f61_sub(product, half->rh);
}

/* ---- two shares --------------------------------------------------------------------------- */

void snip_expand(const uint8_t seed[SNIP_SEED], uint64_t *share, size_t len)
{
    struct prng rng;
    prng_key(&rng, seed);
    for (size_t i = 0; i < len; i++)
        share[i] = f61_random(&rng);
    prng_wipe(&rng);
}

void snip_split(const uint64_t *other, uint64_t *vector, size_t len)
{
    const uint64_t half = (F61_P + 1) / 2; /* secret = 2 s(1) - s(2) */
    for (size_t i = 0; i < len; i++)
        vector[i] = f61_mul(half, f61_add(vector[i], other[i]));
}

uint64_t snip_join(uint64_t server, uint64_t analyst)
{
    return f61_sub(f61_add(server, server), analyst);
}
