/* What many flows have in common, once: the descriptions of their paths.
 *
 * A path is what its two last miles and regions make of it, so a million clients of the same
 * kinds have a handful of paths; each is kept once, for as long as the set lives.
 */
#ifndef PARTYLINE_WORLDS_LINK_PATHS_H
#define PARTYLINE_WORLDS_LINK_PATHS_H

#include "engine/worlds/link/link.h"

struct paths {
    struct link_path **slots; /* open addressing; NULL: empty */
    uint32_t n, cap;          /* cap: 0 or a power of two */
};

/* The one like this, which lives as long as the set. NULL: no memory. */
const struct link_path *paths_like(struct paths *, const struct link_path *);
void paths_free(struct paths *);

#endif
