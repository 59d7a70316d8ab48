/* The transports that get through NATs, with real protocols on them: clients behind every kind of
 * NAT, alone and mixed, a tenth of all packets lost; the relay, the TURN server or the matchmaker
 * crashes and comes back in mid-protocol; a client's public address changes. With one and with
 * two servers, in every world that runs in this process. Contents are modelled: sizes, flow and
 * events are those of real ciphers.
 *
 *     nat_clients [TEXT]    only cases with TEXT in their names
 */
#include "engine/worlds/link/nat_punch.h"
#include "tests/conformance/bed.h"

#include <inttypes.h>

enum { PARTIES = 3, MOMENTS = 3, WHY = 600 };

/* A transport, with an option that is not its default. */
struct way {
    const char *transport, *option, *value, *server;
    bool udp, punches;
};
static const struct way ways[] = {
    {"relay", NULL, NULL, "relay", false, false},
    {"turn", NULL, NULL, "turn", true, false},
    {"turn", "relayed", "one", "turn", true, false},
    {"turn", "data", "indication", "turn", true, false},
    {"turn", "over", "tcp", "turn", false, false},
    {"direct", "punch", "udp", "matchmaker", true, true},
};

struct clients {
    const char *name;
    enum nat_kind kinds[PARTIES];
};
#define ALL(kind)                                                                                  \
    {                                                                                              \
        kind, kind, kind                                                                           \
    }
static const struct clients clients[] = {
    {"none", ALL(NAT_NONE)},
    {"open", ALL(NAT_OPEN)},
    {"full_cone", ALL(NAT_FULL_CONE)},
    {"restricted", ALL(NAT_RESTRICTED_CONE)},
    {"port_restricted", ALL(NAT_PORT_RESTRICTED)},
    {"symmetric", ALL(NAT_SYMMETRIC)},
    {"cgnat", ALL(NAT_CGNAT)},
    {"udp_blocked", ALL(NAT_UDP_BLOCKED)},
    {"mixed", {NAT_SYMMETRIC, NAT_FULL_CONE, NAT_CGNAT}},
};

struct work {
    const char *protocol, *option, *value;
    const char *inputs[PARTIES][1];
    uint32_t n_inputs;
};
static const struct work works[] = {
    {"shamir", "program", "maximum", {{"30"}, {"20"}, {"25"}}, 1},
    {"ping", "count", "20", {{NULL}}, 0},
};

enum trouble { QUIET, SERVER, MATCHMAKER, FIRST_MOVES, LAST_MOVES, TROUBLES };
static const char *const troubles[] = {"quiet", "server_restarts", "matchmaker_restarts",
                                       "first_readdressed", "last_readdressed"};

struct test {
    const struct world *world;
    const struct way *way;
    const struct clients *clients;
    const struct work *work;
    bool two; /* services of each role */
};

/* A trial's parts. */
struct trial {
    struct bed bed;
    void *opts;
    struct action actions[2];
};

static bool possible(const struct test *t, const struct bed *b)
{
    bool can = true;
    for (int i = 0; i < PARTIES; i++) {
        can &= !t->way->udp || t->clients->kinds[i] != NAT_UDP_BLOCKED;
        for (int k = 0; k < i && t->way->punches; k++)
            can &= nat_can_punch(&b->hosts[i], &b->hosts[k]);
    }
    return can;
}

static uint32_t service(const struct bed *b, const char *role)
{
    for (uint32_t i = PARTIES; i < b->roster.n; i++)
        if (strcmp(b->entries[i].role, role) == 0)
            return i;
    return 0;
}

static bool make(struct trial *r, const struct test *t, struct err *e)
{
    const struct transport *transport = plugin_transport(t->way->transport);
    const struct protocol *protocol = plugin_protocol(t->work->protocol);
    struct bed *b = &r->bed;
    struct protocol_shape shape;
    *r = (struct trial){.opts = bed_opts(protocol->opts, protocol->opts_size)};
    if (!bed_make(b, transport, protocol, PARTIES) || !r->opts)
        return false;
    if (t->two)
        bed_more_services(b, transport);
    for (uint32_t i = 0; i < b->roster.n;
         i++) /* as in a scenario; what NATs move to is IPv6, too */
        b->entries[i].addr = (struct addr){.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(i + 1)}};
    for (uint32_t i = 0; i < PARTIES; i++) {
        b->hosts[i].nat = t->clients->kinds[i];
        b->hosts[i].access.loss_ppm = 100000;
        b->inputs[i] = (struct input){.values = t->work->inputs[i], .n = t->work->n_inputs};
    }
    b->spec.modelled = true;
    b->spec.limit = 200 * NS_S;
    b->spec.protocol_opts = r->opts;
    b->spec.actions = r->actions;
    shape = (struct protocol_shape){.opts = r->opts, .roster = &b->roster, .inputs = b->inputs};
    return (!t->way->option || bed_set(b, t->way->option, t->way->value)) &&
           opt_set(opt_find(protocol->opts, t->work->option), r->opts, t->work->value, e) == OK &&
           (!protocol->plan || protocol->plan(&shape, &b->spec.plan, e) == OK) && bed_people(b);
}

static void unmake(struct trial *r)
{
    if (r->bed.spec.protocol && r->bed.spec.protocol->free_plan)
        r->bed.spec.protocol->free_plan(r->bed.spec.plan);
    bed_free(&r->bed);
    free(r->opts);
}

static void happens(struct trial *r, const struct test *t, enum trouble trouble, ns_t at)
{
    bool server = trouble == SERVER || trouble == MATCHMAKER;
    uint32_t who = trouble == FIRST_MOVES ? 0 : PARTIES - 1;
    if (server)
        who = service(&r->bed, trouble == SERVER ? t->way->server : "matchmaker");
    r->actions[0] = (struct action){
        .kind = server ? ACT_CRASH : ACT_READDRESS, .at = at, .until = NS_NEVER, .node = who};
    r->actions[1] = (struct action){
        .kind = ACT_RESTART, .at = at + 700 * NS_MS, .until = NS_NEVER, .node = who};
    r->bed.spec.n_actions = trouble == QUIET ? 0 : server ? 2 : 1;
}

static bool right(const struct trial_spec *spec, const struct trial_result *r, char why[WHY])
{
    struct protocol_shape shape = {
        .opts = spec->protocol_opts, .roster = spec->roster, .inputs = spec->inputs};
    struct err e = {0};
    if (spec->protocol->verify(&shape, spec->plan, r->outcomes, &e) != OK)
        return snprintf(why, WHY, "wrong: %.300s", e.text), false;
    for (uint32_t i = 0; i < PARTIES; i++)
        if (!r->outcomes[i].done)
            return snprintf(why, WHY, "p%u has not ended: %.500s", i,
                            r->outcomes[i].failure ? r->outcomes[i].failure
                            : r->why               ? r->why
                                                   : ""),
                   false;
    return true;
}

/* One trial; *good: all parties have the right result. False: the world broke. */
static bool run(struct trial *r, const struct test *t, ns_t *ended, uint64_t *digest, bool *good,
                char why[WHY])
{
    struct trial_result result = {0};
    struct err e = {0};
    if (t->world->run(&r->bed.spec, 1, NULL, NULL, &result, &e) != OK)
        return snprintf(why, WHY, "the world broke: %.300s", e.text), false;
    *good = right(&r->bed.spec, &result, why);
    *ended = result.ended;
    *digest = result.digest;
    trial_result_free(&result, PARTIES);
    return true;
}

/* At each moment of what the quiet trial took; it must make a difference, and be overcome. */
static bool disturbed(struct trial *r, const struct test *t, enum trouble trouble, ns_t quiet,
                      uint64_t digest, ns_t *slowest, char why[WHY])
{
    for (int k = 1; k <= MOMENTS; k++) {
        uint64_t other = 0;
        ns_t ended = 0;
        bool good = false;
        char what[WHY] = "";
        happens(r, t, trouble, quiet * k / (MOMENTS + 1));
        if (!run(r, t, &ended, &other, &good, what) || !good || other == digest) {
            snprintf(why, WHY, "at %" PRId64 " ms: %.500s", quiet * k / (MOMENTS + 1) / NS_MS,
                     good ? "as if nothing had happened" : what);
            return false;
        }
        *slowest = ended > *slowest ? ended : *slowest;
    }
    return true;
}

/* A public host stays where it is; so do the datagrams of a NAT that translates nothing. */
static bool applies(const struct test *t, const struct bed *b, enum trouble trouble)
{
    enum nat_kind kind = t->clients->kinds[trouble == FIRST_MOVES ? 0 : PARTIES - 1];
    if (trouble == MATCHMAKER)
        return service(b, "matchmaker") && strcmp(t->way->server, "matchmaker") != 0;
    if (trouble == QUIET || trouble == SERVER)
        return true;
    return kind != NAT_NONE && (kind != NAT_OPEN || !t->way->udp);
}

static void run_test(struct tally *tally, const struct test *t, const char *program)
{
    struct trial r = {0};
    struct err e = {0};
    uint64_t digest = 0;
    ns_t quiet = 0;
    bool can = false, good = false, first = true;
    char name[200], why[WHY] = "", note[WHY];
    for (enum trouble trouble = QUIET; trouble < TROUBLES; trouble++) {
        snprintf(name, sizeof name, "%s/%s%s%s%s%s/%s/%s/%s/%s", t->world->name, t->way->transport,
                 t->way->option ? ":" : "", t->way->option ? t->way->option : "",
                 t->way->option ? "=" : "", t->way->option ? t->way->value : "",
                 t->two ? "two" : "one", t->work->protocol, t->clients->name, troubles[trouble]);
        if (!tally_wants(tally, name))
            continue;
        if (first && (!make(&r, t, &e) || !run(&r, t, &quiet, &digest, &good, why))) {
            tally_not_ok(tally, name, e.text[0] ? e.text : why, program);
            break;
        }
        can = first ? possible(t, &r.bed) : can;
        first = false;
        if (!applies(t, &r.bed, trouble) || (!can && trouble != QUIET))
            continue;
        snprintf(note, sizeof note, can ? "%" PRId64 " ms" : "not to be done (%" PRId64 " ms)",
                 quiet / NS_MS);
        if (trouble == QUIET && good != can) {
            tally_not_ok(tally, name, can ? why : "done, but the model says it cannot be", program);
            break;
        }
        if (trouble != QUIET) {
            ns_t slowest = 0;
            if (!disturbed(&r, t, trouble, quiet, digest, &slowest, why)) {
                tally_not_ok(tally, name, why, program);
                continue;
            }
            snprintf(note, sizeof note, "at worst %" PRId64 " ms, undisturbed %" PRId64 " ms",
                     slowest / NS_MS, quiet / NS_MS);
        }
        tally_ok(tally, name, note);
    }
    unmake(&r);
}

enum { WAYS = sizeof ways / sizeof ways[0], CLIENTS = sizeof clients / sizeof clients[0] };
enum { WORKS = sizeof works / sizeof works[0] };

int main(int argc, char **argv)
{
    struct tally tally = {.only = argc > 1 ? argv[1] : NULL};
    for (size_t i = 0; plugin_worlds[i]; i++)
        for (int k = 0; k < 2 * WAYS * CLIENTS * WORKS; k++) {
            struct test t = {.world = plugin_worlds[i],
                             .way = &ways[k / (2 * CLIENTS * WORKS)],
                             .two = k / (CLIENTS * WORKS) % 2,
                             .work = &works[k / CLIENTS % WORKS],
                             .clients = &clients[k % CLIENTS]};
            if (bed_can(t.world, plugin_transport(t.way->transport)) &&
                !(t.two && t.way->punches)) /* there is one matchmaker */
                run_test(&tally, &t, argv[0]);
        }
    return tally_end(&tally);
}
