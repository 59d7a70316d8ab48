/* What the observers found, over the trials of a cell: the `privacy` section of summary.json and
 * the table beneath the latencies.
 *
 * A line is one metric of one observer at one place (or of one coalition). Each trial gives one
 * value; what is printed is their median with its interval, never an interval over packets.
 * Histograms of samples merge, and give p1 and p5: the worst-off. Of an entry with many coalitions
 * what is kept are the lowest, the mean, and the highest value among them (and p95 where they
 * were drawn at random).
 */
#ifndef PARTYLINE_RUN_PRIVACY_H
#define PARTYLINE_RUN_PRIVACY_H

#include "engine/run/interval.h"
#include "engine/run/trial.h"

struct privacy_sum {
    struct finding_row key; /* n: summed; hist: merged; value: unused */
    int64_t *values;        /* one a trial that has it, in the order of trials */
    uint32_t *trials;       /* which these are */
    uint32_t n, cap;
    bool segments; /* of its world, as below */
};

struct privacy_sums {
    struct privacy_sum *sums; /* in order of entry, metric, about, at */
    size_t n;
    bool segments; /* to be set before any is added: what passed a line was seen segment by segment,
                      as in a real world */
};

enum { PRIVACY_FEW = 16 }; /* so many coalitions are listed one by one */

/* Replaces what an entry with many coalitions found by some rows over them. OK or ERR_NOMEM. */
int privacy_fold(const struct trial_spec *, struct finding_row **rows, size_t *n);

/* Adds a trial's, folded. OK or ERR_NOMEM. */
int privacy_add(struct privacy_sums *, uint32_t trial, const struct finding_row *, size_t n);
/* That of the same metric, variant, observer and place, or NULL. */
const struct privacy_sum *privacy_find(const struct privacy_sums *, const struct finding_row *key);
void privacy_free(struct privacy_sums *);

/* The list for the summary. */
json_t *privacy_json(const struct privacy_sums *);
/* "METRIC.OBSERVER": the highest median over its places. OK or ERR_ABSENT. */
int privacy_lookup(const struct privacy_sums *, const char *path, int64_t *value);
/* The median over trials; true if it has an interval of 95 % or more. */
bool privacy_interval(const struct privacy_sum *, struct interval *);
/* "2.31 bit [2.2 bit, 2.4 bit]" for a person. Returns buf. */
const char *privacy_quantity(const struct privacy_sum *, char *buf, size_t cap);

/* Does a figure rest on when, how many or how large packets are? In a world that shows a message of
 * a stream as one packet (sim, ns3) it is then said to be of message level. */
bool privacy_message_level(enum privacy);
/* The same of a sum: false in a real world, where each segment is seen. */
bool privacy_sum_message_level(const struct privacy_sum *);

/* One value of that unit. */
const char *privacy_value(const char *unit, int64_t, char *buf, size_t cap);

/* A trial's findings as JSON, and back from foreign bytes: *bad is set if they are not ours. */
json_t *privacy_encode(const struct finding_row *, size_t n);
int privacy_decode(const json_t *, struct finding_row **out, size_t *n, bool *bad);
void privacy_rows_free(struct finding_row *, size_t n);

#endif
