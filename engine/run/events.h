/* What the files events*.c share. */
#ifndef PARTYLINE_RUN_EVENTS_H
#define PARTYLINE_RUN_EVENTS_H

#include "engine/run/resolve.h"
#include "engine/run/schema.h"

struct event_spot { /* what happens to a node, for checking their order */
    const struct action *action;
    const struct yaml_node *at;
};

struct eventing {
    struct resolving *r;
    struct action *actions;
    size_t n;
    const struct yaml_node **entries; /* of the actions */
    struct event_spot *spots;
    size_t n_spots;
    bool good;
};

#define EVENT_SAY(e, node, ...) ((e)->good = false, RESOLVE_SAY((e)->r, (node), __VA_ARGS__))

/* events_whom.c: what they concern. Each puts its findings. */
/* Exactly one node. False: it is not in this cell, or there is a finding. */
bool events_find_node(struct eventing *, const struct yaml_node *, uint32_t *id);
/* Two nodes, of `between` or of `from` and `to`. */
bool events_find_two(struct eventing *, const struct yaml_node *link, struct action *);
/* False if this cell has too few of the nodes that are named. */
bool events_find_sides(struct eventing *, const struct yaml_node *groups, struct action *);

/* events_check.c: do they agree with each other? */
void events_check(struct eventing *);

#endif
