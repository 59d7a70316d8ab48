/* links: libpartyline */
/* Is cover traffic like the real? A classifier is trained on what one sees who watches a client's
 * link and follows its packets: sizes, times, hops, delays, lifetimes. It must find planted
 * defects, and nothing in what the client really does. Then: a queue that is full, and equal gaps.
 *
 * The client is compiled in here, with three of its calls caught: to watch, and to plant. What
 * it sends to whom (the last provider) is no feature: that is what the mixes hide. The sender has
 * long messages: a lone datagram is likelier to meet the end of a long gap than of a short one,
 * which tells of its time and nothing of its being. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/bytes.h"
#include "engine/run/people.h"
#include "engine/run/scenario.h"
#include "engine/worlds/sim/sim.h"
#include "transports/mix_directory.h"
#include "transports/mix_packet.h"
#include "transports/mix_sched.h"

enum defect { NONE, DELAY_LAW, SIZE, LIFETIME, HURRY };
enum { GAP_BEFORE, GAP_AFTER, BYTES, HOPS, FIRST_MIX, FIRST_DELAY, LIFE, FEATURES };
enum { MOST = 200000, BINS = 12 };

struct seen {
    bool real;
    int64_t f[FEATURES];
};

static struct {
    enum defect defect;
    bool real; /* the packet in the making */
    ns_t last;
    size_t n;
    struct seen list[MOST];
} w;

/* An open packet's i-th delay. */
static uint8_t *delay_at(uint8_t *frame, unsigned hops, unsigned i)
{
    return frame + MIX_HEAD + 2 + 4 * (size_t)hops + 8 * (size_t)i;
}

static int watched_make(const struct mix_net *net, const party_t *route, unsigned n,
                        const void *message, size_t len, uint8_t *frame, ns_t *delay)
{
    struct seen *s = &w.list[w.n];
    struct prng *rng = &net->setup.env->rng;
    int rc;
    w.real = *(const uint8_t *)message == MIX_DATA;
    if (w.defect == LIFETIME && !w.real) { /* a mix less */
        route++;
        n--;
    }
    rc = mix_packet_make(net, route, n, message, len, frame, delay);
    if (w.defect == DELAY_LAW && !w.real)
        for (unsigned i = 0; i < n; i++) { /* the shorter of two */
            uint64_t a = get_le64(delay_at(frame, n, i)), b = prng_u64(rng);
            put_le64(delay_at(frame, n, i), a > b ? a : b);
        }
    if (net->setup.self != 0)
        return rc;
    *s = (struct seen){.real = w.real};
    s->f[GAP_BEFORE] = net->setup.env->now - w.last;
    s->f[HOPS] = n;
    s->f[FIRST_MIX] = route[0];
    for (unsigned i = 0; i + 2 < n; i++) {
        ns_t d = sphinx_delay(get_le64(delay_at(frame, n, i)), net->opts->mean_delay);
        s->f[FIRST_DELAY] = i == 0 ? d : s->f[FIRST_DELAY];
        s->f[LIFE] += d;
    }
    if (w.n)
        w.list[w.n - 1].f[GAP_AFTER] = s->f[GAP_BEFORE];
    w.last = net->setup.env->now;
    return rc;
}

static int watched_send(struct mix_links *l, party_t to, uint16_t port, const uint8_t *frame,
                        size_t len)
{
    if (w.defect == SIZE && !w.real)
        len -= 16;
    if (l->net->setup.self == 0) {
        assert_true(w.n + 1 < MOST);
        w.list[w.n++].f[BYTES] = (int64_t)len;
    }
    return mix_links_send(l, to, port, frame, len);
}

static bool watched_take(struct mix_sched *s, ns_t now, struct prng *rng, struct mix_emission *e)
{
    bool taken = mix_sched_take(s, now, rng, e);
    if (w.defect == HURRY && taken && s->queue.n) {
        ns_t *next = &s->next[MIX_STREAM_PAYLOAD];
        *next = *next > now ? now + (*next - now) / 2 : *next;
    }
    return taken;
}

#define mix_packet_make watched_make
#define mix_links_send watched_send
#define mix_sched_take watched_take
#include "transports/mix_client.c"

/* ---- a classifier ----------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Where the training half's quantiles lie. */
static void cut(int feature, int64_t edges[BINS - 1])
{
    static int64_t x[MOST];
    size_t n = 0;
    for (size_t i = 0; i < w.n; i += 2)
        x[n++] = w.list[i].f[feature];
    qsort(x, n, sizeof *x, by_value);
    for (int b = 1; b < BINS; b++)
        edges[b - 1] = x[n * (size_t)b / BINS];
}

static int bin(const int64_t edges[BINS - 1], int64_t x)
{
    int b = 0;
    while (b < BINS - 1 && x >= edges[b])
        b++;
    return b;
}

struct scored {
    double score;
    bool real;
};

static int by_score(const void *a, const void *b)
{
    double x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x > y) - (x < y);
}

/* Mann and Whitney's U over P N, ties one half. *sd: of it, if the scores tell nothing. */
static double auc_of(struct scored *s, size_t n, double *sd)
{
    double below = 0, wins = 0, all[2] = {0, 0};
    qsort(s, n, sizeof *s, by_score);
    for (size_t i = 0, j; i < n; i = j) {
        double here[2] = {0, 0};
        for (j = i; j < n && s[j].score <= s[i].score; j++)
            here[s[j].real]++;
        wins += here[1] * (below + here[0] / 2);
        below += here[0];
        all[0] += here[0];
        all[1] += here[1];
    }
    assert_true(all[0] > 1000 && all[1] > 1000);
    *sd = 1;
    for (int k = 0; k < 60; k++) /* a square root, by Newton */
        *sd = (*sd + (all[0] + all[1] + 1) / (12 * all[0] * all[1]) / *sd) / 2;
    return wins / (all[0] * all[1]);
}

/* Naive Bayes: log likelihood ratios of binned features, learned on every other packet and
 * tried on the rest. */
static double classify(double *sd)
{
    static struct scored s[MOST];
    int64_t edges[FEATURES][BINS - 1];
    double seen[FEATURES][BINS][2];
    size_t n = 0;
    for (int f = 0; f < FEATURES; f++) {
        cut(f, edges[f]);
        for (int b = 0; b < BINS; b++)
            seen[f][b][0] = seen[f][b][1] = 1;
        for (size_t i = 0; i < w.n; i += 2)
            seen[f][bin(edges[f], w.list[i].f[f])][w.list[i].real]++;
    }
    for (size_t i = 1; i < w.n; i += 2) {
        s[n] = (struct scored){.real = w.list[i].real};
        for (int f = 0; f < FEATURES; f++) {
            const double *here = seen[f][bin(edges[f], w.list[i].f[f])];
            s[n].score += det_log(here[1]) - det_log(here[0]);
        }
        n++;
    }
    return auc_of(s, n, sd);
}

/* ---- a network -------------------------------------------------------------------------- */

static void run(enum defect defect, const char *transport, const char *ping, struct trial_result *r,
                uint64_t seed)
{
    struct diag_list diags;
    struct scenario *s = NULL;
    struct people people;
    struct trial_spec spec;
    struct err e = {0};
    char text[2048];
    snprintf(text, sizeof text,
             "schema: 1\nname: test\nlimit: 600s\nregions: {here: {here: 2ms}}\n"
             "crypto: modelled\n"
             "parties:\n  - {name: a, region: here, role: client}\n"
             "  - {name: b, region: here, role: server}\n"
             "services:\n  - {name: mix, role: mix, count: 6, region: here}\n"
             "  - {name: provider, role: provider, count: 2, region: here}\n"
             "transport: {name: mix, mean_delay: 5ms, %s}\n"
             "protocol: {name: ping, one_way: true, %s}\n",
             transport, ping);
    w.defect = defect;
    w.n = 0;
    w.last = 0;
    diag_init(&diags);
    if (scenario_load_text("test", text, strlen(text), NULL, NULL, 0, &s, &diags) != OK)
        diag_print(&diags, stderr);
    diag_free(&diags);
    assert_non_null(s);
    spec = s->cells[0].spec;
    assert_int_equal(people_make(&people, &spec, 1), OK);
    assert_int_equal(world_sim.run(&spec, seed, NULL, NULL, r, &e), OK);
    assert_false(r->timed_out);
    for (uint32_t i = 0; i < spec.roster->n_parties; i++)
        assert_true(r->outcomes[i].done);
    people_free(&people);
    scenario_free(s);
}

#define COVER "payload_every: 10ms, loop_every: 40ms, drop_every: 40ms"

static double auc(enum defect defect, uint64_t seed, double *sd)
{
    struct trial_result r = {0};
    double x;
    run(defect, COVER, "size: 250KiB, interval: 4s, count: 40", &r, seed);
    trial_result_free(&r, 2);
    x = classify(sd);
    print_message("%zu packets: AUC %.4f, sd %.4f\n", w.n, x, *sd);
    return x;
}

static void defects_are_found(void **state)
{
    double sd;
    (void)state;
    assert_true(auc(DELAY_LAW, 1, &sd) > 0.6);
    assert_true(auc(SIZE, 1, &sd) > 0.99);
    assert_true(auc(LIFETIME, 1, &sd) > 0.99);
    assert_true(auc(HURRY, 1, &sd) > 0.55);
}

static void ours_is_not(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        double sd, x = auc(NONE, seed, &sd);
        assert_true(x > 0.5 - 3 * sd && x < 0.5 + 3 * sd);
    }
}

/* ---- a full queue, equal gaps ----------------------------------------------------------- */

/* Two megabytes at 50 packets a second: the sender must wait, the table says so, all arrives. */
static void saturates(void **state)
{
    struct trial_result r = {0};
    (void)state;
    run(NONE, "payload_every: 20ms", "size: 60000B, interval: 0, count: 35", &r, 1);
    assert_true(r.metrics.counts[COUNT_SATURATED] > 0);
    assert_int_equal(r.metrics.counts[COUNT_DELIVERED], 35);
    assert_true(r.ended > 2100000 / 2048 * 20 * NS_MS);
    trial_result_free(&r, 2);
}

/* The same speed whether there is much to say or nothing, and cover when the queue is empty. */
static void rate_is_kept(void **state)
{
    static const char *const load[] = {"size: 1B, interval: 10s, count: 2",
                                       "size: 250KiB, interval: 2s, count: 6"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct trial_result r = {0};
        size_t real = 0;
        run(NONE, "payload_every: 10ms, constant: true", load[i], &r, 1);
        for (size_t k = 1; k < w.n; k++) {
            assert_int_equal(w.list[k].f[GAP_BEFORE], 10 * NS_MS);
            assert_int_equal(w.list[k].f[BYTES], w.list[0].f[BYTES]);
            real += w.list[k].real;
        }
        assert_true(w.n > 900 && (i == 0 ? real < w.n / 20 : real > w.n / 2));
        trial_result_free(&r, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defects_are_found),
        cmocka_unit_test(ours_is_not),
        cmocka_unit_test(saturates),
        cmocka_unit_test(rate_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
