/* What the observers found, printed beneath the table of `run`: cost against privacy, and a line a
 * metric and place; where there are many of them, beside the former, their number alone. */
#ifndef PARTYLINE_RUN_PRIVACY_TABLE_H
#define PARTYLINE_RUN_PRIVACY_TABLE_H

#include "engine/run/run.h"

/* Nothing if there are no findings. */
void privacy_table_print(const struct run *, FILE *out, bool colour);

#endif
