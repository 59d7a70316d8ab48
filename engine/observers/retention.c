#include "engine/observers/retention.h"

#include <stdbool.h>
#include <stdlib.h>

static bool room(struct retention *r)
{
    uint32_t more = r->cap ? 2 * r->cap : 64;
    struct retention_record *heap;
    if (r->n < r->cap)
        return true;
    heap = more <= RETENTION_RECORDS ? realloc(r->heap, more * sizeof *heap) : NULL;
    if (!heap)
        return false;
    r->heap = heap;
    r->cap = more;
    return true;
}

static void push(struct retention *r, struct retention_record one)
{
    uint32_t i = r->n++;
    for (; i && r->heap[(i - 1) / 2].until > one.until; i = (i - 1) / 2)
        r->heap[i] = r->heap[(i - 1) / 2];
    r->heap[i] = one;
}

static struct retention_record pop(struct retention *r)
{
    struct retention_record first = r->heap[0], last = r->heap[--r->n];
    uint32_t i = 0, child;
    for (; (child = 2 * i + 1) < r->n; i = child) {
        child += child + 1 < r->n && r->heap[child + 1].until < r->heap[child].until;
        if (last.until <= r->heap[child].until)
            break;
        r->heap[i] = r->heap[child];
    }
    if (r->n)
        r->heap[i] = last;
    return first;
}

static void pass(struct retention *r, ns_t to)
{
    __extension__ typedef unsigned __int128 wide;
    wide area;
    if (to <= r->now)
        return;
    area = (wide)r->bits * (uint64_t)(to - r->now) + r->rest;
    r->bit_seconds += (uint64_t)(area / (uint64_t)NS_S);
    r->rest = (uint64_t)(area % (uint64_t)NS_S);
    r->now = to;
}

uint64_t retention_at(struct retention *r, ns_t now)
{
    while (r->n && r->heap[0].until <= now) {
        struct retention_record gone = pop(r);
        pass(r, gone.until);
        r->bits -= gone.bits;
    }
    pass(r, now);
    return r->bits;
}

void retention_write(struct retention *r, ns_t now, uint64_t bits, ns_t keep)
{
    retention_at(r, now);
    r->written++;
    if (keep <= 0)
        return;
    r->bits += bits;
    r->most = r->bits > r->most ? r->bits : r->most;
    if (keep >= NS_NEVER - now)
        return;
    if (room(r))
        push(r, (struct retention_record){.until = now + keep, .bits = bits});
    else
        r->lost++;
}

void retention_free(struct retention *r)
{
    free(r->heap);
    *r = (struct retention){0};
}
