/* M9, statistical disclosure (Danezis 2003): whom does the target write to, in the long run?
 *
 * Counted per receiver: messages in rounds with the target, and in rounds without. With b
 * messages a round, of which one is the target's, v = mean_with b - (b - 1) background, the
 * means being per message (a receiver's share); v tends to 1/m for each of the target's m peers
 * and to 0 for others. Ranked by v, ties by number.
 * Figures: pairwise AUC, P(v of a true peer > v of another) + P(equal)/2, range [0, 1]; the
 * event "all m on top", and since which round it has stayed so. Memory: two counts a receiver.
 */
#ifndef PARTYLINE_OBSERVERS_SDA_H
#define PARTYLINE_OBSERVERS_SDA_H

#include <stdbool.h>
#include <stdint.h>

struct sda {
    uint64_t *with, *without; /* a count a receiver; owned */
    uint64_t sum_with, sum_without, rounds_with, rounds_without;
    uint32_t n;
};

/* OK, ERR_INVALID (n is 0), ERR_NOMEM. */
int sda_init(struct sda *, uint32_t n);
void sda_free(struct sda *);
/* A round is counted by its messages, then closed. Messages belong to the round that is open. */
void sda_message(struct sda *, bool with_target, uint32_t receiver);
void sda_round(struct sda *, bool with_target);

/* v of every receiver into out. own: messages a round that are the target's, >= 1. */
void sda_estimate(const struct sda *, double own, double *out);

struct sda_figures {
    double auc;
    bool all_on_top; /* the true peers are the m first; ties with another are not on top */
};
/* peer(ctx, i): truth. */
struct sda_figures sda_judge(const double *v, uint32_t n, bool (*peer)(const void *ctx, uint32_t i),
                             const void *ctx);

/* The rounds that suffice at confidence z (Danezis's bound): N receivers, batches of b, m peers. */
double sda_bound(double receivers, double batch, double peers, double z);

#endif
