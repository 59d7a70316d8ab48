/* A dialler and a service, and a wire that the fuzzer holds: it alters, cuts and makes up messages,
 * and refuses sends. The first byte chooses identities: none, modelled or real. With real ones
 * nothing is believed that was not said: each message that is not the other end's own ends the
 * link, and what arrives is what was sent, in order. */
#include "engine/base/bytes.h"
#include "transports/noiselink.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NODES = 3, SERVICE = 2, LINK = 7, WAITING = 8 };
enum { PLAIN, MODELLED, REAL };

struct end {
    struct env env; /* first */
    struct noiselink_self self;
    struct noiselink link;
    bool refuses, over;
    uint8_t sent, got; /* messages */
    unsigned n;        /* on their way from here */
    struct {
        size_t len;
        uint8_t data[256];
    } out[WAITING];
};

static struct end ends[2]; /* the dialler, the service */

static void must(bool truth)
{
    if (!truth)
        abort();
}

static int on_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct end *e = (struct end *)(void *)env;
    must(link == LINK && len >= 1 && len <= sizeof e->out[0].data);
    if (e->refuses || e->n == WAITING)
        return ERR_AGAIN;
    e->out[e->n].len = len;
    memcpy(e->out[e->n++].data, data, len);
    return OK;
}

static void begin(int mode)
{
    static const struct env_ops ops = {.send = on_send};
    static struct identity ids[2][NODES];
    static struct identity_public publics[2][NODES];
    static struct roster roster = {.n = NODES, .n_parties = 2};
    static bool made;
    bool trusted = false;
    for (uint32_t i = 0; !made && i < NODES; i++) {
        struct prng rng;
        prng_name(&rng, 1, "id", i, "identity");
        identity_make_modelled(&ids[0][i], &rng);
        identity_make(&ids[1][i], &rng);
        publics[0][i] = ids[0][i].pub;
        publics[1][i] = ids[1][i].pub;
    }
    made = true;
    roster.identities = mode == PLAIN ? NULL : publics[mode == REAL];
    for (int i = 0; i < 2; i++) {
        party_t self = i ? SERVICE : 0;
        ends[i] = (struct end){.env = {.ops = &ops}};
        prng_name(&ends[i].env.rng, 1, "node", self, "fuzz");
        ends[i].self =
            (struct noiselink_self){.env = &ends[i].env,
                                    .roster = &roster,
                                    .identity = mode == PLAIN ? NULL : &ids[mode == REAL][self],
                                    .self = self,
                                    .context = "fuzz v1"};
    }
    noiselink_accept(&ends[1].link, LINK);
    must(noiselink_dial(&ends[0].link, &ends[0].self, LINK, SERVICE, 1, &trusted) == OK);
}

static void hear(struct end *e, int mode, const uint8_t *data, size_t len, bool bent)
{
    static uint8_t buf[LINK_MESSAGE_MAX];
    uint8_t *exact = malloc(len); /* so that reading beyond it shows */
    const uint8_t *plain;
    size_t n;
    int rc;
    must(exact != NULL);
    memcpy(exact, data, len);
    rc = noiselink_read(&e->link, &e->self, exact, len, buf, &plain, &n);
    must(rc == OK || n == 0);
    must(!bent || mode != REAL || rc != OK);
    e->over = rc != OK;
    if (n && mode == REAL)
        must(e->link.stage == NOISELINK_OPEN && n == 1 && plain[0] == e->got++);
    if (e == &ends[1] && e->link.stage == NOISELINK_OPEN && mode == REAL)
        must(e->link.peer == 0);
    free(exact);
}

/* The oldest of what is on its way to that end, as it is or otherwise. */
static void deliver(struct end *to, int mode, struct reader *in, uint8_t op)
{
    struct end *from = &ends[to == &ends[0]];
    bool bent = false;
    uint8_t data[256];
    size_t len = from->n ? from->out[0].len : 0;
    if (len == 0)
        return;
    memcpy(data, from->out[0].data, len);
    memmove(from->out, from->out + 1, --from->n * sizeof from->out[0]);
    if (op & 1) {
        data[read_u8(in) % len] ^= (uint8_t)(1 << (op >> 1 & 7));
        bent = true;
    } else if (op & 2) {
        size_t cut = 1 + read_u8(in) % len;
        bent |= cut != len;
        len = cut;
    }
    hear(to, mode, data, len, bent);
}

static void say(struct end *e)
{
    uint8_t buf[1 + NOISE_TAG] = {e->sent};
    int rc = noiselink_send(&e->link, &e->self, buf, 1);
    must(rc == OK || rc == ERR_AGAIN || rc == ERR_STATE);
    must((rc == ERR_STATE) == (e->link.stage != NOISELINK_OPEN));
    e->sent = (uint8_t)(e->sent + (rc == OK));
}

static void make_up(struct end *to, int mode, struct reader *in)
{
    size_t len = 1 + read_u8(in) % 200;
    uint8_t data[256] = {0};
    for (size_t i = 0; i < len && in->left; i++)
        data[i] = read_u8(in);
    hear(to, mode, data, len, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_of(data, size);
    int mode = read_u8(&in) % 3;
    begin(mode);
    while (in.left && !ends[0].over && !ends[1].over) {
        uint8_t op = read_u8(&in);
        struct end *e = &ends[op & 1];
        switch (op >> 1 & 7) {
        case 0:
            e->refuses = !e->refuses;
            break;
        case 1:
            if (noiselink_room(&e->link, &e->self) == ERR_AGAIN)
                must(e->refuses || e->n == WAITING);
            break;
        case 2:
            make_up(e, mode, &in);
            break;
        case 3:
            say(e);
            break;
        case 4:
            deliver(e, mode, &in, op >> 4);
            break;
        default:
            deliver(e, mode, &in, 0);
        }
    }
    for (int i = 0; i < 2; i++)
        noiselink_wipe(&ends[i].link);
    return 0;
}
