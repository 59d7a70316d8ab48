/* A trial of protocol shamir whose messages are in the fuzzer's hands: delivered in any order,
 * changed, repeated, invented, refused; peers go down, restart, get lost. No party may crash,
 * and one that is not done must say what it waits for.
 *
 * The first byte chooses the program; then come commands: a byte, and what it takes. */
#include "engine/base/bytes.h"
#include "tests/unit/shamir_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PROGRAMS = 6, INJECT_MAX = 256 };

static const char and_text[] = "3 7\n2 2 2\n1 1\n\n2 1 0 2 4 AND\n2 1 1 3 5 AND\n2 1 4 5 6 AND\n";

static struct run runs[PROGRAMS] = {
    {.program = "sum", .parties = 3},
    {.program = "maximum", .parties = 3},
    {.program = "mean_stddev", .parties = 5},
    {.program = "vote", .parties = 4},
    {.program = "sort", .parties = 3},
    {.program = NULL,
     .parties = 5,
     .circuit = {.path = "and", .data = (const uint8_t *)and_text, .len = sizeof and_text - 1}}};

static struct fake planned[PROGRAMS]; /* with the rosters that plans refer to */

static struct fake *plan_of(unsigned which)
{
    struct run *r = &runs[which];
    struct err e = {0};
    if (planned[which].plan)
        return &planned[which];
    r->threshold = -1;
    for (party_t who = 0; who < (r->circuit.path ? 2 : r->parties); who++)
        run_value(r, who, 1);
    if (run_plan(r, &planned[which], 1, &e))
        abort();
    return &planned[which];
}

/* A trial of that program; plans are made once. */
static void begin(struct fake *f, unsigned which)
{
    const struct fake *from = plan_of(which);
    struct err e = {0};
    fake_init(f, &protocol_shamir, from->n, 1);
    f->opts = from->opts;
    f->plan = from->plan;
    memcpy(f->inputs, from->inputs, from->n * sizeof *f->inputs);
    if (fake_boot_all(f, 1, &e))
        abort();
}

static uint8_t changed_at, changed_by;

static void change(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    (void)f;
    (void)from;
    (void)to;
    if (m->len && changed_by)
        m->data[changed_at % m->len] ^= changed_by;
    else if (m->len)
        m->len -= 1 + changed_at % m->len;
}

static void deliver(struct fake *f, uint32_t pair)
{
    for (uint32_t i = 0; i < f->n * f->n; i++) {
        uint32_t at = (pair + i) % (f->n * f->n);
        if (f->pairs[at].head) {
            fake_deliver(f, at);
            return;
        }
    }
}

static void command(struct fake *f, struct reader *r)
{
    uint8_t what = read_u8(r), a = read_u8(r), b = read_u8(r);
    party_t from = a % (f->n + 1), to = b % f->n;
    struct label label;
    const uint8_t *body;
    size_t len;
    switch (what % 8) {
    case 0:
        deliver(f, a);
        break;
    case 1:
        changed_at = read_u8(r);
        changed_by = b;
        f->tap = change;
        deliver(f, a);
        f->tap = NULL;
        break;
    case 2:
        label.round = read_u8(r);
        label.instance = read_u8(r);
        len = read_u8(r);
        body = read_bytes(r, len);
        if (body)
            fake_recv(f, from, to, label, body, len);
        break;
    case 3:
        label.round = read_u32(r);
        label.instance = read_u32(r);
        fake_recv(f, from, to, label, "", 0);
        break;
    case 4:
        fake_peer(f, to, from, (enum peer_state)(read_u8(r) % 4));
        break;
    case 5:
        f->refuse = a % 3;
        break;
    case 6:
        f->protocol->room(f->parties[to].state, &f->parties[to], from);
        break;
    default:
        for (uint32_t i = 0; i < a; i++)
            fake_step(f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    struct fake f;
    char buf[100];
    begin(&f, read_u8(&r) % PROGRAMS);
    if (len && data[0] & 128) /* some have started, some not yet */
        f.protocol->start(f.parties[0].state, &f.parties[0]);
    else
        fake_start(&f);
    while (r.left && !r.bad)
        command(&f, &r);
    f.refuse = 0;
    fake_run(&f);
    for (party_t who = 0; who < f.n; who++) {
        f.protocol->waiting(f.parties[who].state, &f.parties[who], buf, sizeof buf);
        if (!f.parties[who].done && !buf[0])
            abort();
    }
    f.plan = NULL;
    fake_free(&f);
    return 0;
}
