/* exposure.csv of a results folder (RFC 4180): a line for each fact that a party, a service or an
 * ISP learned in a cell, over all trials of the cell. It follows from trials/ alone, so that who
 * reads the folder can tell whether it is the run's.
 */
#ifndef PARTYLINE_RUN_EXPOSURE_CSV_H
#define PARTYLINE_RUN_EXPOSURE_CSV_H

#include "engine/run/tally.h"

#include <stdio.h>

void exposure_csv_head(FILE *);
/* The lines of a cell; name as outputs_cell_name gives it. */
void exposure_csv_cell(FILE *, const char *name, const struct tally *);

#endif
