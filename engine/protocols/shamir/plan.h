/* What all parties of a cell share: the program that the scenario asks for, compiled for
 * its parties and threshold; constant during trials.
 *
 * Options (struct shamir_opts): program, threshold (-1: the highest, (n - 1) / 2 rounded
 * down), circuit, candidates. Refused with a sentence: fewer than 3 parties (with two, one
 * alone would see both inputs), a threshold above (n - 1) / 2 or of 0, inputs that do not
 * suit the program, a circuit file that is malformed or has more input values than there
 * are parties, programs above PROGRAM_GATES_MAX or PLAN_MESSAGE_MAX.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_PLAN_H
#define PARTYLINE_PROTOCOLS_SHAMIR_PLAN_H

#include "engine/protocol.h"
#include "engine/protocols/shamir/bristol.h"
#include "engine/protocols/shamir/schedule.h"

enum { PLAN_MESSAGE_MAX = 16 << 20, PLAN_CANDIDATES_MAX = 1000 };

struct shamir_opts {
    int64_t program; /* index into plan_choices */
    int64_t threshold, candidates;
    struct opt_file circuit;
};

struct plan {
    const struct definition *program; /* programs.h */
    struct schedule schedule;
    const struct roster *roster; /* lent by the scenario, for names */
    uint32_t parties, threshold;
    uint32_t *given;   /* by each party: the scalars of its `input:` */
    uint32_t values;   /* by all */
    int64_t low, high; /* limits of an integer input */
    uint32_t candidates;
    size_t result_len;
    struct bristol circuit; /* empty unless that is the program */
};

extern const char *const plan_choices[]; /* "auto", then every program; NULL */

/* struct protocol's functions of the same names. */
int plan_new(const struct protocol_shape *, void **plan, struct err *);
void plan_free(void *plan);
int plan_check_input(const void *plan, party_t who, const struct input *, struct err *);
int plan_verify(const struct protocol_shape *, const void *plan, const struct outcome *,
                struct err *);
void plan_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap);

static inline const char *plan_name(const struct plan *p, party_t who)
{
    return p->roster->entries[who].name;
}

#endif
