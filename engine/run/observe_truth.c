#include "engine/run/observe_truth.h"

#include "engine/base/map.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define NONE UINT32_MAX

enum { STREAMS_MOST = 1 << 20 };

/* A message on its way: from where on the stream. */
struct piece {
    uint64_t offset;
    uint32_t len, life;
    struct packet_truth truth;
};

/* Where somebody is in a stream. */
struct position {
    uint32_t life; /* which connection of these addresses it is, from 1 */
    uint64_t offset;
};

/* One direction between two addresses. */
struct stream {
    struct addr from, to;
    uint32_t next; /* of the same hash */
    struct piece *pieces;
    size_t n, cap;
    struct position written, read, captured;
    uint32_t first; /* of the captured one: the sequence number of its first byte */
};

/* What came to a node, by its numbers. */
struct came {
    struct packet_truth *list;
    size_t n, cap;
};

struct observe_truth {
    struct map by_hash;
    struct stream *streams;
    uint32_t n, cap, n_nodes;
    struct came *came;
    int broken;
};

struct observe_truth *observe_truth_new(uint32_t nodes)
{
    struct observe_truth *t = calloc(1, sizeof *t);
    if (t)
        t->came = calloc((size_t)nodes + 1, sizeof *t->came);
    if (!t || !t->came) {
        free(t);
        return NULL;
    }
    t->n_nodes = nodes;
    return t;
}

void observe_truth_free(struct observe_truth *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->n; i++)
        free(t->streams[i].pieces);
    for (uint32_t i = 0; i < t->n_nodes; i++)
        free(t->came[i].list);
    free(t->streams);
    free(t->came);
    map_free(&t->by_hash);
    free(t);
}

int observe_truth_broken(const struct observe_truth *t)
{
    return t->broken;
}

/* Room for one more behind n. */
static bool grow(struct observe_truth *t, void **list, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? 2 * *cap : 16;
    void *grown;
    if (n < *cap)
        return true;
    grown = realloc(*list, more * size);
    if (!grown) {
        t->broken = ERR_NOMEM;
        return false;
    }
    *list = grown;
    *cap = more;
    return true;
}

/* ---- streams ---------------------------------------------------------------------------- */

static uint32_t hash_of(const struct addr *from, const struct addr *to)
{
    uint8_t bytes[36];
    memcpy(bytes, from->ip, 16);
    memcpy(bytes + 16, &from->port, 2);
    memcpy(bytes + 18, to->ip, 16);
    memcpy(bytes + 34, &to->port, 2);
    return (uint32_t)XXH3_64bits(bytes, sizeof bytes) | 1;
}

/* NULL: there is none, and it was not asked for, or there is no memory. */
static struct stream *find(struct observe_truth *t, const struct addr *from, const struct addr *to,
                           bool make)
{
    uint32_t hash = hash_of(from, to), head = map_get(&t->by_hash, hash, NONE);
    size_t cap = t->cap;
    for (uint32_t i = head; i != NONE; i = t->streams[i].next)
        if (addr_equal(&t->streams[i].from, from) && addr_equal(&t->streams[i].to, to))
            return &t->streams[i];
    if (!make || t->n == STREAMS_MOST ||
        !grow(t, (void **)&t->streams, t->n, &cap, sizeof *t->streams))
        return NULL;
    t->cap = (uint32_t)cap;
    if (map_put(&t->by_hash, hash, t->n) != OK) {
        t->broken = ERR_NOMEM;
        return NULL;
    }
    t->streams[t->n] = (struct stream){.from = *from, .to = *to, .next = head};
    return &t->streams[t->n++];
}

static void begin(struct position *p)
{
    p->life++;
    p->offset = 0;
}

/* The piece that a byte is of. */
static const struct packet_truth *at(const struct stream *s, const struct position *p)
{
    size_t low = 0, high = s->n;
    while (low < high) { /* the first one behind it */
        size_t middle = (low + high) / 2;
        const struct piece *x = &s->pieces[middle];
        if (x->life < p->life || (x->life == p->life && x->offset <= p->offset))
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || s->pieces[low - 1].life != p->life ||
        p->offset - s->pieces[low - 1].offset >= s->pieces[low - 1].len)
        return NULL;
    return &s->pieces[low - 1].truth;
}

/* ---- what nodes saw --------------------------------------------------------------------- */

/* A connection is up at one of its ends. */
static void open_ends(struct observe_truth *t, const struct sighting *s)
{
    struct stream *x = find(t, &s->to, &s->from, true);
    if (x)
        begin(&x->written);
    x = find(t, &s->from, &s->to, true);
    if (x)
        begin(&x->read);
}

static struct packet_truth come(struct observe_truth *t, const struct sighting *s, uint64_t serial,
                                uint32_t on_stream)
{
    struct stream *x = s->datagram ? NULL : find(t, &s->from, &s->to, false);
    const struct packet_truth *known = x ? at(x, &x->read) : NULL;
    struct packet_truth truth = known ? *known : (struct packet_truth){0};
    struct came *c = &t->came[s->at];
    if (x)
        x->read.offset += on_stream;
    if (serial == c->n + 1 &&
        grow(t, (void **)&c->list, c->n, &c->cap, sizeof *c->list)) /* else some are missing */
        c->list[c->n++] = truth;
    return truth;
}

static struct packet_truth leave(struct observe_truth *t, const struct sighting *s,
                                 struct packet_truth truth, uint32_t on_stream)
{
    const struct came *c = &t->came[s->at];
    struct stream *x = s->datagram ? NULL : find(t, &s->from, &s->to, true);
    if (truth.kind == TRUTH_UNKNOWN)
        truth = truth.serial && truth.serial <= c->n ? c->list[truth.serial - 1]
                                                     : (struct packet_truth){0};
    if (!x || !grow(t, (void **)&x->pieces, x->n, &x->cap, sizeof *x->pieces))
        return truth;
    x->pieces[x->n++] = (struct piece){x->written.offset, on_stream, x->written.life, truth};
    x->written.offset += on_stream;
    return truth;
}

struct packet_truth observe_truth_note(struct observe_truth *t, const struct sighting *s,
                                       const struct packet_truth *truth, uint32_t on_stream)
{
    static const struct packet_truth none;
    if (s->at >= t->n_nodes || s->point != SIGHT_NODE || s->packets == 0)
        return none;
    if (s->opens) {
        if (!s->datagram)
            open_ends(t, s);
        return none;
    }
    return s->out ? leave(t, s, truth ? *truth : none, on_stream)
                  : come(t, s, truth ? truth->serial : 0, on_stream);
}

/* ---- what the capture has --------------------------------------------------------------- */

/* A SYN that acknowledges one: from then on both directions' numbers are known. A repeated one
 * changes nothing. */
static void connect(struct observe_truth *t, const struct addr *from, const struct addr *to,
                    const struct observe_segment *g)
{
    struct stream *back = find(t, from, to, true), *forth;
    if (!back || (back->captured.life && back->first == g->seq + 1))
        return;
    begin(&back->captured);
    back->first = g->seq + 1;
    forth = find(t, to, from, true);
    if (forth) {
        begin(&forth->captured);
        forth->first = g->ack;
    }
}

const struct packet_truth *observe_truth_of(struct observe_truth *t, const struct addr *from,
                                            const struct addr *to, const struct observe_segment *g)
{
    const struct packet_truth *truth;
    struct position p;
    struct stream *x;
    if (g->syn) {
        if (g->acks)
            connect(t, from, to, g);
        return NULL;
    }
    x = g->payload ? find(t, from, to, false) : NULL;
    if (!x || !x->captured.life)
        return NULL;
    /* Numbers of 32 bits: what is meant is near what came last. */
    p = x->captured;
    p.offset += (uint64_t)(int64_t)(int32_t)(g->seq - x->first - (uint32_t)p.offset);
    if ((int64_t)p.offset < 0)
        return NULL;
    if (p.offset > x->captured.offset)
        x->captured.offset = p.offset;
    truth = at(x, &p);
    return truth && truth->kind != TRUTH_UNKNOWN ? truth : NULL;
}
