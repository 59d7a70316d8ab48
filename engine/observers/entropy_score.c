#include "engine/observers/entropy_score.h"

#include "engine/observers/belief.h"
#include "engine/observers/bits.h"

#include <stdlib.h>

enum { LINKS_MOST = 256 };

int entropy_score_init(void *score, const struct observer_setup *setup)
{
    struct entropy_score *s = score;
    (void)setup;
    s->first_traced = -1;
    s->guesses = calloc(2, sizeof *s->guesses);
    s->sorted = calloc(BELIEF_WIDTH, sizeof *s->sorted);
    return s->guesses && s->sorted ? OK : ERR_NOMEM;
}

void entropy_score_free(void *score)
{
    struct entropy_score *s = score;
    hist_free(&s->message);
    hist_free(&s->party);
    hist_free(&s->truth);
    free(s->guesses);
    free(s->sorted);
    free(s->linked);
    unlink_free(&s->links);
}

/* The belief in s->sorted is of a packet from the who-th sender to the receiver-th. */
static void link(struct entropy_score *s, uint32_t n, uint32_t who, uint32_t receiver)
{
    if (n > LINKS_MOST || who >= n || receiver >= n)
        return;
    if (!s->linked) {
        s->linked = calloc((size_t)n * n, sizeof *s->linked);
        if (!s->linked || unlink_init(&s->links, n) != OK)
            return;
    }
    if (s->links.n != n)
        return;
    s->linked[(size_t)receiver * n + who] = true;
    unlink_add(&s->links, receiver, s->sorted);
}

static void judge_party(struct entropy_score *s, const struct claim *g, const struct truth *t)
{
    const struct packet_truth *packet = t->packet;
    struct belief_shape shape = {.width = (uint32_t)g->n};
    struct belief_figures f;
    party_t to = t->sighting ? t->sighting->at : PARTY_NONE;
    uint32_t who = UINT32_MAX, receiver = UINT32_MAX;
    s->packets += packet != NULL;
    s->cover += packet && packet->kind != TRUTH_REAL;
    if (!packet || packet->kind != TRUTH_REAL || g->n == 0)
        return;
    for (size_t i = 0; i < g->n; i++) {
        s->sorted[i] = g->candidates[i].p;
        if (g->candidates[i].who == packet->from)
            who = (uint32_t)i;
        if (g->candidates[i].who == to)
            receiver = (uint32_t)i;
    }
    link(s, (uint32_t)g->n, who, receiver);
    f = belief_judge(&shape, s->sorted, who);
    hist_add(&s->party, bits_milli(f.entropy));
    hist_add(&s->truth, bits_ppm(f.truth));
    guess_add_posterior(&s->guesses[1], s->sorted, g->n);
    s->degree_ppm += (uint64_t)bits_ppm(f.degree);
    s->people = shape.width;
    s->judged++;
    if (f.truth > 1 - 1e-9) {
        s->traced++;
        s->first_traced = s->first_traced < 0 ? g->when : s->first_traced;
    }
}

void entropy_judge(void *score, const struct claim *g, const struct truth *t)
{
    struct entropy_score *s = score;
    const struct entropy_message *m = g->more;
    if (g->what == ENTROPY_PARTY) {
        judge_party(s, g, t);
        return;
    }
    hist_add(&s->message, bits_milli(g->figure));
    guess_add(&s->guesses[0], m->guess, m->guesswork);
    s->collision_ppm += (uint64_t)bits_ppm(m->collision);
}

/* ---- figures ------------------------------------------------------------------------------ */

static int64_t mean(uint64_t sum, uint64_t n)
{
    return n ? (int64_t)((sum + n / 2) / n) : 0;
}

static void say(const struct report *out, enum privacy what, int64_t value, uint64_t n,
                uint64_t people, const struct hist *h)
{
    const struct finding f = {.what = what,
                              .value = value,
                              .n = n,
                              .population = people,
                              .prior = people ? "uniform over senders" : "uniform over the pool",
                              .hist = h};
    if (n)
        out->finding(out->ctx, &f);
}

static void say_guesses(const struct guess *g, enum privacy guess, enum privacy bits,
                        enum privacy work, uint64_t people, const struct report *out)
{
    say(out, guess, bits_ppm(guess_mean(g)), g->count, people, NULL);
    say(out, bits, bits_milli(guess_bits(g)), g->count, people, NULL);
    say(out, work, bits_milli(guess_work(g)), g->count, people, NULL);
}

static bool linked(const void *ctx, uint32_t i, uint32_t j)
{
    const struct entropy_score *s = ctx;
    return s->linked[(size_t)j * s->links.n + i];
}

void entropy_report(void *score, const struct truth *t, const struct report *out)
{
    struct entropy_score *s = score;
    struct unlink_figures f;
    uint64_t n = hist_count(&s->message);
    (void)t;
    say(out, PRIVACY_MESSAGE_ENTROPY, mean(hist_sum(&s->message), n), n, 0, &s->message);
    say_guesses(&s->guesses[0], PRIVACY_MESSAGE_GUESS, PRIVACY_MESSAGE_MIN_ENTROPY,
                PRIVACY_MESSAGE_WORK, 0, out);
    say(out, PRIVACY_MESSAGE_TRUE, mean(s->collision_ppm, n), n, 0, NULL);
    n = s->judged;
    say(out, PRIVACY_PARTY_ENTROPY, mean(hist_sum(&s->party), n), n, s->people, &s->party);
    say_guesses(&s->guesses[1], PRIVACY_PARTY_GUESS, PRIVACY_PARTY_MIN_ENTROPY, PRIVACY_PARTY_WORK,
                s->people, out);
    say(out, PRIVACY_PARTY_TRUE, mean(hist_sum(&s->truth), n), n, s->people, &s->truth);
    say(out, PRIVACY_PARTY_DEGREE, mean(s->degree_ppm, n), n, s->people, NULL);
    say(out, PRIVACY_PARTY_TRACED, n ? (int64_t)(s->traced * 1000000 / n) : 0, n, s->people, NULL);
    if (s->first_traced >= 0)
        say(out, PRIVACY_FIRST_TRACED, s->first_traced, 1, s->people, NULL);
    say(out, PRIVACY_COVER, s->packets ? (int64_t)(s->cover * 1000000 / s->packets) : 0, s->packets,
        0, NULL);
    if (s->links.n && n && unlink_judge(&s->links, linked, s, &f) == OK && f.judged) {
        say(out, PRIVACY_LINKING, bits_ppm(f.linking), f.judged, s->people, NULL);
        say(out, PRIVACY_ASSIGNMENT, bits_ppm(f.assignment), f.judged, s->people, NULL);
    }
}
