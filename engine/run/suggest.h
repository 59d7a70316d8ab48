/* "Did you mean": the known name nearest to a misspelt one. */
#ifndef PARTYLINE_RUN_SUGGEST_H
#define PARTYLINE_RUN_SUGGEST_H

#include <stddef.h>

/* Damerau-Levenshtein distance (optimal string alignment: insert, delete, replace, swap of
 * neighbours), capped: anything above limit is limit + 1. Names longer than 64 bytes are
 * beyond any limit. */
unsigned suggest_distance(const char *a, const char *b, unsigned limit);

/* Candidates are offered one by one; the first of the nearest wins. */
struct suggest {
    const char *wrong, *best;
    unsigned distance;
};

struct suggest suggest_for(const char *wrong);
void suggest_offer(struct suggest *s, const char *candidate);

/* ", did you mean \"x\"?" or "" if nothing is near. Returns buf. */
const char *suggest_text(const struct suggest *s, char *buf, size_t cap);

#endif
