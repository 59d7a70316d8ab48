#include "engine/base/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

enum { LINE = 64 };

void *pages_lend(size_t bytes)
{
    bool huge = bytes >= PAGES_BLOCK;
    size_t unit = huge ? PAGES_HUGE : LINE, spare = huge ? PAGES_HUGE - PAGES_BLOCK : 0;
    void *at = NULL;
    if (bytes == 0 || bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + spare + unit - 1) / unit * unit - spare;
    if (posix_memalign(&at, unit, bytes) != 0)
        return NULL;
    if (huge)
        madvise(at, bytes, MADV_HUGEPAGE); /* no: small pages will do */
    return at;
}

void *pages_take(size_t bytes)
{
    void *at = pages_lend(bytes);
    return at ? memset(at, 0, bytes) : NULL;
}

void pages_give(void *at)
{
    free(at);
}
