#include "engine/run/hosts_world.h"

#include "engine/run/coturn.h"
#include "engine/run/files.h"
#include "engine/run/local_replay.h"
#include "engine/run/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between begin() and end(), and in the processes that run trials meanwhile. */
static struct hosts_session session;

/* ---- what it can't honour ------------------------------------------------------------- */

static int check(const struct trial_spec *t, void (*say)(void *, int line, const char *), void *ctx)
{
    int rc = OK;
    char text[160];
    if (t->transport->needs_handover) {
        snprintf(text, sizeof text, "the transport %s needs nodes that share one memory",
                 t->transport->name);
        say(ctx, 0, text);
        rc = ERR_UNSUPPORTED;
    }
    if (t->modelled) {
        say(ctx, 0, "crypto: modelled is for simulated worlds");
        rc = ERR_UNSUPPORTED;
    }
    for (size_t i = 0; i < t->n_actions; i++)
        if (t->actions[i].kind != ACT_LINK) {
            say(ctx, t->actions[i].line, "events: it leaves its machines as they are");
            rc = ERR_UNSUPPORTED;
        }
    for (uint32_t i = 1; i < t->roster->n_parties; i++)
        if (t->programs && strcmp(t->programs[i], t->programs[0]) != 0) {
            snprintf(text, sizeof text, "%s believes in another program than %s",
                     t->roster->entries[i].name, t->roster->entries[0].name);
            say(ctx, t->hosts[i].line, text);
            rc = ERR_UNSUPPORTED;
        }
    return rc;
}

#define OWN_NETWORK                                                                                \
    "regions, access, nat and links are the machines' own; what is expected of time, of NATs or "  \
    "of "                                                                                          \
    "what is not measured is not judged"

static const char *drops(const struct trial_spec *t)
{
    bool some = t->n_links > 0 || t->n_actions > 0;
    bool lines = replay_wants(t, NULL) & (WANT_LINE | WANT_LINE_OPENS);
    for (uint32_t i = 0; i < t->roster->n; i++) {
        const struct host_spec *h = &t->hosts[i];
        some |= h->nat != NAT_NONE || h->region != t->hosts[0].region || h->access.latency ||
                h->access.up_bps || h->access.down_bps || h->access.loss_ppm || h->access.jitter;
    }
    if (lines)
        return some ? OWN_NETWORK "; and " REPLAY_NO_LINES : REPLAY_NO_LINES;
    return some ? OWN_NETWORK : NULL;
}

/* ---- clocks --------------------------------------------------------------------------- */

/* The n-th field of a line of chronyc -c, in seconds. */
static bool field(const char *line, int n, double *out)
{
    char *end;
    while (n-- > 0) {
        line = strchr(line, ',');
        if (!line)
            return false;
        line++;
    }
    *out = strtod(line, &end);
    return end != line;
}

/* What chronyc -c tracking says: reference, name, stratum, time, offset, last offset, its rms,
 * frequency, residual, skew, root delay, root dispersion, interval, leap. The worst counts. */
static void take_clock(struct hosts_machine *m, const char *line)
{
    double offset, delay, dispersion, stratum, bound;
    if (!field(line, 2, &stratum) || stratum < 1 || !field(line, 4, &offset) ||
        !field(line, 10, &delay) || !field(line, 11, &dispersion))
        return;
    bound = (offset < 0 ? -offset : offset) + dispersion + delay / 2;
    if (bound >= 0 && bound < 1e6 && (ns_t)(bound * 1e9) > m->clock_bound)
        m->clock_bound = (ns_t)(bound * 1e9);
}

void hosts_told(struct hosts_machine *m, const char *text)
{
    char line[512];
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
        if (strncmp(line, "boot ", 5) == 0)
            snprintf(m->boot, sizeof m->boot, "%.63s", line + 5);
        else if (strncmp(line, "system ", 7) == 0)
            snprintf(m->system, sizeof m->system, "%.127s", line + 7);
        else if (strcmp(line, "systemd yes") == 0)
            m->systemd = true;
        else if (strncmp(line, "chrony ", 7) == 0)
            take_clock(m, line + 7);
        else if (strncmp(line, "sum ", 4) == 0)
            snprintf(m->sum, sizeof m->sum, "%.64s", line + 4);
    }
}

/* ---- a run ---------------------------------------------------------------------------- */

static int make_folder(struct hosts_session *s, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    char path[96];
    if (!tmp || tmp[0] != '/' || strlen(tmp) > 40)
        tmp = "/tmp"; /* names of sockets are short */
    snprintf(s->dir, sizeof s->dir, "%s/partyline-XXXXXX", tmp);
    if (!mkdtemp(s->dir)) {
        err_set(e, ERR_IO, "%s: %s", s->dir, strerror(errno));
        s->dir[0] = 0;
        return ERR_IO;
    }
    snprintf(path, sizeof path, "%s/ssh", s->dir);
    snprintf(s->run, sizeof s->run, "%s", strrchr(s->dir, '-') + 1);
    return files_make_dir(path, e);
}

static int find_files(struct hosts_session *s, const struct world_run *run, struct err *e)
{
    char path[PATH_MAX + 16];
    ssize_t n = readlink("/proc/self/exe", s->program, sizeof s->program - 1);
    if (!run->inventory)
        return err_set(e, ERR_INVALID,
                       "the world hosts needs --inventory FILE, an inventory of "
                       "Ansible: where its machines are");
    if (!realpath(run->inventory, s->inventory))
        return err_set(e, ERR_INVALID, "%s: %s", run->inventory, strerror(errno));
    snprintf(path, sizeof path, "%s/ansible", run->share);
    if (n <= 0 || !realpath(path, s->ansible))
        return err_set(e, ERR_ABSENT, "%s: the playbooks are not there: %s", path, strerror(errno));
    s->program[n] = 0;
    setenv("PARTYLINE", s->program, 1); /* for inventories/lab */
    setenv("PARTYLINE_SCENARIO", run->cells[0]->scenario, 0);
    if (!realpath(run->dir, s->results))
        return err_set(e, ERR_IO, "%s: %s", run->dir, strerror(errno));
    return OK;
}

/* Which machines the cells need. */
static int use_machines(struct hosts_session *s, const struct world_run *run, struct err *e)
{
    for (size_t c = 0; c < run->n_cells; c++) {
        const struct trial_spec *t = run->cells[c];
        int64_t limit = t->limit / NS_S + 1;
        s->limit_s = limit > s->limit_s ? limit : s->limit_s;
        for (party_t i = 0; i < t->roster->n; i++) {
            size_t at = hosts_machine_of(s, t->roster->entries[i].name);
            if (at == s->n_machines)
                return err_set(e, ERR_INVALID,
                               "%s: no host runs the node %s; name a host so, or list it in a "
                               "host's partyline_nodes",
                               run->inventory, t->roster->entries[i].name);
            s->machines[at].used = true;
            s->machines[at].turn |= coturn_runs(t, i);
        }
    }
    return OK;
}

/* For playbooks that are about no trial. */
static json_t *plan_of_all(const struct hosts_session *s)
{
    json_t *plan = json_object();
    for (size_t i = 0; i < s->n_machines; i++)
        if (s->machines[i].used)
            json_object_set_new(
                plan, s->machines[i].name,
                json_pack("{s:[], s:b}", "instances", "systemd", (int)s->machines[i].systemd));
    return plan;
}

static int play(struct hosts_session *s, const char *name, struct err *e)
{
    json_t *plan = plan_of_all(s);
    int rc = hosts_play(s, name, plan, "", e);
    json_decref(plan);
    return rc;
}

static int begin(const struct world_run *run, struct err *e)
{
    struct hosts_session *s = &session;
    int rc;
    *s = (struct hosts_session){.quiet = run->quiet};
    hosts_signals_catch();
    rc = find_files(s, run, e);
    if (rc == OK)
        rc = make_folder(s, e);
    if (rc == OK)
        rc = hosts_inventory_read(s, e);
    if (rc == OK)
        rc = use_machines(s, run, e);
    if (rc == OK && hosts_interrupted())
        rc = err_set(e, ERR_CLOSED, "interrupted");
    if (rc == OK) {
        s->deployed = true;
        rc = play(s, "deploy", e);
    }
    return rc;
}

static uint32_t number_of(const struct cell *c, uint64_t seed)
{
    uint32_t k = 0;
    while (k < c->repeat && trial_seed(c->seed, k) != seed)
        k++;
    return k;
}

static int run(const struct trial_spec *t, uint64_t seed, const struct fault_plan *plan,
               const struct trace *trace, struct trial_result *r, struct err *e)
{
    char name[32];
    int rc;
    (void)plan;
    *r = (struct trial_result){0};
    metrics_init(&r->metrics);
    if (!session.deployed)
        return err_set(e, ERR_UNSUPPORTED, "the world hosts runs whole scenarios: partyline run");
    r->outcomes = calloc(t->roster->n_parties, sizeof *r->outcomes);
    snprintf(name, sizeof name, "%u-%u", (unsigned)t->cell->index,
             (unsigned)number_of(t->cell, seed));
    hosts_signals_catch();
    rc = r->outcomes ? hosts_trial_run(&session, t, name, seed, trace, r, e)
                     : err_set(e, ERR_NOMEM, "no memory for results");
    hosts_signals_restore();
    if (rc != OK)
        trial_result_free(r, t->roster->n_parties);
    return rc;
}

/* ---- its end -------------------------------------------------------------------------- */

/* What the trials said of their clocks, this run's and those of before. */
static void judge_clocks(struct world_verdict *v)
{
    char path[PATH_MAX + 300];
    ns_t worst = 0;
    uint64_t left_out = 0;
    struct dirent *entry;
    DIR *dir;
    snprintf(path, sizeof path, "%s/hosts", session.results);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        const char *one_way;
        char *text;
        size_t len;
        json_t *o;
        snprintf(path, sizeof path, "%s/hosts/%.255s/clock.json", session.results, entry->d_name);
        if (files_read(path, 1 << 16, &text, &len, NULL) != OK)
            continue;
        o = json_loadb(text, len, 0, NULL);
        free(text);
        one_way = json_string_value(json_object_get(o, "one_way"));
        left_out += one_way && strcmp(one_way, "kept") != 0;
        if (json_integer_value(json_object_get(o, "negative")) > 0)
            snprintf(v->poor, sizeof v->poor, "delays between hosts came out negative");
        else if (json_is_null(json_object_get(o, "clock_bound_ns")) && !v->poor[0])
            snprintf(v->poor, sizeof v->poor,
                     "a host does not tell how well its clock is kept (chrony: see "
                     "partyline_chrony)");
        else if (json_integer_value(json_object_get(o, "clock_bound_ns")) > worst)
            worst = json_integer_value(json_object_get(o, "clock_bound_ns"));
        json_decref(o);
    }
    if (dir)
        closedir(dir);
    if (worst > HOSTS_CLOCK_POOR && !v->poor[0])
        snprintf(v->poor, sizeof v->poor, "the hosts' clocks may differ by %lld ms",
                 (long long)(worst / NS_MS));
    if (left_out)
        fprintf(stderr,
                "partyline: in %llu trials the clocks were too far apart for delays from "
                "host to host, which are left out; round trips are there\n",
                (unsigned long long)left_out);
    json_object_set_new(v->env, "clock_bound_ns", json_integer(worst));
}

static void describe(struct world_verdict *v)
{
    json_t *hosts = json_object();
    for (size_t i = 0; i < session.n_machines; i++) {
        const struct hosts_machine *m = &session.machines[i];
        if (m->used)
            json_object_set_new(
                hosts, m->name,
                json_pack("{s:s, s:o}", "system", m->system, "clock_bound_ns",
                          m->clock_bound < 0 ? json_null() : json_integer(m->clock_bound)));
    }
    v->env = json_object();
    json_object_set_new(v->env, "hosts", hosts);
    judge_clocks(v);
}

/* The connections that stay open for the next playbook. */
static void hang_up(void)
{
    char path[128], socket[512], log[128];
    const char *argv[] = {"ssh", "-o", socket, "-O", "exit", "partyline", NULL};
    struct dirent *entry;
    DIR *dir;
    snprintf(path, sizeof path, "%s/ssh", session.dir);
    snprintf(log, sizeof log, "%s/ssh.log", session.dir);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(socket, sizeof socket, "ControlPath=%s/%.255s", path, entry->d_name);
        hosts_run_tool(argv, log);
    }
    if (dir)
        closedir(dir);
}

static void end(struct world_verdict *v)
{
    struct err e;
    if (session.deployed) {
        hosts_signals_ignore();
        if (play(&session, "teardown", &e) != OK)
            snprintf(v->left, sizeof v->left, "of run %s: %.220s", session.run, e.text);
        hang_up();
        describe(v);
    }
    hosts_signals_restore();
    for (size_t i = 0; i < session.n_machines; i++)
        json_decref(session.machines[i].nodes);
    free(session.machines);
    if (session.dir[0])
        files_remove_tree(session.dir);
    session = (struct hosts_session){0};
}

const struct world world_hosts = {
    .name = "hosts",
    .help = "machines that are reached over SSH, through Ansible (--inventory)",
    .real = true,
    .check = check,
    .drops = drops,
    .begin = begin,
    .end = end,
    .run = run,
};
