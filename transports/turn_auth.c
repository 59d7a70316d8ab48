/* A TURN server's nonces, and whether a request is who it says (RFC 8489, 9.2.4). */
#include "transports/turn_auth.h"

#include <sodium.h>

static const char hex[] = "0123456789abcdef";

/* ---- nonces: the time in seconds and a keyed hash of it and of the client, in hex ---------- */

static void write_nonce(const struct turn_server *s, const struct turn_client_id *id,
                        uint32_t seconds, char out[TURN_SERVER_NONCE + 1])
{
    uint8_t mac[16], in[26], bytes[TURN_SERVER_NONCE / 2];
    for (int i = 0; i < 4; i++) {
        in[i] = (uint8_t)(seconds >> (24 - 8 * i));
        in[4 + i] = (uint8_t)(id->link >> (24 - 8 * i));
    }
    memcpy(in + 8, id->addr.ip, 16);
    in[24] = (uint8_t)(id->addr.port >> 8);
    in[25] = (uint8_t)id->addr.port;
    crypto_generichash(mac, sizeof mac, in, sizeof in, s->nonce_key, sizeof s->nonce_key);
    memcpy(bytes, in, 4);
    memcpy(bytes + 4, mac, sizeof bytes - 4);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[TURN_SERVER_NONCE] = 0;
}

static bool nonce_good(const struct turn_server *s, const struct turn_client_id *id,
                       const char *nonce)
{
    char own[TURN_SERVER_NONCE + 1];
    uint32_t seconds = 0;
    ns_t now = s->setup.env->now;
    if (strlen(nonce) != TURN_SERVER_NONCE)
        return false;
    for (int i = 0; i < 8; i++) {
        const char *digit = strchr(hex, nonce[i]);
        if (!digit)
            return false;
        seconds = seconds << 4 | (uint32_t)(digit - hex);
    }
    write_nonce(s, id, seconds, own);
    return sodium_memcmp(own, nonce, TURN_SERVER_NONCE) == 0 && seconds * NS_S <= now &&
           (s->limits->stale_nonce == 0 || now - seconds * NS_S < s->limits->stale_nonce);
}

/* ---- credentials --------------------------------------------------------------------------------
 */

/* The name behind "expiry:", or NULL: malformed or over. */
static const char *living(const char *username, ns_t now)
{
    int64_t expiry = 0;
    const char *p = username;
    for (; *p >= '0' && *p <= '9'; p++)
        if (expiry < INT64_MAX / NS_S / 10 - 1)
            expiry = 10 * expiry + (*p - '0');
    if (p == username || (*p && *p != ':') || expiry * NS_S <= now)
        return NULL;
    return *p ? p + 1 : p;
}

uint16_t turn_auth_check(const struct turn_server *s, const struct turn_asker *who,
                         const struct stun_packet *m, struct turn_proof *proof)
{
    char password[STUN_PASSWORD];
    bool good;
    if (!(m->has & STUN_HAS_INTEGRITY))
        return 401;
    if (!m->username || !m->realm || !m->nonce)
        return 400;
    if (!nonce_good(s, &who->id, m->nonce))
        return 438;
    if (strcmp(m->realm, s->limits->realm) != 0)
        return 437;
    proof->user = living(m->username, s->setup.env->now);
    if (!proof->user || strlen(m->username) >= STUN_TEXT)
        return 401;
    stun_rest_password(password, s->limits->secret, m->username);
    stun_key(proof->key, m->username, s->limits->realm, password);
    sodium_memzero(password, sizeof password);
    good = stun_signed_with(m, proof->key);
    return good ? OK : 401;
}

void turn_auth_nonce(const struct turn_server *s, const struct turn_client_id *id,
                     char out[TURN_SERVER_NONCE + 1])
{
    write_nonce(s, id, (uint32_t)(s->setup.env->now / NS_S), out);
}
