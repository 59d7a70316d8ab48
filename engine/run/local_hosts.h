/* What a node as a process is told besides the scenario: where everybody is (a hosts file), and
 * who it is itself (a key file).
 *
 * The hosts file is YAML:
 *     schema: 1
 *     origin: 123456789          # optional: all nodes run on one machine, and their clocks show
 *                                # nanoseconds since then of its CLOCK_MONOTONIC
 *     epoch: 1790000000000000000 # or: nodes are on several machines, and count nanoseconds since
 *                                # then (of 1970) by their wall clocks
 *     hosts:
 *       alice: {address: 192.0.2.1, port: 20000, identity: HEX}
 *       relay: {address: relay.example, port: 20064, identity: HEX, bind: 0.0.0.0}
 *       server: {address: 192.0.2.2, port: 20128, identity: HEX,
 *                http: 127.0.0.1:8080, smtp: "smtp://localhost:25", from: noreply@mpc.example}
 *       bob: {through: server}
 * with an entry for each node: an address or a name, the first of the 64 ports that it uses, the
 * public form of its identity (partyline keygen prints it; none with channel: none), where its
 * sockets are bound if that is another address, and how many nanoseconds after the sign to begin
 * it starts. `foreign: true` says that another program serves there (coturn). A node without `port`
 * has its address to itself: its ports are its transports' own, and the roster's address of it is
 * the real one, so that foreign servers can be told of it.
 *
 * A party that comes `through` a node has none itself: it has a browser or a mailbox, and that
 * node has a gateway (worlds/uv/gateways/): an HTTP server at `http`, and for mail an SMTP server,
 * of which it is the client. With a gateway all nodes' clocks show the time of day (nanoseconds
 * of the Unix epoch), as people's do, and neither `origin` nor `epoch` is
 * allowed.
 *
 * A key file is text, readable by its owner alone: a line of heading, then in hexadecimal the
 * public form and the two secrets.
 */
#ifndef PARTYLINE_RUN_LOCAL_HOSTS_H
#define PARTYLINE_RUN_LOCAL_HOSTS_H

#include "engine/crypto/identity.h"
#include "engine/run/diag.h"
#include "engine/worlds/uv/uvplace.h"

enum { LOCAL_HEX = 2 * IDENTITY_PUBLIC + 1 };

struct local_hosts {
    struct uvplace *places; /* one a node of the roster */
    struct roster_entry *entries;
    struct identity_public *identities;
    ns_t *starts;      /* after the sign to begin */
    ns_t origin;       /* -1: none */
    ns_t epoch;        /* -1: none */
    bool *through;     /* of each node: it has no node, but comes through a gateway */
    party_t gateway;   /* that node; PARTY_NONE */
    struct addr http;  /* port 0: none */
    char *smtp, *from; /* NULL: none */
};

/* ERR_INVALID or ERR_IO with at least one finding. */
int local_hosts_read(struct local_hosts *, const char *path, const struct trial_spec *,
                     struct diag_list *);
void local_hosts_free(struct local_hosts *);
/* Puts real addresses into a copy of the roster's entries, which the hosts keep. ERR_NOMEM. */
int local_hosts_publish(struct local_hosts *, struct roster *);

/* "0x"-less hexadecimal; a NUL at the end. */
void local_hex(const uint8_t *bytes, size_t len, char *out);
/* Exactly len bytes. False: it is not that. */
bool local_unhex(const char *text, size_t text_len, uint8_t *out, size_t len);

/* Makes the file, mode 0600; ERR_EXISTS: it is there already. */
int local_key_write(const char *path, const struct identity *, struct err *);
/* ERR_AUTH: others may read it, or the keys don't belong together. Wipe *id. */
int local_key_read(const char *path, struct identity *id, struct err *);
/* A new identity, from the system's randomness. */
int local_key_make(struct identity *id, struct err *);
/* Makes one and writes it; hex: its public form. */
int local_key_new(const char *path, char hex[LOCAL_HEX], struct err *);

#endif
