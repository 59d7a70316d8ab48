/* The world ns3: the same nodes as everywhere, over the packet-level TCP, UDP and IP of ns-3.37.
 * It is what the fast simulator answers to.
 *
 * ns-3 is under GPL-2.0-only, so this world lives in an executable of its own, partyline-ns3;
 * elsewhere world_ns3.run is NULL, and the program starts that one.
 *
 * Network. Every host has an access line, an ns-3 point-to-point link: rate and drop-tail queue
 * in each direction, latency, loss of single packets (RateErrorModel); a rate of 0 is 1 Tbit/s.
 * Behind the lines is the core, where a packet takes rtt(region, region) / 2, and the jitter of
 * both lines, drawn for each packet (exponential; TCP packets between two hosts don't overtake
 * each other). A packet takes each line as a whole (store and forward) with PPP's 2 bytes; those
 * are not counted. Inside, hosts have IPv4 addresses; nodes see the roster's.
 *
 * TCP. ns-3's CUBIC (with HyStart as the scenario says), SACK, timestamps, PRR, segments of 1448
 * bytes, 4 MiB to send from; initial window, receive window, delayed ACK and minimum RTO are the
 * scenario's. 7 SYNs (up to 127 s), 15 repetitions of data. ns-3.37 has neither RACK nor tail
 * loss probes, and its SYN has 16 bytes of options, not 20. RTO is doubled up to 60 s.
 *
 * Events. partition, flap and link act in the core: a packet that comes there while they hold is
 * cut, lost (beyond its lines' loss) or delayed. A link's latency replaces the whole path's, and
 * can't be below that of its two lines; its rate is a bottleneck with a queue of 1000 packets.
 * A crash resets the host's connections. pause lets its events wait; unread data then fills the
 * receive window.
 *
 * Nodes, links, barrier, recovery, trace and digest are as engine/worlds/sim/sim.h says, but:
 * send() refuses with ERR_AGAIN when TCP's buffer has no room for the whole message, and EV_ROOM
 * comes when half of it is free; a link number is never used twice; a message counts as lost
 * (link_closed) when both of its link's ends are over and it was not handed over; times at which
 * a packet was lost are those of its loss.
 *
 * Observers see what they see in sim, and judges get the same truth: a message of a stream is one
 * sighting, at its sender's line when it is sent and at its receiver's (and at a border) when the
 * last of its bytes can be read there. Behind a NAT a SYN and a datagram are seen at the sender's
 * line when the router has translated them.
 *
 * Refused: transports that need handover, access queues above 4 GiB, links faster than their two
 * access lines, TCP like Linux where the scenario asks for it, keep-alive.
 */
#ifndef PARTYLINE_WORLDS_NS3_NS3_H
#define PARTYLINE_WORLDS_NS3_NS3_H

#include "engine/world.h"

enum { NS3_NODES_MAX = 1024 };

extern const struct world world_ns3;

int ns3_check(const struct trial_spec *, void (*say)(void *, int line, const char *), void *);
int ns3_run(const struct trial_spec *, uint64_t seed, const struct fault_plan *,
            const struct trace *, struct trial_result *, struct err *);

#endif
