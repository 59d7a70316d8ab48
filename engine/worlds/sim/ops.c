#include "engine/worlds/sim/inner.h"

static int op_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    struct sim_node *n = node_of(env);
    if (n->doomed)
        return ERR_LIMIT;
    if (kind == LINK_DATAGRAM)
        return datagram_open(n->sim, n, to, out);
    return dial_open(n->sim, n, kind, to, out);
}

static int op_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct sim_node *n = node_of(env);
    struct sim_end *end = links_find(n, link);
    if (!end || n->doomed)
        return ERR_CLOSED;
    if (end->kind != LINK_DATAGRAM)
        return stream_send(n->sim, end, data, len);
    return datagram_send(n->sim, end, sim_conn_of(end)->to, data, len);
}

static int op_send_to(struct env *env, link_t port, struct addr to, const void *data, size_t len)
{
    struct sim_node *n = node_of(env);
    struct sim_end *end = links_find(n, port);
    if (!end || n->doomed || end->kind != LINK_DATAGRAM)
        return ERR_CLOSED;
    return datagram_send(n->sim, end, to, data, len);
}

static void op_close(struct env *env, link_t link)
{
    struct sim_node *n = node_of(env);
    struct sim_end *end = links_find(n, link);
    if (!end || n->doomed)
        return;
    if (end->kind == LINK_DATAGRAM)
        datagram_close(n->sim, end);
    else
        stream_close(n->sim, end);
}

static void op_tag(struct env *env, link_t link, uint32_t tag)
{
    struct sim_end *end = links_find(node_of(env), link);
    if (end)
        end->tag = tag;
}

static void op_arm(struct env *env, unsigned timer, ns_t at)
{
    struct sim_node *n = node_of(env);
    if (!n->doomed && at != NS_NEVER)
        sim_post(n, SIM_TIMER, timer, at > env->now ? at : env->now);
}

static void op_ready(struct env *env)
{
    struct sim_node *n = node_of(env);
    struct sim *sim = n->sim;
    ns_t at = env->now + env->spent;
    if (n->doomed || n->ready)
        return;
    n->ready = true;
    sim->n_ready += n->id < sim->n_parties;
    if (sim->go) {
        sim_post(n, SIM_GO, 0, at);
    } else if (sim->n_ready == sim->n_parties) {
        sim->go = true;
        for (uint32_t i = 0; i < sim->n_nodes; i++)
            if (sim->nodes[i].ready)
                sim_post(&sim->nodes[i], SIM_GO, 0, at);
    }
}

static void op_done(struct env *env)
{
    struct sim_node *n = node_of(env);
    if (n->doomed || n->done || n->id >= n->sim->n_parties)
        return;
    n->done = true;
    n->sim->n_done++;
}

static void op_leave(struct env *env)
{
    node_of(env)->leaving = true;
}

static void op_show(struct env *env, const struct shown *shown)
{
    struct sim_node *n = node_of(env);
    if (!n->doomed && n->sim->wants & WANT_SHOWN)
        watch_show(n->sim, n, shown);
}

static void op_keep(struct env *env, const struct retained *kept)
{
    struct sim_node *n = node_of(env);
    if (!n->doomed && n->sim->wants & WANT_KEPT)
        watch_keep(n->sim, n, kept);
}

const struct env_ops sim_ops = {
    .open = op_open,
    .send = op_send,
    .send_to = op_send_to,
    .close = op_close,
    .tag = op_tag,
    .arm = op_arm,
    .ready = op_ready,
    .done = op_done,
    .leave = op_leave,
    .show = op_show,
    .keep = op_keep,
};
