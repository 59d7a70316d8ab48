/* A scenario: loaded, checked and resolved into cells.
 *
 * Loading reads the YAML, applies overrides (--set), checks every key against the table in
 * schema.c, expands the matrix, and resolves each cell into a struct trial_spec. All
 * findings go to one diag_list; there is a scenario only if there is none.
 *
 * Overrides and matrix axes name a path: a top-level key, or keys joined by dots; below a
 * list the next name is that of an entry (parties.alice.access). In `transport` and
 * `protocol` a path may go below a bare name (transport.layers). `parties.count` keeps the
 * first n parties. An override of a key that is an axis becomes that axis' only value.
 *
 * What a cell's trial_spec holds, beyond what world.h says:
 *  - roster: addresses are 2001:db8::/32 (RFC 3849) plus 1 + the node's index among all
 *    parties and services that the file describes, so that they are the same in every cell.
 *    Ports are 0, roster.identities is NULL: the runner fills in identities.
 *  - regions: those of the table in full. A scenario without `regions` uses aws; if also
 *    nobody names a region, one region "here" with a round trip of 0.5 ms.
 *  - inputs: n 0 for a party without input; values is never NULL here.
 *  - programs: the protocol's name, then option=value for every option in the order of its
 *    table, then parties=n. A file shows as its path and the hash of its content. A party's
 *    own `protocol: {option: value}` changes only what it believes, that is this text; the
 *    plan is one for all.
 *  - scenario_digest: XXH3 of the cell as cell_json prints it, but without inputs (only how
 *    many values each party has), seed, repeat, about and expect.
 *  - start times drawn from {uniform: d} depend on the cell's seed and the party's index.
 */
#ifndef PARTYLINE_RUN_SCENARIO_H
#define PARTYLINE_RUN_SCENARIO_H

#include "engine/run/diag.h"
#include "engine/run/expect.h"
#include "engine/world.h"

#include <jansson.h>

enum {
    SCENARIO_MAX_BYTES = 4 << 20,
    SCENARIO_MAX_CELLS = 10000,
    SCENARIO_MAX_NODES = 1 << 21, /* of a cell */
    SCENARIO_MAX_REPEAT = 1000000
};

/* key.path=value, as given to --set; value is YAML. */
struct scenario_set {
    const char *path, *value;
};

/* An axis of a cell, for display: a scalar as written, or a map's name; where that is not
 * unique in the axis, the map in full. */
struct cell_axis {
    const char *name, *value;
};

/* An entry of `expect` that applies to a cell. */
struct cell_expect {
    int line;
    const struct expect *expect; /* ->text is the expression as written */
};

struct cell {
    uint32_t index;
    const struct cell_axis *axes; /* in the order of the matrix */
    size_t n_axes;
    uint64_t seed;
    uint32_t repeat;
    struct trial_spec spec;
    const struct cell_expect *expects;
    size_t n_expects;
    json_t *json; /* cell_json's */
};

struct scenario_axis {
    const char *name;
    const char *const *values;
    size_t n;
};

struct scenario {
    const char *file;            /* the path as given */
    const struct source *source; /* for further findings: diag_add(list, s->source, ...) */
    const char *name, *about;    /* about: "" if not given */
    int64_t schema;
    uint64_t seed; /* as at the top level, before the matrix */
    uint32_t repeat;
    ns_t limit;
    const struct scenario_axis *axes;
    size_t n_axes;
    struct cell *cells; /* the last axis varies fastest */
    size_t n_cells;
    uint64_t digest; /* over name, axes and digests of all cells */
    struct arena arena;
};

/* Where regions/NAME.yaml and compute/NAME.yaml are: the folder "scenarios" of the program. Lent;
 * set once, before any load. Default "scenarios". */
void scenario_set_data_dir(const char *dir);
const char *scenario_data_dir(void);

/* OK with *out; ERR_INVALID, ERR_IO or ERR_NOMEM with at least one finding in the list
 * (*out is NULL then). */
int scenario_load(const char *path, const struct scenario_set *sets, size_t n_sets,
                  struct scenario **out, struct diag_list *diags);

/* What loading may read besides the scenario: files of OPT_FILE options (relative to the
 * scenario's folder), tables of regions and tables of costs. */
enum scenario_file { SCENARIO_FILE, SCENARIO_REGIONS, SCENARIO_COMPUTE };
struct scenario_reader {
    /* OK with *data (in the arena, *len bytes and a NUL) and *name, where it was found; or a
     * code and a sentence. */
    int (*read)(void *ctx, enum scenario_file kind, const char *path, struct arena *a,
                const char **name, const char **data, size_t *len, struct err *e);
    void *ctx;
};

/* The same from memory. Without a reader every file is refused. */
int scenario_load_text(const char *name, const char *text, size_t len,
                       const struct scenario_reader *reader, const struct scenario_set *sets,
                       size_t n_sets, struct scenario **out, struct diag_list *diags);

void scenario_free(struct scenario *s);

/* Everything resolved, defaults included. New references. Quantities are texts with their
 * unit, numbers are integers. A crowd is one entry. */
json_t *scenario_json(const struct scenario *s);
json_t *cell_json(const struct cell *c);
/* `partyline show`: the same as JSON with sorted keys, or in YAML's notation. */
void scenario_show(const struct scenario *s, FILE *out, bool json);

#endif
