/* Where two runs of a deterministic world part: the first trial whose events differ, and, if both
 * folders hold its recording (traces/<cell>-<trial>.txt, written by `partyline run --trace`), the
 * first differing line with its neighbours. Without recordings there are only digests: then it
 * says which command shows that trial.
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
    char command[256]; /* shows the trial */

    bool traced;        /* both recordings are there and differ; if not: */
    char untraced[160]; /* why */
    unsigned long line; /* from 1; 0: the recordings don't differ */
    /* Printable text: the lines before, and from the first differing one on, on each side. */
    char before[FIRST_DIFF_CONTEXT][FIRST_DIFF_LINE];
    char a[FIRST_DIFF_SIDE][FIRST_DIFF_LINE], b[FIRST_DIFF_SIDE][FIRST_DIFF_LINE];
    unsigned n_before, n_a, n_b; /* n_a 0: that side ends here */
};

/* cells_b[i]: the cell of b that is cell i of a. Compares the trials that both have. */
void first_diff_find(const struct load_run *a, const struct load_run *b, const size_t *cells_b,
                     struct first_diff *out);

#endif
