/* The table that `run` prints: a cell a line, its axes, then what was measured, with units
 * and intervals; below it what needs words: results, reasons, drops, expectations.
 */
#ifndef PARTYLINE_RUN_TABLE_H
#define PARTYLINE_RUN_TABLE_H

#include "engine/run/run.h"

/* colour: with ANSI escapes (a terminal, and NO_COLOR not set). */
void table_print(const struct run *, FILE *out, bool colour);

/* A quantity for people: three significant digits and a unit ("1.23 s", "48.1 KiB"). Returns
 * buf. unit is a metric's: ns, bytes, ppm, packets. */
const char *table_quantity(const char *unit, int64_t value, char *buf, size_t cap);

#endif
