/* The protocol `conform`: every party sends numbered messages to every other, and checks what
 * it gets: order per pair, exactly once, the label, the size, every byte, and that reports of
 * peers make sense. What is wrong ends a party with party_fail and a sentence.
 *
 * Sizes and bytes of message k from a to b follow from (a, b, k) alone. A party is done when
 * all its messages are accepted and all those of the others are in. Afterwards it goes on
 * answering: to a peer that restarts, all is sent again from the first on, and expected so. A
 * peer that is lost and comes up again goes on where it was.
 */
#ifndef PARTYLINE_TESTS_CONFORM_H
#define PARTYLINE_TESTS_CONFORM_H

#include "engine/base/prng.h"
#include "engine/channel/channel.h"
#include "engine/protocol.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONFORM_PARTIES = 64 };

struct conform_plan {
    uint32_t messages; /* from each party to each other */
    size_t min, max;   /* their sizes; most are small, some are `max` */
    ns_t every;        /* a message to each peer at this pace; 0: as fast as they are taken */
    bool one_way;      /* only the first party sends */
    bool victim;       /* the last party dies: the others do not wait for it */
    bool oversize;     /* try a message above the limit first */
    /* Bytes accepted and not delivered, and the most that there were, by sender. The parties
     * of a simulated world share this memory; it decides nothing that they do. */
    size_t kept[CONFORM_PARTIES], kept_max[CONFORM_PARTIES];
};

/* A party's result. */
struct conform_report {
    uint32_t ups, downs, restarts, losses; /* reports about peers */
    uint32_t refusals;                     /* sends that waited for room */
};

struct conform_pair {
    uint32_t sent, got;
    bool up, met, lost, blocked; /* met: it was up once; lost: it was, and is given up */
};

struct conform {
    struct conform_plan *plan;
    uint8_t *buf; /* of the largest message */
    bool ticking;
    struct conform_report report;
    struct conform_pair pairs[CONFORM_PARTIES];
};

static inline size_t conform_size(const struct conform_plan *plan, party_t a, party_t b, uint32_t k)
{
    struct dice d = dice_name(7, "size", a, b, k);
    size_t span = plan->max - plan->min;
    if (dice_below(&d, 8) == 0)
        return plan->max;
    span = span > 4096 && dice_below(&d, 4) ? 4096 : span;
    return plan->min + (size_t)dice_below(&d, span + 1);
}

static inline void conform_fill(uint8_t *out, size_t len, party_t a, party_t b, uint32_t k)
{
    struct dice d = dice_name(7, "body", a, b, k);
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = dice_u64(&d);
        memcpy(out + i, &word, len - i < 8 ? len - i : 8);
    }
}

static inline uint32_t conform_due(const struct conform *c, party_t from)
{
    return c->plan->one_way && from != 0 ? 0 : c->plan->messages;
}

static inline void conform_finish(struct conform *c, struct party *p)
{
    uint32_t n = party_count(p);
    for (party_t i = 0; i < n; i++) {
        const struct conform_pair *pair = &c->pairs[i];
        if (i == party_self(p) || (c->plan->victim && i == n - 1))
            continue;
        if (pair->sent < conform_due(c, party_self(p)) || pair->got < conform_due(c, i))
            return;
    }
    party_result(p, &c->report, sizeof c->report);
}

/* Sends up to `most` messages. A peer that was never up, or is lost, may have to come up first. */
static inline void conform_pump(struct conform *c, struct party *p, party_t to, uint32_t most)
{
    struct conform_pair *pair = &c->pairs[to];
    struct conform_plan *plan = c->plan;
    party_t self = party_self(p);
    for (; most && pair->sent < conform_due(c, self) && !pair->blocked; most--) {
        size_t len = conform_size(plan, self, to, pair->sent);
        int rc;
        conform_fill(c->buf, len, self, to, pair->sent);
        rc = party_send(p, to, (struct label){pair->sent, self}, c->buf, len);
        if (rc == ERR_AGAIN) {
            pair->blocked = true;
            c->report.refusals++;
            return;
        }
        if (rc == ERR_CLOSED && (!pair->met || pair->lost))
            return;
        if (rc != OK) {
            party_fail(p, "send %u to %u: %s", pair->sent, to, err_name(rc));
            return;
        }
        pair->sent++;
        plan->kept[self] += len;
        if (plan->kept[self] > plan->kept_max[self])
            plan->kept_max[self] = plan->kept[self];
    }
}

static inline void conform_pump_all(struct conform *c, struct party *p)
{
    bool more = false;
    for (party_t i = 0; i < party_count(p); i++)
        if (i != party_self(p)) {
            conform_pump(c, p, i, c->plan->every ? 1 : UINT32_MAX);
            more |= c->pairs[i].sent < conform_due(c, party_self(p));
        }
    c->ticking = more && c->plan->every;
    if (c->ticking)
        party_arm(p, 0, party_now(p) + c->plan->every);
    conform_finish(c, p);
}

static int conform_init(void *self, struct party *p, const void *plan, const struct input *own,
                        struct err *e)
{
    struct conform *c = self;
    void *shared;
    (void)p, (void)own, (void)e;
    memcpy(&shared, &plan, sizeof shared);
    c->plan = shared;
    c->buf = malloc(c->plan->max + 64);
    return c->buf ? OK : ERR_NOMEM;
}

static void conform_start(void *self, struct party *p)
{
    struct conform *c = self;
    conform_pump_all(c, p);
}

static void conform_recv(void *self, struct party *p, party_t from, struct label label,
                         const uint8_t *data, size_t len)
{
    struct conform *c = self;
    struct conform_pair *pair = &c->pairs[from];
    party_t me = party_self(p);
    size_t want = conform_size(c->plan, from, me, pair->got);
    if (label.instance != from || label.round != pair->got)
        party_fail(p, "message %u of %u, expected %u of %u", label.round, label.instance, pair->got,
                   from);
    else if (pair->got == conform_due(c, from))
        party_fail(p, "one message too many from %u", from);
    else if (len != want)
        party_fail(p, "message %u of %u: %zu bytes, expected %zu", pair->got, from, len, want);
    else if (conform_fill(c->buf, len, from, me, pair->got), memcmp(c->buf, data, len) != 0)
        party_fail(p, "message %u of %u: other bytes", pair->got, from);
    pair->got++;
    c->plan->kept[from] -= len < c->plan->kept[from] ? len : c->plan->kept[from];
    conform_finish(c, p);
}

static void conform_peer(void *self, struct party *p, party_t peer, enum peer_state state)
{
    struct conform *c = self;
    struct conform_pair *pair = &c->pairs[peer];
    if (state == PEER_UP && pair->up)
        party_fail(p, "%u was reported up twice", peer);
    if (state == PEER_DOWN && !pair->up)
        party_fail(p, "%u was reported down twice", peer);
    if (state == PEER_LOST && pair->lost)
        party_fail(p, "%u was reported lost twice", peer);
    c->report.ups += state == PEER_UP;
    c->report.downs += state == PEER_DOWN;
    c->report.restarts += state == PEER_RESTARTED;
    c->report.losses += state == PEER_LOST;
    if (state == PEER_RESTARTED)
        *pair = (struct conform_pair){0};
    pair->up = state == PEER_UP || state == PEER_RESTARTED;
    pair->met |= pair->up;
    pair->lost = state == PEER_LOST;
    if (pair->up && c->plan->oversize &&
        party_send(p, peer, (struct label){0}, c->buf, CHANNEL_MESSAGE_MAX) != ERR_TOO_BIG)
        party_fail(p, "a message above the limit was not refused");
    if (pair->up && !c->ticking)
        conform_pump_all(c, p);
    conform_finish(c, p);
}

static void conform_room(void *self, struct party *p, party_t peer)
{
    struct conform *c = self;
    if (!c->pairs[peer].blocked)
        return;
    c->pairs[peer].blocked = false;
    conform_pump(c, p, peer, c->plan->every ? 1 : UINT32_MAX);
    conform_finish(c, p);
}

static void conform_timer(void *self, struct party *p, unsigned timer)
{
    (void)timer;
    conform_pump_all(self, p);
}

static void conform_waiting(const void *self, const struct party *p, char *buf, size_t cap)
{
    const struct conform *c = self;
    size_t len = 0;
    buf[0] = 0;
    for (party_t i = 0; i < party_count(p) && len + 80 < cap; i++)
        if (i != party_self(p) && (c->pairs[i].got < conform_due(c, i) ||
                                   c->pairs[i].sent < conform_due(c, party_self(p))))
            len += (size_t)snprintf(buf + len, cap - len, "%u: sent %u%s, got %u; ", i,
                                    c->pairs[i].sent, c->pairs[i].blocked ? " (blocked)" : "",
                                    c->pairs[i].got);
}

static void conform_free(void *self)
{
    struct conform *c = self;
    free(c->buf);
}

static int conform_verify(const struct protocol_shape *shape, const void *plan,
                          const struct outcome *outcomes, struct err *e)
{
    (void)plan;
    for (uint32_t i = 0; i < shape->roster->n_parties; i++)
        if (outcomes[i].failure)
            return err_set(e, ERR_WRONG, "party %u: %s", i, outcomes[i].failure);
    return OK;
}

static const struct protocol_role conform_roles[] = {{.name = "peer"}, {0}};

static const struct protocol protocol_conform = {
    .name = "conform",
    .help = "numbered messages between all pairs",
    .roles = conform_roles,
    .size = sizeof(struct conform),
    .init = conform_init,
    .start = conform_start,
    .recv = conform_recv,
    .peer = conform_peer,
    .room = conform_room,
    .timer = conform_timer,
    .waiting = conform_waiting,
    .free = conform_free,
    .verify = conform_verify,
};

#endif
