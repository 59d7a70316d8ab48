#include "engine/run/workers.h"

#include <malloc.h>
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

enum { JOBS_MAX = 256, BAR = 30, MMAP_FROM = 32 << 20 }; /* the most that malloc allows */

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

/* Of a worker, which a terminal's signals reach as well; its parent waits for them instead. */
static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
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

/* What a piece of work gives back is kept for the next one: they need much the same, and the system
 * would zero it each time. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
    mallopt(M_TRIM_THRESHOLD, -1);
}

static void work(const struct workers *w, struct board *b)
{
    keep_memory();
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

/* Every worker that has ended by now. */
static unsigned reap(struct board *b, pid_t *pids, unsigned jobs)
{
    unsigned ended = 0;
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (unsigned i = 0; i < jobs; i++)
            if (pids[i] == pid) {
                ended++;
                pids[i] = 0;
                note_end(b, status);
            }
    return ended;
}

/* One whose piece takes long may have a way to end it; the second signal waits for none. */
static void pass_on(struct board *b, const pid_t *pids, unsigned jobs)
{
    interrupted = interrupted < 2 ? interrupted + 1 : 2;
    __atomic_store_n(&b->stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < jobs; i++)
        if (pids[i] > 0)
            kill(pids[i], interrupted > 1 ? SIGKILL : SIGTERM);
}

static void wait_all(const struct workers *w, struct board *b, pid_t *pids, unsigned jobs,
                     const sigset_t *signals)
{
    const struct timespec moment = {.tv_nsec = 50000000}, none = {0};
    bool bar = !w->quiet && isatty(STDERR_FILENO);
    unsigned left = jobs;
    uint32_t shown = UINT32_MAX, finished;
    int number;
    do {
        left -= reap(b, pids, jobs);
        finished = __atomic_load_n(&b->finished, __ATOMIC_SEQ_CST);
        if (bar && finished != shown)
            show(w, shown = finished);
        number = sigtimedwait(signals, NULL, !left ? &none : bar ? &moment : NULL);
        if (number == SIGINT || number == SIGTERM)
            pass_on(b, pids, jobs);
    } while (left || number > 0);
    if (bar && shown != w->n && !b->failed)
        fputc('\n', stderr);
}

/* What a run does with signals: its workers handle them, it waits for them, blocked, so that
 * none is lost between two looks. */
struct signals {
    sigset_t set, old_set;
    struct sigaction old_int, old_term, old_chld;
};

static void signals_take(struct signals *s, struct board *b)
{
    struct sigaction act = {.sa_handler = on_signal}, by_default = {.sa_handler = SIG_DFL};
    interrupted = 0;
    stopped_by_signal = b;
    sigemptyset(&act.sa_mask);
    sigemptyset(&by_default.sa_mask);
    sigemptyset(&s->set);
    sigaddset(&s->set, SIGINT);
    sigaddset(&s->set, SIGTERM);
    sigaddset(&s->set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &s->set, &s->old_set);
    sigaction(SIGINT, &act, &s->old_int);
    sigaction(SIGTERM, &act, &s->old_term);
    sigaction(SIGCHLD, &by_default, &s->old_chld);
}

static void signals_give_back(const struct signals *s)
{
    sigaction(SIGINT, &s->old_int, NULL);
    sigaction(SIGTERM, &s->old_term, NULL);
    sigaction(SIGCHLD, &s->old_chld, NULL);
    sigprocmask(SIG_SETMASK, &s->old_set, NULL);
}

int workers_run(const struct workers *w, struct workers_report *report, struct err *e)
{
    struct signals signals;
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
    signals_take(&signals, b);
    fflush(NULL);
    for (; started < jobs; started++) {
        pids[started] = fork();
        if (pids[started] == 0) {
            sigprocmask(SIG_SETMASK, &signals.old_set, NULL);
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
    wait_all(w, b, pids, started, &signals.set);
    signals_give_back(&signals);
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
