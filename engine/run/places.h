/* Where observers sit: `at` and `coalitions` of an entry of `observers`.
 *
 *     at: [alice, isp_bob]     one adversary who has tapped both
 *     at: relay                all of that role, together
 *     coalitions: {size: 1}    each place on its own; {size: 2}: every pair of them ...
 *     coalitions: {size: 2, with: global}
 *                              every pair, and each of them sees all lines as well
 *     coalitions: {size: 3, worst: party_guess}
 *                              the one in which that is worst: of all up to PLACES_COALITIONS_MAX
 *                              (or of those drawn), else put together greedily (sights_greedy.h)
 *
 * A place is a party's or a service's name (its own view), a crowd's or a role's (all of it), or
 * one of the words of places_words.
 */
#ifndef PARTYLINE_RUN_PLACES_H
#define PARTYLINE_RUN_PLACES_H

#include "engine/run/resolve.h"

enum { PLACES_COALITIONS_MAX = 10000, PLACES_MAX = 1000000 };

struct places_word {
    const char *name, *help;
};
/* For `list observers`; ends with NULL. */
extern const struct places_word places_words[];

/* Fills spec->stakes from the entry at node (NULL: none is given). False after a finding. */
bool places_resolve(struct resolving *r, const struct yaml_node *node, struct observer_spec *spec);

/* The i-th combination of k of n in lexicographic order into out[k]; how many there are, at most
 * `limit`. */
uint64_t places_combinations(uint32_t n, uint32_t k, uint64_t limit);

#endif
