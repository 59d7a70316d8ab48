#include "engine/run/local_node.h"

#include "engine/run/files.h"
#include "engine/observers/record.h"
#include "engine/run/local_told.h"
#include "engine/run/run.h"
#include "engine/run/sightings.h"
#include "engine/worlds/uv/gateways/gateway.h"
#include "engine/worlds/uv/uvnode.h"
#include "engine/worlds/uv/uvstore.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { TICK_MS = 20, FILES_OWN = 64, WAITS_MAX = 2048 };

#define FLUSH_MAX (2 * NS_S)

struct run_node {
    const struct local_node_args *args;
    struct local_told told;
    struct crowds crowds;
    struct uvstore *store;
    struct metrics metrics;
    uv_loop_t loop;
    uv_signal_t on_int, on_term;
    uv_timer_t tick;
    struct uvnode *node;
    struct node_foreign foreign;
    struct uvgateway *gateway;   /* NULL: this node has none */
    struct sightings *sightings; /* NULL: nobody asked for them */
    struct uvnode_watch watch;
    ns_t began, done_at, leaves_at; /* -1: not yet */
    int signal;
    bool timed_out;
    struct local_result result;
};

/* ---- its life ------------------------------------------------------------------------- */

static bool is_party(const struct run_node *r)
{
    return r->told.self < r->told.roster.n_parties;
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

static void leave(struct run_node *r)
{
    struct sights_found found;
    if (!r->node)
        return;
    keep_outcome(r);
    if (uvnode_score(r->node, &found) == OK)
        for (size_t i = 0; i < found.n_exposures; i++)
            trial_add_exposure(&r->result.record, &found.exposures[i]);
    sights_found_free(&found);
    r->result.record.ended = uvnode_now(r->node) - r->began;
    r->result.timed_out = r->timed_out;
    if (r->gateway)
        uvgateway_free(r->gateway);
    r->gateway = NULL;
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
    bool limit = is_party(r) && now - r->began >= r->told.spec.limit;
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

static ns_t wall_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (ns_t)t.tv_sec * NS_S + t.tv_nsec;
}

/* As many sockets as the system lets it have; a service is for many. */
static uint32_t raise_limit(const struct run_node *r)
{
    struct rlimit files;
    rlim_t links;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return UVNODE_LINKS;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    links = files.rlim_cur > 2 * FILES_OWN ? files.rlim_cur - FILES_OWN : FILES_OWN;
    if (links < UVNODE_LINKS)
        fprintf(stderr,
                "partyline node: %s: only %llu files may be open here (ulimit -n): connections "
                "beyond %llu are refused\n",
                r->args->name, (unsigned long long)files.rlim_cur, (unsigned long long)links);
    if (is_party(r) && links > UVNODE_LINKS)
        links = UVNODE_LINKS;
    return links < UVNODE_LINKS_MAX ? (uint32_t)links : UVNODE_LINKS_MAX;
}

/* By the time of day if people without nodes take part, or nodes are on several machines. */
static ns_t clock_origin(const struct run_node *r)
{
    ns_t monotonic = (ns_t)uv_hrtime();
    if (r->told.hosts.gateway != PARTY_NONE)
        return monotonic - wall_clock();
    if (r->told.hosts.epoch >= 0)
        return monotonic - (wall_clock() - r->told.hosts.epoch);
    return r->told.hosts.origin >= 0 ? r->told.hosts.origin : monotonic;
}

static int open_gateway(struct run_node *r, struct err *e)
{
    struct uvgateway_setup setup = {.loop = &r->loop,
                                    .trial = &r->told.spec,
                                    .http = r->told.hosts.http,
                                    .smtp_url = r->told.hosts.smtp,
                                    .from = r->told.hosts.from,
                                    .foreign = &r->foreign};
    r->foreign.who = r->told.hosts.through;
    return r->told.self == r->told.hosts.gateway ? uvgateway_new(&r->gateway, &setup, e) : OK;
}

/* ---- the sign to begin ----------------------------------------------------------------- */

static volatile sig_atomic_t called_off;

static void call_off(int number)
{
    called_off = number;
}

/* 0: not there yet. */
static ns_t sign(const char *path)
{
    char *text, *end;
    size_t len;
    ns_t at = 0;
    if (files_read(path, 64, &text, &len, NULL) != OK)
        return 0;
    if (len && text[len - 1] == '\n' && text[0] >= '0' && text[0] <= '9') {
        at = strtoll(text, &end, 10);
        at = *end == '\n' ? at : 0;
    }
    free(text);
    return at;
}

/* Returns at its time; a signal ends it. */
static int await_sign(struct run_node *r, struct err *e)
{
    struct sigaction act = {.sa_handler = call_off};
    struct timespec pause = {.tv_nsec = NS_MS};
    ns_t until = (ns_t)uv_hrtime() + LOCAL_PATIENCE, at = 0;
    if (!r->args->go || !is_party(r))
        return OK;
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    while (!called_off && (at == 0 || wall_clock() < at + r->told.hosts.starts[r->told.self])) {
        if (at == 0 && (ns_t)uv_hrtime() > until)
            return err_set(e, ERR_ABSENT, "nobody gave the sign to begin: %s", r->args->go);
        nanosleep(&pause, NULL);
        if (at == 0)
            at = sign(r->args->go);
    }
    r->signal = called_off;
    return OK;
}

static void note(void *ctx, const struct sighting *s, const struct packet_truth *truth,
                 uint32_t on_stream)
{
    sightings_take(ctx, s, truth, on_stream);
}

static int open_sightings(struct run_node *r, struct err *e)
{
    char path[PATH_MAX];
    int rc;
    if (!r->args->sightings)
        return OK;
    snprintf(path, sizeof path, "%s/sightings-%u", r->args->out, (unsigned)r->result.record.trial);
    rc =
        sightings_open(&r->sightings, path, &r->told.spec, SIGHTINGS_OF_NODES, RECORD_SIGHTINGS, e);
    r->watch = (struct uvnode_watch){
        .wants = SIGHTINGS_OF_NODES, .see = note, .ctx = rc == OK ? r->sightings : NULL};
    return rc;
}

static int close_sightings(struct run_node *r, struct err *e)
{
    if (!r->sightings)
        return OK;
    sightings_end(r->sightings, NULL, r->result.record.ended);
    return sightings_close(r->sightings, e);
}

static int live(struct run_node *r, struct err *e)
{
    struct uvnode_setup setup = {
        .loop = &r->loop,
        .places = {&r->told.spec, r->told.hosts.places},
        .crowds = &r->crowds,
        .self = r->told.self,
        .identity = r->told.spec.channel == CHANNEL_NONE ? NULL : &r->told.identity,
        .store = uvstore_base(r->store),
        .incarnation = (uint32_t)r->result.record.trial,
        .origin = clock_origin(r),
        .foreign = r->told.hosts.gateway == PARTY_NONE ? NULL : &r->foreign,
        .watch = r->sightings ? &r->watch : NULL,
        .shared_clock = r->told.hosts.origin >= 0 || r->told.hosts.epoch >= 0,
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
    setup.links = raise_limit(r);
    rc = open_gateway(r, e);
    if (rc == OK)
        rc = uvnode_new(&r->node, &setup, e);
    if (rc == OK) {
        if (r->gateway)
            uvgateway_serve(r->gateway, r->node);
        r->began = uvnode_now(r->node);
        uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    } else {
        if (r->gateway)
            uvgateway_free(r->gateway);
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
        rc = crowds_find(&r->crowds, &r->told.roster);
    if (rc == OK)
        rc = await_sign(r, &e);
    if (rc == OK)
        rc = open_sightings(r, &e);
    if (rc == OK && !r->signal) {
        uv_loop_init(&r->loop);
        rc = live(r, &e);
        uv_loop_close(&r->loop);
    }
    if (rc == OK)
        rc = close_sightings(r, &e);
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
    code = local_told_read(&r.told, args);
    if (code == EXIT_DONE)
        code = run_it(&r);
    uvstore_close(r.store);
    crowds_free(&r.crowds);
    local_result_free(&r.result);
    metrics_free(&r.metrics);
    local_told_free(&r.told);
    return code;
}
