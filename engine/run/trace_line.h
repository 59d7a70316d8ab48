/* The lines of a trace (engine/worlds/sim/sim.h describes them), read back and chosen from.
 */
#ifndef PARTYLINE_RUN_TRACE_LINE_H
#define PARTYLINE_RUN_TRACE_LINE_H

#include "engine/base/err.h"
#include "engine/base/ns.h"

#include <stdbool.h>
#include <stddef.h>

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
    X(HEAL, "heal")

enum trace_kind {
#define X(name, text) TRACE_##name,
    TRACE_KINDS(X)
#undef X
        TRACE_COUNT
};
extern const char *const trace_kind_names[TRACE_COUNT];

struct trace_line {
    ns_t at, sent; /* sent: DATA; else at */
    enum trace_kind kind;
    const char *node; /* "-": the world */
    const char *peer; /* NULL: none; "-": nobody has that address */
    const char *more; /* UP: the address; DOWN: the reason; LOST: the drop; TIMER: its number */
    uint64_t bytes;   /* DATA, LOST */
};

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
