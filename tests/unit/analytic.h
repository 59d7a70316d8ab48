/* The reference values of privacy_refs/analytic_refs.json, and what tests of privacy metrics
 * share: relative and absolute nearness, a mean with its standard error. */
#ifndef PARTYLINE_TESTS_ANALYTIC_H
#define PARTYLINE_TESTS_ANALYTIC_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/observers/bits.h"

/* NULL, and said aloud, if the data are not here. To be given back by json_decref. */
static inline json_t *analytic_load(void)
{
    const char *data = getenv("PARTYLINE_DATA");
    char path[512];
    json_t *all;
    snprintf(path, sizeof path, "%s/privacy_refs/analytic_refs.json",
             data ? data : "../shared/data");
    all = json_load_file(path, 0, NULL);
    if (!all)
        print_message("SKIP: there is no %s\n", path);
    return all;
}

static inline double analytic_number(const json_t *row, const char *key)
{
    const json_t *v = json_object_get(row, key);
    assert_non_null(v);
    return json_number_value(v);
}

#define assert_near(is, wanted, within)                                                            \
    do {                                                                                           \
        double is_ = (is), wanted_ = (wanted), within_ = (within);                                 \
        if (!(is_ - wanted_ <= within_ && wanted_ - is_ <= within_))                               \
            print_error("%s is %.9g, wanted %.9g within %.3g\n", #is, is_, wanted_, within_);      \
        assert_true(is_ - wanted_ <= within_ && wanted_ - is_ <= within_);                         \
    } while (0)

/* A mean over batches that are long against what lasts in the process (batch means). */
struct batches {
    double sum, squares, batch;
    unsigned n, in_batch, size;
};

static inline void batches_add(struct batches *b, double x)
{
    b->batch += x;
    if (++b->in_batch < b->size)
        return;
    b->batch /= b->size;
    b->sum += b->batch;
    b->squares += b->batch * b->batch;
    b->batch = 0;
    b->in_batch = 0;
    b->n++;
}
static inline double batches_mean(const struct batches *b)
{
    return b->sum / b->n;
}
static inline double batches_error(const struct batches *b)
{
    double m = batches_mean(b);
    return bits_sqrt((b->squares / b->n - m * m) / (b->n - 1));
}

#endif
