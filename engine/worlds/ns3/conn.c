#include "engine/worlds/ns3/inner.h"

#include "engine/base/bytes.h"

/* ---- numbers -------------------------------------------------------------------------- */

struct ns3_end *conn_new(struct ns3_node *n, enum link_kind kind)
{
    struct ns3_end *end;
    if (n->n_links == NS3_LINKS_MAX)
        return NULL;
    if (n->n_links == n->cap_links) {
        uint32_t cap = n->cap_links ? 2 * n->cap_links : 8;
        struct ns3_end **links = realloc(n->links, cap * sizeof(struct ns3_end *));
        if (!links)
            return NULL;
        n->links = links;
        n->cap_links = cap;
    }
    end = calloc(1, sizeof *end);
    if (!end)
        return NULL;
    end->node = n;
    end->kind = kind;
    end->to = PARTY_NONE;
    n->links[n->n_links++] = end;
    end->link = n->n_links;
    return end;
}

static struct ns3_end *find(const struct ns3_node *n, link_t link)
{
    struct ns3_end *end = link && link <= n->n_links ? n->links[link - 1] : NULL;
    return end && end->state != END_CLOSED ? end : NULL;
}

/* Both ends of a stream are over: what was sent and not handed over is lost. */
static void mourn(struct ns3_end *end)
{
    struct ns3 *w = end->node->w;
    for (; end->sent_n; end->sent_n--) {
        witness_drop(w, end->node->id, end->to, end->sent[end->sent_first].len, DROP_LINK_CLOSED);
        end->sent_first = (end->sent_first + 1) % end->sent_cap;
    }
    free(end->sent);
    end->sent = NULL;
    end->sent_cap = end->sent_first = 0;
}

void conn_release(struct ns3_end *end)
{
    end->state = END_CLOSED;
    free(end->buf);
    end->buf = NULL;
    end->have = end->cap = 0;
    if (!end->peer || end->peer->state == END_CLOSED) {
        mourn(end);
        if (end->peer)
            mourn(end->peer);
    }
}

void conn_free(struct ns3_node *n)
{
    for (uint32_t i = 0; i < n->n_links; i++) {
        free(n->links[i]->buf);
        free(n->links[i]->sent);
        free(n->links[i]);
    }
    free(n->links);
}

/* ---- what nodes ask ------------------------------------------------------------------- */

/* Now, or when the node has computed. */
void conn_later(struct ns3_event *e)
{
    struct ns3_node *n = e->node;
    if (n->env.spent) {
        event_post(e, n->env.now + n->env.spent);
        return;
    }
    conn_do(e);
    event_free(e);
}

static int stream_open(struct ns3_node *n, enum link_kind kind, struct addr to, link_t *out)
{
    uint16_t port;
    const struct ns3_node *target = address_target(n->w, NAT_TCP, &to, &port);
    ns_t at = n->env.now + n->env.spent;
    struct ns3_end *end;
    struct ns3_event *e;
    if (to.port == 0)
        return ERR_INVALID;
    end = conn_new(n, kind);
    if (!end)
        return ERR_LIMIT;
    nat_own_address(&n->w->nat, &to);
    end->remote = to;
    end->dialled = true;
    *out = end->link;
    metrics_count(n->w->metrics, COUNT_LINKS, 1);
    if (!target) {
        witness_drop(n->w, n->id, PARTY_NONE, 56, DROP_NO_ROUTE);
        event_simple(n, end, TELL_DOWN, DOWN_UNREACHABLE, at);
        return OK;
    }
    end->to = target->id;
    e = event_new(n, DO_DIAL, 0);
    if (e) {
        e->end = end;
        conn_later(e);
    }
    return OK;
}

static int op_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    struct ns3_node *n = node_of(env);
    if (n->doomed)
        return ERR_LIMIT;
    if (kind == LINK_HANDOVER)
        return ERR_UNSUPPORTED;
    if (kind == LINK_DATAGRAM)
        return dgram_open(n, to, out);
    return stream_open(n, kind, to, out);
}

static bool note_sent(struct ns3_end *end, size_t len)
{
    if (end->sent_n == end->sent_cap) {
        size_t cap = end->sent_cap ? 2 * end->sent_cap : 16;
        struct ns3_sent *sent = malloc(cap * sizeof *sent);
        if (!sent)
            return false;
        for (size_t i = 0; i < end->sent_n; i++)
            sent[i] = end->sent[(end->sent_first + i) % end->sent_cap];
        free(end->sent);
        end->sent = sent;
        end->sent_first = 0;
        end->sent_cap = cap;
    }
    end->sent[(end->sent_first + end->sent_n++) % end->sent_cap] =
        (struct ns3_sent){end->node->env.now + end->node->env.spent, (uint32_t)len};
    return true;
}

/* The fault plan's word on this send: OK if there is none. */
static int planted(struct ns3_end *end, size_t len)
{
    struct ns3_node *n = end->node;
    struct ns3 *w = n->w;
    if (++w->sends == w->plan->refuse_send) {
        w->result->faults_fired++;
        end->blocked = end->room = true;
        event_simple(n, end, TELL_ROOM, 0, n->env.now + n->env.spent);
        return ERR_AGAIN;
    }
    if (++w->messages == w->plan->lose_message) {
        w->result->faults_fired++;
        witness_drop(w, n->id, end->to, (uint32_t)len, DROP_FAULT);
        return ERR_FAULT;
    }
    return OK;
}

static int stream_send(struct ns3_end *end, const void *data, size_t len)
{
    size_t frame = end->kind == LINK_MESSAGE ? LINK_FRAME : 0;
    struct ns3_event *e;
    if (end->state != END_OPEN)
        return ERR_CLOSED;
    if (len > LINK_MESSAGE_MAX)
        return ERR_TOO_BIG;
    if (len == 0)
        return ERR_INVALID;
    if (net_room(end->socket) < end->delayed + len + frame)
        end->blocked = true;
    if (end->blocked)
        return ERR_AGAIN;
    if (end->node->w->plan) {
        int rc = planted(end, len);
        if (rc != OK)
            return rc == ERR_FAULT ? OK : rc;
    }
    e = event_new(end->node, DO_SEND, frame + len);
    if (!e || !note_sent(end, len)) {
        ns3_break(end->node->w, ERR_NOMEM);
        return ERR_AGAIN;
    }
    if (frame)
        put_le32(e->data, (uint32_t)len);
    memcpy(e->data + frame, data, len);
    e->end = end;
    end->delayed += frame + len;
    conn_later(e);
    return OK;
}

static int op_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct ns3_node *n = node_of(env);
    struct ns3_end *end = find(n, link);
    int rc;
    if (!end || n->doomed)
        return ERR_CLOSED;
    rc = end->kind == LINK_DATAGRAM ? dgram_send(end, end->remote, data, len)
                                    : stream_send(end, data, len);
    if (rc == OK && n->w->wants)
        witness_send(n->w, n, end, end->kind == LINK_DATAGRAM ? &end->remote : NULL, len);
    return rc;
}

static int op_send_to(struct env *env, link_t port, struct addr to, const void *data, size_t len)
{
    struct ns3_node *n = node_of(env);
    struct ns3_end *end = find(n, port);
    int rc;
    if (!end || n->doomed || end->kind != LINK_DATAGRAM)
        return ERR_CLOSED;
    rc = dgram_send(end, to, data, len);
    if (rc == OK && n->w->wants)
        witness_send(n->w, n, end, &to, len);
    return rc;
}

static void op_close(struct env *env, link_t link)
{
    struct ns3_node *n = node_of(env);
    struct ns3_end *end = find(n, link);
    struct ns3_event *e;
    if (!end || n->doomed)
        return;
    if (end->kind == LINK_DATAGRAM) {
        dgram_close(end);
        return;
    }
    e = event_new(n, DO_CLOSE, 0);
    conn_release(end);
    if (e) {
        e->end = end;
        conn_later(e);
    }
}

static void op_arm(struct env *env, unsigned timer, ns_t at)
{
    struct ns3_node *n = node_of(env);
    if (!n->doomed && at != NS_NEVER)
        event_simple(n, NULL, TELL_TIMER, timer, at > env->now ? at : env->now);
}

static void op_ready(struct env *env)
{
    struct ns3_node *n = node_of(env);
    struct ns3 *w = n->w;
    ns_t at = env->now + env->spent;
    if (n->doomed || n->ready)
        return;
    n->ready = true;
    w->n_ready += n->id < w->n_parties;
    if (w->go) {
        event_simple(n, NULL, TELL_GO, 0, at);
    } else if (w->n_ready == w->n_parties) {
        w->go = true;
        for (uint32_t i = 0; i < w->n_nodes; i++)
            if (w->nodes[i].ready)
                event_simple(&w->nodes[i], NULL, TELL_GO, 0, at);
    }
}

static void op_done(struct env *env)
{
    struct ns3_node *n = node_of(env);
    if (n->doomed || n->done || n->id >= n->w->n_parties)
        return;
    n->done = true;
    if (++n->w->n_done == n->w->n_parties)
        net_stop();
}

static void op_show(struct env *env, const struct shown *shown)
{
    struct ns3_node *n = node_of(env);
    if (!n->doomed)
        witness_show(n->w, n, shown);
}

static void op_keep(struct env *env, const struct retained *kept)
{
    struct ns3_node *n = node_of(env);
    if (!n->doomed)
        witness_keep(n->w, n, kept);
}

const struct env_ops ns3_ops = {
    .open = op_open,
    .send = op_send,
    .send_to = op_send_to,
    .close = op_close,
    .arm = op_arm,
    .ready = op_ready,
    .done = op_done,
    .show = op_show,
    .keep = op_keep,
};

void conn_do(struct ns3_event *e)
{
    struct ns3_end *end = e->end;
    switch (e->kind) {
    case DO_DIAL:
        if (end->state == END_CLOSED)
            break;
        end->socket = net_dial(e->node->id, address_number(e->node->w, end->remote.ip),
                               end->remote.port, end);
        end->local = address_of(e->node->w, e->node->id, net_socket_port(end->socket));
        break;
    case DO_SEND:
        end->delayed -= e->len;
        net_send(end->socket, e->data, e->len);
        break;
    case DO_SEND_TO:
        if (!net_send_to(e->port, e->number, e->peer.port, e->data, e->len))
            witness_drop(e->node->w, e->node->id, PARTY_NONE, (uint32_t)e->len, DROP_LINK_CLOSED);
        break;
    case DO_CLOSE:
        if (end->socket)
            net_close(end->socket);
        break;
    default:
        break;
    }
}

/* ---- what the network says ------------------------------------------------------------ */

static bool accepts(const struct ns3_node *n, uint16_t port, enum link_kind *kind)
{
    for (const struct accept *a = n->accepts; n->alive && a && a->port; a++)
        if (a->port == port && a->kind != LINK_DATAGRAM && a->kind != LINK_HANDOVER) {
            *kind = a->kind;
            return true;
        }
    return false;
}

/* Its dialler's end, which came up before. */
static struct ns3_end *dialler(struct ns3_node *n, uint32_t to, uint16_t port)
{
    for (uint32_t i = n->n_links; i-- > 0;) {
        struct ns3_end *end = n->links[i];
        if (end->dialled && end->to == to && end->socket && !end->peer &&
            net_socket_port(end->socket) == port)
            return end;
    }
    return NULL;
}

void conn_accepted(void *ctx, uint32_t host, uint16_t port, struct net_socket *socket,
                   uint32_t peer, uint16_t peer_port)
{
    struct ns3 *w = ctx;
    struct ns3_node *n = &w->nodes[host];
    enum link_kind kind = LINK_MESSAGE;
    struct ns3_end *end = accepts(n, port, &kind) ? conn_new(n, kind) : NULL;
    struct ns3_node *who;
    uint16_t inner;
    w->now = net_now();
    if (!end)
        return;
    end->socket = socket;
    end->state = END_OPEN;
    end->local = address_of(w, host, port);
    end->remote = address_of(w, peer, peer_port);
    who = address_target(w, NAT_TCP, &end->remote, &inner);
    end->to = who ? who->id : PARTY_NONE;
    end->peer = who ? dialler(who, host, inner) : NULL;
    if (end->peer)
        end->peer->peer = end;
    net_socket_user(socket, end);
    event_simple(n, end, TELL_UP, 0, w->now);
}

void conn_happened(void *ctx, void *user, enum net_event what)
{
    static const enum down_reason reasons[] = {[NET_FINISHED] = DOWN_CLOSED,
                                               [NET_RESET] = DOWN_RESET,
                                               [NET_REFUSAL] = DOWN_REFUSED,
                                               [NET_TIMEOUT] = DOWN_TIMEOUT};
    struct ns3 *w = ctx;
    struct ns3_end *end = user;
    if (!end || end->state == END_CLOSED)
        return;
    w->now = net_now();
    switch (what) {
    case NET_UP:
        end->state = END_OPEN;
        event_simple(end->node, end, TELL_UP, 0, w->now);
        break;
    case NET_READABLE:
        if (!end->reading)
            event_simple(end->node, end, TELL_READ, 0, w->now);
        end->reading = true;
        break;
    case NET_WRITABLE:
        if (end->blocked && !end->room && net_room(end->socket) - end->delayed >= 1U << 21) {
            end->room = true;
            event_simple(end->node, end, TELL_ROOM, 0, w->now);
        }
        break;
    default:
        event_simple(end->node, end, TELL_DOWN, reasons[what], w->now);
    }
}

/* ---- to the node ---------------------------------------------------------------------- */

/* When what this end is being handed was sent; it is not on its way any more. */
static ns_t arrived(struct ns3_end *end, size_t len)
{
    struct ns3_end *from = end->peer;
    ns_t at = end->node->w->now;
    if (!from || !from->sent_n)
        return at;
    at = from->sent[from->sent_first].at;
    while (len && from->sent_n) {
        struct ns3_sent *s = &from->sent[from->sent_first];
        size_t part = len < s->len ? len : s->len;
        s->len -= (uint32_t)part;
        len -= part;
        if (s->len)
            break;
        from->sent_first = (from->sent_first + 1) % from->sent_cap;
        from->sent_n--;
    }
    return at;
}

/* The length of the first message in the buffer, with its frame; 0: it is not there yet. */
static size_t whole(const struct ns3_end *end)
{
    uint32_t len;
    if (end->kind == LINK_BYTES)
        return end->have < LINK_MESSAGE_MAX ? end->have : LINK_MESSAGE_MAX;
    if (end->have < LINK_FRAME)
        return 0;
    len = get_le32(end->buf);
    return end->have - LINK_FRAME >= len ? LINK_FRAME + len : 0;
}

static bool fill(struct ns3_end *end)
{
    size_t got;
    if (end->cap - end->have < READ_MAX) {
        size_t cap = end->have + READ_MAX + LINK_MESSAGE_MAX;
        uint8_t *buf = realloc(end->buf, cap);
        if (!buf) {
            ns3_break(end->node->w, ERR_NOMEM);
            return false;
        }
        end->buf = buf;
        end->cap = cap;
    }
    got = net_read(end->socket, end->buf + end->have, READ_MAX);
    end->have += got;
    return got > 0;
}

static bool framed_badly(const struct ns3_end *end)
{
    uint32_t len;
    if (end->kind == LINK_BYTES || end->have < LINK_FRAME)
        return false;
    len = get_le32(end->buf);
    return len == 0 || len > LINK_MESSAGE_MAX;
}

static void hand_down(struct ns3_end *end, enum down_reason why)
{
    struct event ev = {.kind = EV_DOWN, .link_kind = end->kind, .link = end->link, .why = why};
    if (end->socket) {
        if (why == DOWN_TOO_BIG)
            net_reset(end->socket);
        else
            net_close(end->socket);
    }
    conn_release(end);
    host_give(end->node, end, 0, &ev, why);
}

/* The first of the buffer; a copy, as the node may close the link, and the buffer with it. */
static void hand_message(struct ns3_end *end, size_t len)
{
    struct event ev = {.kind = EV_DATA, .link_kind = end->kind, .link = end->link};
    size_t frame = end->kind == LINK_MESSAGE ? LINK_FRAME : 0;
    uint8_t *copy = malloc(len);
    if (!copy) {
        ns3_break(end->node->w, ERR_NOMEM);
        return;
    }
    memcpy(copy, end->buf, len);
    end->have -= len;
    memmove(end->buf, end->buf + len, end->have);
    ev.data = copy + frame;
    ev.len = len - frame;
    host_give(end->node, end, arrived(end, ev.len), &ev, ev.len);
    free(copy);
}

static bool hand_read(struct ns3_end *end)
{
    struct ns3_node *n = end->node;
    struct ns3 *w = n->w;
    uint32_t life = n->life;
    while (end->state == END_OPEN && n->life == life && !w->broken && w->n_done < w->n_parties) {
        size_t len = whole(end);
        if (n->busy_until > w->now || n->paused)
            return false;
        if (framed_badly(end)) {
            hand_down(end, DOWN_TOO_BIG);
        } else if (len == 0) {
            if (!fill(end))
                break;
        } else {
            hand_message(end, len);
        }
    }
    end->reading = false;
    return true;
}

bool conn_hand(struct ns3_event *e)
{
    struct ns3_end *end = e->kind == TELL_DATAGRAM ? dgram_conn(e) : e->end;
    struct event ev = {0};
    uint64_t size = 0;
    if (!end || end->state == END_CLOSED) {
        if (e->kind == TELL_DATAGRAM)
            witness_drop(e->node->w, e->number, e->node->id, (uint32_t)e->len, DROP_REFUSED);
        return true;
    }
    if (e->kind == TELL_READ)
        return hand_read(end);
    if (e->kind == TELL_DOWN) {
        hand_down(end, (enum down_reason)e->number);
        return true;
    }
    ev.link = end->link;
    ev.link_kind = end->kind;
    ev.local = end->local;
    ev.peer = end->remote;
    if (e->kind == TELL_UP) {
        ev.kind = EV_UP;
    } else if (e->kind == TELL_ROOM) {
        ev.kind = EV_ROOM;
        end->blocked = end->room = false;
    } else {
        ev.kind = EV_DATA;
        ev.data = e->data;
        ev.len = size = e->len;
        ev.peer = e->peer;
    }
    host_give(end->node, end, e->sent, &ev, size);
    return true;
}

/* ---- start and crash ------------------------------------------------------------------ */

void conn_begin(struct ns3_node *n)
{
    for (const struct accept *a = n->accepts; a && a->port; a++)
        if (a->kind == LINK_MESSAGE || a->kind == LINK_BYTES)
            net_listen(n->id, a->port, true);
    dgram_listen(n);
}

void conn_crash(struct ns3_node *n)
{
    for (const struct accept *a = n->accepts; a && a->port; a++)
        if (a->kind == LINK_MESSAGE || a->kind == LINK_BYTES)
            net_listen(n->id, a->port, false);
    for (uint32_t i = 0; i < n->n_links; i++) {
        struct ns3_end *end = n->links[i];
        if (end->state == END_CLOSED)
            continue;
        if (end->kind == LINK_DATAGRAM) {
            dgram_close(end);
            continue;
        }
        if (end->socket)
            net_reset(end->socket);
        conn_release(end);
    }
}
