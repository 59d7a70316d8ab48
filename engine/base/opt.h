/* Option tables: how a plugin (and the scenario itself) declares what it can be told.
 *
 * One table gives validation, defaults, --help, `list`, the JSON Schema and the
 * README's reference. Every value is stored in the plugin's own options struct at
 * `offset`: integers of all kinds as int64_t, texts as const char * (lent: the
 * scenario outlives the trial), files as struct opt_file (lent likewise).
 *
 * Quantities carry a unit: durations 20ms (ns us ms s min h d), sizes 64KiB (B KB MB GB
 * KiB MiB GiB), rates 100Mbit (bit Kbit Mbit Gbit, per second), ratios 1.5% (stored as
 * parts per million). A fraction is allowed (2.5ms) if the result is a whole number of
 * the stored unit; 0 needs no unit. Parsing is ASCII, locale-free and exact (no double).
 */
#ifndef PARTYLINE_BASE_OPT_H
#define PARTYLINE_BASE_OPT_H

#include "engine/base/err.h"
#include "engine/base/ns.h"

#include <stddef.h>
#include <stdint.h>

enum opt_type {
    OPT_INT,      /* int64_t */
    OPT_BOOL,     /* int64_t 0 or 1; spelt true, false */
    OPT_DURATION, /* int64_t nanoseconds */
    OPT_BYTES,    /* int64_t bytes */
    OPT_RATE,     /* int64_t bits per second */
    OPT_RATIO,    /* int64_t parts per million */
    OPT_CHOICE,   /* int64_t index into choices */
    OPT_TEXT,     /* const char * */
    OPT_FILE      /* struct opt_file; the path is relative to the scenario's folder */
};

struct opt_file {
    const char *path; /* as written, for messages; NULL: not given */
    const uint8_t *data;
    size_t len;
};

struct opt {
    const char *name;
    enum opt_type type;
    size_t offset;
    const char *fallback;       /* as a person would write it; NULL: zero or absent */
    int64_t min, max;           /* of the stored integer; both 0: the type's own range */
    const char *const *choices; /* OPT_CHOICE: NULL-terminated */
    const char *help;           /* one sentence */
};

/* A table ends with an entry whose name is NULL. */

/* Parses one quantity of the given type (not CHOICE, TEXT, FILE) into *out.
 * On error e says what was expected ("expected a duration such as 20ms"). */
int opt_parse(enum opt_type type, const char *text, int64_t *out, struct err *e);

/* Sets one option from its text. FILE options are set by the caller that can read files. */
int opt_set(const struct opt *o, void *opts, const char *text, struct err *e);

/* Sets every option of the table to its fallback (or zero). An invalid fallback is a bug. */
void opt_defaults(const struct opt *table, void *opts);

const struct opt *opt_find(const struct opt *table, const char *name);

/* The stored value in the way a person would write it, canonical: 20ms, 1.5%, true.
 * Returns buf. */
const char *opt_print(const struct opt *o, const void *opts, char *buf, size_t cap);
/* The same for a bare quantity. */
const char *opt_print_value(enum opt_type type, int64_t value, char *buf, size_t cap);

/* What a value of this type looks like: "a duration such as 20ms". */
const char *opt_expects(enum opt_type type);

#endif
