#include "engine/worlds/ns3/inner.h"
#include "engine/worlds/result/account.h"

void ns3_break(struct ns3 *w, int code)
{
    w->broken = code;
    net_stop();
}

/* ---- what is known before ------------------------------------------------------------- */

static void begin_node(void *node)
{
    struct ns3_node *n = node;
    n->w->now = net_now();
    if (n->incarnations == 0)
        host_start(n);
}

static void begin_action(void *appointment)
{
    struct ns3_appointment *f = appointment;
    const struct action *a = f->action;
    struct ns3 *w = f->w;
    struct ns3_node *n = &w->nodes[a->node];
    w->now = net_now();
    switch (a->kind) {
    case ACT_CRASH:
        host_crash(n, a);
        break;
    case ACT_RESTART:
        host_start(n);
        break;
    case ACT_PAUSE:
        n->paused = n->alive;
        witness_world(w, n, "pause");
        break;
    case ACT_RESUME:
        n->paused = false;
        witness_world(w, n, "resume");
        event_await(n);
        break;
    case ACT_READDRESS:
        witness_world(w, n, "readdress");
        address_change(w, n);
        break;
    case ACT_PARTITION:
        witness_world(w, NULL, "partition");
        break;
    default:
        witness_world(w, NULL, "link");
    }
}

static void end_action(void *appointment)
{
    struct ns3_appointment *f = appointment;
    struct ns3_node *n = &f->w->nodes[f->action->node];
    f->w->now = net_now();
    if (f->action->kind == ACT_PAUSE) {
        n->paused = false;
        event_await(n);
    }
    witness_fault_over(f->w, f->action);
}

static void limit_came(void *world)
{
    struct ns3 *w = world;
    w->now = w->spec->limit;
    w->result->timed_out = true;
    net_stop();
}

/* Actions first, so that at equal times they come before starts. */
static void schedule(struct ns3 *w)
{
    const struct trial_spec *t = w->spec;
    for (size_t i = 0; i < t->n_actions; i++) {
        const struct action *a = &t->actions[i];
        w->appointed[i] = (struct ns3_appointment){.action = a, .w = w};
        net_at(a->at, begin_action, &w->appointed[i]);
        if (a->until != NS_NEVER)
            net_at(a->until, end_action, &w->appointed[i]);
    }
    for (uint32_t i = 0; i < w->n_nodes; i++)
        net_at(t->hosts[i].start, begin_node, &w->nodes[i]);
    if (t->limit < NS_NEVER - 1)
        net_at(t->limit + 1, limit_came, w);
}

static void count_sent(void *ctx, uint32_t host, uint32_t bytes)
{
    struct ns3 *w = ctx;
    w->nodes[host].wire_bytes += bytes;
    w->nodes[host].wire_packets++;
}

static void count_lost(void *ctx, const struct net_packet *p, enum net_loss why)
{
    static const enum drop drops[] = {[NET_LOST] = DROP_LOSS,
                                      [NET_QUEUE_FULL] = DROP_QUEUE,
                                      [NET_REFUSED] = DROP_REFUSED,
                                      [NET_NO_ROUTE] = DROP_NO_ROUTE};
    enum nat_protocol protocol = p->tcp ? NAT_TCP : NAT_UDP;
    const struct ns3_node *a, *b;
    struct addr from, to;
    uint16_t port;
    struct ns3 *w = ctx;
    w->now = net_now();
    from = address_of(w, p->from, p->from_port);
    to = address_of(w, p->to, p->to_port);
    a = address_target(w, protocol, &from, &port);
    b = address_target(w, protocol, &to, &port);
    witness_drop(w, a ? a->id : PARTY_NONE, b ? b->id : PARTY_NONE, p->bytes, drops[why]);
}

static void count_repeated(void *ctx)
{
    struct ns3 *w = ctx;
    metrics_count(w->metrics, COUNT_RETRANSMITS, 1);
}

static void came(void *ctx, const struct net_packet *p)
{
    struct ns3 *w = ctx;
    w->now = net_now();
    if (p->to < w->n_nodes)
        witness_packet(&w->nodes[p->to], p);
}

static const struct net_calls calls = {
    .core = core_pass,
    .arrives = core_arrives,
    .sent = count_sent,
    .lost = count_lost,
    .repeated = count_repeated,
    .accepted = conn_accepted,
    .happened = conn_happened,
    .datagram = dgram_came,
};

static void store_died(struct sim_store *s)
{
    struct ns3_node *n = (struct ns3_node *)(void *)((char *)s - offsetof(struct ns3_node, store));
    n->doomed = true;
}

static int make_nodes(struct ns3 *w)
{
    const struct trial_spec *t = w->spec;
    w->n_nodes = t->roster->n;
    w->n_parties = t->roster->n_parties;
    w->nodes = calloc(w->n_nodes, sizeof *w->nodes);
    w->appointed = calloc(t->n_actions + 1, sizeof *w->appointed);
    if (!w->nodes || !w->appointed)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < w->n_nodes; i++) {
        struct ns3_node *n = &w->nodes[i];
        const struct ns3_node *same = host_at(w, t->roster->entries[i].addr.ip);
        if (same != n)
            return err_set(w->err, ERR_INVALID, "%s and %s have the same address",
                           t->roster->entries[same - w->nodes].name, t->roster->entries[i].name);
        n->w = w;
        n->id = i;
        n->completion = -1;
        n->env.ops = &ns3_ops;
        n->env.costs = t->costs;
        n->env.metrics = w->metrics;
        n->env.store = &n->store.base;
        sim_store_init(&n->store, &w->fate);
    }
    return OK;
}

static int make_net(struct ns3 *w)
{
    const struct tcp_spec *tcp = w->spec->tcp;
    struct net_tcp how = {.min_rto = tcp ? tcp->min_rto : 200 * NS_MS,
                          .delayed_ack = tcp ? tcp->delayed_ack : 40 * NS_MS,
                          .initial_window = tcp ? (uint32_t)tcp->initial_window : 10,
                          .receive_window = tcp ? (uint32_t)tcp->receive_window : 6 << 20,
                          .hystart = tcp ? tcp->hystart : true};
    struct net_calls mine = calls;
    struct net_line *lines = calloc(w->n_nodes, sizeof *lines);
    if (!lines)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < w->n_nodes; i++) {
        const struct access *a = &w->spec->hosts[i].access;
        lines[i] =
            (struct net_line){.up_bps = (uint64_t)a->up_bps,
                              .down_bps = (uint64_t)a->down_bps,
                              .latency = a->latency,
                              .loss_ppm = (uint32_t)(a->loss_ppm - w->nodes[i].access.loss_ppm),
                              .queue_bytes = (uint32_t)a->queue_bytes};
    }
    mine.came = w->wants & WANT_WIRE ? came : NULL;
    net_new(&mine, w, &how, lines, w->n_nodes, w->seed);
    w->net = true;
    free(lines);
    return OK;
}

static int set_up(struct ns3 *w)
{
    int rc;
    w->hash = XXH3_createState();
    if (!w->hash || XXH3_64bits_reset(w->hash) != XXH_OK)
        return ERR_NOMEM;
    w->fate = (struct store_fate){.fail = w->plan ? w->plan->fail_store : 0, .died = store_died};
    rc = crowds_find(&w->crowds, w->spec->roster);
    if (rc == OK)
        rc = make_nodes(w);
    if (rc == OK)
        rc = core_init(w);
    if (rc == OK)
        rc = witness_init(w);
    return rc == OK ? make_net(w) : rc;
}

static void tear_down(struct ns3 *w)
{
    for (uint32_t i = 0; w->nodes && i < w->n_nodes; i++) {
        struct ns3_node *n = &w->nodes[i];
        if (n->alive)
            host_bury(n);
        conn_free(n);
        sim_store_free(&n->store);
        free((void *)(uintptr_t)n->kept.result);
        free((void *)(uintptr_t)n->kept.failure);
    }
    while (w->events)
        event_free(w->events);
    witness_free(w);
    nat_free(&w->nat);
    free(w->addresses);
    crowds_free(&w->crowds);
    free(w->appointed);
    faults_free(&w->faults);
    free(w->paths);
    free(w->nodes);
    XXH3_freeState(w->hash);
}

static struct account account_of(const void *world, party_t id)
{
    const struct ns3 *w = world;
    const struct ns3_node *n = &w->nodes[id];
    return (struct account){.node = n->alive ? n->env.node : NULL,
                            .kept = n->kept,
                            .completion = n->completion,
                            .useful = n->useful,
                            .wire_bytes = n->wire_bytes,
                            .wire_packets = n->wire_packets,
                            .compute = n->compute,
                            .incarnations = n->incarnations};
}

static int score(struct ns3 *w)
{
    const struct accounts all = {
        .roster = w->spec->roster, .n_done = w->n_done, .of = account_of, .world = w};
    int rc = accounts_settle(&all, w->result);
    return rc == OK ? witness_score(w) : rc;
}

int ns3_run(const struct trial_spec *t, uint64_t seed, const struct fault_plan *plan,
            const struct trace *trace, struct trial_result *result, struct err *err)
{
    struct ns3 w = {.spec = t,
                    .seed = seed,
                    .plan = plan,
                    .trace = trace,
                    .result = result,
                    .metrics = &result->metrics,
                    .err = err};
    int rc;
    memset(result, 0, sizeof *result);
    metrics_init(&result->metrics);
    if (err)
        err->code = OK;
    rc = set_up(&w);
    if (rc == OK) {
        schedule(&w);
        net_run();
        rc = w.broken;
    }
    if (rc == OK) {
        result->digest = XXH3_64bits_digest(w.hash);
        result->ended = w.now;
        result->faults_fired += w.fate.fired;
        rc = score(&w);
    }
    if (w.net)
        net_free();
    tear_down(&w);
    if (rc != OK) {
        if (err && err->code == OK)
            err_set(err, rc, "the simulation broke: %s", err_name(rc));
        trial_result_free(result, t->roster->n_parties);
    }
    return rc;
}
