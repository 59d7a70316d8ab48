/* The files of a results folder, as INTERFACE.md describes them: manifest.json, summary.json,
 * latency.hlog, exposure.csv, digest, env.json, verdict.json. What depends on the machine
 * goes to env.json alone.
 */
#ifndef PARTYLINE_RUN_OUTPUTS_H
#define PARTYLINE_RUN_OUTPUTS_H

#include "engine/run/run.h"

/* Before the first trial: what the folder is about. */
int outputs_manifest(const struct run *, struct err *);
/* After the last one, and after judging: all the others. */
int outputs_write(const struct run *, int exit_code, struct err *);

/* summary.json's content, a new reference; `run --json` prints it. */
json_t *outputs_summary(const struct run *);

/* "transport=direct/parties.count=3", "" for a scenario without a matrix; at most cap bytes. */
const char *outputs_cell_name(const struct cell *, char *buf, size_t cap);

#endif
