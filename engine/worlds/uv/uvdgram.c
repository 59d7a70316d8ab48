#include "engine/worlds/uv/inner.h"

#include "engine/worlds/link/udp.h"

/* ---- ports ---------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
    struct uvport *p = h->data;
    struct uvnode *n = p->node;
    free(p);
    uvnode_dropped(n);
}

static void close_port(struct uvport *p)
{
    struct uvport **at = &p->node->ports;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    if (p->node->shared_port == p)
        p->node->shared_port = NULL;
    uv_close((uv_handle_t *)&p->udp, on_closed);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct uvport *p = h->data;
    (void)hint;
    *buf = uv_buf_init((char *)p->node->read, READ_SIZE);
}

/* A link to just that peer, else the port's own, else none. */
static struct uvlink *find(const struct uvport *p, const struct addr *from)
{
    const struct uvnode *n = p->node;
    struct uvlink *own = NULL;
    for (uint32_t i = 0; i < n->n_slots; i++) {
        struct uvlink *l = n->slots[i].link;
        if (!l || l->kind != LINK_DATAGRAM || l->port != p)
            continue;
        if (l->listener)
            own = l;
        else if (addr_equal(&l->peer, from))
            return l;
    }
    return own;
}

static void on_datagram(uv_udp_t *udp, ssize_t got, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    struct uvport *p = udp->data;
    struct uvnode *n = p->node;
    struct uvlink *l;
    struct event ev = {.kind = EV_DATA, .link_kind = LINK_DATAGRAM};
    if (got < 0 || !from || n->dead)
        return;
    ev.peer = uvplace_inward(&n->setup.places, true, uvplace_addr(from));
    l = find(p, &ev.peer);
    if (!l || (flags & UV_UDP_PARTIAL)) {
        metrics_drop(n->env.metrics, l ? DROP_MTU : DROP_REFUSED);
        return;
    }
    ev.link = l->id;
    ev.tag = l->tag;
    ev.local = l->local;
    ev.data = (const uint8_t *)buf->base;
    ev.len = (size_t)got;
    uvnode_give(n, &ev);
}

static int bind_at(struct uvport *p, uint16_t number)
{
    struct uvnode *n = p->node;
    struct addr a = n->setup.places.list[n->setup.self].bind;
    struct sockaddr_storage s;
    int rc;
    a.port = number;
    uvplace_sockaddr(&a, &s);
    rc = uv_udp_bind(&p->udp, (struct sockaddr *)&s, 0);
    return rc == 0 ? uv_udp_recv_start(&p->udp, on_alloc, on_datagram) : rc;
}

static struct uvport *port_new(struct uvnode *n)
{
    struct uvport *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->node = n;
    if (uv_udp_init(n->setup.loop, &p->udp) != 0) {
        free(p);
        return NULL;
    }
    p->udp.data = p;
    n->handles++;
    p->next = n->ports;
    n->ports = p;
    return p;
}

/* A port of the node's own range, whichever is free. */
static struct uvport *any_port(struct uvnode *n)
{
    for (int i = 0; i < UVPLACE_PORTS - UVPLACE_ACCEPTS; i++) {
        struct uvport *p = port_new(n);
        uint16_t number = uvnode_source(n);
        if (!p)
            return NULL;
        p->number = number;
        if (bind_at(p, number) == 0)
            return p;
        close_port(p);
    }
    return NULL;
}

/* ---- links ---------------------------------------------------------------------------- */

static struct uvlink *add(struct uvport *p, const struct addr *to)
{
    struct uvnode *n = p->node;
    struct uvlink *l = uvnode_link_new(n, LINK_DATAGRAM);
    if (!l)
        return NULL;
    l->state = LINK_OPEN;
    l->port = p;
    l->listener = to == NULL;
    l->local = n->env.self;
    l->local.port = p->number;
    if (to)
        l->peer = *to;
    p->links++;
    uvnode_later(n, EV_UP, l->id, DOWN_NONE);
    return l;
}

int uvdgram_listen(struct uvnode *n, unsigned k, const struct accept *accept, struct err *e)
{
    uint16_t number = uvplace_port(&n->setup.places.list[n->setup.self], k, accept);
    struct uvport *p = port_new(n);
    int rc = p ? bind_at(p, number) : UV_ENOMEM;
    if (rc != 0)
        return err_set(e, rc == UV_EADDRINUSE ? ERR_EXISTS : ERR_IO, "UDP port %u: %s",
                       (unsigned)number, uv_strerror(rc));
    p->number = accept->port;
    if (!add(p, NULL))
        return err_set(e, ERR_NOMEM, "no memory for a port");
    if (!n->shared_port)
        n->shared_port = p;
    return OK;
}

int uvdgram_open(struct uvnode *n, struct addr to, link_t *out)
{
    static const struct addr nowhere;
    bool further = addr_equal(&to, &nowhere);
    struct uvport *p = further ? NULL : n->shared_port;
    struct uvlink *l;
    if (!further && to.port == 0)
        return ERR_INVALID;
    if (!p)
        p = any_port(n);
    if (!p)
        return ERR_LIMIT;
    l = add(p, further ? NULL : &to);
    if (!l) {
        if (p->links == 0)
            close_port(p);
        return ERR_LIMIT;
    }
    if (!further)
        n->shared_port = p;
    *out = l->id;
    return OK;
}

void uvdgram_close(struct uvlink *l)
{
    struct uvport *p = l->port;
    uvnode_link_forget(l);
    free(l);
    if (--p->links == 0)
        close_port(p);
}

void uvdgram_end(struct uvnode *n)
{
    while (n->ports)
        close_port(n->ports);
}

int uvdgram_send(struct uvlink *l, struct addr to, const void *data, size_t len)
{
    struct uvnode *n = l->node;
    struct sockaddr_storage s;
    struct addr real;
    uv_buf_t buf;
    int rc;
    if (len > UDP_PAYLOAD_MAX) {
        metrics_drop(n->env.metrics, DROP_MTU);
        return ERR_TOO_BIG;
    }
    if (to.port == 0)
        return ERR_INVALID;
    real = uvplace_outward(&n->setup.places, true, to);
    uvplace_sockaddr(&real, &s);
    buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
    rc = uv_udp_try_send(&l->port->udp, &buf, 1, (struct sockaddr *)&s);
    if (rc < 0)
        metrics_drop(n->env.metrics, rc == UV_EAGAIN ? DROP_QUEUE : DROP_NO_ROUTE);
    else
        uvsight_sent(n, &to, true, len);
    if (rc >= 0)
        uvsight_out(n, &l->local, &to, len, 0);
    return OK;
}
