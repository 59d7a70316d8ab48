/* What is on its way through something that does not mix: a link, a relay, a TURN server.
 *
 * What leaves is taken to be what came in with the nearest size, and of equal ones the oldest
 * (METRICS.md, M3: a FIFO passes a belief on as it is). A relay's own frames and what was lost on
 * the way stay behind, and are forgotten after TRANSIT_LIFETIME. An approximation: frames of one
 * size that overtake each other are taken for each other.
 */
#ifndef PARTYLINE_OBSERVERS_TRANSIT_H
#define PARTYLINE_OBSERVERS_TRANSIT_H

#include "engine/base/ns.h"
#include "engine/observers/belief.h"

#define TRANSIT_LIFETIME (5 * NS_S)

enum { TRANSIT_MOST = 4096, TRANSIT_ANY = INT32_MAX };

struct transit_entry {
    ns_t when;
    uint32_t bytes, from;
};

/* Zeroed: empty. At most TRANSIT_MOST; what comes beyond is not followed. */
struct transit {
    struct transit_entry *entries; /* owned, oldest first */
    double *beliefs;               /* owned, width each */
    uint32_t head, n, cap;         /* n from head on */
};

void transit_free(struct transit *);
/* `from`: who handed it in. Times must not fall. */
void transit_arrive(struct transit *, const struct belief_shape *, const struct transit_entry *,
                    const double *b);
/* What leaves with so many bytes takes b; out->from is where it does not go (a relay returns
 * nothing to its sender; UINT32_MAX: anywhere). False, and the uniform vector: nothing inside is
 * within `slack` bytes. */
bool transit_leave(struct transit *, const struct belief_shape *, const struct transit_entry *out,
                   uint32_t slack, double *b);

#endif
