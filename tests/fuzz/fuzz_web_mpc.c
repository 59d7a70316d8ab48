/* A session of web_mpc with a stranger's bytes in it: messages of any kind from anyone to anyone,
 * whole or made from real ones by changing and cutting them, between steps of a real session.
 * Nobody may crash, and the oracle must not be fooled by an honest sum that is wrong. */
#include "engine/base/bytes.h"
#include "tests/unit/web_mpc_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t change_kind, change_at, change_by;

static void change(struct fake *f, party_t from, party_t to, struct fake_message *m)
{
    (void)f;
    (void)from;
    (void)to;
    if (m->label.instance != change_kind || !m->len)
        return;
    if (change_by)
        m->data[change_at % m->len] ^= change_by;
    else
        m->len -= 1 + change_at % m->len;
    change_kind = MESSAGES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    run_init(3, 1);
    run.opts.submissions = 1 + read_u8(&r) % 2;
    if (run_boot())
        abort();
    run.f.tap = change;
    while (r.left && !r.bad) {
        uint8_t what = read_u8(&r), a = read_u8(&r), b = read_u8(&r), n;
        const uint8_t *body;
        party_t from = a % run.f.n, to = b % run.f.n;
        switch (what % 4) {
        case 0:
            for (n = a; n && run_step(); n--)
                continue;
            break;
        case 1:
            change_kind = read_u8(&r) % MESSAGES;
            change_at = a;
            change_by = b;
            break;
        case 2:
            n = read_u8(&r);
            body = read_bytes(&r, n);
            if (body && from != to)
                fake_recv(&run.f, from, to, (struct label){0, what >> 2}, body, n);
            break;
        default:
            run_restart(from);
        }
    }
    change_kind = MESSAGES;
    for (int steps = 0; steps < 400 && run_step(); steps++)
        continue;
    for (party_t who = 0; who < run.f.n; who++) {
        char text[200];
        run.f.protocol->waiting(run.f.parties[who].state, &run.f.parties[who], text, sizeof text);
        if (run.f.parties[who].result)
            run.f.protocol->print(run.f.plan, run.f.parties[who].result,
                                  run.f.parties[who].result_len, text, sizeof text);
    }
    run_free();
    return 0;
}
