/* Programs that add, and multiply at most once: sum, mean_stddev, inner_product, vote. */
#include <stdlib.h>

#include "engine/crypto/field61.h"
#include "engine/protocols/shamir/integers.h"

/* ---- sum ------------------------------------------------------------------------------ */

static int sum_admit(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    (void)o;
    if (p->values)
        integers_limit(p, F61_SIGNED_MAX / p->values);
    return integers_admit(p, UINT32_MAX, 1, e);
}

/* The sum of all values. */
static wire_t add_values(const struct plan *p, struct program *g, wire_t *values)
{
    wire_t total = WIRE_NONE;
    for (party_t who = 0; who < p->parties; who++) {
        for (uint32_t i = 0; i < p->given[who]; i++) {
            wire_t w = program_input(g, who, i);
            total = total == WIRE_NONE ? w : program_add(g, total, w);
            if (values)
                *values++ = w;
        }
    }
    return total;
}

static void sum_build(const struct plan *p, struct program *g)
{
    program_output(g, add_values(p, g, NULL));
}

static void sum_clear(const struct plan *p, const int64_t *values, const party_t *who, int64_t *out)
{
    (void)who;
    out[0] = 0;
    for (uint32_t i = 0; i < p->values; i++)
        out[0] += values[i];
}

static void sum_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    (void)p;
    integers_append(buf, cap, "sum %lld", (long long)integers_get(result, 0));
}

/* ---- mean_stddev ---------------------------------------------------------------------- */

/* n sum x^2 <= (n max)^2 */
static int mean_admit(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    (void)o;
    if (p->values)
        integers_limit(p, (int64_t)integers_sqrt((u128)F61_SIGNED_MAX) / p->values);
    return integers_admit(p, UINT32_MAX, 1, e);
}

static void mean_build(const struct plan *p, struct program *g)
{
    uint32_t n = p->values;
    wire_t *a = calloc(2 * ((size_t)n + 1), sizeof *a), *b = a + n + 1;
    if (!a) {
        g->code = ERR_NOMEM;
        return;
    }
    b[n] = add_values(p, g, b);
    a[n] = program_scale(g, b[n], F61_P - 1);
    for (uint32_t i = 0; i < n; i++)
        a[i] = program_scale(g, b[i], n);
    program_output(g, b[n]);
    program_output(g, program_inner(g, a, b, n + 1));
    free(a);
}

static void mean_clear(const struct plan *p, const int64_t *values, const party_t *who,
                       int64_t *out)
{
    int64_t squares = 0;
    (void)who;
    out[0] = 0;
    for (uint32_t i = 0; i < p->values; i++) {
        out[0] += values[i];
        squares += values[i] * values[i];
    }
    out[1] = (int64_t)p->values * squares - out[0] * out[0];
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* v / 10^6 */
static void append_millionths(char *buf, size_t cap, bool minus, uint64_t v)
{
    integers_append(buf, cap, "%s%llu.%06llu", minus && v ? "-" : "",
                    (unsigned long long)(v / 1000000), (unsigned long long)(v % 1000000));
}

static void mean_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    int64_t sum = integers_get(result, 0);
    uint64_t spread = (uint64_t)integers_get(result, 1), n = p->values;
    uint64_t size = sum < 0 ? 0 - (uint64_t)sum : (uint64_t)sum, d = common_divisor(size, n);
    uint64_t twice = integers_sqrt((u128)spread * 4000000000000U / ((u128)n * n));
    integers_append(buf, cap, "mean ");
    append_millionths(buf, cap, sum < 0, (uint64_t)(((u128)size * 2000000 + n) / (2 * (u128)n)));
    integers_append(buf, cap, " (%s%llu", sum < 0 ? "-" : "", (unsigned long long)(size / d));
    if (n != d)
        integers_append(buf, cap, "/%llu", (unsigned long long)(n / d));
    integers_append(buf, cap, "), standard deviation ");
    append_millionths(buf, cap, false, (twice + 1) / 2);
    integers_append(buf, cap, " (sqrt(%llu)/%llu)", (unsigned long long)spread,
                    (unsigned long long)n);
}

/* ---- inner_product -------------------------------------------------------------------- */

static int inner_admit(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    party_t has[2];
    uint32_t n = 0;
    (void)o;
    for (party_t who = 0; who < p->parties; who++) {
        if (p->given[who] == 0)
            continue;
        if (n < 2)
            has[n] = who;
        n++;
    }
    if (n != 2)
        return err_set(e, ERR_INVALID,
                       "inner_product takes vectors from two parties: %u have inputs", n);
    if (p->given[has[0]] != p->given[has[1]])
        return err_set(
            e, ERR_INVALID, "inner_product takes vectors of equal length: %s has %u, %s has %u",
            plan_name(p, has[0]), p->given[has[0]], plan_name(p, has[1]), p->given[has[1]]);
    integers_limit(p, (int64_t)integers_sqrt((u128)(F61_SIGNED_MAX / p->given[has[0]])));
    return OK;
}

static void inner_build(const struct plan *p, struct program *g)
{
    wire_t *values = calloc((size_t)p->values + 1, sizeof *values);
    if (!values) {
        g->code = ERR_NOMEM;
        return;
    }
    for (uint32_t who = 0, n = 0; who < p->parties; who++)
        for (uint32_t i = 0; i < p->given[who]; i++)
            values[n++] = program_input(g, who, i);
    program_output(g, program_inner(g, values, values + p->values / 2, p->values / 2));
    free(values);
}

static void inner_clear(const struct plan *p, const int64_t *values, const party_t *who,
                        int64_t *out)
{
    (void)who;
    out[0] = 0;
    for (uint32_t i = 0; i < p->values / 2; i++)
        out[0] += values[i] * values[p->values / 2 + i];
}

static void inner_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    (void)p;
    integers_append(buf, cap, "inner product %lld", (long long)integers_get(result, 0));
}

/* ---- vote ----------------------------------------------------------------------------- */

static int vote_admit(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    p->candidates = (uint32_t)o->candidates;
    p->low = 0;
    p->high = o->candidates - 1;
    return integers_admit(p, 1, 1, e);
}

static void vote_build(const struct plan *p, struct program *g)
{
    wire_t *tally = calloc((size_t)p->candidates, sizeof *tally);
    bool first = true;
    if (!tally) {
        g->code = ERR_NOMEM;
        return;
    }
    for (party_t who = 0; who < p->parties; who++) {
        for (uint32_t c = 0; p->given[who] && c < p->candidates; c++) {
            wire_t w = program_input(g, who, c);
            tally[c] = first ? w : program_add(g, tally[c], w);
        }
        first &= p->given[who] == 0;
    }
    for (uint32_t c = 0; c < p->candidates; c++)
        program_output(g, tally[c]);
    free(tally);
}

static int vote_encode(const struct plan *p, party_t who, const struct input *in,
                       uint64_t *elements, struct err *e)
{
    uint64_t vote;
    int rc = integers_encode(p, who, in, &vote, e);
    if (rc || in->n == 0)
        return rc;
    for (uint32_t c = 0; c < p->candidates; c++)
        elements[c] = c == vote;
    return OK;
}

static void vote_clear(const struct plan *p, const int64_t *values, const party_t *who,
                       int64_t *out)
{
    (void)who;
    for (uint32_t c = 0; c < p->candidates; c++)
        out[c] = 0;
    for (uint32_t i = 0; i < p->values; i++)
        out[values[i]]++;
}

static void vote_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    uint32_t best = 0, same = 1;
    integers_append(buf, cap, "votes %lld", (long long)integers_get(result, 0));
    for (uint32_t c = 1; c < p->candidates; c++) {
        int64_t n = integers_get(result, c), most = integers_get(result, best);
        integers_append(buf, cap, ", %lld", (long long)n);
        same = n > most ? 1 : same + (n == most);
        best = n > most ? c : best;
    }
    if (same == 1)
        integers_append(buf, cap, "; candidate %u wins", best);
    else
        integers_append(buf, cap, "; %u candidates tie", same);
}

const struct definition sums_sum = {
    .name = "sum", .admit = sum_admit, .encode = integers_encode, INTEGER_PROGRAM(sum)};
const struct definition sums_mean_stddev = {
    .name = "mean_stddev", .admit = mean_admit, .encode = integers_encode, INTEGER_PROGRAM(mean)};
const struct definition sums_inner_product = {.name = "inner_product",
                                              .admit = inner_admit,
                                              .encode = integers_encode,
                                              INTEGER_PROGRAM(inner)};
const struct definition sums_vote = {
    .name = "vote", .admit = vote_admit, .encode = vote_encode, INTEGER_PROGRAM(vote)};
