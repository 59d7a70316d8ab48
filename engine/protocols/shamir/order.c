/* Programs that compare: maximum, second_price_auction, sort. */
#include <stdlib.h>

#include "engine/crypto/field61.h"
#include "engine/protocols/shamir/gadget.h"
#include "engine/protocols/shamir/integers.h"

static const int64_t COMPARED_MAX = F61_SIGNED_MAX / 2; /* differences stay in the field */

/* A bidder, or the best of some. */
struct bid {
    wire_t best, index;
    wire_t second; /* WIRE_NONE: there is only one */
};

static int bids_admit(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    (void)o;
    integers_limit(p, COMPARED_MAX);
    return integers_admit(p, 1, 2, e);
}

/* All bids, in the parties' order; NULL without memory. */
static struct bid *make_bids(const struct plan *p, struct program *g)
{
    struct bid *bids = calloc(p->values, sizeof *bids);
    uint32_t n = 0;
    if (!bids)
        g->code = ERR_NOMEM;
    for (party_t who = 0; bids && who < p->parties; who++)
        if (p->given[who])
            bids[n++] = (struct bid){.best = program_input(g, who, 0),
                                     .index = program_constant(g, who),
                                     .second = WIRE_NONE};
    return bids;
}

/* Neighbours meet until one is left; the right one wins only if it is larger. */
static void tournament(struct program *g, struct bid *bids, uint32_t n,
                       struct bid (*meet)(struct program *, struct bid, struct bid))
{
    for (; n > 1; n = (n + 1) / 2) {
        for (uint32_t i = 0; i < n / 2; i++)
            bids[i] = meet(g, bids[2 * i], bids[2 * i + 1]);
        if (n % 2)
            bids[n / 2] = bids[n - 1];
    }
}

/* ---- maximum -------------------------------------------------------------------------- */

static struct bid take(struct program *g, wire_t right, struct bid a, struct bid b)
{
    return (struct bid){.best = gadget_select(g, right, b.best, a.best),
                        .index = gadget_select(g, right, b.index, a.index),
                        .second = WIRE_NONE};
}

static struct bid meet_best(struct program *g, struct bid a, struct bid b)
{
    return take(g, gadget_less_than(g, a.best, b.best), a, b);
}

static void maximum_build(const struct plan *p, struct program *g)
{
    struct bid *bids = make_bids(p, g);
    if (!bids)
        return;
    tournament(g, bids, p->values, meet_best);
    program_output(g, bids[0].best);
    program_output(g, bids[0].index);
    free(bids);
}

static uint32_t largest(const int64_t *values, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        best = values[i] > values[best] ? i : best;
    return best;
}

static void maximum_clear(const struct plan *p, const int64_t *values, const party_t *who,
                          int64_t *out)
{
    uint32_t best = largest(values, p->values);
    out[0] = values[best];
    out[1] = who[best];
}

static const char *winner(const struct plan *p, const uint8_t *result, uint32_t k)
{
    int64_t who = integers_get(result, k);
    return who >= 0 && who < p->parties ? plan_name(p, (party_t)who) : "nobody";
}

static void maximum_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    integers_append(buf, cap, "maximum %lld, winner %s", (long long)integers_get(result, 0),
                    winner(p, result, 1));
}

/* ---- second_price_auction ------------------------------------------------------------- */

/* The larger of the best of one side and the second, if any, of the other. */
static wire_t runner_up(struct program *g, wire_t best, wire_t second)
{
    if (second == WIRE_NONE)
        return best;
    return gadget_select(g, gadget_less_than(g, best, second), second, best);
}

/* The three comparisons of a meeting are independent: who wins, and who comes second in
 * either case. */
static struct bid meet_two(struct program *g, struct bid a, struct bid b)
{
    wire_t right = gadget_less_than(g, a.best, b.best);
    struct bid r = take(g, right, a, b);
    if (a.second == WIRE_NONE && b.second == WIRE_NONE) {
        r.second = program_sub(g, program_add(g, a.best, b.best), r.best);
    } else {
        wire_t left_won = runner_up(g, b.best, a.second);
        wire_t right_won = runner_up(g, a.best, b.second);
        r.second = gadget_select(g, right, right_won, left_won);
    }
    return r;
}

static void auction_build(const struct plan *p, struct program *g)
{
    struct bid *bids = make_bids(p, g);
    if (!bids)
        return;
    tournament(g, bids, p->values, meet_two);
    program_output(g, bids[0].index);
    program_output(g, bids[0].second);
    free(bids);
}

static void auction_clear(const struct plan *p, const int64_t *values, const party_t *who,
                          int64_t *out)
{
    uint32_t best = largest(values, p->values), second = best == 0;
    for (uint32_t i = 0; i < p->values; i++)
        if (i != best && values[i] > values[second])
            second = i;
    out[0] = who[best];
    out[1] = values[second];
}

static void auction_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    integers_append(buf, cap, "winner %s, pays %lld", winner(p, result, 0),
                    (long long)integers_get(result, 1));
}

/* ---- sort ----------------------------------------------------------------------------- */

static int sort_admit(struct plan *p, const struct shamir_opts *o, struct err *e)
{
    (void)o;
    integers_limit(p, COMPARED_MAX);
    return integers_admit(p, UINT32_MAX, 1, e);
}

static void exchange(struct program *g, wire_t *a, wire_t *b)
{
    wire_t less = gadget_less_than(g, *b, *a);
    wire_t low = gadget_select(g, less, *b, *a);
    *b = program_sub(g, program_add(g, *a, *b), low);
    *a = low;
}

/* Batcher's merge exchange: Knuth, The Art of Computer Programming, vol. 3, 5.2.2,
 * algorithm M. Any number of values. */
static void merge_exchange(struct program *g, wire_t *v, uint32_t n)
{
    uint32_t top = 1;
    while (2 * top < n)
        top *= 2;
    for (uint32_t p = top; p > 0 && g->code == OK; p /= 2) {
        uint32_t q = top, r = 0, d = p;
        for (;;) {
            for (uint32_t i = 0; i + d < n; i++)
                if ((i & p) == r)
                    exchange(g, &v[i], &v[i + d]);
            if (q == p)
                break;
            d = q - p;
            q /= 2;
            r = p;
        }
    }
}

static void sort_build(const struct plan *p, struct program *g)
{
    wire_t *values = calloc(p->values, sizeof *values);
    uint32_t n = 0;
    if (!values) {
        g->code = ERR_NOMEM;
        return;
    }
    for (party_t who = 0; who < p->parties; who++)
        for (uint32_t i = 0; i < p->given[who]; i++)
            values[n++] = program_input(g, who, i);
    merge_exchange(g, values, n);
    for (uint32_t i = 0; i < n; i++)
        program_output(g, values[i]);
    free(values);
}

static void sort_clear(const struct plan *p, const int64_t *values, const party_t *who,
                       int64_t *out)
{
    (void)who;
    for (uint32_t i = 0; i < p->values; i++) {
        uint32_t at = i;
        for (; at > 0 && out[at - 1] > values[i]; at--)
            out[at] = out[at - 1];
        out[at] = values[i];
    }
}

static void sort_print(const struct plan *p, const uint8_t *result, char *buf, size_t cap)
{
    integers_append(buf, cap, "sorted");
    for (uint32_t i = 0; i < p->values; i++)
        integers_append(buf, cap, "%s %lld", i ? "," : "", (long long)integers_get(result, i));
}

const struct definition order_maximum = {
    .name = "maximum", .admit = bids_admit, .encode = integers_encode, INTEGER_PROGRAM(maximum)};
const struct definition order_auction = {.name = "second_price_auction",
                                         .admit = bids_admit,
                                         .encode = integers_encode,
                                         INTEGER_PROGRAM(auction)};
const struct definition order_sort = {
    .name = "sort", .admit = sort_admit, .encode = integers_encode, INTEGER_PROGRAM(sort)};
