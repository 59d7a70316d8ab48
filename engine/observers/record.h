/* A recording of sightings, as bytes. Version 1, little-endian:
 *
 *    0  8  "PLSIGHT1"
 *    8  4  which sightings are in it: WANT_ bits
 *   12  4  nodes; 16 4 parties among them, which come first; 20 4 regions
 *   24     the nodes: name, role, address as published (18; of a party it is zero); the regions:
 *          name; a text is a byte of length and its bytes
 *          entries, each a byte of kind and
 *      'T' 21  the truth of the sighting that follows: kind 1, from 4, to 4, serial 8; and of what
 *              a real node sends: bytes on its stream with the frame 4 (0: not told)
 *      'S' 62  a packet: when 8, flags 1 (point in 2 bits, out 4, opens 8, datagram 16), spare 1,
 *              at 4, beyond 4, bytes 4, packets 4, from 18, to 18
 *      'V' 56  something that a node can read: when 8, at 4, kind 1, in clear 1, whom 4, other 4,
 *              address 18, delay 8, spare 8
 *      'K' 52  something that a node keeps: when 8, at 4, record 8, fields 4, bits 8, whom 4,
 *              other 4, until 8, spare 4
 *      'O' 22  whose an address is: address 18, node 4
 *      'E' 17  the end: when the trial ended 8, sightings 8, 1 if more were left out than kept
 *
 * Truth ('T', 'O') is for judging alone; what an attack is given is made of 'S', 'V' and 'K'. An
 * address is 16 bytes and a port; nobody is ff ff ff ff.
 */
#ifndef PARTYLINE_OBSERVERS_RECORD_H
#define PARTYLINE_OBSERVERS_RECORD_H

#include "engine/observer.h"

enum {
    RECORD_ENTRY_MAX = 64,
    RECORD_NODES_MAX = 1 << 20,
    RECORD_TEXT_MAX = 63,
    RECORD_HEAD = 24,
    RECORD_SIGHTINGS = 1 << 20 /* in a file that `run` writes, unless it is told otherwise */
};

/* Each writes one entry and returns its size, at most RECORD_ENTRY_MAX. */
size_t record_truth(uint8_t *out, const struct packet_truth *, uint32_t on_stream);
size_t record_sighting(uint8_t *out, const struct sighting *);
size_t record_owner(uint8_t *out, const struct addr *, party_t);
size_t record_end(uint8_t *out, ns_t ended, uint64_t sightings, bool cut);
size_t record_address(uint8_t *out, const struct addr *);
/* The first RECORD_HEAD bytes. */
void record_head(uint8_t *out, unsigned wants, uint32_t nodes, uint32_t parties, uint32_t regions);

struct record_names {
    char name[RECORD_TEXT_MAX + 1], role[RECORD_TEXT_MAX + 1];
    struct addr addr;
};

struct record_entry {
    char kind; /* as above */
    struct packet_truth truth;
    uint32_t on_stream;
    struct sighting sighting; /* its visible and kept point to the next two */
    struct shown shown;
    struct retained retained;
    struct addr addr;
    party_t owner;
    ns_t ended;
    uint64_t sightings;
    bool cut;
};

struct record {
    const uint8_t *data;
    size_t len, at;
    unsigned wants;
    uint32_t n_nodes, n_parties, n_regions;
    size_t names, entries; /* where they begin */
    bool ended;            /* its 'E' was read */
};

/* Foreign bytes: checked. OK, or ERR_FORMAT with a sentence. The data are lent. */
int record_open(struct record *, const uint8_t *data, size_t len, struct err *);
/* The next name (and role, of a node); begin with at = record.names. */
void record_name(const struct record *, size_t *at, bool node, struct record_names *out);
/* The next entry. OK, ERR_ABSENT after 'E', or ERR_FORMAT with a sentence (with the offset): also
 * for a file that ends without 'E'. */
int record_next(struct record *, struct record_entry *, struct err *);
/* Begins anew. */
void record_rewind(struct record *);

#endif
