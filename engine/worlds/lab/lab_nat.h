/* A NAT box in nftables.
 *
 * Outward everything is masqueraded: the kernel keeps the inner port where it is free, or
 * (symmetric) draws one for each pair of endpoints. Inward only what belongs to a known
 * conversation passes; what nobody asked for is dropped without an answer, as a refusal would end
 * the other side's attempt to punch a hole. Cones let more in: every datagram sent outward notes
 * its port, and for a restricted cone the address that it goes to, in a set with the box's
 * time-out; a datagram to a noted port is handed to the host that has it.
 *
 * So of what link/nat_spec.h describes it honours: endpoint-independent mapping with preserving
 * ports and any filtering; mapping and filtering by address and port with random ports; blocked
 * UDP; time-outs; forwarded ports. A carrier's box keeps ports where the model draws them. Passed
 * over: hairpinning, parity, the limit of ports, inbound refreshing. Of TCP the kernel filters by
 * address and port always; no host of this program listens at a port that it dials from, so
 * nothing tells the difference. Anything else lab_nat_lacks names.
 */
#ifndef PARTYLINE_WORLDS_LAB_LAB_NAT_H
#define PARTYLINE_WORLDS_LAB_LAB_NAT_H

#include "engine/worlds/lab/lab.h"

enum { LAB_NAT_RULES = 65536 };

/* What of this box nftables can't do, in words; NULL: nothing. */
const char *lab_nat_lacks(const struct nat_spec *);
/* The box's rules, as `nft -f` takes them. Its outer interface is wan0, its inner ones are lan0,
 * lan1 ... ERR_TOO_BIG. */
int lab_nat_rules(const struct lab *, uint32_t box, char *buf, size_t cap);

#endif
