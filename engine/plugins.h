/* The static tables of plugins: the only place that names every one of them.
 * Each table ends with NULL. A new plugin is one file and one line in plugins.c.
 */
#ifndef PARTYLINE_PLUGINS_H
#define PARTYLINE_PLUGINS_H

#include "engine/observer.h"
#include "engine/protocol.h"
#include "engine/transport.h"
#include "engine/world.h"

extern const struct transport *const plugin_transports[];
extern const struct protocol *const plugin_protocols[];
extern const struct observer *const plugin_observers[];
extern const struct world *const plugin_worlds[];

/* NULL if there is none of that name. */
const struct transport *plugin_transport(const char *name);
const struct protocol *plugin_protocol(const char *name);
const struct observer *plugin_observer(const char *name);
const struct world *plugin_world(const char *name);

#endif
