/* Two ends and a middle that the fuzzer holds: it loses, doubles, delays and bends datagrams,
 * feeds one side with bytes of its own (also such that carry the right tokens), restarts ends and
 * lets time pass. As long as nothing was made up or bent, every message arrives whole, once and in
 * order; whatever happens, memory is bounded and calls keep to the contract. */
#include "engine/base/bytes.h"
#define PIPE_MOST 500
#include "tests/unit/reliable_pipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WINDOW = 8192, MESSAGE = 3000 };

static struct pipe p;
static struct reader in;
static bool bent; /* contents may be anything */
static uint32_t sent[2], got[2];
static unsigned ups[2], downs[2];

static void must(bool truth)
{
    if (!truth)
        abort();
}

static size_t size_of(int side, uint32_t k)
{
    struct dice d = dice_name(1, "size", (uint64_t)side, k, 0);
    return 4 + (size_t)dice_below(&d, dice_below(&d, 4) ? 60 : MESSAGE - 4);
}

static void take(struct pipe_end *e, const uint8_t *message, size_t len)
{
    int from = e == &p.end[0];
    must(len >= 1 && len <= MESSAGE);
    if (bent || p.end[0].downs + p.end[1].downs) /* what was on its way is forgotten */
        return;
    must(len == size_of(from, got[from]) && get_le32(message) == got[from]);
    got[from]++;
}

static void send_one(int side)
{
    uint8_t body[MESSAGE] = {0};
    size_t len = size_of(side, sent[side]);
    int rc;
    put_le32(body, sent[side]);
    rc = reliable_send(&p.end[side].r, p.now, body, len);
    must(rc == OK || rc == ERR_AGAIN || rc == ERR_CLOSED);
    must((rc == ERR_CLOSED) == (p.end[side].r.state != RELIABLE_UP));
    sent[side] += rc == OK;
}

static bool mangle(struct pipe *pipe, int from, uint8_t *bytes, size_t *len)
{
    uint8_t how = read_u8(&in);
    (void)pipe;
    (void)from;
    if (how < 24)
        return false;
    if (how > 250) {
        bent = true;
        bytes[read_u8(&in) % *len] ^= (uint8_t)(1 + how);
    } else if (how > 246) {
        bent = true;
        *len = 1 + read_u8(&in) % *len;
    }
    return true;
}

/* Bytes from nowhere; `known`: with the right tokens in front. */
static void forge(int side, bool known)
{
    uint8_t d[300] = {0};
    size_t len = read_u8(&in);
    const uint8_t *from;
    if (len > in.left)
        len = in.left;
    from = read_bytes(&in, len);
    if (len)
        memcpy(d, from, len);
    if (known) {
        bent = true;
        d[0] = (uint8_t)(RELIABLE_VERSION << 4 | (d[0] & 15));
        put_le64(d + 1, p.end[side].r.token);
        put_le64(d + 9, p.end[side].r.peer);
        len = len < RELIABLE_HEADER ? RELIABLE_HEADER : len;
    }
    reliable_input(&p.end[side].r, p.now, d, len);
}

/* A life ends, and with it what was on its way. */
static void restart(int side, bool politely)
{
    struct reliable_setup s = p.end[side].r.setup;
    if (politely)
        reliable_close(&p.end[side].r, p.now);
    bent = true;
    reliable_free(&p.end[side].r);
    must(reliable_init(&p.end[side].r, &s, NULL) == OK);
    pipe_open(&p.end[side]);
}

static void check(void)
{
    for (int i = 0; i < 2; i++) {
        const struct reliable *r = &p.end[i].r;
        must(r->in.cap <= 4 * WINDOW && r->out.cap <= 4 * WINDOW);
        must(r->n_ranges <= r->setup.segments && r->ring_n <= r->setup.segments);
        must(r->in_flight <= r->ring_n * r->setup.datagram_max);
        must(r->lost <= r->ring_n);
        must(r->state != RELIABLE_UP || r->cwnd >= r->setup.datagram_max);
        must(p.end[i].downs >= downs[i] && p.end[i].ups >= ups[i]);
        downs[i] = p.end[i].downs;
        ups[i] = p.end[i].ups;
    }
}

/* All that was sent is there, and known to be. */
static bool settled(void)
{
    return got[0] == sent[0] && got[1] == sent[1] && p.end[0].r.out.len + p.end[1].r.out.len == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reliable_setup s;
    in = reader_of(data, size);
    memset(sent, 0, sizeof sent);
    memset(got, 0, sizeof got);
    memset(ups, 0, sizeof ups);
    memset(downs, 0, sizeof downs);
    bent = false;
    reliable_defaults(&s, NULL, NULL);
    s.datagram_max = 128 + read_u8(&in) * 4U;
    s.message_max = MESSAGE;
    s.queue = s.window = WINDOW;
    s.segments = 40;
    s.pace = read_u8(&in) & 1;
    pipe_make(&p, &s, (struct pipe_way){.delay = NS_MS, .jitter = read_u8(&in) * NS_MS}, 1);
    p.mangle = mangle;
    for (int i = 0; i < 2; i++) {
        p.end[i].deliver = take;
        p.end[i].reopen = true;
        pipe_open(&p.end[i]);
    }
    while (in.left && !in.bad) {
        uint8_t what = read_u8(&in);
        int side = what & 1;
        switch (what >> 1 & 7) {
        case 0:
        case 1:
            send_one(side);
            break;
        case 2:
            forge(side, what & 128);
            break;
        case 3:
            if (what >> 4 == 15)
                restart(side, read_u8(&in) & 1);
            else if (what >> 4 == 14)
                reliable_moved(&p.end[side].r, p.now);
            break;
        case 4:
            pipe_run(&p, p.now + (1 + read_u8(&in) % 64) * NS_S);
            break;
        default:
            for (int k = what >> 4; k >= 0 && pipe_step(&p, p.now + 60 * NS_S); k--)
                ;
        }
        check();
    }
    /* The path is good again: all arrives, unless somebody made things up. */
    p.mangle = NULL;
    if (!bent && p.end[0].downs + p.end[1].downs == 0) {
        for (int k = 0; k < 30 && !settled(); k++)
            pipe_run(&p, p.now + 10 * NS_S);
        bool silent = p.end[0].downs + p.end[1].downs > 0; /* it had been bad for too long */
        must(silent || (got[0] == sent[0] && got[1] == sent[1]));
        must(p.end[0].r.out.len + p.end[1].r.out.len == 0);
    }
    check();
    pipe_free(&p);
    return 0;
}
