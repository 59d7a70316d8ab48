#define _GNU_SOURCE /* environ */
#include "engine/run/local.h"

#include "engine/run/files.h"
#include "engine/run/local_hosts.h"
#include "engine/run/local_strip.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE (5 * NS_S) /* to write results, after SIGTERM */
#define STEP (2 * NS_MS) /* how often the runner looks */
#define SETTLE (100 * NS_MS)

static ns_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (ns_t)t.tv_sec * NS_S + t.tv_nsec;
}

/* ---- the folder ----------------------------------------------------------------------- */

static int make_folder(struct local_trial *t, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    ssize_t n = readlink("/proc/self/exe", t->self, sizeof t->self - 1);
    if (n <= 0)
        return err_set(e, ERR_IO, "where this program is can't be found out");
    t->self[n] = 0;
    if (!tmp || tmp[0] != '/' || strlen(tmp) > 40)
        tmp = "/tmp";
    t->program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    snprintf(t->dir, sizeof t->dir, "%s/partyline-XXXXXX", tmp);
    if (mkdtemp(t->dir))
        return OK;
    err_set(e, ERR_IO, "%s: %s", t->dir, strerror(errno));
    t->dir[0] = 0;
    return ERR_IO;
}

const char *local_trial_path(const struct local_trial *t, party_t id, const char *what, char *buf)
{
    snprintf(buf, LOCAL_PATH, "%s/%s%s%s", t->dir, t->spec->roster->entries[id].name,
             *what ? "/" : "", what);
    return buf;
}

void local_trial_file(const void *ctx, party_t id, const char *name, char path[PATH_MAX])
{
    local_trial_path(ctx, id, name, path);
}

const char **local_trial_addresses(const struct local_trial *t)
{
    const struct roster *r = t->spec->roster;
    const char **list = calloc(r->n, sizeof *list);
    for (party_t i = 0; list && i < r->n; i++)
        list[i] = json_string_value(
            json_object_get(json_object_get(t->hosts, r->entries[i].name), "address"));
    return list;
}

static int write_coturn(struct local_trial *t, struct err *e)
{
    const char **addresses = local_trial_addresses(t);
    char dir[LOCAL_PATH];
    int rc = addresses ? OK : err_set(e, ERR_NOMEM, "no memory for addresses");
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++) {
        local_trial_path(t, i, "", dir);
        if (coturn_runs(t->spec, i))
            rc = coturn_write(dir, t->spec, addresses[i], addresses, t->secret, e);
        else
            rc = coturn_share(dir, t->spec->roster->entries[i].name, t->secret, e);
    }
    free(addresses);
    return rc;
}

static int write_all(struct local_trial *t, struct err *e)
{
    char path[LOCAL_PATH], hex[LOCAL_HEX];
    int rc = OK;
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++) {
        json_t *host = t->where->host(t, i);
        if (coturn_runs(t->spec, i))
            json_object_set_new(host, "foreign", json_true());
        rc = files_make_dir(local_trial_path(t, i, "", path), e);
        if (rc == OK)
            rc = local_strip(t->spec->cell, i, path, e);
        if (rc == OK && t->spec->channel != CHANNEL_NONE) {
            rc = local_key_new(local_trial_path(t, i, "own.key", path), hex, e);
            json_object_set_new(host, "identity", json_string(hex));
        }
        json_object_set_new(t->hosts, t->spec->roster->entries[i].name, host);
    }
    if (rc == OK && coturn_needed(t->spec)) {
        rc = coturn_secret(t->secret, e);
        if (rc == OK)
            rc = write_coturn(t, e);
    }
    return rc;
}

int local_trial_prepare(struct local_trial *t, const struct trial_spec *spec,
                        const struct local_where *where, void *ctx, struct err *e)
{
    int rc;
    *t = (struct local_trial){.spec = spec, .where = where, .ctx = ctx, .program = -1};
    t->children = calloc(spec->roster->n, sizeof *t->children);
    t->hosts = json_object();
    if (!t->children || !t->hosts)
        return err_set(e, ERR_NOMEM, "no memory for %u nodes", (unsigned)spec->roster->n);
    if (!spec->cell)
        return err_set(e, ERR_UNSUPPORTED, "a world of processes runs scenarios of a file");
    rc = make_folder(t, e);
    return rc == OK ? write_all(t, e) : rc;
}

/* ---- processes ------------------------------------------------------------------------ */

static void become_node(const struct local_trial *t, party_t id)
{
    const char *name = t->spec->roster->entries[id].name;
    char dir[LOCAL_PATH], scenario[LOCAL_PATH + 80], *self = (char *)(uintptr_t)t->self;
    char *args[] = {self,
                    "node",
                    "--scenario",
                    scenario,
                    "--name",
                    (char *)(uintptr_t)name,
                    "--hosts",
                    "hosts.yaml",
                    "--key",
                    "own.key",
                    "--out",
                    ".",
                    t->sightings ? "--sightings" : NULL,
                    NULL};
    int fd;
    snprintf(scenario, sizeof scenario, "%s.yaml", name);
    if (chdir(t->where->inside ? t->where->inside : local_trial_path(t, id, "", dir)) != 0)
        _exit(126);
    fd = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
    setpgid(0, 0); /* what a terminal sends is for the runner, which ends its nodes itself */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (coturn_runs(t->spec, id))
        coturn_exec();
    fexecve(t->program, args, environ);
    _exit(127);
}

static int start(struct local_trial *t, party_t id, struct err *e)
{
    struct local_child *c = &t->children[id];
    pid_t parent = getpid(), pid;
    int rc = t->where->fork(t, id, &pid, e);
    if (rc != OK)
        return rc;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent && getppid() != 0) /* 0: in another namespace */
            _exit(1);
        become_node(t, id);
    }
    *c = (struct local_child){.pid = pid, .started = true};
    return OK;
}

static void send_signal(struct local_child *c, int number)
{
    if (c->pid > 0)
        kill(c->pid, number);
}

/* Takes note of who has ended; true: none is left. */
static bool reap(struct local_trial *t)
{
    bool none = true;
    for (party_t i = 0; i < t->spec->roster->n; i++) {
        struct local_child *c = &t->children[i];
        if (c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid) {
            c->pid = 0;
            c->ended = true;
        }
        none &= c->pid == 0;
    }
    return none;
}

/* So that a trial doesn't begin with waiting for it. */
static int start_coturn(struct local_trial *t, struct err *e)
{
    struct timespec pause = {.tv_nsec = STEP};
    const char **addresses = local_trial_addresses(t);
    ns_t until = clock_now() + GRACE;
    int rc = addresses ? OK : err_set(e, ERR_NOMEM, "no memory for addresses");
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++)
        if (coturn_runs(t->spec, i) && t->spec->hosts[i].start == 0)
            rc = start(t, i, e);
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++)
        while (t->children[i].pid && !coturn_ready(t->children[i].pid, addresses[i])) {
            reap(t);
            if (clock_now() > until || !t->children[i].pid) {
                char said[256];
                local_trial_said(t, i, said, sizeof said);
                rc = err_set(e, ERR_IO, "coturn does not come up: %s", said);
                break;
            }
            nanosleep(&pause, NULL);
        }
    pause.tv_nsec = SETTLE; /* it binds before it reads */
    nanosleep(&pause, NULL);
    free(addresses);
    return rc;
}

int local_trial_begin(struct local_trial *t, struct err *e)
{
    json_t *o;
    char path[LOCAL_PATH];
    int rc = t->secret[0] ? start_coturn(t, e) : OK;
    t->began = clock_now();
    o = json_pack("{s:i, s:I, s:O}", "schema", 1, "origin", (json_int_t)t->began, "hosts",
                  t->hosts);
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++)
        rc = files_write_json(local_trial_path(t, i, "hosts.yaml", path), o, e);
    json_decref(o);
    return rc;
}

static int fire(struct local_trial *t, const struct action *a, struct err *e)
{
    struct local_child *c;
    if (a->kind != ACT_CRASH && a->kind != ACT_RESTART && a->kind != ACT_PAUSE &&
        a->kind != ACT_RESUME)
        return OK; /* the network's */
    c = &t->children[a->node];
    if (a->kind == ACT_RESTART)
        return c->pid == 0 ? start(t, a->node, e) : OK;
    if (a->kind == ACT_PAUSE || a->kind == ACT_RESUME) {
        c->paused = a->kind == ACT_PAUSE;
        send_signal(c, c->paused ? SIGSTOP : SIGCONT);
    } else if (c->pid > 0) {
        send_signal(c, SIGKILL);
        while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
            ;
        c->pid = 0;
        c->crashed = true;
    }
    return OK;
}

/* What is due: nodes' starts, events. Actions are in the order in which they were written. */
static int due(struct local_trial *t, ns_t before, ns_t now, struct err *e)
{
    int rc = OK;
    for (party_t i = t->spec->roster->n; rc == OK && i-- > 0;) /* services first */
        if (!t->children[i].started && t->spec->hosts[i].start <= now)
            rc = start(t, i, e);
    for (size_t i = 0; rc == OK && i < t->spec->n_actions; i++) {
        const struct action *a = &t->spec->actions[i];
        if (a->at > before && a->at <= now)
            rc = fire(t, a, e);
        if (a->kind == ACT_PAUSE && a->until > before && a->until <= now) {
            struct action resume = {.kind = ACT_RESUME, .node = a->node};
            rc = fire(t, &resume, e);
        }
    }
    return rc;
}

/* Is anything appointed for later that could bring this node back? */
static bool comes_back(const struct local_trial *t, party_t id, ns_t now)
{
    for (size_t i = 0; i < t->spec->n_actions; i++)
        if (t->spec->actions[i].kind == ACT_RESTART && t->spec->actions[i].node == id &&
            t->spec->actions[i].at > now)
            return true;
    return false;
}

/* Every party is done, or has ended for good; or a service broke down by itself. */
static bool is_over(struct local_trial *t, ns_t now)
{
    bool over = true;
    char path[LOCAL_PATH];
    for (party_t i = 0; i < t->spec->roster->n; i++) {
        struct local_child *c = &t->children[i];
        bool gone = c->started && c->pid == 0 && !comes_back(t, i, now);
        if (i >= t->spec->roster->n_parties) {
            c->early |= gone && !c->crashed;
            if (c->early)
                return true;
            continue;
        }
        local_trial_path(t, i, "done", path);
        if (!c->done && c->started && access(path, F_OK) == 0)
            c->done = true;
        /* One that gave up fails the trial, but the others may still find out why. */
        over &= c->done || gone;
        if (gone && !c->done && !c->crashed && WIFEXITED(c->status) && WEXITSTATUS(c->status) != 20)
            return true;
    }
    return over;
}

static void stop_all(struct local_trial *t)
{
    struct timespec pause = {.tv_nsec = STEP};
    ns_t until = clock_now() + GRACE;
    for (party_t i = 0; i < t->spec->roster->n; i++) {
        send_signal(&t->children[i], SIGCONT);
        send_signal(&t->children[i], SIGTERM);
    }
    while (!reap(t) && clock_now() < until)
        nanosleep(&pause, NULL);
    for (party_t i = 0; i < t->spec->roster->n; i++)
        send_signal(&t->children[i], SIGKILL);
    while (!reap(t))
        nanosleep(&pause, NULL);
}

int local_trial_run(struct local_trial *t, struct err *e)
{
    struct timespec pause = {.tv_nsec = STEP};
    ns_t before = -1, now = 0;
    int rc = OK;
    while (rc == OK) {
        now = clock_now() - t->began;
        rc = due(t, before, now, e);
        before = now;
        reap(t);
        if (is_over(t, now))
            break;
        if (now > t->spec->limit) {
            t->timed_out = true;
            break;
        }
        nanosleep(&pause, NULL);
    }
    t->ended = clock_now();
    stop_all(t);
    return rc;
}

void local_trial_said(const struct local_trial *t, party_t id, char *buf, size_t cap)
{
    char path[LOCAL_PATH];
    files_last_line(local_trial_path(t, id, "log", path), buf, cap);
}

/* ---- afterwards ----------------------------------------------------------------------- */

void local_trial_free(struct local_trial *t)
{
    for (party_t i = 0; t->dir[0] && t->secret[0] && i < t->spec->roster->n; i++) {
        char path[LOCAL_PATH], name[80];
        snprintf(name, sizeof name, "%s.yaml", t->spec->roster->entries[i].name);
        files_wipe(local_trial_path(t, i, name, path));
    }
    if (t->dir[0])
        files_remove_tree(t->dir);
    sodium_memzero(t->secret, sizeof t->secret);
    if (t->program >= 0)
        close(t->program);
    json_decref(t->hosts);
    free(t->children);
    t->children = NULL;
    t->hosts = NULL;
    t->program = -1;
}
