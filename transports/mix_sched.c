#include "transports/mix_sched.h"

#include "engine/base/bytes.h"

#include <stdlib.h>

ns_t mix_sched_gap(ns_t every, bool constant, struct prng *rng)
{
    ns_t gap = constant ? every : sphinx_delay(prng_u64(rng), every);
    return gap > 0 ? gap : 1;
}

void mix_sched_init(struct mix_sched *s, const struct mix_opts *o)
{
    *s = (struct mix_sched){.every = {o->payload_every, o->loop_every, o->drop_every},
                            .next = {NS_NEVER, NS_NEVER, NS_NEVER},
                            .constant = o->constant};
}

void mix_sched_free(struct mix_sched *s)
{
    mix_queue_free(&s->queue);
}

bool mix_sched_waits(const struct mix_sched *s)
{
    return s->every[MIX_STREAM_PAYLOAD] > 0;
}

bool mix_sched_full(const struct mix_sched *s)
{
    return s->queue.n >= MIX_SCHED_FULL;
}

void mix_sched_start(struct mix_sched *s, ns_t now, struct prng *rng)
{
    for (int i = 0; i < MIX_STREAMS; i++)
        if (s->every[i])
            s->next[i] = now + mix_sched_gap(s->every[i], s->constant, rng);
}

int mix_sched_put(struct mix_sched *s, party_t to, const uint8_t *datagram, size_t len)
{
    uint8_t job[4 + SPHINX_PAYLOAD_MAX];
    put_le32(job, to);
    memcpy(job + 4, datagram, len);
    return mix_queue_add(&s->queue, NULL, job, len + 4, MIX_SCHED_MOST);
}

static int earliest(const struct mix_sched *s)
{
    int first = 0;
    for (int i = 1; i < MIX_STREAMS; i++)
        if (s->next[i] < s->next[first])
            first = i;
    return first;
}

ns_t mix_sched_due(const struct mix_sched *s)
{
    return s->next[earliest(s)];
}

bool mix_sched_take(struct mix_sched *s, ns_t now, struct prng *rng, struct mix_emission *e)
{
    int i = earliest(s);
    if (s->next[i] > now)
        return false;
    s->next[i] += mix_sched_gap(s->every[i], s->constant, rng);
    *e = (struct mix_emission){.kind = i == MIX_STREAM_LOOP ? MIX_LOOP : MIX_DROP};
    if (i == MIX_STREAM_PAYLOAD && s->queue.n) {
        struct mix_waiting w = mix_queue_pop(&s->queue);
        e->kind = MIX_DATA;
        e->to = get_le32(w.frame);
        e->own = w.frame;
        e->datagram = w.frame + 4;
        e->len = w.len - 4;
    }
    return true;
}
