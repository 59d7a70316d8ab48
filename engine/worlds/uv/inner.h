/* Between the files of this folder alone. */
#ifndef PARTYLINE_WORLDS_UV_INNER_H
#define PARTYLINE_WORLDS_UV_INNER_H

#include "engine/worlds/uv/uvnode.h"

#include <stdlib.h>

enum { READ_SIZE = 65536 };

enum link_state { LINK_CONNECTING, LINK_OPEN, LINK_CLOSING };

struct uvport {
    uv_udp_t udp;
    struct uvnode *node;
    uint16_t number; /* as the node sees it */
    unsigned links;
    struct uvport *next;
};

struct uvbatch; /* uvwrite.c */

struct uvlink {
    struct uvnode *node;
    link_t id;
    uint32_t tag;
    enum link_kind kind;
    enum link_state state;
    struct addr local, peer; /* as the node sees them */
    struct uvlink *next;     /* of its port, or among those that close */
    /* streams */
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    uint8_t *buf; /* of a message that is not whole */
    size_t have, cap;
    bool blocked, ended;   /* ended: uv_close has been called */
    struct uvbatch *batch; /* what was sent in this turn of the loop; NULL: nothing */
    ns_t closed_at;
    /* datagrams */
    struct uvport *port;
    bool listener;
};

/* An event that an operation caused. */
struct uvlater {
    struct uvlater *next;
    enum event_kind kind;
    enum down_reason why;
    link_t link;
    bool done; /* no event: the node is done */
};

struct uvtimer {
    ns_t at;
    uint64_t order;
    unsigned number;
};

struct uvslot {
    struct uvlink *link;
    uint16_t generation;
};

struct uvlistener {
    uv_tcp_t tcp;
    struct uvnode *node;
    const struct accept *accept;
};

struct uvnode {
    struct uvnode_setup setup;
    struct env env;
    struct node *node;
    uv_timer_t clock, sweep;
    uv_idle_t idle;
    uv_prepare_t turn;
    struct uvlink *batches; /* links with one */
    unsigned handles;       /* that the loop still holds */
    bool dead, said_done;
    struct uvlater *later, **later_tail;
    struct uvtimer *timers; /* a heap */
    size_t n_timers, cap_timers;
    uint64_t orders;
    struct uvslot *slots;
    uint32_t n_slots, cap_slots, n_links, links_max, free_hint;
    struct uvlistener listeners[UVPLACE_ACCEPTS];
    struct uvport *ports, *shared_port;
    struct uvlink *closing;
    uint32_t n_closing, next_source;
    ns_t heard;
    struct sights *sights;
    struct packet_truth truth; /* of what it sends in this event, for setup.watch */
    uint64_t came;             /* messages that were given a number for it */
    uint8_t *read;
};

static inline struct uvnode *uvnode_of(struct env *env)
{
    return (struct uvnode *)(void *)((char *)env - offsetof(struct uvnode, env));
}

/* uvnode.c */
void uvnode_give(struct uvnode *, const struct event *);
void uvnode_later(struct uvnode *, enum event_kind, link_t, enum down_reason);
/* The loop holds one handle less. */
void uvnode_dropped(struct uvnode *);
struct uvlink *uvnode_link(struct uvnode *, link_t);
/* A new link with its number; NULL: too many. */
struct uvlink *uvnode_link_new(struct uvnode *, enum link_kind);
/* Its number is free; the struct stays the caller's. */
void uvnode_link_forget(struct uvlink *);
/* A further port of the node's own range, counting round. */
uint16_t uvnode_source(struct uvnode *);

/* uvstream.c */
int uvstream_listen(struct uvnode *, unsigned k, const struct accept *, struct err *);
int uvstream_open(struct uvnode *, enum link_kind, struct addr to, link_t *out);
void uvstream_close(struct uvlink *);
/* Of its own accord: the node hears of it, unless it has closed the link. */
void uvstream_down(struct uvlink *, enum down_reason);
/* At once, with what is queued. */
void uvstream_end(struct uvlink *);
void uvstream_sweep(struct uvnode *, ns_t now);
enum down_reason uvstream_reason(int rc);

/* uvwrite.c */
int uvstream_send(struct uvlink *, const void *, size_t);
/* Bytes that are not on their way yet. */
size_t uvwrite_waiting(const struct uvlink *);
/* What was sent leaves now, or never. */
void uvwrite_flush(struct uvlink *);
void uvwrite_forget(struct uvlink *);
void uvwrite_init(struct uvnode *);

/* uvframe.c */
void uvframe_take(struct uvlink *, const uint8_t *, size_t);
/* To the node. False: the link is over. */
bool uvframe_hand_over(struct uvlink *, const uint8_t *, size_t);

/* uvtimer.c */
void uvtimer_arm(struct uvnode *, unsigned timer, ns_t at);

/* uvdgram.c */
int uvdgram_listen(struct uvnode *, unsigned k, const struct accept *, struct err *);
int uvdgram_open(struct uvnode *, struct addr to, link_t *out);
int uvdgram_send(struct uvlink *, struct addr to, const void *, size_t);
void uvdgram_close(struct uvlink *);
void uvdgram_end(struct uvnode *);

/* uvsight.c */
int uvsight_init(struct uvnode *);
void uvsight_free(struct uvnode *);
void uvsight_event(struct uvnode *, const struct event *);
/* What this node sent, or opened a link with: a foreign server has no other way to be watched. */
void uvsight_sent(struct uvnode *, const struct addr *to, bool datagram, size_t len);
/* What this node sends as it sees it itself. on_stream: 0 for a datagram. */
void uvsight_out(struct uvnode *, const struct addr *from, const struct addr *to, size_t len,
                 uint32_t on_stream);
void uvsight_show(struct uvnode *, const struct shown *);
void uvsight_keep(struct uvnode *, const struct retained *);

#endif
