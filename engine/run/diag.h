/* What is wrong with what a person wrote: all of it, each at its place.
 *
 * A finding is printed as
 *     FILE:LINE:COLUMN: what is wrong, what was expected, did you mean "x"?
 * and beneath it the offending line with a caret. Lines and columns count from 1, columns
 * in characters. Line 0: the file as a whole; column 0: the line as a whole (no caret).
 * Findings are printed once each, in the order of their sources and positions.
 */
#ifndef PARTYLINE_RUN_DIAG_H
#define PARTYLINE_RUN_DIAG_H

#include "engine/base/arena.h"

#include <stdbool.h>
#include <stdio.h>

enum { DIAG_MAX = 1000 }; /* further findings are only counted */

/* A text that findings point into. Needed only during diag_add. */
struct source {
    const char *name; /* as printed: the path as given */
    const char *text;
    size_t len;
    unsigned order; /* sources are printed in this order */
};

struct diag {
    const char *file, *text;
    const char *shown; /* the offending line, or NULL */
    unsigned order;
    int line, column;
};

struct diag_list {
    struct arena arena;
    struct diag *items;
    size_t n, cap;
    size_t more; /* how many were not kept */
    size_t said; /* calls of diag_add, repetitions included */
};

void diag_init(struct diag_list *list);
void diag_free(struct diag_list *list);
/* Copies all it needs. A finding that is there already is not added again. */
void diag_add(struct diag_list *list, const struct source *from, int line, int column,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Sorts the list by source and position. */
void diag_sort(struct diag_list *list);
/* Sorts and prints all. */
void diag_print(struct diag_list *list, FILE *out);

/* text in double quotes, made fit for a terminal (controls as \xNN) and cut to a bearable
 * length. Returns buf. */
const char *diag_quote(const char *text, char *buf, size_t cap);

#endif
