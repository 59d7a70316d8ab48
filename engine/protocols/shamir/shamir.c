#include "engine/protocols/shamir/shamir.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/bytes.h"
#include "engine/protocols/shamir/eval.h"
#include "engine/protocols/shamir/inbox.h"
#include "engine/protocols/shamir/integers.h"
#include "engine/protocols/shamir/programs.h"

struct shamir {
    const struct plan *plan;
    struct eval eval;
    struct inbox inbox;
    uint64_t *inputs;  /* own, as elements; wiped when they are dealt */
    uint8_t *unsent;   /* by peer: a bit for each batch of this round, and UNSENT_GAVE_UP */
    uint32_t n_unsent; /* peers with any */
    uint32_t round;
    ns_t began;
    bool running, over, gave_up;
    uint8_t reason; /* enum shamir_reason */
    party_t culprit;
};

enum { UNSENT_GAVE_UP = 4 };

/* ---- sending -------------------------------------------------------------------------- */

static int send_gave_up(const struct shamir *s, struct party *p, party_t to)
{
    uint8_t body[SHAMIR_GAVE_UP_LEN] = {s->reason};
    put_le32(body + 1, s->culprit);
    return party_send(p, to, (struct label){s->round, SHAMIR_GAVE_UP}, body, sizeof body);
}

static int send_batch(const struct shamir *s, struct party *p, party_t to, uint32_t batch)
{
    struct label label = {.round = s->round, .instance = (s->round ? 2u : 0u) + batch};
    size_t len;
    const void *data = eval_message(&s->eval, s->round, label.instance, to, &len);
    return party_send(p, to, label, data, len);
}

/* What waits for a peer, as far as there is room. What a lost peer does not get is none of
 * our business: its loss is reported by itself. */
static void flush(struct shamir *s, struct party *p, party_t to)
{
    for (uint32_t bit = 0; bit < 3 && s->unsent[to]; bit++) {
        if (!(s->unsent[to] >> bit & 1))
            continue;
        int rc = 1u << bit == UNSENT_GAVE_UP ? send_gave_up(s, p, to) : send_batch(s, p, to, bit);
        if (rc == ERR_AGAIN)
            return;
        s->unsent[to] = (uint8_t)(s->unsent[to] & ~(1u << bit));
        s->n_unsent -= s->unsent[to] == 0;
    }
}

static void queue(struct shamir *s, party_t to, uint32_t bit)
{
    s->n_unsent += s->unsent[to] == 0;
    s->unsent[to] = (uint8_t)(s->unsent[to] | bit);
}

/* ---- giving up ------------------------------------------------------------------------ */

static const char *const reasons[SHAMIR_REASONS] = {
    "restarted without its shares", "is lost", "sent a malformed message",
    "met a random element that is 0 (probability 2^-61)"};

static void tell_all(struct shamir *s, struct party *p)
{
    s->over = s->gave_up = true;
    for (party_t to = 0; to < s->plan->parties; to++) {
        if (to == s->eval.self)
            continue;
        if (s->unsent[to])
            s->n_unsent--;
        s->unsent[to] = 0;
        queue(s, to, UNSENT_GAVE_UP);
        flush(s, p, to);
    }
}

/* detail: begins with ": ", or empty. */
static void give_up(struct shamir *s, struct party *p, uint8_t reason, party_t culprit,
                    uint32_t round, const char *detail)
{
    const struct schedule *schedule = &s->plan->schedule;
    s->reason = reason;
    s->culprit = culprit;
    party_fail(p, "%.60s %s%s, round %u of %u (%s)", plan_name(s->plan, culprit), reasons[reason],
               detail, round + 1, schedule->rounds, schedule_round_name(schedule, round));
    tell_all(s, p);
}

static void recv_gave_up(struct shamir *s, struct party *p, party_t from, const uint8_t *data,
                         size_t len)
{
    const struct schedule *schedule = &s->plan->schedule;
    party_t culprit = len == SHAMIR_GAVE_UP_LEN ? get_le32(data + 1) : PARTY_NONE;
    uint32_t round = s->round;
    if (culprit >= s->plan->parties || data[0] >= SHAMIR_REASONS) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        return;
    }
    if (!inbox_needs(&s->inbox, &round, from))
        return;
    s->reason = data[0];
    s->culprit = culprit;
    party_fail(p, "%.60s gave up because %.60s %s, round %u of %u (%s)", plan_name(s->plan, from),
               plan_name(s->plan, culprit), reasons[s->reason], round + 1, schedule->rounds,
               schedule_round_name(schedule, round));
    tell_all(s, p);
}

/* ---- rounds --------------------------------------------------------------------------- */

static void charge(struct party *p, const struct eval_work *work)
{
    party_charge(p, COST_FIELD_MUL, work->muls);
    party_charge(p, COST_SHARE, work->dealt);
}

static void begin_round(struct shamir *s, struct party *p)
{
    struct eval_work work = {0};
    s->began = party_now(p);
    for (uint32_t batch = 0; batch < 2; batch++) {
        uint32_t kind = (s->round ? 2u : 0u) + batch;
        eval_begin(&s->eval, s->round, kind, s->inputs, party_rng(p), &work);
        for (party_t to = 0; to < s->plan->parties; to++)
            if (schedule_message(&s->plan->schedule, s->round, kind, s->eval.self, to))
                queue(s, to, 1u << batch);
    }
    if (s->round == 0)
        sodium_memzero(s->inputs, s->plan->schedule.input[s->eval.self].n * sizeof *s->inputs);
    charge(p, &work);
    for (party_t to = 0; to < s->plan->parties; to++)
        flush(s, p, to);
}

static void finish(struct shamir *s, struct party *p)
{
    const struct plan *plan = s->plan;
    uint32_t n = plan->schedule.n_outputs;
    uint64_t *outputs = calloc(n + (size_t)1, sizeof *outputs);
    uint8_t *result = calloc(plan->result_len + 1, 1);
    s->over = true;
    if (outputs && result) {
        for (uint32_t k = 0; k < n; k++)
            outputs[k] = eval_output(&s->eval, k);
        plan->program->result(plan, outputs, result);
        party_result(p, result, plan->result_len);
    } else {
        party_fail(p, "no memory for the result");
    }
    free(outputs);
    free(result);
}

/* Goes through all rounds that are complete. */
static void advance(struct shamir *s, struct party *p)
{
    const struct schedule *schedule = &s->plan->schedule;
    while (s->running && !s->over && s->inbox.missing[s->round] == 0 && s->n_unsent == 0) {
        struct eval_work work = {0};
        party_round(p, s->began);
        eval_local(&s->eval, schedule->round[s->round].local, &work);
        charge(p, &work);
        if (s->eval.stuck)
            give_up(s, p, SHAMIR_STUCK, s->eval.self, s->round, "");
        else if (++s->round == schedule->rounds)
            finish(s, p);
        else
            begin_round(s, p);
    }
}

/* ---- struct protocol ------------------------------------------------------------------ */

static void shamir_free(void *self)
{
    struct shamir *s = self;
    if (s->inputs)
        sodium_memzero(s->inputs, s->plan->schedule.input[s->eval.self].n * sizeof *s->inputs);
    free(s->inputs);
    free(s->unsent);
    inbox_free(&s->inbox);
    eval_free(&s->eval);
    *s = (struct shamir){0};
}

static int shamir_init(void *self, struct party *p, const void *plan, const struct input *own,
                       struct err *e)
{
    struct shamir *s = self;
    const struct schedule *schedule = &((const struct plan *)plan)->schedule;
    party_t me = party_self(p);
    int rc = plan_check_input(plan, me, own, e);
    if (rc)
        return rc;
    s->plan = plan;
    rc = eval_init(&s->eval, schedule, me);
    if (rc == OK)
        rc = inbox_init(&s->inbox, schedule, me);
    s->inputs = calloc(schedule->input[me].n + (size_t)1, sizeof *s->inputs);
    s->unsent = calloc(s->plan->parties, 1);
    if (rc || !s->inputs || !s->unsent)
        rc = err_set(e, ERR_NOMEM, "%s: no memory for its shares", plan_name(plan, me));
    else
        rc = s->plan->program->encode(plan, me, own, s->inputs, e);
    if (rc)
        shamir_free(s);
    return rc;
}

/* Then whatever comes, the start or a message to the one before, ends it. */
static bool has_restarted(struct shamir *s, struct party *p)
{
    if (party_incarnation(p) == 0)
        return false;
    if (!s->over)
        party_fail(p, "%.60s %s", plan_name(s->plan, s->eval.self), reasons[SHAMIR_RESTARTED]);
    s->over = s->gave_up = true;
    return true;
}

static void shamir_start(void *self, struct party *p)
{
    struct shamir *s = self;
    struct eval_work work = {0};
    if (has_restarted(s, p) || s->over)
        return;
    s->running = true;
    eval_local(&s->eval, s->plan->schedule.before, &work);
    charge(p, &work);
    begin_round(s, p);
    advance(s, p);
}

static void shamir_recv(void *self, struct party *p, party_t from, struct label label,
                        const uint8_t *data, size_t len)
{
    struct shamir *s = self;
    struct eval_work work = {0};
    uint32_t round = label.round, kind = label.instance;
    int rc;
    if (has_restarted(s, p) || s->gave_up) {
        party_drop(p, DROP_LABEL_LATE);
    } else if (kind == SHAMIR_GAVE_UP && from < s->plan->parties) {
        recv_gave_up(s, p, from, data, len);
    } else if (!inbox_expects(&s->inbox, round, kind, from)) {
        party_drop(p, DROP_LABEL_UNKNOWN);
    } else if (inbox_has(&s->inbox, round, kind, from)) {
        party_drop(p, round < s->round ? DROP_LABEL_LATE : DROP_LABEL_TWICE);
    } else if ((rc = eval_absorb(&s->eval, round, kind, from, data, len, &work)) != OK) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        give_up(s, p, SHAMIR_MALFORMED, from, round,
                rc == ERR_FORMAT ? ": an element outside the field"
                                 : ": not of the batch's length");
    } else {
        inbox_put(&s->inbox, round, kind, from);
        charge(p, &work);
        advance(s, p);
    }
}

static void shamir_peer(void *self, struct party *p, party_t peer, enum peer_state state)
{
    struct shamir *s = self;
    uint32_t round = s->round;
    if (has_restarted(s, p) || peer >= s->plan->parties ||
        (state != PEER_LOST && state != PEER_RESTARTED))
        return;
    if (s->unsent[peer] && state == PEER_LOST) {
        s->unsent[peer] = 0;
        s->n_unsent--;
    }
    if (!s->over && inbox_needs(&s->inbox, &round, peer))
        give_up(s, p, state == PEER_LOST ? SHAMIR_LOST : SHAMIR_RESTARTED, peer, round, "");
    advance(s, p);
}

static void shamir_room(void *self, struct party *p, party_t peer)
{
    struct shamir *s = self;
    if (peer >= s->plan->parties)
        return;
    flush(s, p, peer);
    advance(s, p);
}

static void shamir_waiting(const void *self, const struct party *p, char *buf, size_t cap)
{
    const struct shamir *s = self;
    const struct schedule *schedule = &s->plan->schedule;
    const char *before = " from ";
    (void)p;
    if (cap == 0)
        return;
    buf[0] = 0;
    if (s->over)
        return;
    if (!s->running) {
        integers_append(buf, cap, "the start of round 1");
        return;
    }
    integers_append(buf, cap, "round %u of %u (%s)", s->round + 1, schedule->rounds,
                    schedule_round_name(schedule, s->round));
    for (party_t from = 0; from < s->plan->parties; from++) {
        if (!inbox_awaits(&s->inbox, s->round, from))
            continue;
        integers_append(buf, cap, "%s%s", before, plan_name(s->plan, from));
        before = ", ";
    }
    before = "; room to send to ";
    for (party_t to = 0; to < s->plan->parties; to++) {
        if (!s->unsent[to])
            continue;
        integers_append(buf, cap, "%s%s", before, plan_name(s->plan, to));
        before = ", ";
    }
}

static const struct protocol_role roles[] = {
    {.name = "party", .help = "has an input, or helps to compute", .min = 3, .max = 0},
    {.name = NULL}};

#define OPT(field) offsetof(struct shamir_opts, field)

static const struct opt opts[] = {
    {.name = "program",
     .type = OPT_CHOICE,
     .offset = OPT(program),
     .fallback = "auto",
     .choices = plan_choices,
     .help = "What is computed; auto: the circuit if there is one, else the sum."},
    {.name = "threshold",
     .type = OPT_INT,
     .offset = OPT(threshold),
     .fallback = "-1",
     .min = -1,
     .max = 1 << 20,
     .help = "How many parties together learn nothing; -1: as many as can be, (n - 1) / 2."},
    {.name = "circuit",
     .type = OPT_FILE,
     .offset = OPT(circuit),
     .help = "A Bristol Fashion circuit; its input value k is that of the k-th party."},
    {.name = "candidates",
     .type = OPT_INT,
     .offset = OPT(candidates),
     .fallback = "2",
     .min = 1,
     .max = PLAN_CANDIDATES_MAX,
     .help = "Of program vote: a vote is a number from 0 to candidates - 1."},
    {.name = NULL}};

const struct protocol protocol_shamir = {
    .name = "shamir",
    .help = "Secret-shared computation with an honest majority (BGW), semi-honest.",
    .roles = roles,
    .opts = opts,
    .opts_size = sizeof(struct shamir_opts),
    .barrier = true,
    .size = sizeof(struct shamir),
    .plan = plan_new,
    .free_plan = plan_free,
    .check_input = plan_check_input,
    .init = shamir_init,
    .start = shamir_start,
    .recv = shamir_recv,
    .peer = shamir_peer,
    .room = shamir_room,
    .waiting = shamir_waiting,
    .free = shamir_free,
    .verify = plan_verify,
    .print = plan_print,
};
