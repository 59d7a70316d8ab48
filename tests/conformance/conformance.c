/* Every transport in every world that runs in this process, under every channel: what the
 * layers promise together, from two parties to fifty, on good networks and bad ones. A new
 * line in plugins.c is tested here without a test written.
 *
 *     conformance [TEXT [--small]]    only cases with TEXT in their names; none of many MiB
 */
#include "tests/conformance/bed.h"
#include "tests/conformance/cases.h"

#include <inttypes.h>

static uint32_t subject(const struct test *t)
{
    if (t->traits & SERVICE_DIES)
        return t->parties;
    return t->first ? 0 : t->parties - 1;
}

/* A transport with an option that is not its default is tested as another one. */
struct variant {
    const char *transport, *option, *value;
};

static const struct variant variants[] = {
    {"direct", "punch", "udp"},
};

struct where {
    const struct world *world;
    const struct transport *transport;
    const struct variant *variant; /* NULL: the defaults */
    enum channel_mode channel;
    const char *program;
    bool small; /* only back_pressure of those that fill queues */
};

static void refused(void *ctx, int line, const char *why)
{
    (void)line;
    snprintf(ctx, 200, "%s", why);
}

/* The entries of `events`. */
static size_t events_of(const struct test *t, struct action out[3], uint8_t side[BED_NODES])
{
    size_t n = 0;
    for (uint32_t i = 0; i < BED_NODES; i++)
        side[i] = i == 0 ? 1 : 2; /* services are with the others */
    if (t->heal)
        out[n++] =
            (struct action){.kind = ACT_PARTITION, .at = t->cut, .until = t->heal, .side = side};
    if (t->crash)
        out[n++] = (struct action){
            .kind = ACT_CRASH, .at = t->crash, .until = NS_NEVER, .node = subject(t)};
    if (t->restart)
        out[n++] = (struct action){
            .kind = ACT_RESTART, .at = t->restart, .until = NS_NEVER, .node = subject(t)};
    return n;
}

static bool say(char *why, size_t cap, const char *text, uint64_t number)
{
    snprintf(why, cap, "%s (%" PRIu64 ")", text, number);
    return false;
}

static bool judge(const struct test *t, const struct trial_result *r,
                  const struct conform_plan *plan, char *why, size_t cap)
{
    struct conform_report sum = {0}, one;
    for (uint32_t i = 0; i < t->parties; i++) {
        const struct outcome *o = &r->outcomes[i];
        bool dead = (t->traits & EXPECT_DEATH) && i == subject(t);
        if (o->failure)
            return snprintf(why, cap, "p%u: %s", i, o->failure), false;
        if (dead && o->done)
            return say(why, cap, "the dead party ended", i);
        if (dead)
            continue;
        if (!o->done)
            return snprintf(why, cap, "p%u has not ended; %.400s", i, r->why ? r->why : ""), false;
        memcpy(&one, o->result, sizeof one);
        sum.ups += one.ups;
        sum.downs += one.downs + one.losses;
        sum.refusals += one.refusals;
        if ((t->traits & EXPECT_RESTART) && i != subject(t) && one.restarts + one.losses == 0)
            return say(why, cap, "the restart was not reported to party", i);
        if (!(t->traits & (EXPECT_RESTART | EXPECT_DEATH)) && one.restarts)
            return say(why, cap, "a restart was reported to party", i);
        if (!(t->traits & (EXPECT_DOWN | EXPECT_RESTART | EXPECT_DEATH)) && one.losses)
            return say(why, cap, "a loss was reported to party", i);
    }
    for (uint32_t i = 0; i < t->parties; i++)
        if (plan->kept_max[i] > KEPT_MAX)
            return say(why, cap, "bytes kept for one sender", plan->kept_max[i]);
    if ((t->traits & EXPECT_REFUSALS) && sum.refusals == 0)
        return say(why, cap, "no send was refused", 0);
    if ((t->traits & EXPECT_DOWN) && (sum.downs == 0 || sum.ups <= t->parties * (t->parties - 1)))
        return say(why, cap, "nobody was reported down and up again", sum.downs);
    if (r->timed_out && !(t->traits & EXPECT_DEATH))
        return say(why, cap, "the limit came", (uint64_t)r->ended);
    return true;
}

enum verdict { GOOD, BAD, SKIPPED };

/* A world that takes every packet by itself is spared: one seed a case, back-pressure once, and
 * the first transport in full alone; another one has no case without a channel, nor ten who send
 * cover traffic. */
static bool is_slow(const struct where *w)
{
    return w->world->program != NULL;
}

/* A packet takes half a second through the mixes of this bed, and three ways set up a channel:
 * everything happens three times as late there. */
static struct test paced(const struct test *t, const struct transport *transport)
{
    struct test s = *t;
    if (strcmp(transport->name, "mix") != 0)
        return s;
    s.plan.every *= 3;
    s.limit = 3 * (s.limit ? s.limit : 60 * NS_S);
    s.late *= 3;
    s.crash *= 3;
    s.restart *= 3;
    s.cut *= 3;
    s.heal *= 3;
    if (s.access.loss_ppm >= 50000 && s.plan.max > MIB) /* all on one TCP link, in two segments */
        s.plan.max = MIB / 2;
    return s;
}

/* Where ciphers would take most of the time, and other cases have real ones: what goes through the
 * mixes, a thousand handshakes, hundreds of MiB that fill queues. */
static bool is_modelled(const struct where *w, const struct test *t)
{
    bool many = strcmp(w->transport->name, "mix") == 0 || t->plan.min >= MIB || t->parties >= 50;
    return many && !(t->traits & REAL_CRYPTO);
}

static enum verdict run_once(const struct where *w, const struct test *t, uint64_t seed,
                             uint64_t *digest, ns_t *ended, char *why, size_t cap)
{
    struct action actions[3];
    uint8_t side[BED_NODES] = {0};
    struct conform_plan plan = t->plan;
    struct trial_result r = {0};
    struct err e = {0};
    struct bed b;
    enum verdict verdict = BAD;
    int rc;
    if (!bed_make(&b, w->transport, &protocol_conform, t->parties))
        return BAD;
    if (w->variant && !bed_set(&b, w->variant->option, w->variant->value))
        return BAD;
    if (t->traits & SERVICES_TWICE)
        bed_more_services(&b, w->transport);
    for (uint32_t i = 0; i < b.roster.n; i++)
        b.hosts[i].access = i < t->parties ? t->access : (struct access){0};
    b.hosts[subject(t)].start = t->late;
    b.spec.plan = &plan;
    b.spec.channel = w->channel;
    b.spec.modelled = is_modelled(w, t);
    b.spec.limit = t->limit ? t->limit : 60 * NS_S;
    b.spec.actions = actions;
    b.spec.n_actions = events_of(t, actions, side);
    snprintf(why, cap, "refused by the world's check");
    if (w->world->check && w->world->check(&b.spec, refused, why) != OK) {
        bed_free(&b);
        return SKIPPED;
    }
    rc = bed_people(&b) ? w->world->run(&b.spec, seed, NULL, NULL, &r, &e) : ERR_NOMEM;
    if (rc != OK)
        snprintf(why, cap, "the world broke: %.300s (%s)", e.text, err_name(rc));
    else if (judge(t, &r, &plan, why, cap))
        verdict = GOOD;
    *digest = r.digest;
    *ended = r.ended;
    if (rc == OK)
        trial_result_free(&r, t->parties);
    bed_free(&b);
    return verdict;
}

static bool has_services(const struct where *w)
{
    bool has = false;
    struct bed b;
    if (!bed_make(&b, w->transport, &protocol_conform, 2))
        return false;
    if (w->variant)
        bed_set(&b, w->variant->option, w->variant->value);
    for (const struct transport_role *r = w->transport->roles; r->size; r++)
        has |= r->name && (!r->wanted || r->wanted(b.transport_opts));
    bed_free(&b);
    return has;
}

static bool is_spared(const struct where *w, const struct test *t)
{
    bool first = w->transport == plugin_transports[0] && !w->variant;
    bool mix = strcmp(w->transport->name, "mix") == 0;
    if (!is_slow(w))
        return false;
    if (!first && (w->channel == CHANNEL_NONE || (mix && t->parties > 3)))
        return true;
    if (t->traits & TWICE)
        return false;
    if (t->traits & EXPECT_REFUSALS)
        return !first || w->channel == CHANNEL_NONE || strcmp(t->name, "back_pressure") != 0;
    return !first && (w->variant || t->plan.max >= MIB || t->parties >= 50 || mix);
}

static void run_test(struct tally *tally, const struct where *w, const struct test *as_written)
{
    const struct test for_this = paced(as_written, w->transport), *t = &for_this;
    char name[160], variant[80] = "", why[600];
    uint64_t digest = 0, again = 0;
    ns_t ended = 0;
    uint64_t seeds = t->seeds && !is_slow(w) ? t->seeds : 1;
    enum verdict v = GOOD;
    if (w->variant)
        snprintf(variant, sizeof variant, ":%s=%s", w->variant->option, w->variant->value);
    snprintf(name, sizeof name, "%s/%s%s/%s/%s", w->world->name, w->transport->name, variant,
             bed_channel_name(w->channel), t->name);
    if (!tally_wants(tally, name))
        return;
    if ((t->traits & NEEDS_NETWORK) && w->transport->needs_handover) {
        tally_skip(tally, name, "no network beneath this transport");
        return;
    }
    if ((t->traits & (SERVICES_TWICE | SERVICE_DIES)) && !has_services(w)) {
        tally_skip(tally, name, "this transport has no services");
        return;
    }
    if (w->small && (t->traits & EXPECT_REFUSALS) && strcmp(t->name, "back_pressure") != 0)
        return;
    if (is_spared(w, t)) {
        tally_skip(tally, name, "not packet by packet");
        return;
    }
    if (is_slow(w) && t->access.loss_ppm >= 100000 && t->plan.max == 16 * MIB) {
        tally_skip(tally, name, "16 MiB through 19 % loss take TCP hours");
        return;
    }
    if (strcmp(w->transport->name, "mix") == 0 && w->channel == CHANNEL_NONE &&
        t->access.loss_ppm >= 100000 && t->plan.max > 100000) {
        tally_skip(tally, name, "a party's one TCP link stalls for minutes at 19 % loss");
        return;
    }
    if ((t->traits & NEEDS_NOISE) && w->channel == CHANNEL_NONE) {
        tally_skip(tally, name, "this channel does not resend");
        return;
    }
    for (uint64_t seed = 1; seed <= seeds && v == GOOD; seed++)
        v = run_once(w, t, seed, &digest, &ended, why, sizeof why);
    if (v == GOOD && (t->traits & TWICE)) {
        v = run_once(w, t, seeds, &again, &ended, why, sizeof why);
        if (v == GOOD && again != digest) {
            v = BAD;
            snprintf(why, sizeof why, "two runs of one seed differ");
        }
    }
    if (v == GOOD)
        snprintf(why, sizeof why, "%" PRId64 " ms", ended / NS_MS);
    if (v == GOOD)
        tally_ok(tally, name, why);
    else if (v == SKIPPED)
        tally_skip(tally, name, why);
    else
        tally_not_ok(tally, name, why, w->program);
}

static void run_tests(struct tally *tally, struct where *w)
{
    if (!bed_can(w->world, w->transport))
        return;
    for (size_t j = 0; j < 2 * sizeof tests / sizeof tests[0]; j++) {
        w->channel = j % 2 ? CHANNEL_NONE : CHANNEL_NOISE;
        run_test(tally, w, &tests[j / 2]);
    }
}

int main(int argc, char **argv)
{
    struct tally tally = {.only = argc > 1 ? argv[1] : NULL};
    struct where w = {.program = argv[0], .small = argc > 2 && strcmp(argv[2], "--small") == 0};
    for (size_t i = 0; plugin_worlds[i]; i++)
        for (size_t k = 0; plugin_transports[k]; k++) {
            w.world = plugin_worlds[i];
            w.transport = plugin_transports[k];
            w.variant = NULL;
            run_tests(&tally, &w);
            for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++) {
                w.variant = &variants[v];
                if (strcmp(w.transport->name, w.variant->transport) == 0)
                    run_tests(&tally, &w);
            }
        }
    return tally_end(&tally);
}
