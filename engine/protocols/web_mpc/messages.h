/* The messages of web_mpc: label.instance says which. All numbers little-endian; every message
 * has exactly the size given here, else it is dropped (PROTOCOL_FORMAT).
 *
 * c: session key (16) || token id (4) || token (16). t: the analyst's ticket (16).
 *
 *   input party -> server
 *     HELLO    c                                              asks for the analyst's key
 *     SUBMIT   c || counter (4) || cohort (4) || box (80) || share (8 (2M + 5))
 *   server -> input party
 *     KEY      the analyst's public key (32) || signature (64): the session is open
 *     ACK      counter (4): the submission is stored
 *     REFUSED  enum refusal (1)
 *   analyst -> server
 *     SETUP    session id (16) || max_parties (4) || key (32) || signature (64) ||
 *              password (1 + 64)
 *     STATE    t || enum session (1)
 *     FETCH    t || first token id (4)
 *     OPEN     t || challenge (32) || n (4) || n times shares of d, e (16)
 *     SIGMA    t || n (4) || n times a share of sigma (8)
 *     RELEASE  t || n (4) || n aggregates (4)
 *   server -> analyst
 *     STATUS   enum session (1) || t || key (32) || submissions (4)
 *     CHUNK    next token id (4) || n (4) || n times ENTRY
 *     OPENED   n (4) || n times shares of d, e, sigma (24)
 *     COUNTED  n (4)
 *     SUMS     n (4) || n times members (4) || published (4) || cells times shares of the sum
 *              and the sum of squares (16)
 *     DENIED   enum refusal (1)
 *
 * Without faults, with N input parties that submit s times, c = max(1, ceil(N / chunk)) chunks
 * and p pauses (0 or 1) there are
 *     N (2 + 2 s) + 2 (3 + 2 p) + 6 c + 2  messages
 * (a submission that a pause held up costs one KEY and one more SUBMIT), of which
 * messages_bytes() gives the bytes.
 */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_MESSAGES_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_MESSAGES_H

#include "engine/base/bytes.h"
#include "engine/protocols/web_mpc/plan.h"

enum message {
    HELLO,
    SUBMIT,
    KEY,
    ACK,
    REFUSED,
    SETUP,
    STATE,
    FETCH,
    OPEN,
    SIGMA,
    RELEASE,
    STATUS,
    CHUNK,
    OPENED,
    COUNTED,
    SUMS,
    DENIED,
    MESSAGES
};

enum session { SESSION_NONE, SESSION_READY, SESSION_STARTED, SESSION_PAUSED, SESSION_STOPPED };

enum refusal {
    REFUSAL_CREDENTIALS,
    REFUSAL_FULL,
    REFUSAL_CLOSED,
    REFUSAL_PASSWORD,
    REFUSAL_KEY, /* the session was set up with another key */
    REFUSAL_ORDER,
    REFUSAL_CHANGED, /* another challenge, or other submissions, than the first time */
    REFUSAL_STORE,
    REFUSALS
};

enum {
    CREDENTIALS_LEN = 2 * BOX_ID + 4,
    SUBMIT_HEAD = CREDENTIALS_LEN + 8 + BOX_LEN,
    KEY_LEN = BOX_KEY + BOX_SIGNATURE,
    SETUP_LEN = BOX_ID + 4 + BOX_KEY + BOX_SIGNATURE + 1 + PASSWORD_MAX,
    STATUS_LEN = 1 + BOX_ID + BOX_KEY + 4,
    ENTRY = 12 + BOX_HASH + BOX_LEN /* token id, counter, cohort, hash of the share, box */
};

static inline size_t submit_len(const struct plan *p)
{
    return SUBMIT_HEAD + 8 * p->len;
}

static inline size_t sums_len(const struct plan *p, uint32_t n_queries)
{
    return 4 + n_queries * (8 + 16 * (size_t)p->cells);
}

static inline uint64_t messages_chunks(const struct plan *p)
{
    uint64_t chunk = (uint64_t)p->opts->chunk;
    return (p->n + chunk - 1) / chunk;
}

/* Of a session without faults and pauses to which everybody submits. */
static inline uint64_t messages_count(const struct plan *p)
{
    return p->n * (2 + 2 * (uint64_t)p->opts->submissions) + 6 + 6 * messages_chunks(p) + 2;
}

static inline uint64_t messages_bytes(const struct plan *p)
{
    uint64_t submissions = p->n * (uint64_t)p->opts->submissions, t = BOX_ID;
    return p->n * (uint64_t)(CREDENTIALS_LEN + KEY_LEN) + submissions * (submit_len(p) + 4) +
           SETUP_LEN + 2 * (t + 1) + 3 * STATUS_LEN +
           messages_chunks(p) * ((t + 4) + 8 + (t + SNIP_SEED + 4) + 4 + (t + 4) + 4) +
           p->n * (ENTRY + 16 + 24 + 8) + (t + 4 + 4 * p->n_queries) + sums_len(p, p->n_queries);
}

static inline const char *refusal_text(uint8_t why)
{
    static const char *const texts[REFUSALS] = {
        "the session key or the token is not valid",
        "the session has as many parties as the analyst admits",
        "the session is closed",
        "the password is wrong",
        "the session was set up with another key: what is sealed to that one stays sealed",
        "not in this state of the session",
        "the submissions are not those that were verified first",
        "the server's store failed"};
    return why < REFUSALS ? texts[why] : "for no known reason";
}

#endif
