#include "engine/run/lab.h"

#include "engine/run/files.h"
#include "engine/run/lab_state.h"
#include "engine/run/local.h"
#include "engine/worlds/lab/lab.h"
#include "engine/worlds/lab/wan.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* Shared by the process of a run and those of its trials. */
struct lab_session {
    char dir[PATH_MAX]; /* of the results */
    uint64_t trials, packets, late_max;
    uint64_t late[HIST_SLOTS];
};

static struct lab_session *session;

/* ---- what it can't honour
 * ------------------------------------------------------------- */

static int check(const struct trial_spec *t, void (*say)(void *, int, const char *), void *ctx)
{
    int of_processes = local_check(t, say, ctx), of_labs = lab_check(t, say, ctx);
    return of_processes != OK ? of_processes : of_labs;
}

static const char *drops(const struct trial_spec *t)
{
    (void)t;
    return NULL;
}

/* ---- where nodes live
 * ----------------------------------------------------------------- */

static json_t *host(const struct local_trial *t, party_t id)
{
    const struct lab *lab = t->ctx;
    char a[16], b[16];
    return json_pack("{s:s, s:s}", "address", lab_ip(lab->hosts[id].published, a), "bind",
                     lab_ip(lab->hosts[id].address, b));
}

static int fork_there(const struct local_trial *t, party_t id, pid_t *pid, struct err *e)
{
    return lab_fork(t->ctx, id, pid, e);
}

static const struct local_where in_lab = {.inside = LAB_SHARE, .host = host, .fork = fork_there};

/* ---- what the WAN knows
 * --------------------------------------------------------------- */

/* Does nobody else send from its address? */
static bool alone(const struct lab *lab, uint32_t host_id)
{
    for (uint32_t i = 0; i < lab->spec->roster->n; i++)
        if (i != host_id && lab_site(lab, i) == lab_site(lab, host_id))
            return false;
    return true;
}

static uint64_t read_count(const uint64_t *from)
{
    return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static void add_network(const struct lab *lab, struct trial_result *r)
{
    const struct wan_board *b = lab->board;
    for (party_t i = 0; i < lab->spec->roster->n_parties; i++) {
        if (!alone(lab, i))
            continue;
        metrics_add(&r->metrics, METRIC_WIRE_BYTES, (int64_t)read_count(&b->sent_bytes[i]));
        metrics_add(&r->metrics, METRIC_WIRE_PACKETS, (int64_t)read_count(&b->sent_packets[i]));
    }
    for (int i = 0; i < DROP_COUNT; i++)
        if (i != DROP_NO_ROUTE && i != DROP_HOST_DOWN)
            r->metrics.drops[i] += read_count(&b->drops[i]);
}

static void add_lateness(struct lab_session *s, const struct wan_board *b)
{
    uint64_t max = (uint64_t)__atomic_load_n(&b->late_max, __ATOMIC_RELAXED);
    s->trials++;
    s->packets += read_count(&b->packets);
    s->late_max = max > s->late_max ? max : s->late_max;
    for (int i = 0; i < HIST_SLOTS; i++)
        s->late[i] += read_count(&b->late[i]);
}

/* ---- a run
 * ----------------------------------------------------------------------------
 */

/* One lab of the first cell is made to see that it can be. */
static int begin(const struct world_run *run, struct err *e)
{
    const struct lab_options options = {.mine = true};
    struct lab lab;
    int rc;
    session =
        mmap(NULL, sizeof *session, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (session == MAP_FAILED) {
        session = NULL;
        return err_set(e, ERR_ABSENT, "no shared memory for a run");
    }
    snprintf(session->dir, sizeof session->dir, "%s", run->dir);
    rc = lab_plan(&lab, run->cells[0], e);
    if (rc == OK) {
        rc = lab_up(&lab, &options, e);
        if (rc == OK)
            rc = lab_down(lab.id, e);
        lab_free(&lab);
    }
    return rc == OK ? OK : ERR_ABSENT;
}

static void end(struct world_verdict *v)
{
    struct hist late;
    int64_t p50, p99;
    if (!session)
        return;
    hist_init(&late);
    for (unsigned i = 0; i < HIST_SLOTS; i++)
        if (session->late[i])
            hist_add_n(&late, hist_slot_low(i), session->late[i]);
    p50 = hist_quantile(&late, HIST_P50);
    p99 = hist_quantile(&late, HIST_P99);
    if (p99 > WAN_LATE)
        snprintf(v->poor, sizeof v->poor,
                 "1 %% of the packets left the lab's WAN %lld us late or later "
                 "(the bound is %lld "
                 "us): this machine is too busy",
                 (long long)(p99 / NS_US), (long long)(WAN_LATE / NS_US));
    v->env =
        json_pack("{s:{s:I, s:I, s:I, s:I, s:I}}", "wan", "packets", (json_int_t)session->packets,
                  "late_p50_ns", (json_int_t)p50, "late_p99_ns", (json_int_t)p99, "late_max_ns",
                  (json_int_t)session->late_max, "late_bound_ns", (json_int_t)WAN_LATE);
    hist_free(&late);
    munmap(session, sizeof *session);
    session = NULL;
}

/* ---- a trial
 * -------------------------------------------------------------------------- */

static uint32_t number_of(const struct cell *c, uint64_t seed)
{
    uint32_t k = 0;
    while (k < c->repeat && trial_seed(c->seed, k) != seed)
        k++;
    return k;
}

/* Where the packets of a trial go, whose they are, and what they truly are. */
struct capture {
    char pcap[PATH_MAX + 64], map[PATH_MAX + 64], truth[PATH_MAX + 64]; /* "": nobody wants them */
};

static int find_capture(const struct local_trial *t, uint64_t seed, const struct trace *trace,
                        struct capture *c, struct err *e)
{
    const unsigned lines = WANT_LINE | WANT_LINE_OPENS | WANT_BORDER;
    char name[32];
    *c = (struct capture){0};
    if (!trace || !trace->out || !session) {
        if (replay_wants(t->spec, trace) & lines)
            snprintf(c->pcap, sizeof c->pcap, "%s/wan.pcap", t->dir);
        return OK;
    }
    snprintf(name, sizeof name, "%u-%u", (unsigned)t->spec->cell->index,
             (unsigned)number_of(t->spec->cell, seed));
    fprintf(trace->out,
            "every packet at both its ends: %s.pcap\nwhose they are: %s.map.yaml\nwhat they are: "
            "%s.truth\n",
            name, name, name);
    snprintf(c->map, sizeof c->map, "%s/traces/%s.map.yaml", session->dir, name);
    snprintf(c->truth, sizeof c->truth, "%s/traces/%s.truth", session->dir, name);
    return snprintf(c->pcap, sizeof c->pcap, "%s/traces/%s.pcap", session->dir, name) <
                   (int)sizeof c->pcap - 16
               ? OK
               : err_set(e, ERR_TOO_BIG, "%s: too long a path", session->dir);
}

/* Hosts behind one NAT can't be told apart out there: the first of them stands for all. */
static void print_hosts(FILE *f, const struct lab *lab, bool parties)
{
    const struct roster *r = lab->spec->roster;
    char text[16];
    for (party_t i = parties ? 0 : r->n_parties; i < (parties ? r->n_parties : r->n); i++) {
        const struct roster_entry *x = &r->entries[i];
        bool first = lab_site(lab, i) == i;
        const char *address = first ? lab_ip(lab->hosts[i].published, text) : "[]";
        if (parties)
            fprintf(f, "  \"%s\": %s\n", x->name, address);
        else
            fprintf(f, "  \"%s\": {role: \"%s\", address: %s}\n", x->name, x->role, address);
    }
}

/* For `partyline observe`. */
static int write_map(const struct lab *lab, const struct local_trial *t, const char *path,
                     struct err *e)
{
    const int64_t epoch = lab->board->epoch;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc;
    if (!f)
        return err_set(e, ERR_NOMEM, "%s: no memory", path);
    fprintf(f, "began: %lld\nended: %lld\nparties:\n", (long long)(t->began + epoch),
            (long long)(t->ended + epoch));
    print_hosts(f, lab, true);
    if (lab->spec->roster->n > lab->spec->roster->n_parties)
        fputs("services:\n", f);
    print_hosts(f, lab, false);
    rc = fclose(f) == 0 ? files_write(path, text, len, e)
                        : err_set(e, ERR_NOMEM, "%s: no memory", path);
    free(text);
    return rc;
}

/* What the nodes and the WAN have seen, to the trial's observers. */
static int show_all(const struct lab *lab, const struct local_trial *t, uint64_t seed,
                    const struct capture *c, const struct trace *trace, struct trial_result *r,
                    struct err *e)
{
    const int64_t epoch = lab->board->epoch;
    uint32_t n = t->spec->roster->n;
    struct addr *outside = calloc(n, sizeof *outside), *own = calloc(n, sizeof *own);
    struct observe_people people = {0};
    struct replay_setup setup = {.spec = t->spec,
                                 .seed = seed,
                                 .people = &people,
                                 .outside = outside,
                                 .ended = t->ended - t->began,
                                 .pcap = *c->pcap ? c->pcap : NULL,
                                 .trace = trace};
    int rc = own && outside ? local_people(t->spec->roster, t->hosts, &people, own) : ERR_NOMEM;
    people.began = t->began + epoch;
    people.ended = t->ended + epoch;
    for (party_t i = 0; rc == OK && i < n; i++)
        outside[i] = own[lab_site(lab, i)];
    if (rc != OK)
        err_set(e, rc, "no memory for what was seen");
    if (rc == OK && *c->truth)
        rc = sightings_open(&setup.truth, c->truth, t->spec, WANT_NODE_OUT | WANT_TRUTH, UINT64_MAX,
                            e);
    if (rc == OK)
        rc = local_replay(&setup, local_trial_file, t, r, e);
    if (setup.truth) {
        sightings_end(setup.truth, NULL, setup.ended);
        rc = sightings_close(setup.truth, rc == OK ? e : NULL) == OK ? rc : ERR_IO;
    }
    observe_people_free(&people);
    free(outside);
    free(own);
    return rc;
}

/* Its shares are the nodes' folders. */
static int bring_up(struct lab *lab, const struct local_trial *t, uint64_t seed, const char *pcap,
                    struct err *e)
{
    uint32_t n = t->spec->roster->n;
    char(*paths)[LOCAL_PATH] = calloc(n, sizeof *paths);
    const char **shares = calloc(n, sizeof *shares);
    struct lab_options o = {.shares = shares,
                            .folder = t->dir,
                            .seed = seed,
                            .mine = true,
                            .pcap = *pcap ? pcap : NULL};
    int rc = paths && shares ? OK : err_set(e, ERR_NOMEM, "no memory for a lab");
    for (uint32_t i = 0; rc == OK && i < n; i++)
        shares[i] = local_trial_path(t, i, "", paths[i]);
    if (rc == OK)
        rc = lab_up(lab, &o, e);
    if (rc == OK)
        rc = lab_state_write(lab, &o, e);
    free(shares);
    free(paths);
    return rc;
}

static int live(struct lab *lab, struct local_trial *t, struct trial_result *r, struct err *e)
{
    int rc = local_trial_begin(t, e);
    if (rc != OK)
        return rc;
    __atomic_store_n(&lab->board->origin, t->began, __ATOMIC_RELAXED);
    rc = local_trial_run(t, e);
    if (rc == OK)
        rc = local_trial_collect(t, r, e);
    if (rc == OK)
        add_network(lab, r);
    if (session)
        add_lateness(session, lab->board);
    return rc;
}

static int run(const struct trial_spec *spec, uint64_t seed, const struct fault_plan *plan,
               const struct trace *trace, struct trial_result *r, struct err *e)
{
    struct local_trial t = {.program = -1};
    struct capture capture = {0};
    struct lab lab;
    int rc, down;
    (void)plan;
    *r = (struct trial_result){0};
    metrics_init(&r->metrics);
    r->outcomes = calloc(spec->roster->n_parties, sizeof *r->outcomes);
    rc = lab_plan(&lab, spec, e);
    if (rc == OK && !r->outcomes)
        rc = err_set(e, ERR_NOMEM, "no memory for results");
    if (rc == OK)
        rc = local_trial_prepare(&t, spec, &in_lab, &lab, e);
    if (rc == OK)
        rc = find_capture(&t, seed, trace, &capture, e);
    t.sightings = capture.pcap[0] || replay_wants(spec, trace) & SIGHTINGS_OF_NODES;
    if (rc == OK)
        rc = bring_up(&lab, &t, seed, capture.pcap, e);
    if (rc == OK)
        rc = live(&lab, &t, r, e);
    if (rc == OK && capture.map[0])
        rc = write_map(&lab, &t, capture.map, e);
    down = lab.id[0] ? lab_down(lab.id, rc == OK ? e : NULL) : OK;
    if (rc == OK && down == OK && t.sightings) /* the WAN has written all of its pcap */
        rc = show_all(&lab, &t, seed, &capture, trace, r, e);
    if (t.spec)
        local_trial_free(&t);
    lab_free(&lab);
    rc = rc == OK ? down : rc;
    if (rc != OK)
        trial_result_free(r, spec->roster->n_parties);
    return rc;
}

const struct world world_lab = {
    .name = "lab",
    .help = "a host for each node, as namespaces of this machine, with real NATs",
    .real = true,
    .check = check,
    .drops = drops,
    .begin = begin,
    .end = end,
    .run = run,
};
