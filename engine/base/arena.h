/* A bump allocator: what is loaded together is freed together.
 *
 * Memory is zeroed and aligned for any type. Blocks come from malloc; `cap` bounds their
 * sum. With a landing set, exhaustion (the cap, or no memory) jumps there with
 * longjmp(*landing, 1) instead of returning NULL, so that a loader with many small
 * allocations has one place that handles their failure. Whoever sets a landing holds no
 * other resource in the frames it jumps over.
 */
#ifndef PARTYLINE_BASE_ARENA_H
#define PARTYLINE_BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the newest first */
    size_t used, cap;           /* bytes taken from malloc, at most cap */
    jmp_buf *landing;           /* NULL: exhaustion returns NULL */
};

void arena_init(struct arena *a, size_t cap);
/* size 0 is given one byte. */
void *arena_alloc(struct arena *a, size_t size);
/* n * size, checked for overflow. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of len bytes with a NUL behind them. */
char *arena_text(struct arena *a, const char *text, size_t len);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Frees everything; the arena is empty and may be used again. */
void arena_free(struct arena *a);

#endif
