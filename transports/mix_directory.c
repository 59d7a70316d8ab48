#include "transports/mix_directory.h"

#include "engine/base/bytes.h"

#include <sodium.h>

static const char DESCRIPTOR[] = "partyline mix descriptor", DOCUMENT[] = "partyline mix document";

static void sign(const struct mix_net *n, const char *context, const void *data, size_t len,
                 uint8_t signature[IDENTITY_SIGNATURE])
{
    env_charge(n->setup.env, COST_ED25519_SIGN, 1);
    if (n->open)
        memset(signature, 0, IDENTITY_SIGNATURE);
    else
        identity_sign(n->setup.identity, context, data, len, signature);
}

static int check(const struct mix_net *n, party_t by, const char *context, const void *data,
                 size_t len, const uint8_t *signature)
{
    env_charge(n->setup.env, COST_ED25519_VERIFY, 1);
    return n->open
               ? OK
               : identity_check(&n->setup.roster->identities[by], context, data, len, signature);
}

/* ---- descriptors ------------------------------------------------------------------------ */

void mix_descriptor_encode(const struct mix_descriptor *d, uint8_t out[MIX_DESCRIPTOR])
{
    put_le32(out, d->node);
    put_le32(out + 4, d->epoch);
    memcpy(out + 8, d->key, 32);
    memcpy(out + MIX_SIGNED, d->signature, IDENTITY_SIGNATURE);
}

static void read_descriptor(const uint8_t *data, struct mix_descriptor *d)
{
    d->node = get_le32(data);
    d->epoch = get_le32(data + 4);
    memcpy(d->key, data + 8, 32);
    memcpy(d->signature, data + MIX_SIGNED, IDENTITY_SIGNATURE);
}

int mix_descriptor_decode(const struct mix_net *n, const uint8_t *data, size_t len,
                          struct mix_descriptor *d)
{
    if (len != MIX_DESCRIPTOR)
        return ERR_FORMAT;
    read_descriptor(data, d);
    if (mix_net_index(n, d->node) == UINT32_MAX)
        return ERR_ABSENT;
    return check(n, d->node, DESCRIPTOR, data, MIX_SIGNED, d->signature);
}

/* ---- documents -------------------------------------------------------------------------- */

size_t mix_document_encode(const struct mix_net *net, uint32_t epoch, uint32_t version,
                           const struct mix_descriptor *list, uint32_t n, uint8_t *out)
{
    size_t len = 1 + MIX_DOCUMENT_HEAD + (size_t)n * MIX_DESCRIPTOR;
    out[0] = MIX_DOCUMENT;
    put_le32(out + 1, epoch);
    put_le32(out + 5, version);
    put_le32(out + 9, n);
    for (uint32_t i = 0; i < n; i++)
        mix_descriptor_encode(&list[i], out + 1 + MIX_DOCUMENT_HEAD + (size_t)i * MIX_DESCRIPTOR);
    sign(net, DOCUMENT, out + 1, len - 1, out + len);
    return len + IDENTITY_SIGNATURE;
}

static int check_document(const struct mix_net *net, const uint8_t *data, size_t len, uint32_t n)
{
    uint32_t epoch = get_le32(data);
    struct mix_descriptor d;
    if (check(net, net->directory, DOCUMENT, data, len - IDENTITY_SIGNATURE,
              data + len - IDENTITY_SIGNATURE) != OK)
        return ERR_AUTH;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *at = data + MIX_DOCUMENT_HEAD + (size_t)i * MIX_DESCRIPTOR;
        uint32_t k = mix_net_index(net, get_le32(at));
        bool known = k != UINT32_MAX && epoch == net->epoch && net->there[k] &&
                     memcmp(net->keys[k], at + 8, 32) == 0;
        if (!known && mix_descriptor_decode(net, at, MIX_DESCRIPTOR, &d) != OK)
            return ERR_AUTH;
        if (get_le32(at + 4) != epoch)
            return ERR_FORMAT;
    }
    return OK;
}

int mix_document_take(struct mix_net *net, const uint8_t *data, size_t len)
{
    uint32_t n, epoch, version;
    int rc;
    if (net->directory == PARTY_NONE || len < MIX_DOCUMENT_HEAD + IDENTITY_SIGNATURE)
        return ERR_FORMAT;
    epoch = get_le32(data);
    version = get_le32(data + 4);
    n = get_le32(data + 8);
    if (n > MIX_NODES_MAX ||
        len != MIX_DOCUMENT_HEAD + (size_t)n * MIX_DESCRIPTOR + IDENTITY_SIGNATURE)
        return ERR_FORMAT;
    if (epoch < net->epoch || (epoch == net->epoch && version <= net->version))
        return ERR_REPLAY;
    rc = check_document(net, data, len, n);
    if (rc != OK)
        return rc;
    memset(net->there, 0, (net->n_mixes + net->n_providers) * sizeof *net->there);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *at = data + MIX_DOCUMENT_HEAD + (size_t)i * MIX_DESCRIPTOR;
        uint32_t k = mix_net_index(net, get_le32(at));
        if (k == UINT32_MAX)
            continue;
        memcpy(net->keys[k], at + 8, 32);
        net->there[k] = true;
    }
    net->epoch = epoch;
    net->version = version;
    return OK;
}

/* ---- a node's keys ---------------------------------------------------------------------- */

const uint8_t *mix_ring_secret(const struct mix_ring *r, const struct mix_net *n, uint32_t epoch)
{
    if (n->directory == PARTY_NONE)
        return epoch != 0          ? NULL
               : n->setup.identity ? n->setup.identity->x25519_secret
                                   : r->slot[0].secret;
    return r->slot[epoch % 3].set && r->slot[epoch % 3].epoch == epoch ? r->slot[epoch % 3].secret
                                                                       : NULL;
}

void mix_ring_wipe(struct mix_ring *r)
{
    sodium_memzero(r, sizeof *r);
}

static void publish(struct mix_fetch *f, uint32_t epoch)
{
    struct mix_net *n = f->net;
    struct mix_descriptor d = {.node = n->setup.self, .epoch = epoch};
    uint8_t frame[1 + MIX_DESCRIPTOR] = {MIX_PUBLISH};
    memcpy(d.key, f->ring->slot[epoch % 3].key, 32);
    mix_descriptor_encode(&d, frame + 1);
    sign(n, DESCRIPTOR, frame + 1, MIX_SIGNED, frame + 1 + MIX_SIGNED);
    mix_links_send(f->links, n->directory, MIX_DIRECTORY_PORT, frame, sizeof frame);
}

static void make_key(struct mix_fetch *f, uint32_t epoch)
{
    struct env *env = f->net->setup.env;
    uint32_t i = epoch % 3;
    if (f->ring->slot[i].set && f->ring->slot[i].epoch == epoch)
        return;
    f->ring->slot[i].set = true;
    f->ring->slot[i].epoch = epoch;
    prng_bytes(&env->rng, f->ring->slot[i].secret, 32);
    env_charge(env, COST_X25519, 1);
    if (f->net->open)
        put_le32(f->ring->slot[i].key, epoch);
    else
        crypto_scalarmult_base(f->ring->slot[i].key, f->ring->slot[i].secret);
}

/* The directory does not have our keys, or there is a new epoch. */
static void renew(struct mix_fetch *f)
{
    uint32_t i = mix_net_index(f->net, f->net->setup.self), e = f->net->epoch;
    bool fresh = !f->ring->slot[(e + 1) % 3].set || f->ring->slot[(e + 1) % 3].epoch != e + 1;
    make_key(f, e);
    make_key(f, e + 1);
    if (!f->net->there[i] || memcmp(f->net->keys[i], f->ring->slot[e % 3].key, 32) != 0) {
        publish(f, e);
        mix_links_expect(f->links, f->net->directory); /* the next document */
    }
    if (fresh)
        publish(f, e + 1);
}

void mix_fetch_start(struct mix_fetch *f)
{
    if (f->net->directory != PARTY_NONE)
        mix_links_keep(f->links, f->net->directory, MIX_DIRECTORY_PORT, false);
}

static bool complete(const struct mix_net *n)
{
    for (uint32_t i = 0; i < n->n_mixes + n->n_providers; i++)
        if (!n->there[i])
            return false;
    return true;
}

bool mix_fetch_event(struct mix_fetch *f, enum mix_happened what, const struct event *ev)
{
    static const uint8_t get[] = {MIX_GET};
    int rc;
    if (what == MIX_UP) {
        mix_links_send(f->links, f->net->directory, MIX_DIRECTORY_PORT, get, sizeof get);
        mix_links_expect(f->links, f->net->directory);
        if (f->ring && f->net->version) {
            publish(f, f->net->epoch);
            publish(f, f->net->epoch + 1);
        }
    }
    if (what != MIX_FRAME)
        return false;
    rc = ev->len > 1 && ev->data[0] == MIX_DOCUMENT
             ? mix_document_take(f->net, ev->data + 1, ev->len - 1)
             : ERR_FORMAT;
    if (!complete(f->net))
        mix_links_expect(f->links, f->net->directory); /* a later one will name the others */
    if (rc != OK) {
        mix_drop(f->net, DROP_MIX_DOCUMENT);
        return false;
    }
    if (f->ring)
        renew(f);
    return true;
}
