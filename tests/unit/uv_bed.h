/* Nodes on real sockets of the loopback, all in this process and one loop: a trial_spec made in C
 * is run as a world would. A node that crashes keeps its store. */
#ifndef PARTYLINE_TESTS_UV_BED_H
#define PARTYLINE_TESTS_UV_BED_H

#include "engine/run/local_ports.h"
#include "engine/worlds/uv/uvnode.h"
#include "engine/worlds/uv/uvstore.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { UV_BED_NODES = LOCAL_PORTS_MAX };

struct uv_bed;

struct uv_bed_node {
    struct uv_bed *bed;
    struct uvnode *node;
    struct uvstore *store;
    uint32_t lives;
    bool done, started;
};

struct uv_bed {
    const struct trial_spec *spec;
    struct trial_result *result;
    struct local_ports ports;
    struct uvplace places[UV_BED_NODES];
    struct uv_bed_node nodes[UV_BED_NODES];
    struct crowds crowds;
    uv_loop_t loop;
    uv_timer_t tick;
    ns_t origin, before;
    uint32_t links; /* a node's limit; 0: the default */
    bool six;       /* ::1 */
    bool over;
    struct err err;
    void (*poll)(struct uv_bed *); /* at every tick; may be NULL */
    void *user;
};

static inline ns_t uv_bed_now(const struct uv_bed *b)
{
    return (ns_t)uv_hrtime() - b->origin;
}

static inline void uv_bed_done(void *ctx)
{
    struct uv_bed_node *n = ctx;
    n->done = true;
}

static inline int uv_bed_start(struct uv_bed *b, uint32_t i)
{
    struct uv_bed_node *n = &b->nodes[i];
    const struct trial_spec *t = b->spec;
    uint32_t life = 0;
    int rc = OK;
    if (!n->store)
        rc = uvstore_open(&n->store, ":memory:", &life, &b->err);
    n->bed = b;
    n->started = true;
    if (rc == OK)
        rc = uvnode_new(&n->node,
                        &(struct uvnode_setup){.loop = &b->loop,
                                               .places = {t, b->places},
                                               .crowds = &b->crowds,
                                               .self = i,
                                               .identity = t->secrets ? t->secrets[i] : NULL,
                                               .store = uvstore_base(n->store),
                                               .incarnation = n->lives++,
                                               .origin = b->origin,
                                               .shared_clock = true,
                                               .metrics = &b->result->metrics,
                                               .links = b->links,
                                               .done = uv_bed_done,
                                               .ctx = n},
                        &b->err);
    return rc;
}

static inline void uv_bed_stop(struct uv_bed *b, uint32_t i)
{
    if (b->nodes[i].node)
        uvnode_free(b->nodes[i].node);
    b->nodes[i].node = NULL;
}

static inline void uv_bed_keep(struct uv_bed *b, uint32_t i)
{
    struct outcome *to = &b->result->outcomes[i], o;
    uint8_t *bytes;
    char waits[512];
    if (!b->nodes[i].node)
        return;
    o = node_outcome(uvnode_node(b->nodes[i].node));
    to->done = o.done;
    to->failure = o.failure ? strdup(o.failure) : NULL;
    if (o.result && (bytes = malloc(o.len + 1))) {
        memcpy(bytes, o.result, o.len);
        bytes[o.len] = 0;
        to->result = bytes;
        to->len = o.len;
    }
    if (o.done || o.failure || b->result->why)
        return;
    node_waiting(uvnode_node(b->nodes[i].node), waits, sizeof waits);
    b->result->why = strdup(waits);
}

static inline void uv_bed_end(struct uv_bed *b)
{
    b->over = true;
    b->result->ended = uv_bed_now(b);
    for (uint32_t i = 0; i < b->spec->roster->n; i++) {
        if (i < b->spec->roster->n_parties)
            uv_bed_keep(b, i);
        uv_bed_stop(b, i);
    }
    uv_close((uv_handle_t *)&b->tick, NULL);
}

static inline void uv_bed_tick(uv_timer_t *tick)
{
    struct uv_bed *b = tick->data;
    const struct trial_spec *t = b->spec;
    ns_t now = uv_bed_now(b);
    bool all = true;
    int rc = OK;
    for (uint32_t i = t->roster->n; rc == OK && i-- > 0;)
        if (!b->nodes[i].started && t->hosts[i].start <= now)
            rc = uv_bed_start(b, i);
    for (size_t i = 0; rc == OK && i < t->n_actions; i++) {
        const struct action *a = &t->actions[i];
        if (a->at <= b->before || a->at > now)
            continue;
        if (a->kind == ACT_CRASH)
            uv_bed_stop(b, a->node);
        else if (a->kind == ACT_RESTART)
            rc = uv_bed_start(b, a->node);
        if (a->kind == ACT_RESTART)
            b->nodes[a->node].done = false;
    }
    b->before = now;
    if (b->poll)
        b->poll(b);
    for (uint32_t i = 0; i < t->roster->n_parties; i++)
        all &= b->nodes[i].done;
    b->result->timed_out = now > t->limit;
    if (rc != OK || all || b->result->timed_out || b->over)
        uv_bed_end(b);
}

/* OK even if the trial failed. ERR_STATE: handles were left over. */
static inline int uv_bed_run(struct uv_bed *b, const struct trial_spec *t, struct trial_result *r)
{
    uint32_t n = t->roster->n;
    int rc = local_ports_take(&b->ports, n, &b->err);
    b->spec = t;
    b->result = r;
    b->before = -1;
    b->origin = (ns_t)uv_hrtime();
    *r = (struct trial_result){0};
    metrics_init(&r->metrics);
    r->outcomes = calloc(t->roster->n_parties, sizeof *r->outcomes);
    signal(SIGPIPE, SIG_IGN);
    for (uint32_t i = 0; rc == OK && i < n; i++) {
        rc = uvplace_resolve(b->six ? "::1" : "127.0.0.1", b->ports.first[i], &b->places[i].address,
                             &b->err);
        b->places[i].bind = b->places[i].address;
    }
    if (rc == OK)
        rc = crowds_find(&b->crowds, t->roster);
    if (rc == OK && r->outcomes) {
        uv_loop_init(&b->loop);
        uv_timer_init(&b->loop, &b->tick);
        b->tick.data = b;
        uv_timer_start(&b->tick, uv_bed_tick, 0, 2);
        uv_run(&b->loop, UV_RUN_DEFAULT);
        if (uv_loop_close(&b->loop) != 0)
            rc = err_set(&b->err, ERR_STATE, "the loop still holds something");
    }
    for (uint32_t i = 0; i < n; i++)
        uvstore_close(b->nodes[i].store);
    crowds_free(&b->crowds);
    local_ports_give(&b->ports);
    return rc == OK ? b->err.code : rc;
}

#endif
