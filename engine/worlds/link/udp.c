#include "engine/worlds/link/udp.h"

static bool full(ns_t now, ns_t free, int64_t bps, const struct access *a, uint32_t bytes)
{
    return a->queue_bytes > 0 && link_backlog(now, free, bps) + bytes > (uint64_t)a->queue_bytes;
}

static bool is_lost(const struct link_path *path, struct udp_pair *pair, struct dice *dice)
{
    if (pair && path->loss.burst > 1)
        return loss_hits(&pair->loss, &path->loss, dice);
    return dice_chance(dice, path->loss.ppm);
}

enum drop udp_send(const struct link_path *base, const struct faults *faults, uint32_t a,
                   uint32_t b, struct link_host *from, ns_t at, uint32_t payload,
                   struct udp_pair *pair, struct dice *dice, struct link_train *train)
{
    struct link_path path = *base;
    uint32_t bytes = payload + UDP_HEADERS;
    ns_t way;
    if (payload > UDP_PAYLOAD_MAX)
        return DROP_MTU;
    *train =
        (struct link_train){.first = at, .last = at, .bytes = bytes, .head = bytes, .tail = bytes};
    if (full(at, from->up_free, from->access->up_bps, from->access, bytes))
        return DROP_QUEUE;
    link_pass(train, from->access->up_bps, &from->up_free);
    if (faults->n) {
        faults_bend(faults, a, b, at, &path);
        if (faults_cut(faults, a, b, at))
            return DROP_PARTITION;
    }
    if (pair && link_full(train->first, pair->rate_free, path.rate_bps, UDP_PATH_QUEUE, bytes))
        return DROP_QUEUE;
    if (pair)
        link_pass(train, path.rate_bps, &pair->rate_free);
    way = path.delay + link_jitter(&path, dice);
    train->first += way;
    train->last += way;
    return is_lost(&path, pair, dice) ? DROP_LOSS : DROP_COUNT;
}

enum drop udp_receive(struct link_host *to, struct link_train *train)
{
    int64_t bps = to->access->down_bps;
    if (full(train->first, to->down_free, bps, to->access, train->bytes))
        return DROP_QUEUE;
    link_pass(train, bps, &to->down_free);
    return DROP_COUNT;
}
