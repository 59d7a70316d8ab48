#include "transports/mix_packet.h"

#include "engine/base/bytes.h"

#include <sodium.h>

enum { FORWARD = 0xff, OPEN_HEAD = 2, OPEN_HOP = 4 + 8 };

static void charge(const struct mix_net *n, uint64_t scalars, uint64_t blocks)
{
    uint64_t kib = (n->params.payload + 1023) / 1024;
    env_charge(n->setup.env, COST_X25519, scalars);
    env_charge(n->setup.env, COST_AEAD, 2 * blocks);
    env_charge(n->setup.env, COST_AEAD_KIB, 2 * blocks * kib);
}

static int make_open(const struct mix_net *n, const party_t *route, unsigned hops, uint8_t *packet,
                     uint64_t delays[])
{
    uint8_t *at = packet + OPEN_HEAD;
    memset(packet, 0, sphinx_header(&n->params));
    packet[1] = (uint8_t)hops;
    for (unsigned i = 0; i < hops; i++, at += 4)
        put_le32(at, route[i]);
    for (unsigned i = 0; i < hops; i++, at += 8) {
        delays[i] = prng_u64(&n->setup.env->rng);
        put_le64(at, delays[i]);
    }
    return OK;
}

static int make_sealed(const struct mix_net *n, const party_t *route, unsigned hops,
                       uint8_t *packet, uint64_t delays[])
{
    static const uint8_t ends[1] = {0};
    struct sphinx_hop list[SPHINX_HOPS_MAX] = {{0}};
    struct sphinx_keys keys[SPHINX_HOPS_MAX];
    int rc;
    for (unsigned i = 0; i < hops; i++) {
        list[i].key = mix_net_key(n, route[i]);
        list[i].id[0] = FORWARD;
        put_le32(list[i].id + 1, route[i]);
        if (!list[i].key)
            return ERR_ABSENT;
    }
    rc = sphinx_make(&n->params, list, hops, ends, sizeof ends, &n->setup.env->rng, packet, keys);
    if (rc != OK)
        return rc;
    sphinx_wrap(&n->params, keys, hops, packet + sphinx_header(&n->params));
    for (unsigned i = 0; i < hops; i++)
        delays[i] = keys[i].delay;
    sodium_memzero(keys, sizeof keys[0] * hops);
    return OK;
}

int mix_packet_make(const struct mix_net *n, const party_t *route, unsigned hops,
                    const void *message, size_t len, uint8_t *frame, ns_t *delay)
{
    uint8_t *packet = frame + MIX_HEAD;
    uint64_t delays[SPHINX_HOPS_MAX];
    int rc;
    frame[0] = MIX_PACKET;
    put_le32(frame + 1, n->epoch);
    put_le32(frame + 5, route[0]);
    sphinx_body(&n->params, message, len, packet + sphinx_header(&n->params));
    charge(n, (uint64_t)hops * (hops + 3) / 2, hops);
    rc = n->open ? make_open(n, route, hops, packet, delays)
                 : make_sealed(n, route, hops, packet, delays);
    *delay = 0;
    for (unsigned i = 0; rc == OK && i + 2 < hops; i++)
        *delay += sphinx_delay(delays[i], n->opts->mean_delay);
    return rc;
}

static int unwrap_open(const struct mix_net *n, uint8_t *packet, struct mix_hop_view *v)
{
    unsigned at = packet[0], hops = packet[1];
    const uint8_t *ids = packet + OPEN_HEAD;
    if (hops == 0 || hops > n->params.max_hops || at >= hops ||
        get_le32(ids + 4 * (size_t)at) != n->setup.self)
        return ERR_AUTH;
    v->delay = get_le64(ids + 4 * (size_t)hops + 8 * (size_t)at);
    v->next = at + 1 < hops ? get_le32(ids + 4 * (size_t)(at + 1)) : PARTY_NONE;
    memset(v->tag, 0, MIX_TAG);
    put_le64(v->tag, v->delay);
    v->tag[8] = 1;
    packet[0]++;
    return OK;
}

static int unwrap_sealed(const struct mix_net *n, const uint8_t *secret, uint8_t *packet,
                         struct mix_hop_view *v)
{
    struct sphinx_route r;
    if (sphinx_unwrap(&n->params, secret, packet, &r) != OK)
        return ERR_AUTH;
    v->delay = r.delay;
    v->next = r.id[0] == FORWARD ? get_le32(r.id + 1) : PARTY_NONE;
    memcpy(v->tag, r.tag, MIX_TAG);
    return r.id[0] == FORWARD || r.id[0] == 0 ? OK : ERR_FORMAT;
}

int mix_packet_unwrap(const struct mix_net *n, const uint8_t *secret, uint8_t *frame,
                      struct mix_hop_view *v)
{
    uint8_t *packet = frame + MIX_HEAD;
    int rc;
    charge(n, 2, 1);
    rc = n->open ? unwrap_open(n, packet, v) : unwrap_sealed(n, secret, packet, v);
    if (rc == OK)
        put_le32(frame + 5, v->next);
    return rc;
}

int mix_packet_message(const struct mix_net *n, const uint8_t *frame, const uint8_t **message,
                       size_t *len)
{
    return sphinx_open(&n->params, frame + MIX_HEAD + sphinx_header(&n->params), message, len);
}
