/* Real sockets against a real TURN server on loopback.
 *
 *     coturn PORT script udp|tcp      the list of requests; the answers go to stdout
 *     coturn PORT relaying udp|tcp    the second one
 *     coturn PORT client udp|tcp channel|indication
 *                                     our client: allocate, bind, data both ways, refresh to 0
 *
 * The answers must be those of turn_answers.h, which the simulated server gives as well. */
#include "engine/metrics.h"
#include "tests/interop/turn_answers.h"
#include "tests/interop/turn_script.h"
#include "transports/turn_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MS = 150 };

static uint16_t port;
static bool tcp;

static int dial(void)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        exit(2);
    }
    return fd;
}

/* ---- the script's clients ------------------------------------------------------------------- */

struct lines {
    struct wire wire;
    int fd[SCRIPT_CLIENTS];
    struct turn_stream stream[SCRIPT_CLIENTS];
};

static struct lines lines;

static void line_renew(struct wire *w, unsigned client)
{
    (void)w;
    if (lines.fd[client])
        close(lines.fd[client]);
    turn_stream_free(&lines.stream[client]);
    lines.fd[client] = dial();
}

static void line_send(struct wire *w, unsigned client, const void *data, size_t len)
{
    (void)w;
    if (send(lines.fd[client], data, len, MSG_NOSIGNAL) != (ssize_t)len)
        perror("send");
}

static size_t line_receive(struct wire *w, unsigned client, uint8_t *buf, size_t cap)
{
    struct pollfd p = {.fd = lines.fd[client], .events = POLLIN};
    const uint8_t *message;
    size_t len;
    ssize_t n;
    for (;;) {
        if (w->stream && turn_stream_next(&lines.stream[client], &message, &len) == OK) {
            memcpy(buf, message, len);
            return len;
        }
        if (poll(&p, 1, ANSWER_MS) <= 0 || (n = recv(p.fd, buf, cap, 0)) <= 0)
            return 0;
        if (!w->stream)
            return (size_t)n;
        turn_stream_add(&lines.stream[client], buf, (size_t)n);
    }
}

static void line_wait(struct wire *w, ns_t time)
{
    struct timespec t = {.tv_sec = time / NS_S, .tv_nsec = time % NS_S};
    (void)w;
    nanosleep(&t, NULL);
}

static int run_script(bool relaying)
{
    static struct script s;
    const char *want = relaying ? turn_answers_relaying : tcp ? turn_answers_tcp : turn_answers_udp;
    lines.wire = (struct wire){tcp, line_send, line_receive, line_renew, line_wait};
    for (unsigned i = 0; i < SCRIPT_CLIENTS; i++)
        line_renew(&lines.wire, i);
    script_start(&s, &lines.wire);
    if (relaying)
        script_relaying(&s);
    else
        script_refusals(&s);
    fputs(s.out, stdout);
    return strcmp(s.out, want) != 0;
}

/* ---- our client -------------------------------------------------------------------------------
 */

struct pair {
    struct turn_client client[2];
    int fd[2]; /* a link's number is its index plus one */
    bool opened[2], told[2];
    ns_t timer[2];
    struct addr relayed[2];
    unsigned up, bound, got, gone;
};

static struct pair pair;

static ns_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_S + t.tv_nsec;
}

static int net_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    unsigned i = pair.opened[0] ? 1 : 0;
    (void)env, (void)to;
    if (kind != (tcp ? LINK_BYTES : LINK_DATAGRAM))
        return ERR_UNSUPPORTED;
    pair.fd[i] = dial();
    pair.opened[i] = true;
    *out = i + 1;
    return OK;
}

static int net_send(struct env *env, link_t link, const void *data, size_t len)
{
    (void)env;
    return send(pair.fd[link - 1], data, len, MSG_NOSIGNAL) == (ssize_t)len ? OK : ERR_AGAIN;
}

static void net_close(struct env *env, link_t link)
{
    (void)env;
    close(pair.fd[link - 1]);
    pair.fd[link - 1] = -1;
}

static void net_arm(struct env *env, unsigned timer, ns_t at)
{
    (void)env;
    if (at < pair.timer[timer])
        pair.timer[timer] = at;
}

static void net_show(struct env *env, const struct shown *shown)
{
    (void)env, (void)shown;
}

static const struct env_ops net_ops = {
    .open = net_open, .send = net_send, .close = net_close, .arm = net_arm, .show = net_show};

static unsigned which(void *ctx)
{
    return (unsigned)((struct turn_client *)ctx - pair.client);
}

static void on_up(void *ctx, const struct addr *relayed, const struct addr *mapped)
{
    unsigned i = which(ctx);
    (void)mapped;
    pair.relayed[i] = *relayed;
    if (++pair.up < 2)
        return;
    for (unsigned k = 0; k < 2; k++)
        turn_client_bind(&pair.client[k], 0, &pair.relayed[1 - k]);
}

static void on_down(void *ctx, uint16_t code, enum down_reason why)
{
    printf("client %u is down: %u, %d\n", which(ctx), code, (int)why);
    pair.gone += code == 0 && why == DOWN_LOCAL && pair.got == 2 ? 1 : 10;
}

static void on_bound(void *ctx, uint32_t peer)
{
    (void)ctx, (void)peer;
    if (++pair.bound == 2 && turn_client_send(&pair.client[0], 0, "ping!", 5) != OK)
        pair.gone = 10;
}

static void on_refused(void *ctx, uint32_t peer, uint16_t code)
{
    printf("client %u: peer %u refused: %u\n", which(ctx), peer, code);
    pair.gone = 10;
}

static void on_data(void *ctx, uint32_t peer, const struct addr *from, const uint8_t *data,
                    size_t len)
{
    unsigned i = which(ctx);
    printf("client %u got %.*s\n", i, (int)len, (const char *)data);
    if (peer != 0 || len != 5 || !addr_equal(from, &pair.relayed[1 - i]))
        pair.gone = 10;
    if (++pair.got == 1)
        turn_client_send(&pair.client[i], 0, "pong!", 5);
    for (unsigned k = 0; pair.got == 2 && k < 2; k++)
        turn_client_bye(&pair.client[k]);
}

static const struct turn_client_ops client_ops = {
    .up = on_up, .down = on_down, .bound = on_bound, .refused = on_refused, .data = on_data};

static void client_step(struct env *env)
{
    struct pollfd p[2] = {{.fd = pair.fd[0], .events = POLLIN},
                          {.fd = pair.fd[1], .events = POLLIN}};
    uint8_t buf[4096];
    poll(p, 2, 10);
    env->now = clock_now();
    for (unsigned i = 0; i < 2; i++) {
        struct event ev = {.link_kind = tcp ? LINK_BYTES : LINK_DATAGRAM, .link = i + 1};
        ssize_t n;
        if (pair.fd[i] >= 0 && !pair.told[i]) {
            pair.told[i] = true;
            ev.kind = EV_UP;
            turn_client_event(&pair.client[i], &ev);
        } else if (pair.fd[i] >= 0 && (p[i].revents & POLLIN)) {
            n = recv(pair.fd[i], buf, sizeof buf, 0);
            ev.kind = n > 0 ? EV_DATA : EV_DOWN;
            ev.data = buf;
            ev.len = n > 0 ? (size_t)n : 0;
            turn_client_event(&pair.client[i], &ev);
        }
        if (pair.timer[i] <= env->now) {
            pair.timer[i] = NS_NEVER;
            turn_client_event(&pair.client[i], &(struct event){.kind = EV_TIMER, .timer = i});
        }
    }
}

static int run_client(bool indications)
{
    static struct metrics metrics;
    struct env env = {.ops = &net_ops, .now = clock_now(), .metrics = &metrics};
    char password[STUN_PASSWORD];
    uint8_t key[PRNG_KEY];
    struct err e;
    ns_t limit = env.now + 10 * NS_S;
    if (getrandom(key, sizeof key, 0) != sizeof key)
        return 2;
    prng_key(&env.rng, key);
    stun_rest_password(password, SCRIPT_SECRET, SCRIPT_USER);
    for (unsigned i = 0; i < 2; i++) {
        struct turn_client_setup s = {.env = &env,
                                      .server = script_ip(127, 0, 0, 1, port),
                                      .stream = tcp,
                                      .indications = indications,
                                      .timer = i,
                                      .n_peers = 1,
                                      .username = SCRIPT_USER,
                                      .password = password,
                                      .ops = &client_ops,
                                      .ctx = &pair.client[i]};
        pair.timer[i] = NS_NEVER;
        pair.fd[i] = -1;
        if (turn_client_init(&pair.client[i], &s, &e) != OK)
            return 2;
        turn_client_open(&pair.client[i]);
    }
    while (pair.gone < 2 && env.now < limit)
        client_step(&env);
    printf("%u up, %u bound, %u delivered, %u gone\n", pair.up, pair.bound, pair.got, pair.gone);
    for (unsigned i = 0; i < 2; i++)
        turn_client_free(&pair.client[i]);
    return pair.gone != 2;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    port = (uint16_t)atoi(argv[1]);
    tcp = strcmp(argv[3], "tcp") == 0;
    if (strcmp(argv[2], "client") == 0)
        return run_client(argc > 4 && strcmp(argv[4], "indication") == 0);
    return run_script(strcmp(argv[2], "relaying") == 0);
}
