/* Big pieces of memory, in huge pages where the system lends them: what many hosts keep is touched
 * far apart, and most of the time of that goes into finding the pages.
 */
#ifndef PARTYLINE_BASE_PAGES_H
#define PARTYLINE_BASE_PAGES_H

#include <stddef.h>

enum { PAGES_HUGE = 2 << 20 };

/* Zeroed memory at the start of a cache line; from PAGES_HUGE bytes on, of a huge page. NULL: none
 * left, or no bytes. */
void *pages_take(size_t bytes);
/* The same number of bytes. NULL is allowed. */
void pages_give(void *, size_t bytes);

#endif
