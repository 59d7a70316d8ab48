/* The C harness over ns-3 (net.h): hosts, their access lines and the core.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 * This file, and the executable that is linked with it and with ns-3, are under the GNU General
 * Public License, version 2, as ns-3 is. The rest of Partyline is under the MIT licence.
 */
#include "engine/worlds/ns3/net.hh"

#include "ns3/config.h"
#include "ns3/data-rate.h"
#include "ns3/drop-tail-queue.h"
#include "ns3/enum.h"
#include "ns3/error-model.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/point-to-point-channel.h"
#include "ns3/point-to-point-net-device.h"
#include "ns3/ppp-header.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/tag.h"
#include "ns3/tcp-header.h"
#include "ns3/tcp-l4-protocol.h"
#include "ns3/udp-header.h"
#include "ns3/uinteger.h"

using namespace ns3;

Net *net;

Ipv4Address AddressOf(uint32_t host)
{
    return Ipv4Address((10U << 24) + 1 + host);
}

uint32_t NumberOf(Ipv4Address a)
{
    uint32_t number = a.Get() - (10U << 24) - 1;
    return number < 0xffffff ? number : NET_NOBODY;
}

namespace
{

constexpr uint64_t kFast = 1000000000000; /* of a line without a rate: 12 ns a packet */
constexpr uint32_t kBuffer = 4 << 20;     /* to send from: as the simulator's window */
constexpr uint32_t kPpp = 2;              /* bytes of PPP's header: on no real wire */
constexpr uint16_t kIpv4 = 0x0800;

/* What was sent with a datagram. */
struct NoteTag : Tag {
    net_note note{};
    static TypeId GetTypeId()
    {
        static TypeId id = TypeId("partyline::NoteTag").SetParent<Tag>().AddConstructor<NoteTag>();
        return id;
    }
    TypeId GetInstanceTypeId() const override
    {
        return GetTypeId();
    }
    uint32_t GetSerializedSize() const override
    {
        return sizeof note;
    }
    void Serialize(TagBuffer to) const override
    {
        to.Write(reinterpret_cast<const uint8_t *>(&note), sizeof note);
    }
    void Deserialize(TagBuffer from) override
    {
        from.Read(reinterpret_cast<uint8_t *>(&note), sizeof note);
    }
    void Print(std::ostream &) const override
    {
    }
};

} // namespace

void PutNote(Ptr<Packet> p, const net_note &note)
{
    NoteTag tag;
    tag.note = note;
    p->AddPacketTag(tag);
}

net_note NoteOf(Ptr<const Packet> p)
{
    NoteTag tag;
    p->PeekPacketTag(tag);
    return tag.note;
}

namespace
{

/* The packet without its IP header is `inner`. */
net_packet Describe(const Ipv4Header &ip, Ptr<const Packet> inner)
{
    net_packet what{};
    TcpHeader tcp;
    UdpHeader udp;
    what.host = NET_NOBODY;
    what.from = NumberOf(ip.GetSource());
    what.to = NumberOf(ip.GetDestination());
    what.bytes = inner->GetSize() + ip.GetSerializedSize();
    what.tcp = ip.GetProtocol() == 6;
    if (what.tcp) {
        inner->PeekHeader(tcp);
        what.from_port = tcp.GetSourcePort();
        what.to_port = tcp.GetDestinationPort();
        what.syn = tcp.GetFlags() & TcpHeader::SYN;
        what.fin = tcp.GetFlags() & TcpHeader::FIN;
        what.rst = tcp.GetFlags() & TcpHeader::RST;
    } else {
        inner->PeekHeader(udp);
        what.from_port = udp.GetSourcePort();
        what.to_port = udp.GetDestinationPort();
        what.note = NoteOf(inner);
    }
    return what;
}

/* ---- access lines and the core -------------------------------------------------------- */

void Leaves(Host *host, Ptr<const Packet> p)
{
    net->calls.sent(net->ctx, host->number, p->GetSize() - kPpp);
}

void Lose(uint32_t host, enum net_loss why, Ptr<const Packet> framed)
{
    Ptr<Packet> p = framed->Copy();
    PppHeader ppp;
    Ipv4Header ip;
    p->RemoveHeader(ppp);
    p->RemoveHeader(ip);
    net_packet what = Describe(ip, p);
    what.host = host;
    net->calls.lost(net->ctx, &what, why);
}

/* Gives a packet without its IP header the ports of `what`. ns-3.37 answers a SYN to a closed port
 * with RST and ACK, as it must, and ignores that in state SYN_SENT; an RST alone is understood. */
void Readdress(Ptr<Packet> p, const net_packet &what)
{
    UdpHeader udp, fresh; /* a fresh one: its length is made anew */
    TcpHeader tcp;
    if (!what.tcp) {
        p->RemoveHeader(udp);
        fresh.SetSourcePort(what.from_port);
        fresh.SetDestinationPort(what.to_port);
        p->AddHeader(fresh);
        return;
    }
    p->RemoveHeader(tcp);
    tcp.SetSourcePort(what.from_port);
    tcp.SetDestinationPort(what.to_port);
    if (what.rst)
        tcp.SetFlags(TcpHeader::RST);
    p->AddHeader(tcp);
}

void Arrive(net_packet what, Ipv4Header ip, Ptr<Packet> p)
{
    uint32_t to = net->calls.arrives(net->ctx, &what);
    if (to == NET_NOBODY)
        return;
    Host *host = net->hosts[to].get();
    ip.SetSource(AddressOf(what.from));
    ip.SetDestination(AddressOf(what.to));
    Readdress(p, what);
    p->AddHeader(ip);
    host->down->Send(p, host->down->GetBroadcast(), kIpv4);
}

bool InCore(Host *host, Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t, const Address &)
{
    Ptr<Packet> p = packet->Copy();
    Ipv4Header ip;
    p->RemoveHeader(ip);
    net_packet what = Describe(ip, p);
    what.host = host->number;
    int64_t at = net->calls.core(net->ctx, &what);
    if (at >= 0)
        Simulator::Schedule(NanoSeconds(at) - Simulator::Now(), &Arrive, what, ip, p);
    return true;
}

/* ns-3.37 is silent where RFC 9293 3.10.7.2 wants an RST: a segment of a connection that nobody
 * knows comes to a port that listens. It tells a peer that its old connection is dead. */
void Reject(Host *host, const Ipv4Header &ip, const TcpHeader &tcp)
{
    TcpHeader rst;
    rst.SetFlags(TcpHeader::RST);
    rst.SetSequenceNumber(tcp.GetAckNumber());
    rst.SetSourcePort(tcp.GetDestinationPort());
    rst.SetDestinationPort(tcp.GetSourcePort());
    host->node->GetObject<TcpL4Protocol>()->SendPacket(Create<Packet>(), rst, ip.GetDestination(),
                                                       ip.GetSource());
}

/* True: nobody wants to be connected there. */
bool Hears(Host *host, const Ipv4Header &ip, const TcpHeader &tcp)
{
    uint8_t flags = tcp.GetFlags();
    bool listens = host->listening.count(tcp.GetDestinationPort());
    auto who = std::make_tuple(tcp.GetDestinationPort(), ip.GetSource().Get(), tcp.GetSourcePort());
    if ((flags & (TcpHeader::SYN | TcpHeader::ACK)) == TcpHeader::SYN) {
        if (listens)
            host->heard.insert(who);
        return !listens;
    }
    if (listens && (flags & TcpHeader::ACK) && !(flags & TcpHeader::RST) && !host->heard.count(who))
        Reject(host, ip, tcp);
    return false;
}

/* A packet is handed to its host's TCP or UDP: does anybody wait for it there? */
void Delivered(Host *host, const Ipv4Header &ip, Ptr<const Packet> packet, uint32_t)
{
    bool refused = false;
    if (net->calls.came) {
        net_packet what = Describe(ip, packet);
        net->calls.came(net->ctx, &what);
    }
    if (ip.GetProtocol() == 6) {
        TcpHeader tcp;
        packet->PeekHeader(tcp);
        refused = Hears(host, ip, tcp);
    } else if (ip.GetProtocol() == 17) {
        UdpHeader udp;
        packet->PeekHeader(udp);
        refused = !host->bound.count(udp.GetDestinationPort());
    }
    if (!refused)
        return;
    net_packet what = Describe(ip, packet);
    net->calls.lost(net->ctx, &what, NET_REFUSED);
}

void Unroutable(const Ipv4Header &ip, Ptr<const Packet> packet, Ipv4L3Protocol::DropReason,
                Ptr<Ipv4>, uint32_t)
{
    net_packet what = Describe(ip, packet);
    net->calls.lost(net->ctx, &what, NET_NO_ROUTE);
}

/* host: whose own device it is. */
Ptr<PointToPointNetDevice> MakeDevice(Ptr<Node> node, Ptr<PointToPointChannel> channel,
                                      uint64_t bps, const net_line &line, int64_t stream,
                                      uint32_t host = NET_NOBODY)
{
    auto device = CreateObject<PointToPointNetDevice>();
    auto queue = CreateObject<DropTailQueue<Packet>>();
    device->SetAddress(Mac48Address::Allocate());
    node->AddDevice(device);
    queue->SetMaxSize(
        QueueSize(QueueSizeUnit::BYTES, line.queue_bytes ? line.queue_bytes : 1U << 31));
    device->SetQueue(queue);
    device->SetDataRate(DataRate(bps ? bps : kFast));
    device->TraceConnectWithoutContext("MacTxDrop", MakeBoundCallback(&Lose, host, NET_QUEUE_FULL));
    if (line.loss_ppm) {
        auto loss = CreateObject<RateErrorModel>();
        loss->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
        loss->SetRate(line.loss_ppm / 1e6);
        loss->AssignStreams(stream);
        device->SetReceiveErrorModel(loss);
        device->TraceConnectWithoutContext("PhyRxDrop",
                                           MakeBoundCallback(&Lose, NET_NOBODY, NET_LOST));
    }
    device->Attach(channel);
    return device;
}

void Connect(Host *host, const InternetStackHelper &stack, Ptr<Node> core, const net_line &line)
{
    auto channel = CreateObject<PointToPointChannel>();
    int64_t stream = 2 * static_cast<int64_t>(host->number);
    channel->SetAttribute("Delay", TimeValue(NanoSeconds(line.latency)));
    host->node = CreateObject<Node>();
    stack.Install(host->node);
    host->up = MakeDevice(host->node, channel, line.up_bps, line, stream, host->number);
    host->down = MakeDevice(core, channel, line.down_bps, line, stream + 1);
    host->down->SetReceiveCallback(MakeBoundCallback(&InCore, host));
    host->up->TraceConnectWithoutContext("PhyTxBegin", MakeBoundCallback(&Leaves, host));

    auto ip = host->node->GetObject<Ipv4L3Protocol>();
    uint32_t interface = ip->AddInterface(host->up);
    ip->AddAddress(interface,
                   Ipv4InterfaceAddress(AddressOf(host->number), Ipv4Mask("255.255.255.255")));
    ip->SetUp(interface);
    ip->TraceConnectWithoutContext("Drop", MakeCallback(&Unroutable));
    ip->TraceConnectWithoutContext("LocalDeliver", MakeBoundCallback(&Delivered, host));
    Ipv4StaticRoutingHelper().GetStaticRouting(ip)->SetDefaultRoute(Ipv4Address("10.255.255.254"),
                                                                    interface);
}

void SetDefaults(const net_tcp &tcp)
{
    Config::SetDefault("ns3::TcpL4Protocol::SocketType", StringValue("ns3::TcpCubic"));
    Config::SetDefault("ns3::TcpCubic::HyStart", BooleanValue(tcp.hystart));
    Config::SetDefault("ns3::TcpSocketBase::MinRto", TimeValue(NanoSeconds(tcp.min_rto)));
    Config::SetDefault("ns3::TcpSocketBase::Sack", BooleanValue(true));
    Config::SetDefault("ns3::TcpSocketBase::Timestamp", BooleanValue(true));
    Config::SetDefault("ns3::TcpSocketBase::WindowScaling", BooleanValue(true));
    Config::SetDefault("ns3::TcpSocket::InitialCwnd", UintegerValue(tcp.initial_window));
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(kBuffer));
    Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(tcp.receive_window));
    Config::SetDefault("ns3::TcpSocket::TcpNoDelay", BooleanValue(true));
    Config::SetDefault("ns3::TcpSocket::DelAckTimeout", TimeValue(NanoSeconds(tcp.delayed_ack)));
    Config::SetDefault("ns3::TcpSocket::DelAckCount", UintegerValue(2));
    Config::SetDefault("ns3::TcpSocket::ConnTimeout", TimeValue(Seconds(1)));
    Config::SetDefault("ns3::TcpSocket::ConnCount", UintegerValue(7));
    Config::SetDefault("ns3::TcpSocket::DataRetries", UintegerValue(15));
}

} // namespace

extern "C" {

void net_new(const struct net_calls *calls, void *ctx, const struct net_tcp *tcp,
             const struct net_line *lines, uint32_t n_hosts, uint64_t seed)
{
    InternetStackHelper stack;
    auto core = CreateObject<Node>();
    SetDefaults(*tcp);
    RngSeedManager::SetSeed(1 + static_cast<uint32_t>((seed >> 32) % 4294944442));
    RngSeedManager::SetRun(seed);
    stack.SetRoutingHelper(Ipv4StaticRoutingHelper());
    stack.SetIpv6StackInstall(false);
    net = new Net{*calls, ctx, {}, {}, {}};
    for (uint32_t i = 0; i < n_hosts; i++) {
        net->hosts.push_back(std::make_unique<Host>());
        net->hosts[i]->number = i;
        Connect(net->hosts[i].get(), stack, core, lines[i]);
    }
}

void net_run(void)
{
    Simulator::Run();
}

void net_stop(void)
{
    Simulator::Stop();
}

void net_free(void)
{
    for (auto &s : net->sockets)
        s->over = true;
    Simulator::Destroy();
    delete net;
    net = nullptr;
}

int64_t net_now(void)
{
    return Simulator::Now().GetNanoSeconds();
}

void net_at(int64_t at, void (*f)(void *), void *arg)
{
    Simulator::Schedule(NanoSeconds(at) - Simulator::Now(), f, arg);
}

} // extern "C"
