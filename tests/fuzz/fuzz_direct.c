/* A mesh whose world is the fuzzer: bytes become dials answered or refused, inbound links,
 * frames, room, ends and time. The world keeps the seam's rules and checks that the mesh
 * keeps its own: peer_up and peer_down alternate, data comes between them, calls go to live
 * links only, nothing is kept beyond the bounds, and at the end nothing waits for ever. */
#include "engine/base/bytes.h"
#include "engine/metrics.h"
#include "transports/mesh.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SELF = 4, N_PEERS = 6, LINKS = 256, TIMERS = 4096, BASE = 1 << 24 };

static const party_t peers[N_PEERS] = {0, 1, 3, 5, 6, 900};

enum link_state { UNUSED, OPENING, LIVE };

struct world {
    struct env env;
    struct metrics metrics;
    enum link_state links[LINKS]; /* a link's number is its index plus one */
    uint32_t tags[LINKS];
    bool up[N_PEERS];
    struct {
        unsigned timer;
        ns_t at;
    } timers[TIMERS];
    size_t n_timers;
    uint8_t mood; /* how the next calls down are answered */
    bool inside;
    struct mesh mesh;
};
static struct world *w;

static void must(bool truth)
{
    if (!truth)
        abort();
}

static link_t unused_link(enum link_state state)
{
    for (link_t i = 0; i < LINKS; i++)
        if (w->links[i] == UNUSED) {
            w->links[i] = state;
            w->tags[i] = 0;
            return i + 1;
        }
    return 0;
}

static int world_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    (void)env;
    must(w->inside && kind == LINK_MESSAGE && to.port == MESH_PORT);
    if ((w->mood & 3) == 3)
        return ERR_LIMIT;
    *out = unused_link(OPENING);
    return *out ? OK : ERR_LIMIT;
}
static int world_send(struct env *env, link_t link, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    (void)env;
    must(link > 0 && link <= LINKS && w->links[link - 1] == LIVE);
    must(len > 0 && len <= LINK_MESSAGE_MAX && bytes[0] >= MESH_HELLO && bytes[0] <= MESH_PING);
    if ((w->mood & 12) == 12)
        return ERR_AGAIN;
    return (w->mood & 48) == 48 ? ERR_CLOSED : OK;
}
static int world_send_to(struct env *env, link_t l, struct addr to, const void *data, size_t len)
{
    (void)env, (void)l, (void)to, (void)data, (void)len;
    abort();
}
static void world_close(struct env *env, link_t link)
{
    (void)env;
    must(link > 0 && link <= LINKS && w->links[link - 1] != UNUSED);
    w->links[link - 1] = UNUSED;
}
static void world_tag(struct env *env, link_t link, uint32_t tag)
{
    (void)env;
    must(link > 0 && link <= LINKS && w->links[link - 1] != UNUSED);
    w->tags[link - 1] = tag;
}
static void world_arm(struct env *env, unsigned timer, ns_t at)
{
    must(at >= env->now && timer >= BASE && timer <= BASE + N_PEERS);
    must(w->n_timers < TIMERS);
    w->timers[w->n_timers].timer = timer;
    w->timers[w->n_timers++].at = at;
}
static void world_nothing(struct env *env)
{
    (void)env;
    abort();
}
static void world_show(struct env *env, const struct shown *shown)
{
    (void)env, (void)shown;
}
static const struct env_ops world_ops = {.open = world_open,
                                         .send = world_send,
                                         .send_to = world_send_to,
                                         .close = world_close,
                                         .tag = world_tag,
                                         .arm = world_arm,
                                         .ready = world_nothing,
                                         .done = world_nothing,
                                         .show = world_show};

static size_t index_of(party_t peer)
{
    size_t i = 0;
    while (i < N_PEERS && peers[i] != peer)
        i++;
    must(i < N_PEERS && w->inside);
    return i;
}
static void up_deliver(void *node, party_t from, const uint8_t *data, size_t len)
{
    (void)node;
    must(w->up[index_of(from)] && len > 0 && len <= MESH_MESSAGE_MAX);
    mesh_send(&w->mesh, from, data, len & 1 ? 1 : len);
}
static void up_peer_up(void *node, party_t peer, bool first)
{
    size_t i = index_of(peer);
    (void)node;
    must(!w->up[i] && first == (peer < SELF));
    w->up[i] = true;
    must(mesh_send(&w->mesh, peer, "x", 1) != ERR_TOO_BIG);
}
static void up_peer_down(void *node, party_t peer, enum down_reason why)
{
    size_t i = index_of(peer);
    (void)node;
    must(w->up[i] && why < DOWN_COUNT);
    w->up[i] = false;
    must(mesh_send(&w->mesh, peer, "x", 1) == ERR_CLOSED);
}
static void up_room(void *node, party_t peer)
{
    (void)node;
    must(w->up[index_of(peer)]);
}
static const struct transport_up world_up = {up_deliver, up_peer_up, up_peer_down, up_room};

static void tell(struct event ev)
{
    ev.link_kind = LINK_MESSAGE;
    ev.tag = ev.link ? w->tags[ev.link - 1] : 0;
    w->inside = true;
    mesh_event(&w->mesh, &ev);
    w->inside = false;
}

static void fire(void)
{
    size_t first = 0;
    struct event ev = {.kind = EV_TIMER};
    if (w->n_timers == 0)
        return;
    for (size_t i = 1; i < w->n_timers; i++)
        if (w->timers[i].at < w->timers[first].at)
            first = i;
    if (w->timers[first].at > w->env.now)
        w->env.now = w->timers[first].at;
    ev.timer = w->timers[first].timer;
    w->timers[first] = w->timers[--w->n_timers];
    tell(ev);
}

/* A frame in memory of exactly its size. With `good`, a hello that may be right. */
static void frame(link_t link, struct reader *r, bool good)
{
    size_t len = 1 + read_u8(r) % 40;
    const uint8_t *bytes;
    uint8_t *exact = malloc(64);
    must(exact != NULL);
    if (good) {
        exact[0] = len & 8 ? MESH_RING : MESH_HELLO;
        exact[1] = MESH_VERSION;
        put_le32(exact + 2, peers[len % N_PEERS]);
        put_le32(exact + 6, SELF);
        put_le32(exact + 10, read_u8(r));
        len = MESH_HELLO_SIZE;
    } else {
        len = len < r->left ? len : r->left;
        bytes = read_bytes(r, len);
        if (bytes && len)
            memcpy(exact, bytes, len);
    }
    if (len) {
        uint8_t *tight = realloc(exact, len);
        must(tight != NULL);
        exact = tight;
        tell((struct event){.kind = EV_DATA, .link = link, .data = exact, .len = len});
    }
    free(exact);
}

static void step(struct reader *r)
{
    uint8_t op = read_u8(r), which = read_u8(r);
    link_t link = 1 + which % LINKS;
    enum link_state *state = &w->links[link - 1];
    switch (op % 8) {
    case 0:
        fire();
        break;
    case 1:
        link = unused_link(LIVE);
        if (link)
            tell((struct event){.kind = EV_UP, .link = link});
        break;
    case 2:
        if (*state == OPENING) {
            *state = LIVE;
            tell((struct event){.kind = EV_UP, .link = link});
        }
        break;
    case 3:
        if (*state != UNUSED) {
            *state = UNUSED;
            tell((struct event){.kind = EV_DOWN, .link = link, .why = op % DOWN_COUNT});
        }
        break;
    case 4:
    case 5:
        if (*state == LIVE)
            frame(link, r, op % 8 == 5);
        break;
    case 6:
        if (*state == LIVE)
            tell((struct event){.kind = EV_ROOM, .link = link});
        break;
    case 7:
        w->mood = which;
        w->env.now += op * NS_MS;
        break;
    }
    must(w->mesh.strangers.n <= MESH_STRANGERS + N_PEERS);
    must(w->mesh.strangers.cap <= 2 * (MESH_STRANGERS + N_PEERS));
}

/* Who dials us and is not there comes in. */
static void come(size_t i)
{
    uint8_t hello[MESH_HELLO_SIZE] = {MESH_HELLO, MESH_VERSION};
    link_t link = unused_link(LIVE);
    put_le32(hello + 2, peers[i]);
    put_le32(hello + 6, SELF);
    tell((struct event){.kind = EV_UP, .link = link});
    tell((struct event){.kind = EV_DATA, .link = link, .data = hello, .len = sizeof hello});
}

/* With the world kind again, every peer comes up, and every stranger goes. */
static void settle(void)
{
    uint32_t live = 0;
    w->mood = 0;
    for (size_t i = 0; i < N_PEERS; i++)
        if (!w->up[i] && peers[i] > SELF)
            come(i);
    for (int round = 0; round < 3 * TIMERS && w->n_timers; round++) {
        fire();
        for (link_t link = 1; link <= LINKS; link++)
            if (w->links[link - 1] == OPENING) {
                w->links[link - 1] = LIVE;
                tell((struct event){.kind = EV_UP, .link = link});
            } else if (w->links[link - 1] == LIVE) {
                tell((struct event){.kind = EV_ROOM, .link = link});
            }
    }
    must(w->n_timers == 0 && w->mesh.strangers.n == 0);
    for (size_t i = 0; i < N_PEERS; i++) {
        must(w->up[i]);
        live += w->up[i];
    }
    for (link_t link = 1; link <= LINKS; link++)
        live -= w->links[link - 1] != UNUSED;
    must(live == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct roster_entry entries[901];
    const struct roster roster = {.n = 901, .n_parties = 901, .entries = entries};
    struct mesh_opts opts;
    struct transport_setup setup = {.roster = &roster,
                                    .self = SELF,
                                    .peers = peers,
                                    .n_peers = N_PEERS,
                                    .opts = &opts,
                                    .timer_base = BASE,
                                    .up = &world_up};
    struct reader r = reader_of(data, size);
    struct err e;
    if (size > 1000)
        return 0;
    w = calloc(1, sizeof *w);
    must(w != NULL);
    w->env.ops = &world_ops;
    w->env.metrics = &w->metrics;
    prng_name(&w->env.rng, 1, "fuzz", 0, "mesh");
    opt_defaults(mesh_opts, &opts);
    w->env.incarnation = size & 1;
    setup.env = &w->env;
    must(mesh_init(&w->mesh, &setup, LINK_MESSAGE, &e) == OK);
    tell((struct event){.kind = EV_START});
    while (r.left && !r.bad)
        step(&r);
    settle();
    mesh_free(&w->mesh);
    free(w);
    return 0;
}
