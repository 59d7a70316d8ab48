/* Two ends of transports/reliable.h and a scripted pipe between them: it loses, doubles, delays
 * and reorders, by dice. Time passes from event to event. */
#ifndef PARTYLINE_TESTS_RELIABLE_PIPE_H
#define PARTYLINE_TESTS_RELIABLE_PIPE_H

#include "transports/reliable.h"

#include <stdlib.h>
#include <string.h>

#ifndef PIPE_MOST
#define PIPE_MOST 20000 /* datagrams on their way to one end */
#endif

struct pipe_way {
    uint32_t loss_ppm, double_ppm;
    ns_t delay, jitter; /* a uniform draw up to it, for each datagram by itself */
    int64_t bytes_per_s;
    size_t queue; /* bytes in front of the bottleneck, above which datagrams are lost */
};

struct pipe_datagram {
    ns_t at;
    uint64_t order;
    uint8_t *bytes;
    size_t len;
};

struct pipe;

struct pipe_end {
    struct pipe *pipe;
    struct reliable r;
    struct dice tokens;
    ns_t tick; /* the earliest wish; NEVER: none */
    ns_t free; /* its bottleneck */
    struct pipe_datagram *coming;
    uint32_t n_coming;
    unsigned ups, downs, rooms;
    enum down_reason why;
    uint64_t got, wire, lost;
    bool reopen, dead; /* dead: hears nothing */
    void (*deliver)(struct pipe_end *, const uint8_t *, size_t);
    void (*room)(struct pipe_end *);
};

struct pipe {
    struct pipe_end end[2];
    struct pipe_way way[2]; /* from that end */
    ns_t now;
    uint64_t order;
    struct dice dice;
    /* May change a datagram on its way; false: it vanishes. */
    bool (*mangle)(struct pipe *, int from, uint8_t *bytes, size_t *len);
};

static inline void pipe_enter(struct pipe_end *to, ns_t at, const uint8_t *bytes, size_t len)
{
    struct pipe_datagram *d = &to->coming[to->n_coming];
    if (to->n_coming == PIPE_MOST)
        return;
    *d = (struct pipe_datagram){at, to->pipe->order++, malloc(len ? len : 1), len};
    if (!d->bytes)
        abort();
    memcpy(d->bytes, bytes, len);
    to->n_coming++;
}

static inline void pipe_output(void *ctx, const uint8_t *bytes, size_t len)
{
    struct pipe_end *from = ctx;
    struct pipe *p = from->pipe;
    int side = from == &p->end[1];
    struct pipe_way *way = &p->way[side];
    uint8_t copy[RELIABLE_DATAGRAM_MAX];
    ns_t at = p->now;
    memcpy(copy, bytes, len);
    from->wire += len;
    if (way->bytes_per_s) {
        ns_t wait = from->free > p->now ? from->free - p->now : 0;
        if ((uint64_t)wait * (uint64_t)way->bytes_per_s / 1000000000U > way->queue) {
            from->lost++;
            return;
        }
        from->free = p->now + wait + (ns_t)len * NS_S / way->bytes_per_s;
        at = from->free;
    }
    if (p->mangle && !p->mangle(p, side, copy, &len))
        return;
    for (int i = 0; i < 1 + dice_chance(&p->dice, way->double_ppm); i++)
        if (dice_chance(&p->dice, way->loss_ppm))
            from->lost++;
        else
            pipe_enter(&p->end[!side],
                       at + way->delay +
                           (way->jitter ? (ns_t)dice_below(&p->dice, (uint64_t)way->jitter) : 0),
                       copy, len);
}

static inline void pipe_deliver(void *ctx, const uint8_t *message, size_t len)
{
    struct pipe_end *e = ctx;
    e->got += len;
    if (e->deliver)
        e->deliver(e, message, len);
}
static inline void pipe_up(void *ctx)
{
    ((struct pipe_end *)ctx)->ups++;
}
static inline void pipe_down(void *ctx, enum down_reason why)
{
    struct pipe_end *e = ctx;
    e->downs++;
    e->why = why;
    if (e->reopen && why != DOWN_RESET)
        reliable_open(&e->r, e->pipe->now, dice_u64(&e->tokens));
}
static inline void pipe_room(void *ctx)
{
    struct pipe_end *e = ctx;
    e->rooms++;
    if (e->room)
        e->room(e);
}
static inline void pipe_wake(void *ctx, ns_t at)
{
    struct pipe_end *e = ctx;
    e->tick = at < e->tick ? at : e->tick;
}
static const struct reliable_ops pipe_ops = {.output = pipe_output,
                                             .deliver = pipe_deliver,
                                             .up = pipe_up,
                                             .down = pipe_down,
                                             .room = pipe_room,
                                             .wake = pipe_wake};

static inline void pipe_open(struct pipe_end *e)
{
    reliable_open(&e->r, e->pipe->now, dice_u64(&e->tokens));
}

/* Both ends set up, not open. setup NULL: the defaults. */
static inline void pipe_make(struct pipe *p, const struct reliable_setup *setup,
                             struct pipe_way way, uint64_t seed)
{
    *p = (struct pipe){.way = {way, way}, .dice = dice_name(seed, "pipe", 0, 0, 0)};
    for (int i = 0; i < 2; i++) {
        struct pipe_end *e = &p->end[i];
        struct reliable_setup s;
        reliable_defaults(&s, &pipe_ops, e);
        if (setup)
            s = *setup;
        s.ops = &pipe_ops;
        s.ctx = e;
        e->pipe = p;
        e->tick = NS_NEVER;
        e->tokens = dice_name(seed, "token", (uint64_t)i, 0, 0);
        e->coming = calloc(PIPE_MOST, sizeof *e->coming);
        if (!e->coming || reliable_init(&e->r, &s, NULL) != OK)
            abort();
    }
}

static inline void pipe_free(struct pipe *p)
{
    for (int i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < p->end[i].n_coming; k++)
            free(p->end[i].coming[k].bytes);
        free(p->end[i].coming);
        reliable_free(&p->end[i].r);
    }
}

/* One event at or before `until`; false: there is none. */
static inline bool pipe_step(struct pipe *p, ns_t until)
{
    struct pipe_end *who = NULL;
    uint32_t which = UINT32_MAX;
    uint64_t order = 0;
    ns_t at = until;
    for (int i = 0; i < 2; i++) {
        struct pipe_end *e = &p->end[i];
        if (e->tick < at || (e->tick == at && !who))
            at = e->tick, who = e, which = UINT32_MAX;
        for (uint32_t k = 0; k < e->n_coming; k++)
            if (e->coming[k].at < at ||
                (e->coming[k].at == at &&
                 (!who || (which != UINT32_MAX && e->coming[k].order < order)))) {
                at = e->coming[k].at, who = e, which = k;
                order = e->coming[k].order;
            }
    }
    if (!who)
        return false;
    p->now = at > p->now ? at : p->now;
    if (which == UINT32_MAX) {
        who->tick = NS_NEVER;
        reliable_tick(&who->r, p->now);
    } else {
        struct pipe_datagram d = who->coming[which];
        who->coming[which] = who->coming[--who->n_coming];
        if (!who->dead)
            reliable_input(&who->r, p->now, d.bytes, d.len);
        free(d.bytes);
    }
    return true;
}

static inline void pipe_run(struct pipe *p, ns_t until)
{
    while (pipe_step(p, until))
        ;
    p->now = until > p->now ? until : p->now;
}

#endif
