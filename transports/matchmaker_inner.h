/* What both ends of the matchmaker's protocol write and read. */
#ifndef PARTYLINE_TRANSPORTS_MATCHMAKER_INNER_H
#define PARTYLINE_TRANSPORTS_MATCHMAKER_INNER_H

#include "transports/matchmaker.h"

#include "engine/base/bytes.h"
#include "engine/crypto/identity.h"
#include "engine/metrics.h"

enum { MATCH_REGISTER_FIXED = 2 + 4 + 8 + 8 + 1, MATCH_ENTRY_FIXED = 4 + 8 + MATCH_ADDR + 1 };

#define MATCH_CONTEXT "partyline matchmaker v1"

static inline void match_write_head(struct writer *w, uint8_t kind)
{
    write_u8(w, kind);
    write_u8(w, MATCH_VERSION);
}
static inline void match_write_addr(struct writer *w, const struct addr *a)
{
    write_bytes(w, a->ip, sizeof a->ip);
    write_u16(w, a->port);
}
static inline struct addr match_read_addr(struct reader *r)
{
    struct addr a = {0};
    const uint8_t *ip = read_bytes(r, sizeof a.ip);
    if (ip)
        memcpy(a.ip, ip, sizeof a.ip);
    a.port = read_u16(r);
    return a;
}

/* A blob that is an address, or one of port 0. */
static inline struct addr match_blob_addr(const uint8_t *blob, size_t len)
{
    struct addr a = {0};
    if (len == MATCH_ADDR) {
        memcpy(a.ip, blob, sizeof a.ip);
        a.port = get_le16(blob + sizeof a.ip);
    }
    return a;
}

/* What a REGISTER signs; n: its blob's length and MATCH_UPWARDS. Returns its length. */
enum { MATCH_SIGNED_MAX = IDENTITY_KEY + 8 + 4 + 8 + 1 + MATCH_BLOB_MAX };
static inline size_t match_signed(uint8_t out[MATCH_SIGNED_MAX],
                                  const struct identity_public *server, uint64_t nonce, party_t id,
                                  uint64_t serial, const uint8_t *blob, uint8_t n)
{
    struct writer w = writer_of(out, MATCH_SIGNED_MAX);
    write_bytes(&w, server->ed25519, sizeof server->ed25519);
    write_u64(&w, nonce);
    write_u32(&w, id);
    write_u64(&w, serial);
    write_u8(&w, n);
    write_bytes(&w, blob, n & MATCH_BLOB_MAX);
    return w.len;
}

/* ---- the server: matchmaker.c is what it says and keeps, matchmaker_role.c its links --------- */

struct match_entry {
    uint64_t serial;
    ns_t until;
    link_t link; /* 0: its stream is gone */
    bool stream, upwards;
    struct addr seen;
    uint8_t len;
    uint8_t blob[MATCH_BLOB_MAX];
};

/* Where a message came from, and where its answer goes. */
struct match_route {
    link_t link;
    bool stream;
    struct addr addr;
    uint32_t whose; /* a stream's tag, less one: its party, or a slot of the strangers' */
};

#define MATCH_STRANGER 0x80000000U
#define MATCH_NOBODY UINT32_MAX

static inline void match_drop(struct matchmaker *m, enum drop why)
{
    metrics_drop(m->setup.env->metrics, why);
}

void match_message(struct matchmaker *, const struct match_route *, const uint8_t *data,
                   size_t len);
/* A stream is somebody's now, and nobody's before it. */
void match_adopt(struct matchmaker *, party_t id, const struct match_route *from);

#endif
