/* The assignment problem: which sender goes with which receiver, one each, so that the weights
 * together are largest. The Hungarian method with potentials (Kuhn 1955; Jonker and Volgenant
 * 1987), O(n^3).
 */
#ifndef PARTYLINE_OBSERVERS_ASSIGN_H
#define PARTYLINE_OBSERVERS_ASSIGN_H

#include <stdint.h>

enum { ASSIGN_MOST = 1024 };

/* weight[row * n + column]; to[row] is its column. Among equals the one that lower rows and
 * columns lead to. n in 1 .. ASSIGN_MOST. OK, ERR_INVALID, ERR_NOMEM. */
int assign_best(const double *weight, uint32_t n, uint32_t *to);

#endif
