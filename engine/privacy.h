/* What is measured of privacy, by name: METRICS.md, section 2.
 *
 * A figure is an integer in its unit: entropies in thousandths of a bit (millibit), ratios and
 * probabilities in parts per million, times in ns. Each is stated with its observer, prior,
 * population, window, number of samples, and an interval over trials.
 */
#ifndef PARTYLINE_PRIVACY_H
#define PARTYLINE_PRIVACY_H

/* id, name, unit, range, source, definition */
#define PRIVACY(X)                                                                                 \
    X(EXPOSED, "exposed", "count", "0..n(n-1)", "M1",                                              \
      "party addresses learned, over all of the observer's places")                                \
    X(EXPOSED_TIED, "exposed_tied", "count", "0..n(n-1)", "M1",                                    \
      "party addresses learned and tied to the identity")                                          \
    X(FIRST_EXPOSURE, "first_exposure", "ns", "0..", "M1",                                         \
      "start of the trial .. the first address of a party learned")                                \
    X(COALITION_ADDRESS, "coalition_address", "count", "1..", "M1",                                \
      "smallest coalition that learns a party's address and whose it is, by party")                \
    X(COALITION_PAIR, "coalition_pair", "count", "1..", "M1",                                      \
      "smallest coalition that ties the addresses of two parties to each other, by pair")          \
    X(COALITION_INPUT, "coalition_input", "count", "1..", "M1",                                    \
      "smallest coalition that can read a party's input, by party")                                \
    X(MESSAGE_ENTROPY, "message_entropy", "millibit", "0..log2 packets", "M2",                     \
      "entropy of which packet that came to a mix is the one that leaves it; mean, by message")    \
    X(MESSAGE_GUESS, "message_guess", "ppm", "0..1000000", "M5",                                   \
      "probability that the best guess of it is right; mean, by message")                          \
    X(MESSAGE_MIN_ENTROPY, "message_min_entropy", "millibit", "0..log2 packets", "M5",             \
      "-log2 of message_guess")                                                                    \
    X(MESSAGE_WORK, "message_guesswork", "1/1000", "1000..", "M5",                                 \
      "guesses until it is found, best first; mean, by message")                                   \
    X(MESSAGE_TRUE, "message_true", "ppm", "0..1000000", "M3",                                     \
      "weight of the true one: the sum of squares of the posterior; mean, by message")             \
    X(PARTY_ENTROPY, "party_entropy", "millibit", "0..log2 senders", "M3",                         \
      "entropy of who sent a real packet that was delivered; mean, by packet")                     \
    X(PARTY_GUESS, "party_guess", "ppm", "1/senders..1000000", "M3",                               \
      "probability that the best guess of who is right; mean, by packet")                          \
    X(PARTY_RIGHT, "party_right", "ppm", "0..1000000", "M5",                                       \
      "share of packets whose best guess is the true sender, ties in part; party_guess if honest") \
    X(PARTY_MIN_ENTROPY, "party_min_entropy", "millibit", "0..log2 senders", "M5",                 \
      "-log2 of party_guess")                                                                      \
    X(PARTY_WORK, "party_guesswork", "1/1000", "1000..", "M5",                                     \
      "guesses until the sender is found, best first; mean, by packet")                            \
    X(PARTY_TRUE, "party_true", "ppm", "0..1000000", "M3",                                         \
      "weight of the true sender; mean, by packet")                                                \
    X(PARTY_DEGREE, "party_degree", "ppm", "0..1000000", "M3",                                     \
      "degree of anonymity: party_entropy / log2 senders")                                         \
    X(PARTY_TRACED, "party_traced", "ppm", "0..1000000", "M12",                                    \
      "share of real packets whose sender is certain (99.9 %): no mix, or all of them corrupt")    \
    X(FIRST_TRACED, "first_traced", "ns", "0..", "M12",                                            \
      "start of the trial .. the first packet whose sender is certain")                            \
    X(COVER, "cover", "ppm", "0..1000000", "M13",                                                  \
      "share of packets delivered to senders that are cover")                                      \
    X(LINKING, "linking", "ppm", "0..1000000", "M4",                                               \
      "share of receivers whose heaviest sender truly sends to them")                              \
    X(ASSIGNMENT, "assignment", "ppm", "0..1000000", "M4",                                         \
      "share of receivers right in the heaviest one-to-one assignment of senders")                 \
    X(PATH_EXPECTED, "path_expected", "ppm", "0..1000000", "M12",                                  \
      "probability that all mixes of a route are corrupt, by how many are in each layer")          \
    X(PATH_COMPROMISED, "path_compromised", "ppm", "0..1000000", "M12",                            \
      "share of real packets that went through corrupt mixes alone")                               \
    X(SESSION_EXPECTED, "session_expected", "ppm", "0..1000000", "M12",                            \
      "1 - (1 - path_expected)^F, F the packets of a session (sender, receiver); mean")            \
    X(SESSION_COMPROMISED, "session_compromised", "ppm", "0..1000000", "M12",                      \
      "share of sessions with such a packet")                                                      \
    X(FIRST_EXPECTED, "first_expected", "ns", "0..", "M12",                                        \
      "start of the trial .. the first such packet: the first sent + gap / path_expected")         \
    X(FIRST_COMPROMISED, "first_compromised", "ns", "0..", "M12",                                  \
      "start of the trial .. the first such packet leaves its last mix")                           \
    X(ADVANTAGE, "advantage", "ppm", "-1000000..1000000", "M4",                                    \
      "of two senders, which it was: TPR - FPR, threshold of other packets; from 200 packets on")  \
    X(ADVANTAGE_LOW, "advantage_low", "ppm", "-1000000..1000000", "M4",                            \
      "its lower bound at 95 % (Clopper-Pearson, packets taken as independent)")                   \
    X(DELTA, "delta", "ppm", "-2000000..1000000", "M4",                                            \
      "of the same, TPR - e^eps FPR: what is beyond an indistinguishability of eps")               \
    X(EPSILON, "epsilon", "1/1000", "0..20000", "M4",                                              \
      "of the same, how far their weights are apart: |ln (p0 / p1)| in nats; mean, by packet")     \
    X(ROUNDS, "rounds", "1/1000", "0..", "M14",                                                    \
      "latency of a real packet between lines / mean time between two of them, whoever sends")     \
    X(NOISE, "noise", "1/1000", "0..", "M14",                                                      \
      "cover packets that a sender adds while one real packet is sent by anybody")                 \
    X(BOUND, "bound", "ppm", "0..1000000", "M14",                                                  \
      "least advantage that so much latency and cover leave to somebody (anonymity trilemma)")     \
    X(HEADROOM, "headroom", "ppm", "-1000000..1000000", "M14",                                     \
      "advantage above the bound of unsynchronised users; below 0: the attack misses something")   \
    X(TIMING_AUC, "timing_auc", "ppm", "0..1000000", "M6",                                         \
      "probability that a pair of one session scores above one that is none; ties half")           \
    X(TIMING_EER, "timing_eer", "ppm", "0..1000000", "M6",                                         \
      "equal error rate of telling such pairs apart")                                              \
    X(TIMING_TPR_2, "timing_tpr_2", "ppm", "0..1000000", "M6",                                     \
      "share of pairs found with 1 % false alarms; from 1000 negatives on")                        \
    X(TIMING_TPR_3, "timing_tpr_3", "ppm", "0..1000000", "M6",                                     \
      "share of pairs found with 0.1 % false alarms; from 10000 negatives on")                     \
    X(TIMING_SIGMA, "timing_sigma", "ppm", "0..1000000", "M6",                                     \
      "DeLong's standard error of timing_auc within one trial, pairs taken as independent")        \
    X(SIZE_LEAK, "size_leak", "millibit", "0..log2 classes", "M7",                                 \
      "information on a message's class in (bytes, packets), Miller-Madow corrected")              \
    X(SIZE_MAX_LEAK, "size_max_leak", "millibit", "0..log2 classes", "M7",                         \
      "max-leakage: the most that (bytes, packets) can tell, whatever the prior")                  \
    X(CANDIDATES, "candidates", "count", "1..senders", "M8",                                       \
      "who was there in each round with the target; at the end")                                   \
    X(ROUNDS_TO_ONE, "rounds_to_one", "count", "1..", "M8", "rounds until one candidate is left")  \
    X(DISCLOSURE_AUC, "disclosure_auc", "ppm", "0..1000000", "M9",                                 \
      "probability that a true peer of the target ranks above another receiver")                   \
    X(DISCLOSURE_ROUNDS, "disclosure_rounds", "count", "1..", "M9",                                \
      "rounds from which on all true peers rank first")                                            \
    X(PRESENCE_AUC, "presence_auc", "ppm", "0..1000000", "M10",                                    \
      "probability that a window of one who takes part has more packets than one of another")      \
    X(PRESENCE_ADVANTAGE, "presence_advantage", "ppm", "0..1000000", "M10",                        \
      "largest TPR - FPR of telling them apart")                                                   \
    X(AT_REST, "at_rest", "bits", "0..", "M11", "kept by servers at the end of the trial")         \
    X(AT_REST_PEAK, "at_rest_peak", "bits", "0..", "M11", "the most ever kept at once")            \
    X(AT_REST_TIME, "at_rest_time", "bit s", "0..", "M11", "bits kept, summed over time")          \
    X(SEIZED_ADDRESSES, "seized_addresses", "count", "0..", "M11",                                 \
      "(address, time) facts in what is kept at the end of the trial")                             \
    X(SEIZED_PAIRS, "seized_pairs", "count", "0..", "M11",                                         \
      "(pair, time) facts in what is kept at the end of the trial")

enum privacy {
#define X(id, name, unit, range, source, about) PRIVACY_##id,
    PRIVACY(X)
#undef X
        PRIVACY_COUNT
};

struct privacy_info {
    const char *name, *unit, *range, *source, *about;
};
extern const struct privacy_info privacy_infos[PRIVACY_COUNT];

/* Which way a figure tells of less privacy. First times shift with the speed, coalitions are told
 * as 0 where there is none, cover, bounds and errors are no gain: these are neutral. */
enum privacy_sense { PRIVACY_NEUTRAL, PRIVACY_MORE_IS_WORSE, PRIVACY_LESS_IS_WORSE };
enum privacy_sense privacy_sense(enum privacy);

#endif
