/* A trace as a space-time diagram: SVG, time downwards, a line for each node, an arrow for each
 * message from where and when it was sent to where and when it was handed over. What was lost is a
 * broken arrow with the name of its loss. Crashes, restarts, partitions and changed links are
 * marked. Black on white, told apart by shape and dashes, so that it can be printed in grey.
 *
 * Messages of the same two nodes that left and came at the same times share an arrow. Where
 * nothing happens for long, the time axis is cut, and says how much is left out. Messages that
 * never arrived and were not lost either (the trial ended first) are not in a trace.
 *
 * The same lines give the same bytes.
 */
#ifndef PARTYLINE_ANALYSIS_TRACE_SVG_H
#define PARTYLINE_ANALYSIS_TRACE_SVG_H

#include "engine/run/trace_line.h"

#include <stdio.h>

enum { TRACE_SVG_NODES = 40, TRACE_SVG_ARROWS = 2000 };

struct trace_svg_size {
    size_t nodes;
    uint64_t messages, lost; /* drawn */
    uint64_t left_out;       /* that it was too many for TRACE_SVG_ARROWS */
    ns_t from, until;        /* the first and the last moment of the picture */
};

/* Draws what passes the filter, of the lines of a trace; messages that are on their way at the
 * edges of its time are cut off there. Texts are foreign and escaped. ERR_FORMAT: a line is none
 * of a trace; ERR_ABSENT: there is nothing to draw; ERR_LIMIT: more than TRACE_SVG_NODES nodes;
 * ERR_NOMEM. Of a failing `out` nothing is said: see ferror. */
int trace_svg_write(FILE *lines, const struct trace_filter *, const char *title, FILE *out,
                    struct trace_svg_size *, struct err *);

#endif
