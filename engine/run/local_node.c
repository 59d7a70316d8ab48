#include "engine/run/local_node.h"

#include "engine/run/files.h"
#include "engine/run/local_hosts.h"
#include "engine/run/run.h"
#include "engine/worlds/uv/uvnode.h"
#include "engine/worlds/uv/uvstore.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { TICK_MS = 20, WAITS_MAX = 2048 };

#define FLUSH_MAX (2 * NS_S)

struct run_node {
    const struct local_node_args *args;
    struct scenario *scenario;
    struct trial_spec spec;
    struct roster roster;
    struct input *inputs;
    struct local_hosts hosts;
    struct identity identity;
    struct crowds crowds;
    struct uvstore *store;
    struct metrics metrics;
    uv_loop_t loop;
    uv_signal_t on_int, on_term;
    uv_timer_t tick;
    struct uvnode *node;
    party_t self;
    ns_t began, done_at, leaves_at; /* -1: not yet */
    int signal;
    bool timed_out;
    struct local_result result;
};

/* ---- what it is told ------------------------------------------------------------------ */

static int load(struct run_node *r)
{
    const char *file = r->args->scenario;
    struct diag_list diags;
    int code = EXIT_DONE;
    diag_init(&diags);
    if (scenario_load(file, NULL, 0, &r->scenario, &diags) != OK) {
        diag_print(&diags, stderr);
        code = EXIT_SCENARIO;
    } else if (r->scenario->n_cells != 1) {
        fprintf(stderr, "partyline node: %s: a node takes part in one cell, this has %zu\n", file,
                r->scenario->n_cells);
        code = EXIT_SCENARIO;
    }
    diag_free(&diags);
    return code;
}

static int find_self(struct run_node *r)
{
    r->spec = r->scenario->cells[0].spec;
    r->roster = *r->spec.roster;
    r->spec.roster = &r->roster;
    for (r->self = 0; r->self < r->roster.n; r->self++)
        if (strcmp(r->roster.entries[r->self].name, r->args->name) == 0)
            break;
    if (r->self == r->roster.n) {
        fprintf(stderr, "partyline node: %s has no node %s\n", r->args->scenario, r->args->name);
        return EXIT_USAGE;
    }
    if (r->spec.modelled || r->spec.transport->needs_handover) {
        fprintf(stderr, "partyline node: %s: %s is for simulated worlds\n", r->args->scenario,
                r->spec.modelled ? "crypto: modelled" : r->spec.transport->name);
        return EXIT_SCENARIO;
    }
    /* Only its own input is known here. */
    r->inputs = calloc(r->roster.n_parties + 1, sizeof *r->inputs);
    if (!r->inputs)
        return EXIT_LACKING;
    for (party_t i = 0; i < r->roster.n_parties; i++)
        r->inputs[i] = (struct input){.values = i == r->self ? r->spec.inputs[i].values : NULL,
                                      .n = r->spec.inputs[i].n};
    r->spec.inputs = r->inputs;
    return EXIT_DONE;
}

static int load_hosts(struct run_node *r)
{
    struct diag_list diags;
    int code = EXIT_DONE;
    diag_init(&diags);
    if (local_hosts_read(&r->hosts, r->args->hosts, &r->spec, &diags) != OK) {
        diag_print(&diags, stderr);
        code = EXIT_SCENARIO;
    }
    diag_free(&diags);
    return code;
}

static int load_key(struct run_node *r)
{
    struct err e;
    if (r->spec.channel == CHANNEL_NONE)
        return EXIT_DONE;
    r->roster.identities = r->hosts.identities;
    if (local_key_read(r->args->key, &r->identity, &e) != OK) {
        fprintf(stderr, "partyline node: %s\n", e.text);
        return EXIT_SCENARIO;
    }
    if (!identity_equal(&r->identity.pub, &r->hosts.identities[r->self])) {
        fprintf(stderr, "partyline node: %s: this is not the identity that %s gives %s\n",
                r->args->key, r->args->hosts, r->args->name);
        return EXIT_SCENARIO;
    }
    return EXIT_DONE;
}

/* ---- its life ------------------------------------------------------------------------- */

static bool is_party(const struct run_node *r)
{
    return r->self < r->roster.n_parties;
}

static void on_done(void *ctx)
{
    struct run_node *r = ctx;
    char path[PATH_MAX];
    if (!is_party(r) || r->done_at >= 0)
        return;
    r->done_at = uvnode_now(r->node);
    snprintf(path, sizeof path, "%s/done", r->args->out);
    files_write(path, "", 0, NULL);
}

static void keep_outcome(struct run_node *r)
{
    struct outcome o = node_outcome(uvnode_node(r->node)), *to = &r->result.outcome;
    uint8_t *bytes;
    char waits[WAITS_MAX] = "";
    ns_t completion = node_completion(uvnode_node(r->node));
    if (!is_party(r))
        return;
    to->done = o.done;
    to->failure = o.failure ? strdup(o.failure) : NULL;
    if (o.result && (bytes = malloc(o.len + 1))) {
        memcpy(bytes, o.result, o.len);
        bytes[o.len] = 0;
        to->result = bytes;
        to->len = o.len;
    }
    if (completion >= 0)
        metrics_add(&r->metrics, METRIC_COMPLETION, completion);
    if (o.done || o.failure)
        return;
    node_waiting(uvnode_node(r->node), waits, sizeof waits);
    r->result.waits = strdup(waits);
}

static void keep_exposure(void *ctx, const struct exposure *x)
{
    struct trial_record *rec = ctx;
    struct exposure_row *rows =
        realloc(rec->exposures, (rec->n_exposures + 1) * sizeof *rec->exposures);
    struct exposure_row *row;
    if (!rows)
        return;
    rec->exposures = rows;
    row = &rows[rec->n_exposures++];
    *row = (struct exposure_row){
        .who = x->who, .whom = x->whom, .other = x->other, .level = x->level, .first = x->first};
    snprintf(row->observer, sizeof row->observer, "%s", x->observer);
    snprintf(row->what, sizeof row->what, "%s", x->what);
}

static void leave(struct run_node *r)
{
    if (!r->node)
        return;
    keep_outcome(r);
    uvnode_score(r->node, keep_exposure, &r->result.record);
    r->result.record.ended = uvnode_now(r->node) - r->began;
    r->result.timed_out = r->timed_out;
    uvnode_free(r->node);
    r->node = NULL;
    uv_close((uv_handle_t *)&r->tick, NULL);
    uv_close((uv_handle_t *)&r->on_int, NULL);
    uv_close((uv_handle_t *)&r->on_term, NULL);
}

static void on_tick(uv_timer_t *t)
{
    struct run_node *r = t->data;
    ns_t now = uvnode_now(r->node), heard = uvnode_heard(r->node);
    ns_t quiet = heard > r->done_at ? heard : r->done_at;
    bool limit = is_party(r) && now - r->began >= r->spec.limit;
    if (r->leaves_at < 0 && (r->signal || limit || (r->done_at >= 0 && now - quiet > LOCAL_LINGER)))
        r->leaves_at = now + FLUSH_MAX;
    if (r->leaves_at < 0)
        return;
    r->timed_out |= limit && r->done_at < 0;
    if (uvnode_queued(r->node) == 0 || now >= r->leaves_at || !is_party(r))
        leave(r);
}

static void on_signal(uv_signal_t *s, int number)
{
    struct run_node *r = s->data;
    r->signal = number;
    on_tick(&r->tick);
}

/* As many sockets as the system lets it have. */
static void raise_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int live(struct run_node *r, struct err *e)
{
    struct uvnode_setup setup = {
        .loop = &r->loop,
        .places = {&r->spec, r->hosts.places},
        .crowds = &r->crowds,
        .self = r->self,
        .identity = r->spec.channel == CHANNEL_NONE ? NULL : &r->identity,
        .store = uvstore_base(r->store),
        .incarnation = (uint32_t)r->result.record.trial,
        .origin = r->hosts.origin >= 0 ? r->hosts.origin : (ns_t)uv_hrtime(),
        .shared_clock = r->hosts.origin >= 0,
        .metrics = &r->metrics,
        .done = on_done,
        .ctx = r,
    };
    int rc;
    uv_timer_init(&r->loop, &r->tick);
    uv_signal_init(&r->loop, &r->on_int);
    uv_signal_init(&r->loop, &r->on_term);
    r->tick.data = r->on_int.data = r->on_term.data = r;
    uv_signal_start(&r->on_int, on_signal, SIGINT);
    uv_signal_start(&r->on_term, on_signal, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    raise_limit();
    rc = uvnode_new(&r->node, &setup, e);
    if (rc == OK) {
        r->began = uvnode_now(r->node);
        uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    } else {
        uv_close((uv_handle_t *)&r->tick, NULL);
        uv_close((uv_handle_t *)&r->on_int, NULL);
        uv_close((uv_handle_t *)&r->on_term, NULL);
    }
    uv_run(&r->loop, UV_RUN_DEFAULT);
    return rc;
}

static int conclude(struct run_node *r, struct err *e)
{
    struct trial_record *rec = &r->result.record;
    char path[PATH_MAX];
    int rc;
    rec->status = !is_party(r) || r->result.outcome.done ? TRIAL_COMPLETED : TRIAL_UNFINISHED;
    if (r->result.outcome.failure)
        rec->why = strdup(r->result.outcome.failure);
    else if (r->timed_out)
        rec->why = strdup("the limit came");
    else if (r->signal && rec->status == TRIAL_UNFINISHED)
        rec->why = strdup("ended by a signal");
    rec->metrics = r->metrics;
    snprintf(path, sizeof path, "%s/result.json", r->args->out);
    rc = local_result_write(path, r->args->name, &r->result, e);
    rec->metrics = (struct metrics){0};
    return rc;
}

static int run_it(struct run_node *r)
{
    char path[PATH_MAX];
    struct err e;
    int code = EXIT_DONE, rc;
    snprintf(path, sizeof path, "%s/store.db", r->args->out);
    rc = files_make_dir(r->args->out, &e);
    if (rc == OK)
        rc = uvstore_open(&r->store, path, &r->result.record.trial, &e);
    if (rc == OK)
        rc = crowds_find(&r->crowds, &r->roster);
    if (rc == OK) {
        uv_loop_init(&r->loop);
        rc = live(r, &e);
        uv_loop_close(&r->loop);
    }
    if (rc == OK)
        rc = conclude(r, &e);
    if (rc != OK) {
        fprintf(stderr, "partyline node: %s: %s\n", r->args->name, e.text);
        return EXIT_LACKING;
    }
    if (r->result.record.status != TRIAL_COMPLETED) {
        fprintf(stderr, "partyline node: %s: %s%s%s\n", r->args->name,
                r->result.record.why ? r->result.record.why : "unfinished",
                r->result.waits ? ": " : "", r->result.waits ? r->result.waits : "");
        code = EXIT_TRIAL_FAILED;
    }
    return code;
}

int local_node_run(const struct local_node_args *args)
{
    struct run_node r = {.args = args, .done_at = -1, .leaves_at = -1};
    int code;
    metrics_init(&r.metrics);
    code = load(&r);
    if (code == EXIT_DONE)
        code = find_self(&r);
    if (code == EXIT_DONE)
        code = load_hosts(&r);
    if (code == EXIT_DONE)
        code = load_key(&r);
    if (code == EXIT_DONE)
        code = run_it(&r);
    identity_wipe(&r.identity);
    uvstore_close(r.store);
    crowds_free(&r.crowds);
    local_hosts_free(&r.hosts);
    local_result_free(&r.result);
    metrics_free(&r.metrics);
    free(r.inputs);
    scenario_free(r.scenario);
    return code;
}
