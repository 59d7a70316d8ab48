#include "engine/base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

enum { LINE = 64 };

static size_t whole(size_t bytes, size_t unit)
{
    return bytes > SIZE_MAX - unit ? 0 : (bytes + unit - 1) / unit * unit;
}

/* Mapped with a huge page to spare, which is cut off before and behind. */
static void *map_huge(size_t bytes)
{
    size_t all = whole(bytes, PAGES_HUGE) + PAGES_HUGE, before;
    char *at;
    if (all <= bytes)
        return NULL;
    at = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    before = (PAGES_HUGE - (uintptr_t)at % PAGES_HUGE) % PAGES_HUGE;
    if (before)
        munmap(at, before);
    if (before < PAGES_HUGE)
        munmap(at + all - (PAGES_HUGE - before), PAGES_HUGE - before);
    madvise(at + before, all - PAGES_HUGE, MADV_HUGEPAGE); /* no: small pages will do */
    return at + before;
}

void *pages_take(size_t bytes)
{
    void *at;
    if (bytes >= PAGES_HUGE)
        return map_huge(bytes);
    at = bytes ? aligned_alloc(LINE, whole(bytes, LINE)) : NULL;
    return at ? memset(at, 0, bytes) : NULL;
}

void pages_give(void *at, size_t bytes)
{
    if (at && bytes >= PAGES_HUGE)
        munmap(at, whole(bytes, PAGES_HUGE));
    else
        free(at);
}
