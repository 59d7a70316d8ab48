/* What the world ns3 has of ns-3: a clock, hosts with their access lines, TCP and UDP sockets.
 * Written in C's and C++'s common part; net.cc and net_socket.cc alone see ns-3's headers.
 *
 * Addresses are numbers: 10.0.0.0 + 1 + number in IPv4. A host's own is the host's number; greater
 * ones mean what the caller wants them to. A host's access line is a point-to-point link to a core
 * that is no router: what comes out of an uplink is shown to `core`, which says when it is to be at
 * the receiver's downlink, if ever, and to `arrives` there, which says whose downlink that is. Both
 * may rewrite its addresses and ports, as the NAT of an access router does.
 *
 * ns-3 has one simulation a process: net_new after net_free, never twice. Times are nanoseconds.
 * The functions of net_calls are called from inside of ns-3's TCP: they may note things, count,
 * and call net_at and net_now; whatever else they want they do in an event of their own.
 */
#ifndef PARTYLINE_WORLDS_NS3_NET_H
#define PARTYLINE_WORLDS_NS3_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NET_NOBODY UINT32_MAX /* no host, or no number of ours */

struct net_socket; /* a TCP connection; owned by net, valid until net_free */
struct net_port;   /* a bound UDP port; likewise */

struct net_line {
    uint64_t up_bps, down_bps; /* 0: so fast that it does not matter */
    int64_t latency;           /* one way */
    uint32_t loss_ppm;         /* of each packet, in each direction */
    uint32_t queue_bytes;      /* drop-tail, of each direction; 0: never full */
};

struct net_tcp {
    int64_t min_rto, delayed_ack;
    uint32_t initial_window, receive_window; /* segments; bytes */
    bool hystart;
};

/* Goes along with a datagram, and is no part of it. */
struct net_note {
    uint64_t words[10];
};

struct net_packet {
    uint32_t host;     /* whose uplink it came from; of a loss: whose queue never let it leave */
    uint32_t from, to; /* addresses */
    uint16_t from_port, to_port;
    uint32_t bytes; /* of the IP packet */
    bool tcp, syn, fin, rst;
    struct net_note note; /* of a datagram */
};

enum net_loss { NET_LOST, NET_QUEUE_FULL, NET_REFUSED, NET_NO_ROUTE };
enum net_event {
    NET_UP, /* of a socket that was dialled */
    NET_READABLE,
    NET_WRITABLE,
    NET_FINISHED, /* the peer has closed; all its data can be read */
    NET_RESET,
    NET_REFUSAL,
    NET_TIMEOUT
};

struct net_calls {
    /* The time of its arrival at the receiver's downlink; -1: it is lost (and counted). */
    int64_t (*core)(void *ctx, struct net_packet *);
    /* Then: the host that gets it; NET_NOBODY: it is lost (and counted). */
    uint32_t (*arrives)(void *ctx, struct net_packet *);
    void (*sent)(void *ctx, uint32_t host, uint32_t bytes); /* a packet leaves its host */
    void (*came)(void *ctx, const struct net_packet *); /* to its host's TCP or UDP; may be NULL */
    void (*lost)(void *ctx, const struct net_packet *, enum net_loss);
    void (*repeated)(void *ctx); /* a segment of data is sent again */
    void (*accepted)(void *ctx, uint32_t host, uint16_t port, struct net_socket *, uint32_t peer,
                     uint16_t peer_port);
    void (*happened)(void *ctx, void *user, enum net_event);
    void (*datagram)(void *ctx, void *user, struct net_port *, uint32_t from, uint16_t from_port,
                     const uint8_t *, size_t, const struct net_note *);
};

/* The seed is all the chance there is. */
void net_new(const struct net_calls *, void *ctx, const struct net_tcp *, const struct net_line *,
             uint32_t n_hosts, uint64_t seed);
void net_run(void); /* until net_stop, or nothing is left to happen */
void net_stop(void);
void net_free(void);

int64_t net_now(void);
/* Calls f at that time, not before now; equal times in the order in which they were asked for. */
void net_at(int64_t, void (*f)(void *), void *);

/* Connections to this port are accepted from now on, or no longer. Peers are addresses. */
void net_listen(uint32_t host, uint16_t port, bool);
struct net_socket *net_dial(uint32_t host, uint32_t to, uint16_t port, void *user);
void net_socket_user(struct net_socket *, void *user);
uint16_t net_socket_port(const struct net_socket *); /* its own */
size_t net_room(const struct net_socket *);          /* bytes that net_send takes now */
void net_send(struct net_socket *, const void *, size_t);
size_t net_read(struct net_socket *, void *, size_t cap);
size_t net_unread(const struct net_socket *); /* bytes that can be read now */
/* No event comes from it any more; what it was sent is still sent. */
void net_close(struct net_socket *);
/* The same, with an RST. */
void net_reset(struct net_socket *);

/* NULL: the port is taken. Port 0: any. `to` is an address. */
struct net_port *net_bind(uint32_t host, uint16_t port, void *user);
uint16_t net_port_number(const struct net_port *);
/* False: it is not sent. */
bool net_send_to(struct net_port *, uint32_t to, uint16_t port, const void *, size_t,
                 const struct net_note *);
void net_unbind(struct net_port *);

#ifdef __cplusplus
}
#endif
#endif
