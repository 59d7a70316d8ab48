/* The C harness over ns-3 (net.h): TCP and UDP sockets.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 * This file, and the executable that is linked with it and with ns-3, are under the GNU General
 * Public License, version 2, as ns-3 is. The rest of Partyline is under the MIT licence.
 */
#include "engine/worlds/ns3/net.hh"

#include "ns3/inet-socket-address.h"
#include "ns3/tcp-header.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/udp-socket-factory.h"

using namespace ns3;

namespace
{

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
        net_note note = NoteOf(p);
        p->CopyData(data.data(), p->GetSize());
        if (port->user)
            net->calls.datagram(net->ctx, port->user, port, NumberOf(peer.GetIpv4()),
                                peer.GetPort(), data.data(), p->GetSize(), &note);
    }
}

} // namespace

extern "C" {

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

size_t net_unread(const struct net_socket *s)
{
    return s->tcp->GetRxAvailable();
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

bool net_send_to(struct net_port *p, uint32_t to, uint16_t port, const void *data, size_t len,
                 const struct net_note *note)
{
    auto packet = Create<Packet>(static_cast<const uint8_t *>(data), static_cast<uint32_t>(len));
    PutNote(packet, *note);
    return p->user && p->udp->SendTo(packet, 0, InetSocketAddress(AddressOf(to), port)) >= 0;
}

void net_unbind(struct net_port *p)
{
    p->user = nullptr;
    p->host->bound.erase(p->number);
    p->udp->Close();
}

} // extern "C"
