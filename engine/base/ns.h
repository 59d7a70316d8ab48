/* Time. One unit everywhere: nanoseconds in a signed 64-bit integer (292 years).
 *
 * A name without a unit that holds a time is in nanoseconds (DESIGN.md, Rules).
 * There is no clock here: time comes from the world, as env.now.
 */
#ifndef PARTYLINE_BASE_NS_H
#define PARTYLINE_BASE_NS_H

#include <stdint.h>

typedef int64_t ns_t;

#define NS_US ((ns_t)1000)
#define NS_MS ((ns_t)1000000)
#define NS_S ((ns_t)1000000000)
#define NS_NEVER INT64_MAX

#endif
