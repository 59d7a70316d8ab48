/* What this machine needs for the operations that nodes charge (ENV_COSTS): CPU time of one
 * thread, the median of several runs each.
 *
 * x25519, ed25519_*: libsodium's; aead: sealing 64 bytes under a Noise cipher; aead_kib: one KiB
 * more of it; share: a field element shared with one of 5 parties at threshold 2; field_mul: one
 * multiplication in the field 2^61 - 1; message: one protocol message from send to recv through
 * node, channel: none and transport `null`, with the simulator's loop around it.
 */
#ifndef PARTYLINE_RUN_CALIBRATE_H
#define PARTYLINE_RUN_CALIBRATE_H

#include "engine/base/err.h"
#include "engine/env.h"

/* OK, or the simulator's error. Takes some seconds. Nothing is 0: at least 1 ns. */
int calibrate(ns_t costs[COST_COUNT], struct err *);

#endif
