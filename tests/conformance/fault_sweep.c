/* In SQLite's manner: plant one fault, the n-th of its kind, for n = 1, 2, 3 ... until it no
 * longer fires. The subjects below run over every transport, with channel noise; each trial must
 * end in the right result or in a failure with a name, before the limit.
 *
 *     fault_sweep [TEXT [N]]    only sweeps with TEXT in their names; only the N-th fault
 *     fault_sweep --short       every third fault of all sweeps, with modelled ciphers
 */
#include "tests/conformance/bed.h"

#include <inttypes.h>

enum { PARTIES = 3, WHY = 600 };

enum kind { REFUSE_SEND, LOSE_MESSAGE, FAIL_STORE, KINDS };
static const char *const kinds[] = {"refuse_send", "lose_message", "fail_store"};

/* A protocol that uses the store adds itself here. */
struct subject {
    const char *protocol, *option, *value;
    const char *inputs[PARTIES][1];
};
static const struct subject subjects[] = {
    {"shamir", "program", "maximum", {{"30"}, {"20"}, {"25"}}},
};

/* Transports with options that are not their defaults: swept as further ones. */
struct variant {
    const char *transport, *option, *value;
};
static const struct variant variants[] = {
    {"turn", "relayed", "one"}, {"turn", "over", "tcp"}, {"direct", "punch", "udp"}};

static struct fault_plan fault(enum kind kind, uint64_t n)
{
    struct fault_plan plan = {0};
    *(kind == REFUSE_SEND    ? &plan.refuse_send
      : kind == LOSE_MESSAGE ? &plan.lose_message
                             : &plan.fail_store) = n;
    return plan;
}

/* The first party's way to have failed, if each has ended and none is wrong. */
static bool judge(const struct trial_spec *spec, const struct trial_result *r, bool *right,
                  char why[WHY])
{
    struct protocol_shape shape = {
        .opts = spec->protocol_opts, .roster = spec->roster, .inputs = spec->inputs};
    struct err e = {0};
    *right = true;
    if (spec->protocol->verify(&shape, spec->plan, r->outcomes, &e) != OK) {
        snprintf(why, WHY, "wrong: %.300s", e.text);
        return false;
    }
    for (uint32_t i = 0; i < PARTIES; i++) {
        const struct outcome *o = &r->outcomes[i];
        if (!o->done && (!o->failure || !o->failure[0])) {
            snprintf(why, WHY, "%s hangs: %.400s", spec->roster->entries[i].name,
                     r->why ? r->why : "");
            return false;
        }
        if (!o->done && *right)
            snprintf(why, WHY, "%.400s", o->failure);
        *right &= o->done;
    }
    if (r->timed_out)
        snprintf(why, WHY, "the limit came");
    return !r->timed_out;
}

/* One trial. *fired: the fault happened. */
static bool run_once(struct bed *b, const struct world *world, enum kind kind, uint64_t n,
                     bool *fired, bool *right, char why[WHY])
{
    struct fault_plan plan = fault(kind, n);
    struct trial_result r = {0};
    struct err e = {0};
    bool good;
    *fired = false;
    if (world->run(&b->spec, 1, &plan, NULL, &r, &e) != OK) {
        snprintf(why, WHY, "the world broke: %.300s", e.text);
        return false;
    }
    *fired = r.faults_fired > 0;
    good = judge(&b->spec, &r, right, why);
    trial_result_free(&r, PARTIES);
    return good;
}

/* A trial over mixes sends more than a thousand frames: there the sweep takes wider and wider
 * steps. Others are modelled only in the short sweep. */
static uint64_t after(const struct bed *b, uint64_t n)
{
    if (strcmp(b->spec.transport->name, "mix") == 0)
        return 1 + n / 64;
    return b->spec.modelled ? 3 : 1;
}

static void sweep(struct tally *tally, struct bed *b, const struct world *world,
                  const struct variant *v, enum kind kind, const char *program, uint64_t only)
{
    char name[160], why[WHY] = "", note[2 * WHY];
    uint64_t n = only ? only : 1, last = n, rights = 0, failures = 0;
    bool fired = true, right = false, good = true;
    snprintf(name, sizeof name, "%s/%s%s%s%s%s/%s/%s", world->name, b->spec.transport->name,
             v ? ":" : "", v ? v->option : "", v ? "=" : "", v ? v->value : "",
             b->spec.protocol->name, kinds[kind]);
    if (!tally_wants(tally, name))
        return;
    for (; good && fired; n += after(b, n)) {
        last = n;
        good = run_once(b, world, kind, n, &fired, &right, why);
        rights += fired && right;
        failures += fired && !right;
        if (only)
            break;
    }
    if (!good) {
        snprintf(note, sizeof note, "fault %" PRIu64 ": %s", last, why);
        tally_not_ok(tally, name, note, program);
    } else if (rights + failures == 0) {
        tally_skip(tally, name, "it never does that");
    } else {
        snprintf(note, sizeof note, "%" PRIu64 " right, %" PRIu64 " failed by name%s%.300s", rights,
                 failures, failures ? ", the last: " : "", failures ? why : "");
        tally_ok(tally, name, note);
    }
}

static bool prepare(struct bed *b, const struct subject *subject, const struct transport *transport,
                    const struct variant *v, bool brief, void **opts, struct err *e)
{
    const struct protocol *protocol = plugin_protocol(subject->protocol);
    struct protocol_shape shape;
    *opts = bed_opts(protocol->opts, protocol->opts_size);
    if (!bed_make(b, transport, protocol, PARTIES) || !*opts ||
        (v && !bed_set(b, v->option, v->value)))
        return false;
    b->spec.modelled = brief || strcmp(transport->name, "mix") == 0;
    for (uint32_t i = 0; i < PARTIES; i++)
        b->inputs[i] = (struct input){.values = subject->inputs[i], .n = 1};
    b->spec.protocol_opts = *opts;
    shape = (struct protocol_shape){.opts = *opts, .roster = &b->roster, .inputs = b->inputs};
    return opt_set(opt_find(protocol->opts, subject->option), *opts, subject->value, e) == OK &&
           (!protocol->plan || protocol->plan(&shape, &b->spec.plan, e) == OK) && bed_people(b);
}

static void sweep_all(struct tally *tally, const struct subject *subject, const struct world *world,
                      const struct transport *transport, const struct variant *v,
                      const char *program, bool brief, uint64_t only)
{
    struct bed b;
    struct err e = {0};
    void *opts;
    if (prepare(&b, subject, transport, v, brief, &opts, &e))
        for (enum kind kind = 0; kind < KINDS; kind++)
            sweep(tally, &b, world, v, kind, program, only);
    else
        tally_not_ok(tally, subject->protocol, e.text, program);
    if (b.spec.protocol->free_plan)
        b.spec.protocol->free_plan(b.spec.plan);
    bed_free(&b);
    free(opts);
}

int main(int argc, char **argv)
{
    bool brief = argc > 1 && strcmp(argv[1], "--short") == 0;
    struct tally tally = {.only = argc > 1 && !brief ? argv[1] : NULL};
    uint64_t only = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    for (size_t i = 0; plugin_worlds[i]; i++)
        for (size_t j = 0; j < sizeof subjects / sizeof subjects[0]; j++) {
            for (size_t k = 0; plugin_transports[k]; k++)
                if (bed_can(plugin_worlds[i], plugin_transports[k]))
                    sweep_all(&tally, &subjects[j], plugin_worlds[i], plugin_transports[k], NULL,
                              argv[0], brief, only);
            for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++)
                if (bed_can(plugin_worlds[i], plugin_transport(variants[v].transport)))
                    sweep_all(&tally, &subjects[j], plugin_worlds[i],
                              plugin_transport(variants[v].transport), &variants[v], argv[0], brief,
                              only);
        }
    return tally_end(&tally);
}
