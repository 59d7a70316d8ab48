/* links: engine/base/err.c engine/base/prng.c engine/observers/belief.c engine/observers/bits.c
 * engine/observers/transit.c */
/* M3 and M5 without mixes: packets that could be taken for each other. What the adversary believes
 * must be true as often as it believes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/prng.h"
#include "engine/observers/transit.h"
#include "tests/unit/analytic.h"

enum { SENDERS = 5, MOST = 20000 };

static const struct belief_shape shape = {.width = SENDERS};

struct packet {
    ns_t in, out; /* out NS_NEVER: it is lost */
    uint32_t who, bytes, to;
};

struct outcome {
    struct batches guess, right, over; /* over: guess - right */
    uint64_t n, sure;
};

static void judge(struct outcome *o, const double *b, uint32_t who)
{
    double most = 0, equal = 0, right;
    for (uint32_t i = 0; i < SENDERS; i++)
        most = b[i] > most ? b[i] : most;
    for (uint32_t i = 0; i < SENDERS; i++)
        equal += b[i] > most - 1e-9;
    right = b[who] > most - 1e-9 ? 1 / equal : 0;
    batches_add(&o->guess, most);
    batches_add(&o->right, right);
    batches_add(&o->over, most - right);
    o->n++;
    o->sure += most > 0.999;
}

static const struct packet *by_out;
static int leaves_first(const void *a, const void *b)
{
    ns_t x = by_out[*(const uint32_t *)a].out, y = by_out[*(const uint32_t *)b].out;
    return x < y ? -1 : x > y;
}

/* All packets, in order of time, through one place; what was there before `burn` is not judged. */
static void pass(struct transit *t, enum transit_kind kind, const struct packet *p, uint32_t n,
                 struct outcome *o)
{
    static uint32_t order[MOST];
    double b[SENDERS];
    uint32_t in = 0, out = 0;
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    by_out = p;
    qsort(order, n, sizeof *order, leaves_first);
    o->guess.size = o->right.size = o->over.size = n / 32;
    while (out < n && p[order[out]].out != NS_NEVER) {
        const struct packet *next = &p[order[out]];
        if (in < n && p[in].in <= next->out) {
            belief_certain(&shape, b, p[in].who);
            transit_arrive(t, &shape, &(struct transit_entry){p[in].in, p[in].bytes, p[in].who, 1},
                           b);
            in++;
            continue;
        }
        transit_leave(t, &shape, kind, &(struct transit_entry){next->out, next->bytes, next->to, 1},
                      b);
        if (out++ > n / 20)
            judge(o, b, next->who);
    }
}

static void check_calibrated(const char *what, const struct outcome *o)
{
    double guess = batches_mean(&o->guess), right = batches_mean(&o->right);
    double error = batches_error(&o->over);
    if (guess - right > 3 * error + 1e-3 || right - guess > 3 * error + 1e-3)
        fail_msg("%s: P(guess) %.4f, right %.4f, error %.4f, n %u", what, guess, right, error,
                 (unsigned)o->n);
}

/* A datagram link: every `gap` in the mean a packet of one of two sizes, 40 ms on its way and
 * `jitter` more in the mean, lost by loss_ppm. */
static struct outcome over_link(enum transit_kind kind, ns_t gap, ns_t jitter, uint32_t loss_ppm)
{
    static struct packet p[MOST];
    struct dice d = dice_name(7, "link", (uint64_t)gap, (uint64_t)jitter, loss_ppm);
    struct outcome o = {0};
    struct transit t = {0};
    ns_t now = 0, last = 0;
    for (uint32_t i = 0; i < MOST; i++) {
        now += dice_exp(&d, gap);
        p[i] = (struct packet){.in = now,
                               .out = now + 40 * NS_MS + dice_exp(&d, jitter),
                               .who = (uint32_t)dice_below(&d, SENDERS),
                               .bytes = 150 + 40 * (uint32_t)dice_below(&d, 2),
                               .to = UINT32_MAX};
        if (kind == TRANSIT_STREAM && p[i].out < last)
            p[i].out = last;
        last = p[i].out;
        if (dice_chance(&d, loss_ppm))
            p[i].out = NS_NEVER;
    }
    pass(&t, kind, p, MOST, &o);
    transit_free(&t);
    return o;
}

static void test_links(void **state)
{
    static const struct {
        ns_t gap;
        uint32_t loss_ppm;
    } cases[] = {
        {20 * NS_MS, 0}, {20 * NS_MS, 10000}, {2 * NS_MS, 0}, {2 * NS_MS, 10000}, {500 * NS_US, 0}};
    double before = 1.1;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = over_link(TRANSIT_DATAGRAM, cases[i].gap, NS_MS, cases[i].loss_ppm);
        assert_true(o.n > MOST * 9 / 10);
        check_calibrated("datagrams", &o);
        if (cases[i].loss_ppm == 0) { /* the closer they follow each other, the less is known */
            assert_true(batches_mean(&o.right) < before - 0.01);
            before = batches_mean(&o.right);
        }
    }
    assert_true(before < 0.75);
}

/* In order and without loss nothing is in doubt. */
static void test_streams(void **state)
{
    struct outcome o = over_link(TRANSIT_STREAM, 500 * NS_US, NS_MS, 0);
    (void)state;
    assert_true(o.sure == o.n && batches_mean(&o.right) == 1);
}

/* A server passes on at once what is for others, and keeps every tenth for itself. `wait`: it first
 * reads all that came within that time. */
static struct outcome through_server(ns_t gap, ns_t wait)
{
    static struct packet p[MOST];
    struct dice d = dice_name(8, "server", (uint64_t)gap, (uint64_t)wait, 0);
    struct outcome o = {0};
    struct transit t = {0};
    ns_t now = 0;
    for (uint32_t i = 0; i < MOST; i++) {
        uint32_t who = (uint32_t)dice_below(&d, SENDERS);
        now += dice_exp(&d, gap);
        p[i] = (struct packet){.in = now,
                               .out = wait ? now - now % wait + wait : now,
                               .who = who,
                               .bytes = 150 + 40 * (uint32_t)dice_below(&d, 2),
                               .to = (who + 1 + (uint32_t)dice_below(&d, SENDERS - 1)) % SENDERS};
        if (dice_chance(&d, 100000))
            p[i].out = NS_NEVER;
    }
    pass(&t, TRANSIT_SERVER, p, MOST, &o);
    transit_free(&t);
    return o;
}

static void test_servers(void **state)
{
    struct outcome o = through_server(NS_MS, 0);
    (void)state;
    assert_true(o.sure > o.n * 99 / 100 && batches_mean(&o.right) > 0.999);
    check_calibrated("a server", &o);
    o = through_server(20 * NS_US, 0); /* what it kept is still fresh: not too sure */
    assert_true(o.sure < o.n * 97 / 100 && batches_mean(&o.right) < 0.99);
    assert_near(batches_mean(&o.guess), batches_mean(&o.right), 0.006);
    o = through_server(200 * NS_US, NS_MS); /* five inside together, of two sizes */
    assert_true(batches_mean(&o.guess) < batches_mean(&o.right) + 3 * batches_error(&o.over));
    assert_near(batches_mean(&o.guess), batches_mean(&o.right), 0.1);
    assert_true(batches_mean(&o.right) < 0.9);
}

/* What stays inside has what has left in its stead: weight is neither lost nor made. */
static void test_weight_stays(void **state)
{
    struct dice d = dice_name(9, "weight", 0, 0, 0);
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct transit t = {0};
        double b[SENDERS], in[SENDERS] = {0}, out[SENDERS] = {0}, sum = 0;
        uint32_t n = 1 + (uint32_t)dice_below(&d, 8);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t who = (uint32_t)dice_below(&d, SENDERS);
            belief_certain(&shape, b, who);
            in[who]++;
            transit_arrive(&t, &shape, &(struct transit_entry){i * 1000, 100, who, 1}, b);
        }
        for (uint32_t i = 0; i < n; i++) {
            assert_true(transit_leave(&t, &shape, TRANSIT_DATAGRAM,
                                      &(struct transit_entry){NS_MS + i, 100, UINT32_MAX, 1}, b));
            for (uint32_t k = 0; k < SENDERS; k++)
                out[k] += b[k];
        }
        for (uint32_t k = 0; k < SENDERS; k++) {
            sum += out[k];
            assert_near(out[k], in[k], 1e-9);
        }
        assert_near(sum, n, 1e-9);
        assert_false(transit_leave(&t, &shape, TRANSIT_DATAGRAM,
                                   &(struct transit_entry){2 * NS_MS, 100, UINT32_MAX, 1}, b));
        assert_near(b[0], 1.0 / SENDERS, 1e-12);
        transit_free(&t);
    }
}

/* k alike are a pool: each may be any of them. */
static void test_alike(void **state)
{
    struct transit t = {0};
    double b[SENDERS];
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        belief_certain(&shape, b, i);
        transit_arrive(&t, &shape, &(struct transit_entry){5, 100, i, 1}, b);
    }
    for (uint32_t n = 0; n < 4; n++) {
        assert_true(transit_leave(&t, &shape, TRANSIT_DATAGRAM,
                                  &(struct transit_entry){9, 100, UINT32_MAX, 1}, b));
        for (uint32_t i = 0; i < SENDERS; i++)
            assert_near(b[i], i < 4 ? 0.25 : 0, 1e-12);
    }
    transit_free(&t);
}

/* Nothing returns to who sent it; another size or connection comes second; and all has an end. */
static void test_who_fits(void **state)
{
    struct transit t = {0};
    double b[SENDERS];
    (void)state;
    belief_certain(&shape, b, 0);
    transit_arrive(&t, &shape, &(struct transit_entry){0, 100, 0, 1}, b);
    assert_false(
        transit_leave(&t, &shape, TRANSIT_SERVER, &(struct transit_entry){1, 100, 0, 1}, b));
    assert_false(transit_leave(&t, &shape, TRANSIT_SERVER,
                               &(struct transit_entry){1, 101 + TRANSIT_SLACK, 1, 1}, b));
    assert_true(transit_leave(&t, &shape, TRANSIT_SERVER,
                              &(struct transit_entry){1, 100 + TRANSIT_SLACK, 1, 1}, b));
    assert_true(b[0] == 1);
    for (uint32_t i = 1; i < 4; i++) { /* of flows 1, 2, 2 */
        belief_certain(&shape, b, i);
        transit_arrive(&t, &shape, &(struct transit_entry){2, 100 * i, 0, i > 1 ? 2 : 1}, b);
    }
    assert_true(
        transit_leave(&t, &shape, TRANSIT_STREAM, &(struct transit_entry){3, 300, 0, 2}, b));
    assert_true(b[3] == 1);
    assert_true(
        transit_leave(&t, &shape, TRANSIT_STREAM, &(struct transit_entry){3, 100, 0, 2}, b));
    assert_true(b[2] == 1);
    assert_true(transit_leave(&t, &shape, TRANSIT_STREAM, /* an unknown one: of any */
                              &(struct transit_entry){3, 999, 0, 7}, b));
    assert_true(b[1] == 1);
    for (uint32_t i = 0; i < TRANSIT_MOST + 9; i++)
        transit_arrive(&t, &shape, &(struct transit_entry){4, 100, 0, 1}, b);
    assert_true(t.n <= TRANSIT_MOST && t.n >= TRANSIT_MOST / 2);
    assert_false(transit_leave(&t, &shape, TRANSIT_DATAGRAM,
                               &(struct transit_entry){5 + TRANSIT_LIFETIME, 100, 0, 1}, b));
    assert_int_equal(t.n, 0);
    transit_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),   cmocka_unit_test(test_streams),
        cmocka_unit_test(test_servers), cmocka_unit_test(test_weight_stays),
        cmocka_unit_test(test_alike),   cmocka_unit_test(test_who_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
