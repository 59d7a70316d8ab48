#include "engine/base/hist.h"

#include "engine/base/err.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

void hist_init(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

void hist_free(struct hist *h)
{
    free(h->counts);
    hist_init(h);
}

/* The counters of a page that was touched, or NULL. */
static uint64_t *page_of(const struct hist *h, unsigned page)
{
    unsigned place = h->place[page];
    return place ? h->counts + (size_t)(place - 1) * HIST_PAGE : NULL;
}

static uint64_t *page_touch(struct hist *h, unsigned page)
{
    if (h->place[page])
        return page_of(h, page);
    if (h->pages == h->room) {
        unsigned room = h->room ? 2u * h->room : 1;
        room = room < HIST_PAGES ? room : HIST_PAGES;
        uint64_t *grown = realloc(h->counts, room * HIST_PAGE * sizeof *grown);
        if (!grown)
            return NULL;
        h->counts = grown;
        h->room = (uint8_t)room;
    }
    h->place[page] = ++h->pages;
    return memset(page_of(h, page), 0, HIST_PAGE * sizeof *h->counts);
}

static void widen(struct hist *h, int64_t min, int64_t max)
{
    if (h->count == 0 || min < h->min)
        h->min = min;
    if (h->count == 0 || max > h->max)
        h->max = max;
}

void hist_add_n(struct hist *h, int64_t value, uint64_t n)
{
    if (value < 0) {
        h->negative = add_saturating(h->negative, n);
        return;
    }
    bool over = value > HIST_MAX;
    if (over)
        value = HIST_MAX;
    unsigned slot = hist_slot(value);
    uint64_t *page = n ? page_touch(h, slot / HIST_PAGE) : NULL;
    if (!page || n > INT64_MAX - h->count) {
        h->lost = add_saturating(h->lost, n);
        return;
    }
    u128 sum = (u128)(uint64_t)value * n + h->sum;
    page[slot % HIST_PAGE] += n;
    widen(h, value, value);
    h->count += n;
    h->sum = sum > UINT64_MAX ? UINT64_MAX : (uint64_t)sum;
    if (over)
        h->overflow += n;
}

void hist_add(struct hist *h, int64_t value)
{
    unsigned slot = hist_slot(value & HIST_MAX);
    uint64_t *page = page_of(h, slot / HIST_PAGE);
    if (value != (value & HIST_MAX) || !page || h->count >= INT64_MAX) {
        hist_add_n(h, value, 1);
        return;
    }
    page[slot % HIST_PAGE]++;
    widen(h, value, value);
    h->count++;
    h->sum = add_saturating(h->sum, (uint64_t)value);
}

static bool touch_all(struct hist *h, const struct hist *from)
{
    for (unsigned i = 0; i < HIST_PAGES; i++)
        if (from->place[i] && !page_touch(h, i))
            return false;
    return true;
}

int hist_merge(struct hist *h, const struct hist *from)
{
    bool limit = from->count > INT64_MAX - h->count;
    h->negative = add_saturating(h->negative, from->negative);
    h->lost = add_saturating(h->lost, from->lost);
    if (from->count == 0)
        return ERR_OK;
    if (limit || !touch_all(h, from)) {
        h->lost = add_saturating(h->lost, from->count);
        return limit ? ERR_LIMIT : ERR_NOMEM;
    }
    for (unsigned i = 0; i < HIST_PAGES; i++) {
        const uint64_t *src = page_of(from, i);
        uint64_t *dst = page_of(h, i);
        for (unsigned k = 0; src && k < HIST_PAGE; k++)
            dst[k] += src[k];
    }
    widen(h, from->min, from->max);
    h->overflow += from->overflow;
    h->sum = add_saturating(h->sum, from->sum);
    h->count += from->count;
    return ERR_OK;
}

bool hist_next(const struct hist *h, unsigned *cursor, int64_t *value, uint64_t *count)
{
    for (unsigned slot = *cursor; slot < HIST_SLOTS; slot++) {
        const uint64_t *page = page_of(h, slot / HIST_PAGE);
        if (!page) {
            slot |= HIST_PAGE - 1;
        } else if (page[slot % HIST_PAGE]) {
            *cursor = slot + 1;
            *value = hist_slot_low(slot);
            *count = page[slot % HIST_PAGE];
            return true;
        }
    }
    *cursor = HIST_SLOTS;
    return false;
}

bool hist_equal_counts(const struct hist *a, const struct hist *b)
{
    unsigned at_a = 0, at_b = 0;
    int64_t value_a, value_b;
    uint64_t count_a, count_b;
    if (a->count != b->count)
        return false;
    while (hist_next(a, &at_a, &value_a, &count_a))
        if (!hist_next(b, &at_b, &value_b, &count_b) || value_a != value_b || count_a != count_b)
            return false;
    return true;
}

bool hist_equal(const struct hist *a, const struct hist *b)
{
    return a->sum == b->sum && a->min == b->min && a->max == b->max && a->negative == b->negative &&
           a->overflow == b->overflow && a->lost == b->lost && hist_equal_counts(a, b);
}

int64_t hist_quantile(const struct hist *h, uint32_t ppm)
{
    unsigned cursor = 0;
    int64_t value = 0;
    uint64_t count, rank, below = 0;
    if (ppm == 0)
        return h->min;
    if (ppm >= 1000000)
        return h->max;
    rank = (uint64_t)(((u128)h->count * ppm + 999999) / 1000000);
    while (below < rank && hist_next(h, &cursor, &value, &count))
        below += count;
    int64_t high = hist_slot_high(hist_slot(value));
    return high < h->max ? high : h->max;
}

uint64_t hist_quantile_needs(uint32_t ppm)
{
    uint32_t beyond = ppm >= 1000000 ? 0 : ppm > 500000 ? 1000000 - ppm : ppm;
    return beyond ? (10 * 1000000 + beyond - 1) / beyond : UINT64_MAX;
}

bool hist_quantile_allowed(const struct hist *h, uint32_t ppm)
{
    return (uint64_t)h->count >= hist_quantile_needs(ppm);
}

int hist_restore(struct hist *h, int64_t min, int64_t max, uint64_t sum)
{
    if (h->count == 0 || min < 0 || min > max || max > HIST_MAX ||
        hist_slot(min) != hist_slot(h->min) || hist_slot(max) != hist_slot(h->max))
        return ERR_MISMATCH;
    h->min = min;
    h->max = max;
    h->sum = sum;
    return ERR_OK;
}
