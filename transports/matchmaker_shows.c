/* What the matchmaker's messages show to whoever reads them. */
#include "transports/matchmaker_inner.h"

struct reading {
    struct env *env;
    party_t n; /* there are so many clients */
    const struct addr *from;
    struct reader r;
};

/* Of what is malformed nothing counts from there on. */
static void fact(const struct reading *x, struct shown shown)
{
    shown.in_clear = true;
    if (!x->r.bad && shown.whom < x->n && (shown.kind != SHOWN_PAIR || shown.other < x->n))
        env_show(x->env, &shown);
}

static void address(const struct reading *x, party_t whom, struct addr addr)
{
    if (addr.port)
        fact(x, (struct shown){.kind = SHOWN_ADDRESS, .whom = whom, .addr = addr});
}

static void blob(struct reading *x, party_t whom, uint8_t len)
{
    const uint8_t *bytes = read_bytes(&x->r, len);
    if (bytes)
        address(x, whom, match_blob_addr(bytes, len));
}

static void client(const struct reading *x, party_t id)
{
    address(x, id, *x->from);
    fact(x, (struct shown){.kind = SHOWN_MEMBER, .whom = id});
}

static void wants(struct reading *x, party_t id)
{
    for (uint8_t n = read_u8(&x->r); n > 0; n--) {
        party_t peer = read_u32(&x->r);
        if (peer != id)
            fact(x, (struct shown){.kind = SHOWN_PAIR, .whom = id, .other = peer});
    }
}

static void enrolment(struct reading *x, party_t id, bool is_signed)
{
    read_bytes(&x->r, 8 + 8); /* nonce, serial */
    blob(x, id, read_u8(&x->r) & MATCH_BLOB_MAX);
    read_bytes(&x->r, is_signed ? IDENTITY_SIGNATURE : 0);
    wants(x, id);
}

static void entries(struct reading *x)
{
    while (x->r.left && !x->r.bad) {
        party_t id = read_u32(&x->r);
        read_u64(&x->r); /* serial */
        address(x, id, match_read_addr(&x->r));
        blob(x, id, read_u8(&x->r));
    }
}

void match_shows(struct env *env, const struct roster *roster, const struct addr *from,
                 const uint8_t *message, size_t len)
{
    struct reading x = {env, roster_clients(roster), from, reader_of(message, len)};
    uint8_t kind = read_u8(&x.r), version = read_u8(&x.r);
    party_t id;
    if (x.r.bad || version != MATCH_VERSION)
        return;
    if (kind == MATCH_PEERS) {
        entries(&x);
        return;
    }
    id = read_u32(&x.r);
    if (kind == MATCH_HELLO || kind == MATCH_REGISTER)
        client(&x, id);
    if (kind == MATCH_REGISTER)
        enrolment(&x, id, roster->identities != NULL);
    else if (kind == MATCH_WANT)
        wants(&x, id);
}
