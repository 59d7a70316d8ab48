/* YAML as this project reads it: the intersection of YAML 1.1 and 1.2, plus merge keys.
 *
 * A text becomes a tree of nodes in an arena. Every scalar is kept as text: what it means is
 * decided by who reads it. Aliases share nodes, so the tree may be a graph without cycles;
 * nodes are constant once made, but for `seen`. Merge keys (<<: *a, <<: [*a, *b]) are
 * resolved: explicit keys win, then the earlier map of a list; merged pairs come last and
 * keep the position where they were written.
 *
 * Refused, each with its position: duplicate keys, keys that are no scalars, several
 * documents, tags, scalars that the two versions read differently (no, on, 010, 1:30, 1_000,
 * 0b1, 1e3, a date) or as null, NUL bytes, Jinja's braces, more than YAML_MAX_DEPTH levels,
 * more than YAML_MAX_NODES nodes with every alias counted in full.
 */
#ifndef PARTYLINE_RUN_YAML_H
#define PARTYLINE_RUN_YAML_H

#include "engine/run/diag.h"

#include <stdint.h>

enum {
    YAML_MAX_BYTES = 4 << 20,
    YAML_MAX_DEPTH = 32,
    YAML_MAX_NODES = 1000000,
    YAML_MAX_ANCHORS = 10000
};

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node;

struct yaml_item {
    struct yaml_node *key; /* a map's; NULL in a list */
    struct yaml_node *value;
};

struct yaml_node {
    enum yaml_kind kind;
    int line, column; /* from 1 */
    const struct source *source;
    const char *text; /* YAML_TEXT; NULL otherwise */
    struct yaml_item *items;
    uint32_t n;
    uint32_t weight; /* nodes from here on, each alias counted in full */
    uint8_t height;  /* levels below this one */
    bool quoted;
    bool refused;     /* there is a finding about this node already */
    bool valid;       /* for the reader: what it found out about this node */
    const void *seen; /* for the reader: as what it was looked at; NULL: not yet */
};

/* The root, or NULL with a finding: the text has no tree. Other findings mark their node as
 * `refused`, and the tree is given all the same, so that more can be found in it. The source
 * is lent to the nodes; the arena has a landing (arena.h). */
struct yaml_node *yaml_read(struct arena *a, const struct source *from, struct diag_list *diags);

/* A map's value, or NULL: none, or not a map. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The item itself: also its key. */
const struct yaml_item *yaml_item(const struct yaml_node *map, const char *key);

/* The same kind, texts and order of lists; the order of maps does not matter. */
bool yaml_equal(const struct yaml_node *a, const struct yaml_node *b);

/* In one line, in flow style: {name: mix, layers: 3}; cut, with "...", where buf ends.
 * Returns buf. */
const char *yaml_line(const struct yaml_node *node, char *buf, size_t cap);

/* May this text stand as a plain scalar anywhere? (Some that may are refused.) */
bool yaml_plain(const char *text);

/* Adds a finding at a node. */
#define yaml_say(diags, node, ...)                                                                 \
    diag_add((diags), (node)->source, (node)->line, (node)->column, __VA_ARGS__)

/* Why a plain scalar may not stand unquoted, in words that follow the scalar; or NULL. */
const char *yaml_ambiguous(const char *text);

#endif
