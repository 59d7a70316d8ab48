/* The three roles of web_mpc as their files share them; nobody else includes this. */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_INNER_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_INNER_H

#include "engine/protocols/web_mpc/batch.h"
#include "engine/protocols/web_mpc/messages.h"
#include "engine/store.h"

/* ---- input party ---------------------------------------------------------------------------- */

/* Store: "counter": the counter last used (4), the one last acknowledged (4). */
struct submitter {
    const struct plan *plan;
    const struct input *input;
    uint32_t rank, counter, acknowledged;
    uint8_t *pending; /* SUBMIT until its ACK: sent again, it is the same bytes */
    uint8_t key[BOX_KEY];
    bool has_key, unsent, over;
};

/* An absent party takes this, its node's own and, at the server, a slot and a channel. */
_Static_assert(sizeof(struct submitter) <= 96, "memory of an absent party");

int submitter_init(struct submitter *, struct party *, const struct plan *, const struct input *,
                   struct err *);
void submitter_start(struct submitter *, struct party *);
void submitter_recv(struct submitter *, struct party *, uint32_t kind, const uint8_t *, size_t);
void submitter_peer(struct submitter *, struct party *, enum peer_state);
void submitter_room(struct submitter *, struct party *);
enum { SUBMITTER_AGAIN, SUBMITTER_LEAVES };
void submitter_timer(struct submitter *, struct party *, unsigned timer);
void submitter_waiting(const struct submitter *, char *buf, size_t cap);
void submitter_free(struct submitter *);

/* SUBMIT for the party's counter; bits and squares as the attack wants them. For tests too. */
int submitter_make(struct submitter *, struct party *, uint32_t counter, uint8_t *out);

/* ---- server --------------------------------------------------------------------------------- */

enum owe { OWE_NOTHING, OWE_KEY, OWE_ACK, OWE_REFUSAL };

/* What the server has in memory of someone invited; the submission is in the store. */
struct slot {
    uint32_t counter;
    uint8_t owe, refusal;
    bool waits; /* for the session to be open: gets KEY then */
};

_Static_assert(sizeof(struct slot) == 8, "memory for an absent party");

/* Store: "session": state (1), key (32), signature (64), max_parties (4), salt (16), hash of the
 * password (32). "t" and a token's id (4): counter (4), cohort (4), hash of the share (32), box
 * (80), the share at rest: one put replaces all of a submission. "challenge" (32). "valid": hash
 * of what was verified (32). "published": the aggregates given out (4 each). */
struct server {
    const struct plan *plan;
    struct slot *slots;
    uint32_t n_submitted, max_parties;
    enum session session;
    uint8_t key[BOX_KEY], signature[BOX_SIGNATURE], salt[BOX_SALT], password[BOX_HASH];
    uint8_t rest_key[BOX_KEY], ticket[BOX_ID];
    bool has_ticket;
    struct keypair middle; /* man_in_the_middle's */
    uint8_t *record;       /* room for one */
    size_t record_len;
    uint8_t *reply; /* to the analyst, until it is sent */
    size_t reply_len, reply_cap;
    uint32_t reply_kind;
    /* closing */
    struct batch batch;
    struct totals totals;
    struct snip_query query;
    bool has_query, opened, fetched;
    uint32_t first, next;    /* the chunk; what is before `first` is counted */
    uint8_t valid[BOX_HASH]; /* chained hash of what is counted */
};

enum {
    RECORD_HEAD = 8 + BOX_HASH + BOX_LEN,
    SESSION_LEN = 1 + BOX_KEY + BOX_SIGNATURE + 4 + BOX_SALT + BOX_HASH
};

int server_init(struct server *, struct party *, const struct plan *, struct err *);
void server_start(struct server *, struct party *);
void server_recv(struct server *, struct party *, party_t from, uint32_t kind, const uint8_t *,
                 size_t);
void server_room(struct server *, struct party *, party_t peer);
void server_peer(struct server *, struct party *, party_t peer, enum peer_state);
void server_free(struct server *);

/* The record of a token into server->record. OK, ERR_ABSENT, ERR_IO. */
int server_load(struct server *, struct party *, uint32_t id);
void server_reply(struct server *, struct party *, uint32_t kind, size_t len);
void server_deny(struct server *, struct party *, enum refusal);
int server_put(struct party *, const char *key, const void *value, size_t len);
int server_get(struct party *, const char *key, void *value, size_t cap, size_t *len);
/* The session into the store. */
int server_keep(const struct server *, struct party *);
/* Whoever waits gets its answer now that the session is open, or closed for ever. */
void server_wake(struct server *, struct party *);
/* SETUP, STATE, and with a right ticket what follows: from the analyst. */
void server_command(struct server *, struct party *, uint32_t kind, struct reader *);
/* FETCH, OPEN, SIGMA, RELEASE: without their tickets. */
void server_close(struct server *, struct party *, uint32_t kind, struct reader *);

/* ---- analyst -------------------------------------------------------------------------------- */

/* Store: "analyst", her key file: when she began (8), secret key (32), challenge (32). */
struct analyst {
    const struct plan *plan;
    struct keypair pair;
    ns_t began;
    uint8_t challenge[SNIP_SEED], ticket[BOX_ID];
    enum session session; /* as the server said last */
    bool set_up, waits, unsent, over, forgot;
    uint8_t *request;
    size_t request_len, request_cap;
    uint32_t request_kind;
    struct batch batch;
    struct totals totals;
    struct snip_query query;
    uint32_t first, next; /* token ids: the chunk */
    uint32_t *marks;      /* as in the result */
};

int analyst_init(struct analyst *, struct party *, const struct plan *, struct err *);
void analyst_start(struct analyst *, struct party *);
void analyst_recv(struct analyst *, struct party *, uint32_t kind, const uint8_t *, size_t);
void analyst_peer(struct analyst *, struct party *, enum peer_state);
void analyst_room(struct analyst *, struct party *);
void analyst_timer(struct analyst *, struct party *);
void analyst_waiting(const struct analyst *, const struct party *, char *buf, size_t cap);
void analyst_free(struct analyst *);
/* The request of that kind: its body is len bytes of analyst->request + BOX_ID, which has the
 * ticket in front. */
void analyst_ask(struct analyst *, struct party *, uint32_t kind, size_t len);
/* The session is stopped: from the first chunk on. */
void analyst_close(struct analyst *, struct party *);
/* CHUNK, OPENED, COUNTED, SUMS. ERR_FORMAT: malformed. */
int analyst_closing(struct analyst *, struct party *, uint32_t kind, struct reader *);

#endif
