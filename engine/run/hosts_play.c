#include "engine/run/hosts_world.h"

#include "engine/run/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 << 10, PATIENCE_MS = 5000 };

/* ---- signals -------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;
static struct sigaction before_int, before_term;

static void on_signal(int number)
{
    const struct sigaction *before = number == SIGINT ? &before_int : &before_term;
    interrupted = 1;
    if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN)
        before->sa_handler(number);
}

void hosts_signals_catch(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, &before_int);
    sigaction(SIGTERM, &act, &before_term);
}

void hosts_signals_ignore(void)
{
    struct sigaction act = {.sa_handler = SIG_IGN};
    interrupted = 0;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

void hosts_signals_restore(void)
{
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
}

bool hosts_interrupted(void)
{
    return interrupted;
}

/* ---- programs ------------------------------------------------------------------------- */

/* In a process group of its own: what a terminal sends is for us, who end it ourselves. */
static pid_t start(const char *const *argv, int out)
{
    pid_t parent = getpid(), pid = fork();
    int null;
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(126);
    setenv("LC_ALL", "C.UTF-8", 1); /* Ansible wants it */
    execvp(argv[0], (char **)(uintptr_t)argv);
    _exit(127);
}

static int finish(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int hosts_run_tool(const char *const *argv, const char *out)
{
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), status = -1;
    pid_t pid;
    if (fd < 0)
        return -1;
    pid = start(argv, fd);
    if (pid > 0)
        status = finish(pid);
    close(fd);
    return status;
}

/* ---- what a playbook says ------------------------------------------------------------- */

struct playing {
    struct hosts_session *session;
    const char *name, *trial;
    bool terminal;
    char line[LINE_MAX_BYTES];
    size_t len;
    char failed[ERR_TEXT]; /* the first thing that went wrong */
    char last[ERR_TEXT];   /* the last line that is no event */
    size_t n_hosts, n_failed;
};

static const char *member(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static void show(const struct playing *p, const char *host, const char *task)
{
    if (p->terminal)
        fprintf(stderr, "\r\033[K%s%s%s: %s: %.60s", p->name, p->trial[0] ? " " : "", p->trial,
                host, task);
}

static void tell(struct playing *p, const char *host, const char *text)
{
    for (size_t i = 0; i < p->session->n_machines; i++)
        if (strcmp(p->session->machines[i].name, host) == 0)
            hosts_told(&p->session->machines[i], text);
}

static void take_event(struct playing *p, const json_t *o)
{
    const char *event = member(o, "event"), *host = member(o, "host"), *task = member(o, "task");
    if (strcmp(event, "tell") == 0)
        tell(p, host, member(o, "text"));
    if (strcmp(event, "failed") == 0 || strcmp(event, "unreachable") == 0) {
        p->n_failed++;
        if (!p->failed[0])
            snprintf(p->failed, sizeof p->failed, "%s: %s: %.*s", host, task,
                     (int)strcspn(member(o, "text"), "\n"), member(o, "text"));
        if (p->terminal)
            fputs("\r\033[K", stderr);
        fprintf(stderr, "partyline: %s: %s: %s: %.*s\n", p->name, host, task,
                (int)strcspn(member(o, "text"), "\n"), member(o, "text"));
    } else if (host[0]) {
        show(p, host, task);
    }
}

static void take_line(struct playing *p)
{
    json_t *o = json_loads(p->line, 0, NULL);
    if (json_is_object(o))
        take_event(p, o);
    else if (p->line[strspn(p->line, " ")])
        snprintf(p->last, sizeof p->last, "%.400s", p->line);
    json_decref(o);
}

static void take_bytes(struct playing *p, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (p->len < sizeof p->line - 1)
                p->line[p->len++] = bytes[i];
            continue;
        }
        p->line[p->len] = 0;
        p->len = 0;
        take_line(p);
    }
}

/* Until it closes its end, or somebody wants an end. */
static void listen_to(struct playing *p, pid_t pid, int fd)
{
    char bytes[4096];
    int left = PATIENCE_MS;
    bool told = false;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, 100);
        ssize_t got = ready > 0 ? read(fd, bytes, sizeof bytes) : -1;
        if (got > 0)
            take_bytes(p, bytes, (size_t)got);
        if (got == 0)
            return;
        if (interrupted && !told)
            kill(-pid, SIGINT);
        told |= interrupted;
        if (told && ready <= 0 && (left -= 100) < 0)
            kill(-pid, SIGKILL);
    }
}

/* ---- a playbook ----------------------------------------------------------------------- */

static int write_vars(const struct hosts_session *s, json_t *plan, const char *trial,
                      const char *path, struct err *e)
{
    json_t *hosts = json_array(), *o;
    const char *host;
    json_t *value;
    char fetch[PATH_MAX + 64];
    int rc;
    json_object_foreach(plan, host, value) json_array_append_new(hosts, json_string(host));
    snprintf(fetch, sizeof fetch, "%s/hosts/%s", s->results, trial);
    o = json_pack("{s:s, s:o, s:O, s:s, s:I, s:s, s:s}", "partyline_run", s->run, "partyline_hosts",
                  hosts, "partyline_plan", plan, "partyline_program", s->program, "partyline_limit",
                  (json_int_t)s->limit_s, "partyline_trial", trial, "partyline_fetch", fetch);
    if (!o)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    rc = files_write_json(path, o, e);
    json_decref(o);
    return rc;
}

static void prepare_environment(const struct hosts_session *s)
{
    char text[PATH_MAX + 32];
    snprintf(text, sizeof text, "%s/ansible.cfg", s->ansible);
    setenv("ANSIBLE_CONFIG", text, 1);
    setenv("ANSIBLE_STDOUT_CALLBACK", "partyline", 1);
    setenv("ANSIBLE_NOCOLOR", "1", 1);
    setenv("ANSIBLE_DEPRECATION_WARNINGS", "0", 1);
    snprintf(text, sizeof text, "%s/ansible", s->dir);
    setenv("ANSIBLE_HOME", text, 1);
    setenv("ANSIBLE_LOCAL_TEMP", text, 1);
    snprintf(text, sizeof text, "%s/ssh", s->dir);
    setenv("ANSIBLE_SSH_CONTROL_PATH_DIR", text, 1);
}

int hosts_play(struct hosts_session *s, const char *name, json_t *plan, const char *trial,
               struct err *e)
{
    char playbook[PATH_MAX + 64], vars[128], extra[160];
    const char *argv[] = {"ansible-playbook", "-i", s->inventory, "-e", extra, playbook, NULL};
    struct playing *p = calloc(1, sizeof *p);
    int pipe_ends[2], status, rc;
    pid_t pid;
    snprintf(playbook, sizeof playbook, "%s/%s.yml", s->ansible, name);
    snprintf(vars, sizeof vars, "%s/vars.json", s->dir);
    snprintf(extra, sizeof extra, "@%s", vars);
    rc = p ? write_vars(s, plan, trial, vars, e) : err_set(e, ERR_NOMEM, "no memory");
    if (rc == OK && pipe(pipe_ends) != 0)
        rc = err_set(e, ERR_IO, "no pipe: %s", strerror(errno));
    if (rc != OK) {
        free(p);
        return rc;
    }
    fcntl(pipe_ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(pipe_ends[1], F_SETFD, FD_CLOEXEC);
    *p = (struct playing){.session = s,
                          .name = name,
                          .trial = trial,
                          .terminal = !s->quiet && isatty(STDERR_FILENO),
                          .n_hosts = json_object_size(plan)};
    prepare_environment(s);
    pid = start(argv, pipe_ends[1]);
    close(pipe_ends[1]);
    if (pid > 0)
        listen_to(p, pid, pipe_ends[0]);
    close(pipe_ends[0]);
    status = pid > 0 ? finish(pid) : -1;
    if (p->terminal)
        fputs("\r\033[K", stderr);
    if (interrupted)
        rc = err_set(e, ERR_CLOSED, "interrupted");
    else if (status == 127)
        rc = err_set(e, ERR_ABSENT, "ansible-playbook is not there: apt-get install ansible-core");
    else if (status != 0)
        rc = err_set(e, ERR_IO, "%s.yml failed: %s", name, p->failed[0] ? p->failed : p->last);
    else if (!s->quiet && !p->terminal)
        fprintf(stderr, "%s%s%s: %zu host%s done\n", name, trial[0] ? " " : "", trial, p->n_hosts,
                p->n_hosts == 1 ? "" : "s");
    free(p);
    return rc;
}
