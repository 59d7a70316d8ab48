/* Between the files that make up tcp_bulk.h; nobody else includes this. */
#ifndef PARTYLINE_WORLDS_LINK_TCP_INNER_H
#define PARTYLINE_WORLDS_LINK_TCP_INNER_H

#include "engine/worlds/link/tcp_bulk.h"

/* tcp_pool.c */
struct tcp_run *tcp_run_new(struct tcp_net *);
void tcp_run_unref(struct tcp_net *, struct tcp_run *);
/* The run keeps its first k segments; the rest becomes one behind it. NULL: no memory. */
struct tcp_run *tcp_run_split(struct tcp_bulk *, struct tcp_run *, uint32_t k);
/* Likewise its first bytes, any number of them, of a run that was sent in calm. */
struct tcp_run *tcp_run_cut(struct tcp_bulk *, struct tcp_run *, uint32_t bytes);
/* What is lost behind a lost run of one segment goes into that segment, as far as it fits. */
void tcp_run_collapse(struct tcp_bulk *, struct tcp_run *);
struct tcp_bulk *tcp_bulk_new(struct tcp_net *, struct tcp_flow *);

static inline void tcp_run_gone(struct tcp_bulk *b, struct tcp_run *r)
{
    b->missing += !r->gone && !r->number;
    r->gone = !r->number;
}
/* Bytes on the wire of the first k segments. */
static inline uint32_t tcp_run_wire(const struct tcp_run *r, uint32_t k)
{
    return (k < r->segments ? k * TCP_MSS : r->bytes) + k * TCP_HEADERS;
}
/* The window counts segments, and in ns-3 bytes: of so much payload; and of all segments. */
static inline uint32_t tcp_weight(const struct tcp_bulk *b, uint32_t segments, uint32_t bytes)
{
    return b->net->spec->like_ns3 ? bytes : segments;
}
static inline uint32_t tcp_weight_full(const struct tcp_bulk *b, uint32_t segments)
{
    return tcp_weight(b, segments, segments * TCP_MSS);
}
static inline uint32_t tcp_run_weight(const struct tcp_bulk *b, const struct tcp_run *r)
{
    return tcp_weight(b, r->segments, r->bytes);
}
/* When the i-th of n packets is there. */
static inline ns_t tcp_when(ns_t first, ns_t last, uint32_t i, uint32_t n)
{
    return n > 1 && i + 1 < n ? first + (last - first) / (ns_t)(n - 1) * (ns_t)i : last;
}

/* tcp_output.c */
/* Sends what the windows allow. */
void tcp_pump(struct tcp_flow *, ns_t now);
/* Likewise a segment, whatever the window: a lost one, else a new one, else the first again. */
void tcp_send_one(struct tcp_flow *, ns_t now);
/* Sends the run, again or for the first time; it may be split. */
void tcp_emit(struct tcp_flow *, struct tcp_run *, ns_t now);
/* Asks for a wake-up at the next time that anything is due. */
void tcp_schedule(struct tcp_flow *);
ns_t tcp_timeout(const struct tcp_bulk *);

/* tcp_acked.c: a round trip was measured (RFC 6298) */
void tcp_estimate(struct tcp_bulk *, ns_t rtt);

/* tcp_like_ns3.c */
void tcp_acked_like_ns3(struct tcp_flow *, const struct tcp_ack *, ns_t now);
void tcp_time_out_like_ns3(struct tcp_bulk *);

/* tcp_input.c: the receiver acknowledges what it owes */
void tcp_pay(struct tcp_flow *, ns_t at);

#endif
