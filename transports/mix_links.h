/* Links that a node dials to services (mixes, providers, the directory) and keeps: frames wait
 * in a bounded queue until their link takes them. A link that breaks is dialed again, with
 * back-off, when something waits for it, or at once and for ever if it is kept (mix_links_keep).
 * Their tags have MIX_LINK: a node gives none like that to the links that come to it.
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_LINKS_H
#define PARTYLINE_TRANSPORTS_MIX_LINKS_H

#include "transports/mix_net.h"

/* Frames, oldest first. */
struct mix_queue {
    struct mix_waiting {
        uint8_t *frame; /* owned */
        size_t len;
        struct packet_truth truth; /* as it came: env_truth */
    } * list;
    uint32_t at, n, cap;
};

/* A copy goes in, with env->truth (env may be NULL). OK; ERR_LIMIT: `most` are there; ERR_NOMEM. */
int mix_queue_add(struct mix_queue *, const struct env *, const uint8_t *frame, size_t len,
                  uint32_t most);
/* The oldest frame, handed over; there must be one. */
struct mix_waiting mix_queue_pop(struct mix_queue *);
/* Sends at most `most` on the link until it refuses. True: it did not. */
bool mix_queue_flush(struct mix_queue *, struct env *, link_t, uint32_t most);
void mix_queue_free(struct mix_queue *);

#define MIX_ANSWER_LIMIT (5 * NS_S)
#define MIX_LINK 0x40000000U
enum { MIX_QUEUE = 8192 }; /* frames that wait for one link, at most */

struct mix_link {
    struct mix_queue queue;
    link_t link; /* 0: none */
    ns_t at;     /* down: dial then; up: since */
    ns_t answer; /* a frame is expected by then; NS_NEVER: none is */
    uint16_t port;
    uint8_t fails;
    bool up, keep, greets, armed; /* greets: up only with mix_links_greet */
};

struct mix_links {
    struct mix_net *net;
    uint32_t timer;        /* first of `n` timers */
    uint32_t n;            /* services of the roster */
    struct mix_link *list; /* by service */
};

enum mix_happened { MIX_NOTHING, MIX_UP, MIX_FRAME, MIX_DOWN };

/* `timer`: the first of as many timers as the roster has services. OK or ERR_NOMEM. */
int mix_links_init(struct mix_links *, struct mix_net *, uint32_t timer);
void mix_links_free(struct mix_links *);
/* Dials the service and keeps the link. greets: nothing is sent before mix_links_greet. */
void mix_links_keep(struct mix_links *, party_t, uint16_t port, bool greets);
void mix_links_greet(struct mix_links *, party_t, const uint8_t *frame, size_t len);
/* A kept link that brings no frame within MIX_ANSWER_LIMIT is broken and dialed again. */
void mix_links_expect(struct mix_links *, party_t);
/* OK: sent, or will be; ERR_LIMIT: the queue is full: dropped and counted. */
int mix_links_send(struct mix_links *, party_t, uint16_t port, const uint8_t *frame, size_t len);
/* Frames that wait for the service's link. */
uint32_t mix_links_waiting(const struct mix_links *, party_t);
/* An event of one of these links or timers: what it was, and whose. False: of something else. */
bool mix_links_event(struct mix_links *, const struct event *, enum mix_happened *, party_t *);

#endif
