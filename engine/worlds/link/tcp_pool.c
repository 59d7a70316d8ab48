#include "engine/worlds/link/tcp_inner.h"

#include <stdlib.h>

enum { BLOCK = 1 << 14 };

struct block {
    struct block *next;
    max_align_t data[];
};

void tcp_net_init(struct tcp_net *net, const struct tcp_io *io, const struct tcp_spec *spec,
                  const struct faults *faults)
{
    *net = (struct tcp_net){.io = io, .spec = spec, .faults = faults};
}

void tcp_net_free(struct tcp_net *net)
{
    while (net->blocks) {
        struct block *b = net->blocks;
        net->blocks = b->next;
        free(b);
    }
    *net = (struct tcp_net){0};
}

static void *more(struct tcp_net *net)
{
    struct block *b = malloc(sizeof *b + BLOCK);
    if (!b) {
        net->broken = true;
        return NULL;
    }
    b->next = net->blocks;
    net->blocks = b;
    return b->data;
}

struct tcp_run *tcp_run_new(struct tcp_net *net)
{
    struct tcp_run *r;
    if (!net->runs) {
        r = more(net);
        for (size_t i = 0; r && i < BLOCK / sizeof *r; i++) {
            r[i].next = net->runs;
            net->runs = &r[i];
        }
    }
    r = net->runs;
    if (!r)
        return NULL;
    net->runs = r->next;
    *r = (struct tcp_run){.refs = 1};
    return r;
}

void tcp_run_unref(struct tcp_net *net, struct tcp_run *r)
{
    if (--r->refs)
        return;
    r->next = net->runs;
    net->runs = r;
}

struct tcp_run *tcp_run_split(struct tcp_bulk *b, struct tcp_run *r, uint32_t k)
{
    struct tcp_run *rest = tcp_run_new(b->net);
    if (!rest)
        return NULL;
    rest->begin = r->begin + (uint64_t)k * TCP_MSS;
    rest->bytes = r->bytes - k * TCP_MSS;
    rest->segments = r->segments - k;
    rest->sent = r->sent;
    rest->state = r->state;
    rest->again = r->again;
    rest->repeated = r->repeated;
    rest->number = r->number;
    rest->gone = r->gone;
    b->missing += r->gone;
    b->beyond += r->number && r->begin >= b->got;
    rest->next = r->next;
    r->next = rest;
    r->bytes = k * TCP_MSS;
    r->segments = k;
    if (b->last == r)
        b->last = rest;
    return rest;
}

struct tcp_run *tcp_run_cut(struct tcp_bulk *b, struct tcp_run *r, uint32_t bytes)
{
    struct tcp_run *rest = tcp_run_new(b->net);
    if (!rest)
        return NULL;
    b->pipe -= r->state == RUN_SENT ? tcp_run_weight(b, r) : 0;
    *rest = *r;
    rest->begin += bytes;
    rest->bytes -= bytes;
    rest->segments = tcp_segments(rest->bytes);
    r->next = rest;
    r->bytes = bytes;
    r->segments = tcp_segments(bytes);
    b->pipe += r->state == RUN_SENT ? tcp_run_weight(b, r) + tcp_run_weight(b, rest) : 0;
    if (b->last == r)
        b->last = rest;
    return rest;
}

/* Nothing of the run is under way, or can ever arrive by itself. */
static bool can_collapse(const struct tcp_run *r)
{
    return r->state == RUN_LOST && r->gone && !r->repeated && r->refs == 1;
}

void tcp_run_collapse(struct tcp_bulk *b, struct tcp_run *r)
{
    struct tcp_run *next;
    while (r->segments == 1 && can_collapse(r) && (next = r->next) && can_collapse(next) &&
           r->bytes + next->bytes <= TCP_MSS) {
        r->bytes += next->bytes;
        r->next = next->next;
        if (b->last == next)
            b->last = r;
        b->missing--;
        tcp_run_unref(b->net, next);
    }
}

struct tcp_bulk *tcp_bulk_new(struct tcp_net *net, struct tcp_flow *f)
{
    struct tcp_bulk *b;
    if (!net->bulks) {
        b = more(net);
        for (size_t i = 0; b && i < BLOCK / sizeof *b; i++) {
            b[i].next = net->bulks;
            net->bulks = &b[i];
        }
    }
    b = net->bulks;
    if (!b)
        return NULL;
    net->bulks = b->next;
    *b = (struct tcp_bulk){.net = net, .flow = f, .next = net->live, .at = &net->live};
    if (b->next)
        b->next->at = &b->next;
    net->live = b;
    f->bulk = b;
    return b;
}

static void let_go(struct tcp_bulk *b)
{
    while (b->first) {
        struct tcp_run *r = b->first;
        b->first = r->next;
        tcp_run_unref(b->net, r);
    }
    b->last = b->hole = NULL;
}

void tcp_bulk_stop(struct tcp_flow *f)
{
    struct tcp_bulk *b = f->bulk;
    if (!b || b->stopped)
        return;
    let_go(b);
    b->calm = NULL;
    b->una = b->nxt = b->end;
    b->pipe = 0;
    b->rto_at = b->probe_at = b->reorder_at = b->delack_at = b->write_at = 0;
    b->stopped = true;
}

void tcp_bulk_free(struct tcp_flow *f)
{
    struct tcp_bulk *b = f->bulk;
    if (!b)
        return;
    let_go(b);
    *b->at = b->next;
    if (b->next)
        b->next->at = b->at;
    b->next = b->net->bulks;
    b->net->bulks = b;
    f->bulk = NULL;
}
