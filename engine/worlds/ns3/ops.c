/* What nodes may ask: the operations of their env. */
#include "engine/worlds/ns3/inner.h"

#include "engine/base/bytes.h"

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
        (struct ns3_sent){witness_origin(end->node, NULL), (uint32_t)len, (uint32_t)len};
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
    if (end->node->w->wants)
        witness_send(end, len);
    end->delayed += frame + len;
    conn_later(e);
    return OK;
}

static struct ns3_end *find(const struct ns3_node *n, link_t link)
{
    struct ns3_end *end = link && link <= n->n_links ? n->links[link - 1] : NULL;
    return end && end->state != END_CLOSED ? end : NULL;
}

static int op_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct ns3_node *n = node_of(env);
    struct ns3_end *end = find(n, link);
    if (!end || n->doomed)
        return ERR_CLOSED;
    return end->kind == LINK_DATAGRAM ? dgram_send(end, end->remote, data, len)
                                      : stream_send(end, data, len);
}

static int op_send_to(struct env *env, link_t port, struct addr to, const void *data, size_t len)
{
    struct ns3_node *n = node_of(env);
    struct ns3_end *end = find(n, port);
    if (!end || n->doomed || end->kind != LINK_DATAGRAM)
        return ERR_CLOSED;
    return dgram_send(end, to, data, len);
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

static void op_tag(struct env *env, link_t link, uint32_t tag)
{
    struct ns3_end *end = find(node_of(env), link);
    if (end)
        end->tag = tag;
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
    .tag = op_tag,
    .arm = op_arm,
    .ready = op_ready,
    .done = op_done,
    .show = op_show,
    .keep = op_keep,
};
