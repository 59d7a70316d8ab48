/* What the observers found, a line a metric and place: printed beneath the table of `run`. */
#ifndef PARTYLINE_RUN_PRIVACY_TABLE_H
#define PARTYLINE_RUN_PRIVACY_TABLE_H

#include "engine/run/run.h"

/* Nothing if there are no findings. */
void privacy_table_print(const struct run *, FILE *out, bool colour);

#endif
