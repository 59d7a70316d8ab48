#include "engine/worlds/uv/inner.h"

enum down_reason uvstream_reason(int rc)
{
    switch (rc) {
    case UV_ECONNREFUSED:
        return DOWN_REFUSED;
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
    case UV_EADDRNOTAVAIL:
    case UV_EAFNOSUPPORT:
    case UV_EINVAL:
        return DOWN_UNREACHABLE;
    case UV_ETIMEDOUT:
        return DOWN_TIMEOUT;
    case UV_EOF:
        return DOWN_CLOSED;
    default:
        return DOWN_RESET;
    }
}

/* ---- ending --------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
    struct uvlink *l = h->data;
    struct uvnode *n = l->node;
    free(l->buf);
    free(l);
    uvnode_dropped(n);
}

void uvstream_end(struct uvlink *l)
{
    if (l->ended)
        return;
    l->ended = true;
    uvwrite_forget(l);
    uv_close((uv_handle_t *)&l->tcp, on_closed);
}

void uvstream_down(struct uvlink *l, enum down_reason why)
{
    struct uvnode *n = l->node;
    struct event ev = {.kind = EV_DOWN,
                       .link_kind = l->kind,
                       .link = l->id,
                       .tag = l->tag,
                       .why = why,
                       .local = l->local,
                       .peer = l->peer};
    if (l->ended || l->state == LINK_CLOSING)
        return;
    if (l->have)
        metrics_drop(n->env.metrics, DROP_LINK_CLOSED);
    uvnode_link_forget(l);
    uvstream_end(l);
    uvnode_give(n, &ev);
}

static void unlink_closing(struct uvlink *l)
{
    struct uvlink **at = &l->node->closing;
    while (*at && *at != l)
        at = &(*at)->next;
    if (*at) {
        *at = l->next;
        l->node->n_closing--;
    }
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct uvlink *l = request->data;
    (void)status;
    if (l->ended)
        return;
    unlink_closing(l);
    uvstream_end(l);
}

void uvstream_close(struct uvlink *l)
{
    struct uvnode *n = l->node;
    bool open = l->state == LINK_OPEN;
    uvwrite_flush(l);
    uvnode_link_forget(l);
    l->state = LINK_CLOSING;
    uv_read_stop((uv_stream_t *)&l->tcp);
    l->shutdown.data = l;
    if (!open || uv_shutdown(&l->shutdown, (uv_stream_t *)&l->tcp, on_shutdown) != 0) {
        uvstream_end(l);
        return;
    }
    l->closed_at = uvnode_now(n);
    l->next = n->closing;
    n->closing = l;
    n->n_closing++;
}

void uvstream_sweep(struct uvnode *n, ns_t now)
{
    struct uvlink **at = &n->closing;
    while (*at) {
        struct uvlink *l = *at;
        if (now - l->closed_at < UVNODE_FLUSH) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        n->n_closing--;
        uvstream_end(l);
    }
}

/* ---- receiving ------------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct uvlink *l = h->data;
    (void)hint;
    *buf = uv_buf_init((char *)l->node->read, READ_SIZE);
}

static void on_read(uv_stream_t *s, ssize_t got, const uv_buf_t *buf)
{
    struct uvlink *l = s->data;
    if (l->ended || l->state != LINK_OPEN || got == 0)
        return;
    if (got < 0)
        uvstream_down(l, uvstream_reason((int)got));
    else if (l->kind == LINK_MESSAGE)
        uvframe_take(l, (const uint8_t *)buf->base, (size_t)got);
    else
        uvframe_hand_over(l, (const uint8_t *)buf->base, (size_t)got);
}

/* ---- opening -------------------------------------------------------------------------- */

static void come_up(struct uvlink *l)
{
    struct event ev = {.kind = EV_UP, .link_kind = l->kind, .link = l->id, .tag = l->tag};
    l->state = LINK_OPEN;
    uv_tcp_nodelay(&l->tcp, 1);
    ev.local = l->local;
    ev.peer = l->peer;
    uvnode_give(l->node, &ev);
    if (!l->ended && l->state == LINK_OPEN)
        uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read);
}

static struct addr name_of(struct uvnode *n, const uv_tcp_t *tcp, bool peer)
{
    struct sockaddr_storage s = {0};
    int len = sizeof s;
    if (peer)
        uv_tcp_getpeername(tcp, (struct sockaddr *)&s, &len);
    else
        uv_tcp_getsockname(tcp, (struct sockaddr *)&s, &len);
    return uvplace_inward(&n->setup.places, false, uvplace_addr((struct sockaddr *)&s));
}

static void on_connected(uv_connect_t *request, int status)
{
    struct uvlink *l = request->data;
    if (l->ended || l->state != LINK_CONNECTING)
        return;
    if (status < 0) {
        uvstream_down(l, uvstream_reason(status));
        return;
    }
    l->local = name_of(l->node, &l->tcp, false);
    uvsight_sent(l->node, &l->peer, false, 0);
    come_up(l);
}

static int make(struct uvlink *l)
{
    int rc = uv_tcp_init(l->node->setup.loop, &l->tcp);
    l->tcp.data = l;
    if (rc == 0)
        l->node->handles++;
    return rc;
}

/* From a port of the node's own range, so that who sees it knows whose it is; from any other
 * where that is not to be had. */
static void bind_source(struct uvlink *l, const struct addr *to)
{
    struct uvnode *n = l->node;
    const struct uvplace *own = &n->setup.places.list[n->setup.self];
    struct addr from = own->bind;
    struct sockaddr_storage a, b;
    from.port = own->address.port ? uvnode_source(n) : 0;
    uvplace_sockaddr(&from, &a);
    uvplace_sockaddr(to, &b);
    if (a.ss_family == b.ss_family)
        uv_tcp_bind(&l->tcp, (struct sockaddr *)&a, 0);
}

static int dial(struct uvlink *l, const struct addr *to)
{
    struct sockaddr_storage s;
    uvplace_sockaddr(to, &s);
    l->connect.data = l;
    return uv_tcp_connect(&l->connect, &l->tcp, (struct sockaddr *)&s, on_connected);
}

int uvstream_open(struct uvnode *n, enum link_kind kind, struct addr to, link_t *out)
{
    struct addr real = uvplace_outward(&n->setup.places, false, to);
    struct uvlink *l;
    int rc;
    if (to.port == 0)
        return ERR_INVALID;
    l = uvnode_link_new(n, kind);
    if (!l)
        return ERR_LIMIT;
    l->peer = to;
    if (make(l) != 0) {
        uvnode_link_forget(l);
        free(l);
        return ERR_LIMIT;
    }
    bind_source(l, &real);
    rc = dial(l, &real);
    *out = l->id;
    if (rc != 0)
        uvnode_later(n, EV_DOWN, l->id, uvstream_reason(rc));
    return OK;
}

static void refuse(uv_stream_t *server);

static void on_connection(uv_stream_t *server, int status)
{
    struct uvlistener *at = server->data;
    struct uvnode *n = at->node;
    struct uvlink *l;
    if (status < 0 || n->dead) {
        metrics_drop(n->env.metrics, DROP_REFUSED);
        return;
    }
    l = uvnode_link_new(n, at->accept->kind);
    if (!l) {
        refuse(server);
        return;
    }
    if (make(l) != 0) {
        uvnode_link_forget(l);
        free(l);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)&l->tcp) != 0) {
        uvnode_link_forget(l);
        uvstream_end(l);
        return;
    }
    l->local = n->env.self;
    l->local.port = at->accept->port;
    l->peer = name_of(n, &l->tcp, true);
    come_up(l);
}

static void on_refused(uv_handle_t *h)
{
    struct uvnode *n = h->data;
    free(h);
    uvnode_dropped(n);
}

/* One too many. */
static void refuse(uv_stream_t *server)
{
    struct uvlistener *at = server->data;
    struct uvnode *n = at->node;
    uv_tcp_t *tcp = malloc(sizeof *tcp);
    metrics_drop(n->env.metrics, DROP_REFUSED);
    if (!tcp)
        return;
    uv_tcp_init(n->setup.loop, tcp);
    tcp->data = n;
    n->handles++;
    uv_accept(server, (uv_stream_t *)tcp);
    uv_close((uv_handle_t *)tcp, on_refused);
}

int uvstream_listen(struct uvnode *n, unsigned k, const struct accept *accept, struct err *e)
{
    const struct uvplace *own = &n->setup.places.list[n->setup.self];
    struct uvlistener *at = &n->listeners[k];
    struct addr a = own->bind;
    struct sockaddr_storage s;
    int rc;
    a.port = uvplace_port(own, k, accept);
    uvplace_sockaddr(&a, &s);
    rc = uv_tcp_init(n->setup.loop, &at->tcp);
    if (rc != 0)
        return err_set(e, ERR_IO, "no socket: %s", uv_strerror(rc));
    at->node = n;
    at->accept = accept;
    at->tcp.data = at;
    n->handles++;
    rc = uv_tcp_bind(&at->tcp, (struct sockaddr *)&s, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&at->tcp, 512, on_connection);
    if (rc != 0)
        return err_set(e, rc == UV_EADDRINUSE ? ERR_EXISTS : ERR_IO, "TCP port %u: %s",
                       (unsigned)a.port, uv_strerror(rc));
    return OK;
}
