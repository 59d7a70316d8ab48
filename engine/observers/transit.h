/* What is on its way through something that does not mix: a link, a relay, a TURN server.
 *
 * METRICS.md, M3: a FIFO passes a belief on as it is. What is uncertain is which packet it was, so
 * what leaves takes the mean of the beliefs of those that it could be, each weighed by how well it
 * fits, and what stays behind is mixed by as much (transit_leave): weight is neither lost nor made.
 * Of one candidate it is that one's belief; of k alike it is a pool's mean.
 *
 * Who fits: a stream is in order, so there it is the oldest of its connection and size. Elsewhere
 * it is the nearest in size (a server's headers change it a little), weighed by its age: on a link
 * the time is a least one and, above it, nearly exponential; both are learned from what has passed.
 * In a server it is next to nothing: what came 20 us ago is thought of first, then what came 2 ms
 * ago, and then what it kept for itself (greetings, keep-alives) or for who was away. What is lost
 * falls out of the law, and is forgotten after TRANSIT_LIFETIME.
 *
 * How honest it is (tests/unit/test_metric_transit.c): the heaviest weight is right as often as it
 * says, on links with or without losses, however many packets overtake each other; but where dozens
 * are always on their way together and some get lost, the law can't be learned, and it is too sure.
 */
#ifndef PARTYLINE_OBSERVERS_TRANSIT_H
#define PARTYLINE_OBSERVERS_TRANSIT_H

#include "engine/base/ns.h"
#include "engine/observers/belief.h"

#define TRANSIT_LIFETIME (5 * NS_S)

enum { TRANSIT_MOST = 4096, TRANSIT_SLACK = 64, TRANSIT_ANY_FLOW = 0 };

struct transit_entry {
    ns_t when;
    uint32_t bytes;
    uint32_t from; /* at a server: who handed it in, or, of what leaves, who gets it */
    uint32_t flow; /* on a link: its connection; of what leaves, if none inside is of it: any */
};

enum transit_kind {
    TRANSIT_STREAM, /* a link in order and without loss */
    TRANSIT_DATAGRAM,
    TRANSIT_SERVER /* what it gets goes on to another, at most TRANSIT_SLACK bytes off */
};

/* Zeroed: empty. At most TRANSIT_MOST; what comes beyond is not followed. */
struct transit {
    struct transit_entry *entries; /* owned, oldest first */
    double *beliefs;               /* owned, width each */
    double *weights;               /* owned, one each: scratch */
    uint32_t head, n, cap;         /* n from head on */
    uint32_t learned;              /* how many packets the law comes from */
    double least, excess;          /* of a link's law: the least delay, the mean above it; ns */
};

void transit_free(struct transit *);
/* Times must not fall. */
void transit_arrive(struct transit *, const struct belief_shape *, const struct transit_entry *,
                    const double *b);
/* What leaves takes b. False, and the uniform vector: nothing inside could be it. */
bool transit_leave(struct transit *, const struct belief_shape *, enum transit_kind,
                   const struct transit_entry *out, double *b);

#endif
