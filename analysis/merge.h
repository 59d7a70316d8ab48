/* Joins runs that were made in parts, on one machine or several, into one run's folder.
 *
 * The parts must be of one scenario (all of it but seed and repeat), one world, one version and
 * revision of the program; what differs is which cells and which trials they have. Trials are
 * numbered anew, part by part. In a deterministic world a trial (cell, seed) that several parts
 * have counts once, and must be the same in all; in a real one they are two measurements.
 *
 * Everything is made from the parts' trials again: histograms merge without loss, expectations
 * are judged over all trials. Parts with disjoint cells of one matrix give the bytes of the run
 * in one piece, but for manifest.json's run and merged, and env.json.
 */
#ifndef PARTYLINE_ANALYSIS_MERGE_H
#define PARTYLINE_ANALYSIS_MERGE_H

#include "analysis/load.h"
#include "engine/run/run.h"

/* OK, and the run's exit code in *code. Else nothing that passes for a run is in the folder:
 * ERR_EXISTS (the folder is a run already), ERR_MISMATCH (a mixture, with the reason), or
 * those of load.h. */
int merge_runs(const char *const *dirs, size_t n, const char *out, int *code, struct err *);

#endif
