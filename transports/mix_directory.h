/* The directory of a mix network: signed descriptors in, signed documents out, one an epoch and
 * whenever a node of it changes. And the side that asks: keys by epoch, documents checked.
 *
 *   descriptor = node u32 | epoch u32 | key 32 | signature 64      by the node, of the first 40
 *   document   = epoch u32 | version u32 | n u32 | n descriptors | signature 64
 *                                                                  by the directory, of the rest
 *
 * Believed is what both have signed: a directory can leave a node out, it cannot give it another
 * key. A document that is not newer than the one at hand, by (epoch, version), is refused. In
 * open networks (mix.h) signatures are zeros, not checked, and charged for all the same.
 *
 * The epoch is the directory's time divided by the option `epoch`. A node makes a key for the
 * present epoch and one for the next; keys of the last one still serve. A node that restarts
 * makes new ones and says so; who does not speak to the directory any more is left out of the
 * next document.
 */
#ifndef PARTYLINE_TRANSPORTS_MIX_DIRECTORY_H
#define PARTYLINE_TRANSPORTS_MIX_DIRECTORY_H

#include "transports/mix_links.h"

enum {
    MIX_SIGNED = 40,
    MIX_DESCRIPTOR = MIX_SIGNED + IDENTITY_SIGNATURE,
    MIX_DOCUMENT_HEAD = 12,
    MIX_NODES_MAX = (LINK_MESSAGE_MAX - 1 - MIX_DOCUMENT_HEAD - IDENTITY_SIGNATURE) / MIX_DESCRIPTOR
};

struct mix_descriptor {
    party_t node;
    uint32_t epoch;
    uint8_t key[32];
    uint8_t signature[IDENTITY_SIGNATURE];
};

void mix_descriptor_encode(const struct mix_descriptor *, uint8_t out[MIX_DESCRIPTOR]);
/* OK; ERR_FORMAT; ERR_ABSENT: no mix or provider of this network; ERR_AUTH. */
int mix_descriptor_decode(const struct mix_net *, const uint8_t *data, size_t len,
                          struct mix_descriptor *);
/* A document as the directory's message, frame kind included; `out` holds LINK_MESSAGE_MAX bytes.
 * Returns its length. Signs as setup.identity. */
size_t mix_document_encode(const struct mix_net *, uint32_t epoch, uint32_t version,
                           const struct mix_descriptor *, uint32_t n, uint8_t *out);
/* Takes the document (without the frame kind) into the net's keys. OK; ERR_REPLAY: not newer;
 * ERR_FORMAT; ERR_AUTH. The net is changed only if OK. */
int mix_document_take(struct mix_net *, const uint8_t *data, size_t len);

/* A node's keys for its last, present and next epoch. Secret. */
struct mix_ring {
    struct {
        uint8_t secret[32], key[32];
        uint32_t epoch;
        bool set;
    } slot[3];
};

/* The secret for a packet of that epoch; NULL: there is none (and no packet is opened). In open
 * networks, something not NULL. */
const uint8_t *mix_ring_secret(const struct mix_ring *, const struct mix_net *, uint32_t epoch);
void mix_ring_wipe(struct mix_ring *);

/* Asks the directory, if there is one. Publishes keys if ring is not NULL. Uses `links`. */
struct mix_fetch {
    struct mix_net *net;
    struct mix_links *links;
    struct mix_ring *ring; /* NULL: a client */
};
void mix_fetch_start(struct mix_fetch *);
/* What happened on the directory's link. True: there is a new document. */
bool mix_fetch_event(struct mix_fetch *, enum mix_happened, const struct event *);

#endif
