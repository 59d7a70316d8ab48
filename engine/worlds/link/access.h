/* Named last miles: what a scenario's `access: fibre` stands for.
 *
 * The figures are rounded from the public sources that access.c names beside each. They
 * describe a typical subscriber, not the best or the average one; a study that depends on
 * them says so and varies them. Latency is the last mile's share alone, one way and without
 * load: from the host to the first router of the provider's backbone.
 */
#ifndef PARTYLINE_WORLDS_LINK_ACCESS_H
#define PARTYLINE_WORLDS_LINK_ACCESS_H

#include "engine/world.h"

/* The profiles' names in a fixed order; ends with NULL. */
extern const char *const access_names[];

/* The profile of that name, constant; NULL if there is none. */
const struct access *access_find(const char *name);

/* One line about the profile, for help texts; NULL if there is none of that name. */
const char *access_help(const char *name);

#endif
