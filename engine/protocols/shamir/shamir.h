/* Protocol shamir: secure computation after Ben-Or, Goldwasser and Wigderson (STOC 1988),
 * semi-honest, with an honest majority.
 *
 * n >= 3 parties, threshold 1 <= t <= (n - 1) / 2: any t of them together learn nothing but
 * the result. Every input is shared among all (engine/crypto/shamir.h); sums are local;
 * products are reshared (Gennaro, Rabin, Rabin, PODC 1998); only results, and values masked
 * by random ones, are opened. Programs, and what each costs: programs.h. Kinds of message,
 * and how many there are of each: schedule.h.
 *
 * Messages. label.round is the round, label.instance the enum kind; the body is the batch's
 * elements, 8 little-endian bytes (below 2^61 - 1) or 1 byte each. A party sends its part of
 * a round as soon as it has all of the round before, to peers in ascending order, and takes
 * messages in by label whenever they come (schedule.h, slots): memory is fixed at init. What
 * a peer has no room for yet waits as it is, and the next round with it.
 *
 * Nothing hangs. A message that is malformed, and the loss or restart of a peer whose messages
 * are still needed, end the run at this party with a named failure; it then tells its peers
 * (SHAMIR_GAVE_UP), and those that still need it fail as well and name both. A party that
 * was itself restarted has lost its shares and says so at its first event.
 *
 * Drops: LABEL_UNKNOWN, no such message from that peer to us; LABEL_TWICE, a second one in a
 * round that is not over; LABEL_LATE, one for a round that is, or after giving up;
 * PROTOCOL_FORMAT, malformed.
 */
#ifndef PARTYLINE_PROTOCOLS_SHAMIR_SHAMIR_H
#define PARTYLINE_PROTOCOLS_SHAMIR_SHAMIR_H

#include "engine/protocol.h"
#include "engine/protocols/shamir/plan.h"

/* label.instance beyond enum kind. The body: enum shamir_reason (1 byte), whose fault it is
 * (party_t, 4 bytes); label.round: where the sender was. */
enum { SHAMIR_GAVE_UP = KIND_COUNT, SHAMIR_GAVE_UP_LEN = 5 };

enum shamir_reason {
    SHAMIR_RESTARTED,
    SHAMIR_LOST,
    SHAMIR_MALFORMED,
    SHAMIR_STUCK,
    SHAMIR_REASONS
};

extern const struct protocol protocol_shamir;

#endif
