#include "engine/worlds/sim/inner.h"

#include "engine/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int report_keep(struct outcome *to, const struct outcome *from)
{
    uint8_t *bytes;
    char *failure;
    *to = (struct outcome){.done = from->done};
    if (from->result) {
        bytes = malloc(from->len + 1);
        if (!bytes)
            return ERR_NOMEM;
        memcpy(bytes, from->result, from->len);
        bytes[from->len] = 0;
        to->result = bytes;
        to->len = from->len;
    }
    if (from->failure) {
        failure = strdup(from->failure);
        if (!failure)
            return ERR_NOMEM;
        to->failure = failure;
    }
    return OK;
}

/* ---- why a trial is unfinished -------------------------------------------------------- */

struct text {
    char *at;
    size_t len, cap;
    bool bad;
};

static void say(struct text *t, const char *a, const char *b, const char *c)
{
    size_t more = strlen(a) + strlen(b) + strlen(c) + 1;
    if (t->cap - t->len < more) {
        size_t cap = 2 * t->cap + more;
        char *at = realloc(t->at, cap);
        if (!at) {
            t->bad = true;
            return;
        }
        t->at = at;
        t->cap = cap;
    }
    t->len += (size_t)snprintf(t->at + t->len, t->cap - t->len, "%s%s%s", a, b, c);
}

static void say_waiting(const struct sim *sim, const struct sim_node *n, struct text *t)
{
    const char *name = sim->spec->roster->entries[n->id].name;
    char buf[512] = "";
    if (!n->alive) {
        say(t, name, n->incarnations ? " crashed and is down" : " has not been started", "\n");
        return;
    }
    node_waiting(n->env.node, buf, sizeof buf);
    say(t, name, buf[0] ? " " : " waits for nobody that it can name", buf);
    say(t, "\n", "", "");
}

static int explain(struct sim *sim)
{
    struct text t = {0};
    for (uint32_t i = 0; i < sim->n_parties; i++) {
        const struct outcome *o = &sim->result->outcomes[i];
        if (o->done || o->failure)
            continue;
        if (t.len == 0 && !sim->result->timed_out && sim->n_done < sim->n_parties)
            say(&t, "nothing is left to happen: a deadlock\n", "", "");
        say_waiting(sim, &sim->nodes[i], &t);
    }
    sim->result->why = t.at;
    return t.bad ? ERR_NOMEM : OK;
}

/* ---- what is measured at the end ------------------------------------------------------ */

static void measure(struct sim *sim, const struct sim_node *n)
{
    struct metrics *m = sim->metrics;
    uint64_t useful = n->useful + (n->alive ? node_useful_bytes(n->env.node) : 0);
    ns_t completion = n->kept.done ? n->completion : n->alive ? node_completion(n->env.node) : -1;
    if (completion >= 0)
        metrics_add(m, METRIC_COMPLETION, completion);
    metrics_add(m, METRIC_WIRE_BYTES, (int64_t)n->wire_bytes);
    metrics_add(m, METRIC_WIRE_PACKETS, (int64_t)n->wire_packets);
    if (n->wire_bytes)
        metrics_add(m, METRIC_GOODPUT, (int64_t)(useful * 1000000 / n->wire_bytes));
    metrics_add(m, METRIC_COMPUTE, n->compute);
}

int report_outcomes(struct sim *sim)
{
    struct trial_result *r = sim->result;
    r->outcomes = calloc(sim->n_parties, sizeof *r->outcomes);
    if (!r->outcomes)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < sim->n_parties; i++) {
        const struct sim_node *n = &sim->nodes[i];
        struct outcome o = n->kept;
        int rc;
        if (!o.done && n->alive)
            o = node_outcome(n->env.node);
        rc = report_keep(&r->outcomes[i], &o);
        if (rc != OK)
            return rc;
        measure(sim, n);
    }
    return explain(sim);
}

void trial_result_free(struct trial_result *r, uint32_t n_parties)
{
    for (uint32_t i = 0; r->outcomes && i < n_parties; i++) {
        free((void *)(uintptr_t)r->outcomes[i].result);
        free((void *)(uintptr_t)r->outcomes[i].failure);
    }
    free(r->outcomes);
    sights_found_free(&(struct sights_found){.exposures = r->exposures,
                                             .findings = r->findings,
                                             .n_findings = r->n_findings,
                                             .invalid = r->invalid});
    free(r->why);
    metrics_free(&r->metrics);
    *r = (struct trial_result){0};
}
