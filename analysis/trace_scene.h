/* What a space-time diagram shows, read from the lines of a trace, and where on its time axis.
 */
#ifndef PARTYLINE_ANALYSIS_TRACE_SCENE_H
#define PARTYLINE_ANALYSIS_TRACE_SCENE_H

#include "analysis/trace_svg.h"

enum { SCENE_WORLD = -1, SCENE_WHY = 64 };

struct scene_node {
    char *name;
    int column; /* -1: nothing of it is shown */
    bool down;  /* crashed before the window begins */
};

struct scene_arrow {
    int from, to; /* nodes; to SCENE_WORLD: an address that nobody has */
    ns_t sent, came;
    uint64_t bytes, count;
    bool lost; /* `came` is when its fate was known */
    char why[SCENE_WHY];
};

struct scene_mark {
    enum trace_kind kind;
    int node; /* or SCENE_WORLD */
    ns_t at;
    char why[SCENE_WHY];
};

struct scene {
    struct scene_node *nodes;
    uint32_t *places; /* 1 + node by its name's hash, open addressing; a power of two of them */
    size_t n_places;
    struct scene_arrow *arrows;
    struct scene_mark *marks;
    size_t n_nodes, n_arrows, n_marks, n_columns;
    size_t cap_nodes, cap_arrows, cap_marks, cap_moments;
    ns_t *moments; /* where something happens, rising */
    int *heights;  /* of each, in tenths of a pixel from the first */
    size_t n_moments;
    struct trace_svg_size size;
    int depth; /* of partitions and changed links, at the beginning of the window */
};

/* Reads the lines, chooses, and lays out the axis. Errors: trace_svg_write. */
int scene_read(struct scene *, FILE *lines, const struct trace_filter *, struct err *);
void scene_free(struct scene *);

/* A moment's place on the axis; before the first it is 0, behind the last the whole height. */
int scene_height(const struct scene *, ns_t);
/* More than this much between two moments is cut. In tenths of a pixel. */
enum { SCENE_GAP = 600 };

#endif
