#include "engine/worlds/sim/queue_sort.h"

#include <string.h>

enum { MOST_BITS = 11, CROWD = 32 };

static void swap(struct queue_item **a, struct queue_item **b)
{
    struct queue_item *t = *a;
    *a = *b;
    *b = t;
}

/* Deals out by `bits` bits of the time above `shift`; returns how full the fullest cell is. */
static uint32_t deal(const struct queue_item *from, struct queue_item *to, uint32_t n,
                     unsigned shift, unsigned bits)
{
    uint16_t cells[1 << MOST_BITS];
    uint64_t mask = (UINT64_C(1) << bits) - 1;
    uint32_t sum = 0, fullest = 0;
    memset(cells, 0, sizeof *cells << bits);
    for (uint32_t i = 0; i < n; i++)
        cells[from[i].time >> shift & mask]++;
    for (uint32_t i = 0; i <= mask; i++) {
        uint32_t count = cells[i];
        cells[i] = (uint16_t)sum;
        sum += count;
        fullest = count > fullest ? count : fullest;
    }
    for (uint32_t i = 0; i < n; i++)
        to[cells[from[i].time >> shift & mask]++] = from[i];
    return fullest;
}

static void insertion_sort(struct queue_item *items, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct queue_item item = items[i];
        uint32_t k = i;
        if (items[i - 1].time <= item.time)
            continue;
        do
            items[k] = items[k - 1];
        while (--k && items[k - 1].time > item.time);
        items[k] = item;
    }
}

void queue_sort(struct queue_item **items, struct queue_item **other, uint32_t n, uint64_t differ)
{
    unsigned width = differ ? 64 - (unsigned)__builtin_clzll(differ) : 0, bits = 1;
    uint32_t fullest;
    if (width == 0)
        return;
    while (bits < MOST_BITS && n >> bits)
        bits++;
    bits = bits < width ? bits : width;
    fullest = deal(*items, *other, n, width - bits, bits);
    swap(items, other);
    if (fullest <= CROWD) {
        insertion_sort(*items, n);
        return;
    }
    for (unsigned shift = 0; shift < width; shift += bits) {
        (void)deal(*items, *other, n, shift, bits);
        swap(items, other);
    }
}
