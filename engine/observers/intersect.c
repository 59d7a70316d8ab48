#include "engine/observers/intersect.h"

#include "engine/base/err.h"

#include <stdlib.h>
#include <string.h>

int intersect_init(struct intersect *x, uint32_t n)
{
    *x = (struct intersect){.n = n, .left = n};
    if (n == 0)
        return ERR_INVALID;
    x->alive = malloc(intersect_words(n) * sizeof *x->alive);
    if (!x->alive)
        return ERR_NOMEM;
    memset(x->alive, 0xff, intersect_words(n) * sizeof *x->alive);
    if (n % 64)
        x->alive[n / 64] = (UINT64_C(1) << n % 64) - 1;
    return OK;
}

void intersect_free(struct intersect *x)
{
    free(x->alive);
    *x = (struct intersect){0};
}

uint32_t intersect_round(struct intersect *x, const uint64_t *online)
{
    x->left = 0;
    x->rounds++;
    for (uint32_t i = 0; i < intersect_words(x->n); i++) {
        x->alive[i] &= online[i];
        x->left += (uint32_t)__builtin_popcountll(x->alive[i]);
    }
    if (x->left <= 1 && x->alone == 0)
        x->alone = x->rounds;
    return x->left;
}

bool intersect_has(const struct intersect *x, uint32_t who)
{
    return who < x->n && (x->alive[who / 64] >> who % 64 & 1);
}

static double power(double x, uint32_t n)
{
    double r = 1;
    for (; n; n >>= 1, x *= x)
        r *= n & 1 ? x : 1;
    return r;
}

double intersect_left(uint32_t s, double p, uint32_t t)
{
    return 1 + ((double)s - 1) * power(p, t);
}

double intersect_done(uint32_t s, double p, uint32_t t)
{
    return power(1 - power(p, t), s - 1);
}

double intersect_rounds(uint32_t s, double p)
{
    double sum = 0, term = 1;
    for (uint32_t t = 0; term > 1e-13 && t < 10000000; t++) {
        term = 1 - intersect_done(s, p, t);
        sum += term;
    }
    return sum;
}
