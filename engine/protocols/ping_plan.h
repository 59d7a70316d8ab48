/* What a ping session is, before anybody runs: its options and roles, who talks to whom, and what
 * each role's result must be (engine/protocols/ping.c). */
#ifndef PARTYLINE_PROTOCOLS_PING_PLAN_H
#define PARTYLINE_PROTOCOLS_PING_PLAN_H

#include "engine/protocol.h"

enum { PING, PONG }; /* label.instance */
enum ping_role { PEER, CLIENT, SERVER, ROLES };

struct ping_opts {
    int64_t size, reply, count, interval, one_way;
};

struct ping_plan {
    const struct ping_opts *opts;
    const struct roster *roster;
    uint32_t count, in_role[ROLES];
    uint32_t *place;  /* of each node: its role (ROLES: none of ours) above, below its place among
                         those of that role */
    uint8_t *payload; /* what all messages carry */
    size_t reply;
};

enum { ROLE_SHIFT = 30 };

static inline enum ping_role ping_role_of(const struct ping_plan *plan, uint32_t id)
{
    return (enum ping_role)(plan->place[id] >> ROLE_SHIFT);
}
static inline uint32_t ping_place_of(const struct ping_plan *plan, uint32_t id)
{
    return plan->place[id] & ((UINT32_C(1) << ROLE_SHIFT) - 1);
}

static inline bool ping_sends(enum ping_role role)
{
    return role != SERVER;
}

static inline bool ping_receives(enum ping_role role)
{
    return role != CLIENT;
}

static inline enum ping_role ping_partner(enum ping_role role)
{
    static const uint8_t partners[] = {[PEER] = PEER, [CLIENT] = SERVER, [SERVER] = CLIENT};
    return (enum ping_role)partners[role];
}

static inline uint32_t ping_partners(const struct ping_plan *plan, enum ping_role role)
{
    return plan->in_role[ping_partner(role)] - (role == PEER);
}

enum { PING_TEXT = 80 };
/* The result of any party of that role, into PING_TEXT bytes; its length. */
int ping_result_text(const struct ping_plan *, enum ping_role, char *buf);

/* Of struct protocol. */
extern const struct protocol_role ping_plan_roles[];
extern const struct opt ping_plan_opts[];
bool ping_plan_pairs(const void *opts, const char *a, const char *b);
int ping_plan_make(const struct protocol_shape *, void **out, struct err *);
void ping_plan_free(void *plan);
int ping_plan_verify(const struct protocol_shape *, const void *plan, const struct outcome *,
                     struct err *);
void ping_plan_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap);

#endif
