/* M2, message-level anonymity (Serjantov and Danezis, PET 2002), and its closed forms.
 *
 * Definition: the adversary sees each packet enter and leave one mix, and knows the mix's law.
 * q is the posterior over the packets that entered, for one that leaves. Entropy
 * H = -sum q log2 q in bits, range [0, log2 (packets that entered)]; 2^H is the effective set
 * size. Prior: every packet inside is as likely as any other to be the next that leaves.
 *
 * The filter. While all packets inside are exchangeable, the posterior w of one that leaves now
 * is that of a member of the pool drawn at random. An arrival to n others makes it
 * (n w + e) / (n + 1), e being the newcomer's own; a departure leaves it as it is. So its
 * figures are carried in O(1) an event, with no memory of packets:
 *   entropy     h <- hb(1/(n+1)) + n/(n+1) h        (Loopix, equation 5, derived anew)
 *   P_guess     g <- 1/(n+1): the newest is the best guess
 *   collision   c <- (n^2 c + 1) / (n+1)^2          sum q^2, the probability of the true one
 *   guesswork   k <- 1 + n/(n+1) k                  sum r q_(r): newest first is the order
 * Exact for exponential delays, whose matchings are all equally likely, and for threshold,
 * timed, pool mixes and shuffles, which draw who leaves at random. Departures at one moment are
 * made one by one. A mix without delay (FIFO) has one packet inside at most, and H = 0. For
 * other delay laws it is an approximation: say so.
 */
#ifndef PARTYLINE_OBSERVERS_ANONYMITY_H
#define PARTYLINE_OBSERVERS_ANONYMITY_H

#include <stdint.h>

/* Zeroed: an empty mix. All figures are of the next departure; 0 while the mix is empty. */
struct anonymity {
    uint64_t inside;
    double entropy, guess, collision, guesswork;
};

void anonymity_arrive(struct anonymity *);
/* The figures are those of *a before the call. A departure from an empty mix (the burn-in cut
 * its arrival off) changes nothing. */
void anonymity_leave(struct anonymity *);

/* Closed forms, in bits. */
/* A threshold mix of b, and a perfect shuffle of b = n inputs of which `known` are the
 * adversary's: log2 (b - known). */
double anonymity_shuffle(uint64_t n, uint64_t known);
/* A timed mix, averaged over messages: sum Pois(k; mean) log2 (k + 1); mean: messages in an
 * interval. A uniform delay of up to R has the same value with mean lambda R. */
double anonymity_timed(double mean);
/* A threshold pool mix in its steady state, n in and N kept: log2 (N+n) + N/n log2 ((N+n)/N). */
double anonymity_pool(uint64_t n, uint64_t kept);

/* A Poisson mix in its steady state, rho = arrivals per mean delay: the expectations of the
 * figures above over departures. By the balance equations of (pool size, figure), a tridiagonal
 * system over the sizes that matter; rho in (0, 10^6]. P_guess is 1 / (1 + rho) exactly.
 * ERR_INVALID, ERR_NOMEM. */
struct anonymity_mean {
    double entropy, guess, collision, min_entropy;
};
int anonymity_poisson(double rho, struct anonymity_mean *out);

#endif
