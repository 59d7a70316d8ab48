/* Hole punching between any two kinds of NAT succeeds where the NAT model says that it can, and
 * nowhere else: `direct` with `punch: udp`, in every world that runs in this process.
 *
 *     punch_pairs [TEXT]    only cases with TEXT in their names
 */
#include "engine/worlds/link/nat_punch.h"
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"

static const char *const kinds[] = {
    "none",      "open",  "full_cone",  "restricted", "port_restricted",
    "symmetric", "cgnat", "udp_blocked"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

_Static_assert(NAT_UDP_BLOCKED == KINDS - 1, "a name for each kind");

static void refused(void *ctx, int line, const char *why)
{
    (void)line;
    snprintf(ctx, 200, "%s", why);
}

enum pairing { APART, SHARED, LOSSY, PAIRINGS };
static const char *const pairings[] = {"apart", "shared", "lossy"};

static bool run_pair(const struct world *world, int a, int b, enum pairing how, bool *reached,
                     bool *can, char *why)
{
    struct conform_plan plan = {.messages = 3, .max = 3000};
    struct trial_result r = {0};
    struct err e = {0};
    struct bed bed;
    bool good = false;
    if (!bed_make(&bed, plugin_transport("direct"), &protocol_conform, 2) ||
        !bed_set(&bed, "punch", "udp"))
        return false;
    bed.hosts[0].nat = (enum nat_kind)a;
    bed.hosts[1].nat = (enum nat_kind)b;
    if (how == SHARED)
        bed.hosts[0].nat_box = bed.hosts[1].nat_box = "office";
    if (how == LOSSY)
        bed.hosts[0].access.loss_ppm = bed.hosts[1].access.loss_ppm = 100000;
    bed.spec.plan = &plan;
    bed.spec.channel = CHANNEL_NONE;
    bed.spec.limit = how == LOSSY ? 60 * NS_S : 20 * NS_S;
    /* Behind one box the private addresses do, which nat_can_punch does not ask for. */
    *can = nat_can_punch(&bed.hosts[0], &bed.hosts[1]) || (how == SHARED && a != NAT_UDP_BLOCKED);
    if (world->check && world->check(&bed.spec, refused, why) != OK) {
        bed_free(&bed);
        return false;
    }
    if (bed_people(&bed) && world->run(&bed.spec, 1, NULL, NULL, &r, &e) == OK) {
        *reached = r.outcomes[0].done && r.outcomes[1].done;
        good = !r.outcomes[0].failure && !r.outcomes[1].failure;
        trial_result_free(&r, 2);
    } else {
        snprintf(why, 200, "%.190s", e.text);
    }
    bed_free(&bed);
    return good;
}

int main(int argc, char **argv)
{
    struct tally tally = {.only = argc > 1 ? argv[1] : NULL};
    const struct transport *direct = plugin_transport("direct");
    for (size_t i = 0; plugin_worlds[i]; i++)
        for (int k = 0; k < PAIRINGS * KINDS * KINDS; k++) {
            enum pairing how = (enum pairing)(k / (KINDS * KINDS));
            int a = k / KINDS % KINDS, b = k % KINDS;
            char name[120], why[200] = "failed";
            bool reached = false, can = false;
            snprintf(name, sizeof name, "%s/%s/%s-%s", plugin_worlds[i]->name, pairings[how],
                     kinds[a], kinds[b]);
            if (!bed_can(plugin_worlds[i], direct) || !tally_wants(&tally, name) ||
                (how == SHARED && a != b))
                continue;
            if (!run_pair(plugin_worlds[i], a, b, how, &reached, &can, why))
                tally_not_ok(&tally, name, why, argv[0]);
            else if (reached != can)
                tally_not_ok(&tally, name,
                             reached ? "reached, but the model says it cannot be"
                                     : "not reached, but the model says it can be",
                             argv[0]);
            else
                tally_ok(&tally, name, can ? "reached" : "not to be reached");
        }
    return tally_end(&tally);
}
