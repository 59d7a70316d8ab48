#include <stdint.h>
#include <sys/socket.h>

#define HAVE_STDINT_H 1
#define HAVE_STDBOOL_H 1
#define HAVE_INET6 1
#include <re/re_types.h>
#include <re/re_fmt.h>
#include <re/re_mem.h>
#include <re/re_mbuf.h>
#include <re/re_list.h>
#include <re/re_sa.h>
#include <re/re_stun.h>
#include <re/re_base64.h>
#include <re/re_hmac.h>
#include <re/re_md5.h>

#include "transports/stun.h"

#include <sodium.h>
#include <string.h>

enum { ATTR_ICMP = 0x8004, SHA1_BYTES = 20 };

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static const uint8_t mapped_prefix[12] = {[10] = 255, [11] = 255};

static struct addr addr_from(const struct sa *sa)
{
    struct addr a = {.port = sa_port(sa)};
    uint32_t ip;
    if (sa_af(sa) == AF_INET) {
        ip = sa_in(sa);
        memcpy(a.ip, mapped_prefix, sizeof mapped_prefix);
        for (int i = 0; i < 4; i++)
            a.ip[12 + i] = (uint8_t)(ip >> (24 - 8 * i));
    } else {
        sa_in6(sa, a.ip);
    }
    return a;
}

static const struct sa *addr_to(struct sa *sa, const struct addr *a)
{
    if (memcmp(a->ip, mapped_prefix, sizeof mapped_prefix) == 0)
        sa_set_in(sa,
                  (uint32_t)a->ip[12] << 24 | (uint32_t)a->ip[13] << 16 | (uint32_t)a->ip[14] << 8 |
                      a->ip[15],
                  a->port);
    else
        sa_set_in6(sa, a->ip, a->port);
    return sa;
}

bool stun_is(const void *data, size_t len)
{
    const uint8_t *p = data;
    return len >= STUN_HEADER && p[0] < 0x40 && be16(p + 4) == STUN_COOKIE >> 16 &&
           be16(p + 6) == (STUN_COOKIE & 0xffff);
}

/* ---- reading ---------------------------------------------------------------------------- */

/* What libre does not know of, from the bytes; they are as long as the header says. */
static void find_icmp(struct stun_packet *m, const uint8_t *p, size_t len)
{
    for (size_t at = STUN_HEADER; at + 4 <= len;) {
        size_t n = be16(p + at + 2);
        if (be16(p + at) == ATTR_ICMP && n == 8 && at + 4 + n <= len) {
            m->has |= STUN_HAS_ICMP;
            m->icmp_type = (uint8_t)(be16(p + at + 6) >> 9);
            m->icmp_code = be16(p + at + 6) & 0x1ff;
        }
        at += 4 + (n + 3) / 4 * 4;
    }
}

static void first(struct stun_packet *m, unsigned bit, const struct stun_attr *a, struct addr *out)
{
    if (!(m->has & bit))
        *out = addr_from(&a->v.sa);
    m->has |= bit;
}

/* The first of each counts (RFC 8489, 14). True would end the walk. */
static bool take(const struct stun_attr *a, void *arg)
{
    struct stun_packet *m = arg;
    const unsigned seen = m->has;
    switch (a->type) {
    case STUN_ATTR_LIFETIME:
        m->lifetime = seen & STUN_HAS_LIFETIME ? m->lifetime : a->v.lifetime;
        m->has |= STUN_HAS_LIFETIME;
        break;
    case STUN_ATTR_CHANNEL_NUMBER:
        m->channel = seen & STUN_HAS_CHANNEL ? m->channel : a->v.channel_number;
        m->has |= STUN_HAS_CHANNEL;
        break;
    case STUN_ATTR_REQ_TRANSPORT:
        m->transport = seen & STUN_HAS_TRANSPORT ? m->transport : a->v.req_transport;
        m->has |= STUN_HAS_TRANSPORT;
        break;
    case STUN_ATTR_REQ_ADDR_FAMILY:
        m->family = seen & STUN_HAS_FAMILY ? m->family : a->v.req_addr_family;
        m->has |= STUN_HAS_FAMILY;
        break;
    case STUN_ATTR_EVEN_PORT:
        m->has |= STUN_HAS_EVEN_PORT;
        m->even_port_next = a->v.even_port.r;
        break;
    case STUN_ATTR_RSV_TOKEN:
        m->has |= STUN_HAS_TOKEN;
        break;
    case STUN_ATTR_DONT_FRAGMENT:
        m->has |= STUN_HAS_DONT_FRAGMENT;
        break;
    case STUN_ATTR_XOR_RELAY_ADDR:
        first(m, STUN_HAS_RELAYED, a, &m->relayed);
        break;
    case STUN_ATTR_XOR_MAPPED_ADDR:
        first(m, STUN_HAS_MAPPED, a, &m->mapped);
        break;
    case STUN_ATTR_ALT_SERVER:
        first(m, STUN_HAS_ALTERNATE, a, &m->alternate);
        break;
    case STUN_ATTR_XOR_PEER_ADDR:
        if (m->n_peers < STUN_PEERS)
            m->peers[m->n_peers++] = addr_from(&a->v.sa);
        break;
    case STUN_ATTR_USERNAME:
        m->username = m->username ? m->username : a->v.str;
        break;
    case STUN_ATTR_REALM:
        m->realm = m->realm ? m->realm : a->v.str;
        break;
    case STUN_ATTR_NONCE:
        m->nonce = m->nonce ? m->nonce : a->v.str;
        break;
    case STUN_ATTR_SOFTWARE:
        m->software = m->software ? m->software : a->v.str;
        break;
    case STUN_ATTR_ERR_CODE:
        m->code = m->code ? m->code : a->v.err_code.code;
        break;
    case STUN_ATTR_UNKNOWN_ATTR:
        if (m->n_listed)
            break;
        m->n_listed = a->v.unknown_attr.typec;
        memcpy(m->listed, a->v.unknown_attr.typev, sizeof m->listed);
        break;
    case STUN_ATTR_DATA:
        if (!m->data) {
            m->data = a->v.data.buf + a->v.data.pos;
            m->len = a->v.data.end - a->v.data.pos;
        }
        break;
    case STUN_ATTR_MSG_INTEGRITY:
        m->has |= STUN_HAS_INTEGRITY;
        break;
    case STUN_ATTR_FINGERPRINT:
        m->has |= STUN_HAS_FINGERPRINT;
        break;
    default:
        break;
    }
    return false;
}

int stun_read(struct stun_packet *m, const void *data, size_t len)
{
    struct stun_unknown_attr unknown = {.typec = 0};
    struct stun_msg *msg = NULL;
    struct mbuf *mb;
    int rc = ERR_NOMEM;
    *m = (struct stun_packet){0};
    if (!stun_is(data, len))
        return len < STUN_HEADER ? ERR_TRUNCATED : ERR_FORMAT;
    if (be16((const uint8_t *)data + 2) + (size_t)STUN_HEADER != len)
        return be16((const uint8_t *)data + 2) + (size_t)STUN_HEADER > len ? ERR_TRUNCATED
                                                                           : ERR_FORMAT;
    mb = mbuf_alloc(len);
    if (!mb)
        return ERR_NOMEM;
    if (mbuf_write_mem(mb, data, len) == 0) {
        mb->pos = 0;
        rc = stun_msg_decode(&msg, mb, &unknown) ? ERR_FORMAT : OK;
    }
    mem_deref(mb);
    if (rc != OK)
        return rc;
    m->own = msg;
    m->kind = (enum stun_kind)stun_msg_class(msg);
    m->name = stun_msg_method(msg);
    memcpy(m->tid, stun_msg_tid(msg), STUN_TID);
    stun_msg_attr_apply(msg, take, m);
    find_icmp(m, data, len);
    m->n_unknown = unknown.typec;
    memcpy(m->unknown, unknown.typev, unknown.typec * sizeof *m->unknown);
    if ((m->has & STUN_HAS_FINGERPRINT) && stun_msg_chk_fingerprint(msg) != 0) {
        stun_drop(m);
        return ERR_FORMAT;
    }
    return OK;
}

void stun_drop(struct stun_packet *m)
{
    m->own = mem_deref(m->own);
}

bool stun_signed_with(const struct stun_packet *m, const uint8_t key[STUN_KEY])
{
    return (m->has & STUN_HAS_INTEGRITY) && stun_msg_chk_mi(m->own, key, STUN_KEY) == 0;
}

/* ---- writing ---------------------------------------------------------------------------- */

const char *stun_reason(uint16_t code)
{
    switch (code) {
    case 300:
        return "Try Alternate";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 420:
        return "Unknown Attribute";
    case 437:
        return "Allocation Mismatch";
    case 438:
        return "Stale Nonce";
    case 440:
        return "Address Family not Supported";
    case 441:
        return "Wrong Credentials";
    case 442:
        return "Unsupported Transport Protocol";
    case 443:
        return "Peer Address Family Mismatch";
    case 446:
        return "Connection Already Exists";
    case 486:
        return "Allocation Quota Reached";
    case 508:
        return "Insufficient Capacity";
    default:
        return code >= 500 ? "Server Error" : "Error";
    }
}

static int encode(struct mbuf *mb, const struct stun_packet *m, const uint8_t *key)
{
    struct stun_errcode error = {.code = m->code,
                                 .reason = (char *)(uintptr_t)stun_reason(m->code)};
    struct stun_unknown_attr listed = {.typec = m->n_listed};
    struct mbuf data = {.buf = (uint8_t *)(uintptr_t)m->data, .size = m->len, .end = m->len};
    struct sa relayed, mapped, alternate, peers[STUN_PEERS];
    unsigned channel = m->channel, transport = m->transport, family = m->family;
    struct stun_even_port even = {.r = m->even_port_next};
    const uint64_t token = 0;
    memcpy(listed.typev, m->listed, sizeof listed.typev);
    for (uint32_t i = 0; i < m->n_peers; i++)
        addr_to(&peers[i], &m->peers[i]);
#define IF(bit, value) ((m->has & STUN_HAS_##bit) ? (const void *)(value) : NULL)
#define PEER(i) STUN_ATTR_XOR_PEER_ADDR, m->n_peers > (i) ? (const void *)&peers[i] : NULL
    return stun_msg_encode(
        mb, m->name, (uint8_t)m->kind, m->tid, m->code ? &error : NULL, key, STUN_KEY,
        (m->has & STUN_HAS_FINGERPRINT) != 0, 0, 32, STUN_ATTR_UNKNOWN_ATTR,
        m->n_listed ? (const void *)&listed : NULL, STUN_ATTR_ALT_SERVER,
        IF(ALTERNATE, addr_to(&alternate, &m->alternate)), STUN_ATTR_XOR_RELAY_ADDR,
        IF(RELAYED, addr_to(&relayed, &m->relayed)), STUN_ATTR_XOR_MAPPED_ADDR,
        IF(MAPPED, addr_to(&mapped, &m->mapped)), STUN_ATTR_REQ_TRANSPORT,
        IF(TRANSPORT, &transport), STUN_ATTR_REQ_ADDR_FAMILY, IF(FAMILY, &family),
        STUN_ATTR_EVEN_PORT, IF(EVEN_PORT, &even), STUN_ATTR_RSV_TOKEN, IF(TOKEN, &token),
        STUN_ATTR_DONT_FRAGMENT, IF(DONT_FRAGMENT, &even), STUN_ATTR_CHANNEL_NUMBER,
        IF(CHANNEL, &channel), STUN_ATTR_LIFETIME, IF(LIFETIME, &m->lifetime), PEER(0), PEER(1),
        PEER(2), PEER(3), PEER(4), PEER(5), PEER(6), PEER(7), PEER(8), PEER(9), PEER(10), PEER(11),
        PEER(12), PEER(13), PEER(14), PEER(15), STUN_ATTR_USERNAME, (const void *)m->username,
        STUN_ATTR_REALM, (const void *)m->realm, STUN_ATTR_NONCE, (const void *)m->nonce,
        STUN_ATTR_SOFTWARE, (const void *)m->software, STUN_ATTR_DATA,
        m->data ? (const void *)&data : NULL);
#undef PEER
#undef IF
}

size_t stun_write(const struct stun_packet *m, const uint8_t *key, void *out, size_t cap)
{
    struct mbuf *mb = mbuf_alloc(256 + m->len);
    size_t len = 0;
    if (mb && encode(mb, m, key) == 0 && mb->end <= cap) {
        len = mb->end;
        memcpy(out, mb->buf, len);
    }
    mem_deref(mb);
    return len;
}

/* ---- keys --------------------------------------------------------------------------------- */

void stun_key(uint8_t key[STUN_KEY], const char *username, const char *realm, const char *password)
{
    uint8_t text[3 * STUN_TEXT + 2];
    const char *const parts[] = {username, ":", realm, ":", password};
    size_t len = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strnlen(parts[i], STUN_TEXT);
        memcpy(text + len, parts[i], n);
        len += n;
    }
    md5(text, len, key);
    sodium_memzero(text, sizeof text);
}

void stun_rest_password(char password[STUN_PASSWORD], const char *secret, const char *username)
{
    uint8_t mac[SHA1_BYTES];
    size_t len = STUN_PASSWORD - 1;
    hmac_sha1((const uint8_t *)secret, strlen(secret), (const uint8_t *)username, strlen(username),
              mac, sizeof mac);
    if (base64_encode(mac, sizeof mac, password, &len) != 0)
        len = 0;
    password[len] = 0;
    sodium_memzero(mac, sizeof mac);
}
