#define _GNU_SOURCE /* setns, epoll_pwait2 */
#include "engine/worlds/lab/lab_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, BATCH = 64, SNAP = 65535 };

struct loop {
    struct wan wan;
    struct wan_board *board;
    int *devices; /* one a site, at the number of its first host; -1 */
    int epoll;
    ns_t base; /* CLOCK_MONOTONIC at the WAN's 0 */
    FILE *pcap;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static ns_t clock_of(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (ns_t)t.tv_sec * NS_S + t.tv_nsec;
}

/* ---- the board ------------------------------------------------------------------------- */

static void count(uint64_t *what, uint64_t n)
{
    __atomic_fetch_add(what, n, __ATOMIC_RELAXED);
}

static struct wan_board *map_board(const char *dir, bool make)
{
    char path[LAB_PATH + 32];
    struct wan_board *b;
    int fd;
    snprintf(path, sizeof path, "%s/" LAB_BOARD, dir);
    fd = open(path, make ? O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC : O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    if (make ? ftruncate(fd, sizeof *b) != 0 : lseek(fd, 0, SEEK_END) < (off_t)sizeof *b) {
        close(fd);
        return NULL;
    }
    b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (b == MAP_FAILED)
        return NULL;
    if (make) {
        b->epoch = clock_of(CLOCK_REALTIME) - clock_of(CLOCK_MONOTONIC);
        b->magic = WAN_BOARD_MAGIC;
    }
    if (b->magic == WAN_BOARD_MAGIC)
        return b;
    wan_board_close(b);
    return NULL;
}

struct wan_board *wan_board_open(const char *dir)
{
    return map_board(dir, false);
}

void wan_board_close(struct wan_board *b)
{
    if (b)
        munmap(b, sizeof *b);
}

/* ---- pcap: nanoseconds, Linux cooked 2 -------------------------------------------------- */

enum { LINKTYPE_SLL2 = 276, SLL2_HEADER = 20, ARPHRD_NONE = 0xfffe, ETHERTYPE_IP = 0x0800 };
enum { TO_HOST = 0, FROM_HOST = 4 };

static int open_pcap(struct loop *l, const char *path, struct err *e)
{
    uint32_t head[6] = {0xa1b23c4d, 4 << 16 | 2, 0, 0, SNAP + SLL2_HEADER, LINKTYPE_SLL2};
    l->pcap = fopen(path, "we");
    if (!l->pcap || fwrite(head, sizeof head, 1, l->pcap) != 1)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    return OK;
}

/* At a site's end of its line. */
static void capture(struct loop *l, uint32_t site, uint8_t way, const uint8_t *packet, size_t len)
{
    ns_t now;
    uint32_t head[4];
    uint8_t cooked[SLL2_HEADER] = {ETHERTYPE_IP >> 8,
                                   ETHERTYPE_IP & 0xff,
                                   [4] = 0,
                                   0,
                                   (uint8_t)((site + 1) >> 8),
                                   (uint8_t)(site + 1),
                                   ARPHRD_NONE >> 8,
                                   ARPHRD_NONE & 0xff,
                                   way};
    if (!l->pcap)
        return;
    now = clock_of(CLOCK_MONOTONIC) + l->board->epoch;
    head[0] = (uint32_t)(now / NS_S);
    head[1] = (uint32_t)(now % NS_S);
    head[2] = head[3] = (uint32_t)len + SLL2_HEADER;
    fwrite(head, sizeof head, 1, l->pcap);
    fwrite(cooked, sizeof cooked, 1, l->pcap);
    fwrite(packet, len, 1, l->pcap);
}

/* ---- packets --------------------------------------------------------------------------- */

/* The trial's time; its origin may be told while the WAN runs. */
static ns_t now_of(struct loop *l)
{
    ns_t origin = __atomic_load_n(&l->board->origin, __ATOMIC_RELAXED);
    if (origin && origin != l->base) {
        wan_restart(&l->wan);
        l->base = origin;
    }
    return clock_of(CLOCK_MONOTONIC) - l->base;
}

static void take(struct loop *l, uint32_t site)
{
    static uint8_t buf[SNAP + 1];
    for (int i = 0; i < BATCH; i++) {
        ssize_t len = read(l->devices[site], buf, sizeof buf);
        enum drop drop;
        if (len <= 0)
            return;
        if (buf[0] >> 4 != 4)
            continue; /* what an interface says of itself in IPv6 */
        count(&l->board->packets, 1);
        count(&l->board->bytes, (uint64_t)len);
        count(&l->board->sent_packets[site], 1);
        count(&l->board->sent_bytes[site], (uint64_t)len);
        capture(l, site, FROM_HOST, buf, (size_t)len);
        drop = wan_take(&l->wan, now_of(l), site, buf, (size_t)len);
        if (drop != DROP_COUNT)
            count(&l->board->drops[drop], 1);
    }
}

static void give(struct loop *l)
{
    enum drop drop;
    for (;;) {
        struct wan_packet *p = wan_due(&l->wan, now_of(l), &drop);
        ns_t late;
        if (drop != DROP_COUNT)
            count(&l->board->drops[drop], 1);
        else if (!p)
            return;
        if (!p)
            continue;
        late = now_of(l) - p->due;
        late = late < 0 ? 0 : late;
        count(&l->board->late[hist_slot(late)], 1);
        if (late > __atomic_load_n(&l->board->late_max, __ATOMIC_RELAXED))
            __atomic_store_n(&l->board->late_max, late, __ATOMIC_RELAXED);
        if (write(l->devices[p->to], p->data, p->len) < 0)
            count(&l->board->drops[DROP_HOST_DOWN], 1);
        else
            capture(l, p->to, TO_HOST, p->data, p->len);
        free(p);
    }
}

static void run(struct loop *l)
{
    struct epoll_event list[EVENTS];
    while (!stop) {
        struct timespec wait, *until = NULL;
        ns_t next;
        int n;
        give(l);
        next = wan_next(&l->wan);
        if (next != NS_NEVER) {
            next -= now_of(l);
            next = next < 0 ? 0 : next;
            wait = (struct timespec){.tv_sec = next / NS_S, .tv_nsec = next % NS_S};
            until = &wait;
        }
        n = epoll_pwait2(l->epoll, list, EVENTS, until, NULL);
        if (n < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++)
            take(l, list[i].data.u32);
    }
}

/* ---- its life -------------------------------------------------------------------------- */

/* A device in the namespace that this process is in. */
static int open_device(struct err *e)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    strcpy(r.ifr_name, "wan0");
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) == 0)
        return fd;
    err_set(e, ERR_UNSUPPORTED, "/dev/net/tun: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int open_devices(struct loop *l, const struct lab *lab, struct err *e)
{
    char name[LAB_PATH];
    int rc = OK;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; rc == OK && i < l->wan.n; i++) {
        struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i};
        l->devices[i] = -1;
        if (l->wan.lead[i] != i)
            continue;
        rc = lab_enter(lab_net_site(lab, i, name), e);
        if (rc == OK && (l->devices[i] = open_device(e)) < 0)
            rc = ERR_UNSUPPORTED;
        if (rc == OK && epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->devices[i], &ev) != 0)
            rc = err_set(e, ERR_IO, "epoll: %s", strerror(errno));
    }
    return rc == OK ? lab_enter(lab_netns(lab->id, "wan", "", name), e) : rc;
}

/* First in line for the processor, awake to the microsecond, never paged out: as far as the
 * system allows it. */
static void be_punctual(void)
{
    struct sched_param p = {.sched_priority = 1};
    prctl(PR_SET_TIMERSLACK, 1);
    if (sched_setscheduler(0, SCHED_FIFO, &p) != 0 || mlockall(MCL_CURRENT) != 0)
        return;
}

static int prepare(struct loop *l, const struct lab *lab, const struct lab_options *o,
                   struct err *e)
{
    uint32_t n = lab->spec->roster->n, *lead = calloc(n, sizeof *lead);
    int rc;
    l->devices = calloc(n, sizeof *l->devices);
    if (!lead || !l->devices)
        return err_set(e, ERR_NOMEM, "no memory for the WAN");
    for (uint32_t i = 0; i < n; i++)
        lead[i] = lab_site(lab, i);
    if (wan_init(&l->wan, lab->spec, lead, lab->hosts[0].published, o->seed) != OK)
        return err_set(e, ERR_NOMEM, "no memory for the WAN");
    rc = open_devices(l, lab, e);
    return rc == OK && o->pcap ? open_pcap(l, o->pcap, e) : rc;
}

static void live(const struct lab *lab, const struct lab_options *o, struct lab_birth *birth)
{
    struct loop l = {.board = lab->board, .base = clock_of(CLOCK_MONOTONIC)};
    struct sigaction act = {.sa_handler = on_signal};
    struct err e;
    sigemptyset(&act.sa_mask);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_NAME, "partyline-wan");
    if (prepare(&l, lab, o, &e) != OK)
        lab_birth_bad(birth, &e);
    be_punctual();
    lab_birth_good(birth);
    run(&l);
    if (l.pcap)
        fclose(l.pcap);
    _exit(0);
}

int lab_wan_start(struct lab *lab, const struct lab_options *o, struct err *e)
{
    struct lab_birth birth;
    pid_t parent = getpid();
    int rc;
    lab->board = map_board(lab->dir, true);
    if (!lab->board)
        return err_set(e, ERR_IO, "%s/" LAB_BOARD ": %s", lab->dir, strerror(errno));
    rc = lab_birth_begin(&birth, e);
    if (rc != OK)
        return rc;
    lab->wan = fork();
    if (lab->wan == 0) {
        char log[LAB_PATH + 16];
        snprintf(log, sizeof log, "%s/wan.log", lab->dir);
        if (lab_birth_adopt(&birth, o->mine ? parent : 0, log) != OK)
            _exit(1);
        live(lab, o, &birth);
    }
    return lab_birth_wait(&birth, "the WAN", e);
}
