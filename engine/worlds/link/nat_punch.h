/* Can two hosts punch a hole? Asked of the NAT model alone: no time passes, nothing is lost. */
#ifndef PARTYLINE_WORLDS_LINK_NAT_PUNCH_H
#define PARTYLINE_WORLDS_LINK_NAT_PUNCH_H

#include "engine/world.h"

/* Both send a datagram from one port to a third host, which is public, and learn from it the
 * address that the other one's came from. Then each sends to the other's, and to whatever address
 * packets of the other came from, several times in turn, a first. True if one of them gets in
 * and what answers it gets back from where the question went, as connectivity checks want it
 * (RFC 8445, 7.2.5.2.1), with either of the two beginning. Of the hosts' descriptions, nat,
 * nat_spec and nat_box count: boxes of the same name are one. False also out of memory. */
bool nat_can_punch(const struct host_spec *a, const struct host_spec *b);

#endif
