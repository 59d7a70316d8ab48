/* M7, size leakage: what a packet's size at a line tells of it.
 *
 * Observation: (bytes, packets) of each message that leaves a tapped host. Classes, from truth:
 * `kind` (real, cover, control ...: cover that has another size is none), `receiver` (whom a real
 * one is for), and `party` (whether its sender is a party or one of the crowd). Prior: classes as
 * often as they occur.
 */
#include "engine/observers/bits.h"
#include "engine/observers/leak.h"
#include "engine/observers/lines.h"

struct size {
    struct observer_setup setup;
};

struct seen {
    uint32_t bytes, packets;
};

struct size_score {
    struct leak kind, receiver, party;
};

static int size_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct size *x = self;
    (void)e;
    x->setup = *setup;
    return OK;
}

static void size_see(void *self, const struct sighting *s)
{
    struct size *x = self;
    const struct seen seen = {s->bytes, s->packets};
    if (s->packets == 0 || s->opens || s->point != SIGHT_LINE || !s->out ||
        lines_role(&x->setup, s->at) != LINES_SENDER)
        return;
    x->setup.claim(x->setup.ctx, &(struct claim){.when = s->when, .more = &seen});
}

static void size_judge(void *score, const struct claim *g, const struct truth *t)
{
    struct size_score *s = score;
    const struct seen *seen = g->more;
    if (t->sighting)
        leak_add(&s->party, t->sighting->at < t->roster->n_parties, seen->bytes, seen->packets);
    if (!t->packet)
        return;
    leak_add(&s->kind, t->packet->kind, seen->bytes, seen->packets);
    if (t->packet->kind == TRUTH_REAL)
        leak_add(&s->receiver, t->packet->to, seen->bytes, seen->packets);
}

static void say(const struct report *out, const struct leak *l, const char *about)
{
    struct leak_figures f;
    struct finding x = {
        .what = PRIVACY_SIZE_LEAK, .about = about, .n = l->samples, .prior = "as they occur"};
    if (leak_judge(l, &f) != OK)
        return;
    x.population = f.classes;
    x.value = bits_milli(f.corrected);
    out->finding(out->ctx, &x);
    x.what = PRIVACY_SIZE_MAX_LEAK;
    x.value = bits_milli(f.max_leakage);
    x.prior = "any";
    out->finding(out->ctx, &x);
}

static void size_report(void *score, const struct truth *t, const struct report *out)
{
    struct size_score *s = score;
    (void)t;
    say(out, &s->kind, "kind");
    say(out, &s->receiver, "receiver");
    say(out, &s->party, "party");
}

static void size_score_free(void *score)
{
    struct size_score *s = score;
    leak_free(&s->kind);
    leak_free(&s->receiver);
    leak_free(&s->party);
}

const struct observer observer_size = {
    .name = "size",
    .help = "what the sizes of packets tell of what they are and whom they are for",
    .wants = WANT_LINE | WANT_TRUTH,
    .at = "global",
    .size = sizeof(struct size),
    .init = size_init,
    .see = size_see,
    .score_size = sizeof(struct size_score),
    .judge = size_judge,
    .report = size_report,
    .score_free = size_score_free,
};
