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
    X(PARTY_MIN_ENTROPY, "party_min_entropy", "millibit", "0..log2 senders", "M5",                 \
      "-log2 of party_guess")                                                                      \
    X(PARTY_WORK, "party_guesswork", "1/1000", "1000..", "M5",                                     \
      "guesses until the sender is found, best first; mean, by packet")                            \
    X(PARTY_TRUE, "party_true", "ppm", "0..1000000", "M3",                                         \
      "weight of the true sender; mean, by packet")                                                \
    X(PARTY_DEGREE, "party_degree", "ppm", "0..1000000", "M3",                                     \
      "degree of anonymity: party_entropy / log2 senders")                                         \
    X(PARTY_TRACED, "party_traced", "ppm", "0..1000000", "M12",                                    \
      "share of real packets whose sender is certain: every mix on the path compromised")          \
    X(FIRST_TRACED, "first_traced", "ns", "0..", "M12",                                            \
      "start of the trial .. the first packet whose sender is certain")                            \
    X(COVER, "cover", "ppm", "0..1000000", "M13",                                                  \
      "share of packets delivered to senders that are cover")                                      \
    X(LINKING, "linking", "ppm", "0..1000000", "M4",                                               \
      "share of receivers whose heaviest sender truly sends to them")                              \
    X(ASSIGNMENT, "assignment", "ppm", "0..1000000", "M4",                                         \
      "share of receivers right in the heaviest one-to-one assignment of senders")                 \
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

#endif
