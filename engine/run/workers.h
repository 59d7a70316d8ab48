/* Work in numbered pieces on several processes, with a progress bar on stderr when that is
 * a terminal. Pieces are taken in order; each worker takes the next one when it is free, and keeps
 * the memory that the last one gave back.
 */
#ifndef PARTYLINE_RUN_WORKERS_H
#define PARTYLINE_RUN_WORKERS_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct workers {
    unsigned jobs; /* 0: one a core */
    uint32_t n;
    bool quiet;
    const char *title;
    bool (*done_before)(void *ctx, uint32_t i); /* then piece i is left out */
    int (*work)(void *ctx, uint32_t i, uint64_t *events, struct err *e);
    void *ctx;
};

struct workers_report {
    uint32_t ran;
    uint64_t events;
    long peak_kib; /* of the largest worker */
    bool interrupted;
};

/* OK when every piece is done. SIGINT and SIGTERM let each worker finish its piece, then set
 * interrupted. An error is the first worker's; a worker that was killed (SIGKILL: the system's
 * answer to a want of memory) is ERR_NOMEM, one that died otherwise ERR_STATE. Workers end with
 * their parent, however it ends. */
int workers_run(const struct workers *, struct workers_report *, struct err *);

#endif
