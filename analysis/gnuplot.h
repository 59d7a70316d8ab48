/* gnuplot as a child process: it gets no input, no settings of the user, and a time limit. */
#ifndef PARTYLINE_ANALYSIS_GNUPLOT_H
#define PARTYLINE_ANALYSIS_GNUPLOT_H

#include "engine/base/err.h"

enum { GNUPLOT_LIMIT_S = 120 };

/* Runs a script in a folder. OK; ERR_ABSENT: there is no gnuplot, with a sentence that says how
 * to get it; ERR_FAULT: it failed, with the first thing it said, or took too long; ERR_IO. */
int gnuplot_run(const char *dir, const char *script, struct err *e);

#endif
