/* links: engine/worlds/uv/ transports/: strangers at the ports of real nodes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/base/bytes.h"
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"
#include "tests/unit/uv_bed.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILES = 256, FILE_MAX = 65536, CROWD = 1000, CROWD_LIMIT = 200 };

struct seed {
    uint8_t *data;
    size_t len;
};

struct attack {
    struct seed seeds[FILES];
    size_t n_seeds, next;
    int crowd[CROWD];
    size_t n_crowd;
    uint32_t most_links;
};

static void read_seeds(struct attack *a, const char *corpus)
{
    char path[600];
    struct dirent *d;
    snprintf(path, sizeof path, "tests/fuzz/corpus/%s", corpus);
    DIR *dir = opendir(path);
    while (dir && (d = readdir(dir)) && a->n_seeds < FILES) {
        struct seed s = {.data = malloc(FILE_MAX)};
        snprintf(path, sizeof path, "tests/fuzz/corpus/%s/%s", corpus, d->d_name);
        FILE *f = d->d_name[0] != '.' && s.data ? fopen(path, "rb") : NULL;
        s.len = f ? fread(s.data, 1, FILE_MAX, f) : 0;
        if (f)
            fclose(f);
        if (s.len)
            a->seeds[a->n_seeds++] = s;
        else
            free(s.data);
    }
    if (dir)
        closedir(dir);
}

static void free_seeds(struct attack *a)
{
    while (a->n_seeds)
        free(a->seeds[--a->n_seeds].data);
}

static int reach(uint16_t port, int type)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

/* As it is, as one message, and as many small ones. */
static void throw_at(uint16_t port, int type, const struct seed *s)
{
    for (int how = 0; how < 3; how++) {
        int fd = reach(port, type);
        uint8_t frame[LINK_FRAME];
        ssize_t sent = 0;
        if (fd < 0)
            continue;
        put_le32(frame, (uint32_t)s->len);
        if (how == 1)
            sent += write(fd, frame, sizeof frame);
        if (how < 2)
            sent += write(fd, s->data, s->len);
        for (size_t i = 0; how == 2 && i < s->len; i += 40) {
            size_t n = s->len - i < 40 ? s->len - i : 40;
            put_le32(frame, (uint32_t)n);
            sent += write(fd, frame, sizeof frame);
            sent += write(fd, s->data + i, n);
        }
        (void)sent;
        close(fd);
    }
}

static void replay(struct uv_bed *b)
{
    struct attack *a = b->user;
    for (int i = 0; i < 4 && a->next < a->n_seeds && b->before > 50 * NS_MS; i++, a->next++)
        for (uint32_t node = 0; node < b->spec->roster->n; node++) {
            const struct accept *at = node_accepts(b->spec, node);
            for (unsigned k = 0; at && at[k].port; k++)
                throw_at((uint16_t)(b->places[node].address.port + k),
                         at[k].kind == LINK_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM,
                         &a->seeds[a->next]);
        }
}

static void run_attacked(const char *transport, const char *option, const char *value,
                         void (*poll)(struct uv_bed *), struct attack *a, uint32_t links,
                         uint64_t *dropped)
{
    struct conform_plan plan = {.messages = 30, .max = 2000, .every = 30 * NS_MS};
    struct uv_bed uv = {.poll = poll, .user = a, .links = links};
    struct trial_result r;
    struct bed b;
    bool mix = strcmp(transport, "mix") == 0;
    assert_true(bed_make(&b, plugin_transport(transport), &protocol_conform, 3));
    assert_true(!option || bed_set(&b, option, value));
    plan.messages = mix ? 5 : plan.messages;
    b.spec.plan = &plan;
    b.spec.limit = 40 * NS_S;
    assert_true(bed_people(&b));
    int rc = uv_bed_run(&uv, &b.spec, &r);
    if (rc != OK)
        fail_msg("%s", uv.err.text);
    for (uint32_t i = 0; i < 3; i++)
        if (!r.outcomes[i].done || r.outcomes[i].failure)
            fail_msg("%s: p%u: %s; %s", transport, i,
                     r.outcomes[i].failure ? r.outcomes[i].failure : "has not ended",
                     r.why ? r.why : "");
    *dropped = 0;
    for (int i = 0; i < DROP_COUNT; i++)
        *dropped += r.metrics.drops[i];
    trial_result_free(&r, 3);
    bed_free(&b);
}

static void corpora_do_no_harm(void **state)
{
    static const char *const corpora[] = {"direct", "relay",      "mix",     "stun",
                                          "turn",   "matchmaker", "channel", "reliable"};
    static const char *const cases[][3] = {{"direct", NULL, NULL},
                                           {"direct", "punch", "udp"},
                                           {"relay", NULL, NULL},
                                           {"turn", NULL, NULL},
                                           {"mix", NULL, NULL}};
    struct attack *a = calloc(1, sizeof *a);
    uint64_t dropped;
    (void)state;
    assert_non_null(a);
    for (size_t i = 0; i < sizeof corpora / sizeof *corpora; i++)
        read_seeds(a, corpora[i]);
    if (a->n_seeds == 0) {
        free(a);
        print_message("SKIP: there is no tests/fuzz/corpus here\n");
        skip();
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a->next = 0;
        run_attacked(cases[i][0], cases[i][1], cases[i][2], replay, a, 0, &dropped);
        assert_int_equal(a->next, a->n_seeds);
        assert_true(dropped > 0);
    }
    free_seeds(a);
    free(a);
}

/* A thousand that say nothing at the relay, and stay. */
static void throng(struct uv_bed *b)
{
    struct attack *a = b->user;
    uint32_t relay = b->spec->roster->n_parties;
    for (int i = 0; i < 50 && a->n_crowd < CROWD && b->before > 50 * NS_MS; i++) {
        int fd = reach(b->places[relay].address.port, SOCK_STREAM);
        if (fd < 0)
            break;
        a->crowd[a->n_crowd++] = fd;
    }
    if (b->nodes[relay].node && uvnode_links(b->nodes[relay].node) > a->most_links)
        a->most_links = uvnode_links(b->nodes[relay].node);
}

static void a_throng_is_refused_and_counted(void **state)
{
    struct attack *a = calloc(1, sizeof *a);
    struct rlimit files;
    struct rusage before, after;
    uint64_t dropped;
    (void)state;
    assert_non_null(a);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 3 * CROWD) {
        free(a);
        print_message("SKIP: %lu open files are too few\n", (unsigned long)files.rlim_cur);
        skip();
    }
    getrusage(RUSAGE_SELF, &before);
    run_attacked("relay", NULL, NULL, throng, a, CROWD_LIMIT, &dropped);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(a->n_crowd, CROWD);
    assert_true(a->most_links <= CROWD_LIMIT);
    assert_true(dropped >= CROWD - CROWD_LIMIT);
    assert_true(after.ru_maxrss - before.ru_maxrss < 128 * 1024);
    print_message("%u links at most, %u refused, %ld KiB more\n", (unsigned)a->most_links,
                  (unsigned)dropped, after.ru_maxrss - before.ru_maxrss);
    while (a->n_crowd)
        close(a->crowd[--a->n_crowd]);
    free(a);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(corpora_do_no_harm),
        cmocka_unit_test(a_throng_is_refused_and_counted),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
