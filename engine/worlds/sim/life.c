#include "engine/worlds/sim/inner.h"

#include "engine/base/bytes.h"
#include "engine/node.h"
#include "engine/worlds/result/account.h"

#include <stdlib.h>

/* ---- events for a node ---------------------------------------------------------------- */

void life_digest_flush(struct sim *sim)
{
    XXH3_64bits_update(sim->hash, sim->records, sim->hashed);
    metrics_count(sim->metrics, COUNT_EVENTS, sim->hashed / TRACE_RECORD);
    if (sim->log)
        sim->log->events(sim->log->ctx, sim->records, sim->peers, sim->hashed / TRACE_RECORD);
    sim->hashed = 0;
}

static void digest(struct sim *sim, const struct sim_node *n, const struct event *ev, uint64_t size)
{
    uint8_t *p = sim->records + sim->hashed;
    put_le64(p, (uint64_t)sim->now);
    put_le64(p + 8, (uint64_t)n->id << 32 | ev->link);
    put_le64(p + 16, (uint64_t)ev->kind);
    put_le64(p + 24, size);
    sim->hashed += TRACE_RECORD;
    if (sim->hashed == sizeof sim->records)
        life_digest_flush(sim);
}

static void leave(struct sim *sim, struct sim_node *n);

static void give(struct sim *sim, struct sim_node *n, const struct sim_event *why,
                 const struct event *ev, uint64_t size)
{
    if (sim->log)
        sim->peers[sim->hashed / TRACE_RECORD] = watch_peer(sim, why, ev);
    digest(sim, n, ev, size);
    if (sim->watching)
        watch_event(sim, n, why, ev);
    n->env.now = sim->now;
    n->env.spent = 0;
    n->env.event(n->env.node, ev);
    if (n->env.spent) {
        n->busy_until = sim->now + n->env.spent;
        n->compute += n->env.spent;
    }
    if (n->doomed)
        life_crash(sim, n, NULL);
    else if (n->leaving)
        leave(sim, n);
}

/* Fills in what an event of a link says; its size for the digest. */
static uint64_t describe(struct sim *sim, const struct sim_event *e, struct event *ev)
{
    const struct sim_end *end = e->at.end;
    ev->link = end->link;
    ev->tag = end->tag;
    ev->link_kind = (enum link_kind)end->kind;
    switch (e->kind) {
    case SIM_FOUND:
        ev->kind = EV_DATA;
        ev->data = datagram_data(e);
        ev->len = e->len;
        ev->local = links_local(end);
        ev->peer = datagram_from(e);
        return e->len;
    case SIM_UP:
        ev->kind = EV_UP;
        ev->local = links_local(end);
        ev->peer =
            end->kind == LINK_DATAGRAM ? sim_conn_of(end)->to : links_seen(sim, sim_peer(end));
        return 0;
    case SIM_ROOM:
        ev->kind = EV_ROOM;
        return 0;
    default:
        ev->kind = EV_DOWN;
        ev->why = (enum down_reason)e->why;
        return e->why;
    }
}

/* Its link has ended, or its node: counted if it was data. */
static void drop_data(struct sim *sim, const struct sim_event *e)
{
    const struct sim_node *from;
    if (e->kind != SIM_DATA && e->kind != SIM_FOUND)
        return;
    from = e->kind == SIM_FOUND ? &sim->nodes[datagram_sender(e)] : sim_peer(e->at.end)->node;
    watch_drop(sim, from, e->at.end->node, e->len, DROP_LINK_CLOSED);
}

static void hand_link(struct sim *sim, struct sim_event *e)
{
    struct sim_end *end = e->at.end;
    struct sim_node *n = end->node;
    struct event ev = {0};
    uint64_t size;
    if (end->state == END_CLOSED) {
        drop_data(sim, e);
        return;
    }
    if (e->kind == SIM_DATA) {
        n->recent = end;
        stream_handed(sim, e);
        ev.kind = EV_DATA;
        ev.link = end->link;
        ev.tag = end->tag;
        ev.link_kind = (enum link_kind)end->kind;
        ev.data = e->data;
        ev.len = e->len;
        give(sim, n, e, &ev, e->len);
        return;
    }
    size = describe(sim, e, &ev);
    if (e->kind == SIM_ROOM)
        end->blocked = end->room = false;
    else if (e->kind == SIM_DOWN) {
        if (sim->tap && e->why == DOWN_CLOSED && wire_is_below(end))
            tap_hang_up(sim, end);
        links_release(sim, end);
    }
    give(sim, n, e, &ev, size);
}

static void hand(struct sim *sim, struct sim_event *e)
{
    struct event ev = {0};
    if (e->kind >= SIM_SYN) {
        hand_link(sim, e);
    } else {
        ev.kind = e->kind == SIM_TIMER ? EV_TIMER : EV_GO;
        ev.timer = e->number;
        give(sim, e->at.node, e, &ev, ev.timer);
    }
    sim_event_free(sim, e);
}

static void wake_at(struct sim *sim, struct sim_node *n, ns_t at)
{
    struct sim_event *e = sim_event_new(sim, SIM_WAKE, 0);
    if (!e)
        return;
    e->at.node = n;
    e->life = n->life;
    sim_push(sim, at, e);
}

void life_offer(struct sim *sim, struct sim_event *e)
{
    struct sim_node *n = e->kind >= SIM_SYN ? e->at.end->node : e->at.node;
    if (!n->waiting && n->busy_until <= sim->now && !n->paused) {
        hand(sim, e);
        return;
    }
    if (!n->waiting && !n->paused)
        wake_at(sim, n, n->busy_until);
    e->next = n->waiting ? n->waiting->next : e;
    if (n->waiting)
        n->waiting->next = e;
    n->waiting = e;
}

/* The first of those that wait. */
static struct sim_event *next_waiting(struct sim_node *n)
{
    struct sim_event *e = n->waiting->next;
    if (e == n->waiting)
        n->waiting = NULL;
    else
        n->waiting->next = e->next;
    return e;
}

void life_wake(struct sim *sim, struct sim_node *n)
{
    while (n->waiting && n->busy_until <= sim->now && !n->paused && sim->n_done < sim->n_parties) {
        hand(sim, next_waiting(n));
    }
    if (n->waiting && !n->paused)
        wake_at(sim, n, n->busy_until > sim->now ? n->busy_until : sim->now);
}

/* ---- what the scenario does to nodes and links ---------------------------------------- */

static void set_paused(struct sim *sim, struct sim_node *n, bool paused)
{
    if (!n->alive || n->paused == paused)
        return;
    n->paused = paused;
    if (sim->watching)
        watch_world(sim, n, paused ? "pause" : "resume");
    if (!paused && n->waiting)
        wake_at(sim, n, n->busy_until > sim->now ? n->busy_until : sim->now);
}

/* Another public address: what was mapped, or bound to the old one, is dead, and nobody is told. */
static void readdress(struct sim *sim, struct sim_node *n)
{
    if (sim->watching)
        watch_world(sim, n, "readdress");
    for (uint32_t i = 0; i < sim->n_nodes; i++)
        if (&sim->nodes[i] == n || (nat_inside(&sim->nat, n->id) &&
                                    nat_outermost(&sim->nat, i) == nat_outermost(&sim->nat, n->id)))
            wire_sever(sim, &sim->nodes[i]);
    if (nat_inside(&sim->nat, n->id) && nat_readdress(&sim->nat, n->id) == ERR_NOMEM)
        sim->broken = ERR_NOMEM;
}

void life_begin(struct sim *sim, const struct action *a)
{
    static const char *const words[] = {
        [ACT_PARTITION] = "partition", [ACT_LINK] = "link", [ACT_FLAP] = "flap"};
    if (a->kind == ACT_PAUSE || a->kind == ACT_RESUME)
        set_paused(sim, &sim->nodes[a->node], a->kind == ACT_PAUSE);
    else if (a->kind == ACT_READDRESS)
        readdress(sim, &sim->nodes[a->node]);
    else if (sim->watching)
        watch_world(sim, NULL, words[a->kind]);
}

void life_over(struct sim *sim, const struct action *a)
{
    if (a->kind == ACT_PAUSE)
        set_paused(sim, &sim->nodes[a->node], false);
    if (sim->watching)
        watch_fault_over(sim, a);
}

/* ---- start, crash, end ---------------------------------------------------------------- */

static struct addr own_address(const struct sim *sim, uint32_t id)
{
    struct addr a = sim->spec->roster->entries[id].addr;
    if (nat_inside(&sim->nat, id))
        nat_private(id, a.ip);
    return a;
}

void life_start(struct sim *sim, struct sim_node *n)
{
    const struct trial_spec *t = sim->spec;
    struct node_config config = {.trial = t,
                                 .crowds = &sim->crowds,
                                 .self = n->id,
                                 .identity = t->secrets ? t->secrets[n->id] : NULL,
                                 .shared_clock = true,
                                 .trace = sim->layers};
    struct event ev = {.kind = EV_START};
    struct node *made;
    int rc;
    if (n->alive)
        return;
    n->env.now = sim->now;
    n->env.spent = 0;
    n->env.self = own_address(sim, n->id);
    n->env.incarnation = n->incarnations++;
    prng_name(&n->env.rng, sim->seed, t->roster->entries[n->id].name, n->env.incarnation, "node");
    sim_store_revive(&n->store);
    rc = node_new(&made, &config, &n->env, sim->err);
    if (rc != OK) {
        sim->broken = rc;
        return;
    }
    n->alive = true;
    if (n->env.incarnation && sim->watching)
        watch_restart(sim, n);
    give(sim, n, NULL, &ev, 0);
    if (n->alive)
        datagram_listen(sim, n);
}

static void bury(struct sim_node *n)
{
    n->useful += node_useful_bytes(n->env.node);
    n->doomed = true; /* whatever it asks for while it is freed has no effect */
    node_free(n->env.node);
    n->doomed = false;
    n->env.node = NULL;
    n->alive = n->paused = false;
    n->life++;
    prng_wipe(&n->env.rng);
    n->busy_until = 0;
}

static void forget_waiting(struct sim *sim, struct sim_node *n, bool count)
{
    while (n->waiting) {
        struct sim_event *e = next_waiting(n);
        if (count)
            drop_data(sim, e);
        sim_event_free(sim, e);
    }
}

static void keep_result(struct sim *sim, struct sim_node *n)
{
    struct outcome o = node_outcome(n->env.node);
    if (n->late)
        return;
    if (o.done) {
        n->late = calloc(1, sizeof *n->late);
        if (!n->late || account_keep(&n->late->outcome, &o) != OK)
            sim->broken = ERR_NOMEM;
        else
            n->late->completion = node_completion(n->env.node);
    } else if (n->done) {
        n->done = false;
        sim->n_done--;
    }
}

/* It is no more, but for its links. */
static void cease(struct sim *sim, struct sim_node *n)
{
    if (n->id < sim->n_parties)
        keep_result(sim, n);
    if (n->ready) {
        n->ready = false;
        sim->n_ready -= n->id < sim->n_parties;
    }
    bury(n);
    forget_waiting(sim, n, true);
}

static void leave(struct sim *sim, struct sim_node *n)
{
    n->leaving = false;
    if (!n->alive)
        return;
    if (sim->watching)
        watch_world(sim, n, "leave");
    for (uint32_t i = 0; i < n->n_slots; i++) {
        struct sim_end *end = n->slots[i].end;
        if (end && end->kind == LINK_DATAGRAM)
            datagram_close(sim, end);
        else if (end)
            stream_close(sim, end);
    }
    cease(sim, n);
}

void life_crash(struct sim *sim, struct sim_node *n, const struct action *by)
{
    if (!n->alive)
        return;
    if (sim->watching)
        watch_crash(sim, n, by);
    cease(sim, n);
    for (uint32_t i = 0; i < n->n_slots; i++) {
        struct sim_end *end = n->slots[i].end;
        if (!end)
            continue;
        if (end->kind == LINK_DATAGRAM)
            datagram_close(sim, end);
        else
            stream_reset(sim, end);
    }
}

void life_end(struct sim *sim, struct sim_node *n)
{
    if (n->alive)
        bury(n);
    forget_waiting(sim, n, false);
    sim_store_free(&n->store);
    map_free(&n->dialled);
    links_free_slots(sim, n);
    if (n->late) {
        free((void *)(uintptr_t)n->late->outcome.result);
        free((void *)(uintptr_t)n->late->outcome.failure);
        free(n->late);
    }
}
