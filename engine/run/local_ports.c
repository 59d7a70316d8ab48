#include "engine/run/local_ports.h"

#include "engine/worlds/uv/uvplace.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

enum { PORT_FIRST = 20000, BLOCKS = (32768 - PORT_FIRST) / UVPLACE_PORTS };

/* Kept by nobody else as long as the descriptor is open; -1: it is taken. */
static int lock_block(unsigned block)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "partyline-ports-%u", block);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t)len;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&name, size) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Could a node listen there now? */
static bool port_free(uint16_t port, int type)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    bool free_now;
    if (fd < 0)
        return false;
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    free_now = bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
               (type != SOCK_STREAM || listen(fd, 1) == 0);
    close(fd);
    return free_now;
}

static bool block_free(unsigned block)
{
    for (unsigned k = 0; k < UVPLACE_ACCEPTS; k++) {
        uint16_t port = (uint16_t)(PORT_FIRST + block * UVPLACE_PORTS + k);
        if (!port_free(port, SOCK_STREAM) || !port_free(port, SOCK_DGRAM))
            return false;
    }
    return true;
}

int local_ports_take(struct local_ports *p, size_t n, struct err *e)
{
    unsigned from = (unsigned)getpid();
    p->n = 0;
    for (unsigned i = 0; i < BLOCKS && p->n < n && n <= LOCAL_PORTS_MAX; i++) {
        unsigned block = (from + i) % BLOCKS;
        int fd = lock_block(block);
        if (fd < 0)
            continue;
        if (!block_free(block)) {
            close(fd);
            continue;
        }
        p->locks[p->n] = fd;
        p->first[p->n++] = (uint16_t)(PORT_FIRST + block * UVPLACE_PORTS);
    }
    return p->n == n ? OK
                     : err_set(e, ERR_LIMIT, "no ports are free for %zu nodes between %d and %d", n,
                               PORT_FIRST, PORT_FIRST + BLOCKS * UVPLACE_PORTS - 1);
}

void local_ports_give(struct local_ports *p)
{
    while (p->n)
        close(p->locks[--p->n]);
}
