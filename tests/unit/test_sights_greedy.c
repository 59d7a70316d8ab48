/* links: everything but engine/main.c (privacy_fold) */
/* The worst of many coalitions: greedily over what was kept of a trial, and among all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/run/privacy.h"
#include "engine/sights_greedy.h"

enum { NODES = 8 };

static struct roster_entry entries[NODES];
static const struct roster roster = {.n = NODES, .n_parties = NODES, .entries = entries};

static party_t owner(const void *world, const struct addr *a)
{
    (void)world, (void)a;
    return PARTY_NONE;
}

/* Which of 64 things its places have seen: CANDIDATES (fewer are worse) says how many it has not,
 * EXPOSED (more are worse) how many it has; and of how many packets it was told the truth. */
struct sees {
    struct observer_setup setup;
    uint64_t things;
};
struct knows {
    uint64_t things, true_ones;
};
static int sees_init(void *self, const struct observer_setup *setup, struct err *e)
{
    (void)e;
    ((struct sees *)self)->setup = *setup;
    return OK;
}
static void sees_see(void *self, const struct sighting *s)
{
    struct sees *x = self;
    x->things |= UINT64_C(1) << (s->visible ? s->visible->whom : s->bytes);
    x->setup.claim(x->setup.ctx, &(struct claim){.when = s->when, .more = &x->things});
}
static void sees_judge(void *score, const struct claim *c, const struct truth *t)
{
    struct knows *k = score;
    memcpy(&k->things, c->more, sizeof k->things);
    k->true_ones += t->packet && t->packet->from == 5;
}
static void sees_report(void *score, const struct truth *t, const struct report *out)
{
    const struct knows *k = score;
    int64_t n = __builtin_popcountll(k->things);
    (void)t;
    out->finding(out->ctx, &(struct finding){.what = PRIVACY_EXPOSED, .value = n});
    out->finding(out->ctx, &(struct finding){.what = PRIVACY_CANDIDATES, .value = 64 - n});
    out->finding(out->ctx,
                 &(struct finding){.what = PRIVACY_AT_REST, .value = (int64_t)k->true_ones});
}
static const struct observer sees = {.name = "sees",
                                     .wants = WANT_NODE_IN | WANT_SHOWN | WANT_TRUTH,
                                     .size = sizeof(struct sees),
                                     .init = sees_init,
                                     .see = sees_see,
                                     .score_size = sizeof(struct knows),
                                     .judge = sees_judge,
                                     .report = sees_report};

/* What each node sees: greedily 0 (six), then 2 (two more), and not the pair 2, 3 (ten). */
static const uint64_t seen_at[NODES] = {0x3f, 0x401, 0xc7, 0x338, 0, 0x1, 0x2, 0x4};

static void tell(struct sights *s, int64_t times)
{
    const struct packet_truth truth = {.kind = TRUTH_REAL, .from = 5};
    for (int64_t t = 0; t < times; t++)
        for (party_t at = 0; at < NODES; at++)
            for (uint32_t thing = 0; thing < 64; thing++) {
                struct sighting x = {
                    .when = t, .at = at, .beyond = PARTY_NONE, .packets = 1, .bytes = thing};
                const struct shown fact = {.kind = SHOWN_MEMBER, .whom = thing};
                if (thing % 2) { /* as a fact, which is copied as well */
                    x.packets = 0;
                    x.visible = &fact;
                }
                if (seen_at[at] >> thing & 1)
                    sights_see(s, &x, &truth);
            }
}

static struct sights_found run(struct observer_spec *spec, int64_t times)
{
    const struct sights_setup setup = {
        .observers = spec, .n_observers = 1, .roster = &roster, .owner = owner};
    struct sights_found found;
    struct sights *s;
    struct err e;
    assert_int_equal(sights_new(&s, &setup, &e), OK);
    assert_int_equal(sights_wants(s), sees.wants);
    tell(s, times);
    assert_int_equal(sights_end(s, 9, &found), OK);
    sights_free(s);
    return found;
}

static struct place pool[NODES];
static struct observer_spec spec_of(uint32_t size, enum privacy worst)
{
    for (party_t i = 0; i < NODES; i++)
        pool[i] = (struct place){SIGHT_NODE, i, PARTY_NONE};
    return (struct observer_spec){.ops = &sees,
                                  .coalition = size,
                                  .by_worst = true,
                                  .worst = worst,
                                  .pool = pool,
                                  .n_pool = NODES};
}

static void test_greedy(void **state)
{
    static const int64_t best[] = {0, 6, 8, 10, 11};
    (void)state;
    for (uint32_t k = 1; k <= 4; k++)
        for (int less = 0; less < 2; less++) {
            struct observer_spec spec = spec_of(k, less ? PRIVACY_CANDIDATES : PRIVACY_EXPOSED);
            struct sights_found f = run(&spec, 1);
            char at[64];
            snprintf(at, sizeof at, "worst %u of 8 by %s, greedy", (unsigned)k,
                     less ? "candidates" : "exposed");
            assert_int_equal(f.n_findings, 3); /* of one coalition alone */
            assert_int_equal(f.findings[0].value, best[k]);
            assert_int_equal(f.findings[1].value, 64 - best[k]);
            assert_true(f.findings[2].value >= best[k]); /* truth was kept as well */
            assert_string_equal(f.findings[0].at, at);
            sights_found_free(&f);
        }
}

/* A metric that nobody reports: no row. All places: nothing is left to choose. */
static void test_ends(void **state)
{
    struct observer_spec spec = spec_of(2, PRIVACY_TIMING_AUC);
    struct sights_found f = run(&spec, 1);
    (void)state;
    assert_int_equal(f.n_findings, 0);
    sights_found_free(&f);
    spec = spec_of(NODES, PRIVACY_EXPOSED);
    f = run(&spec, 1);
    assert_int_equal(f.findings[0].value, 11);
    sights_found_free(&f);
}

/* What is kept has an end, and a figure of what came before it says so. */
static void test_bounded(void **state)
{
    struct observer_spec spec = spec_of(1, PRIVACY_EXPOSED);
    struct sights_found f = run(&spec, GREEDY_SIGHTINGS / 20);
    (void)state;
    assert_non_null(strstr(f.findings[0].at, "greedy, cut off"));
    assert_int_equal(f.findings[0].value, 6);
    assert_true(f.findings[2].value < GREEDY_SIGHTINGS);
    sights_found_free(&f);
}

/* Among all: the rows of the one coalition stay, whichever way is worse. */
static void test_worst_of_all(void **state)
{
    (void)state;
    for (int less = 0; less < 2; less++) {
        struct observer_spec spec = {.ops = &sees,
                                     .n_stakes = 28,
                                     .coalition = 2,
                                     .by_worst = true,
                                     .worst = less ? PRIVACY_CANDIDATES : PRIVACY_EXPOSED};
        const struct trial_spec trial = {.observers = &spec, .n_observers = 1};
        struct finding_row *rows = calloc(2 * 28, sizeof *rows);
        size_t n = 0;
        assert_non_null(rows);
        for (uint32_t a = 0; a < NODES; a++)
            for (uint32_t b = a + 1; b < NODES; b++)
                for (int which = 0; which < 2; which++) {
                    int64_t seen = __builtin_popcountll(seen_at[a] | seen_at[b]);
                    rows[n].what = which ? PRIVACY_CANDIDATES : PRIVACY_EXPOSED;
                    rows[n].value = which ? 64 - seen : seen;
                    snprintf(rows[n].at, sizeof rows[n].at, "%u", (unsigned)(n / 2));
                    n++;
                }
        assert_int_equal(privacy_fold(&trial, &rows, &n), OK);
        assert_int_equal(n, 2);
        assert_int_equal(rows[0].value, 10); /* 2 and 3: more than greed finds */
        assert_int_equal(rows[1].value, 54);
        assert_string_equal(rows[0].at, less ? "worst of 28 coalitions of 2 by candidates"
                                             : "worst of 28 coalitions of 2 by exposed");
        privacy_rows_free(rows, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_worst_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
