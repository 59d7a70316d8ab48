/* From a program to a schedule: gates are sorted by the round that they wait for, outputs
 * are opened together in the last round, local gates that nobody reads are left out, and
 * every other gate gets a slot (schedule.h). Linear in the number of gates.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_COMPILE_H
#define PARTYLINE_PROTOCOLS_SHAMIR_COMPILE_H

#include "engine/protocols/shamir/program.h"
#include "engine/protocols/shamir/schedule.h"

/* For m parties and threshold t, 1 <= t, 2t + 1 <= m (asserted). p is changed, and only good
 * for program_free afterwards. OK, ERR_NOMEM, ERR_LIMIT. After an error *s is empty. */
int compile_program(struct schedule *s, struct program *p, uint32_t m, uint32_t t);

#endif
