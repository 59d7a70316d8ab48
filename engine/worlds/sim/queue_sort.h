/* Sorting by time; equal times stay in the order in which they are.
 *
 * One pass deals the items out by the highest bits in which they differ, into about as many cells
 * as there are items, and an insertion sort does the rest. When a cell is crowded (the times lie
 * in clusters), all digits are dealt out instead, the lowest first: a radix sort, whose cost no
 * distribution can raise.
 */
#ifndef PARTYLINE_WORLDS_SIM_QUEUE_SORT_H
#define PARTYLINE_WORLDS_SIM_QUEUE_SORT_H

#include "engine/worlds/sim/queue.h"

/* n up to 65,535. *items and *other hold n items each, and change places if need be: what is
 * sorted is in *items afterwards. A bit that differs between two of the times is set in
 * `differ`. */
void queue_sort(struct queue_item **items, struct queue_item **other, uint32_t n, uint64_t differ);

#endif
