/* links: engine/worlds/link/{access,faults,link,loss,udp}.c engine/base/{err,prng}.c
 *
 * Datagrams in the link model: headers, MTU, losses in bursts, reordering, queues. */
#include "engine/worlds/link/access.h"
#include "engine/worlds/link/udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct faults no_faults;

struct sent {
    enum drop drop;
    struct link_train train;
};

static struct sent send_one(const struct link_path *p, struct link_host *from,
                            struct udp_pair *pair, uint64_t k, ns_t at, uint32_t payload)
{
    struct dice d = dice_name(7, "datagram", 0, 1, k);
    struct sent s = {0};
    s.drop = udp_send(p, &no_faults, 0, 1, from, at, payload, pair, &d, &s.train);
    return s;
}

static void headers_take_their_time(void **state)
{
    const struct access line = {.up_bps = 8000000, .down_bps = 4000000}; /* 1 and 2 us a byte */
    const struct link_path p = {.delay = 10 * NS_MS};
    struct link_host from = {.access = &line}, to = {.access = &line};
    struct sent s = send_one(&p, &from, NULL, 0, 0, 100);
    (void)state;
    assert_int_equal(s.drop, DROP_COUNT);
    assert_int_equal(s.train.bytes, 128);
    assert_int_equal(s.train.first, 10 * NS_MS + 128 * NS_US);
    assert_int_equal(udp_receive(&to, &s.train), DROP_COUNT);
    assert_int_equal(s.train.last, 10 * NS_MS + (128 + 256) * NS_US);
}

static void above_the_mtu_nothing_is_sent(void **state)
{
    const struct access line = {.up_bps = 8000000};
    const struct link_path p = {.delay = NS_MS};
    struct link_host from = {.access = &line};
    (void)state;
    assert_int_equal(send_one(&p, &from, NULL, 0, 0, 1473).drop, DROP_MTU);
    assert_int_equal(from.up_free, 0);
    assert_int_equal(send_one(&p, &from, NULL, 0, 0, 1472).drop, DROP_COUNT);
    assert_int_equal(from.up_free, 1500 * NS_US);
}

/* Runs of losses, and their rate. */
static double mean_run(uint16_t burst, uint32_t ppm, uint32_t bad, double *rate)
{
    enum { N = 400000 };
    static const struct access line;
    const struct link_path p = {.loss = {.ppm = ppm, .bad = bad, .burst = burst}};
    struct link_host from = {.access = &line};
    struct udp_pair pair = {0};
    unsigned lost = 0, runs = 0;
    bool before = false;
    for (uint64_t k = 0; k < N; k++) {
        bool now = send_one(&p, &from, &pair, k, 0, 100).drop == DROP_LOSS;
        lost += now;
        runs += now && !before;
        before = now;
    }
    *rate = (double)lost / N;
    return (double)lost / runs;
}

static void losses_come_in_bursts(void **state)
{
    double rate, run;
    (void)state;
    run = mean_run(0, 20000, 0, &rate);
    assert_true(rate > 0.019 && rate < 0.021 && run > 1.0 && run < 1.05);
    run = mean_run(5, 20000, 0, &rate);
    assert_true(rate > 0.0185 && rate < 0.0215);
    assert_true(run > 4.7 && run < 5.4);
    run = mean_run(5, 20000, 500000, &rate);
    assert_true(rate > 0.0185 && rate < 0.0215);
    assert_true(run > 1.3 && run < 2.3);
}

/* Two pairs do not share a state. */
static void a_burst_is_of_one_pair(void **state)
{
    static const struct access line;
    const struct link_path p = {.loss = {.ppm = 100000, .burst = 50}};
    struct link_host from = {.access = &line};
    struct udp_pair one = {0}, other = {0};
    unsigned both = 0, first = 0;
    (void)state;
    for (uint64_t k = 0; k < 100000; k++) {
        bool a = send_one(&p, &from, &one, 2 * k, 0, 1).drop == DROP_LOSS;
        bool b = send_one(&p, &from, &other, 2 * k + 1, 0, 1).drop == DROP_LOSS;
        first += a;
        both += a && b;
    }
    assert_true(first > 7000 && first < 13000);
    assert_true(both < first / 4);
}

static void jitter_reorders_and_is_skewed(void **state)
{
    static const struct access line;
    struct link_path p = {.delay = 20 * NS_MS, .jitter_from = 5 * NS_MS};
    struct link_host from = {.access = &line};
    (void)state;
    for (int shape = 0; shape < 2; shape++) {
        unsigned late = 0, below = 0, above = 0;
        ns_t last = 0, sum = 0;
        p.shape_from = (uint8_t)(shape ? JITTER_LOGNORMAL : JITTER_EXPONENTIAL);
        for (uint64_t k = 0; k < 20000; k++) {
            ns_t at = (ns_t)k * NS_MS;
            ns_t there = send_one(&p, &from, NULL, k, at, 100).train.last;
            ns_t extra = there - at - p.delay;
            assert_true(extra >= 0);
            late += there < last;
            last = there;
            sum += extra;
            below += extra < p.jitter_from;
            above += extra > 6 * p.jitter_from;
        }
        assert_true(sum / 20000 > 4700 * NS_US && sum / 20000 < 5300 * NS_US);
        assert_true(late > 4000 && late < 12000);
        assert_true(below > 12000); /* the median is below the mean */
        assert_true(shape ? above > 150 : above < 120);
    }
}

/* A path's own bottleneck makes them wait, and has an end. */
static void a_path_with_a_rate_queues(void **state)
{
    static const struct access line;
    const struct link_path p = {.rate_bps = 8000000};
    struct link_host from = {.access = &line};
    struct udp_pair pair = {0};
    unsigned sent = 0;
    (void)state;
    for (uint64_t k = 0; k < 10; k++)
        assert_int_equal(send_one(&p, &from, &pair, k, 0, 972).train.last,
                         (ns_t)(k + 1) * 1000 * NS_US);
    for (uint64_t k = 10; k < 4000; k++)
        sent += send_one(&p, &from, &pair, k, 0, 972).drop == DROP_COUNT;
    assert_int_equal(sent, UDP_PATH_QUEUE / 1000 - 10);
}

static void profiles_have_what_their_sources_say(void **state)
{
    static const char *const skewed[] = {"4g", "3g"};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(access_find(skewed[i])->jitter_shape, JITTER_LOGNORMAL);
    assert_true(access_find("satellite")->burst > 1);
    for (size_t i = 0; access_names[i]; i++) {
        const struct access *a = access_find(access_names[i]);
        assert_non_null(a);
        assert_non_null(access_help(access_names[i]));
        assert_true(strcmp(access_names[i], "ideal") == 0 || a->queue_bytes > 0);
        assert_true(a->up_bps <= a->down_bps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_take_their_time),
        cmocka_unit_test(above_the_mtu_nothing_is_sent),
        cmocka_unit_test(losses_come_in_bursts),
        cmocka_unit_test(a_burst_is_of_one_pair),
        cmocka_unit_test(jitter_reorders_and_is_skewed),
        cmocka_unit_test(a_path_with_a_rate_queues),
        cmocka_unit_test(profiles_have_what_their_sources_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
