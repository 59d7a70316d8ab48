/* The client of the transport `relay`, run by every party: relay.h says what it does.
 *
 * Timers, from setup.timer_base on: 0 what the stage waits for, 1 keep-alive.
 */
#ifndef PARTYLINE_TRANSPORTS_RELAY_CLIENT_H
#define PARTYLINE_TRANSPORTS_RELAY_CLIENT_H

#include "transports/relay.h"

enum relay_client_stage {
    RELAY_CLIENT_IDLE,    /* dials at `at` */
    RELAY_CLIENT_DIALING, /* until `at` */
    RELAY_CLIENT_SHAKING, /* until `at` */
    RELAY_CLIENT_OPEN     /* since `at` */
};

struct relay_peer {
    int64_t credit; /* bytes that the relay still takes for it */
    bool up, blocked;
};

struct relay_choice {
    party_t id;
    link_t link; /* while DIALING; 0: none */
    bool trusted;
};

struct relay_client {
    struct transport_setup setup;
    struct noiselink_self self;
    struct noiselink home;
    uint8_t stage;          /* enum relay_client_stage */
    bool full;              /* the link refused; EV_ROOM follows */
    bool pong;              /* is owed */
    uint32_t watched, turn; /* peers told of by WATCH; whose turn it is to have room */
    uint32_t n_blocked;
    struct relay_peer *peers; /* as setup.peers */
    struct relay_choice *relays;
    uint32_t n_relays, dials; /* dials: links that got to a handshake, in this life */
    unsigned fails;
    ns_t at, heard, said, alive_at;
};

int relay_client_init(void *self, const struct transport_setup *, struct err *);
int relay_client_send(void *self, party_t to, const void *data, size_t len);
void relay_client_event(void *self, const struct event *);
void relay_client_free(void *self);

#endif
