/* A simulated trial as a capture file that Wireshark opens: pcap with nanoseconds (magic
 * 0xa1b23c4d), Ethernet, IPv6, and TCP (RFC 9293, timestamps of RFC 7323) or UDP, checksums and
 * all. Time 0 is the trial's beginning, 1970-01-01 in a reader.
 *
 * The tap is where a packet leaves its sender: a segment when its last byte has left the uplink, a
 * datagram, a SYN and an RST when it is handed to it. A packet that is lost is there, and so is
 * each repetition; what a full queue at the uplink drops never left. Addresses and ports are those
 * outside of NATs. Links without a network beneath (transport `null`) have no packets.
 *
 * The simulator decides on messages; what a packet needs beyond that is made up so that it adds
 * up: initial sequence numbers, the window (65535 << 7), acknowledgement numbers (what has arrived
 * when the packet leaves). Segments hold up to 1448 bytes as in the link model, whose headers are
 * IPv4's: in IPv6 the largest packet has 1520 bytes.
 *
 * A message of a LINK_MESSAGE begins with its length, 4 bytes, little-endian.
 */
#ifndef PARTYLINE_RUN_TRACE_PCAP_H
#define PARTYLINE_RUN_TRACE_PCAP_H

#include "engine/base/err.h"
#include "engine/world.h"

struct trace_pcap;

/* NULL: no memory. */
struct trace_pcap *trace_pcap_new(void);
void trace_pcap_free(struct trace_pcap *);

/* Keeps a packet. Its packets must all be told, for the numbers to add up; `shown` says whether it
 * is to be written. */
void trace_pcap_add(struct trace_pcap *, const struct trace_packet *, bool shown);

/* Writes what was kept, in the order of time, and says how many packets that were. ERR_NOMEM if
 * memory was out here or before, ERR_LIMIT if there was more than 1 GiB, ERR_IO. */
int trace_pcap_write(struct trace_pcap *, FILE *, uint64_t *packets, struct err *);

#endif
