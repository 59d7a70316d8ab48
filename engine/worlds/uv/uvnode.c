#include "engine/worlds/uv/inner.h"

#include <sodium.h>
#include <sys/random.h>

bool uvnode_entropy(struct prng *rng)
{
    uint8_t key[PRNG_KEY];
    bool good = getrandom(key, sizeof key, 0) == (ssize_t)sizeof key;
    if (good)
        prng_key(rng, key);
    sodium_memzero(key, sizeof key);
    return good;
}

ns_t uvnode_now(struct uvnode *n)
{
    ns_t now = (ns_t)uv_hrtime() - n->setup.origin;
    return now > n->env.now ? now : n->env.now;
}

void uvnode_give(struct uvnode *n, const struct event *ev)
{
    if (n->dead)
        return;
    n->env.now = uvnode_now(n);
    n->env.spent = 0;
    if (ev->kind == EV_DATA)
        n->heard = n->env.now;
    metrics_count(n->env.metrics, COUNT_EVENTS, 1);
    n->truth = (struct packet_truth){0};
    uvsight_event(n, ev);
    n->env.event(n->env.node, ev);
}

void uvnode_foreign(struct uvnode *n, party_t from, struct label label, const uint8_t *data,
                    size_t len)
{
    if (n->dead)
        return;
    n->env.now = uvnode_now(n);
    n->env.spent = 0;
    n->heard = n->env.now;
    metrics_count(n->env.metrics, COUNT_EVENTS, 1);
    n->truth = (struct packet_truth){0};
    node_foreign_recv(n->node, from, label, data, len);
}

/* ---- links by number ------------------------------------------------------------------ */

struct uvlink *uvnode_link(struct uvnode *n, link_t id)
{
    uint32_t slot = id & 0xffff;
    struct uvlink *l = slot < n->n_slots ? n->slots[slot].link : NULL;
    return l && l->id == id ? l : NULL;
}

/* A free slot, or n_slots. */
static uint32_t free_slot(struct uvnode *n)
{
    for (uint32_t i = 0; n->n_links < n->n_slots && i < n->n_slots; i++) {
        uint32_t slot = (n->free_hint + i) % n->n_slots;
        if (!n->slots[slot].link)
            return slot;
    }
    return n->n_slots;
}

struct uvlink *uvnode_link_new(struct uvnode *n, enum link_kind kind)
{
    struct uvlink *l;
    uint32_t slot;
    if (n->n_links + n->n_closing >= n->links_max)
        return NULL;
    slot = free_slot(n);
    if (slot == n->cap_slots) {
        uint32_t cap = n->cap_slots ? 2 * n->cap_slots : 16;
        struct uvslot *slots = realloc(n->slots, cap * sizeof *slots);
        if (!slots)
            return NULL;
        memset(slots + n->cap_slots, 0, (cap - n->cap_slots) * sizeof *slots);
        n->slots = slots;
        n->cap_slots = cap;
    }
    l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    if (slot == n->n_slots)
        n->n_slots++;
    n->free_hint = slot + 1;
    n->n_links++;
    if (++n->slots[slot].generation == 0)
        n->slots[slot].generation = 1; /* no link has the number 0 */
    *l = (struct uvlink){
        .node = n, .kind = kind, .id = (link_t)n->slots[slot].generation << 16 | slot};
    n->slots[slot].link = l;
    return l;
}

void uvnode_link_forget(struct uvlink *l)
{
    struct uvnode *n = l->node;
    uint32_t slot = l->id & 0xffff;
    n->slots[slot].link = NULL;
    n->free_hint = slot;
    n->n_links--;
}

uint16_t uvnode_source(struct uvnode *n)
{
    uint32_t own = UVPLACE_PORTS - UVPLACE_ACCEPTS;
    uint32_t base = n->setup.places.list[n->setup.self].address.port;
    base = base ? base : UVPLACE_SOURCES;
    return (uint16_t)(base + UVPLACE_ACCEPTS + n->next_source++ % own);
}

/* ---- later ---------------------------------------------------------------------------- */

static void deliver(struct uvnode *n, const struct uvlater *e)
{
    struct uvlink *l = e->link ? uvnode_link(n, e->link) : NULL;
    struct event ev = {.kind = e->kind, .why = e->why, .link = e->link};
    if (e->done && n->setup.done)
        n->setup.done(n->setup.ctx);
    if (e->done || (e->link && !l))
        return;
    if (l) {
        ev.link_kind = l->kind;
        ev.tag = l->tag;
        ev.local = l->local;
        ev.peer = l->peer;
    }
    if (l && e->kind == EV_DOWN) {
        uvnode_link_forget(l);
        uvstream_end(l);
    }
    uvnode_give(n, &ev);
}

static void on_idle(uv_idle_t *idle)
{
    struct uvnode *n = idle->data;
    struct uvlater *list = n->later;
    n->later = NULL;
    n->later_tail = &n->later;
    while (list) {
        struct uvlater *e = list;
        list = e->next;
        if (!n->dead)
            deliver(n, e);
        free(e);
    }
    if (!n->later && !n->dead)
        uv_idle_stop(idle);
}

static void push_later(struct uvnode *n, struct uvlater what)
{
    struct uvlater *e = n->dead ? NULL : malloc(sizeof *e);
    if (!e)
        return;
    *e = what;
    *n->later_tail = e;
    n->later_tail = &e->next;
    uv_idle_start(&n->idle, on_idle);
}

void uvnode_later(struct uvnode *n, enum event_kind kind, link_t link, enum down_reason why)
{
    push_later(n, (struct uvlater){.kind = kind, .link = link, .why = why});
}

/* ---- operations ------------------------------------------------------------- */

static int op_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    struct uvnode *n = uvnode_of(env);
    int rc;
    if (n->dead)
        return ERR_LIMIT;
    if (kind == LINK_HANDOVER)
        return ERR_UNSUPPORTED;
    rc = kind == LINK_DATAGRAM ? uvdgram_open(n, to, out) : uvstream_open(n, kind, to, out);
    if (rc == OK)
        metrics_count(env->metrics, COUNT_LINKS, 1);
    return rc;
}

static int op_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct uvnode *n = uvnode_of(env);
    struct uvlink *l = uvnode_link(n, link);
    if (!l || n->dead)
        return ERR_CLOSED;
    return l->kind == LINK_DATAGRAM ? uvdgram_send(l, l->peer, data, len)
                                    : uvstream_send(l, data, len);
}

static int op_send_to(struct env *env, link_t port, struct addr to, const void *data, size_t len)
{
    struct uvnode *n = uvnode_of(env);
    struct uvlink *l = uvnode_link(n, port);
    if (!l || n->dead || l->kind != LINK_DATAGRAM)
        return ERR_CLOSED;
    return uvdgram_send(l, to, data, len);
}

static void op_close(struct env *env, link_t link)
{
    struct uvnode *n = uvnode_of(env);
    struct uvlink *l = uvnode_link(n, link);
    if (!l || n->dead)
        return;
    if (l->kind == LINK_DATAGRAM)
        uvdgram_close(l);
    else
        uvstream_close(l);
}

static void op_tag(struct env *env, link_t link, uint32_t tag)
{
    struct uvlink *l = uvnode_link(uvnode_of(env), link);
    if (l)
        l->tag = tag;
}

static void op_arm(struct env *env, unsigned timer, ns_t at)
{
    uvtimer_arm(uvnode_of(env), timer, at);
}

static void op_ready(struct env *env)
{
    uvnode_later(uvnode_of(env), EV_GO, 0, DOWN_NONE);
}

static void op_done(struct env *env)
{
    struct uvnode *n = uvnode_of(env);
    if (!n->said_done)
        push_later(n, (struct uvlater){.done = true});
    n->said_done = true;
}

static void op_show(struct env *env, const struct shown *shown)
{
    struct uvnode *n = uvnode_of(env);
    if (!n->dead)
        uvsight_show(n, shown);
}

static void op_keep(struct env *env, const struct retained *kept)
{
    struct uvnode *n = uvnode_of(env);
    if (!n->dead)
        uvsight_keep(n, kept);
}

static const struct env_ops ops = {
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

/* ---- making and ending ---------------------------------------------------------------- */

static void release(struct uvnode *n)
{
    void (*gone)(void *) = n->setup.gone;
    void *ctx = n->setup.ctx;
    while (n->later) {
        struct uvlater *e = n->later;
        n->later = e->next;
        free(e);
    }
    uvsight_free(n);
    prng_wipe(&n->env.rng);
    free(n->timers);
    free(n->slots);
    free(n->read);
    free(n);
    if (gone)
        gone(ctx);
}

void uvnode_dropped(struct uvnode *n)
{
    n->handles--;
    if (n->dead && n->handles == 0)
        release(n);
}

static void on_closed(uv_handle_t *h)
{
    uvnode_dropped(h->data);
}

static void on_sweep(uv_timer_t *t)
{
    struct uvnode *n = t->data;
    uvstream_sweep(n, uvnode_now(n));
}

static int listen_all(struct uvnode *n, struct err *e)
{
    const struct accept *list = node_accepts(n->setup.places.trial, n->setup.self);
    int rc = OK;
    for (unsigned k = 0; rc == OK && list && list[k].port; k++) {
        if (k == UVPLACE_ACCEPTS)
            return err_set(e, ERR_LIMIT, "a role that accepts at more than %d ports",
                           UVPLACE_ACCEPTS);
        rc = list[k].kind == LINK_DATAGRAM ? uvdgram_listen(n, k, &list[k], e)
                                           : uvstream_listen(n, k, &list[k], e);
    }
    return rc;
}

static int start(struct uvnode *n, struct err *e)
{
    const struct trial_spec *t = n->setup.places.trial;
    struct node_config config = {.trial = t,
                                 .crowds = n->setup.crowds,
                                 .self = n->setup.self,
                                 .identity = n->setup.identity,
                                 .foreign = n->setup.foreign,
                                 .shared_clock = n->setup.shared_clock};
    int rc = uvsight_init(n);
    n->read = malloc(READ_SIZE);
    if (rc != OK || !n->read)
        return err_set(e, ERR_NOMEM, "no memory for a node");
    if (!uvnode_entropy(&n->env.rng))
        return err_set(e, ERR_IO, "the system gives no random bytes");
    n->env.now = uvnode_now(n);
    n->heard = n->env.now;
    n->env.self = uvplace_self(&n->setup.places, n->setup.self);
    rc = node_new(&n->node, &config, &n->env, e);
    if (rc != OK)
        return rc;
    uvnode_later(n, EV_START, 0, DOWN_NONE);
    return listen_all(n, e);
}

int uvnode_new(struct uvnode **out, const struct uvnode_setup *setup, struct err *e)
{
    struct uvnode *n = calloc(1, sizeof *n);
    int rc;
    if (!n)
        return err_set(e, ERR_NOMEM, "no memory for a node");
    n->setup = *setup;
    n->links_max = setup->links ? setup->links : UVNODE_LINKS;
    n->later_tail = &n->later;
    n->next_source = 16 * setup->incarnation; /* not those that its last life had */
    n->env = (struct env){.ops = &ops,
                          .incarnation = setup->incarnation,
                          .store = setup->store,
                          .metrics = setup->metrics,
                          .truth = setup->watch ? &n->truth : NULL};
    uv_timer_init(setup->loop, &n->clock);
    uv_timer_init(setup->loop, &n->sweep);
    uv_idle_init(setup->loop, &n->idle);
    uvwrite_init(n);
    n->clock.data = n->sweep.data = n->idle.data = n;
    n->handles = 4;
    rc = start(n, e);
    if (rc != OK) {
        n->setup.gone = NULL;
        uvnode_free(n);
        return rc;
    }
    uv_timer_start(&n->sweep, on_sweep, 1000, 1000);
    uv_unref((uv_handle_t *)&n->sweep);
    *out = n;
    return OK;
}

static void on_deaf(uv_handle_t *h)
{
    struct uvlistener *at = h->data;
    uvnode_dropped(at->node);
}

static void close_listeners(struct uvnode *n)
{
    for (unsigned k = 0; k < UVPLACE_ACCEPTS; k++)
        if (n->listeners[k].node)
            uv_close((uv_handle_t *)&n->listeners[k].tcp, on_deaf);
}

void uvnode_free(struct uvnode *n)
{
    n->dead = true;
    node_free(n->node);
    n->node = NULL;
    close_listeners(n);
    for (uint32_t i = 0; i < n->n_slots; i++) {
        struct uvlink *l = n->slots[i].link;
        if (!l)
            continue;
        if (l->kind == LINK_DATAGRAM)
            uvdgram_close(l);
        else
            uvstream_end(l), uvnode_link_forget(l);
    }
    uvstream_sweep(n, NS_NEVER);
    uvdgram_end(n);
    uv_close((uv_handle_t *)&n->clock, on_closed);
    uv_close((uv_handle_t *)&n->sweep, on_closed);
    uv_close((uv_handle_t *)&n->idle, on_closed);
    uv_close((uv_handle_t *)&n->turn, on_closed);
}

struct node *uvnode_node(struct uvnode *n)
{
    return n->node;
}

size_t uvnode_queued(const struct uvnode *n)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < n->n_slots; i++) {
        const struct uvlink *l = n->slots[i].link;
        if (l && l->kind != LINK_DATAGRAM)
            sum += uvwrite_waiting(l);
    }
    for (const struct uvlink *l = n->closing; l; l = l->next)
        sum += uv_stream_get_write_queue_size((const uv_stream_t *)&l->tcp);
    return sum;
}

uint32_t uvnode_links(const struct uvnode *n)
{
    return n->n_links;
}

ns_t uvnode_heard(const struct uvnode *n)
{
    return n->heard;
}
