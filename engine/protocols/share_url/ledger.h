/* What the share_url server keeps: one row a used payload, in its store (engine/store.h).
 *
 *     "u" | tag 32     -> mac 32 | used u64 ns | state 1 [| contact 64 | DEAL_RESULT]
 *     "l" | number u64 -> tag: rows in the order of their coming
 *     "t"              -> first number u64 | purged u64 ns
 *
 * The insert of "u" if absent is what makes a payload used: at that instant fingerprint, MAC and
 * outbox (contact and result, while state is LEDGER_PENDING) are durable together. "l" is put
 * before it: what a crash leaves there without its "u" is the last one, and is overwritten. To
 * purge, "t" goes on first, then "u" and "l" go; ledger_open removes what a crash left of that.
 *
 * `purged` is the latest time at which something was purged. What could have been among it is to
 * be refused for ever, also when the clock has been set back: see ledger_forgot.
 *
 * In memory: one struct ledger_row a row. Every function may give ERR_IO: nothing happened, or (if
 * the node is dying) it will be seen by ledger_open in its next life.
 */
#ifndef PARTYLINE_PROTOCOLS_SHARE_URL_LEDGER_H
#define PARTYLINE_PROTOCOLS_SHARE_URL_LEDGER_H

#include "engine/base/ns.h"
#include "engine/protocols/share_url/seal.h"
#include "engine/store.h"

enum {
    LEDGER_MAC = 32,
    LEDGER_VALUE = LEDGER_MAC + 8 + 1,
    LEDGER_OUTBOX = SEAL_CONTACT + DEAL_RESULT, /* bytes of a mail that is not yet sent */
    LEDGER_USED = 1 + SEAL_TAG + LEDGER_VALUE + 9 + SEAL_TAG, /* bytes of a row without it */
    LEDGER_FIXED = 1 + 16,                                    /* bytes of "t" */
    LEDGER_ROWS_MAX = 1 << 20
};

enum ledger_state { LEDGER_PENDING, LEDGER_SENT };

struct ledger_row {
    uint8_t tag[SEAL_TAG];
    ns_t used;
    enum ledger_state state;
    uint32_t tries; /* of its mail, the server's own */
};

struct ledger {
    struct store *store;
    struct ledger_row *rows; /* a ring */
    size_t cap, n;
    uint64_t first; /* the number of the first row */
    ns_t purged;
    uint64_t bytes; /* at rest */
    bool open, unswept;
};

struct ledger_entry {
    uint8_t mac[LEDGER_MAC];
    char contact[SEAL_CONTACT];
    uint8_t result[DEAL_RESULT];
    enum ledger_state state;
};

/* Reads what is there. OK, ERR_IO, ERR_NOMEM; nothing to do if it is open. */
int ledger_open(struct ledger *, struct store *);
void ledger_free(struct ledger *);
/* A payload's entry: contact and result if its mail is pending. OK, ERR_ABSENT,
 * ERR_IO. */
int ledger_find(const struct ledger *, const uint8_t tag[SEAL_TAG], struct ledger_entry *);
/* Uses a payload up. OK with *number; ERR_EXISTS: another was faster;
 * ERR_LIMIT, ERR_IO. */
int ledger_use(struct ledger *, const uint8_t tag[SEAL_TAG], ns_t now, const struct ledger_entry *,
               uint64_t *number);
/* NULL if there is no such row (any more). */
struct ledger_row *ledger_row(struct ledger *, uint64_t number);
/* The first row of that tag, or NULL. */
struct ledger_row *ledger_row_of(struct ledger *, const uint8_t tag[SEAL_TAG]);
/* Its mail is sent: contact and result go. */
int ledger_sent(struct ledger *, struct ledger_row *);
/* Removes rows used before `until`; *unsent grows by those whose mail was not
 * sent. */
int ledger_purge(struct ledger *, ns_t now, ns_t until, uint64_t *unsent);
/* Could a payload that nobody can use after `end` have been used and purged? */
static inline bool ledger_forgot(const struct ledger *l, ns_t end)
{
    return end <= l->purged;
}

#endif
