/* Protocol share_url: two parties compute together without being there together, through a server
 * that keeps a fingerprint. After D. Ernst's "Async MPC", steps 1 to 12.
 *
 *  1, 2  The initiator seals her input to the server's key (seal.h),
 *  3     and posts it.                            POST     initiator -> server
 *  4     The server signs it with the time,
 *        and keeps nothing.                       SIGNED   server -> initiator
 *  5, 6  She makes a share URL, and sends it with
 *        whatever people write messages with.     TEXT     initiator -> messenger
 *  7     It is opened after a human delay.        TEXT     messenger -> responder
 *  8     He checks the signature, and asks
 *        whether it is used.                      ASK      responder -> server
 *  9     The server looks it up.                  STATUS   server -> responder
 * 10     He posts his input with her payload.     ANSWER   responder -> server
 * 11     The server opens it, inserts its
 *        fingerprint if absent (ledger.h),
 * 12     computes (deal.h), mails the initiator,  MAILING  server -> mail
 *        answers the responder.                   RESULT   server -> responder
 *        The mail server says that it has it,     MAILED   mail -> server
 *        hands it over,                           LETTER   mail -> initiator
 *        and hears that she has it.               READ     initiator -> mail
 *
 * So without faults a session takes SHARE_MESSAGES messages, and SHARE_BYTES + 2 x URL bytes (URL:
 * URL_HEAD + the host's name + PAYLOAD_TEXT). With `compare` the responder tells the initiator what
 * he got, through the messenger: 2 messages and 2 x SHARE_NOTE bytes more. Label: instance is the
 * kind of message, round counts the tries.
 *
 * Where this differs from the document, because published designs of its kind fall to it:
 * - Contact, program, creation time and a random id are inside the seal, and the server goes by
 *   them alone: whoever holds the URL could post the ciphertext again, for another signature or
 *   with another contact. Uniqueness hangs on the id, expiry on the creation time.
 * - The seal is opened before the fingerprint is inserted, not after: what is not authentic uses
 *   nothing up. Nothing is computed or told before the insert.
 * - A responder's retry is computed again from the same inputs, which he sends again: what the
 *   fingerprint's row keeps of them is a MAC under the server's key.
 *
 * What the server keeps of a used payload: LEDGER_USED bytes for window + 2 x tolerance, and, until
 * the initiator has been reached, LEDGER_OUTBOX more. So E[bytes at rest] = rate x LEDGER_USED x
 * (window + 2 x tolerance), if mail is quick.
 *
 * Time. Every deadline is stateless: from the signed timestamp and the sealed creation time, by the
 * server's clock (`clock_ahead` and `clock_behind` put it wrong). Clocks may differ by `tolerance`.
 * A server whose clock once ran ahead goes by the latest time at which it purged: what it has
 * forgotten stays expired, even if the clock is set back. Worlds with real clocks have to give all
 * nodes one epoch.
 *
 * Keys. The server seals and signs with its identity. With `channel: none` nobody has an identity:
 * then plan() derives a key pair from the server's name, which everybody can. That baseline shows
 * sizes and times, and protects nothing.
 *
 * Faults that are survived: crashes of anybody at any operation of the stores; a store that fails;
 * mail that fails, or succeeds without a word (the mailbox and the initiator drop what comes
 * twice); after `mail_tries` the messenger notifies her, until it says that it has. A note (of
 * `compare`) that is lost with the messenger is not sent again: she goes without it in the end.
 *
 * Questions are limited to `questions` an hour and responder; more are answered LIMITED, unseen.
 *
 * Onlookers. The k-th initiator's URL is for the k-th responder. Further responders are Eves:
 * number r gets the URL of initiator r mod (initiators), when `eve` says, and does what `attack`
 * says. Who answers first wins, the others fail with "used".
 *
 * The server sees both inputs for the length of one event (exposure party_input); `server: retains`
 * keeps them for good. `miscalculates`: in fair_deal it names a price outside a party's own range,
 * which that party notices; in equal and less_than either answer fits any input of one's own, and
 * no party can notice: verify() alone does, which knows all inputs. `within_range` errs in
 * fair_deal where nobody can notice, in the others not at all; `two_results` tells the responder
 * the truth and mails another result: noticed by `compare`, whatever the program.
 *
 * People who run no node come to the server through its gateway, with the same steps in JSON over
 * HTTP, and get their mail by SMTP: foreign.c.
 */
#ifndef PARTYLINE_PROTOCOLS_SHARE_URL_SHARE_URL_H
#define PARTYLINE_PROTOCOLS_SHARE_URL_SHARE_URL_H

#include "engine/base/bytes.h"
#include "engine/protocol.h"
#include "engine/protocols/share_url/deal.h"
#include "engine/protocols/share_url/seal.h"
#include "engine/protocols/share_url/url.h"
#include "engine/store.h"

extern const struct protocol protocol_share_url;

enum share_role {
    SHARE_INITIATOR,
    SHARE_RESPONDER,
    SHARE_SERVER,
    SHARE_MESSENGER,
    SHARE_MAIL,
    SHARE_ROLES
};
enum share_law { LAW_EXPONENTIAL, LAW_LOGNORMAL, LAW_UNIFORM, LAW_CONSTANT };
enum share_eve { EVE_FIRST, EVE_TOGETHER, EVE_LATER };
enum share_attack { ATTACK_ANSWER, ATTACK_REPLAY, ATTACK_REPOST, ATTACK_ALTER, ATTACK_PROBE };
enum share_lie { LIE_HONEST, LIE_MISCALCULATES, LIE_WITHIN_RANGE, LIE_TWO_RESULTS, LIE_RETAINS };

struct share_opts {
    int64_t program, window, tolerance;
    int64_t delay, law, loss, duplicates;
    int64_t eve, attack;
    int64_t server, clock_ahead, clock_behind, skew_from, skew_until;
    int64_t questions, retry, sample, compare, wait;
    int64_t mail_refuses, mail_silent, mail_tries, mail_retry;
    const char *host;
};

/* Kinds of messages: label.instance. */
enum share_kind {
    SHARE_POST,    /* POST_LEN */
    SHARE_SIGNED,  /* PAYLOAD_LEN */
    SHARE_TEXT,    /* TEXT_HEAD and the text; the party is whom it is for, or whom it
                      is from */
    SHARE_TAKEN,   /* the messenger has a NOTICE: its tag */
    SHARE_ASK,     /* PAYLOAD_TEXT */
    SHARE_STATUS,  /* STATUS_LEN: enum share_status */
    SHARE_ANSWER,  /* PAYLOAD_TEXT | values 16 | nonce 16 */
    SHARE_RESULT,  /* status 1 | DEAL_RESULT */
    SHARE_MAILING, /* tag | contact | DEAL_RESULT */
    SHARE_MAILED,  /* tag | 1 if it has it, or 0 */
    SHARE_LETTER,  /* tag | DEAL_RESULT */
    SHARE_READ,    /* tag */
    SHARE_FETCH,   /* tag: is there a letter for me? After a restart. */
    SHARE_KINDS
};

enum share_text {
    TEXT_URL,
    TEXT_NOTE /* tag | status | DEAL_RESULT */,
    TEXT_NOTICE /* tag | DEAL_RESULT */,
    TEXT_KINDS
};

enum share_status {
    STATUS_FRESH,
    STATUS_DONE,
    STATUS_USED, /* by somebody else, or with another input */
    STATUS_EXPIRED,
    STATUS_CLOCK,   /* from the future: somebody's clock is wrong */
    STATUS_BAD,     /* not authentic, or nothing that this server computes */
    STATUS_LIMITED, /* too many questions */
    STATUS_AGAIN,   /* the server cannot say now */
    STATUS_KINDS
};

enum {
    TEXT_HEAD = 5, /* enum share_text 1 | party 4 */
    TEXT_MAX = 512,
    STATUS_LEN = 1,
    ANSWER_NONCE = 16,
    ANSWER_LEN = PAYLOAD_TEXT + DEAL_VALUES + ANSWER_NONCE,
    RESULT_LEN = 1 + DEAL_RESULT,
    MAIL_LEN = SEAL_TAG + SEAL_CONTACT + DEAL_RESULT,
    LETTER_LEN = SEAL_TAG + DEAL_RESULT,
    NOTE_LEN = SEAL_TAG + 1 + DEAL_RESULT,
    SHARE_MESSAGES = 12,
    SHARE_BYTES = POST_LEN + PAYLOAD_LEN + 2 * TEXT_HEAD + PAYLOAD_TEXT + STATUS_LEN + ANSWER_LEN +
                  RESULT_LEN + MAIL_LEN + (SEAL_TAG + 1) + LETTER_LEN + SEAL_TAG,
    SHARE_NOTE = TEXT_HEAD + NOTE_LEN,
    SHARE_HOUR_S = 3600
};

struct share_plan {
    const struct share_opts *opts;
    const struct roster *roster;
    uint32_t n[SHARE_ROLES];
    uint8_t *role;   /* of each node; SHARE_ROLES: none of ours */
    uint32_t *place; /* among those of its role */
    party_t *initiators, *responders;
    party_t server, messenger, mail;
    struct identity *keys; /* the server's, with channel: none */
};

struct share_server;
struct share_messenger;

struct share_initiator {
    uint8_t post[POST_LEN];
    uint8_t letter[DEAL_RESULT], note[1 + DEAL_RESULT];
    ns_t created;
    uint8_t tries;
    bool shared;    /* for good, */
    bool text_sent; /* and in this life */
    bool has_letter, has_note, over;
};

struct share_responder {
    char text[PAYLOAD_TEXT]; /* the payload, base64url */
    uint8_t nonce[ANSWER_NONCE];
    uint8_t tag[SEAL_TAG];
    uint8_t tries;
    enum share_kind asking; /* SHARE_TEXT: has no URL yet */
    bool over;
    uint32_t step, accepted; /* of an attack */
};

struct share {
    const struct share_plan *plan;
    enum share_role role;
    bool modelled;
    int64_t values[2]; /* its own input */
    union {
        struct share_initiator i;
        struct share_responder r;
        struct share_server *server;
        struct share_messenger *messenger;
    } as;
};

/* What an absent party takes: this, its node's own and its channels'. */
_Static_assert(sizeof(struct share) <= 640, "memory of an absent party");

enum { TIMER_RETRY, TIMER_GIVE_UP, TIMER_TICK, TIMER_ROWS };

/* plan.c */
int share_plan_make(const struct protocol_shape *, void **out, struct err *);
void share_plan_free(void *);
int share_check_input(const void *plan, party_t, const struct input *, struct err *);
/* Reads the input, which has been checked. */
void share_values(const struct share_plan *, const struct input *, int64_t values[2]);
/* The server's keys: public, and (for the server alone) secret. */
const struct identity_public *share_server_key(const struct share_plan *, struct party *);
const struct identity *share_server_secret(const struct share_plan *, struct party *);
int share_verify(const struct protocol_shape *, const void *plan, const struct outcome *,
                 struct err *);
static inline party_t share_addressee(const struct share_plan *plan, uint32_t initiator)
{
    return plan->responders[initiator];
}
static inline bool share_is_eve(const struct share *s, party_t self)
{
    return s->plan->place[self] >= s->plan->n[SHARE_INITIATOR];
}
/* When a party that has heard nothing stops waiting, counted from the session's
 * beginning. */
ns_t share_patience(const struct share_plan *);
/* The k-th try's distance to the next, doubling up to 64 x. */
static inline ns_t share_backoff(ns_t base, unsigned k)
{
    return base << (k < 6 ? k : 6);
}
/* True if the party could send; what could not is sent again in time. */
bool share_send(struct party *, party_t to, enum share_kind, uint32_t round, const void *data,
                size_t len);
bool share_text(const struct share *, struct party *, party_t via, party_t whom, enum share_text,
                const void *text, size_t len);
const char *share_status_words(enum share_status);

/* What each role does about its events. share_dispatch in share_url.c has
 * checked that the sender's role sends this kind, and its length. */
struct share_role_ops {
    int (*init)(struct share *, struct party *, struct err *);
    void (*start)(struct share *, struct party *);
    void (*recv)(struct share *, struct party *, party_t from, struct label, const uint8_t *data,
                 size_t len);
    void (*peer)(struct share *, struct party *, party_t peer, enum peer_state);
    void (*timer)(struct share *, struct party *, unsigned timer);
    void (*waiting)(const struct share *, char *buf, size_t cap);
    void (*free)(struct share *);
};
extern const struct share_role_ops share_initiator_ops, share_responder_ops, share_server_ops,
    share_messenger_ops, share_mail_ops;

/* foreign.c */
extern const struct gateway share_gateway;

/* eve.c: the next step of an attack, after the answer to the last one (NULL:
 * the first). */
void share_eve_next(struct share *, struct party *, enum share_kind, const uint8_t *data,
                    size_t len);

#endif
