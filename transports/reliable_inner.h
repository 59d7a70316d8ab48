/* What the parts of the reliable layer tell each other: reliable.c (life, sessions, time),
 * reliable_out.c (what is sent), reliable_loss.c (what became of it), reliable_in.c (what is
 * received). */
#ifndef PARTYLINE_TRANSPORTS_RELIABLE_INNER_H
#define PARTYLINE_TRANSPORTS_RELIABLE_INNER_H

#include "transports/reliable.h"

struct reliable_segment {
    uint64_t offset, transmission; /* its last one */
    ns_t sent_at;
    uint32_t len;
    bool acked, lost;
};

/* Received bytes from .. to of the peer's stream, beyond `next`. */
struct reliable_range {
    uint64_t from, to;
};

/* An acknowledgement; its ranges stay in the datagram. */
struct reliable_ack {
    uint64_t largest, next;
    uint32_t delay_us, duplicates, window;
    uint32_t n;
    const uint8_t *ranges; /* n times gap u32, len u32 */
};

/* ---- reliable_in.c ---- */

/* Room for n bytes behind `len`, within `most` in all. OK or ERR_NOMEM. */
int stretch_room(struct reliable_stretch *, size_t n, size_t most);
/* Forgets the first n bytes. */
void stretch_drop(struct reliable_stretch *, size_t n);
/* Forgets all; the bytes themselves stay where they are for now. */
void stretch_clear(struct reliable_stretch *);

void in_begin(struct reliable *);
/* OK, ERR_LIMIT (beyond the window), ERR_NOMEM. */
int in_segment(struct reliable *, ns_t now, uint64_t offset, const uint8_t *data, size_t len);
/* Hands over the messages that are whole. OK; ERR_CLOSED: a callback ended the session;
 * ERR_TOO_BIG: the peer's next message is. */
int in_deliver(struct reliable *);
void in_note(struct reliable *, ns_t now, uint64_t transmission);
/* Writes an acknowledgement into at most `room` bytes; its length. */
size_t in_ack(const struct reliable *, ns_t now, uint8_t *out, size_t room);

/* ---- reliable_out.c ---- */

void out_begin(struct reliable *, ns_t now);
/* A datagram without parts: a hello or, with RELIABLE_CLOSE, an end. */
void out_bare(struct reliable *, uint8_t flags, uint64_t to);
/* Sends what window and pace allow. */
void out_flush(struct reliable *, ns_t now);
void out_ack(struct reliable *, ns_t now);
void out_ping(struct reliable *, ns_t now);
/* Sends the first unacknowledged segment again; false: there is none. */
bool out_probe(struct reliable *, ns_t now);
/* When out_flush would send more, if only the pace stops it; else NS_NEVER. */
ns_t out_paced(const struct reliable *);

/* ---- reliable_loss.c ---- */

static inline struct reliable_segment *loss_segment(const struct reliable *r, uint32_t i)
{
    return &r->ring[(r->ring_at + i) & (r->ring_cap - 1)];
}
/* What a segment takes of the window. */
static inline size_t loss_cost(const struct reliable_segment *s)
{
    return s->len + RELIABLE_DATA_HEADER;
}
void loss_begin(struct reliable *);
/* Speaks it of nothing but what was sent? */
bool loss_ack_fits(const struct reliable *, const struct reliable_ack *);
void loss_ack(struct reliable *, ns_t now, const struct reliable_ack *);
/* Judges what is overdue by order or time. */
void loss_judge(struct reliable *, ns_t now);
/* When the RTO expires; NS_NEVER: nothing is waited for. */
ns_t loss_rto_at(const struct reliable *);
void loss_rto(struct reliable *, ns_t now);

#endif
