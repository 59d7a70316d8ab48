/* links: all */
/* A provider that lies: what it does to the target's packets and to others', that sessions bear it,
 * and that tagging is no more than dropping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"
#include "transports/mix_lies.h"

static ns_t armed_at;
static void arm(struct env *env, unsigned timer, ns_t at)
{
    (void)env, (void)timer;
    armed_at = at;
}

static const struct env_ops ops = {.arm = arm};
static const struct roster_entry entries[] = {{.name = "alice", .role = "client"},
                                              {.name = "bob", .role = "client"}};
static const struct roster roster = {.n = 2, .n_parties = 2, .entries = entries};

struct bed {
    struct env env;
    struct metrics metrics;
    struct mix_opts opts;
    struct mix_net net;
    struct mix_lies lies;
    uint8_t frame[MIX_FRAME_MAX];
};

static void begin(struct bed *b, enum mix_lie lie, const char *to)
{
    memset(b, 0, sizeof *b);
    b->opts =
        (struct mix_opts){.lies = lie, .lie_rate = 250000, .lie_period = 2 * NS_S, .lie_to = to};
    b->env = (struct env){.ops = &ops, .metrics = &b->metrics};
    prng_name(&b->env.rng, 1, "test", 0, "lies");
    b->net.setup = (struct transport_setup){.env = &b->env, .roster = &roster};
    b->net.opts = &b->opts;
    b->net.params = (struct sphinx_params){&sphinx_network, 5, 512};
    mix_lies_init(&b->lies, &b->net, 7);
    armed_at = -1;
}

static void target(void **state)
{
    struct mix_opts o = {0};
    (void)state;
    assert_int_equal(mix_lies_target(&o, &roster), 0);
    o.lie_to = "bob";
    assert_int_equal(mix_lies_target(&o, &roster), 1);
    o.lie_to = "mallory";
    assert_int_equal(mix_lies_target(&o, &roster), PARTY_NONE);
}

static void shares(void **state)
{
    static struct bed b;
    unsigned passed = 0, altered = 0;
    (void)state;
    begin(&b, MIX_HONEST, NULL);
    for (int i = 0; i < 100; i++)
        assert_true(mix_lies_pass(&b.lies, 0, b.frame));
    begin(&b, MIX_LIE_DROP, "bob");
    for (int i = 0; i < 4000; i++) {
        assert_true(mix_lies_pass(&b.lies, 0, b.frame)); /* not the target */
        passed += mix_lies_pass(&b.lies, 1, b.frame);
    }
    assert_in_range(passed, 3000 - 83, 3000 + 83); /* three standard errors */
    assert_int_equal(b.metrics.drops[DROP_FAULT], 4000 - passed);
    begin(&b, MIX_LIE_TAG, "bob");
    for (int i = 0; i < 4000; i++) {
        static const uint8_t zeros[MIX_FRAME_MAX];
        memset(b.frame, 0, sizeof b.frame);
        assert_true(mix_lies_pass(&b.lies, 1, b.frame));
        altered += memcmp(b.frame, zeros, sizeof zeros) != 0;
    }
    assert_in_range(altered, 1000 - 83, 1000 + 83);
    metrics_free(&b.metrics);
}

static void holds(void **state)
{
    static struct bed b;
    struct mix_waiting w;
    (void)state;
    for (int lie = MIX_LIE_DELAY; lie <= MIX_LIE_ISOLATE; lie++) {
        party_t held = lie == MIX_LIE_DELAY ? 0 : 1;
        begin(&b, (enum mix_lie)lie, NULL);
        b.env.now = NS_S / 2; /* the first half: nobody is held */
        assert_true(mix_lies_pass(&b.lies, held, b.frame));
        b.env.now = 3 * NS_S / 2;
        assert_true(mix_lies_pass(&b.lies, 1 - held, b.frame));
        for (uint8_t i = 0; i < 3; i++) {
            b.frame[9] = i;
            assert_false(mix_lies_pass(&b.lies, held, b.frame));
        }
        assert_int_equal(armed_at, 2 * NS_S);
        for (uint8_t i = 0; i < 3; i++) { /* in order */
            assert_true(mix_lies_take(&b.lies, &w));
            assert_int_equal(w.frame[9], i);
            free(w.frame);
        }
        assert_false(mix_lies_take(&b.lies, &w));
        for (int i = 0; i < MIX_QUEUE; i++)
            assert_false(mix_lies_pass(&b.lies, held, b.frame));
        assert_true(mix_lies_pass(&b.lies, held, b.frame)); /* bounded: what is more passes */
        mix_lies_free(&b.lies);
        metrics_free(&b.metrics);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(target),
        cmocka_unit_test(shares),
        cmocka_unit_test(holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
