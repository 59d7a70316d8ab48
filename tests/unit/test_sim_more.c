/* links: every .c of engine/worlds/sim and engine/worlds/link, engine/metrics.c
 * engine/base/err.c engine/base/hist.c engine/base/map.c engine/base/prng.c */
/* Datagrams, onlookers; determinism. */
#include "tests/unit/sim_fake.h"

#define ONE_WAY (20 * NS_MS)

/* ---- datagrams ------------------------------------------------------------------------ */

static void datagrams(struct node *n, const struct event *ev)
{
    static const struct addr nowhere;
    struct env *env = n->env;
    link_t link;
    if (ev->kind == EV_START && n->self == 0) {
        assert_int_equal(env->ops->open(env, LINK_DATAGRAM, nowhere, &link), OK);
        fake_open(n, 1, LINK_DATAGRAM);
    }
    if (n->self == 0 && ev->kind == EV_UP) {
        struct addr none = fake.addrs[1];
        none.port = 9;
        assert_int_equal(fake_send(n, 1, 0, 10), ev->link == 2 ? ERR_INVALID : ERR_INVALID);
        if (ev->link == 2) {
            assert_int_equal(fake_send(n, 2, 'a', 10), OK);
            assert_int_equal(fake_send(n, 2, 'a', 1473), ERR_TOO_BIG);
            assert_int_equal(env->ops->send_to(env, 1, fake.addrs[1], "b", 1), OK);
            assert_int_equal(env->ops->send_to(env, 1, none, "c", 1), OK);
        }
    }
    if (n->self == 1 && ev->kind == EV_DATA)
        assert_int_equal(env->ops->send_to(env, ev->link, ev->peer, "r", 1), OK);
}

static void datagrams_find_their_links(void **state)
{
    static const struct accept listen[] = {{PORT, LINK_DATAGRAM}, {0, LINK_MESSAGE}};
    const struct entry *e;
    (void)state;
    fake_world(2, datagrams);
    fake.accepts[1] = listen;
    fake_run();
    e = fake_find(1, EV_UP, 0);
    assert_true(e->time == 0 && e->local.port == PORT && e->peer.port == 0);
    assert_int_equal(fake_count(0, EV_UP), 2);
    assert_int_not_equal(fake_find(0, EV_UP, 0)->local.port, fake_find(0, EV_UP, 1)->local.port);
    assert_int_equal(fake_count(1, EV_DATA), 2);
    assert_event(1, EV_DATA, 0, ONE_WAY);
    e = fake_find(1, EV_DATA, 0);
    assert_true(e->link == 1 && e->first == 'a');
    assert_true(addr_equal(&e->peer, &fake_find(0, EV_UP, 1)->local));
    assert_int_equal(fake_find(0, EV_DATA, 0)->link, 2); /* the link to that peer */
    assert_int_equal(fake_find(0, EV_DATA, 1)->link, 1); /* the port's own */
    assert_true(addr_equal(&fake_find(0, EV_DATA, 1)->peer, &fake.addrs[1]));
    assert_int_equal(fake.result.metrics.drops[DROP_REFUSED], 1);
    assert_int_equal(fake.result.metrics.drops[DROP_MTU], 1);
    fake_clear();
}

/* ---- onlookers ------------------------------------------------------------------------ */

static struct sighting sightings[16];
static struct addr shown_at[16];
static unsigned n_sightings, n_observers;

static int observer_init(void *self, const struct observer_setup *setup, struct err *e)
{
    (void)e;
    assert_int_equal(setup->n_nodes, 2);
    assert_ptr_equal(setup->opts, &n_observers);
    *(int *)self = 5;
    n_observers++;
    return OK;
}

static void observer_see(void *self, const struct sighting *s)
{
    assert_int_equal(*(int *)self, 5);
    if (s->visible)
        shown_at[n_sightings] = s->visible->addr;
    sightings[n_sightings++] = *s;
}

static void observer_report(void *score, const struct truth *truth, const struct report *out)
{
    (void)score;
    for (unsigned i = 0; i < n_sightings; i++) {
        struct exposure x = {.observer = "eye",
                             .what = "address",
                             .who = sightings[i].at,
                             .whom = truth->owner(truth->world, sightings[i].visible
                                                                    ? &shown_at[i]
                                                                    : &sightings[i].from),
                             .first = sightings[i].when};
        for (unsigned k = 0; k < 40; k++)
            out->exposure(out->ctx, &x);
    }
}

static void observer_free(void *self)
{
    (void)self;
    n_observers--;
}

static const struct observer eye = {.name = "eye",
                                    .wants = WANT_NODE_IN | WANT_SHOWN,
                                    .size = sizeof(int),
                                    .init = observer_init,
                                    .see = observer_see,
                                    .report = observer_report,
                                    .free = observer_free};

static void show_and_greet(struct node *n, const struct event *ev)
{
    dial_and_greet(n, ev);
    if (ev->kind == EV_DATA && n->self == 1)
        n->env->ops->show(n->env, &(struct shown){.kind = SHOWN_ADDRESS, .addr = fake.addrs[0]});
}

static void observers_see_addresses(void **state)
{
    const struct observer_spec spec = {.ops = &eye, .opts = &n_observers};
    (void)state;
    n_sightings = 0;
    fake_world(2, show_and_greet);
    fake.hosts[0].nat = NAT_SYMMETRIC;
    fake.spec.observers = &spec;
    fake.spec.n_observers = 1;
    fake_run();
    assert_int_equal(n_observers, 0);
    assert_int_equal(n_sightings, 5);
    assert_true(sightings[0].at == 0 && addr_equal(&sightings[0].from, &fake.addrs[1]));
    assert_true(sightings[2].at == 1 && sightings[2].bytes == 100 && !sightings[2].visible);
    assert_true(sightings[3].visible && sightings[3].bytes == 0);
    assert_int_equal(fake.result.n_exposures, 200);
    assert_int_equal(fake.result.exposures[0].whom, 1);
    assert_int_equal(fake.result.exposures[199].who, 0);
    assert_int_equal(fake.result.exposures[100].whom, 0);
    fake_clear();
}

static void traces_are_lines(void **state)
{
    static const char expected[] = "0 alice start\n"
                                   "0 bob start\n"
                                   "40000000 alice up 1 bob 192.0.2.2:443\n"
                                   "60000000 bob up 1 alice 192.0.2.1:32768\n"
                                   "60000000 bob data 1 alice 100 40000000\n"
                                   "70000000 - partition\n"
                                   "80000000 alice data 1 bob 100 60000000\n"
                                   "90000000 - heal\n"
                                   "95000000 bob crash\n"
                                   "115000000 alice down 1 bob reset\n";
    const uint8_t side[2] = {1, 2};
    const struct action actions[] = {
        {.kind = ACT_PARTITION, .at = 70 * NS_MS, .until = 90 * NS_MS, .side = side},
        {.kind = ACT_CRASH, .at = 95 * NS_MS, .node = 1}};
    char *text = NULL;
    size_t len = 0;
    uint64_t digest;
    (void)state;
    fake_world(2, dial_and_greet);
    fake.spec.actions = actions;
    fake.spec.n_actions = 2;
    fake.trace.out = open_memstream(&text, &len);
    fake_run();
    fclose(fake.trace.out);
    assert_string_equal(text, expected);
    free(text);
    digest = fake.result.digest;
    fake_clear();
    fake.trace.out = NULL;
    fake_run();
    assert_true(fake.result.digest == digest);
    fake_clear();
}

/* ---- determinism ---------------------------------------------------------------------- */

enum { LINKS = 4096 };

static bool opened[HOSTS][LINKS];

/* A place for a link's number: its slot and its generation; 0 if it has none here. */
static size_t place(link_t link)
{
    uint32_t slot = link & 0xfffff, generation = link >> 20;
    return slot < 64 && generation < LINKS / 64 ? slot * (LINKS / 64) + generation : 0;
}

/* Everyone dials everyone, answers at random, closes at random, computes at random. */
static void turmoil(struct node *n, const struct event *ev)
{
    struct env *env = n->env;
    uint64_t r = prng_below(&env->rng, 100);
    if (ev->kind == EV_START)
        for (uint32_t i = 0; i < fake_roster.n; i++)
            env->ops->arm(env, i, env->now + (ns_t)prng_below(&env->rng, 1000000));
    if (ev->kind == EV_TIMER && ev->timer != n->self && env->now < 5 * NS_S) {
        link_t link = fake_open(n, ev->timer, (enum link_kind)(r % 2));
        opened[n->self][place(link)] = env->incarnation == 0;
    }
    env->spent += (ns_t)prng_below(&env->rng, 30000);
    for (uint64_t i = 0; (ev->kind == EV_UP || ev->kind == EV_DATA) && i < r % 4; i++)
        (void)fake_send(n, ev->link, (uint8_t)i, 1 + prng_below(&env->rng, 5000));
    if (ev->kind == EV_DATA && (r < 2 || env->now > 8 * NS_S))
        env->ops->close(env, ev->link);
    if (ev->kind == EV_DOWN)
        env->ops->arm(env, (unsigned)prng_below(&env->rng, fake_roster.n), env->now + NS_MS);
}

static uint64_t turmoil_digest(uint64_t seed)
{
    static const uint8_t side[HOSTS] = {1, 1, 1, 0, 2, 2, 2, 0};
    static const struct action actions[] = {
        {.kind = ACT_CRASH, .at = 900 * NS_MS, .node = 3},
        {.kind = ACT_PARTITION, .at = 300 * NS_MS, .until = 700 * NS_MS, .side = side},
        {.kind = ACT_RESTART, .at = 1200 * NS_MS, .node = 3},
        {.kind = ACT_LINK,
         .at = 100 * NS_MS,
         .until = NS_S,
         .a = 0,
         .b = 5,
         .loss_ppm = 300000,
         .latency = -1,
         .rate_bps = 10000000}};
    uint64_t digest;
    memset(opened, 0, sizeof opened);
    fake_world(HOSTS, turmoil);
    fake.seed = seed;
    for (uint32_t i = 0; i < HOSTS; i++)
        fake.hosts[i].access = (struct access){.up_bps = 50000000,
                                               .down_bps = i % 2 ? 100000000 : 0,
                                               .latency = NS_MS,
                                               .jitter = NS_MS,
                                               .loss_ppm = 5000};
    fake.hosts[6].nat = NAT_SYMMETRIC;
    fake.tuning.window = 100000;
    fake.spec.actions = actions;
    fake.spec.n_actions = 4;
    fake.spec.limit = 5000 * NS_S;
    fake_run();
    assert_in_range(fake.n, 2000, LOG - 1);
    digest = fake.result.digest;
    fake_clear();
    return digest;
}

static void the_same_seed_gives_the_same_digest(void **state)
{
    uint64_t first = turmoil_digest(1);
    (void)state;
    print_message("digest of seed 1: %016" PRIx64 ", %zu events\n", first, fake.n);
    assert_true(turmoil_digest(1) == first);
    assert_true(turmoil_digest(2) != first);
}

/* Every open (none is closed before EV_UP here) ends in one UP or DOWN; after UP comes at most
 * one DOWN; nothing comes before the one and after the other. */
static void links_have_one_life(void **state)
{
    static unsigned up[HOSTS][LINKS], down[HOSTS][LINKS];
    unsigned ups = 0;
    (void)state;
    for (uint64_t seed = 10; seed < 20; seed++) {
        memset(up, 0, sizeof up);
        memset(down, 0, sizeof down);
        turmoil_digest(seed);
        for (size_t i = 0; i < fake.n; i++) {
            const struct entry *e = &fake.log[i];
            size_t k = place(e->link);
            if (k == 0 || e->incarnation)
                continue;
            assert_int_equal(down[e->node][k], 0);
            up[e->node][k] += e->kind == EV_UP;
            down[e->node][k] += e->kind == EV_DOWN;
            if (e->kind != EV_DOWN)
                assert_int_equal(up[e->node][k], 1);
        }
        for (uint32_t node = 0; node < HOSTS; node++)
            for (size_t k = 1; k < LINKS; k++)
                if (opened[node][k] && node != 3) {
                    assert_true(up[node][k] || down[node][k]);
                    ups += up[node][k];
                }
    }
    assert_true(ups > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_find_their_links),
        cmocka_unit_test(observers_see_addresses),
        cmocka_unit_test(traces_are_lines),
        cmocka_unit_test(the_same_seed_gives_the_same_digest),
        cmocka_unit_test(links_have_one_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
