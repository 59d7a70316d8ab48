// The same ping in SimGrid: 64 bytes there and back every 40 ms. Each client has a
// server and a line of its own, shared by nobody (one server for all was much slower), without
// traffic back; there is no channel, no jitter and no loss.
//
// usage: simgrid [HOSTS [PINGS]]: messages per CPU second while they are sent. An engine can be
// made once in a process: run it again for another run.
#include <simgrid/s4u.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

namespace sg = simgrid::s4u;

namespace {

const double kSize = 64;
unsigned long delivered;

double Seconds()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

void Server(sg::Mailbox *own, sg::Mailbox *client, unsigned pings)
{
    own->set_receiver(sg::Actor::self());
    for (unsigned k = 0; k < pings; k++) {
        own->get<sg::Mailbox>();
        delivered++;
        client->put_init(client, uint64_t(kSize))->detach();
    }
}

void Listener(sg::Mailbox *own, unsigned pings)
{
    own->set_receiver(sg::Actor::self());
    for (unsigned k = 0; k < pings; k++) {
        own->get<sg::Mailbox>();
        delivered++;
    }
}

void Client(sg::Mailbox *server, unsigned pings, double start)
{
    sg::this_actor::sleep_for(start);
    for (unsigned k = 0; k < pings; k++) {
        server->put_init(server, uint64_t(kSize))->detach();
        sg::this_actor::sleep_for(0.04);
    }
}

} // namespace

int main(int argc, char **argv)
{
    sg::Engine engine(&argc, argv);
    unsigned hosts = argc > 1 ? unsigned(std::atoi(argv[1])) : 1000;
    unsigned pings = argc > 2 ? unsigned(std::atoi(argv[2])) : 50;
    sg::Engine::set_config("contexts/stack-size:64");
    sg::Engine::set_config("network/crosstraffic:0");
    auto *zone = sg::create_full_zone("net");
    for (unsigned i = 0; i < hosts / 2; i++) {
        std::string name = std::to_string(i);
        auto *client = zone->create_host("c" + name, 1e9);
        auto *server = zone->create_host("s" + name, 1e9);
        auto *line = zone->create_link(name, 37.5e6)
                         ->set_sharing_policy(sg::Link::SharingPolicy::FATPIPE)
                         ->set_latency(i % 10 < 6 ? 0.004 : 0.038)
                         ->seal();
        zone->add_route(client->get_netpoint(), server->get_netpoint(), nullptr, nullptr,
                        {{line, sg::LinkInRoute::Direction::NONE}}, true);
        sg::Mailbox *from = sg::Mailbox::by_name(client->get_name());
        sg::Mailbox *to = sg::Mailbox::by_name(server->get_name());
        sg::Actor::create("server", server, Server, to, from, pings);
        sg::Actor::create("listener", client, Listener, from, pings);
        sg::Actor::create("client", client, Client, to, pings, double(i) / hosts);
    }
    zone->seal();
    double began = Seconds();
    engine.run();
    double rate = double(delivered) / (Seconds() - began);
    if (delivered != (unsigned long)(hosts / 2) * pings * 2) {
        std::fprintf(stderr, "simgrid: only %lu messages came\n", delivered);
        return 1;
    }
    std::printf("%.0f\n", rate);
    return 0;
}
