#include "engine/run/local.h"

#include "engine/worlds/result/refusal.h"
#include "engine/worlds/uv/uvplace.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what it can't honour ------------------------------------------------------------- */

int local_check(const struct trial_spec *t, void (*say)(void *, int, const char *), void *ctx)
{
    struct refusal r = {say, ctx, OK};
    if (t->transport->needs_handover)
        refuse(&r, 0, "the transport %s needs nodes that share one memory", t->transport->name);
    if (coturn_needed(t) && coturn_lacks())
        refuse(&r, 0, "%s", coturn_lacks());
    if (t->modelled)
        refuse(&r, 0, "crypto: modelled is for simulated worlds");
    for (uint32_t i = 1; i < t->roster->n_parties; i++)
        if (t->programs && strcmp(t->programs[i], t->programs[0]) != 0)
            refuse(&r, t->hosts[i].line, "%s believes in another program than %s",
                   t->roster->entries[i].name, t->roster->entries[0].name);
    return r.rc;
}

static int check(const struct trial_spec *t, void (*say)(void *, int, const char *), void *ctx)
{
    struct refusal r = {say, ctx, local_check(t, say, ctx)};
    if (t->roster->n > LOCAL_NODES_MAX)
        refuse(&r, 0, "%u nodes, and it starts a process for each: at most %d",
               (unsigned)t->roster->n, LOCAL_NODES_MAX);
    for (size_t i = 0; i < t->n_actions; i++) {
        const struct action *a = &t->actions[i];
        if (a->kind == ACT_PARTITION)
            refuse(&r, a->line, "a partition: processes on loopback always reach each other");
        else if (a->kind == ACT_FLAP)
            refuse(&r, a->line, "a flap: processes on loopback always reach each other");
        else if (a->kind == ACT_READDRESS)
            refuse(&r, a->line, "readdress: all nodes have one address here");
    }
    return r.rc;
}

#define NO_NETWORK                                                                                 \
    "regions, access, nat and links are not simulated; what is expected of time, of NATs or of "   \
    "what "                                                                                        \
    "is not measured is not judged"

static const char *drops(const struct trial_spec *t)
{
    bool some = t->n_links > 0, lines = replay_wants(t, NULL) & (WANT_LINE | WANT_LINE_OPENS);
    for (size_t i = 0; i < t->n_actions; i++)
        some |= t->actions[i].kind == ACT_LINK;
    for (uint32_t i = 0; i < t->roster->n; i++) {
        const struct host_spec *h = &t->hosts[i];
        some |= h->nat != NAT_NONE || h->region != t->hosts[0].region || h->access.latency ||
                h->access.up_bps || h->access.down_bps || h->access.loss_ppm || h->access.jitter;
    }
    if (lines)
        return some ? NO_NETWORK "; and " REPLAY_NO_LINES : REPLAY_NO_LINES;
    return some ? NO_NETWORK : NULL;
}

/* ---- what the nodes ended with -------------------------------------------------------- */

static void explain_missing(const struct local_trial *t, party_t id, struct trial_result *r)
{
    const struct local_child *c = &t->children[id];
    const char *name = t->spec->roster->entries[id].name;
    char said[512];
    local_trial_said(t, id, said, sizeof said);
    if (!c->started)
        local_result_why(r, "%s has not been started", name);
    else if (c->crashed)
        local_result_why(r, "%s crashed and is down", name);
    else if (WIFSIGNALED(c->status))
        local_result_why(r, "the process of %s was ended by signal %d %s", name,
                         WTERMSIG(c->status), said);
    else
        local_result_why(r, "the process of %s ended with status %d: %s", name,
                         WEXITSTATUS(c->status), said);
}

/* One node's share. */
static int add_node(const struct local_trial *t, party_t id, struct trial_result *r, struct err *e)
{
    struct local_result one;
    char path[LOCAL_PATH];
    int rc = local_result_read(local_trial_path(t, id, "result.json", path), &one, e);
    if (rc == ERR_ABSENT || (rc == OK && t->children[id].crashed && !one.outcome.done)) {
        explain_missing(t, id, r);
        rc = OK;
    } else if (rc == OK) {
        rc = local_result_merge(t->spec, id, &one, r);
        if (rc != OK)
            err_set(e, rc, "%s: %s", path, err_name(rc));
    }
    local_result_free(&one);
    return rc;
}

int local_trial_collect(const struct local_trial *t, struct trial_result *r, struct err *e)
{
    int rc = OK;
    r->timed_out = t->timed_out;
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++)
        if (!coturn_runs(t->spec, i))
            rc = add_node(t, i, r, e);
        else if (t->children[i].early)
            explain_missing(t, i, r);
    return rc;
}

/* ---- on loopback ---------------------------------------------------------------------- */

/* Foreign servers know nodes by their addresses: with them, every node has one of its own, of a
 * network that is this trial's as its ports are. */
static json_t *host(const struct local_trial *t, party_t id)
{
    const struct local_ports *ports = t->ctx;
    char own[24];
    if (coturn_needed(t->spec)) {
        unsigned n = ports->first[0] / UVPLACE_PORTS;
        snprintf(own, sizeof own, "127.%u.%u.%u", 64 + n / 256, n % 256, (unsigned)id + 1);
        return json_pack("{s:s}", "address", own);
    }
    return json_pack("{s:s, s:i}", "address", "127.0.0.1", "port", (int)ports->first[id]);
}

static int fork_here(const struct local_trial *t, party_t id, pid_t *pid, struct err *e)
{
    (void)t, (void)id;
    *pid = fork();
    return *pid >= 0 ? OK : err_set(e, ERR_LIMIT, "can't start a node: %s", strerror(errno));
}

static const struct local_where loopback = {.host = host, .fork = fork_here};

static int run(const struct trial_spec *spec, uint64_t seed, const struct fault_plan *plan,
               const struct trace *trace, struct trial_result *r, struct err *e)
{
    struct local_trial t = {.program = -1};
    struct local_ports ports;
    int rc;
    (void)plan;
    *r = (struct trial_result){0};
    metrics_init(&r->metrics);
    r->outcomes = calloc(spec->roster->n_parties, sizeof *r->outcomes);
    rc = local_ports_take(&ports, spec->roster->n, e);
    if (rc == OK && !r->outcomes)
        rc = err_set(e, ERR_NOMEM, "no memory for results");
    if (rc == OK)
        rc = local_trial_prepare(&t, spec, &loopback, &ports, e);
    t.sightings = (replay_wants(spec, trace) & SIGHTINGS_OF_NODES) != 0;
    if (rc == OK)
        rc = local_trial_begin(&t, e);
    if (rc == OK)
        rc = local_trial_run(&t, e);
    if (rc == OK)
        rc = local_trial_collect(&t, r, e);
    if (rc == OK && t.sightings)
        rc = local_replay_nodes(spec, seed, t.hosts, t.ended - t.began, trace, local_trial_file, &t,
                                r, e);
    local_trial_free(&t);
    local_ports_give(&ports);
    if (rc != OK)
        trial_result_free(r, spec->roster->n_parties);
    return rc;
}

const struct world world_local = {
    .name = "local",
    .help = "a process for each node, on this machine's loopback",
    .real = true,
    .check = check,
    .drops = drops,
    .run = run,
};
