#include "engine/run/local.h"

#include "engine/plugins.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

/* ---- what it can't honour ------------------------------------------------------------- */

struct refusal {
    void (*say)(void *, int line, const char *);
    void *ctx;
    int rc;
};

static void refuse(struct refusal *r, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void refuse(struct refusal *r, int line, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->say(r->ctx, line, text);
    r->rc = ERR_UNSUPPORTED;
}

static int check(const struct trial_spec *t, void (*say)(void *, int, const char *), void *ctx)
{
    struct refusal r = {say, ctx, OK};
    if (t->transport->needs_handover)
        refuse(&r, 0, "the transport %s needs nodes that share one memory", t->transport->name);
    if (t->modelled)
        refuse(&r, 0, "crypto: modelled is for simulated worlds");
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
    for (uint32_t i = 1; i < t->roster->n_parties; i++)
        if (t->programs && strcmp(t->programs[i], t->programs[0]) != 0)
            refuse(&r, t->hosts[i].line, "%s believes in another program than %s",
                   t->roster->entries[i].name, t->roster->entries[0].name);
    return r.rc;
}

static const char *drops(const struct trial_spec *t)
{
    bool some = t->n_links > 0;
    for (size_t i = 0; i < t->n_actions; i++)
        some |= t->actions[i].kind == ACT_LINK;
    for (uint32_t i = 0; i < t->roster->n; i++) {
        const struct host_spec *h = &t->hosts[i];
        some |= h->nat != NAT_NONE || h->region != t->hosts[0].region || h->access.latency ||
                h->access.up_bps || h->access.down_bps || h->access.loss_ppm || h->access.jitter;
    }
    return some ? "regions, access, nat and links are not simulated; what is expected of time, of "
                  "NATs or of what is not measured is not judged"
                : NULL;
}

/* ---- what the nodes ended with -------------------------------------------------------- */

/* A text of the plugins' own, which outlives the trial. */
static const char *lasting(const char *text)
{
    static const char *const facts[] = {"party_address", "party_member", "party_pair",
                                        "party_input"};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(facts[i], text) == 0)
            return facts[i];
    return NULL;
}

static int add_exposures(struct trial_result *to, const struct trial_record *from)
{
    struct exposure *rows =
        realloc(to->exposures, (to->n_exposures + from->n_exposures + 1) * sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    to->exposures = rows;
    for (size_t i = 0; i < from->n_exposures; i++) {
        const struct exposure_row *x = &from->exposures[i];
        const struct observer *o = plugin_observer(x->observer);
        const char *what = lasting(x->what);
        if (!o || !what)
            return ERR_FORMAT;
        rows[to->n_exposures++] = (struct exposure){.observer = o->name,
                                                    .what = what,
                                                    .who = x->who,
                                                    .whom = x->whom,
                                                    .other = x->other,
                                                    .level = x->level,
                                                    .first = x->first};
    }
    return OK;
}

static void add_why(struct trial_result *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_why(struct trial_result *r, const char *format, ...)
{
    char line[1024];
    size_t len = r->why ? strlen(r->why) : 0;
    char *more;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    more = realloc(r->why, len + strlen(line) + 2);
    if (!more)
        return;
    r->why = more;
    memcpy(more + len, line, strlen(line) + 1);
    strcat(more, "\n");
}

static void explain_missing(const struct local_trial *t, party_t id, struct trial_result *r)
{
    const struct local_child *c = &t->children[id];
    const char *name = t->spec->roster->entries[id].name;
    char said[512];
    local_trial_said(t, id, said, sizeof said);
    if (!c->started)
        add_why(r, "%s has not been started", name);
    else if (c->crashed)
        add_why(r, "%s crashed and is down", name);
    else if (WIFSIGNALED(c->status))
        add_why(r, "the process of %s was ended by signal %d %s", name, WTERMSIG(c->status), said);
    else
        add_why(r, "the process of %s ended with status %d: %s", name, WEXITSTATUS(c->status),
                said);
}

/* One node's share. ERR_ABSENT: it left none. */
static int add_node(const struct local_trial *t, party_t id, struct trial_result *r, struct err *e)
{
    struct local_result one;
    char path[256];
    int rc;
    snprintf(path, sizeof path, "%s/%s/result.json", t->dir, t->spec->roster->entries[id].name);
    rc = local_result_read(path, &one, e);
    if (rc == ERR_ABSENT || (rc == OK && t->children[id].crashed && !one.outcome.done)) {
        explain_missing(t, id, r);
        if (rc == OK)
            local_result_free(&one);
        return OK;
    }
    if (rc != OK)
        return rc;
    rc = metrics_merge(&r->metrics, &one.record.metrics);
    if (rc == OK)
        rc = add_exposures(r, &one.record);
    if (id < t->spec->roster->n_parties) {
        r->outcomes[id] = one.outcome;
        one.outcome = (struct outcome){0};
        if (!r->outcomes[id].done && !r->outcomes[id].failure)
            add_why(r, "%s %s", t->spec->roster->entries[id].name,
                    one.waits && one.waits[0] ? one.waits : "waits for nobody that it can name");
    }
    r->timed_out |= one.timed_out;
    r->ended = one.record.ended > r->ended ? one.record.ended : r->ended;
    local_result_free(&one);
    return rc == OK ? OK : err_set(e, rc, "%s: %s", path, err_name(rc));
}

static int run(const struct trial_spec *spec, uint64_t seed, const struct fault_plan *plan,
               const struct trace *trace, struct trial_result *r, struct err *e)
{
    struct local_trial t;
    int rc;
    (void)seed, (void)plan, (void)trace;
    *r = (struct trial_result){0};
    metrics_init(&r->metrics);
    r->outcomes = calloc(spec->roster->n_parties, sizeof *r->outcomes);
    rc = local_trial_prepare(&t, spec, e);
    if (rc == OK && !r->outcomes)
        rc = err_set(e, ERR_NOMEM, "no memory for results");
    if (rc == OK)
        rc = local_trial_run(&t, e);
    r->timed_out = rc == OK && t.timed_out;
    for (party_t i = 0; rc == OK && i < spec->roster->n; i++)
        rc = add_node(&t, i, r, e);
    local_trial_free(&t);
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
