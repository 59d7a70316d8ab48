/* A mix network's foreign bytes. The first byte says what the rest is for: a frame for a mix or
 * provider (open and sealed), a descriptor, a document, or events for a live provider: links,
 * frames, ends. What is refused leaves everything as it was, and what is kept is bounded. */
#include "engine/base/bytes.h"
#include "transports/mix_hop.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTIES = 2, MIX = PARTIES, PROVIDER = MIX + 3, DIRECTORY, ALL, LINKS = 64 };

static struct {
    struct roster_entry entries[ALL];
    struct identity people[ALL];
    struct identity_public publics[ALL];
    struct roster roster;
    struct mix_opts opts;
    struct env env;
    struct metrics metrics;
    bool live[LINKS];
    uint32_t tags[LINKS];
    bool made;
} w;

static void must(bool truth)
{
    if (!truth)
        abort();
}

static int world_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    (void)env, (void)kind, (void)to, (void)out;
    return ERR_LIMIT;
}
static int world_send(struct env *env, link_t link, const void *data, size_t len)
{
    (void)env, (void)data;
    must(link < LINKS && w.live[link] && len > 0 && len <= LINK_MESSAGE_MAX);
    return OK;
}
static void world_close(struct env *env, link_t link)
{
    (void)env;
    must(link < LINKS && w.live[link]);
    w.live[link] = false;
}
static void world_tag(struct env *env, link_t link, uint32_t tag)
{
    (void)env;
    must(link > 0 && link < LINKS);
    if (w.live[link])
        w.tags[link] = tag;
}
static void world_arm(struct env *env, unsigned timer, ns_t at)
{
    (void)timer;
    must(at >= env->now);
}
static void world_show(struct env *env, const struct shown *s)
{
    (void)env;
    must(s->whom < PARTIES);
}
static const struct env_ops ops = {.open = world_open,
                                   .send = world_send,
                                   .close = world_close,
                                   .tag = world_tag,
                                   .arm = world_arm,
                                   .show = world_show};

static void make(void)
{
    static const char *const roles[ALL] = {"party", "party",    "mix",      "mix",
                                           "mix",   "provider", "directory"};
    prng_name(&w.env.rng, 1, "fuzz", 0, "mix");
    w.env.ops = &ops;
    w.env.metrics = &w.metrics;
    metrics_init(&w.metrics);
    opt_defaults(mix_opts, &w.opts);
    w.opts.payload = 256;
    w.opts.mailbox = 8;
    for (party_t i = 0; i < ALL; i++) {
        identity_make(&w.people[i], &w.env.rng);
        w.publics[i] = w.people[i].pub;
        w.entries[i] = (struct roster_entry){.name = "x", .role = roles[i]};
    }
    w.roster = (struct roster){
        .n = ALL, .n_parties = PARTIES, .entries = w.entries, .identities = w.publics};
    w.made = true;
}

static struct transport_setup setup_of(party_t self, bool modelled)
{
    return (struct transport_setup){.env = &w.env,
                                    .roster = &w.roster,
                                    .self = self,
                                    .opts = &w.opts,
                                    .identity = &w.people[self],
                                    .modelled = modelled};
}

static void one_frame(bool modelled, const uint8_t *data, size_t size)
{
    struct transport_setup s = setup_of(MIX, modelled);
    struct mix_net n = {0};
    struct mix_ring ring = {0};
    struct mix_tags tags;
    struct mix_hop_view v;
    size_t len;
    uint8_t *frame;
    w.roster.n = DIRECTORY; /* no directory: the static keys */
    must(mix_net_init(&n, &s, NULL) == OK);
    mix_tags_init(&tags, 64);
    len = mix_frame_size(&n);
    frame = calloc(1, len > size ? len : size + 1);
    memcpy(frame, data, size);
    if (size > 40)
        size = len; /* mostly the right size */
    if (size && mix_hop_open(&n, &ring, &tags, frame, size, &v) == OK)
        must(modelled);
    free(frame);
    mix_tags_free(&tags);
    mix_net_free(&n);
    w.roster.n = ALL;
}

static void one_document(bool modelled, const uint8_t *data, size_t size)
{
    struct transport_setup s = setup_of(0, modelled);
    struct mix_net n = {0};
    struct mix_descriptor d;
    must(mix_net_init(&n, &s, NULL) == OK);
    if (mix_document_take(&n, data, size) == OK)
        must(modelled && n.epoch == get_le32(data));
    if (mix_descriptor_decode(&n, data, size, &d) == OK)
        must(modelled && d.node >= MIX && d.node < DIRECTORY);
    mix_net_free(&n);
}

/* Each step: what, link, length, bytes. */
static void live(party_t self, bool modelled, const uint8_t *data, size_t size)
{
    struct transport_setup s = setup_of(self, modelled);
    struct reader r = reader_of(data, size);
    bool directory = self == DIRECTORY;
    void *node = NULL;
    void (*event)(void *, const struct event *) =
        directory ? mix_directory_event : mix_provider_event;
    w.env.now = 0;
    memset(w.live, 0, sizeof w.live);
    must((directory ? mix_directory_init : mix_provider_init)(&node, &s, NULL) == OK);
    event(&node, &(struct event){.kind = EV_START});
    while (r.left >= 4) {
        uint8_t what = read_u8(&r);
        link_t link = 1 + read_u8(&r) % (LINKS - 1);
        size_t len = read_u16(&r) % 1024;
        static uint8_t bytes[1024];
        struct event ev = {.kind = EV_DATA, .link = link, .data = bytes, .len = len ? len : 1};
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, r.at, len < r.left ? len : r.left);
        read_bytes(&r, len < r.left ? len : r.left);
        ev.kind = what % 4 == 0   ? EV_UP
                  : what % 4 == 1 ? EV_DOWN
                  : what % 4 == 2 ? EV_ROOM
                                  : EV_DATA;
        ev.local.port = what & 4 ? MIX_PORT : directory ? MIX_DIRECTORY_PORT : MIX_CLIENT_PORT;
        w.env.now += what * NS_MS;
        if (w.live[link] == (ev.kind == EV_UP))
            continue;
        w.live[link] = ev.kind != EV_DOWN;
        if (ev.kind == EV_UP)
            w.tags[link] = 0;
        ev.tag = w.tags[link];
        event(&node, &ev);
    }
    (directory ? mix_directory_free : mix_provider_free)(&node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool modelled;
    if (!w.made)
        make();
    if (size < 1)
        return 0;
    modelled = data[0] & 1;
    switch (data[0] >> 1 & 3) {
    case 0:
        one_frame(modelled, data + 1, size - 1);
        break;
    case 1:
        one_document(modelled, data + 1, size - 1);
        break;
    case 2:
        live(PROVIDER, modelled, data + 1, size - 1);
        break;
    default:
        live(DIRECTORY, modelled, data + 1, size - 1);
        break;
    }
    return 0;
}
