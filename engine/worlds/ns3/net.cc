/* The C harness over ns-3 (net.h).
 *
 * SPDX-License-Identifier: GPL-2.0-only
 * This file, and the executable that is linked with it and with ns-3, are under the GNU General
 * Public License, version 2, as ns-3 is. The rest of Partyline is under the MIT licence.
 */
#include "engine/worlds/ns3/net.h"

#include "ns3/config.h"
#include "ns3/data-rate.h"
#include "ns3/drop-tail-queue.h"
#include "ns3/enum.h"
#include "ns3/error-model.h"
#include "ns3/inet-socket-address.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/point-to-point-channel.h"
#include "ns3/point-to-point-net-device.h"
#include "ns3/ppp-header.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/tcp-header.h"
#include "ns3/tcp-l4-protocol.h"
#include "ns3/tcp-socket-base.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/udp-header.h"
#include "ns3/udp-socket-factory.h"
#include "ns3/uinteger.h"

#include <memory>
#include <set>
#include <tuple>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint64_t kFast = 1000000000000; /* of a line without a rate: 12 ns a packet */
constexpr uint32_t kBuffer = 4 << 20;     /* to send from: as the simulator's window */
constexpr uint32_t kPpp = 2;              /* bytes of PPP's header: on no real wire */
constexpr uint16_t kIpv4 = 0x0800;

struct Host {
    uint32_t number;
    Ptr<Node> node;
    Ptr<PointToPointNetDevice> up, down; /* its own device, and the core's */
    std::set<uint16_t> listening, bound;
    std::set<std::tuple<uint16_t, uint32_t, uint16_t>> heard; /* SYNs: own port, peer, its port */
    std::vector<std::pair<uint16_t, Ptr<Socket>>> listeners;
};

/* ns-3 gives no public way to send an RST, nor the state in a callback. */
struct Inside : TcpSocketBase {
    static void Reset(TcpSocketBase &s)
    {
        (s.*(&Inside::SendRST))();
    }
    static TcpStates_t State(const TcpSocketBase &s)
    {
        return s.*(&Inside::m_state);
    }
    /* ns-3.37 notes only empty segments in what RFC 7323, 4.3, calls Last.ACK.sent. A host that
     * acknowledges with its data alone then echoes ever the same timestamp, and its peer measures
     * round trips of minutes: data that go both ways would meet timeouts of up to two minutes. */
    static void Acknowledges(TcpSocketBase &s, SequenceNumber32 next)
    {
        if (s.*(&Inside::m_highTxAck) < next)
            s.*(&Inside::m_highTxAck) = next;
    }
};

struct Net {
    net_calls calls;
    void *ctx;
    std::vector<std::unique_ptr<Host>> hosts;
    std::vector<std::unique_ptr<net_socket>> sockets;
    std::vector<std::unique_ptr<net_port>> ports;
};

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

/* ---- sockets -------------------------------------------------------------------------- */

struct net_socket {
    Ptr<TcpSocketBase> tcp;
    void *user;
    uint16_t port;
    bool over; /* nobody wants to hear of it */
    SequenceNumber32 highest;
};

struct net_port {
    Ptr<Socket> udp;
    Host *host;
    void *user;
    uint16_t number;
};

namespace
{

void Tell(net_socket *s, enum net_event what)
{
    if (!s->over)
        net->calls.happened(net->ctx, s->user, what);
}

void OnUp(net_socket *s, Ptr<Socket>)
{
    Tell(s, NET_UP);
}

void OnTimeout(net_socket *s, Ptr<Socket>)
{
    Tell(s, NET_TIMEOUT);
}

void OnEnd(net_socket *s, Ptr<Socket>)
{
    TcpSocket::TcpStates_t state = Inside::State(*s->tcp);
    Tell(s, state == TcpSocket::CLOSE_WAIT ? NET_FINISHED
            : state == TcpSocket::SYN_SENT ? NET_REFUSAL
                                           : NET_RESET);
}

void OnReadable(net_socket *s, Ptr<Socket>)
{
    if (s->over)
        while (Ptr<Packet> p = s->tcp->Recv(UINT32_MAX, 0))
            if (p->GetSize() == 0)
                break;
    Tell(s, NET_READABLE);
}

void OnWritable(net_socket *s, Ptr<Socket>, uint32_t)
{
    Tell(s, NET_WRITABLE);
}

void OnSegment(net_socket *s, Ptr<const Packet> p, const TcpHeader &h, Ptr<const TcpSocketBase>)
{
    SequenceNumber32 end = h.GetSequenceNumber() + p->GetSize();
    if (p->GetSize() == 0)
        return;
    Inside::Acknowledges(*s->tcp, h.GetAckNumber());
    if (end > s->highest)
        s->highest = end;
    else
        net->calls.repeated(net->ctx);
}

net_socket *Adopt(Ptr<Socket> socket, void *user)
{
    net->sockets.push_back(std::make_unique<net_socket>());
    net_socket *s = net->sockets.back().get();
    Address own;
    s->tcp = DynamicCast<TcpSocketBase>(socket);
    s->user = user;
    s->tcp->GetSockName(own);
    s->port = InetSocketAddress::ConvertFrom(own).GetPort();
    s->tcp->SetConnectCallback(MakeBoundCallback(&OnUp, s), MakeBoundCallback(&OnTimeout, s));
    s->tcp->SetCloseCallbacks(MakeBoundCallback(&OnEnd, s), MakeBoundCallback(&OnTimeout, s));
    s->tcp->SetRecvCallback(MakeBoundCallback(&OnReadable, s));
    s->tcp->SetSendCallback(MakeBoundCallback(&OnWritable, s));
    s->tcp->TraceConnectWithoutContext("Tx", MakeBoundCallback(&OnSegment, s));
    return s;
}

bool OnRequest(Host *, Ptr<Socket>, const Address &)
{
    return true;
}

void OnAccept(Host *host, Ptr<Socket> socket, const Address &from)
{
    InetSocketAddress peer = InetSocketAddress::ConvertFrom(from);
    net_socket *s = Adopt(socket, nullptr);
    net->calls.accepted(net->ctx, host->number, s->port, s, NumberOf(peer.GetIpv4()),
                        peer.GetPort());
}

void OnDatagram(net_port *port, Ptr<Socket> socket)
{
    Address from;
    while (Ptr<Packet> p = socket->RecvFrom(from)) {
        InetSocketAddress peer = InetSocketAddress::ConvertFrom(from);
        std::vector<uint8_t> data(p->GetSize() + 1);
        p->CopyData(data.data(), p->GetSize());
        if (port->user)
            net->calls.datagram(net->ctx, port->user, port, NumberOf(peer.GetIpv4()),
                                peer.GetPort(), data.data(), p->GetSize());
    }
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

void net_listen(uint32_t number, uint16_t port, bool on)
{
    Host *host = net->hosts[number].get();
    if (!on) {
        for (auto it = host->listeners.begin(); it != host->listeners.end(); ++it)
            if (it->first == port) {
                it->second->Close();
                host->listeners.erase(it);
                break;
            }
        host->listening.erase(port);
        host->heard.erase(host->heard.lower_bound({port, 0, 0}),
                          host->heard.upper_bound({port, UINT32_MAX, UINT16_MAX}));
        return;
    }
    auto socket = Socket::CreateSocket(host->node, TcpSocketFactory::GetTypeId());
    if (socket->Bind(InetSocketAddress(Ipv4Address::GetAny(), port)) != 0)
        return;
    socket->Listen();
    socket->SetAcceptCallback(MakeBoundCallback(&OnRequest, host),
                              MakeBoundCallback(&OnAccept, host));
    host->listeners.emplace_back(port, socket);
    host->listening.insert(port);
}

struct net_socket *net_dial(uint32_t host, uint32_t to, uint16_t port, void *user)
{
    auto socket = Socket::CreateSocket(net->hosts[host]->node, TcpSocketFactory::GetTypeId());
    socket->Bind();
    net_socket *s = Adopt(socket, user);
    socket->Connect(InetSocketAddress(AddressOf(to), port));
    return s;
}

void net_socket_user(struct net_socket *s, void *user)
{
    s->user = user;
}

uint16_t net_socket_port(const struct net_socket *s)
{
    return s->port;
}

size_t net_room(const struct net_socket *s)
{
    return s->tcp->GetTxAvailable();
}

void net_send(struct net_socket *s, const void *data, size_t len)
{
    s->tcp->Send(Create<Packet>(static_cast<const uint8_t *>(data), static_cast<uint32_t>(len)), 0);
}

size_t net_read(struct net_socket *s, void *to, size_t cap)
{
    Ptr<Packet> p = s->tcp->Recv(static_cast<uint32_t>(cap), 0);
    return p ? p->CopyData(static_cast<uint8_t *>(to), static_cast<uint32_t>(cap)) : 0;
}

void net_close(struct net_socket *s)
{
    if (s->over)
        return;
    s->over = true;
    OnReadable(s, s->tcp); /* unread data would make it an RST */
    s->tcp->Close();
}

void net_reset(struct net_socket *s)
{
    if (s->over)
        return;
    s->over = true;
    Inside::Reset(*s->tcp);
}

struct net_port *net_bind(uint32_t number, uint16_t port, void *user)
{
    Host *host = net->hosts[number].get();
    auto udp = Socket::CreateSocket(host->node, UdpSocketFactory::GetTypeId());
    Address own;
    if (udp->Bind(InetSocketAddress(Ipv4Address::GetAny(), port)) != 0)
        return nullptr;
    udp->GetSockName(own);
    net->ports.push_back(std::make_unique<net_port>());
    net_port *p = net->ports.back().get();
    *p = {udp, host, user, InetSocketAddress::ConvertFrom(own).GetPort()};
    udp->SetRecvCallback(MakeBoundCallback(&OnDatagram, p));
    host->bound.insert(p->number);
    return p;
}

uint16_t net_port_number(const struct net_port *p)
{
    return p->number;
}

bool net_send_to(struct net_port *p, uint32_t to, uint16_t port, const void *data, size_t len)
{
    auto packet = Create<Packet>(static_cast<const uint8_t *>(data), static_cast<uint32_t>(len));
    return p->user && p->udp->SendTo(packet, 0, InetSocketAddress(AddressOf(to), port)) >= 0;
}

void net_unbind(struct net_port *p)
{
    p->user = nullptr;
    p->host->bound.erase(p->number);
    p->udp->Close();
}

} // extern "C"
