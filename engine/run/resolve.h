/* Between the files that turn a scenario's tree into cells; nobody else includes this.
 *
 * scenario.c loads, matrix.c makes each cell's tree, cell.c resolves it with the help of
 * hosts.c, roles.c, regions.c, events.c and when.c, show.c writes it down. The tree has been
 * checked against the schema before, and every wrong key or value has its finding: what resolving
 * finds wrong in shape or type it silently takes as not given, so that one pass finds all
 * there is to find. Everything is allocated in the scenario's arena, which has a landing.
 */
#ifndef PARTYLINE_RUN_RESOLVE_H
#define PARTYLINE_RUN_RESOLVE_H

#include "engine/run/names.h"
#include "engine/run/scenario.h"
#include "engine/run/yaml.h"
#include "engine/worlds/link/nat_spec.h"

#include <jansson.h>

/* ---- matrix.c -------------------------------------------------------------------------- */

/* What replaces a key of the tree: an axis (by one of its values) or an override. */
struct change {
    const char *path;
    const struct yaml_node *at; /* for findings: the axis' key, or the override */
    struct yaml_node **values;  /* an override has one */
    const char **shown;
    size_t n;
    const struct yaml_node *written; /* an axis' list in the file; NULL: an override */
    size_t stride;                   /* cells until the next value; 0: not an axis */
    unsigned depth;                  /* names in the path */
};

/* A cell's tree. */
struct tree {
    struct yaml_node *root;
    struct yaml_node *first_parties; /* parties.count; NULL: all */
};

/* ---- what loading keeps ---------------------------------------------------------------- */

/* Something made once and used by several cells. */
struct memo {
    const char *kind;
    const void *node;
    uint32_t n;
    const char *path;
    const void *made; /* NULL: it failed and has its finding */
    struct memo *next;
};

struct expectation {
    const struct yaml_node *when;
    struct cell_expect expect;
};

struct loading {
    struct scenario *s;
    struct arena *arena;  /* the scenario's */
    struct arena scratch; /* emptied after each cell */
    struct diag_list *diags;
    size_t said_before; /* findings when loading began */
    const struct scenario_reader *reader;
    const struct scenario_set *sets;
    size_t n_sets;
    struct source *set_sources;
    unsigned n_sources;
    struct tree base;       /* with overrides, before the matrix */
    struct change *changes; /* axes first, as written, then overrides */
    struct change **order;  /* the same, the shortest paths first */
    size_t n_changes, n_axes;
    struct expectation *expects;
    size_t n_expects;
    struct memo *memos;
};

/* Reads overrides and axes into l->changes and l->base. False after a finding that leaves no
 * tree. */
bool matrix_read(struct loading *l, struct yaml_node *root);
/* Fills l->s->axes and counts the cells; false after a finding. */
bool matrix_axes(struct loading *l);
struct tree matrix_tree(struct loading *l, size_t cell);
/* Which value of a change a cell has. */
size_t matrix_choice(const struct change *c, size_t cell);
/* What stands at a path of a tree; NULL: nothing. */
struct yaml_node *matrix_at(const struct tree *t, const char *path);

/* ---- a cell ---------------------------------------------------------------------------- */

/* An entry of `parties` or `services`. */
struct group {
    const struct yaml_node *node;
    const char *name, *role;
    const char *const *members; /* the names of all `count` */
    uint32_t count;             /* as described */
    uint32_t index;             /* of its first among all that the file describes */
    uint32_t id;                /* of its first in this cell */
    uint32_t present;           /* so many are in this cell */
    bool service, crowd;
    bool implicit;           /* a service that the file does not list; node: the transport */
    const uint32_t *regions; /* one a member */
    const struct yaml_node *region;
    struct access access;
    enum nat_kind nat;
    const char *nat_named, *nat_box;     /* the box's name as written, and in host_spec */
    const struct nat_spec *nat_spec;     /* as in host_spec */
    const struct nat_share *const *nats; /* one a member, of a crowd with shares; else NULL */
    ns_t start, start_uniform;           /* uniform: drawn from start on; else 0 */
    int64_t start_days;                  /* and on one of so many days */
    struct input input;
};

struct resolving {
    struct loading *l;
    struct cell *cell;
    struct tree tree;
    struct group *groups;
    size_t n_groups;
    struct roster *roster;
    struct roster_entry *entries;
    struct host_spec *hosts;
    uint8_t *regions_used; /* one a region of the table */
    struct names nodes;    /* name to id */
    struct names absent;   /* name of one that is not in this cell, to group */
    struct names crowds;   /* name to group */
    struct names boxes;    /* name of a NAT to the first group behind it */
    struct names carriers; /* the same of those behind which other NATs are */
    const char *compute;   /* "none", or NULL: a table in spec.costs */
    bool regions_good, hosts_good, transport_good, protocol_good;
};

#define RESOLVE_SAY(r, node, ...) yaml_say((r)->l->diags, (node), __VA_ARGS__)

/* Resolves cell->index. Once there is a finding in any cell, only further ones are looked for:
 * the cell may be left incomplete. */
void cell_resolve(struct loading *l, struct cell *cell);
/* A filled options struct. from: NULL, a name, or a map; what of it is no option is passed
 * over. False in *good after a finding (never set to true). */
void *cell_options(struct loading *l, const struct opt *table, size_t size,
                   const struct yaml_node *from, bool *good);
/* "shamir threshold=1 program=maximum parties=5" */
const char *cell_program(struct loading *l, const struct protocol *p, const void *opts,
                         uint32_t n_parties);

/* hosts.c: groups, roster, hosts, inputs. */
void hosts_resolve(struct resolving *r);
/* "name", letters first, then also digits, _ and -, at most 63. */
bool hosts_good_name(const char *name);

/* roles.c: a group's role. A party's; the protocol's first unless it is given. */
void roles_party(struct resolving *r, struct group *g);
/* A service's; false: this cell's plugins don't have it, so it is not in the cell. */
bool roles_service(struct resolving *r, struct group *g);
/* 0: parties, 1: the protocol's services, 2: the transport's. */
unsigned roles_rank(const struct resolving *r, const struct group *g);
/* Are there as many of each role as the protocol wants? */
void roles_check(struct resolving *r);

/* place.c: a group's regions, access, NAT, start, input. */
void place_resolve(struct resolving *r, struct group *g);
#define RESOLVE_ROW(g, key) ((g)->service ? "services[]." key : "parties[]." key)

struct place_share {
    uint32_t region; /* or whatever is shared out */
    int64_t ppm;
    uint32_t n, given;
};
/* Sets each share's n, so that they add up to count: largest remainder; of equal ones the first. */
void place_apportion(struct place_share *shares, uint32_t n, uint32_t count);

/* nats.c: a group's NAT; afterwards, services that nobody can reach. */
void nats_resolve(struct resolving *r, struct group *g);
void nats_check(struct resolving *r);
/* The share of a kind in a map of shares, in ppm; 0: none. */
int64_t nats_share(const struct group *g, size_t kind, const struct yaml_node *map);
/* nats_show.c */
json_t *nats_json(const struct group *g);

/* regions.c: spec.regions; regions_good. */
void regions_resolve(struct resolving *r);

/* events.c: spec.actions, spec.links; tcp.c's spec.tcp. */
void events_resolve(struct resolving *r);
extern const char *const events_kinds[]; /* by enum action_kind */

/* when.c: reads `expect` into l->expects; and those that hold for a cell. */
void when_read(struct loading *l);
void when_resolve(struct resolving *r);

/* A file or table through the reader, once; NULL with a finding at the node. */
const struct opt_file *loading_file(struct loading *l, const struct yaml_node *at,
                                    const char *path);
struct yaml_node *loading_table(struct loading *l, const struct yaml_node *at, enum scenario_file,
                                const char *name);
/* The memo of that kind and key; new ones have made == NULL and fresh set. */
struct memo *loading_memo(struct loading *l, const char *kind, const void *node, uint32_t n,
                          const char *path, bool *fresh);

/* show.c: cell->json and spec.scenario_digest. */
void show_cell(struct resolving *r);

#endif
