/* links: engine/worlds/lab/wan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/worlds/lab/wan.h"

#include <stdlib.h>

enum { SITES = 3, FIRST = 0x0a000001, UDP = 17, TCP = 6 };

static const char *const region_names[] = {"here", "there"};
static const ns_t rtts[] = {2 * NS_MS, 60 * NS_MS, 60 * NS_MS, 4 * NS_MS};
static const struct regions regions = {2, region_names, rtts};

struct bed {
    struct roster roster;
    struct host_spec hosts[SITES];
    struct trial_spec spec;
    uint32_t lead[SITES];
    struct wan wan;
};

static struct bed bed;

/* a and c are here, b is there. */
static void begin(const struct action *actions, size_t n)
{
    bed.roster = (struct roster){.n = SITES, .n_parties = SITES};
    bed.hosts[1].region = 1;
    bed.spec = (struct trial_spec){.roster = &bed.roster,
                                   .hosts = bed.hosts,
                                   .regions = &regions,
                                   .actions = actions,
                                   .n_actions = n};
    for (uint32_t i = 0; i < SITES; i++)
        bed.lead[i] = i;
    assert_int_equal(wan_init(&bed.wan, &bed.spec, bed.lead, FIRST, 7), OK);
}

static void end(void)
{
    wan_free(&bed.wan);
    bed = (struct bed){0};
}

static void packet(uint8_t *p, uint32_t from, uint32_t to, uint8_t protocol)
{
    uint32_t a = FIRST + from, b = FIRST + to;
    memset(p, 0, 20);
    p[0] = 0x45;
    p[9] = protocol;
    for (int i = 0; i < 4; i++) {
        p[12 + i] = (uint8_t)(a >> (24 - 8 * i));
        p[16 + i] = (uint8_t)(b >> (24 - 8 * i));
    }
}

static enum drop take(ns_t now, uint32_t from, uint32_t to, uint8_t protocol, size_t len)
{
    uint8_t p[WAN_PACKET] = {0};
    packet(p, from, to, protocol);
    p[20] = (uint8_t)len;
    return wan_take(&bed.wan, now, from, p, len);
}

/* When the next packet leaves, as a loop that is never late sees it; -1: none will. */
static ns_t leave(uint32_t *to)
{
    while (wan_next(&bed.wan) != NS_NEVER) {
        enum drop drop;
        ns_t now = wan_next(&bed.wan);
        struct wan_packet *p = wan_due(&bed.wan, now, &drop);
        if (!p)
            continue;
        now = p->due;
        *to = p->to;
        free(p);
        return now;
    }
    return -1;
}

static void packets_take_the_model_s_time(void **state)
{
    uint32_t to;
    (void)state;
    bed.hosts[0].access.latency = 3 * NS_MS;
    bed.hosts[1].access.latency = 5 * NS_MS;
    bed.hosts[0].access.up_bps = 8000000;   /* 1 us a byte */
    bed.hosts[1].access.down_bps = 4000000; /* 2 us a byte */
    begin(NULL, 0);
    assert_int_equal(take(0, 0, 1, UDP, 1000), DROP_COUNT);
    assert_int_equal(take(0, 0, 1, UDP, 500), DROP_COUNT);
    assert_int_equal(take(0, 2, 0, UDP, 500), DROP_COUNT);
    assert_int_equal(leave(&to), 4 * NS_MS); /* half a round trip, and a's last mile */
    assert_int_equal(to, 0);
    assert_int_equal(leave(&to), 38 * NS_MS + 1000 * NS_US + 2000 * NS_US);
    assert_int_equal(to, 1);
    assert_int_equal(leave(&to), 38 * NS_MS + 1000 * NS_US + 3000 * NS_US);
    assert_int_equal(leave(&to), -1);
    end();
}

static void full_queues_drop(void **state)
{
    uint32_t to, got = 0;
    (void)state;
    bed.hosts[0].access.up_bps = 8000000;
    bed.hosts[0].access.queue_bytes = 3000;
    begin(NULL, 0);
    for (int i = 0; i < 5; i++)
        got += take(0, 0, 1, UDP, 1000) == DROP_COUNT;
    assert_int_equal(got, 3);
    while (leave(&to) >= 0)
        got--;
    assert_int_equal(got, 0);
    assert_int_equal(take(10 * NS_MS, 0, 1, UDP, 1000), DROP_COUNT);
    end();
}

static void a_queue_has_an_end_even_where_the_model_has_none(void **state)
{
    uint32_t n = 0;
    (void)state;
    begin(NULL, 0);
    while (take(0, 0, 1, UDP, 1500) == DROP_COUNT && n < WAN_QUEUE)
        n++;
    assert_int_equal(n, WAN_QUEUE / 1500);
    end();
}

/* Jitter overtakes among datagrams, not among segments. */
static void segments_keep_their_order(void **state)
{
    static const uint8_t kinds[] = {TCP, UDP};
    (void)state;
    for (int k = 0; k < 2; k++) {
        unsigned overtaken = 0;
        int last = -1;
        bed.hosts[0].access.jitter = 5 * NS_MS;
        begin(NULL, 0);
        for (int i = 0; i < 200; i++)
            assert_int_equal(take(i * NS_MS, 0, 1, kinds[k], 21 + (size_t)i), DROP_COUNT);
        while (wan_next(&bed.wan) != NS_NEVER) {
            enum drop drop;
            struct wan_packet *p = wan_due(&bed.wan, wan_next(&bed.wan), &drop);
            assert_non_null(p);
            overtaken += (int)p->len < last;
            last = (int)p->len;
            free(p);
        }
        assert_true(kinds[k] == TCP ? overtaken == 0 : overtaken > 20);
        end();
    }
}

static void losses_are_as_asked(void **state)
{
    unsigned lost = 0;
    (void)state;
    bed.hosts[0].access.loss_ppm = 100000;
    begin(NULL, 0);
    for (int i = 0; i < 20000; i++)
        lost += take(i * NS_MS, 0, 1, UDP, 100) == DROP_LOSS;
    assert_in_range(lost, 1800, 2200); /* 2000 and 4.7 standard deviations */
    end();
}

static void events_are_the_trial_s(void **state)
{
    static const uint8_t side[SITES] = {1, 2, 0};
    const struct action list[] = {
        {.kind = ACT_PARTITION, .at = NS_S, .until = 2 * NS_S, .side = side},
        {.kind = ACT_LINK,
         .at = 3 * NS_S,
         .until = NS_NEVER,
         .a = 0,
         .b = 1,
         .loss_ppm = -1,
         .latency = 7 * NS_MS,
         .rate_bps = -1,
         .jitter = -1,
         .burst = -1}};
    uint32_t to;
    (void)state;
    begin(list, 2);
    assert_int_equal(take(NS_S - 1, 0, 1, UDP, 100), DROP_COUNT);
    assert_int_equal(leave(&to), NS_S - 1 + 30 * NS_MS);
    assert_int_equal(take(NS_S, 0, 1, UDP, 100), DROP_PARTITION);
    assert_int_equal(take(NS_S, 1, 0, TCP, 100), DROP_PARTITION);
    assert_int_equal(take(NS_S, 2, 1, UDP, 100), DROP_COUNT);
    assert_int_equal(leave(&to), NS_S + 30 * NS_MS);
    assert_int_equal(take(3 * NS_S, 1, 0, UDP, 100), DROP_COUNT);
    assert_int_equal(leave(&to), 3 * NS_S + 7 * NS_MS);
    end();
}

/* Hosts behind one NAT are one site, at any of their addresses. */
static void a_site_has_many_addresses(void **state)
{
    uint8_t p[60] = {0};
    uint32_t to;
    (void)state;
    begin(NULL, 0);
    bed.lead[2] = 0;
    assert_int_equal(take(0, 1, 2, UDP, 100), DROP_COUNT);
    assert_true(leave(&to) > 0);
    assert_int_equal(to, 0);
    packet(p, 2, 1, UDP);
    assert_int_equal(wan_take(&bed.wan, 0, 0, p, sizeof p), DROP_COUNT);
    assert_int_equal(take(0, 0, 2, UDP, 100), DROP_NO_ROUTE); /* it would have to turn around */
    end();
}

static void foreign_bytes_go_nowhere(void **state)
{
    uint8_t p[WAN_PACKET + 1] = {0};
    (void)state;
    begin(NULL, 0);
    for (size_t len = 0; len < 20; len++) {
        packet(p, 0, 1, UDP);
        assert_int_equal(wan_take(&bed.wan, 0, 0, p, len), DROP_NO_ROUTE);
    }
    assert_int_equal(wan_take(&bed.wan, 0, 0, p, 20), DROP_COUNT);     /* no payload at all */
    assert_int_equal(wan_take(&bed.wan, 0, 2, p, 100), DROP_NO_ROUTE); /* a's address, from c */
    p[0] = 0x65;
    assert_int_equal(wan_take(&bed.wan, 0, 0, p, 100), DROP_NO_ROUTE);
    packet(p, 0, 1, UDP);
    assert_int_equal(wan_take(&bed.wan, 0, 0, p, 1501), DROP_MTU);
    assert_int_equal(wan_take(&bed.wan, 0, 0, p, sizeof p), DROP_MTU);
    packet(p, 0, SITES, UDP);
    assert_int_equal(wan_take(&bed.wan, 0, 0, p, 100), DROP_NO_ROUTE);
    packet(p, 0, UINT32_MAX, UDP);
    assert_int_equal(wan_take(&bed.wan, 0, 0, p, 100), DROP_NO_ROUTE);
    end();
}

static void a_restart_forgets(void **state)
{
    uint32_t to;
    (void)state;
    bed.hosts[0].access.up_bps = 8000;
    begin(NULL, 0);
    assert_int_equal(take(NS_S, 0, 1, TCP, 1000), DROP_COUNT);
    wan_restart(&bed.wan);
    assert_int_equal(leave(&to), -1);
    assert_int_equal(bed.wan.bytes, 0);
    assert_int_equal(take(0, 0, 1, TCP, 1000), DROP_COUNT);
    assert_int_equal(leave(&to), NS_S + 30 * NS_MS);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_take_the_model_s_time),
        cmocka_unit_test(full_queues_drop),
        cmocka_unit_test(a_queue_has_an_end_even_where_the_model_has_none),
        cmocka_unit_test(segments_keep_their_order),
        cmocka_unit_test(losses_are_as_asked),
        cmocka_unit_test(events_are_the_trial_s),
        cmocka_unit_test(a_site_has_many_addresses),
        cmocka_unit_test(foreign_bytes_go_nowhere),
        cmocka_unit_test(a_restart_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
