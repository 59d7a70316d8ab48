/* The programs that share_url computes: over the initiator's values and the responder's.
 *
 * fair_deal: each gives the range of prices that it would accept, [low, high]. Do they overlap, and
 * where do they meet? In the middle of the overlap, rounded down. equal, less_than (is the
 * initiator's less than the responder's?): one value each. Values are 0 to DEAL_MAX.
 */
#ifndef PARTYLINE_PROTOCOLS_SHARE_URL_DEAL_H
#define PARTYLINE_PROTOCOLS_SHARE_URL_DEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum deal_program { DEAL_FAIR, DEAL_EQUAL, DEAL_LESS_THAN, DEAL_PROGRAMS };
enum deal_kind { DEAL_NO_OVERLAP, DEAL_MEET, DEAL_NO, DEAL_YES, DEAL_TRIED, DEAL_KINDS };
enum { DEAL_VALUES = 16, DEAL_RESULT = 9 };
#define DEAL_MAX INT64_C(1000000000000000)

struct deal {
    enum deal_kind kind;
    int64_t price; /* of DEAL_MEET; an attacker's result (DEAL_TRIED): what was
                      accepted of it */
};

/* How many values a party gives. */
unsigned deal_n_values(enum deal_program);
bool deal_valid(enum deal_program, const int64_t values[2]);
struct deal deal_compute(enum deal_program, const int64_t initiator[2], const int64_t responder[2]);
/* Can that be right, as far as a party can tell from its own values? False only
 * of fair_deal: an overlap outside one's own range. */
bool deal_plausible(enum deal_program, const int64_t own[2], struct deal);
/* A wrong result; within: where none of the two can notice, if there is one,
 * else the right one. */
struct deal deal_lie(enum deal_program, const int64_t initiator[2], const int64_t responder[2],
                     bool within);

void deal_put_values(uint8_t out[DEAL_VALUES], const int64_t values[2]);
void deal_get_values(int64_t values[2], const uint8_t in[DEAL_VALUES]);
void deal_put(uint8_t out[DEAL_RESULT], struct deal);
/* False: that is no result of the program. */
bool deal_get(enum deal_program, struct deal *, const uint8_t in[DEAL_RESULT]);
int deal_text(struct deal, char *buf, size_t cap);

#endif
