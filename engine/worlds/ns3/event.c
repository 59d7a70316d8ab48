/* What awaits its time, and its node. */
#include "engine/worlds/ns3/inner.h"

struct ns3_event *event_new(struct ns3_node *n, enum ns3_kind kind, size_t len)
{
    struct ns3 *w = n->w;
    struct ns3_event *e = malloc(sizeof *e + len);
    if (!e) {
        ns3_break(w, ERR_NOMEM);
        return NULL;
    }
    *e = (struct ns3_event){.node = n, .kind = kind, .life = n->life, .len = len};
    e->after = w->events;
    if (w->events)
        w->events->before = e;
    w->events = e;
    return e;
}

void event_free(struct ns3_event *e)
{
    if (e->after)
        e->after->before = e->before;
    if (e->before)
        e->before->after = e->after;
    else
        e->node->w->events = e->after;
    free(e);
}

void event_lost(struct ns3_event *e)
{
    struct ns3_node *n = e->node;
    if (e->kind == TELL_DATAGRAM)
        witness_drop(n->w, e->origin.sender, n->id, (uint32_t)e->len, DROP_LINK_CLOSED);
    else if (e->kind == DO_SEND_TO)
        witness_drop(n->w, n->id, PARTY_NONE, (uint32_t)e->len, DROP_LINK_CLOSED);
    event_free(e);
}

static bool busy(const struct ns3_node *n)
{
    return n->paused || n->busy_until > n->w->now;
}

/* False: it has to wait for the rest. */
static bool hand(struct ns3_event *e)
{
    struct event ev = {.kind = e->kind == TELL_GO ? EV_GO : EV_TIMER, .timer = e->number};
    if (e->kind > TELL_TIMER)
        return hand_event(e);
    host_give(e->node, NULL, NULL, &ev, ev.timer);
    return true;
}

static void wake(void *node);

void event_await(struct ns3_node *n)
{
    if (n->waiting && !n->paused)
        net_at(n->busy_until > n->w->now ? n->busy_until : n->w->now, wake, n);
}

static void wake(void *node)
{
    struct ns3_node *n = node;
    n->w->now = net_now();
    while (n->waiting && !busy(n) && n->w->n_done < n->w->n_parties) {
        struct ns3_event *e = n->waiting;
        uint32_t life = n->life;
        if (!hand(e))
            break;
        if (n->life != life)
            return;
        n->waiting = e->next;
        if (!n->waiting)
            n->waiting_tail = &n->waiting;
        event_free(e);
    }
    event_await(n);
}

/* Hands it to its node, now or when it is free. */
static void offer(struct ns3_event *e)
{
    struct ns3_node *n = e->node;
    uint32_t life = n->life;
    bool idle = !n->waiting;
    if (idle && !busy(n) && hand(e)) {
        event_free(e);
        return;
    }
    if (n->life != life) {
        event_lost(e);
        return;
    }
    e->next = NULL;
    if (idle)
        n->waiting_tail = &n->waiting;
    *n->waiting_tail = e;
    n->waiting_tail = &e->next;
    if (idle)
        event_await(n);
}

static void fire(void *event)
{
    struct ns3_event *e = event;
    struct ns3_node *n = e->node;
    n->w->now = net_now();
    if (e->life != n->life || !n->alive) {
        event_lost(e);
    } else if (e->kind <= DO_CLOSE) {
        conn_do(e);
        event_free(e);
    } else {
        offer(e);
    }
}

void event_post(struct ns3_event *e, ns_t at)
{
    net_at(at, fire, e);
}

void event_simple(struct ns3_node *n, struct ns3_end *end, enum ns3_kind kind, uint32_t number,
                  ns_t at)
{
    struct ns3_event *e = event_new(n, kind, 0);
    if (!e)
        return;
    e->end = end;
    e->number = number;
    event_post(e, at);
}
