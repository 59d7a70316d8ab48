#include "engine/worlds/ns3/inner.h"

#include "engine/node.h"

/* ---- events --------------------------------------------------------------------------- */

void ns3_break(struct ns3 *w, int code)
{
    w->broken = code;
    net_stop();
}

struct ns3_event *event_new(struct ns3_node *n, enum ns3_kind kind, size_t len)
{
    struct ns3 *w = n->w;
    struct ns3_event *e = malloc(sizeof *e + len);
    if (!e) {
        ns3_break(w, ERR_NOMEM);
        return NULL;
    }
    *e = (struct ns3_event){.node = n, .kind = kind, .life = n->life, .len = len};
    e->after = w->events;
    if (w->events)
        w->events->before = e;
    w->events = e;
    return e;
}

void event_free(struct ns3_event *e)
{
    if (e->after)
        e->after->before = e->before;
    if (e->before)
        e->before->after = e->after;
    else
        e->node->w->events = e->after;
    free(e);
}

/* It does not happen any more: counted if it is a datagram. */
static void event_lost(struct ns3_event *e)
{
    struct ns3_node *n = e->node;
    if (e->kind == TELL_DATAGRAM)
        witness_drop(n->w, e->number, n->id, (uint32_t)e->len, DROP_LINK_CLOSED);
    else if (e->kind == DO_SEND_TO)
        witness_drop(n->w, n->id, PARTY_NONE, (uint32_t)e->len, DROP_LINK_CLOSED);
    event_free(e);
}

static bool busy(const struct ns3_node *n)
{
    return n->paused || n->busy_until > n->w->now;
}

/* False: it has to wait for the rest. */
static bool hand(struct ns3_event *e)
{
    struct event ev = {.kind = e->kind == TELL_GO ? EV_GO : EV_TIMER, .timer = e->number};
    if (e->kind > TELL_TIMER)
        return conn_hand(e);
    host_give(e->node, NULL, 0, &ev, ev.timer);
    return true;
}

static void wake(void *node);

static void wait_for(struct ns3_node *n)
{
    if (n->waiting && !n->paused)
        net_at(n->busy_until > n->w->now ? n->busy_until : n->w->now, wake, n);
}

static void wake(void *node)
{
    struct ns3_node *n = node;
    n->w->now = net_now();
    while (n->waiting && !busy(n) && n->w->n_done < n->w->n_parties) {
        struct ns3_event *e = n->waiting;
        uint32_t life = n->life;
        if (!hand(e))
            break;
        if (n->life != life)
            return;
        n->waiting = e->next;
        if (!n->waiting)
            n->waiting_tail = &n->waiting;
        event_free(e);
    }
    wait_for(n);
}

/* Hands it to its node, now or when it is free. */
static void offer(struct ns3_event *e)
{
    struct ns3_node *n = e->node;
    uint32_t life = n->life;
    bool idle = !n->waiting;
    if (idle && !busy(n) && hand(e)) {
        event_free(e);
        return;
    }
    if (n->life != life) {
        event_lost(e);
        return;
    }
    e->next = NULL;
    if (idle)
        n->waiting_tail = &n->waiting;
    *n->waiting_tail = e;
    n->waiting_tail = &e->next;
    if (idle)
        wait_for(n);
}

static void fire(void *event)
{
    struct ns3_event *e = event;
    struct ns3_node *n = e->node;
    n->w->now = net_now();
    if (e->life != n->life || !n->alive) {
        event_lost(e);
    } else if (e->kind <= DO_CLOSE) {
        conn_do(e);
        event_free(e);
    } else {
        offer(e);
    }
}

void event_post(struct ns3_event *e, ns_t at)
{
    net_at(at, fire, e);
}

void event_simple(struct ns3_node *n, struct ns3_end *end, enum ns3_kind kind, uint32_t number,
                  ns_t at)
{
    struct ns3_event *e = event_new(n, kind, 0);
    if (!e)
        return;
    e->end = end;
    e->number = number;
    event_post(e, at);
}

/* ---- lives ---------------------------------------------------------------------------- */

struct ns3_node *host_at(const struct ns3 *w, const uint8_t ip[16])
{
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (memcmp(w->spec->roster->entries[i].addr.ip, ip, 16) == 0)
            return &w->nodes[i];
    return NULL;
}

static void bury(struct ns3_node *n)
{
    n->useful += node_useful_bytes(n->env.node);
    n->doomed = true; /* whatever it asks for while it is freed has no effect */
    node_free(n->env.node);
    n->doomed = false;
    n->env.node = NULL;
    n->alive = false;
    n->life++;
    prng_wipe(&n->env.rng);
    n->busy_until = 0;
    n->paused = false;
}

static void keep_result(struct ns3_node *n)
{
    struct outcome o = node_outcome(n->env.node);
    if (n->kept.done)
        return;
    if (o.done) {
        n->completion = node_completion(n->env.node);
        if (account_keep(&n->kept, &o) != OK)
            ns3_break(n->w, ERR_NOMEM);
    } else if (n->done) {
        n->done = false;
        n->w->n_done--;
    }
}

/* by: the action that wants it; NULL: its store. */
static void crash(struct ns3_node *n, const struct action *by)
{
    struct ns3 *w = n->w;
    if (!n->alive)
        return;
    witness_crash(w, n, by);
    if (n->id < w->n_parties)
        keep_result(n);
    w->n_ready -= n->ready && n->id < w->n_parties;
    n->ready = false;
    bury(n);
    while (n->waiting) {
        struct ns3_event *e = n->waiting;
        n->waiting = e->next;
        event_lost(e);
    }
    conn_crash(n);
}

void host_give(struct ns3_node *n, const struct ns3_end *end, ns_t sent, const struct event *ev,
               uint64_t size)
{
    struct ns3 *w = n->w;
    witness_digest(w, n, ev, size);
    metrics_count(w->metrics, COUNT_EVENTS, 1);
    witness_event(w, n, end, sent, ev);
    n->env.now = w->now;
    n->env.spent = 0;
    n->env.event(n->env.node, ev);
    if (n->env.spent) {
        n->busy_until = w->now + n->env.spent;
        n->compute += n->env.spent;
    }
    if (n->doomed)
        crash(n, NULL);
}

static void start(struct ns3_node *n)
{
    struct ns3 *w = n->w;
    const struct trial_spec *t = w->spec;
    struct node_config config = {.trial = t,
                                 .crowds = &w->crowds,
                                 .self = n->id,
                                 .identity = t->secrets ? t->secrets[n->id] : NULL,
                                 .shared_clock = true};
    struct event ev = {.kind = EV_START};
    struct node *made;
    int rc;
    if (n->alive)
        return;
    n->env.now = w->now;
    n->env.spent = 0;
    n->env.self = address_of(w, n->id, t->roster->entries[n->id].addr.port);
    n->env.incarnation = n->incarnations++;
    prng_name(&n->env.rng, w->seed, t->roster->entries[n->id].name, n->env.incarnation, "node");
    sim_store_revive(&n->store);
    n->accepts = node_accepts(t, n->id);
    rc = node_new(&made, &config, &n->env, w->err);
    if (rc != OK) {
        ns3_break(w, rc);
        return;
    }
    n->alive = true;
    if (n->env.incarnation)
        witness_restart(w, n);
    conn_begin(n);
    host_give(n, NULL, 0, &ev, 0);
}

static void store_died(struct sim_store *s)
{
    struct ns3_node *n = (struct ns3_node *)(void *)((char *)s - offsetof(struct ns3_node, store));
    n->doomed = true;
}

/* ---- what is known before ------------------------------------------------------------- */

static void begin_node(void *node)
{
    struct ns3_node *n = node;
    n->w->now = net_now();
    if (n->incarnations == 0)
        start(n);
}

static void begin_action(void *fault)
{
    struct ns3_fault *f = fault;
    const struct action *a = f->action;
    struct ns3 *w = f->w;
    struct ns3_node *n = &w->nodes[a->node];
    w->now = net_now();
    switch (a->kind) {
    case ACT_CRASH:
        crash(n, a);
        break;
    case ACT_RESTART:
        start(n);
        break;
    case ACT_PAUSE:
        n->paused = n->alive;
        witness_world(w, n, "pause");
        break;
    case ACT_RESUME:
        n->paused = false;
        witness_world(w, n, "resume");
        wait_for(n);
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

static void end_action(void *fault)
{
    struct ns3_fault *f = fault;
    struct ns3_node *n = &f->w->nodes[f->action->node];
    f->w->now = net_now();
    if (f->action->kind == ACT_PAUSE) {
        n->paused = false;
        wait_for(n);
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
        w->appointed[i] = (struct ns3_fault){.action = a, .w = w};
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
    net_new(&calls, w, &how, lines, w->n_nodes, w->seed);
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
            bury(n);
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

int ns3_run(const struct trial_spec *t, uint64_t seed, const struct fault_plan *plan,
            const struct trace *trace, struct trial_result *result, struct err *err)
{
    struct ns3 w = {.spec = t,
                    .seed = seed,
                    .plan = plan,
                    .trace = trace ? trace->out : NULL,
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
        rc = account_outcomes(&w);
    }
    if (rc == OK)
        rc = witness_score(&w);
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
