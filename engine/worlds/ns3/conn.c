#include "engine/worlds/ns3/inner.h"

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

/* Both ends of a stream are over: what was sent and not handed over is lost. */
static void mourn(struct ns3_end *end)
{
    struct ns3 *w = end->node->w;
    for (; end->sent_n; end->sent_n--) {
        witness_drop(w, end->node->id, end->to, end->sent[end->sent_first].left, DROP_LINK_CLOSED);
        end->sent_first = (end->sent_first + 1) % end->sent_cap;
    }
    free(end->sent);
    end->sent = NULL;
    end->sent_cap = end->sent_first = end->sent_came = 0;
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

/* ---- what nodes have asked for -------------------------------------------------------- */

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

void conn_do(struct ns3_event *e)
{
    struct ns3_end *end = e->end;
    struct net_note note = {0};
    switch (e->kind) {
    case DO_DIAL:
        if (end->state == END_CLOSED)
            break;
        end->socket = net_dial(e->node->id, address_number(e->node->w, end->remote.ip),
                               end->remote.port, end);
        end->local = address_of(e->node->w, e->node->id, net_socket_port(end->socket));
        if (e->node->w->wants)
            witness_dial(end);
        break;
    case DO_SEND:
        end->delayed -= e->len;
        net_send(end->socket, e->data, e->len);
        break;
    case DO_SEND_TO:
        memcpy(&note, &e->origin, sizeof e->origin);
        if (!net_send_to(e->port, e->number, e->peer.port, e->data, e->len, &note))
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

bool conn_accepts(const struct ns3_node *n, uint16_t port, enum link_kind *kind)
{
    for (const struct accept *a = n->accepts; n->alive && a && a->port; a++)
        if (a->port == port && a->kind != LINK_DATAGRAM && a->kind != LINK_HANDOVER) {
            *kind = a->kind;
            return true;
        }
    return false;
}

struct ns3_end *conn_dialler(struct ns3_node *n, uint32_t to, uint16_t port)
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
    struct ns3_end *end = conn_accepts(n, port, &kind) ? conn_new(n, kind) : NULL;
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
    end->peer = who ? conn_dialler(who, host, inner) : NULL;
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
        if (w->wants)
            witness_readable(end);
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
