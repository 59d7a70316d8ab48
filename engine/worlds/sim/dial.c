#include "engine/worlds/sim/inner.h"

#include "engine/node.h"

static bool listens(const struct sim_node *n, uint16_t port, uint8_t kind)
{
    if (!n->alive)
        return false;
    for (const struct accept *a = node_accepts(n->sim->spec, n->id); a && a->port; a++)
        if (a->port == port && a->kind == kind)
            return true;
    return false;
}

/* This end goes down, for a reason that its own host knows. */
static void down(struct sim *sim, struct sim_end *end, enum down_reason why, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, SIM_DOWN, 0);
    if (!ev)
        return;
    ev->at.end = end;
    ev->why = (uint8_t)why;
    sim_push(sim, at, ev);
}

/* SYN or SYN-ACK again. */
static void repeat(struct sim *sim, struct sim_end *end, ns_t at)
{
    struct sim_event *ev = sim_event_new(sim, SIM_CONNECT, 0);
    if (!ev)
        return;
    ev->at.end = end;
    end->timed = true;
    sim_push(sim, at > sim->now ? at : sim->now, ev);
}

/* The last SYN brought nothing: the next one, or none. */
static void dial_again(struct sim *sim, struct sim_end *end)
{
    if (!end->timed)
        repeat(sim, end, sim_conn_of(end)->syn_at + tcp_syn_wait(end->syns++));
}

/* The last SYN-ACK was lost: another one, or none. */
static void answer_again(struct sim *sim, struct sim_end *end)
{
    if (!end->timed && end->syns < TCP_SYN_ACKS)
        repeat(sim, end, sim->now + tcp_syn_wait(end->syns++));
}

static void dial(struct sim *sim, struct sim_end *end, ns_t at)
{
    sim_conn_of(end)->syn_at = at;
    if (!wire_signal(sim, end, SIM_SYN, at))
        dial_again(sim, end);
}

static struct link_path path_between(const struct sim *sim, const struct sim_node *from,
                                     const struct sim_node *to)
{
    struct link_path path = link_path(sim->spec->regions, &from->host, &to->host);
    faults_mend(&sim->faults, from->id, to->id, &path);
    return path;
}

/* From that end to its peer. */
static bool make_flow(struct sim *sim, struct sim_end *end, uint64_t k)
{
    const struct sim_node *from = end->node, *to = sim_peer(end)->node;
    struct link_path path = path_between(sim, from, to);
    path.rtt = path.delay + path_between(sim, to, from).delay;
    end->flow = (struct tcp_flow){.path = paths_like(&sim->paths, &path),
                                  .dice = dice_name(sim->seed, "link", from->id, to->id, k),
                                  .from = from->id,
                                  .to = to->id};
    end->stages = to->host.access->down_bps > 0;
    return end->flow.path;
}

/* Numbers of one direction, dialled by either side, must differ. */
static bool make_flows(struct sim *sim, struct sim_end *end)
{
    uint64_t k = links_number(sim, end->node, sim_peer(end)->node);
    return make_flow(sim, end, 2 * k) && make_flow(sim, sim_peer(end), 2 * k + 1);
}

int dial_open(struct sim *sim, struct sim_node *n, enum link_kind kind, struct addr to, link_t *out)
{
    ns_t at = n->env.now + n->env.spent;
    uint16_t port;
    struct sim_node *target = translate_target(sim, NAT_TCP, &to, at, &port);
    struct sim_conn *c;
    struct sim_end *end;
    enum drop drop = DROP_COUNT;
    if (to.port == 0)
        return ERR_INVALID;
    c = links_new(sim, n, kind);
    if (!c)
        return ERR_LIMIT;
    end = &c->end[0];
    *out = end->link;
    c->number = ++sim->streams;
    metrics_count(sim->metrics, COUNT_LINKS, 1);
    end->state = END_CONNECTING;
    end->port = links_port(n);
    end->seen = wire_is_below(end) ? 0 : end->port; /* until it is mapped */
    sim_peer(end)->node = target;
    sim_peer(end)->port = port;
    sim_peer(end)->seen = to.port;
    c->to = to;
    nat_own_address(&sim->nat, &c->to);
    if (!target) {
        watch_drop(sim, n, NULL, TCP_SYN_BYTES, DROP_NO_ROUTE);
        down(sim, end, DOWN_UNREACHABLE, at);
        return OK;
    }
    if (!make_flows(sim, end)) {
        sim->broken = ERR_NOMEM;
        return OK;
    }
    if (wire_is_below(end))
        drop = translate_dial(sim, end, at);
    if (drop == DROP_NAT_PORT_LIMIT || drop == DROP_NAT_FULL) {
        watch_drop(sim, n, target, TCP_SYN_BYTES, drop);
        down(sim, end, DOWN_NAT, at);
    } else {
        if (sim->wants)
            watch_dial(sim, end);
        dial(sim, end, at);
    }
    return OK;
}

void dial_syn(struct sim *sim, const struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    bool heard;
    if (sim->wants &&
        end->state == END_NONE) /* also one that comes too late, or to a closed port */
        watch_come(sim, ev);
    if (sim_peer(end)->state != END_CONNECTING)
        return;
    if (end->state == END_NONE && listens(end->node, end->port, end->kind) &&
        links_take(sim, end->node, end) == OK)
        end->state = END_HALF;
    if (end->state == END_HALF) {
        heard = wire_signal(sim, end, SIM_SYN_ACK, sim->now);
    } else {
        watch_drop(sim, sim_peer(end)->node, end->node, TCP_SYN_BYTES, DROP_REFUSED);
        heard = wire_signal(sim, end, SIM_REFUSAL, sim->now);
    }
    if (!heard)
        dial_again(sim, sim_peer(end));
    if (!heard && end->state == END_HALF)
        answer_again(sim, end);
}

void dial_time(struct sim *sim, struct sim_end *end)
{
    end->timed = false;
    if (end->state == END_CONNECTING && end->syns == TCP_SYNS)
        down(sim, end, DOWN_TIMEOUT, sim->now);
    else if (end->state == END_CONNECTING)
        dial(sim, end, sim->now);
    else if (end->state == END_HALF && !wire_signal(sim, end, SIM_SYN_ACK, sim->now))
        answer_again(sim, end);
    else if (end->state == END_CLOSED && sim_peer(end)->state == END_HALF)
        stream_reset_peer(sim, end); /* in answer to its SYN-ACK, which it repeats */
}

void dial_lost(struct sim *sim, struct sim_event *ev)
{
    struct sim_end *end = ev->at.end;
    if (ev->kind == SIM_RST)
        sim_peer(end)->told = false;
    else if (ev->kind == SIM_SYN)
        end = sim_peer(end);
    if (ev->kind == SIM_SYN_ACK && sim_peer(end)->state == END_HALF)
        answer_again(sim, sim_peer(end));
    if (ev->kind != SIM_RST && end->state == END_CONNECTING)
        dial_again(sim, end);
}
