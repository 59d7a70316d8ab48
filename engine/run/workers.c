#include "engine/run/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 256, BAR = 30 };

/* What parent and workers share. */
struct board {
    uint32_t next, finished, ran;
    uint64_t events;
    uint32_t stop, failed;
    int code;
    char text[ERR_TEXT];
};

static volatile sig_atomic_t interrupted;
static struct board *stopped_by_signal;

static void on_signal(int number)
{
    (void)number;
    interrupted = interrupted < 2 ? interrupted + 1 : 2;
    __atomic_store_n(&stopped_by_signal->stop, 1, __ATOMIC_SEQ_CST);
}

static void note_failure(struct board *b, int code, const char *text)
{
    if (__atomic_fetch_add(&b->failed, 1, __ATOMIC_SEQ_CST) == 0) {
        snprintf(b->text, sizeof b->text, "%s", text);
        __atomic_store_n(&b->code, code, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&b->stop, 1, __ATOMIC_SEQ_CST);
}

static void work(const struct workers *w, struct board *b)
{
    while (!__atomic_load_n(&b->stop, __ATOMIC_SEQ_CST) && !interrupted) {
        uint32_t i = __atomic_fetch_add(&b->next, 1, __ATOMIC_SEQ_CST);
        uint64_t events = 0;
        struct err e = {0};
        if (i >= w->n)
            break;
        if (!w->done_before(w->ctx, i)) {
            int rc = w->work(w->ctx, i, &events, &e);
            if (rc != OK) {
                note_failure(b, rc, e.text);
                break;
            }
            __atomic_fetch_add(&b->ran, 1, __ATOMIC_SEQ_CST);
        }
        __atomic_fetch_add(&b->events, events, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&b->finished, 1, __ATOMIC_SEQ_CST);
    }
}

static void show(const struct workers *w, uint32_t finished)
{
    unsigned full = (unsigned)((uint64_t)finished * BAR / w->n);
    char bar[BAR + 1];
    memset(bar, '.', BAR);
    memset(bar, '#', full);
    bar[BAR] = 0;
    fprintf(stderr, "\r%s [%s] %u/%u trials", w->title, bar, finished, w->n);
    if (finished == w->n)
        fputc('\n', stderr);
    fflush(stderr);
}

static void note_end(struct board *b, int status)
{
    if (interrupted > 1 && WIFSIGNALED(status)) /* asked for twice */
        return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        note_failure(b, ERR_NOMEM,
                     "a worker was killed, perhaps for want of memory; what was "
                     "finished is kept (--resume goes on)");
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        note_failure(b, ERR_STATE, "a worker process died; this is a bug");
}

static void wait_all(const struct workers *w, struct board *b, pid_t *pids, unsigned jobs)
{
    bool bar = !w->quiet && isatty(STDERR_FILENO);
    unsigned left = jobs;
    uint32_t shown = UINT32_MAX, finished;
    sig_atomic_t signals, passed_on = 0;
    struct timespec pause = {.tv_nsec = bar ? 50000000 : 2000000};
    while (left) {
        int status;
        pid_t pid = waitpid(-1, &status, bar ? WNOHANG : 0);
        finished = __atomic_load_n(&b->finished, __ATOMIC_SEQ_CST);
        /* One whose piece takes long may have a way to end it; the second signal waits for none. */
        signals = interrupted;
        for (unsigned i = 0; signals > passed_on && i < jobs; i++)
            if (pids[i] > 0 && pids[i] != pid)
                kill(pids[i], signals > 1 ? SIGKILL : SIGTERM);
        passed_on = signals;
        if (bar && finished != shown)
            show(w, shown = finished);
        if (pid == 0) {
            nanosleep(&pause, NULL);
            continue;
        }
        if (pid < 0) {
            if (errno == EINTR)
                continue;
            break;
        }
        for (unsigned i = 0; i < jobs; i++)
            if (pids[i] == pid) {
                left--;
                pids[i] = 0;
                note_end(b, status);
            }
    }
    if (bar && shown != w->n && !b->failed)
        fputc('\n', stderr);
}

int workers_run(const struct workers *w, struct workers_report *report, struct err *e)
{
    struct sigaction act = {.sa_handler = on_signal}, old_int, old_term;
    struct rusage usage;
    pid_t pids[JOBS_MAX], parent = getpid();
    unsigned jobs = w->jobs, started = 0;
    struct board *b =
        mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int rc = OK;
    if (b == MAP_FAILED)
        return err_set(e, ERR_NOMEM, "no shared memory for the workers");
    if (jobs == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        jobs = cores > 0 ? (unsigned)cores : 1;
    }
    jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs;
    jobs = jobs > w->n ? w->n : jobs;
    interrupted = 0;
    stopped_by_signal = b;
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, &old_int);
    sigaction(SIGTERM, &act, &old_term);
    fflush(NULL);
    for (; started < jobs; started++) {
        pids[started] = fork();
        if (pids[started] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* without its parent nobody counts its trials */
            if (getppid() != parent)
                _exit(1);
            work(w, b);
            _exit(0);
        }
        if (pids[started] < 0) {
            note_failure(b, ERR_LIMIT, "can't start a worker process");
            break;
        }
    }
    wait_all(w, b, pids, started);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    getrusage(RUSAGE_CHILDREN, &usage);
    *report = (struct workers_report){.ran = b->ran,
                                      .events = b->events,
                                      .peak_kib = usage.ru_maxrss,
                                      .interrupted = interrupted && b->finished < w->n};
    if (b->failed)
        rc = err_set(e, b->code ? b->code : ERR_STATE, "%s", b->text);
    munmap(b, sizeof *b);
    return rc;
}
