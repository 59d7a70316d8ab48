#include "engine/run/hosts_world.h"

#include "engine/run/coturn.h"
#include "engine/run/files.h"
#include "engine/run/local_hosts.h"
#include "engine/run/local_replay.h"
#include "engine/run/local_strip.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PORT_FIRST = 20000, ARCHIVE_MAX_BYTES = 1 << 30, SAID = 400 };

/* One trial: where its nodes are. */
struct hosts_trial {
    struct hosts_session *session;
    const struct trial_spec *spec;
    const char *name; /* 0-0 */
    char dir[128];    /* a folder for each machine */
    size_t *machine;  /* a node's */
    uint16_t *port;
    json_t *plan, *hosts;       /* the hosts file's */
    const char **addresses;     /* a node's */
    char secret[COTURN_SECRET]; /* of the TURN servers; "": there are none */
    bool sightings;             /* nodes write down what they see */
};

/* ---- what travels --------------------------------------------------------------------- */

static ns_t now_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (ns_t)t.tv_sec * NS_S + t.tv_nsec;
}

/* Nodes at one address share its ports. */
static int give_ports(struct hosts_trial *t, struct err *e)
{
    const struct hosts_session *s = t->session;
    for (party_t i = 0; i < t->spec->roster->n; i++) {
        const struct hosts_machine *own = &s->machines[t->machine[i]];
        /* A foreign server knows nodes by their addresses alone. */
        int32_t base = own->port >= 0 ? own->port : coturn_needed(t->spec) ? 0 : PORT_FIRST;
        int32_t port = base;
        for (party_t k = 0; k < i; k++) {
            bool same = own->port >= 0
                            ? t->machine[k] == t->machine[i]
                            : strcmp(s->machines[t->machine[k]].address, own->address) == 0;
            if (same && base == 0)
                return err_set(e, ERR_INVALID,
                               "%s: a node with TURN or with partyline_port 0 has its address to "
                               "itself, and several are there",
                               own->name);
            if (same && t->port[k] + UVPLACE_PORTS > port)
                port = t->port[k] + UVPLACE_PORTS;
        }
        if (port > 65536 - UVPLACE_PORTS)
            return err_set(e, ERR_INVALID, "no ports are left at %s", own->name);
        t->port[i] = (uint16_t)port;
    }
    return OK;
}

static const char *node_name(const struct hosts_trial *t, party_t id)
{
    return t->spec->roster->entries[id].name;
}

static const char *machine_name(const struct hosts_trial *t, party_t id)
{
    return t->session->machines[t->machine[id]].name;
}

/* "DIR/HOST/0-0.alice/WHAT" */
static void path_of(const struct hosts_trial *t, party_t id, const char *what, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s/%s.%s/%s", t->dir, machine_name(t, id), t->name,
             node_name(t, id), what);
}

static int add_host(struct hosts_trial *t, party_t id, struct err *e)
{
    const struct hosts_machine *m = &t->session->machines[t->machine[id]];
    char path[PATH_MAX], hex[LOCAL_HEX];
    json_t *host;
    int rc;
    host = json_pack("{s:s, s:s}", "address", m->address, "bind", m->bind);
    if (coturn_runs(t->spec, id))
        json_object_set_new(host, "foreign", json_true());
    if (t->port[id])
        json_object_set_new(host, "port", json_integer(t->port[id]));
    if (t->spec->hosts[id].start > 0)
        json_object_set_new(host, "start", json_integer(t->spec->hosts[id].start));
    json_object_set_new(t->hosts, node_name(t, id), host);
    path_of(t, id, "", path);
    rc = files_make_dir(path, e);
    path_of(t, id, "key", path);
    if (rc == OK && t->spec->channel == CHANNEL_NONE)
        return files_write(path, "", 0, e);
    if (rc == OK)
        rc = local_key_new(path, hex, e);
    if (rc == OK)
        json_object_set_new(host, "identity", json_string(hex));
    return rc;
}

/* Its configuration, with the secret that all nodes of the trial have. */
static int write_turn(const struct hosts_trial *t, party_t id, const char *dir, struct err *e)
{
    const struct hosts_machine *m = &t->session->machines[t->machine[id]];
    int rc = coturn_share(dir, node_name(t, id), t->secret, e);
    if (rc == OK && coturn_runs(t->spec, id))
        rc = coturn_write(dir, t->spec, strcmp(m->bind, "0.0.0.0") == 0 ? m->address : m->bind,
                          t->addresses, t->secret, e);
    return rc;
}

static int write_node(struct hosts_trial *t, party_t id, const json_t *file, struct err *e)
{
    json_t *plan = json_object_get(t->plan, machine_name(t, id));
    char path[PATH_MAX], text[HOSTS_NAME + 64];
    int rc;
    path_of(t, id, "", path);
    rc = local_strip(t->spec->cell, id, path, e);
    if (rc == OK && t->secret[0])
        rc = write_turn(t, id, path, e);
    path_of(t, id, "hosts.yaml", path);
    if (rc == OK)
        rc = files_write_json(path, file, e);
    path_of(t, id, "env", path);
    snprintf(text, sizeof text, "NODE=%s\nPARTY=%s\nTURN=%s\nSIGHTINGS=%s\n", node_name(t, id),
             id < t->spec->roster->n_parties ? "yes" : "no",
             coturn_runs(t->spec, id) ? "yes" : "no", t->sightings ? "yes" : "no");
    if (rc == OK)
        rc = files_write(path, text, strlen(text), e);
    snprintf(text, sizeof text, "%s.%s", t->name, node_name(t, id));
    json_array_append_new(json_object_get(plan, "instances"), json_string(text));
    return rc;
}

static int pack(const struct hosts_trial *t, const char *machine, json_t *plan, struct err *e)
{
    char from[PATH_MAX], archive[PATH_MAX], log[160];
    const char *argv[] = {"tar", "-cf", archive, "-C", from, ".", NULL};
    snprintf(from, sizeof from, "%s/%s", t->dir, machine);
    snprintf(archive, sizeof archive, "%s/%s.tar.key", t->dir, machine); /* to be wiped */
    snprintf(log, sizeof log, "%s/tar.log", t->dir);
    json_object_set_new(plan, "archive", json_string(archive));
    return hosts_run_tool(argv, log) == 0 ? OK : err_set(e, ERR_IO, "tar failed: %s", archive);
}

static int write_all(struct hosts_trial *t, struct err *e)
{
    bool one = hosts_clock_one(t->session, t->spec);
    json_t *file = json_object(), *plan;
    const char *machine;
    int rc = OK;
    t->hosts = json_object();
    json_object_set_new(file, "schema", json_integer(1));
    json_object_set_new(file, one ? "origin" : "epoch",
                        json_integer(now_of(one ? CLOCK_MONOTONIC : CLOCK_REALTIME)));
    json_object_set(file, "hosts", t->hosts);
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++)
        rc = add_host(t, i, e);
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++) {
        if (!json_object_get(t->plan, machine_name(t, i)))
            json_object_set_new(t->plan, machine_name(t, i),
                                json_pack("{s:[], s:b}", "instances", "systemd",
                                          (int)t->session->machines[t->machine[i]].systemd));
        rc = write_node(t, i, file, e);
    }
    json_object_foreach(t->plan, machine, plan) if (rc == OK) rc = pack(t, machine, plan, e);
    json_decref(file);
    return rc;
}

/* ---- what comes back ------------------------------------------------------------------ */

static bool sum_is(const char *path, const char *expected)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char *data, hex[2 * sizeof hash + 1];
    size_t len;
    if (files_read(path, ARCHIVE_MAX_BYTES, &data, &len, NULL) != OK)
        return false;
    crypto_hash_sha256(hash, (const uint8_t *)data, len);
    free(data);
    local_hex(hash, sizeof hash, hex);
    return strcmp(hex, expected) == 0;
}

/* Checked, and unpacked into DIR/HOST/got. */
static int unpack(const struct hosts_trial *t, const char *machine, struct err *e)
{
    char archive[PATH_MAX + 2 * HOSTS_NAME], to[PATH_MAX], log[160];
    const char *argv[] = {"tar", "-xzf", archive, "--no-same-owner", "-C", to, NULL};
    const char *sum = NULL;
    int rc;
    for (size_t i = 0; i < t->session->n_machines; i++)
        if (strcmp(t->session->machines[i].name, machine) == 0)
            sum = t->session->machines[i].sum;
    snprintf(archive, sizeof archive, "%s/hosts/%s/%s.tar.gz", t->session->results, t->name,
             machine);
    snprintf(to, sizeof to, "%s/%s/got", t->dir, machine);
    snprintf(log, sizeof log, "%s/tar.log", t->dir);
    if (!sum || !sum_is(archive, sum))
        return err_set(e, ERR_MISMATCH, "%s is not what its host's checksum says", archive);
    rc = files_make_dir(to, e);
    if (rc == OK && hosts_run_tool(argv, log) != 0)
        rc = err_set(e, ERR_FORMAT, "%s can't be unpacked", archive);
    return rc;
}

/* What came back of a node. */
static void file_of(const void *ctx, party_t id, const char *name, char path[PATH_MAX])
{
    const struct hosts_trial *t = ctx;
    snprintf(path, PATH_MAX, "%s/%s/got/%s/%s", t->dir, machine_name(t, id), node_name(t, id),
             name);
}

static int take_node(const struct hosts_trial *t, party_t id, struct trial_result *r, struct err *e)
{
    char path[PATH_MAX], said[SAID];
    struct local_result one;
    int rc;
    if (coturn_runs(t->spec, id))
        return OK; /* what it saw, others say */
    file_of(t, id, "result.json", path);
    rc = local_result_read(path, &one, e);
    if (rc == ERR_ABSENT) {
        strcpy(strrchr(path, '/'), "/log");
        files_last_line(path, said, sizeof said);
        local_result_why(r, "%s left no result at %s: %s", node_name(t, id), machine_name(t, id),
                         said);
        rc = OK;
    } else if (rc == OK) {
        rc = local_result_merge(t->spec, id, &one, r);
        if (rc != OK)
            err_set(e, rc, "%s: %s", path, err_name(rc));
    }
    local_result_free(&one);
    return rc;
}

/* ---- all of it ------------------------------------------------------------------------ */

static int place_nodes(struct hosts_trial *t, struct err *e)
{
    uint32_t n = t->spec->roster->n;
    t->machine = calloc(n, sizeof *t->machine);
    t->port = calloc(n, sizeof *t->port);
    t->plan = json_object();
    t->addresses = calloc(n, sizeof *t->addresses);
    if (!t->machine || !t->port || !t->plan || !t->addresses)
        return err_set(e, ERR_NOMEM, "no memory for a trial");
    for (party_t i = 0; i < n; i++)
        t->machine[i] = hosts_machine_of(t->session, node_name(t, i));
    for (party_t i = 0; i < n; i++)
        t->addresses[i] = t->session->machines[t->machine[i]].address;
    return coturn_needed(t->spec) && coturn_secret(t->secret, e) != OK ? ERR_IO : give_ports(t, e);
}

static int play_all(struct hosts_trial *t, uint64_t seed, const struct trace *trace,
                    struct trial_result *r, struct err *e)
{
    const char *machine;
    json_t *plan;
    int rc = hosts_play(t->session, "run", t->plan, t->name, e);
    if (rc == OK || rc == ERR_IO) {
        struct err second;
        int got = hosts_play(t->session, "collect", t->plan, t->name, rc == OK ? e : &second);
        rc = rc == OK ? got : rc;
    }
    json_object_foreach(t->plan, machine, plan) if (rc == OK) rc = unpack(t, machine, e);
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++)
        rc = take_node(t, i, r, e);
    if (rc == OK && t->sightings)
        rc = local_replay_nodes(t->spec, seed, t->hosts, 0, trace, file_of, t, r, e);
    return rc == OK ? hosts_clock_judge(t->session, t->spec, t->name, r, e) : rc;
}

int hosts_trial_run(struct hosts_session *s, const struct trial_spec *spec, const char *trial,
                    uint64_t seed, const struct trace *trace, struct trial_result *r, struct err *e)
{
    struct hosts_trial t = {.session = s,
                            .spec = spec,
                            .name = trial,
                            .sightings = (replay_wants(spec, trace) & SIGHTINGS_OF_NODES) != 0};
    char path[PATH_MAX + 64];
    int rc = place_nodes(&t, e);
    snprintf(t.dir, sizeof t.dir, "%s/trial", s->dir);
    snprintf(path, sizeof path, "%s/hosts/%s", s->results, trial);
    if (rc == OK)
        rc = files_make_dir(path, e);
    if (rc == OK)
        rc = write_all(&t, e);
    if (rc == OK)
        rc = play_all(&t, seed, trace, r, e);
    files_remove_tree(t.dir);
    json_decref(t.plan);
    json_decref(t.hosts);
    sodium_memzero(t.secret, sizeof t.secret);
    free(t.addresses);
    free(t.machine);
    free(t.port);
    return rc;
}
