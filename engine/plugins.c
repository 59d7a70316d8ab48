#include "engine/plugins.h"

#include <string.h>

extern const struct transport transport_direct, transport_null;
extern const struct protocol protocol_shamir, protocol_ping, protocol_idle;
extern const struct observer observer_exposure;
extern const struct world world_sim;

const struct transport *const plugin_transports[] = {&transport_direct, &transport_null, NULL};
const struct protocol *const plugin_protocols[] = {&protocol_shamir, &protocol_ping, &protocol_idle,
                                                   NULL};
const struct observer *const plugin_observers[] = {&observer_exposure, NULL};
const struct world *const plugin_worlds[] = {&world_sim, NULL};

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
