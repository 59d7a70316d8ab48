#include "engine/plugins.h"

#include <string.h>

extern const struct transport transport_direct, transport_null, transport_relay, transport_mix,
    transport_turn;
extern const struct protocol protocol_shamir, protocol_ping, protocol_idle, protocol_share_url,
    protocol_web_mpc;
extern const struct observer observer_exposure, observer_coalition, observer_retention,
    observer_entropy, observer_timing, observer_size, observer_intersection, observer_disclosure,
    observer_participation, observer_compromise;
extern const struct world world_sim, world_ns3, world_local, world_lab, world_hosts;

const struct transport *const plugin_transports[] = {
    &transport_direct, &transport_null, &transport_relay, &transport_mix, &transport_turn, NULL};
const struct protocol *const plugin_protocols[] = {
    &protocol_shamir, &protocol_ping, &protocol_idle, &protocol_share_url, &protocol_web_mpc, NULL};
const struct observer *const plugin_observers[] = {&observer_exposure,
                                                   &observer_coalition,
                                                   &observer_entropy,
                                                   &observer_timing,
                                                   &observer_size,
                                                   &observer_intersection,
                                                   &observer_disclosure,
                                                   &observer_participation,
                                                   &observer_compromise,
                                                   &observer_retention,
                                                   NULL};
const struct world *const plugin_worlds[] = {&world_sim, &world_ns3,   &world_local,
                                             &world_lab, &world_hosts, NULL};

#define FIND(kind)                                                                                 \
    const struct kind *plugin_##kind(const char *name)                                             \
    {                                                                                              \
        for (size_t i = 0; plugin_##kind##s[i]; i++)                                               \
            if (strcmp(plugin_##kind##s[i]->name, name) == 0)                                      \
                return plugin_##kind##s[i];                                                        \
        return NULL;                                                                               \
    }
FIND(transport)
FIND(protocol)
FIND(observer)
FIND(world)
