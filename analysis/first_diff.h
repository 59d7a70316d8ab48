/* Where two runs of a deterministic world part: the first trial whose events differ, and in it the
 * first event that does, with its neighbours. It is read from the recordings, if both folders hold
 * that trial's (traces/<cell>-<trial>.txt, written by `partyline run --trace`), else from the logs
 * of events that every run keeps (engine/run/evlog.h). Beyond the events that a log keeps it says
 * between which events, and when. Folders without a log have only digests: then it says why, and
 * which command shows that trial.
 */
#ifndef PARTYLINE_ANALYSIS_FIRST_DIFF_H
#define PARTYLINE_ANALYSIS_FIRST_DIFF_H

#include "analysis/load.h"

enum { FIRST_DIFF_CONTEXT = 3, FIRST_DIFF_SIDE = 1 + FIRST_DIFF_CONTEXT, FIRST_DIFF_LINE = 240 };

struct first_diff {
    bool found;    /* a trial differs */
    bool in_event; /* its events differ; else only what was counted */
    size_t cell;   /* of run a */
    uint32_t trial;
    uint64_t digest_a, digest_b;
    char command[1024]; /* shows the trial */

    bool traced;        /* the event is shown; if not: */
    char untraced[320]; /* why, or where to look */
    bool logged;        /* what is shown is of the logs: `line` counts events */
    unsigned long line; /* from 1; 0: nothing is shown */
    /* Printable text: the lines before, and from the first differing one on, on each side. */
    char before[FIRST_DIFF_CONTEXT][FIRST_DIFF_LINE];
    char a[FIRST_DIFF_SIDE][FIRST_DIFF_LINE], b[FIRST_DIFF_SIDE][FIRST_DIFF_LINE];
    unsigned n_before, n_a, n_b; /* n_a 0: that side ends here */
};

/* cells_b[i]: the cell of b that is cell i of a. Compares the trials that both have. */
void first_diff_find(const struct load_run *a, const struct load_run *b, const size_t *cells_b,
                     struct first_diff *out);

#endif
