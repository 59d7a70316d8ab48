/* The transport `mix`: Sphinx packets through a mix network (Piotrowska et al., "The Loopix
 * Anonymity System", USENIX Security 2017). Nobody learns who computes with whom.
 *
 *   client -> its provider -> mix 1 .. mix L -> the receiver's provider -> receiver
 *
 * A packet has L + 2 Sphinx hops: the mixes, the receiver's provider (which stores it until the
 * receiver is there) and the receiver. The sender's provider only passes it on. Each packet
 * takes a route of its own. Services of role `user` are clients who have nobody to talk to: with
 * cover (below) they are the crowd that others hide in. Client i's provider (parties first, then
 * users) is the (i mod n)-th of the n providers, mix j
 * stands in layer j mod L (both in the roster's order), so everybody can tell.
 *
 * Frames, each one message of a LINK_MESSAGE; integers little-endian; every packet of a network
 * has one size:
 *   PACKET    = 1 | epoch u32 | next u32 | Sphinx packet    next: the node that shall have it
 *   CHALLENGE = 2 | nonce 16                                provider to client, at once
 *   HELLO     = 3 | version u8 | party u32 | signature 64   of nonce and the provider's id u32
 *   PULL      = 4                                           client to provider: option `poll`
 *   PUBLISH   = 5 | descriptor                              to the directory: mix_directory.h
 *   GET       = 6                                           asks for documents from now on
 *   DOCUMENT  = 7 | document
 * and in a packet's body:
 *   payload   = kind u8 | sender u32 | time of sending u64 | datagram    (of transports/reliable.h)
 *
 * Keys. With a `directory` in the scenario mixes and providers make a key an epoch, which the
 * directory publishes; the packet names its epoch, and a hop takes the present, the last and the
 * next. Without one the roster serves: the nodes' static keys, for ever. Clients are always
 * addressed by their static key. With `channel: none` nobody has keys, and with `crypto:
 * modelled` nothing is computed: then a packet carries its route, its delays and its body in the
 * clear, in the same size and the same way.
 *
 * Who learns what: a provider its own clients' addresses and who they are; the directory, if
 * there is one, the addresses that ask it, not whose they are; a mix its neighbours; a party no
 * address of another party. Nobody learns who computes with whom.
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_H
#define PARTYLINE_TRANSPORTS_MIX_H

#include "engine/crypto/identity.h"
#include "engine/crypto/sphinx.h"
#include "engine/transport.h"

enum {
    MIX_PORT = 7200,           /* packets between nodes */
    MIX_CLIENT_PORT = 7201,    /* providers: their clients */
    MIX_DIRECTORY_PORT = 7202, /* the directory */
    MIX_VERSION = 1,
    MIX_HEAD = 9, /* of a PACKET frame */
    MIX_NONCE = 16,
    MIX_HELLO_SIZE = 6 + IDENTITY_SIGNATURE,
    MIX_FRAME_MAX = MIX_HEAD + SPHINX_HEADER_MAX + SPHINX_PAYLOAD_MAX,
    MIX_PAYLOAD_HEAD = 13,
    MIX_MESSAGE_MAX = LINK_MESSAGE_MAX - 1
};
_Static_assert((int)MIX_FRAME_MAX <= (int)LINK_MESSAGE_MAX, "a packet is one message");

enum mix_frame {
    MIX_PACKET = 1,
    MIX_CHALLENGE,
    MIX_HELLO,
    MIX_PULL,
    MIX_PUBLISH,
    MIX_GET,
    MIX_DOCUMENT
};

enum mix_payload { MIX_DATA, MIX_LOOP, MIX_DROP };

enum mix_topology { MIX_STRATIFIED, MIX_CASCADE, MIX_FREE_ROUTE };

struct mix_opts {
    int64_t layers, topology, max_hops, payload;
    int64_t strategy, mean_delay, threshold, interval, keep;
    int64_t payload_every, loop_every, drop_every, mix_loop_every, constant; /* cover; 0: none */
    int64_t poll, poll_batch, mailbox, held, tags;
    int64_t epoch;
    int64_t backoff_min, backoff_max;
    int64_t lies, lie_rate, lie_period; /* enum mix_lie; ppm; of transports/mix_lies.h */
    const char *lie_to;                 /* NULL: the first party */
};
extern const struct opt mix_opts[];

/* Truth of what is in hand, for who passes it on later. */
static inline struct packet_truth mix_truth(const struct env *env)
{
    return env && env->truth ? *env->truth : (struct packet_truth){0};
}
static inline void mix_truth_again(struct env *env, const struct packet_truth *truth)
{
    if (env->truth)
        *env->truth = *truth;
}

int mix_check(const struct transport_shape *, struct err *);

/* The roles; each file says what it does. A state is one pointer. */
int mix_client_init(void *self, const struct transport_setup *, struct err *);
int mix_client_send(void *self, party_t to, const void *data, size_t len);
void mix_client_event(void *self, const struct event *);
void mix_client_free(void *self);

int mix_hop_init(void *self, const struct transport_setup *, struct err *);
void mix_hop_event(void *self, const struct event *);
void mix_hop_free(void *self);

int mix_provider_init(void *self, const struct transport_setup *, struct err *);
void mix_provider_event(void *self, const struct event *);
void mix_provider_free(void *self);

int mix_directory_init(void *self, const struct transport_setup *, struct err *);
void mix_directory_event(void *self, const struct event *);
void mix_directory_free(void *self);

#endif
