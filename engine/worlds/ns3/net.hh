/* What the files of the harness over ns-3 (net.h) share.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 * This file, and the executable that is linked with it and with ns-3, are under the GNU General
 * Public License, version 2, as ns-3 is. The rest of Partyline is under the MIT licence.
 */
#ifndef PARTYLINE_WORLDS_NS3_NET_HH
#define PARTYLINE_WORLDS_NS3_NET_HH

#include "engine/worlds/ns3/net.h"

#include "ns3/ipv4-header.h"
#include "ns3/point-to-point-net-device.h"
#include "ns3/tcp-socket-base.h"

#include <memory>
#include <set>
#include <tuple>
#include <vector>

struct Host {
    uint32_t number;
    ns3::Ptr<ns3::Node> node;
    ns3::Ptr<ns3::PointToPointNetDevice> up, down; /* its own device, and the core's */
    std::set<uint16_t> listening, bound;
    std::set<std::tuple<uint16_t, uint32_t, uint16_t>> heard; /* SYNs: own port, peer, its port */
    std::vector<std::pair<uint16_t, ns3::Ptr<ns3::Socket>>> listeners;
};

struct net_socket {
    ns3::Ptr<ns3::TcpSocketBase> tcp;
    void *user;
    uint16_t port;
    bool over; /* nobody wants to hear of it */
    ns3::SequenceNumber32 highest;
};

struct net_port {
    ns3::Ptr<ns3::Socket> udp;
    Host *host;
    void *user;
    uint16_t number;
};

struct Net {
    net_calls calls;
    void *ctx;
    std::vector<std::unique_ptr<Host>> hosts;
    std::vector<std::unique_ptr<net_socket>> sockets;
    std::vector<std::unique_ptr<net_port>> ports;
};

extern Net *net; /* the one that there is */

ns3::Ipv4Address AddressOf(uint32_t host);
uint32_t NumberOf(ns3::Ipv4Address);

/* What goes along with a datagram. */
void PutNote(ns3::Ptr<ns3::Packet>, const net_note &);
net_note NoteOf(ns3::Ptr<const ns3::Packet>);

#endif
