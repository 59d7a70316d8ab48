#define _XOPEN_SOURCE 700 /* nftw */
#include "engine/run/local.h"

#include "engine/run/files.h"
#include "engine/run/local_hosts.h"
#include "engine/run/local_strip.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE (5 * NS_S) /* to write results, after SIGTERM */
#define STEP (2 * NS_MS) /* how often the runner looks */

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
    snprintf(t->dir, sizeof t->dir, "%s/partyline-XXXXXX", tmp);
    if (mkdtemp(t->dir))
        return OK;
    err_set(e, ERR_IO, "%s: %s", t->dir, strerror(errno));
    t->dir[0] = 0;
    return ERR_IO;
}

static void path_of(const struct local_trial *t, party_t id, const char *what, char path[256])
{
    snprintf(path, 256, "%s/%s%s", t->dir, t->spec->roster->entries[id].name, what);
}

static int make_key(struct local_trial *t, party_t id, json_t *host, struct err *e)
{
    struct identity identity;
    uint8_t pub[IDENTITY_PUBLIC];
    char path[256], hex[LOCAL_HEX];
    int rc = local_key_make(&identity, e);
    if (rc != OK)
        return rc;
    path_of(t, id, ".key", path);
    rc = local_key_write(path, &identity, e);
    identity_encode(&identity.pub, pub);
    identity_wipe(&identity);
    local_hex(pub, sizeof pub, hex);
    json_object_set_new(host, "identity", json_string(hex));
    return rc;
}

static int write_all(struct local_trial *t, struct err *e)
{
    json_t *o = json_object(), *hosts = json_object();
    char path[256];
    int rc = OK;
    t->began = clock_now();
    json_object_set_new(o, "schema", json_integer(1));
    json_object_set_new(o, "origin", json_integer(t->began));
    for (party_t i = 0; rc == OK && i < t->spec->roster->n; i++) {
        json_t *host =
            json_pack("{s:s, s:i}", "address", "127.0.0.1", "port", (int)t->ports.first[i]);
        if (t->spec->channel != CHANNEL_NONE)
            rc = make_key(t, i, host, e);
        json_object_set_new(hosts, t->spec->roster->entries[i].name, host);
        if (rc == OK)
            rc = local_strip(t->spec->cell, i, t->dir, e);
    }
    json_object_set_new(o, "hosts", hosts);
    snprintf(path, sizeof path, "%s/hosts.yaml", t->dir);
    if (rc == OK)
        rc = files_write_json(path, o, e);
    json_decref(o);
    return rc;
}

int local_trial_prepare(struct local_trial *t, const struct trial_spec *spec, struct err *e)
{
    int rc;
    *t = (struct local_trial){.spec = spec};
    t->children = calloc(spec->roster->n, sizeof *t->children);
    if (!t->children)
        return err_set(e, ERR_NOMEM, "no memory for %u nodes", (unsigned)spec->roster->n);
    if (!spec->cell)
        return err_set(e, ERR_UNSUPPORTED, "the world local runs scenarios of a file");
    rc = local_ports_take(&t->ports, spec->roster->n, e);
    if (rc == OK)
        rc = make_folder(t, e);
    return rc == OK ? write_all(t, e) : rc;
}

/* ---- processes ------------------------------------------------------------------------ */

static void become_node(const struct local_trial *t, party_t id)
{
    const char *name = t->spec->roster->entries[id].name;
    char scenario[256], hosts[256], key[256], log[256], out[256],
        *self = (char *)(uintptr_t)t->self;
    char *args[] = {self,      "node", "--scenario", scenario, "--name", (char *)(uintptr_t)name,
                    "--hosts", hosts,  "--key",      key,      "--out",  out,
                    NULL};
    int fd;
    path_of(t, id, ".yaml", scenario);
    path_of(t, id, ".key", key);
    path_of(t, id, ".log", log);
    path_of(t, id, "", out);
    snprintf(hosts, sizeof hosts, "%s/hosts.yaml", t->dir);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
    setpgid(0, 0); /* what a terminal sends is for the runner, which ends its nodes itself */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    execv(self, args);
    _exit(127);
}

static int start(struct local_trial *t, party_t id, struct err *e)
{
    struct local_child *c = &t->children[id];
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return err_set(e, ERR_LIMIT, "can't start a node: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
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

static int fire(struct local_trial *t, const struct action *a, struct err *e)
{
    struct local_child *c;
    if (a->kind == ACT_LINK)
        return OK;
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
    char path[256];
    for (party_t i = 0; i < t->spec->roster->n; i++) {
        struct local_child *c = &t->children[i];
        bool gone = c->started && c->pid == 0 && !comes_back(t, i, now);
        if (i >= t->spec->roster->n_parties) {
            if (gone && !c->crashed)
                return true;
            continue;
        }
        path_of(t, i, "/done", path);
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
    stop_all(t);
    return rc;
}

void local_trial_said(const struct local_trial *t, party_t id, char *buf, size_t cap)
{
    char path[256], *text, *from;
    size_t len;
    buf[0] = 0;
    path_of(t, id, ".log", path);
    if (files_read(path, 1 << 20, &text, &len, NULL) != OK)
        return;
    while (len && text[len - 1] == '\n')
        text[--len] = 0;
    from = strrchr(text, '\n');
    snprintf(buf, cap, "%s", from ? from + 1 : text);
    free(text);
}

/* ---- afterwards ----------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void wipe_key(const struct local_trial *t, party_t id)
{
    static const uint8_t zeros[2048];
    struct stat st;
    char path[256];
    int fd;
    path_of(t, id, ".key", path);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size <= (off_t)sizeof zeros &&
        write(fd, zeros, (size_t)st.st_size) == st.st_size)
        fsync(fd);
    close(fd);
}

void local_trial_free(struct local_trial *t)
{
    for (party_t i = 0; t->dir[0] && i < t->spec->roster->n; i++)
        wipe_key(t, i);
    if (t->dir[0])
        nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    local_ports_give(&t->ports);
    free(t->children);
    t->children = NULL;
}
