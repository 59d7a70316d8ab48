/* A session of web_mpc over fake_party.h, with stores that survive crashes; a node whose store
 * dies is started again, and its peers are told. Input parties come first, then the analyst,
 * then the server. To be included once in an executable. */
#ifndef PARTYLINE_TESTS_WEB_MPC_RUN_H
#define PARTYLINE_TESTS_WEB_MPC_RUN_H

#include "engine/protocol.h"

/* fake_party.h's parties have no store; these do. */
struct store *fake_no_store(struct party *);
#define party_store fake_no_store
#include "tests/unit/fake_party.h"
#undef party_store

#include "engine/crypto/identity.h"
#include "engine/protocols/web_mpc/inner.h"
#include "engine/protocols/web_mpc/web_mpc.h"
#include "engine/worlds/sim/store.h"

enum { RUN_PARTIES = 12, RUN_CELLS = 2 };

static struct run {
    struct fake f;
    struct web_mpc_opts opts;
    struct sim_store stores[RUN_PARTIES];
    struct store_fate fate;
    struct identity identities[RUN_PARTIES];
    struct identity_public publics[RUN_PARTIES];
    const char *values[RUN_PARTIES][RUN_CELLS];
    uint32_t shown[SHOWN_INPUT + 1]; /* facts by kind */
    party_t analyst, server;
} run;

struct store *party_store(struct party *p)
{
    return &run.stores[p->self].base;
}
void party_disclose(struct party *p, const struct shown *fact)
{
    (void)p;
    run.shown[fact->kind]++;
}
const struct identity *party_identity(const struct party *p)
{
    return &run.identities[p->self];
}

static const char *const run_numbers[] = {"0", "1", "7", "100", "19", "42", "3", "88", "64", "5"};

/* n input parties; options may be changed before run_plan(). */
static void run_init(uint32_t n, uint64_t seed)
{
    struct prng rng;
    memset(&run, 0, sizeof run);
    fake_init(&run.f, &protocol_web_mpc, n + 2, seed);
    run.f.mode = FAKE_TIMED;
    run.f.delay = NS_MS;
    run.analyst = n;
    run.server = n + 1;
    run.f.entries[n].role = "analyst";
    run.f.entries[n + 1].role = "server";
    opt_defaults(web_mpc_opts, &run.opts);
    run.opts.max = 100;
    run.opts.chunk = 2;
    run.f.opts = &run.opts;
    prng_name(&rng, seed, "identities", 0, "test");
    for (uint32_t i = 0; i < n + 2; i++) {
        sim_store_init(&run.stores[i], &run.fate);
        identity_make(&run.identities[i], &rng);
        run.publics[i] = run.identities[i].pub;
        for (uint32_t c = 0; i < n && c < RUN_CELLS; c++)
            run.values[i][c] = run_numbers[(3 * i + c) % 10];
        run.f.inputs[i] = (struct input){run.values[i], i < n ? RUN_CELLS : 0};
    }
    run.f.roster.identities = run.publics;
}

FAKE_UNUSED static void run_clear(uint32_t pair_index)
{
    struct fake_pair *pair = &run.f.pairs[pair_index];
    while (pair->head) {
        struct fake_message *m = pair->head;
        pair->head = m->next;
        run.f.in_flight--;
        free(m);
    }
    pair->tail = &pair->head;
    pair->n = 0;
    pair->refused = false;
}

/* A new life of a node; what was under way to it or from it is lost. */
FAKE_UNUSED static int run_restart(party_t who)
{
    struct err e = {0};
    for (party_t other = 0; other < run.f.n; other++) {
        run_clear(who * run.f.n + other);
        run_clear(other * run.f.n + who);
    }
    sim_store_revive(&run.stores[who]);
    if (fake_boot(&run.f, who, 1, run.f.parties[who].incarnation + 1, &e))
        return ERR_IO;
    run.f.protocol->start(run.f.parties[who].state, &run.f.parties[who]);
    for (party_t other = 0; other < run.f.n; other++)
        if ((other == run.server) != (who == run.server))
            fake_peer(&run.f, other, who, PEER_RESTARTED);
    return OK;
}

static int run_boot(void)
{
    struct err e = {0};
    int rc = fake_plan(&run.f, &e);
    if (rc == OK)
        rc = fake_boot_all(&run.f, 1, &e);
    if (rc)
        fprintf(stderr, "%s\n", e.text);
    else
        fake_start(&run.f);
    return rc;
}

/* Whoever's store died is started again. False: nothing happens any more. */
static bool run_step(void)
{
    bool more = fake_step(&run.f);
    for (party_t who = 0; who < run.f.n; who++)
        while (run.stores[who].dead) {
            more = true;
            if (run_restart(who) != OK && !run.stores[who].dead)
                return false;
        }
    return more;
}

FAKE_UNUSED static void run_all(void)
{
    while (run_step())
        continue;
}

FAKE_UNUSED static const struct plan *run_plan(void)
{
    return run.f.plan;
}

FAKE_UNUSED static bool run_good(party_t who)
{
    return run.f.parties[who].result && !run.f.parties[who].failure[0];
}

FAKE_UNUSED static uint32_t run_mark(uint32_t rank)
{
    return get_le32(run.f.parties[run.analyst].result + 4 + 4 * (size_t)rank);
}

FAKE_UNUSED static uint64_t run_drops(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < DROP_COUNT; i++)
        sum += run.f.drops[i];
    return sum;
}

static void run_free(void)
{
    uint32_t n = run.f.n;
    fake_free(&run.f);
    for (uint32_t i = 0; i < n; i++)
        sim_store_free(&run.stores[i]);
}

#endif
