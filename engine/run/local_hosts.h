/* What a node as a process is told besides the scenario: where everybody is (a hosts file), and
 * who it is itself (a key file).
 *
 * The hosts file is YAML:
 *     schema: 1
 *     origin: 123456789          # optional: all nodes run on one machine, and their clocks show
 *                                # nanoseconds since then of its CLOCK_MONOTONIC
 *     hosts:
 *       alice: {address: 192.0.2.1, port: 20000, identity: HEX}
 *       relay: {address: relay.example, port: 20064, identity: HEX, bind: 0.0.0.0}
 * with an entry for each node: an address or a name, the first of the 64 ports that it uses, the
 * public form of its identity (partyline keygen prints it; none with channel: none), and where
 * its sockets are bound if that is another address.
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
    struct identity_public *identities;
    ns_t origin; /* -1: none */
};

/* ERR_INVALID or ERR_IO with at least one finding. */
int local_hosts_read(struct local_hosts *, const char *path, const struct trial_spec *,
                     struct diag_list *);
void local_hosts_free(struct local_hosts *);

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

#endif
