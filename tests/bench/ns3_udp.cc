// The same ping in ns-3: 64 bytes there and back every 40 ms, over UDP. Each client
// has a server and a line of its own (one server for all was much slower), and there is no TCP, no
// channel, no jitter and no loss.
//
// usage: ns3_udp [HOSTS [PINGS [RUNS]]]: messages per CPU second while they are sent, a line a run.
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>

using namespace ns3;

namespace {

const unsigned kSize = 64;
const uint16_t kPort = 9;

uint64_t delivered;

struct Client {
    Ptr<Socket> socket;
    unsigned left;
};

double Seconds()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

void OnServer(Ptr<Socket> s)
{
    Address from;
    while (Ptr<Packet> p = s->RecvFrom(from)) {
        delivered++;
        s->SendTo(Create<Packet>(p->GetSize()), 0, from);
    }
}

void OnClient(Ptr<Socket> s)
{
    while (s->Recv())
        delivered++;
}

void Ping(Client *c)
{
    c->socket->Send(Create<Packet>(kSize));
    if (--c->left)
        Simulator::Schedule(MilliSeconds(40), &Ping, c);
}

double Run(unsigned hosts, unsigned pings)
{
    unsigned pairs = hosts / 2;
    NodeContainer nodes;
    nodes.Create(2 * pairs);
    InternetStackHelper stack;
    stack.Install(nodes);
    Ipv4AddressHelper addresses;
    addresses.SetBase("10.0.0.0", "255.255.255.252");
    PointToPointHelper line;
    line.SetDeviceAttribute("DataRate", StringValue("300Mbps"));
    std::vector<Client> clients(pairs);
    for (unsigned i = 0; i < pairs; i++) {
        Ptr<Node> client = nodes.Get(2 * i), server = nodes.Get(2 * i + 1);
        line.SetChannelAttribute("Delay", StringValue(i % 10 < 6 ? "4ms" : "38ms"));
        Ipv4InterfaceContainer ends = addresses.Assign(line.Install(client, server));
        addresses.NewNetwork();
        Ptr<Socket> listener = Socket::CreateSocket(server, UdpSocketFactory::GetTypeId());
        listener->Bind(InetSocketAddress(Ipv4Address::GetAny(), kPort));
        listener->SetRecvCallback(MakeCallback(&OnServer));
        Client *c = &clients[i];
        c->socket = Socket::CreateSocket(client, UdpSocketFactory::GetTypeId());
        c->left = pings;
        c->socket->Bind();
        c->socket->Connect(InetSocketAddress(ends.GetAddress(1), kPort));
        c->socket->SetRecvCallback(MakeCallback(&OnClient));
        Simulator::Schedule(NanoSeconds(uint64_t(1000000000) * i / pairs), &Ping, c);
    }
    delivered = 0;
    double began = Seconds();
    Simulator::Run();
    double rate = double(delivered) / (Seconds() - began);
    Simulator::Destroy();
    Ipv4AddressGenerator::Reset();
    if (delivered != uint64_t(pairs) * pings * 2) {
        std::fprintf(stderr, "ns3_udp: only %llu messages came\n", (unsigned long long)delivered);
        std::exit(1);
    }
    return rate;
}

} // namespace

int main(int argc, char **argv)
{
    unsigned hosts = argc > 1 ? unsigned(std::atoi(argv[1])) : 1000;
    unsigned pings = argc > 2 ? unsigned(std::atoi(argv[2])) : 50;
    for (int runs = argc > 3 ? std::atoi(argv[3]) : 5; runs > 0; runs--)
        std::printf("%.0f\n", Run(hosts, pings));
    return 0;
}
