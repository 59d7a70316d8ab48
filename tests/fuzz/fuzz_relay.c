/* The relay against foreign bytes. The first byte chooses the subject: a server among clients
 * and a relay that say anything (frames made of the input, with kinds and ids that are often
 * good), refuse, leave and let time pass; or a client whose relay says anything. Checked: the
 * seam's rules; what waits stays within its limits and is counted right; presence and messages
 * reach the layer above in the contract's order. */
#include "tests/unit/relay_bed.h"
#include "transports/relay_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* ---- the server ----------------------------------------------------------------------- */

static void check_server(void)
{
    const struct relay_server *s = &bed->server;
    size_t queued = 0;
    for (uint32_t b = 0; b < s->n_buckets; b++)
        for (const struct relay_flow *f = s->buckets[b]; f; f = f->chain) {
            size_t sum = 0;
            for (const struct relay_kept *k = f->head; k; k = k->next)
                sum += k->len + RELAY_COST;
            must(sum == f->queued);
            queued += sum;
        }
    must(queued == s->queued && queued <= (size_t)bed->opts.memory);
    must(s->n_flows <= N_PARTIES * N_PARTIES);
    must(s->strangers.n <= (uint64_t)bed->opts.strangers);
    must(ring_empty(&s->dirty));
}

static void frame(link_t link, struct reader *r)
{
    uint8_t buf[LINK_MESSAGE_MAX];
    uint8_t kind = read_u8(r), shape = read_u8(r);
    size_t len = shape & 64 ? 200 + 257u * (shape & 63) : shape & 31;
    memset(buf, shape, sizeof buf);
    buf[0] = shape & 128 ? kind : 1 + kind % RELAY_PONG;
    put_le32(buf + 1, read_u8(r) % 8);
    put_le32(buf + 5, read_u8(r) % 8);
    put_le64(buf + 9, read_u8(r));
    bed_data(link, buf, len ? len : 1);
}

static void server_step(struct reader *r)
{
    uint8_t op = read_u8(r), which = read_u8(r);
    link_t link = 1 + which % 24;
    switch (op % 8) {
    case 0:
        bed_up(which);
        break;
    case 1:
        bed_hello(link, read_u8(r) % (N_NODES + 1), 1 + read_u8(r));
        break;
    case 2:
        if (bed_link(link)->live)
            bed_down(link);
        break;
    case 3:
        bed_until(bed->env.now + which * 100 * NS_MS);
        break;
    case 4:
        bed_room(link, read_u8(r) & 7);
        break;
    case 5:
        bed_watch(link, read_u8(r) % 8);
        break;
    default:
        frame(link, r);
    }
}

static void fuzz_server(struct reader *r)
{
    bed_begin();
    bed->opts.memory = 1 << 20;
    bed->opts.window = 1 << 17;
    bed->opts.retention = read_u8(r) % 3 * NS_S;
    bed->opts.retention_bytes = 1 << 14;
    bed->opts.strangers = 8;
    bed->opts.per_address = 4;
    for (unsigned n = 0; r->left && n < 400 && bed->n_timers < BED_TIMERS / 2; n++) {
        server_step(r);
        check_server();
    }
    bed_end();
}

/* ---- the client ----------------------------------------------------------------------- */

static bool up[N_PARTIES];
static struct relay_client client;
static link_t opened;

static int client_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    (void)env;
    must(kind == LINK_MESSAGE && to.port == RELAY_PORT);
    for (opened = 1; opened < BED_LINKS && bed_link(opened)->last; opened++)
        ;
    if (opened == BED_LINKS)
        return ERR_LIMIT;
    *bed_link(opened) = (struct bed_link){.live = true, .room = SIZE_MAX};
    bed_link(opened)->last = &bed_link(opened)->first;
    *out = opened;
    return OK;
}
static void on_deliver(void *node, party_t from, const uint8_t *data, size_t len)
{
    (void)node;
    must(from < N_PARTIES && up[from] && len > 0 && len <= NOISELINK_MAX);
    relay_client_send(&client, from, data, len);
}
static void on_peer_up(void *node, party_t peer, bool first)
{
    (void)node;
    must(peer < N_PARTIES && !up[peer] && first == (0 < peer));
    up[peer] = true;
    must(relay_client_send(&client, peer, "x", 1) != ERR_TOO_BIG);
}
static void on_peer_down(void *node, party_t peer, enum down_reason why)
{
    (void)node, (void)why;
    must(peer < N_PARTIES && up[peer]);
    up[peer] = false;
    must(relay_client_send(&client, peer, "x", 1) == ERR_CLOSED);
}
static void on_room(void *node, party_t peer)
{
    (void)node;
    must(peer < N_PARTIES && up[peer]);
}

static void client_tell(struct event ev)
{
    ev.link_kind = LINK_MESSAGE;
    relay_client_event(&client, &ev);
}

static void client_step(struct reader *r)
{
    uint8_t op = read_u8(r), which = read_u8(r);
    uint8_t buf[64], *exact;
    size_t len = 1 + which % 40;
    switch (op % 6) {
    case 0:
        if (opened && bed_link(opened)->live)
            client_tell((struct event){.kind = EV_UP, .link = opened});
        return;
    case 1:
        if (opened && bed_link(opened)->live) {
            bed_link(opened)->live = false;
            client_tell((struct event){.kind = EV_DOWN, .link = opened});
        }
        return;
    case 2:
        if (bed->n_timers) {
            bed->n_timers--;
            if (bed->timers[bed->n_timers].at > bed->env.now)
                bed->env.now = bed->timers[bed->n_timers].at;
            client_tell(
                (struct event){.kind = EV_TIMER, .timer = bed->timers[bed->n_timers].timer});
        }
        return;
    case 3:
        if (opened && bed_link(opened)->live) {
            bed_link(opened)->room = which & 7;
            client_tell((struct event){.kind = EV_ROOM, .link = opened});
        }
        return;
    case 4:
        relay_client_send(&client, which % 8, buf, 1);
        return;
    default:
        break;
    }
    if (!opened || !bed_link(opened)->live || client.home.link != opened)
        return;
    memset(buf, which, sizeof buf);
    buf[0] = op & 128
                 ? which
                 : (uint8_t[]){RELAY_RECV, RELAY_HERE, RELAY_GONE, RELAY_CREDIT}[(op >> 3) & 3];
    for (size_t i = 1; i + 4 < sizeof buf; i += 4)
        put_le32(buf + i, read_u8(r) % 8);
    exact = malloc(len);
    must(exact != NULL);
    memcpy(exact, buf, len);
    client_tell((struct event){.kind = EV_DATA, .link = opened, .data = exact, .len = len});
    free(exact);
}

static void fuzz_client(struct reader *r)
{
    static const struct transport_up above = {on_deliver, on_peer_up, on_peer_down, on_room};
    static const party_t peers[] = {1, 2, 3, 5};
    static struct env_ops ops;
    struct transport_setup setup;
    bed_begin();
    ops = bed_ops;
    ops.open = client_open;
    bed->env.ops = &ops;
    opened = 0;
    memset(up, 0, sizeof up);
    memset(&client, 0, sizeof client);
    bed->opts.window = 1 << 17;
    setup = (struct transport_setup){.env = &bed->env,
                                     .roster = &bed->roster,
                                     .self = 0,
                                     .peers = peers,
                                     .n_peers = 4,
                                     .opts = &bed->opts,
                                     .up = &above};
    bed->opts.home = read_u8(r) % 3 ? RELAY_HOME_FIRST : RELAY_HOME_HASH;
    must(relay_client_init(&client, &setup, NULL) == OK);
    client_tell((struct event){.kind = EV_START});
    for (unsigned n = 0; r->left && n < 400; n++)
        client_step(r);
    relay_client_free(&client);
    bed->env.ops = &bed_ops;
    bed_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    if (read_u8(&r) & 1)
        fuzz_client(&r);
    else
        fuzz_server(&r);
    return 0;
}
