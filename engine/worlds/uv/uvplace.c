#include "engine/worlds/uv/uvplace.h"

#include "engine/node.h"

#include <netinet/in.h>
#include <uv.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct addr *a)
{
    return memcmp(a->ip, v4_prefix, sizeof v4_prefix) == 0;
}

void uvplace_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (is_v4(a)) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->ip + 12, 4);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)out;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(a->port);
        memcpy(&in->sin6_addr, a->ip, 16);
    }
}

struct addr uvplace_addr(const struct sockaddr *s)
{
    struct addr a = {0};
    if (s->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, s, sizeof in);
        memcpy(a.ip, v4_prefix, sizeof v4_prefix);
        memcpy(a.ip + 12, &in.sin_addr, 4);
        a.port = ntohs(in.sin_port);
    } else if (s->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, s, sizeof in);
        memcpy(a.ip, &in.sin6_addr, 16);
        a.port = ntohs(in.sin6_port);
    }
    return a;
}

int uvplace_resolve(const char *host, uint16_t port, struct addr *out, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    uv_getaddrinfo_t request;
    uv_loop_t loop;
    int rc = uv_loop_init(&loop);
    if (rc == 0) {
        rc = uv_getaddrinfo(&loop, &request, NULL, host, NULL, &hints);
        uv_loop_close(&loop);
    }
    if (rc != 0)
        return err_set(e, ERR_ABSENT, "there is no address for %s: %s", host, uv_strerror(rc));
    *out = uvplace_addr(request.addrinfo->ai_addr);
    out->port = port;
    uv_freeaddrinfo(request.addrinfo);
    return OK;
}

bool uvplace_loopback(const struct addr *a)
{
    static const uint8_t six[16] = {[15] = 1};
    return is_v4(a) ? a->ip[12] == 127 : memcmp(a->ip, six, sizeof six) == 0;
}

party_t uvplace_owner(const struct uvplaces *p, const struct addr *a)
{
    const struct roster *r = p->trial->roster;
    for (uint32_t i = 0; i < r->n; i++)
        if (memcmp(r->entries[i].addr.ip, a->ip, sizeof a->ip) == 0)
            return i;
    return PARTY_NONE;
}

int uvplace_accept(const struct uvplaces *p, party_t id, bool datagram, uint16_t port)
{
    const struct accept *list = node_accepts(p->trial, id);
    for (int k = 0; list && list[k].port && k < UVPLACE_ACCEPTS; k++)
        if (list[k].port == port && (list[k].kind == LINK_DATAGRAM) == datagram)
            return k;
    return -1;
}

struct addr uvplace_outward(const struct uvplaces *p, bool datagram, struct addr a)
{
    party_t id = uvplace_owner(p, &a);
    struct addr real;
    int k;
    if (id == PARTY_NONE)
        return a;
    real = p->list[id].address;
    if (real.port == 0) {
        real.port = a.port;
        return real;
    }
    k = uvplace_accept(p, id, datagram, a.port);
    real.port = k < 0 ? a.port : (uint16_t)(real.port + k);
    return real;
}

struct addr uvplace_self(const struct uvplaces *p, party_t id)
{
    static const uint8_t any[2][16] = {{0}, {[10] = 0xff, [11] = 0xff}};
    const struct uvplace *own = &p->list[id];
    struct addr a = p->trial->roster->entries[id].addr;
    if (own->address.port == 0 && memcmp(own->bind.ip, any[0], 16) != 0 &&
        memcmp(own->bind.ip, any[1], 16) != 0)
        memcpy(a.ip, own->bind.ip, sizeof a.ip);
    return a;
}

uint16_t uvplace_port(const struct uvplace *p, unsigned k, const struct accept *accept)
{
    return p->address.port ? (uint16_t)(p->address.port + k) : accept->port;
}

static party_t who_is_at(const struct uvplaces *p, const struct addr *a)
{
    party_t only = PARTY_NONE;
    unsigned n = 0;
    for (uint32_t i = 0; i < p->trial->roster->n; i++) {
        const struct addr *base = &p->list[i].address;
        if (memcmp(base->ip, a->ip, sizeof a->ip) != 0)
            continue;
        if (base->port && a->port >= base->port && a->port - base->port < UVPLACE_PORTS)
            return i;
        only = i;
        n++;
    }
    return n == 1 ? only : PARTY_NONE;
}

struct addr uvplace_inward(const struct uvplaces *p, bool datagram, struct addr a)
{
    party_t id = who_is_at(p, &a);
    const struct accept *list;
    unsigned k;
    if (id == PARTY_NONE)
        return a;
    memcpy(a.ip, p->trial->roster->entries[id].addr.ip, sizeof a.ip);
    if (p->list[id].address.port == 0)
        return a;
    list = node_accepts(p->trial, id);
    k = (unsigned)(a.port - p->list[id].address.port);
    for (unsigned i = 0; list && list[i].port && i < UVPLACE_ACCEPTS; i++)
        if (i == k && (list[i].kind == LINK_DATAGRAM) == datagram)
            a.port = list[i].port;
    return a;
}
