#include "engine/observers/entropy_score.h"

#include "engine/observers/belief.h"
#include "engine/observers/bits.h"

#include <stdlib.h>

enum { LINKS_MOST = 256 };
#define CERTAIN 0.999

int entropy_score_init(void *score, const struct observer_setup *setup)
{
    struct entropy_score *s = score;
    (void)setup;
    s->first_traced = -1;
    s->challenge = calloc(1, sizeof *s->challenge);
    if (!s->challenge)
        return ERR_NOMEM;
    s->challenge->dice = dice_name(0, "challenge", 0, 0, 0); /* on a recording as in the trial */
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
    if (s->challenge)
        challenge_free(s->challenge);
    free(s->challenge);
    flights_free(&s->flights);
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

/* The chance that the best guess, drawn among equals, is who. */
static double right(const struct claim *g, uint32_t who)
{
    double most = 0;
    uint32_t equal = 0;
    for (size_t i = 0; i < g->n; i++)
        most = g->candidates[i].p > most ? g->candidates[i].p : most;
    for (size_t i = 0; i < g->n; i++)
        equal += g->candidates[i].p > most - 1e-9;
    return who < g->n && g->candidates[who].p > most - 1e-9 ? 1 / (double)equal : 0;
}

/* The who-th of n and another one, drawn among them. */
static void challenge(struct entropy_score *s, const struct claim *g, uint32_t who)
{
    uint32_t n = (uint32_t)g->n, other;
    n -= n && g->candidates[n - 1].who == PARTY_NONE; /* many together are nobody */
    if (who >= n || n < 2)
        return;
    other = (uint32_t)dice_below(&s->challenge->dice, n - 1);
    other += other >= who;
    challenge_add(s->challenge, g->candidates[who].p, g->candidates[other].p);
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
    challenge(s, g, who);
    flights_came(&s->flights, packet, g->when);
    f = belief_judge(&shape, s->sorted, who);
    hist_add(&s->party, bits_milli(f.entropy));
    hist_add(&s->truth, bits_ppm(f.truth));
    guess_add_posterior(&s->guesses[1], s->sorted, g->n);
    s->degree_ppm += (uint64_t)bits_ppm(f.degree);
    s->right_ppm += (uint64_t)bits_ppm(right(g, who));
    s->people = shape.width;
    s->judged++;
    if (f.truth > CERTAIN) {
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
    if (g->what == ENTROPY_SENT) {
        s->senders = (uint64_t)g->figure;
        if (t->packet)
            flights_sent(&s->flights, t->packet, g->when);
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

static void say_about(const struct report *out, enum privacy what, const char *about, double value,
                      const struct entropy_score *s)
{
    out->finding(out->ctx, &(struct finding){.what = what,
                                             .about = about,
                                             .value = bits_ppm(value),
                                             .n = s->challenge->n,
                                             .population = s->senders,
                                             .prior = "a pair alike"});
}

static const struct {
    const char *about;
    double factor; /* e^eps */
} deltas[] = {{"eps=0.1", 1.1051709180756477}, {"eps=1", 2.718281828459045}};

/* M4's challenge, and beside it the least that M14 allows. */
static void say_challenge(const struct entropy_score *s, const struct report *out)
{
    const struct challenge *c = s->challenge;
    const struct unlink_advantage a = challenge_advantage(c, 1);
    struct flights_figures f;
    if (c->n < CHALLENGE_LEAST)
        return;
    say_about(out, PRIVACY_ADVANTAGE, NULL, a.advantage, s);
    say_about(out, PRIVACY_ADVANTAGE_LOW, NULL, a.low, s);
    for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++)
        say_about(out, PRIVACY_DELTA, deltas[i].about,
                  challenge_advantage(c, deltas[i].factor).advantage, s);
    say(out, PRIVACY_EPSILON, mean(c->epsilon_milli, c->n), c->n, s->senders, &c->epsilon);
    if (!flights_judge(&s->flights, s->senders, &f))
        return;
    say(out, PRIVACY_ROUNDS, bits_milli(f.rounds), s->flights.arrived, s->senders, NULL);
    say(out, PRIVACY_NOISE, bits_milli(f.noise), s->flights.real, s->senders, NULL);
    say_about(out, PRIVACY_BOUND, "synchronised", f.synchronised, s);
    say_about(out, PRIVACY_BOUND, "unsynchronised", f.unsynchronised, s);
    say_about(out, PRIVACY_HEADROOM, NULL, a.advantage - f.unsynchronised, s);
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
    say(out, PRIVACY_PARTY_RIGHT, mean(s->right_ppm, n), n, s->people, NULL);
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
    say_challenge(s, out);
}
