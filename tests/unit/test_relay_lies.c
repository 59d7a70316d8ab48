/* links: everything but engine/main.c (trials in the simulator)
 *
 * A relay that lies to its clients: the links are its own, so nothing but the channel above can
 * find out. It does, puts right what can be, and the results name what was done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/base/bytes.h"
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"
#include "transports/relay_client.h"
#include "transports/relay_server.h"

extern const struct transport transport_relay;
extern const struct world world_sim;

enum lie { HONEST, DROPS_SOME, DOUBLES_SOME, SWAPS_ORDER, SWAPS_SENDERS, ALTERS_SOME };

static enum lie lie;
static const struct env_ops *honest;
static struct env_ops lying;
static unsigned n_frames, n_lies;
static uint8_t late[LINK_MESSAGE_MAX];
static size_t late_len;
static link_t late_link;

static int tell(struct env *env, link_t link, const void *data, size_t len)
{
    uint8_t frame[LINK_MESSAGE_MAX];
    int rc;
    memcpy(frame, data, len);
    if (frame[0] != RELAY_RECV || lie == HONEST)
        return honest->send(env, link, data, len);
    if (late_len && late_link == link) {
        rc = honest->send(env, link, data, len);
        if (rc != OK)
            return rc;
        honest->send(env, link, late, late_len);
        late_len = 0;
        return OK;
    }
    if (++n_frames % 7)
        return honest->send(env, link, data, len);
    n_lies++;
    switch (lie) {
    case DROPS_SOME:
        return OK;
    case DOUBLES_SOME:
        rc = honest->send(env, link, data, len);
        if (rc == OK)
            honest->send(env, link, data, len);
        return rc;
    case SWAPS_ORDER:
        late_link = link;
        late_len = len;
        memcpy(late, data, len);
        return OK;
    case SWAPS_SENDERS: /* of the three, the one that is neither; or the receiver itself */
        put_le32(frame + 1, (get_le32(frame + 1) + 1) % 3);
        break;
    default:
        frame[len - 1] ^= 1;
    }
    return honest->send(env, link, frame, len);
}

/* Links in the clear, so that the lies can be told from outside of the relay's code. */
static int client_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct transport_setup clear = *setup;
    clear.identity = NULL;
    return relay_client_init(self, &clear, e);
}

static int server_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct transport_setup clear = *setup;
    clear.identity = NULL;
    honest = setup->env->ops;
    lying = *honest;
    lying.send = tell;
    setup->env->ops = &lying;
    return relay_server_init(self, &clear, e);
}

static struct transport_role roles[3];
static struct transport liar;

static void run(enum lie which, struct trial_result *r)
{
    struct conform_plan plan = {.messages = 60, .min = 1, .max = 3000, .every = 20 * NS_MS};
    struct err e = {0};
    struct bed b;
    roles[0] = transport_relay.roles[0];
    roles[0].init = client_init;
    roles[1] = transport_relay.roles[1];
    roles[1].init = server_init;
    liar = transport_relay;
    liar.roles = roles;
    lie = which;
    n_frames = n_lies = 0;
    late_len = 0;
    assert_true(bed_make(&b, &liar, &protocol_conform, 3));
    b.spec.plan = &plan;
    b.spec.limit = 300 * NS_S;
    assert_true(bed_people(&b));
    assert_int_equal(world_sim.run(&b.spec, 1, NULL, NULL, r, &e), OK);
    for (uint32_t i = 0; i < 3; i++) {
        if (!r->outcomes[i].done)
            print_message("p%u: %s\n", i, r->why ? r->why : r->outcomes[i].failure);
        assert_true(r->outcomes[i].done && !r->outcomes[i].failure);
    }
    assert_true(which == HONEST || n_lies > 5);
    bed_free(&b);
}

static uint64_t drops(const struct trial_result *r)
{
    uint64_t sum = 0;
    for (int d = 0; d < DROP_COUNT; d++)
        sum += r->metrics.drops[d];
    return sum;
}

static void test_honest(void **state)
{
    struct trial_result r;
    (void)state;
    run(HONEST, &r);
    assert_int_equal(drops(&r), 0);
    assert_int_equal(r.metrics.counts[COUNT_RESENT], 0);
    trial_result_free(&r, 3);
}

static void expect_named(enum lie which, enum drop name, bool resent)
{
    struct trial_result r;
    run(which, &r);
    assert_true(r.metrics.drops[name] > 0);
    assert_true(!resent || r.metrics.counts[COUNT_RESENT] > 0);
    trial_result_free(&r, 3);
}

static void test_drops(void **state)
{
    (void)state;
    expect_named(DROPS_SOME, DROP_CHANNEL_GAP, true);
}
static void test_doubles(void **state)
{
    (void)state;
    expect_named(DOUBLES_SOME, DROP_CHANNEL_REPLAY, false);
}
static void test_reorders(void **state)
{
    (void)state;
    expect_named(SWAPS_ORDER, DROP_CHANNEL_REPLAY, true);
}
static void test_swaps_senders(void **state)
{
    (void)state;
    expect_named(SWAPS_SENDERS, DROP_CHANNEL_AUTH, true);
}
static void test_alters(void **state)
{
    (void)state;
    expect_named(ALTERS_SOME, DROP_CHANNEL_AUTH, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),        cmocka_unit_test(test_drops),
        cmocka_unit_test(test_doubles),       cmocka_unit_test(test_reorders),
        cmocka_unit_test(test_swaps_senders), cmocka_unit_test(test_alters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
