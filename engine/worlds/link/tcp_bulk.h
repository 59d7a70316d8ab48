/* A flow whose segments and acknowledgements are events: tcp.h says when and what.
 *
 * Both ends of one direction are in one struct, the sender's and the receiver's state beside each
 * other, and they share the records of what was sent (runs of segments): `state` is what the sender
 * believes of a run, `number` what is true at the receiver. The world carries news from one end to
 * the other by its own events: it gets them through struct tcp_io and calls tcp_bulk_arrive,
 * tcp_bulk_acked and tcp_bulk_wake when their time has come. Bytes are numbered from 0.
 */
#ifndef PARTYLINE_WORLDS_LINK_TCP_BULK_H
#define PARTYLINE_WORLDS_LINK_TCP_BULK_H

#include "engine/worlds/link/cubic.h"
#include "engine/worlds/link/tcp.h"

enum tcp_run_state { RUN_SENT, RUN_SACKED, RUN_LOST };

/* Segments that were sent together and have had the same fate so far; all but the last are full. */
struct tcp_run {
    struct tcp_run *next;
    uint64_t begin;
    ns_t sent;
    uint32_t bytes, segments;
    uint32_t number; /* when it arrived, counted from 1; 0: it has not */
    uint16_t refs;   /* arrivals under way, and 1 while unacknowledged */
    uint8_t state;
    bool again;    /* repeated */
    bool repeated; /* like ns-3: likewise, since the last timeout */
    bool gone;     /* lost, and not there by a repetition either */
};

struct tcp_ack {
    uint64_t next;   /* everything before is there */
    uint64_t edge;   /* what may be sent */
    uint32_t number; /* runs with numbers up to it are there as well */
    bool gap;        /* some are there behind a gap */
    ns_t echo;       /* the timestamp that comes back (RFC 7323): when that segment was sent */
};

/* What the world does for a flow. */
struct tcp_io {
    /* The run comes to the receiver's downlink at train->first: tcp_bulk_arrive then. */
    void (*carry)(struct tcp_flow *, struct tcp_run *, const struct link_train *);
    /* tcp_bulk_acked at that time. */
    void (*answer)(struct tcp_flow *, const struct tcp_ack *, ns_t at);
    /* tcp_bulk_wake at that time. */
    void (*wake)(struct tcp_flow *, ns_t at);
    /* Bytes from..to have come to the receiver without a gap, as so many segments: the first at
     * `first`, the last at `last`, which are not in the past. */
    void (*reach)(struct tcp_flow *, uint64_t from, uint64_t to, uint32_t segments, ns_t first,
                  ns_t last);
    /* Packets of the sender, or (acks) of the receiver, on the wire. */
    void (*count)(struct tcp_flow *, uint32_t bytes, uint32_t packets, bool again);
    void (*count_ack)(struct tcp_flow *, uint64_t next, ns_t at);
    /* A segment leaves. May be NULL. */
    void (*segment)(struct tcp_flow *, uint64_t begin, uint32_t bytes, ns_t left);
    void (*drop)(struct tcp_flow *, uint32_t bytes, enum drop, bool ack);
    /* An acknowledgement is owed (delayed, or the last one was lost), or no longer. */
    void (*owes)(struct tcp_flow *, bool);
    /* Data leave the sender: what it owes of the other direction goes along (tcp_bulk_piggyback).
     */
    void (*leaves)(struct tcp_flow *, ns_t now);
    void (*give_up)(struct tcp_flow *);
};

/* Of all flows of a world. */
struct tcp_net {
    const struct tcp_io *io;
    const struct tcp_spec *spec;
    const struct faults *faults;
    struct tcp_run *runs; /* free ones */
    struct tcp_bulk *bulks, *live;
    void *blocks;
    bool broken; /* no memory: the flow stalls, the world must end */
};

enum tcp_phase { TCP_OPEN, TCP_RECOVERY, TCP_LOSS };

struct tcp_bulk {
    struct tcp_net *net;
    struct link_host *from, *to;
    const struct link_path *back; /* of acknowledgements; lent */
    struct dice dice;
    struct loss ack_loss;
    struct cubic cc;

    uint64_t una, nxt, end, edge; /* acknowledged, sent, written, allowed */
    struct tcp_run *first, *last;
    uint32_t pipe; /* believed on their way: segments; like ns-3, bytes; so are prr_* and before */
    uint32_t out;  /* the most of them in this window, */
    uint64_t out_until;
    uint32_t dupacks;
    enum tcp_phase phase;
    uint64_t recover; /* the phase ends when this is acknowledged */
    uint32_t prr_delivered, prr_out, prr_flight, prr_window;
    ns_t srtt, rttvar;
    ns_t write_at;       /* like ns-3: what was written at once leaves together; 0: nothing was */
    uint64_t remembered; /* like ns-3: what lies before is not measured */
    uint32_t odd_bytes;  /* like ns-3: acknowledged, less than a segment, not counted yet */
    bool partial;        /* like ns-3: recovery has had a partial acknowledgement */
    bool recovering;     /* like ns-3: until `recover` is acknowledged, in whatever phase */
    unsigned backoff;
    bool probed;
    ns_t rto_at, probe_at, reorder_at, delack_at; /* 0: none */
    ns_t waiting_since, last_sent;
    struct tcp_run *calm; /* under way, sent in calm and adopted */
    uint32_t before;      /* sent in calm, and perhaps still on their way */
    ns_t before_until;
    ns_t wakes_at; /* 0: no event is under way */

    uint64_t got;  /* by the receiver without a gap */
    uint64_t said; /* of that, acknowledged; the acknowledgement may be lost */
    ns_t echo;
    uint64_t unread;      /* bytes of whole messages that its node has not been handed yet */
    struct tcp_run *hole; /* the first that is not there */
    uint32_t arrivals, owed, quick;
    bool missed;      /* the last acknowledgement was lost: data that go back say it again */
    uint32_t beyond;  /* runs behind a gap */
    uint32_t missing; /* runs that are gone */
    ns_t last_back;

    void *user;                 /* the world's, as are these: */
    void *parked, *parked_tail; /* messages that wait, and */
    uint64_t parked_from;       /* the first one's first byte */
    void *parked_calm;          /* the last of them that was sent in calm; NULL: none */
    bool stopped;
    struct tcp_flow *flow;
    struct tcp_bulk *next, **at; /* of those in use, or of the free ones */
};

void tcp_net_init(struct tcp_net *, const struct tcp_io *, const struct tcp_spec *,
                  const struct faults *);
void tcp_net_free(struct tcp_net *);

static inline bool tcp_bulk_busy(const struct tcp_flow *f)
{
    return f->bulk && f->bulk->una != f->bulk->end;
}
/* Segments that calm allows: 0 while something waits, or is missing. */
uint32_t tcp_bulk_room(struct tcp_flow *, ns_t at);
/* Makes the flow one that can be in bulk, if it is not yet; `back` is the way of its
 * acknowledgements (lent), dice theirs. NULL: no memory. */
struct tcp_bulk *tcp_bulk_begin(struct tcp_net *, struct tcp_flow *, struct link_host *from,
                                struct link_host *to, const struct link_path *back, struct dice);
/* Payload for the stream: at least a byte. */
void tcp_bulk_write(struct tcp_flow *, ns_t at, uint32_t payload);
void tcp_bulk_arrive(struct tcp_flow *, struct tcp_run *, const struct link_train *);
void tcp_bulk_acked(struct tcp_flow *, const struct tcp_ack *, ns_t now);
void tcp_bulk_wake(struct tcp_flow *, ns_t now);
/* A message of so many bytes is there, but its node may be busy; it has been handed it. */
void tcp_bulk_waits(struct tcp_flow *, uint32_t bytes);
void tcp_bulk_handed(struct tcp_flow *, uint32_t bytes, ns_t now);
/* The receiver sends data: what it owes goes along, and is no packet of its own. */
void tcp_bulk_piggyback(struct tcp_flow *, ns_t now);
/* Of what was sent in calm, so many bytes are under way, and the first of them may not find room at
 * the receiver's downlink: they become bytes of the stream, before those in bulk, sent at `sent`.
 * The world then brings each payload, when it comes to the downlink, to tcp_bulk_absorb, as long as
 * tcp_bulk_absorbs. */
void tcp_bulk_adopt(struct tcp_flow *, ns_t sent, uint32_t bytes, ns_t now);
static inline bool tcp_bulk_absorbs(const struct tcp_flow *f)
{
    return f->bulk && f->bulk->calm;
}
void tcp_bulk_absorb(struct tcp_flow *, ns_t sent, uint32_t payload, const struct link_train *);
/* The connection is over: nothing more is sent. */
void tcp_bulk_stop(struct tcp_flow *);
void tcp_bulk_free(struct tcp_flow *);

#endif
