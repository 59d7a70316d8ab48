/* Ports for nodes on loopback: blocks of UVPLACE_PORTS out of 20000 to 32735, below those that the
 * system hands out by itself. A block that is taken is marked by an abstract Unix socket, so that
 * nobody else of us takes it, and is free again when its process ends, however it ends.
 */
#ifndef PARTYLINE_RUN_LOCAL_PORTS_H
#define PARTYLINE_RUN_LOCAL_PORTS_H

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { LOCAL_PORTS_MAX = 64 };

struct local_ports {
    uint16_t first[LOCAL_PORTS_MAX]; /* of each block */
    int locks[LOCAL_PORTS_MAX];
    size_t n;
};

/* n blocks whose first ports nobody listens at. OK or ERR_LIMIT; give them back in either case. */
int local_ports_take(struct local_ports *, size_t n, struct err *);
void local_ports_give(struct local_ports *);

#endif
