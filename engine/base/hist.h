/* Log-linear histograms of non-negative 64-bit values (times in nanoseconds, bytes, ppm).
 *
 * The buckets are exactly HdrHistogram's with lowestDiscernibleValue 1 and three significant
 * digits (subBucketCount 2048): values below 2048 have a bucket each; above, every power of two
 * is cut into 1024 equal buckets. A value and its bucket's ends differ by less than 1/1024, so
 * every figure below is within 0.1 %. Source: HdrHistogram (public domain), AbstractHistogram.
 *
 * What happens to a sample (each ends in exactly one of count, negative, lost):
 *   0 .. HIST_MAX        counted in its bucket
 *   above HIST_MAX       counted as HIST_MAX, and in `overflow` as well
 *   below 0              counted in `negative` alone: it is nowhere else, and never becomes 0
 *   no memory for it     counted in `lost` alone, as is what would take count beyond 2^63 - 1
 * A printed figure whose negative, overflow or lost is not 0 has to say so.
 *
 * min, max and sum are of the samples themselves, not of their buckets. sum saturates.
 *
 * Memory: the struct (under 300 bytes), and 2 KiB for each run of 256 buckets ever touched.
 * A zeroed struct is an empty histogram. Not to be copied by assignment: it owns its counters.
 */
#ifndef PARTYLINE_BASE_HIST_H
#define PARTYLINE_BASE_HIST_H

#include <stdbool.h>
#include <stdint.h>

#define HIST_MAX ((INT64_C(1) << 62) - 1)

enum { HIST_SLOTS = 53 * 1024, HIST_PAGE = 256, HIST_PAGES = HIST_SLOTS / HIST_PAGE };

/* The quantiles that results are made of, in parts per million. */
enum { HIST_P50 = 500000, HIST_P90 = 900000, HIST_P99 = 990000, HIST_P999 = 999000 };

struct hist {
    uint64_t *counts; /* pages of HIST_PAGE counters, in the order of their first use */
    uint64_t count, sum;
    int64_t min, max;
    uint64_t negative, overflow, lost;
    uint8_t place[HIST_PAGES]; /* of page i in counts, from 1 on; 0: never touched */
    uint8_t pages, room;       /* in counts: used, allocated */
};

void hist_init(struct hist *h);
/* Gives the memory back; h is empty then and may be used again. */
void hist_free(struct hist *h);

void hist_add(struct hist *h, int64_t value);
/* The same as n times hist_add. */
void hist_add_n(struct hist *h, int64_t value, uint64_t n);
/* Adds every sample of `from`, and its negative, overflow and lost: the same as if all had been
 * added here, in any order. ERR_NOMEM, or ERR_LIMIT beyond 2^63 - 1 samples: then no bucket has
 * changed and from's count has gone to h->lost. */
int hist_merge(struct hist *h, const struct hist *from);
/* The same samples as far as a histogram can tell: every field and every bucket. */
bool hist_equal(const struct hist *a, const struct hist *b);
/* The same buckets, whatever min, max, sum and the rest: what a log file keeps. */
bool hist_equal_counts(const struct hist *a, const struct hist *b);

static inline uint64_t hist_count(const struct hist *h)
{
    return h->count;
}
/* 0 when empty, as are the next two. */
static inline int64_t hist_min(const struct hist *h)
{
    return h->min;
}
static inline int64_t hist_max(const struct hist *h)
{
    return h->max;
}
/* UINT64_MAX means "at least that". */
static inline uint64_t hist_sum(const struct hist *h)
{
    return h->sum;
}

/* The value that at least ppm parts per million of the samples do not exceed: with rank
 * ceil(count * ppm / 10^6), at least 1, the highest value equivalent to (in one bucket with) the
 * sample of that rank. So does HdrHistogram's getValueAtPercentile; but never above max here,
 * where HdrHistogram's own max is rounded up to its bucket's end as well.
 * ppm 0 gives min, 10^6 (or more) max; an empty histogram 0. */
int64_t hist_quantile(const struct hist *h, uint32_t ppm);
/* From how many samples on that quantile may be printed: at least 10 lie beyond it, on its thinner
 * side (p50 from 20 samples on, p90 from 100, p99 from 1000). Never for 0 and 10^6: print min,
 * max. */
uint64_t hist_quantile_needs(uint32_t ppm);
bool hist_quantile_allowed(const struct hist *h, uint32_t ppm);

/* The non-empty buckets by rising value. Start with *cursor = 0; false at the end. *value is the
 * bucket's lowest value: hist_add_n(other, *value, *count) fills the same bucket. */
bool hist_next(const struct hist *h, unsigned *cursor, int64_t *value, uint64_t *count);

/* For readers of stored histograms, whose buckets were filled by hist_add_n: puts back min, max
 * and sum as they were when it was stored. ERR_MISMATCH, and nothing done, unless min and max
 * lie in the first and the last non-empty bucket, min <= max, and h is not empty. */
int hist_restore(struct hist *h, int64_t min, int64_t max, uint64_t sum);

/* The bucket of a value in 0 .. HIST_MAX, below HIST_SLOTS; and its lowest and highest value. */
static inline unsigned hist_slot(int64_t value)
{
    unsigned shift = 53u - (unsigned)__builtin_clzll((uint64_t)value | 2047);
    return (shift << 10) + (unsigned)(value >> shift);
}
static inline int64_t hist_slot_low(unsigned slot)
{
    unsigned shift = slot < 2048 ? 0 : (slot >> 10) - 1;
    return (int64_t)(slot - (shift << 10)) << shift;
}
static inline int64_t hist_slot_high(unsigned slot)
{
    return slot + 1 < HIST_SLOTS ? hist_slot_low(slot + 1) - 1 : HIST_MAX;
}

#endif
