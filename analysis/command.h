/* The commands that repeat a run, or one trial of it, as one would type them: from the command
 * that the manifest keeps, or, for a run without one, from what else it says.
 */
#ifndef PARTYLINE_ANALYSIS_COMMAND_H
#define PARTYLINE_ANALYSIS_COMMAND_H

#include "analysis/load.h"

/* "partyline run ...", for a shell; malloc'd, NULL: no memory. What is no printable ASCII in it
 * was quoted; control characters are blanks. */
char *command_run(const struct load_run *);
/* "partyline trace ...": the trial in a cell. */
char *command_trace(const struct load_run *, const struct load_cell *, uint32_t trial);

#endif
