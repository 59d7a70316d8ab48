/* A comparison for people: text for a terminal, a Markdown table for a pull request, JUnit for a
 * CI server. What came from a run's folder is printed as printable ASCII, escaped for its format.
 */
#ifndef PARTYLINE_ANALYSIS_SHOW_COMPARE_H
#define PARTYLINE_ANALYSIS_SHOW_COMPARE_H

#include "analysis/compare.h"

/* One line: scenario, world, verdict, reason. */
void show_compare_line(const struct compare *, FILE *);
/* colour: with ANSI escapes. */
void show_compare_text(const struct compare *, FILE *, bool colour);
void show_compare_markdown(const struct compare *, FILE *);
/* A test case a cell, and one for the whole. */
void show_compare_junit(const struct compare *, FILE *);

#endif
