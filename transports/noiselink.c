#include "transports/noiselink.h"

#include <sodium.h>
#include <stdlib.h>

#include "engine/base/bytes.h"

struct noiselink_shake {
    struct noise noise;
    uint8_t hash[NOISE_HASH];
    size_t len; /* of the frame that the world has not taken yet; 0: none */
    uint8_t frame[NOISELINK_HELLO];
};

_Static_assert(NOISELINK_HELLO == 2 * NOISE_KEY + 2 * NOISE_TAG + NOISELINK_PLAIN, "message 1");
_Static_assert(NOISELINK_ANSWER == NOISE_KEY + NOISE_TAG, "message 2");

static int send_frame(struct noiselink *l, const struct noiselink_self *self)
{
    struct noiselink_shake *s = l->shake;
    int rc = s->len ? self->env->ops->send(self->env, l->link, s->frame, s->len) : OK;
    if (rc == OK)
        s->len = 0;
    return rc == ERR_AGAIN ? OK : rc;
}

static void end_shake(struct noiselink *l)
{
    if (l->shake) {
        sodium_memzero(l->shake, sizeof *l->shake);
        free(l->shake);
    }
    l->shake = NULL;
}

/* The handshake is over once its last frame is sent. */
static int proceed(struct noiselink *l, const struct noiselink_self *self)
{
    int rc = send_frame(l, self);
    if (rc == OK && l->stage == NOISELINK_OPEN && l->shake->len == 0)
        end_shake(l);
    return rc;
}

static int begin(struct noiselink *l, const struct noiselink_self *self, bool initiator)
{
    const struct identity *id = self->identity;
    l->shake = calloc(1, sizeof *l->shake);
    if (!l->shake)
        return ERR_NOMEM;
    if (!id)
        return OK;
    return (id->modelled ? noise_init_modelled : noise_init)(
        &l->shake->noise, NOISE_IK, initiator, self->context, strlen(self->context),
        id->x25519_secret, initiator ? self->roster->identities[l->peer].x25519 : NULL);
}

/* What the proof signs. */
static void proof_of(const struct noiselink *l, const struct noiselink_self *self, party_t service,
                     uint8_t out[IDENTITY_PUBLIC + NOISE_HASH])
{
    identity_encode(&self->roster->identities[service], out);
    memcpy(out + IDENTITY_PUBLIC, l->shake->hash, NOISE_HASH);
}

static void charge(const struct noiselink_self *self, size_t len)
{
    env_charge(self->env, COST_AEAD, 1);
    env_charge(self->env, COST_AEAD_KIB, (len + 512) / 1024);
}

/* ---- the dialler ---------------------------------------------------------------------- */

static int trust(const struct noiselink_self *self, party_t service, bool *trusted)
{
    if (*trusted || !self->identity)
        return OK;
    env_charge(self->env, COST_ED25519_VERIFY, 1);
    *trusted =
        self->identity->modelled || identity_verify(&self->roster->identities[service]) == OK;
    return *trusted ? OK : ERR_AUTH;
}

int noiselink_dial(struct noiselink *l, const struct noiselink_self *self, link_t link,
                   party_t service, uint32_t number, bool *trusted)
{
    uint8_t hello[NOISELINK_PLAIN];
    int rc;
    *l = (struct noiselink){.link = link, .peer = service, .stage = NOISELINK_SHAKING};
    l->session = ((uint64_t)self->env->incarnation + 1) << 32 | number;
    hello[0] = NOISELINK_VERSION;
    put_le32(hello + 1, self->self);
    put_le32(hello + 5, service);
    put_le64(hello + 9, l->session);
    rc = trust(self, service, trusted);
    if (rc == OK)
        rc = begin(l, self, true);
    if (rc != OK)
        return rc;
    if (!self->identity) {
        memcpy(l->shake->frame, hello, sizeof hello);
        l->shake->len = sizeof hello;
        l->stage = NOISELINK_OPEN;
        return proceed(l, self);
    }
    rc = noise_write(&l->shake->noise, &self->env->rng, hello, sizeof hello, l->shake->frame,
                     sizeof l->shake->frame, &l->shake->len);
    env_charge(self->env, COST_X25519, 3);
    env_charge(self->env, COST_AEAD, 2);
    return rc == OK ? proceed(l, self) : rc;
}

static int read_answer(struct noiselink *l, const struct noiselink_self *self, const uint8_t *data,
                       size_t len)
{
    struct noiselink_shake *s = l->shake;
    uint8_t what[IDENTITY_PUBLIC + NOISE_HASH], none[1];
    size_t n;
    int rc;
    if (len != NOISELINK_ANSWER)
        return ERR_FORMAT;
    if (s->len)
        return ERR_AUTH; /* an answer to a hello that has not left */
    rc = noise_read(&s->noise, data, len, none, sizeof none, &n);
    env_charge(self->env, COST_X25519, 2);
    charge(self, 0);
    if (rc != OK)
        return ERR_AUTH;
    noise_split(&s->noise, &l->send, &l->recv, s->hash);
    proof_of(l, self, l->peer, what);
    identity_sign(self->identity, self->context, what, sizeof what, s->frame);
    env_charge(self->env, COST_ED25519_SIGN, 1);
    noise_seal(&l->send, NULL, 0, s->frame, IDENTITY_SIGNATURE, s->frame);
    charge(self, IDENTITY_SIGNATURE);
    s->len = NOISELINK_PROOF;
    l->stage = NOISELINK_OPEN;
    return proceed(l, self);
}

/* ---- the service ---------------------------------------------------------------------- */

void noiselink_accept(struct noiselink *l, link_t link)
{
    *l = (struct noiselink){.link = link, .peer = PARTY_NONE, .stage = NOISELINK_ACCEPTED};
}

static int take_claim(struct noiselink *l, const struct noiselink_self *self,
                      const uint8_t hello[NOISELINK_PLAIN])
{
    party_t claimed = get_le32(hello + 1);
    if (hello[0] != NOISELINK_VERSION)
        return ERR_FORMAT;
    if (claimed >= self->roster->n || claimed == self->self || get_le32(hello + 5) != self->self ||
        get_le64(hello + 9) == 0)
        return ERR_AUTH;
    l->peer = claimed;
    l->session = get_le64(hello + 9);
    return OK;
}

static int read_hello(struct noiselink *l, const struct noiselink_self *self, const uint8_t *data,
                      size_t len)
{
    uint8_t hello[NOISELINK_PLAIN];
    struct noiselink_shake *s;
    size_t n;
    int rc;
    if (len != (self->identity ? NOISELINK_HELLO : NOISELINK_PLAIN))
        return ERR_FORMAT;
    if (!self->identity) {
        l->stage = NOISELINK_OPEN;
        return take_claim(l, self, data);
    }
    rc = begin(l, self, false);
    if (rc != OK)
        return rc;
    s = l->shake;
    rc = noise_read(&s->noise, data, len, hello, sizeof hello, &n);
    env_charge(self->env, COST_X25519, 2);
    env_charge(self->env, COST_AEAD, 2);
    if (rc != OK)
        return ERR_AUTH;
    rc = take_claim(l, self, hello);
    if (rc != OK)
        return rc;
    if (sodium_memcmp(noise_remote_static(&s->noise), self->roster->identities[l->peer].x25519,
                      NOISE_KEY) != 0)
        return ERR_AUTH;
    rc = noise_write(&s->noise, &self->env->rng, NULL, 0, s->frame, sizeof s->frame, &s->len);
    env_charge(self->env, COST_X25519, 3);
    charge(self, 0);
    if (rc != OK)
        return ERR_AUTH;
    noise_split(&s->noise, &l->send, &l->recv, s->hash);
    l->stage = NOISELINK_PROVING;
    return proceed(l, self);
}

static int read_proof(struct noiselink *l, const struct noiselink_self *self, const uint8_t *data,
                      size_t len)
{
    uint8_t what[IDENTITY_PUBLIC + NOISE_HASH], signature[IDENTITY_SIGNATURE];
    if (len != NOISELINK_PROOF)
        return ERR_FORMAT;
    charge(self, IDENTITY_SIGNATURE);
    if (l->shake->len || noise_open(&l->recv, NULL, 0, data, len, signature) != OK)
        return ERR_AUTH;
    proof_of(l, self, self->self, what);
    env_charge(self->env, COST_ED25519_VERIFY, 1);
    if (!self->identity->modelled &&
        identity_check(&self->roster->identities[l->peer], self->context, what, sizeof what,
                       signature) != OK)
        return ERR_AUTH;
    l->stage = NOISELINK_OPEN;
    return proceed(l, self);
}

/* ---- both ----------------------------------------------------------------------------- */

int noiselink_read(struct noiselink *l, const struct noiselink_self *self, const uint8_t *data,
                   size_t len, uint8_t buf[LINK_MESSAGE_MAX], const uint8_t **plain,
                   size_t *plain_len)
{
    *plain_len = 0;
    switch ((enum noiselink_stage)l->stage) {
    case NOISELINK_ACCEPTED:
        return read_hello(l, self, data, len);
    case NOISELINK_SHAKING:
        return read_answer(l, self, data, len);
    case NOISELINK_PROVING:
        return read_proof(l, self, data, len);
    case NOISELINK_OPEN:
        break;
    }
    if (!self->identity) {
        *plain = data;
        *plain_len = len;
        return len <= NOISELINK_MAX ? OK : ERR_FORMAT;
    }
    if (len <= NOISE_TAG || len > NOISE_MESSAGE_MAX)
        return ERR_FORMAT;
    charge(self, len);
    if (noise_open(&l->recv, NULL, 0, data, len, buf) != OK)
        return ERR_AUTH;
    *plain = buf;
    *plain_len = len - NOISE_TAG;
    return OK;
}

int noiselink_send(struct noiselink *l, const struct noiselink_self *self, uint8_t *buf, size_t len)
{
    int rc;
    if (l->stage != NOISELINK_OPEN)
        return ERR_STATE;
    if (l->shake)
        return ERR_AGAIN;
    if (self->identity) {
        charge(self, len + NOISE_TAG);
        rc = noise_seal(&l->send, NULL, 0, buf, len, buf);
        if (rc != OK)
            return rc;
        len += NOISE_TAG;
    }
    rc = self->env->ops->send(self->env, l->link, buf, len);
    if (rc != OK && self->identity)
        l->send.nonce--; /* it sealed what nobody got */
    return rc;
}

int noiselink_room(struct noiselink *l, const struct noiselink_self *self)
{
    int rc = l->shake ? proceed(l, self) : OK;
    return rc == OK && l->shake && l->shake->len ? ERR_AGAIN : rc;
}

void noiselink_wipe(struct noiselink *l)
{
    end_shake(l);
    sodium_memzero(l, sizeof *l);
}
