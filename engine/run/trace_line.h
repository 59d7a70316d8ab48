/* The lines of a trace, read back and chosen from. engine/worlds/sim/sim.h describes those of the
 * world. Those of the layers within a node, which are told only if somebody asks, are
 *     TIME NODE send PEER BYTES PROTOCOL ROUND INSTANCE          the channel has taken a message
 *     TIME NODE deliver PEER BYTES SENT PROTOCOL ROUND INSTANCE  and hands one over
 *     TIME NODE emit PEER BYTES TRANSPORT                        the transport has taken a frame
 *     TIME NODE receive PEER BYTES TRANSPORT                     and hands one over
 *     TIME NODE channel PEER up | down | restarted | lost
 */
#ifndef PARTYLINE_RUN_TRACE_LINE_H
#define PARTYLINE_RUN_TRACE_LINE_H

#include "engine/base/err.h"
#include "engine/base/ns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct trial_spec;
struct trace_layer; /* engine/world.h */

#define TRACE_KINDS(X)                                                                             \
    X(START, "start")                                                                              \
    X(GO, "go")                                                                                    \
    X(TIMER, "timer")                                                                              \
    X(UP, "up")                                                                                    \
    X(DATA, "data")                                                                                \
    X(ROOM, "room")                                                                                \
    X(DOWN, "down")                                                                                \
    X(LOST, "lost")                                                                                \
    X(CRASH, "crash")                                                                              \
    X(RESTART, "restart")                                                                          \
    X(PARTITION, "partition")                                                                      \
    X(LINK, "link")                                                                                \
    X(HEAL, "heal")                                                                                \
    X(SEND, "send")                                                                                \
    X(DELIVER, "deliver")                                                                          \
    X(EMIT, "emit")                                                                                \
    X(RECEIVE, "receive")                                                                          \
    X(CHANNEL, "channel")

enum trace_kind {
#define X(name, text) TRACE_##name,
    TRACE_KINDS(X)
#undef X
        TRACE_COUNT
};
extern const char *const trace_kind_names[TRACE_COUNT];

/* Bits 1 << kind. */
enum {
    TRACE_OF_PROTOCOL = 1 << TRACE_SEND | 1 << TRACE_DELIVER,
    TRACE_OF_TRANSPORT = 1 << TRACE_EMIT | 1 << TRACE_RECEIVE,
    TRACE_OF_CHANNEL = 1 << TRACE_CHANNEL,
    TRACE_OF_LAYERS = TRACE_OF_PROTOCOL | TRACE_OF_TRANSPORT | TRACE_OF_CHANNEL,
    TRACE_OF_WORLD = ((1 << TRACE_COUNT) - 1) & ~TRACE_OF_LAYERS
};

struct trace_line {
    ns_t at, sent; /* sent: DATA, DELIVER; else at */
    enum trace_kind kind;
    const char *node; /* "-": the world */
    const char *peer; /* NULL: none; "-": nobody has that address */
    const char *more; /* UP: the address; DOWN: the reason; LOST: the drop; TIMER: its number; of a
                         layer: what follows */
    uint64_t bytes;   /* DATA, LOST, SEND, DELIVER, EMIT, RECEIVE */
};

/* A line of a layer, of the trial's cell. */
void trace_line_print(FILE *, const struct trial_spec *, const struct trace_layer *);

/* Reads a line, which is cut into the texts of *out. ERR_FORMAT: it is none; ERR_ABSENT: a comment
 * or empty. The text is foreign. */
int trace_line_parse(char *text, struct trace_line *out);

struct trace_pair {
    const char *a, *b;
};

struct trace_filter {
    const char **parties; /* any of these; none: all */
    size_t n_parties;
    const struct trace_pair *pairs; /* any of these; none: all */
    size_t n_pairs;
    unsigned kinds; /* bits 1 << kind; 0: all */
    ns_t from, until;
};

/* What a line must be to pass, but for its time: its kind is chosen; it happens at a chosen party
 * or between it and another; it happens between two that are a chosen pair, or is the crash or
 * restart of one of them. Lines of the world itself (partition, link, heal) concern all. */
bool trace_filter_concerns(const struct trace_filter *, const struct trace_line *);
/* The same between two nodes, for what has no line. */
bool trace_filter_between(const struct trace_filter *, const char *a, const char *b);
/* from <= t < until */
static inline bool trace_filter_when(const struct trace_filter *f, ns_t t)
{
    return f->from <= t && t < f->until;
}

#endif
