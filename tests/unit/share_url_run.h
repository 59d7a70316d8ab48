/* For tests of share_url: a scenario from a few lines, run in the simulator. */
#ifndef PARTYLINE_TESTS_SHARE_URL_RUN_H
#define PARTYLINE_TESTS_SHARE_URL_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/protocols/share_url/ledger.h"
#include "engine/protocols/share_url/share_url.h"
#include "engine/run/people.h"
#include "engine/run/scenario.h"
#include "engine/worlds/sim/sim.h"

/* Seconds of virtual time up to which crashed nodes are started again, and how often. */
enum { RESTARTS = 200, RESTART_EVERY_S = 60 };

struct share_run {
    struct scenario *s;
    struct trial_result r;
    struct err e;
    int verdict; /* of verify() */
};

static inline void share_load(struct share_run *x, const char *options, const char *parties,
                              const char *more)
{
    struct diag_list diags;
    char text[4096];
    *x = (struct share_run){0};
    snprintf(text, sizeof text,
             "schema: 1\nname: test\nlimit: 80h\nregions: {a: {a: 20ms}}\nparties:\n%s"
             "services:\n  - {name: server, role: server, region: a}\n"
             "  - {name: messenger, role: messenger, region: a}\n"
             "  - {name: mail, role: mail, region: a}\n"
             "protocol: {name: share_url, %s}\ntransport: {name: direct, dial: lower}\n%s",
             parties, options, more);
    diag_init(&diags);
    if (scenario_load_text("test", text, strlen(text), NULL, NULL, 0, &x->s, &diags) != OK)
        diag_print(&diags, stderr);
    diag_free(&diags);
    assert_non_null(x->s);
}

static inline void share_go(struct share_run *x, uint64_t seed, const struct fault_plan *plan,
                            const struct sim_tuning *tuning, const struct action *actions,
                            size_t n_actions)
{
    struct trial_spec spec = x->s->cells[0].spec;
    struct people people;
    struct protocol_shape shape;
    if (actions) {
        spec.actions = actions;
        spec.n_actions = n_actions;
    }
    assert_int_equal(people_make(&people, &spec, seed), OK);
    assert_int_equal(
        sim_run(&spec, seed, plan, NULL, tuning ? tuning : &sim_defaults, &x->r, &x->e), OK);
    shape = (struct protocol_shape){spec.protocol_opts, spec.roster, spec.inputs};
    x->verdict = spec.protocol->verify(&shape, spec.plan, x->r.outcomes, &x->e);
    people_free(&people);
}

static inline void share_end(struct share_run *x)
{
    trial_result_free(&x->r, x->s->cells[0].spec.roster->n_parties);
    scenario_free(x->s);
}

static inline bool share_done(const struct share_run *x, party_t who)
{
    return x->r.outcomes[who].done && !x->r.outcomes[who].failure;
}

/* Its result in words, or why it failed. */
static inline const char *share_says(const struct share_run *x, party_t who, char *buf, size_t cap)
{
    const struct outcome *o = &x->r.outcomes[who];
    if (o->failure || !o->done)
        snprintf(buf, cap, "%s", o->failure ? o->failure : "nothing");
    else
        protocol_share_url.print(NULL, o->result, o->len, buf, cap);
    return buf;
}

/* All nodes are started again, over and over; what runs goes on. */
static inline size_t share_restarts(const struct share_run *x, struct action *out)
{
    uint32_t n = x->s->cells[0].spec.roster->n;
    size_t k = 0;
    for (int i = 1; i <= RESTARTS; i++)
        for (uint32_t node = 0; node < n; node++)
            out[k++] = (struct action){.kind = ACT_RESTART,
                                       .at = i * RESTART_EVERY_S * NS_S,
                                       .until = NS_NEVER,
                                       .node = node};
    return k;
}

#define ALICE "  - {name: alice, role: initiator, region: a, input: [60, 1000]}\n"
#define BOB "  - {name: bob, role: responder, region: a, input: [0, 81]}\n"
#define EVE "  - {name: eve, role: responder, region: a, input: [0, 999]}\n"

#endif
