/* What the simulator's files call of each other; its structs are in state.h. */
#ifndef PARTYLINE_WORLDS_SIM_INNER_H
#define PARTYLINE_WORLDS_SIM_INNER_H

#include "engine/worlds/sim/state.h"

/* sim.c (what every message needs stands below, inline) */
void sim_push_failed(struct sim *, struct sim_event *);
/* True if nothing happens before that time, or at it: then it is now. So what would be put in only
 * to come out next is spared the way. */
static inline bool sim_advance(struct sim *sim, ns_t at)
{
    if (at > sim->spec->limit || !queue_advance(&sim->queue, (uint64_t)at))
        return false;
    sim->now = at;
    return true;
}
/* An event for a node in its present life. */
void sim_post(struct sim_node *, enum sim_kind, uint32_t number, ns_t at);
/* The node whose roster entry has that address; NULL if none has. */
struct sim_node *sim_node_at(const struct sim *, const uint8_t ip[16]);

/* Zeroed but for its `len` bytes of data; NULL: no memory (sim->broken). */
static inline struct sim_event *sim_event_new(struct sim *sim, enum sim_kind kind, size_t len)
{
    uint8_t size_class;
    struct sim_event *e = slab_take(&sim->slab, sizeof *e + len, &size_class);
    if (!e) {
        sim->broken = ERR_NOMEM;
        return NULL;
    }
    *e = (struct sim_event){.kind = (uint8_t)kind, .size_class = size_class, .len = (uint32_t)len};
    return e;
}

/* ahead.c: what the next events will touch is fetched into a cache. With each event: */
void ahead_look(const struct queue *);
/* With a new run, to whose first ones nobody has looked ahead: */
void ahead_around(const struct queue *);

/* ops.c: what nodes may ask */
extern const struct env_ops sim_ops;

/* life.c: what happens to nodes */
void life_start(struct sim *, struct sim_node *);
/* by: the action that wants it; NULL: its store. */
void life_crash(struct sim *, struct sim_node *, const struct action *by);
void life_wake(struct sim *, struct sim_node *);
/* An action that is no crash or restart begins, or is over. */
void life_begin(struct sim *, const struct action *);
void life_over(struct sim *, const struct action *);
/* Hands the event to its node, now or when it is free. */
void life_offer(struct sim *, struct sim_event *);
void life_end(struct sim *, struct sim_node *);
void life_digest_flush(struct sim *);

/* links.c: the links of a node */
int links_take(struct sim *, struct sim_node *, struct sim_end *);
static inline struct sim_end *links_find(const struct sim_node *n, link_t link)
{
    uint32_t i = (link & ((1U << LINKS_SLOT_BITS) - 1)) - 1;
    if (n->recent && n->recent->link == link)
        return n->recent;
    return i < n->n_slots && n->slots[i].link == link ? n->slots[i].end : NULL;
}
/* Frees what the node keeps of its links. */
void links_free_slots(struct sim *, struct sim_node *);
/* The end is closed and its number free; it loses a reference. */
void links_release(struct sim *, struct sim_end *);
/* Its first end is that node's, with a number. NULL: no memory, or too many links. */
struct sim_conn *links_new(struct sim *, struct sim_node *, enum link_kind);
/* Frees a conn that nothing keeps. */
void links_forget(struct sim *, struct sim_conn *);
static inline void links_unref(struct sim *sim, struct sim_end *end)
{
    if (--end->refs == 0)
        links_forget(sim, sim_conn_of(end));
}
static inline void sim_event_free(struct sim *sim, struct sim_event *e)
{
    if (e->kind >= SIM_SYN && e->at.end)
        links_unref(sim, e->at.end);
    slab_give(&sim->slab, e, e->size_class);
}
/* Puts it in; with its end's conn kept. Takes it even if memory is out (sim->broken). */
static inline void sim_push(struct sim *sim, ns_t at, struct sim_event *e)
{
    if (e->kind >= SIM_SYN)
        e->at.end->refs++;
    if (queue_push(&sim->queue, (uint64_t)at, e) != OK)
        sim_push_failed(sim, e);
}
/* A port for what this node opens, from a range of its own. */
uint16_t links_port(struct sim_node *);
struct addr links_local(const struct sim_end *);
/* The address of an end as its peer sees it. */
struct addr links_seen(const struct sim *, const struct sim_end *);
/* How often this node has dialled (or sent a datagram to) that one, before. */
uint32_t links_number(struct sim *, struct sim_node *from, const struct sim_node *to);

/* wire.c, wire_bulk.c, wire_end.c: from one end of a stream to the other */
static inline bool wire_is_below(const struct sim_end *end)
{
    return end->kind != LINK_HANDOVER;
}
/* Bytes that a message is on the wire, without TCP's. */
static inline uint32_t wire_payload(const struct sim_end *end, uint32_t len)
{
    return end->kind == LINK_MESSAGE ? len + LINK_FRAME : len;
}
/* Bytes of the stream, of an event on its way: what carries none counts as one, as a FIN does. */
static inline uint32_t wire_length(const struct sim_event *ev)
{
    return ev->kind == SIM_DATA ? wire_payload(ev->at.end, ev->len) : 1;
}
static inline void wire_count(struct sim_node *n, uint32_t bytes, uint32_t packets)
{
    n->wire_bytes += bytes;
    n->wire_packets += packets;
}
/* A packet that TCP does not repeat by itself; false if it is lost. */
bool wire_signal(struct sim *, struct sim_end *from, enum sim_kind, ns_t at);
/* Payload, ACK or FIN: TCP repeats it until it gets through. Takes the event. */
void wire_deliver(struct sim *, struct sim_end *from, struct sim_event *, ns_t at,
                  uint32_t payload);
/* At the receiver's downlink: on to the host. */
void wire_stage(struct sim *, struct sim_event *);
/* Behind what waits for its bytes to be there: its flow is in bulk. Takes the event. */
void wire_park(struct sim *, struct sim_end *from, struct sim_event *, ns_t at);
/* What this end sent in calm may not find room in the peer's queue: it is in bulk from now on. */
void wire_adopt(struct sim *, struct sim_end *from, ns_t sent);
/* One of those messages comes to the downlink. Takes the event. */
void wire_absorb(struct sim *, struct sim_event *, const struct link_train *);
/* Its TCP gives it up at that time. */
void wire_give_up(struct sim *, struct sim_end *, ns_t at);
/* An end is open: it is probed when it is idle, if the scenario wants that. */
void wire_keep_alive(struct sim *, struct sim_end *);
void wire_probe(struct sim *, struct sim_event *);
/* From its new address it sends to a peer that knows no such connection: it is reset. */
void wire_come_back(struct sim *, struct sim_end *, ns_t at, uint32_t payload);
/* News of a flow in bulk (SIM_SEGMENTS, SIM_ACKED, SIM_BULK). */
void wire_bulk(struct sim *, struct sim_event *);
/* What this end has sent and is not there will never be: its connection is over. */
void wire_stop(struct sim *, struct sim_end *from);
/* This host has another address: its connections can neither send nor hear. */
void wire_sever(struct sim *, struct sim_node *);
/* Frees what a flow keeps. */
void wire_forget(struct sim *, struct sim_end *from);
extern const struct tcp_io wire_io;

/* stream.c */
int stream_send(struct sim *, struct sim_end *, const void *data, size_t len);
void stream_close(struct sim *, struct sim_end *);
/* The process is gone: RST. */
void stream_reset(struct sim *, struct sim_end *);
/* A packet that came to its host, or the host's own timer. */
void stream_event(struct sim *, struct sim_event *);
/* The data of this event have been handed over. */
void stream_handed_more(struct sim *, struct sim_event *);
static inline void stream_handed(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *from = sim_peer(ev->at.end);
    from->unread -= ev->len;
    if (ev->why || from->blocked)
        stream_handed_more(sim, ev);
}
/* Tells the other end that this connection is none. */
void stream_reset_peer(struct sim *, struct sim_end *);

/* dial.c: streams begin */
int dial_open(struct sim *, struct sim_node *, enum link_kind, struct addr to, link_t *out);
void dial_syn(struct sim *, const struct sim_event *);
/* It is time for the next SYN or SYN-ACK. */
void dial_time(struct sim *, struct sim_end *);
/* A SYN, SYN-ACK, refusal or RST that a full downlink has dropped. */
void dial_lost(struct sim *, struct sim_event *);

/* datagram.c */
int datagram_open(struct sim *, struct sim_node *, struct addr to, link_t *out);
void datagram_listen(struct sim *, struct sim_node *);
int datagram_send(struct sim *, struct sim_end *, struct addr to, const void *data, size_t len);
void datagram_close(struct sim *, struct sim_end *);
/* A datagram at its host's downlink, or past it. */
void datagram_event(struct sim *, struct sim_event *);
/* Of a SIM_FOUND: the address it came from, who sent it, and its data. */
struct addr datagram_from(const struct sim_event *);
uint32_t datagram_sender(const struct sim_event *);
const uint8_t *datagram_data(const struct sim_event *);

/* translate.c: addresses, and the boxes between hosts (link/nat.h) */
/* The node that packets to that address go to as things are, and the port there; NULL: none. */
struct sim_node *translate_target(struct sim *, enum nat_protocol, const struct addr *to, ns_t at,
                                  uint16_t *port);
/* Whose address that is or was; NULL: nobody's. */
struct sim_node *translate_owner(const struct sim *, const struct addr *);
/* The address of an end as its peer sees it. */
struct addr translate_seen(const struct sim *, const struct sim_end *);
struct nat_packet translate_packet(const struct sim *, const struct sim_end *from,
                                   enum nat_protocol, const struct addr *to);
/* Of a connection that is being dialled: maps its port; `seen` and `neighbours` are set. */
enum drop translate_dial(struct sim *, struct sim_end *, ns_t at);
/* A packet of a stream leaves for the other end: DROP_COUNT if the boxes of both let it pass. */
enum drop translate_stream(struct sim *, struct sim_end *from, enum nat_flag, ns_t at);

/* watch.c: who looks on */
int watch_init(struct sim *);
void watch_free(struct sim *);
void watch_event(struct sim *, const struct sim_node *, const struct sim_event *,
                 const struct event *);
void watch_show(struct sim *, const struct sim_node *, const struct shown *);
void watch_keep(struct sim *, const struct sim_node *, const struct retained *);
/* What observers see of a packet on its way, if sim->wants: a stream is dialled, or a message of
 * it leaves; SYN or DATA come to their host; a datagram leaves from the address `seen`, or comes.
 * Who sees something that leaves or comes gets its truth as well. */
void watch_dial(struct sim *, const struct sim_end *);
void watch_send(struct sim *, const struct sim_end *, size_t len);
void watch_come(struct sim *, const struct sim_event *);
void watch_send_to(struct sim *, const struct sim_end *, const struct addr *seen,
                   const struct addr *to, const struct sim_node *target, size_t len);
void watch_come_from(struct sim *, const struct sim_event *, const struct sim_node *from,
                     const struct sim_node *to, const struct addr *seen, const struct addr *at);
/* Who is at the other end of an event's link; PARTY_NONE if there is none, or nobody known. */
party_t watch_peer(const struct sim *, const struct sim_event *, const struct event *);
/* Counts a loss of what `from` sent; `to` may be NULL. */
void watch_drop(struct sim *, const struct sim_node *from, const struct sim_node *to,
                uint32_t bytes, enum drop);
void watch_world(struct sim *, const struct sim_node *, const char *what);
/* The fault is over: its recovery begins to count. */
void watch_fault_over(struct sim *, const struct action *);
void watch_crash(struct sim *, const struct sim_node *, const struct action *);
void watch_restart(struct sim *, const struct sim_node *);
int watch_score(struct sim *);

/* tap.c: packets for sim->tap, which is there */
void tap_signal(struct sim *, const struct sim_end *from, enum sim_kind, ns_t at);
/* What was given to TCP in calm: each segment as it leaves an uplink that is free at that time. */
void tap_sent(struct sim *, struct sim_end *from, const struct sim_event *, ns_t free,
              uint32_t payload);
/* Bytes of a flow in bulk leave as a segment; an acknowledgement of all before `next` leaves. */
void tap_segment(struct sim *, const struct sim_end *from, uint64_t begin, uint32_t bytes,
                 ns_t left);
void tap_ack(struct sim *, const struct sim_end *from, uint64_t next, ns_t at);
/* A message or a FIN came to this end's host, which acknowledges it. */
void tap_arrival(struct sim *, struct sim_end *, const struct sim_event *);
/* The node hears that its peer has closed: its own FIN, and what that is answered. */
void tap_hang_up(struct sim *, const struct sim_end *);
void tap_datagram(struct sim *, const struct sim_end *from, const struct sim_node *to,
                  const struct addr *, const void *data, uint32_t len);

/* report.c */
int report_outcomes(struct sim *);

#endif
