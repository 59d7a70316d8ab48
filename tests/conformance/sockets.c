/* Every transport over real sockets on loopback: nodes in this process, one loop, conform.h's
 * numbered messages. What needs a network model (loss, partitions, regions) is the simulators'. */
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"
#include "tests/unit/uv_bed.h"

#include <inttypes.h>

enum { MIB = 1 << 20 };

enum {
    NEEDS_NOISE = 1,
    EXPECT_RESTART = 2,
    EXPECT_REFUSALS = 4,
    SERVICE_DIES = 8,
    SPARES_MIX = 16, /* half a second a packet, all of one size */
    EXPECT_DEATH = 32,
    SIX = 64
};

struct test {
    const char *name;
    uint32_t parties;
    unsigned traits;
    struct conform_plan plan;
    ns_t late, crash, restart;
};

static const struct test tests[] = {
    {.name = "small", .parties = 3, .plan = {.messages = 20, .max = 2000}},
    {.name = "ipv6", .parties = 3, .traits = SIX, .plan = {.messages = 20, .max = 2000}},
    {.name = "paced", .parties = 3, .plan = {.messages = 20, .max = 500, .every = 20 * NS_MS}},
    {.name = "many_parties",
     .parties = 12,
     .traits = SPARES_MIX,
     .plan = {.messages = 10, .max = 3000}},
    {.name = "oversize",
     .parties = 2,
     .traits = SPARES_MIX,
     .plan = {.messages = 5, .max = 70000, .oversize = true}},
    {.name = "large",
     .parties = 2,
     .traits = SPARES_MIX,
     .plan = {.messages = 2, .min = 4 * MIB, .max = 4 * MIB}},
    {.name = "back_pressure",
     .parties = 2,
     .traits = SPARES_MIX | EXPECT_REFUSALS,
     .plan = {.messages = 80, .min = MIB, .max = MIB, .one_way = true}},
    {.name = "late", .parties = 3, .plan = {.messages = 20, .max = 2000}, .late = 500 * NS_MS},
    {.name = "restart",
     .parties = 3,
     .traits = NEEDS_NOISE | EXPECT_RESTART | SPARES_MIX,
     .plan = {.messages = 60, .max = 3000, .every = 20 * NS_MS},
     .crash = 500 * NS_MS,
     .restart = 700 * NS_MS},
    {.name = "service_restart",
     .parties = 3,
     .traits = NEEDS_NOISE | SERVICE_DIES | SPARES_MIX,
     .plan = {.messages = 60, .max = 3000, .every = 20 * NS_MS},
     .crash = 500 * NS_MS,
     .restart = 700 * NS_MS},
    {.name = "death",
     .parties = 3,
     .traits = EXPECT_DEATH | SPARES_MIX,
     .plan = {.messages = 40, .max = 3000, .every = 20 * NS_MS, .victim = true},
     .crash = 300 * NS_MS},
};

struct where {
    const struct transport *transport;
    const char *option, *value; /* NULL: the defaults */
    enum channel_mode channel;
    const char *program;
};

static const struct where wheres[] = {
    {.option = "punch", .value = "udp"}, /* of direct */
};

static bool judge(const struct test *t, const struct trial_result *r, char *why, size_t cap)
{
    uint32_t refusals = 0,
             dead = t->crash && !(t->traits & SERVICE_DIES) ? t->parties - 1 : UINT32_MAX;
    for (uint32_t i = 0; i < t->parties; i++) {
        const struct outcome *o = &r->outcomes[i];
        struct conform_report one;
        if (o->failure)
            return snprintf(why, cap, "p%u: %s", i, o->failure), false;
        if ((t->traits & EXPECT_DEATH) && i == dead)
            continue;
        if (!o->done)
            return snprintf(why, cap, "p%u has not ended; %.300s", i, r->why ? r->why : ""), false;
        memcpy(&one, o->result, sizeof one);
        refusals += one.refusals;
        if ((t->traits & EXPECT_RESTART) && i != dead && one.restarts + one.losses == 0)
            return snprintf(why, cap, "the restart was not reported to p%u", i), false;
        if (!(t->traits & (EXPECT_RESTART | EXPECT_DEATH)) && one.restarts + one.losses)
            return snprintf(why, cap, "a loss was reported to p%u", i), false;
    }
    if ((t->traits & EXPECT_REFUSALS) && refusals == 0)
        return snprintf(why, cap, "no send was refused"), false;
    return true;
}

/* A party that is dead counts as done. */
static void bury_dead(struct uv_bed *b)
{
    uint32_t last = b->spec->roster->n_parties - 1;
    if (b->nodes[last].started && !b->nodes[last].node)
        b->nodes[last].done = true;
}

static void run_test(struct tally *tally, const struct where *w, const struct test *t)
{
    struct action actions[2];
    struct conform_plan plan = t->plan;
    struct trial_result r = {0};
    struct uv_bed uv = {.six = t->traits & SIX};
    struct bed b;
    char name[160], why[600] = "";
    uint32_t subject = t->traits & SERVICE_DIES ? t->parties : t->parties - 1;
    bool mix = strcmp(w->transport->name, "mix") == 0;
    int rc;
    snprintf(name, sizeof name, "sockets/%s%s%s/%s/%s", w->transport->name, w->option ? ":" : "",
             w->option ? w->value : "", bed_channel_name(w->channel), t->name);
    if (!tally_wants(tally, name))
        return;
    if (mix && ((t->traits & SPARES_MIX) || w->channel == CHANNEL_NONE)) {
        tally_skip(tally, name, "a packet of a mix takes half a second");
        return;
    }
    if ((t->traits & NEEDS_NOISE) && w->channel == CHANNEL_NONE) {
        tally_skip(tally, name, "this channel does not resend");
        return;
    }
    if (!bed_make(&b, w->transport, &protocol_conform, t->parties) ||
        (w->option && !bed_set(&b, w->option, w->value))) {
        tally_not_ok(tally, name, "the bed can't be made", w->program);
        return;
    }
    if ((t->traits & SERVICE_DIES) && b.roster.n == t->parties) {
        tally_skip(tally, name, "this transport has no services");
        bed_free(&b);
        return;
    }
    if (mix)
        plan.messages = 4;
    b.hosts[t->parties - 1].start = t->late;
    b.spec.plan = &plan;
    b.spec.channel = w->channel;
    b.spec.limit = 30 * NS_S;
    b.spec.actions = actions;
    if (t->crash)
        actions[b.spec.n_actions++] =
            (struct action){.kind = ACT_CRASH, .at = t->crash, .node = subject};
    if (t->restart)
        actions[b.spec.n_actions++] =
            (struct action){.kind = ACT_RESTART, .at = t->restart, .node = subject};
    if (t->traits & EXPECT_DEATH)
        uv.poll = bury_dead;
    rc = bed_people(&b) ? uv_bed_run(&uv, &b.spec, &r) : ERR_NOMEM;
    if (rc != OK)
        snprintf(why, sizeof why, "%.300s (%s)", uv.err.text, err_name(rc));
    if (rc != OK || !judge(t, &r, why, sizeof why)) {
        tally_not_ok(tally, name, why, w->program);
    } else {
        snprintf(why, sizeof why, "%" PRId64 " ms", r.ended / NS_MS);
        tally_ok(tally, name, why);
    }
    trial_result_free(&r, t->parties);
    bed_free(&b);
}

static void run_tests(struct tally *tally, struct where w)
{
    for (size_t j = 0; j < 2 * sizeof tests / sizeof tests[0]; j++) {
        w.channel = j % 2 ? CHANNEL_NONE : CHANNEL_NOISE;
        run_test(tally, &w, &tests[j / 2]);
    }
}

int main(int argc, char **argv)
{
    struct tally tally = {.only = argc > 1 ? argv[1] : NULL};
    for (size_t k = 0; plugin_transports[k]; k++) {
        struct where w = {.transport = plugin_transports[k], .program = argv[0]};
        if (w.transport->needs_handover) {
            tally_skip(&tally, w.transport->name, "it needs nodes that share one memory");
            continue;
        }
        run_tests(&tally, w);
    }
    for (size_t k = 0; k < sizeof wheres / sizeof wheres[0]; k++) {
        struct where w = wheres[k];
        w.transport = plugin_transport("direct");
        w.program = argv[0];
        run_tests(&tally, w);
    }
    return tally_end(&tally);
}
