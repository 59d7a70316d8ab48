/* Into a cache before its time: a hint, which changes nothing but how long things take.
 *
 * With many hosts, what a message touches is in no cache, and one miss after another is most of
 * what a simulation waits for; who knows what comes next fetches it while other things go on.
 */
#ifndef PARTYLINE_BASE_FETCH_H
#define PARTYLINE_BASE_FETCH_H

#include <stdint.h>

/* So many cache lines from there on; any address will do. The empty statement is no ornament: gcc
 * takes a function that only fetches for one without effect, and drops all calls of it. */
static inline void fetch(const void *what, int lines)
{
    for (int i = 0; i < lines; i++)
        __builtin_prefetch((const void *)((uintptr_t)what + (uintptr_t)i * 64));
    __asm__ volatile("");
}

#endif
