/* What a scenario expects of its results: `that: PATH OP VALUE [and PATH OP VALUE]...`
 *
 * OP is one of == != < <= > >=. VALUE carries the unit of what PATH names (100%, 5s,
 * 64KiB, 12); 0 needs none. PATH is one of
 *     completed, wrong, unfinished          share of the cell's trials, in ppm
 *     success                               share of its parties with the right result, ppm
 *     trials, protocol_rounds               numbers
 *     metrics.NAME.FIELD, or NAME.FIELD     FIELD: count min p50 p90 p99 p999 max
 *     counts.NAME, drops.NAME               sums over the cell's trials
 *     exposures.WHAT.WHO                    the largest over its trials; WHO is "party" or a
 *                                           service's role
 *     privacy.METRIC.OBSERVER               the median over its trials (the largest over that
 *                                           observer's places); thousandths of a bit are numbers
 * Everything is compared as the integers of summary.json.
 */
#ifndef PARTYLINE_RUN_EXPECT_H
#define PARTYLINE_RUN_EXPECT_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/opt.h"

#include <stdbool.h>

enum expect_op { EXPECT_EQ, EXPECT_NE, EXPECT_LT, EXPECT_LE, EXPECT_GT, EXPECT_GE };

struct expect_term {
    const char *path; /* in full: metrics.completion.p50 */
    enum expect_op op;
    enum opt_type unit; /* how value and what it is compared with are printed */
    int64_t value;
};

struct expect {
    const char *text; /* as written */
    struct expect_term *terms;
    size_t n;
};

struct expect_result {
    bool met;
    bool absent;   /* unmet because term's path was not measured; value is 0 then */
    int64_t value; /* of the first unmet term, or of the first one if all are met */
    const struct expect_term *term; /* that term */
};

/* OK with *out in the arena; or ERR_INVALID with a sentence, and in *at the offset in text
 * (bytes) that it speaks of. Names in paths are checked against what exists. */
int expect_parse(struct arena *a, const char *text, struct expect **out, size_t *at, struct err *e);

/* OK, or ERR_ABSENT: not measured. */
typedef int expect_lookup(void *ctx, const char *path, int64_t *value);

/* Terms are looked up in order, up to the first unmet one. */
struct expect_result expect_eval(const struct expect *x, expect_lookup *lookup, void *ctx);

/* Does any term speak of completion (completed, wrong, unfinished, success)? */
bool expect_of_completion(const struct expect *x);

#endif
