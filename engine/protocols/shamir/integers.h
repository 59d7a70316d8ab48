/* What integer programs have in common: inputs as text, results as signed integers.
 *
 * The result's bytes are its outputs as int64_t, 8 little-endian bytes each.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_INTEGERS_H
#define PARTYLINE_PROTOCOLS_SHAMIR_INTEGERS_H

#include "engine/crypto/field61.h"
#include "engine/protocols/shamir/programs.h"

/* "-12": ASCII digits, no leading zeros, no plus sign; low <= value <= high. OK or
 * ERR_FORMAT. */
int integers_parse(const char *text, int64_t low, int64_t high, int64_t *out);

/* Inputs from -limit to limit. */
void integers_limit(struct plan *, int64_t limit);

/* definition's functions */
size_t integers_result_len(const struct plan *, uint32_t n_outputs);
int integers_encode(const struct plan *, party_t, const struct input *, uint64_t *elements,
                    struct err *);
void integers_result(const struct plan *, const uint64_t *outputs, uint8_t *bytes);
/* By the program's `clear`. */
int integers_expect(const struct plan *, const struct input *, uint8_t *bytes, struct err *);

/* The k-th integer of a result. */
int64_t integers_get(const uint8_t *result, uint32_t k);

/* Adds to the text in buf; what does not fit is cut off. */
void integers_append(char *buf, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The largest integer whose square is at most v. */
uint64_t integers_sqrt(u128 v);

/* Does every party give at most n values, and are there at least `least` in all? */
int integers_admit(const struct plan *, uint32_t n, uint32_t least, struct err *);

/* A definition's members but for name, admit and encode. */
#define INTEGER_PROGRAM(prefix)                                                                    \
    .field = &field_p61, .build = prefix##_build, .result_len = integers_result_len,               \
    .result = integers_result, .expect = integers_expect, .print = prefix##_print,                 \
    .clear = prefix##_clear

#endif
