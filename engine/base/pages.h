/* Big pieces of memory, in huge pages where the system lends them: what many hosts keep is touched
 * far apart, and most of the time of that goes into finding the pages.
 *
 * They are malloc's, so that who runs many trials may have it keep what one gave back for the next
 * (mallopt): the system zeroes what it lends, which takes a fifth of a large trial's time.
 */
#ifndef PARTYLINE_BASE_PAGES_H
#define PARTYLINE_BASE_PAGES_H

#include <stddef.h>

/* A huge page but for what malloc needs of it: blocks follow each other without a gap. */
enum { PAGES_HUGE = 2 << 20, PAGES_BLOCK = PAGES_HUGE - 16 };

/* Uninitialised memory at the start of a cache line; from PAGES_BLOCK bytes on, of a huge page.
 * NULL: none left, or no bytes. */
void *pages_lend(size_t bytes);
/* The same, zeroed. */
void *pages_take(size_t bytes);
/* NULL is allowed. */
void pages_give(void *);

#endif
