/* A crowd at one relay on loopback: connections of people who say nothing, as many as are asked
 * for (usage: crowded [NAME [CONNECTIONS]]), from a process of their own. What must hold: each is
 * either kept, and then costs no more than MEMORY, or refused and counted; and parties at the same
 * relay, one of which comes when the crowd is there, are not starved. */
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"
#include "tests/unit/uv_bed.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARTIES = 3, DEFAULT = 2000, MEMORY = 12 << 10, SPARE = 200 };

static uint32_t wanted;

/* ---- the crowd ------------------------------------------------------------------------- */

struct mob {
    pid_t pid;
    int said[2];
    uint16_t port;
};

static int dial(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Tells how many it has dialled, and stays until it is killed. */
static void come(const struct mob *c)
{
    uint32_t up = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (up < wanted && dial(c->port) >= 0)
        up++;
    if (write(c->said[1], &up, sizeof up) != sizeof up)
        _exit(1);
    for (;;)
        pause();
}

static bool send_crowd(struct mob *c, uint16_t port)
{
    c->port = port;
    if (pipe(c->said) != 0)
        return false;
    c->pid = fork();
    if (c->pid == 0)
        come(c);
    return c->pid > 0;
}

/* All have dialled? */
static bool is_there(const struct mob *c, uint32_t *up)
{
    struct pollfd said = {.fd = c->said[0], .events = POLLIN};
    return poll(&said, 1, 0) == 1 && read(c->said[0], up, sizeof *up) == sizeof *up;
}

static void send_away(struct mob *c)
{
    if (c->pid <= 0)
        return;
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    close(c->said[0]);
    close(c->said[1]);
}

/* ---- the test --------------------------------------------------------------------------- */

struct watch {
    struct mob crowd;
    uint32_t up, most; /* dialled; links that the relay had at a time */
    long before, after;
    ns_t came;
    bool sent;
};

static long resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void tick(struct uv_bed *b)
{
    struct watch *w = b->user;
    struct uvnode *relay = b->nodes[PARTIES].node;
    if (!w->sent && uv_bed_now(b) > 100 * NS_MS) {
        w->sent = true;
        w->before = resident();
        if (!send_crowd(&w->crowd, b->ports.first[PARTIES]))
            b->over = true;
    }
    if (relay && uvnode_links(relay) > w->most)
        w->most = uvnode_links(relay);
    if (w->sent && !w->came && is_there(&w->crowd, &w->up))
        w->came = uv_bed_now(b);
    if (w->came) /* it has had the time to take what was dialled */
        w->after = resident();
    /* The last party comes when the crowd is there. */
    ((struct host_spec *)(uintptr_t)b->spec->hosts)[PARTIES - 1].start =
        w->came ? w->came + 100 * NS_MS : 3600 * NS_S;
}

static bool judge(const struct watch *w, const struct trial_result *r, bool kept, char *why,
                  size_t cap)
{
    uint64_t refused = r->metrics.drops[DROP_REFUSED] + r->metrics.drops[DROP_RELAY_LIMIT] +
                       r->metrics.drops[DROP_TRANSPORT_STRANGER];
    long cost = w->up ? (w->after - w->before) / (long)w->up : 0;
    for (uint32_t i = 0; i < PARTIES; i++)
        if (!r->outcomes[i].done)
            return snprintf(why, cap, "p%u was starved: %.300s", i, r->why ? r->why : ""), false;
    snprintf(why, cap,
             "%u dialled, %u at a time, %" PRIu64 " refused, %ld bytes each, in %" PRId64 " ms",
             w->up, w->most, refused, cost, w->came / NS_MS);
    return w->up == wanted && (!kept || (w->most >= wanted && refused == 0)) &&
           (kept || refused + w->most >= wanted) && cost <= MEMORY;
}

static void run_test(struct tally *tally, const char *name, bool kept)
{
    struct conform_plan plan = {.messages = 40, .max = 2000, .every = 10 * NS_MS};
    struct watch w = {0};
    struct uv_bed uv = {.poll = tick, .user = &w, .links = kept ? wanted + SPARE : 0};
    struct trial_result r = {0};
    char why[600];
    struct bed b;
    if (!tally_wants(tally, name))
        return;
    if (!bed_make(&b, plugin_transport("relay"), &protocol_conform, PARTIES) ||
        (kept && !(bed_set(&b, "strangers", "60000") && bed_set(&b, "per_address", "60000")))) {
        tally_not_ok(tally, name, "the bed can't be made", "crowded");
        return;
    }
    b.hosts[PARTIES - 1].start = 3600 * NS_S;
    b.spec.plan = &plan;
    b.spec.limit = 100 * NS_S;
    if (!bed_people(&b) || uv_bed_run(&uv, &b.spec, &r) != OK)
        tally_not_ok(tally, name, uv.err.text, "crowded");
    else if (judge(&w, &r, kept, why, sizeof why))
        tally_ok(tally, name, why);
    else
        tally_not_ok(tally, name, why, "crowded");
    send_away(&w.crowd);
    trial_result_free(&r, PARTIES);
    bed_free(&b);
}

int main(int argc, char **argv)
{
    struct tally tally = {.only = argc > 1 ? argv[1] : NULL};
    struct rlimit files;
    char why[128];
    wanted = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : DEFAULT;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < wanted + SPARE) {
        snprintf(why, sizeof why, "%llu files may be open here, %u are needed: ulimit -n",
                 (unsigned long long)files.rlim_cur, wanted + SPARE);
        tally_skip(&tally, "crowded", why);
        return tally_end(&tally);
    }
    run_test(&tally, "crowded/kept", true);
    run_test(&tally, "crowded/refused", false);
    return tally_end(&tally);
}
