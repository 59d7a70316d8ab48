/* A little world for TURN's tests: nodes on one wire without delay, UDP and TCP, time that the
 * test moves. Datagrams can be watched and swallowed. Included once a program. */
#ifndef PARTYLINE_TESTS_TURN_HUB_H
#define PARTYLINE_TESTS_TURN_HUB_H

#include "engine/metrics.h"
#include "transports/turn_wire.h"

#include <assert.h>
#include <stdlib.h>

enum { HUB_NODES = 8, HUB_LINKS = 512, HUB_QUEUE = 4096, HUB_TIMERS = 256 };

struct hub_link {
    bool used;
    uint32_t tag;
    enum link_kind kind;
    bool bound; /* a port's own */
    uint32_t node;
    uint16_t port;
    struct addr to;
    link_t peer; /* of a stream; 0: not yet, or gone */
};

struct hub_item {
    enum event_kind kind;
    enum down_reason why;
    link_t link;
    struct addr from;
    uint8_t *data;
    size_t len;
};

struct hub_node {
    struct env env;
    struct metrics metrics;
    const struct accept *accepts;
    uint16_t shared, next_port;
    struct {
        unsigned timer;
        ns_t at;
    } timers[HUB_TIMERS];
    size_t n_timers;
    uint32_t shows;
    struct shown shown[64];
};

static struct hub {
    struct hub_node nodes[HUB_NODES];
    uint32_t n;
    struct hub_link links[HUB_LINKS]; /* a link's number is its index plus one */
    struct hub_item queue[HUB_QUEUE];
    size_t head, tail;
    ns_t now;
    /* Sees every datagram; false: it is lost. */
    bool (*watch)(const struct addr *from, const struct addr *to, const uint8_t *, size_t);
    uint64_t datagrams, bytes;
} hub;

static inline struct hub_node *hub_of(struct env *env)
{
    return (struct hub_node *)(void *)env; /* its first member */
}

static inline uint32_t hub_index(struct env *env)
{
    return (uint32_t)(hub_of(env) - hub.nodes);
}

static inline void hub_push(struct hub_item item, const void *data, size_t len)
{
    assert((hub.tail + 1) % HUB_QUEUE != hub.head);
    item.data = len ? malloc(len) : NULL;
    item.len = len;
    if (len)
        memcpy(item.data, data, len);
    hub.queue[hub.tail] = item;
    hub.tail = (hub.tail + 1) % HUB_QUEUE;
}

static inline link_t hub_take(struct hub_link link)
{
    for (link_t i = 0; i < HUB_LINKS; i++)
        if (!hub.links[i].used) {
            link.used = true;
            hub.links[i] = link;
            return i + 1;
        }
    abort();
}

static inline struct hub_node *hub_at(const struct addr *a)
{
    for (uint32_t i = 0; i < hub.n; i++)
        if (turn_same_ip(&hub.nodes[i].env.self, a))
            return &hub.nodes[i];
    return NULL;
}

static inline struct addr hub_local(const struct hub_link *l)
{
    struct addr a = hub.nodes[l->node].env.self;
    a.port = l->port;
    return a;
}

static inline uint16_t hub_port(struct hub_node *n)
{
    return n->next_port++;
}

static inline int hub_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    static const struct addr nowhere;
    struct hub_node *n = hub_of(env), *target;
    struct hub_link link = {.kind = kind, .node = hub_index(env), .to = to};
    if (kind == LINK_DATAGRAM && addr_equal(&to, &nowhere)) {
        link.bound = true;
        link.port = hub_port(n);
    } else if (kind == LINK_DATAGRAM) {
        if (!n->shared)
            n->shared = hub_port(n);
        link.port = n->shared;
    } else {
        link.port = hub_port(n);
    }
    *out = hub_take(link);
    target = kind == LINK_BYTES ? hub_at(&to) : NULL;
    if (target && target->accepts) {
        struct hub_link other = {.kind = kind,
                                 .node = (uint32_t)(target - hub.nodes),
                                 .port = to.port,
                                 .to = hub_local(&hub.links[*out - 1]),
                                 .peer = *out};
        hub.links[*out - 1].peer = hub_take(other);
        hub_push((struct hub_item){.kind = EV_UP, .link = hub.links[*out - 1].peer}, NULL, 0);
    }
    hub_push((struct hub_item){.kind = EV_UP, .link = *out}, NULL, 0);
    return OK;
}

static inline int hub_send_to(struct env *env, link_t port, struct addr to, const void *data,
                              size_t len)
{
    struct hub_link *l = &hub.links[port - 1];
    struct addr from = hub_local(l);
    struct hub_node *target = hub_at(&to);
    link_t own = 0, exact = 0;
    (void)env;
    hub.datagrams++;
    hub.bytes += len;
    if (hub.watch && !hub.watch(&from, &to, data, len))
        return OK;
    for (link_t i = 0; target && i < HUB_LINKS; i++) {
        struct hub_link *k = &hub.links[i];
        if (!k->used || k->kind != LINK_DATAGRAM || &hub.nodes[k->node] != target ||
            k->port != to.port)
            continue;
        if (k->bound)
            own = i + 1;
        else if (addr_equal(&k->to, &from))
            exact = i + 1;
    }
    if (exact || own)
        hub_push((struct hub_item){.kind = EV_DATA, .link = exact ? exact : own, .from = from},
                 data, len);
    return OK;
}

static inline int hub_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct hub_link *l = &hub.links[link - 1];
    if (l->kind == LINK_DATAGRAM)
        return hub_send_to(env, link, l->to, data, len);
    if (!l->peer)
        return ERR_CLOSED;
    hub.bytes += len;
    hub_push((struct hub_item){.kind = EV_DATA, .link = l->peer}, data, len);
    return OK;
}

static inline void hub_close(struct env *env, link_t link)
{
    struct hub_link *l = &hub.links[link - 1];
    (void)env;
    assert(l->used);
    if (l->peer) {
        hub.links[l->peer - 1].peer = 0;
        hub_push((struct hub_item){.kind = EV_DOWN, .why = DOWN_CLOSED, .link = l->peer}, NULL, 0);
    }
    *l = (struct hub_link){0};
}

static inline void hub_tag(struct env *env, link_t link, uint32_t tag)
{
    (void)env;
    if (hub.links[link - 1].used)
        hub.links[link - 1].tag = tag;
}

static inline void hub_arm(struct env *env, unsigned timer, ns_t at)
{
    struct hub_node *n = hub_of(env);
    assert(n->n_timers < HUB_TIMERS && at >= env->now);
    n->timers[n->n_timers].timer = timer;
    n->timers[n->n_timers++].at = at;
}

static inline void hub_nothing(struct env *env)
{
    (void)env;
}

static inline void hub_show(struct env *env, const struct shown *shown)
{
    struct hub_node *n = hub_of(env);
    if (n->shows < 64)
        n->shown[n->shows] = *shown;
    n->shows++;
}

static const struct env_ops hub_ops = {.open = hub_open,
                                       .send = hub_send,
                                       .send_to = hub_send_to,
                                       .close = hub_close,
                                       .tag = hub_tag,
                                       .arm = hub_arm,
                                       .ready = hub_nothing,
                                       .done = hub_nothing,
                                       .show = hub_show};

/* A new wire, without nodes. */
static inline void hub_start(ns_t now)
{
    memset(&hub, 0, sizeof hub);
    hub.now = now;
}

/* 10.0.0.LAST, in the order of the calls. */
static inline struct env *hub_add(uint8_t last, const struct accept *accepts)
{
    struct hub_node *n = &hub.nodes[hub.n];
    char name[] = {(char)('a' + hub.n), 0};
    n->env = (struct env){.ops = &hub_ops,
                          .now = hub.now,
                          .self = {.ip = {[10] = 255, [11] = 255, 10, 0, 0, last}},
                          .metrics = &n->metrics};
    prng_name(&n->env.rng, 1, name, 0, "hub");
    n->accepts = accepts;
    n->next_port = 50000;
    hub.n++;
    return &n->env;
}

/* The node listens and begins. */
static inline void hub_boot(struct env *env, void (*event)(void *, const struct event *),
                            void *node)
{
    env->event = event;
    env->node = node;
    for (const struct accept *a = hub_of(env)->accepts; a && a->port; a++)
        if (a->kind == LINK_DATAGRAM)
            hub_push((struct hub_item){.kind = EV_UP,
                                       .link = hub_take((struct hub_link){.kind = LINK_DATAGRAM,
                                                                          .bound = true,
                                                                          .node = hub_index(env),
                                                                          .port = a->port})},
                     NULL, 0);
    env->event(env->node, &(struct event){.kind = EV_START});
}

static inline void hub_hand(const struct hub_item *item)
{
    struct hub_link *l = &hub.links[item->link - 1];
    struct hub_node *n = &hub.nodes[l->node];
    struct event ev = {.kind = item->kind,
                       .link_kind = l->kind,
                       .why = item->why,
                       .link = item->link,
                       .tag = l->tag,
                       .data = item->data,
                       .len = item->len};
    if (!l->used)
        return;
    ev.local = hub_local(l);
    ev.peer = l->bound ? item->from : l->to;
    if (item->kind == EV_DOWN)
        *l = (struct hub_link){0};
    if (n->env.event)
        n->env.event(n->env.node, &ev);
}

/* Until nothing is on the wire. */
static inline void hub_settle(void)
{
    while (hub.head != hub.tail) {
        struct hub_item item = hub.queue[hub.head];
        hub.head = (hub.head + 1) % HUB_QUEUE;
        hub_hand(&item);
        free(item.data);
    }
}

/* Time passes, timers fire in order. */
static inline void hub_advance(ns_t by)
{
    ns_t end = hub.now + by;
    for (;;) {
        struct hub_node *next = NULL;
        size_t which = 0;
        unsigned timer;
        hub_settle();
        for (uint32_t i = 0; i < hub.n; i++)
            for (size_t k = 0; k < hub.nodes[i].n_timers; k++)
                if (hub.nodes[i].timers[k].at <= end &&
                    (!next || hub.nodes[i].timers[k].at < next->timers[which].at)) {
                    next = &hub.nodes[i];
                    which = k;
                }
        if (next && next->timers[which].at > hub.now)
            hub.now = next->timers[which].at;
        if (!next)
            hub.now = end;
        for (uint32_t i = 0; i < hub.n; i++)
            hub.nodes[i].env.now = hub.now;
        if (!next)
            return;
        timer = next->timers[which].timer;
        next->timers[which] = next->timers[--next->n_timers];
        next->env.event(next->env.node, &(struct event){.kind = EV_TIMER, .timer = timer});
    }
}

static inline void hub_end(void)
{
    for (; hub.head != hub.tail; hub.head = (hub.head + 1) % HUB_QUEUE)
        free(hub.queue[hub.head].data);
}

#endif
