#include "engine/worlds/link/cubic.h"

__extension__ typedef unsigned __int128 u128;

enum { HYSTART_WINDOW = 16, HYSTART_SAMPLES = 8 };

void cubic_init(struct cubic *c, uint32_t initial_window, bool hystart, bool like_ns3)
{
    *c = (struct cubic){.cwnd = initial_window,
                        .ssthresh = CUBIC_NO_LIMIT,
                        .epoch = -1,
                        .hystart = hystart,
                        .like_ns3 = like_ns3};
}

/* ---- the cubic function --------------------------------------------------------------- */

static uint64_t cube_root(u128 x)
{
    uint64_t root = 0;
    for (int bit = 41; bit >= 0; bit--) {
        u128 more = root | UINT64_C(1) << bit;
        if (more * more * more <= x)
            root = (uint64_t)more;
    }
    return root;
}

ns_t cubic_k(uint32_t w_max, uint32_t cwnd)
{
    /* 1 / C = 5 / 2, and (10^6)^3 for microseconds */
    if (w_max <= cwnd)
        return 0;
    return (ns_t)cube_root((u128)(w_max - cwnd) * 5 / 1 * UINT64_C(500000000000000000)) * NS_US;
}

uint32_t cubic_window(uint32_t origin, ns_t k, ns_t t)
{
    uint64_t us = (uint64_t)((t > k ? t - k : k - t) / NS_US);
    u128 delta;
    if (us > UINT64_C(1) << 40)
        us = UINT64_C(1) << 40;
    delta = (u128)us * us * us * 2 / 5 / UINT64_C(1000000000000000000);
    if (t < k)
        return delta < origin ? origin - (uint32_t)delta : 0;
    return delta < CUBIC_NO_LIMIT - origin ? origin + (uint32_t)delta : CUBIC_NO_LIMIT;
}

/* ---- growing -------------------------------------------------------------------------- */

static void begin_epoch(struct cubic *c, ns_t now)
{
    c->epoch = now;
    if (!c->like_ns3)
        c->acked = 0;
    c->reno = c->cwnd;
    c->reno_acked = 0;
    c->k = cubic_k(c->w_max, c->cwnd);
    c->origin = c->w_max > c->cwnd ? c->w_max : c->cwnd;
}

/* Reno's window with the same average: 3 (1 - beta) / (1 + beta) = 9 / 17 segments a round. */
static uint32_t friendly(struct cubic *c, uint32_t segments)
{
    uint32_t each = c->cwnd * 17 / 9;
    each = each ? each : 1;
    c->reno_acked += segments;
    c->reno += c->reno_acked / each;
    c->reno_acked %= each;
    return c->reno;
}

/* Acknowledged segments for a step. */
static uint32_t step(struct cubic *c, ns_t now, uint32_t segments)
{
    uint32_t target, n = 100 * c->cwnd, reno;
    if (c->epoch < 0)
        begin_epoch(c, now);
    target = cubic_window(c->origin, c->k, now + c->least - c->epoch);
    if (target > c->cwnd)
        n = c->cwnd / (target - c->cwnd);
    if (c->w_max == 0 && n > 20)
        n = 20; /* nothing is known yet: 5 % a round */
    reno = friendly(c, segments);
    if (!c->like_ns3 && reno > c->cwnd && c->cwnd / (reno - c->cwnd) < n)
        n = c->cwnd / (reno - c->cwnd);
    return n > 2 ? n : 2;
}

void cubic_grow(struct cubic *c, ns_t now, uint32_t segments)
{
    uint32_t each;
    if (c->cwnd < c->ssthresh) {
        uint32_t room = c->ssthresh - c->cwnd, some = segments < room ? segments : room;
        if (c->like_ns3)
            some = segments;
        c->cwnd += some;
        segments -= some;
    }
    if (segments == 0)
        return;
    each = step(c, now, segments);
    c->acked += segments;
    if (c->acked < each)
        return;
    if (c->like_ns3) {
        c->cwnd++;
        c->acked -= each;
    } else {
        c->cwnd += c->acked / each;
        c->acked %= each;
    }
}

/* ---- hystart -------------------------------------------------------------------------- */

static void begin_round(struct cubic *c, ns_t now, uint64_t nxt)
{
    c->round_began = c->last_ack = now;
    c->round_ends = nxt;
    c->round_least = 0;
    c->samples = 0;
}

static ns_t clamp(ns_t t, ns_t low, ns_t high)
{
    return t < low ? low : t > high ? high : t;
}

static bool pipe_is_full(struct cubic *c, ns_t now, ns_t rtt)
{
    bool full = false;
    ns_t more =
        c->like_ns3 ? clamp(c->least, 4 * NS_MS, NS_S) : clamp(c->least / 8, 4 * NS_MS, 16 * NS_MS);
    if (now - c->last_ack <= 2 * NS_MS) {
        c->last_ack = now;
        full = now - c->round_began > (c->like_ns3 ? c->least : c->least / 2);
    }
    if (c->samples < HYSTART_SAMPLES) {
        if (!c->round_least || rtt < c->round_least)
            c->round_least = rtt;
        c->samples++;
    } else if (c->round_least > c->least + more) {
        full = true;
    }
    return full;
}

void cubic_sample(struct cubic *c, ns_t now, ns_t rtt, uint64_t una, uint64_t nxt)
{
    if (c->like_ns3 && c->epoch >= 0 && now - c->epoch < 10 * NS_MS)
        return;
    if (!c->least || rtt < c->least)
        c->least = rtt;
    if (!c->hystart || c->cwnd >= c->ssthresh)
        return;
    if (una > c->round_ends || c->round_ends == 0)
        begin_round(c, now, nxt);
    if (c->found || c->cwnd < HYSTART_WINDOW)
        return;
    c->found = pipe_is_full(c, now, rtt);
    if (c->found)
        c->ssthresh = c->cwnd;
}

/* ---- shrinking ------------------------------------------------------------------------ */

void cubic_reduce(struct cubic *c)
{
    c->epoch = -1;
    c->w_max = c->cwnd < c->w_max ? c->cwnd * 17 / 20 : c->cwnd; /* (1 + beta) / 2 */
    c->ssthresh = c->cwnd * 7 / 10;
    if (c->ssthresh < 2)
        c->ssthresh = 2;
}

void cubic_forget(struct cubic *c)
{
    c->w_max = c->origin = 0;
    c->least = 0;
    c->found = false;
    c->round_ends = 0;
}

void cubic_rest(struct cubic *c, ns_t idle, ns_t rto, uint32_t restart)
{
    uint32_t keep = c->cwnd - c->cwnd / 4;
    if (idle <= rto)
        return;
    if (c->ssthresh < keep)
        c->ssthresh = keep; /* RFC 2861: three quarters of what was known to fit */
    for (; idle > rto && c->cwnd > restart; idle -= rto)
        c->cwnd /= 2;
    if (c->cwnd < restart)
        c->cwnd = restart;
    c->epoch = -1;
}
