/* What coturn 4.6.1 answers to the requests of turn_script.h, and the simulated server as well.
 * Recorded from coturn; every run of tests/interop/coturn_check compares again. */
#ifndef PARTYLINE_TESTS_TURN_ANSWERS_H
#define PARTYLINE_TESTS_TURN_ANSWERS_H

/* Over UDP and TCP alike, before and after what differs. */
#define TURN_ANSWERS_FIRST                                                                         \
    "binding: success mapped crc\n"                                                                \
    "allocate without credentials: error 401 realm nonce crc\n"                                    \
    "allocate with a wrong password: error 401 realm nonce crc\n"                                  \
    "allocate without credentials, anew: error 401 realm nonce crc\n"                              \
    "allocate with an expired user name: error 401 realm nonce crc\n"                              \
    "allocate without credentials, once more: error 401 realm nonce crc\n"                         \
    "allocate with a user name without time: error 401 realm nonce crc\n"                          \
    "allocate without a user name: error 400 crc\n"                                                \
    "allocate without a realm: error 400 crc\n"                                                    \
    "allocate without a nonce: error 400 crc\n"                                                    \
    "allocate without credentials, at last: error 401 realm nonce crc\n"                           \
    "allocate with a wrong realm: error 437 crc\n"                                                 \
    "allocate with a wrong nonce: error 438 realm nonce crc\n"                                     \
    "refresh without allocation: error 437 signed crc\n"                                           \
    "permission without allocation: error 400 signed crc\n"                                        \
    "channel without allocation: error 400 signed crc\n"                                           \
    "allocate without transport: error 400 signed crc\n"                                           \
    "allocate TCP: error 442 signed crc\n"                                                         \
    "allocate transport 99: error 400 signed crc\n"                                                \
    "allocate IPv6: error 440 signed crc\n"                                                        \
    "allocate family 9: error 440 signed crc\n"                                                    \
    "allocate with an attribute unknown: error 420 unknown=7f77 signed crc\n"                      \
    "allocate with an attribute unknown, bare: error 401 realm nonce crc\n"                        \
    "binding with an optional attribute unknown: success mapped crc\n"                             \
    "method 15: error 400 signed crc\n"                                                            \
    "allocate: success relayed mapped lifetime=600 signed crc\n"                                   \
    "the same allocate again: success relayed mapped lifetime=600 signed crc\n"                    \
    "another allocate: error 437 crc\n"                                                            \
    "refresh by another user: error 441 crc\n"                                                     \
    "refresh by the user with another time: error 441 crc\n"                                       \
    "refresh to 1200: success lifetime=1200 signed crc\n"                                          \
    "refresh to 1: success lifetime=600 signed crc\n"                                              \
    "refresh to 99999: success lifetime=3600 signed crc\n"                                         \
    "refresh: success lifetime=600 signed crc\n"                                                   \
    "refresh of IPv6: error 443 signed crc\n"                                                      \
    "refresh without credentials: error 401 realm nonce crc\n"                                     \
    "refresh with a stale nonce: error 438 realm nonce crc\n"                                      \
    "refresh with the new nonce: success lifetime=600 signed crc\n"                                \
    "permission for nobody: error 400 signed crc\n"                                                \
    "permission: success signed crc\n"                                                             \
    "permission for two: success signed crc\n"                                                     \
    "permission for loopback: error 403 signed crc\n"                                              \
    "permission for 0.0.0.0: error 403 signed crc\n"                                               \
    "permission for multicast: error 403 signed crc\n"                                             \
    "permission for one and loopback: error 403 signed crc\n"                                      \
    "permission for IPv6: error 443 signed crc\n"                                                  \
    "permission without credentials: error 401 realm nonce crc\n"                                  \
    "channel without number: error 400 signed crc\n"                                               \
    "channel without peer: error 400 signed crc\n"                                                 \
    "channel 3fff: error 400 signed crc\n"                                                         \
    "channel 8000: error 400 signed crc\n"                                                         \
    "channel 4000: success signed crc\n"                                                           \
    "channel 4000 again: success signed crc\n"                                                     \
    "channel 4000 for another peer: error 400 signed crc\n"                                        \
    "channel 4001 for the same peer: error 400 signed crc\n"                                       \
    "channel 4fff: success signed crc\n"                                                           \
    "channel for loopback: error 403 signed crc\n"                                                 \
    "channel for IPv6: error 443 signed crc\n"

#define TURN_ANSWERS_LAST                                                                          \
    "refresh to 0: success lifetime=0 signed crc\n"                                                \
    "the first client, bare: error 401 realm nonce crc\n"                                          \
    "the first client: success relayed mapped lifetime=600 signed crc\n"                           \
    "the second client, bare: error 401 realm nonce crc\n"                                         \
    "the second client: success relayed mapped lifetime=600 signed crc\n"                          \
    "the third client, bare: error 401 realm nonce crc\n"                                          \
    "the third client: error 486 signed crc\n"                                                     \
    "the first client leaves: success lifetime=0 signed crc\n"                                     \
    "the third client again: success relayed mapped lifetime=600 signed crc\n"                     \
    "the second client leaves: success lifetime=0 signed crc\n"                                    \
    "the third client leaves: success lifetime=0 signed crc\n"

static const char turn_answers_udp[] = TURN_ANSWERS_FIRST
    "a truncated request: nothing\n"
    "a wrong fingerprint: nothing\n"
    "a wrong cookie: nothing\n"
    "data on a channel to nowhere: nothing\n"
    "data on an unbound channel: nothing\n"
    "truncated data on a channel: nothing\n"
    "neither STUN nor a channel: nothing\n"
    "refresh with a long text: success lifetime=600 signed crc\n"
    "refresh after all that: success lifetime=600 signed crc\n" TURN_ANSWERS_LAST;

static const char turn_answers_tcp[] = TURN_ANSWERS_FIRST
    "a request in two pieces: success lifetime=600 signed crc\n"
    "two requests in one piece, and data between them: success lifetime=600 signed crc\n"
    "the second of them: success lifetime=600 signed crc\n" TURN_ANSWERS_LAST;

static const char turn_answers_relaying[] =
    "bare: error 401 realm nonce crc\n"
    "allocate: success relayed mapped lifetime=3 signed crc\n"
    "bare: error 401 realm nonce crc\n"
    "allocate: success relayed mapped lifetime=3 signed crc\n"
    "sent without any permission: nothing\n"
    "permission: success signed crc\n"
    "sent without permission at the peer: nothing\n"
    "permission: success signed crc\n"
    "sent: indication peer data=hello crc\n"
    "sent back: indication peer data=hello crc\n"
    "on an unbound channel: nothing\n"
    "channel: success signed crc\n"
    "on a channel: indication peer data=hello crc\n"
    "to a channel: channel 4000 data=hello\n"
    "channel: success signed crc\n"
    "from channel to channel: channel 4000 data=hello\n"
    "after the nonce's end: error 438 realm nonce crc\n"
    "after the allocation's end, bare: error 401 realm nonce crc\n"
    "after the allocation's end: error 437 signed crc\n";

#endif
