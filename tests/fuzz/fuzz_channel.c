/* A channel among strangers, and with a peer that has the right keys and lies.
 *
 * The input is a mode byte (bit 0: channel: none; bit 1: a session is there already; bit 2: the
 * ciphers are modelled) and then steps: an operation, a 16-bit little-endian length, and so many
 * bytes for it. */
#include <sodium.h>
#include <stdlib.h>

#include "engine/base/bytes.h"
#include "engine/channel/channel.h"
#include "engine/channel/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SELF = 1, PEER = 0 };

enum step {
    STEP_FRAME,  /* received as it is */
    STEP_SEALED, /* the inside of a sealed frame; the peer seals it */
    STEP_HELLO,  /* the hello of a handshake 1, well encrypted */
    STEP_ANSWER, /* the hello of the answer to our own handshake 1 */
    STEP_SEND,   /* a message of ours */
    STEP_TIME,   /* seconds pass, the timer fires */
    STEP_UP,
    STEP_DOWN,
    STEP_REFUSE, /* the transport, from now on */
    STEP_ROOM,
    STEP_COUNT
};

struct target {
    struct channel *channel;
    struct env env;
    struct metrics metrics;
    struct session peer; /* what the peer seals with */
    ns_t timer;
    bool refuse;
    uint8_t ours[FRAME_SHAKE_1]; /* the latest handshake 1 that went out */
    bool shaking;
};

static struct identity identities[2];
static struct identity_public publics[2];
static bool modelled;

static int emit(void *node, party_t peer, const void *data, size_t len)
{
    struct target *t = node;
    const uint8_t *frame = data;
    if (peer != PEER || len == 0 || len > 2000)
        abort();
    if (t->refuse)
        return ERR_AGAIN;
    if (frame[0] == FRAME_KIND_1) {
        memcpy(t->ours, frame, sizeof t->ours);
        t->shaking = true;
    }
    return ERR_OK;
}

static void deliver(void *node, party_t peer, const uint8_t *data, size_t len)
{
    struct target *t = node;
    if (peer != PEER || len > CHANNEL_MESSAGE_MAX)
        abort();
    if (len && data[len - 1] == 'e')
        channel_send(t->channel, data, len, NULL, 0);
}

static void state(void *node, party_t peer, enum peer_state s)
{
    struct target *t = node;
    (void)peer;
    if (s == PEER_RESTARTED)
        channel_send(t->channel, "again", 5, NULL, 0);
}

static void room(void *node, party_t peer)
{
    (void)node, (void)peer;
}

static void failed(void *node, party_t peer, int code, const char *why)
{
    (void)node, (void)peer;
    if (!code || strlen(why) >= ERR_TEXT)
        abort();
}

static void arm(void *node, party_t peer, ns_t at)
{
    struct target *t = node;
    (void)peer;
    if (t->timer != NS_NEVER || at < t->env.now)
        abort();
    t->timer = at;
}

static const struct channel_up up = {emit, deliver, state, room, failed, arm};

static void receive(struct target *t, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (len)
        memcpy(copy, data, len);
    channel_receive(t->channel, copy, len);
    free(copy);
}

static void sealed(struct target *t, const uint8_t *inner, size_t len)
{
    static uint8_t frame[LINK_MESSAGE_MAX];
    if (len > 4000)
        len = 4000;
    frame[0] = FRAME_KIND_SEALED;
    put_le64(frame + 1, t->peer.send_nonce);
    memcpy(frame + FRAME_CLEAR, inner, len);
    receive(t, frame, frame_seal(&t->peer, modelled, frame, FRAME_CLEAR + len));
}

/* The hello as given, after our true identity, padded with zeros. */
static void lie(uint8_t out[HELLO_LEN], const uint8_t *data, size_t len)
{
    memset(out, 0, HELLO_LEN);
    identity_encode(&publics[PEER], out);
    memcpy(out + IDENTITY_PUBLIC, data,
           len < HELLO_LEN - IDENTITY_PUBLIC ? len : HELLO_LEN - IDENTITY_PUBLIC);
}

/* The keys that the peer has after a handshake. */
static void split(struct target *t, struct noise *n)
{
    struct noise_cipher send, recv;
    if (!noise_done(n) || noise_split(n, &send, &recv, NULL))
        return;
    memset(&t->peer, 0, sizeof t->peer);
    session_set_keys(&t->peer, &send, &recv);
}

static void hello(struct target *t, const uint8_t *data, size_t len)
{
    static const char prologue[] = "partyline channel 1";
    uint8_t plain[HELLO_LEN], frame[FRAME_SHAKE_1] = {FRAME_KIND_1};
    struct noise n;
    size_t out;
    lie(plain, data, len);
    (modelled ? noise_init_modelled : noise_init)(&n, NOISE_IK, true, prologue, sizeof prologue - 1,
                                                  identities[PEER].x25519_secret,
                                                  publics[SELF].x25519);
    if (noise_write(&n, &t->env.rng, plain, sizeof plain, frame + 1, sizeof frame - 1, &out))
        abort();
    receive(t, frame, sizeof frame);
    if (t->channel->shake && !t->channel->shake->initiator) {
        const struct handshake *h = t->channel->shake;
        if (!noise_read(&n, h->frame + 1, h->len - 1, plain, sizeof plain, &out))
            split(t, &n);
    }
}

static void answer(struct target *t, const uint8_t *data, size_t len)
{
    static const char prologue[] = "partyline channel 1";
    uint8_t plain[HELLO_LEN], frame[FRAME_SHAKE_2] = {FRAME_KIND_2};
    struct noise n;
    size_t out;
    if (!t->shaking)
        return;
    (modelled ? noise_init_modelled : noise_init)(
        &n, NOISE_IK, false, prologue, sizeof prologue - 1, identities[PEER].x25519_secret, NULL);
    if (noise_read(&n, t->ours + 1, sizeof t->ours - 1, plain, sizeof plain, &out))
        abort();
    lie(plain, data, len);
    if (noise_write(&n, &t->env.rng, plain, sizeof plain, frame + 1, sizeof frame - 1, &out))
        abort();
    receive(t, frame, sizeof frame);
    split(t, &n);
}

static void pass(struct target *t, ns_t span)
{
    t->env.now += span;
    if (t->timer <= t->env.now) {
        t->timer = NS_NEVER;
        channel_timer(t->channel);
    }
}

static void step(struct target *t, unsigned op, const uint8_t *data, size_t len)
{
    switch ((enum step)(op % STEP_COUNT)) {
    case STEP_FRAME:
        receive(t, data, len);
        break;
    case STEP_SEALED:
        sealed(t, data, len);
        break;
    case STEP_HELLO:
        hello(t, data, len);
        break;
    case STEP_ANSWER:
        answer(t, data, len);
        break;
    case STEP_SEND:
        channel_send(t->channel, data, len / 2, data + len / 2, len - len / 2);
        break;
    case STEP_TIME:
        pass(t, (ns_t)(len % 16) * NS_S);
        break;
    case STEP_UP:
        t->refuse = false;
        channel_transport_up(t->channel, len % 2);
        break;
    case STEP_DOWN:
        channel_transport_down(t->channel);
        break;
    case STEP_REFUSE:
        t->refuse = true;
        break;
    case STEP_ROOM:
    case STEP_COUNT:
        t->refuse = false;
        channel_room(t->channel);
        break;
    }
}

static void choose_identities(bool want_modelled)
{
    static struct identity kinds[2][2];
    static bool done;
    struct prng rng;
    for (int i = 0; !done && i < 2; i++) {
        prng_name(&rng, 1, i ? "bob" : "alice", 0, "identity");
        identity_make(&kinds[false][i], &rng);
        identity_make_modelled(&kinds[true][i], &rng);
    }
    done = true;
    modelled = want_modelled;
    for (int i = 0; i < 2; i++) {
        identities[i] = kinds[modelled][i];
        publics[i] = identities[i].pub;
    }
}

static void run(struct target *t, struct channel_node *node, struct reader r, bool session)
{
    prng_name(&t->env.rng, 1, "bob", 0, "channel");
    t->env.metrics = &t->metrics;
    t->timer = NS_NEVER;
    t->channel = channel_new(node, PEER);
    channel_transport_up(t->channel, false);
    if (session) {
        t->channel->live = true;
        t->channel->trusted = true; /* saves the signature */
    }
    while (r.left >= 3) {
        unsigned op = read_u8(&r);
        size_t len = read_u16(&r);
        len = len < r.left ? len : r.left;
        step(t, op, read_bytes(&r, len), len);
        if (t->channel->failed && t->channel->queue.count)
            abort();
    }
    channel_free(t->channel);
    if (node->pool_used || node->waiting_first)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct roster_entry entries[2] = {{.name = "alice"}, {.name = "bob"}};
    struct roster roster = {.n = 2, .n_parties = 2, .entries = entries, .identities = publics};
    struct target *t = calloc(1, sizeof *t);
    struct reader r = reader_of(data, size);
    unsigned mode = read_u8(&r);
    struct channel_node node = {.env = &t->env,
                                .roster = &roster,
                                .self = SELF,
                                .identity = &identities[SELF],
                                .mode = mode & 1 ? CHANNEL_NONE : CHANNEL_NOISE,
                                .program = "",
                                .max_frame = 2000,
                                .pool_cap = 1 << 16,
                                .up = &up,
                                .node = t};
    choose_identities(mode & 4);
    run(t, &node, r, (mode & ~4U) == 2);
    free(t);
    return 0;
}
