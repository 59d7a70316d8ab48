/* The server of share_url: its state, and its outbox (outbox.c).
 *
 * A row of the ledger whose mail is pending is mailed at once, then after mail_retry, and after
 * twice that ...; when `mail_tries` have gone, the messenger is asked to notify the initiator
 * instead, at the same pace, until it says that it has. A row is sent when either has said so.
 * After a restart all pending rows are tried anew.
 */
#ifndef PARTYLINE_PROTOCOLS_SHARE_URL_SERVER_H
#define PARTYLINE_PROTOCOLS_SHARE_URL_SERVER_H

#include "engine/protocols/share_url/ledger.h"
#include "engine/protocols/share_url/share_url.h"

struct share_server {
    struct ledger ledger;
    uint16_t *questions; /* of each party, this hour */
    ns_t hour;
    uint64_t retained; /* bytes that it had no right to keep */
    bool mailing;      /* the rows that a former life left are being mailed */
};

/* By its own clock. */
ns_t share_server_now(const struct share *, struct party *);

/* Opens the ledger if it is not open yet, and then once mails what is pending.
 */
void share_mail_all(const struct share *, struct party *);
/* Tells observers what that row keeps, and until when. */
void share_row_kept(const struct share *, struct party *, uint64_t number,
                    const struct ledger_entry *);
/* The next try of that row, if it is pending. */
void share_mail_row(const struct share *, struct party *, uint64_t number);
/* timer: of a row, by its number modulo OUTBOX_TIMERS. */
void share_mail_timer(const struct share *, struct party *, unsigned timer);
/* The mail server or the messenger has (not) taken it. */
void share_mail_sent(const struct share *, struct party *, const uint8_t tag[SEAL_TAG], bool ok);

/* "party-7@mail.example" of the initiator with id 7. */
enum { OUTBOX_TIMERS = 1 << 23 };
void share_contact(char out[SEAL_CONTACT], party_t initiator);
/* Is it an address that a mail may go to: LOCAL@DOMAIN, of harmless characters alone? */
bool share_contact_valid(const char contact[SEAL_CONTACT]);
/* PARTY_NONE: that is no initiator's contact; a person's, perhaps, who runs no node. */
party_t share_of_contact(const struct share_plan *, const char contact[SEAL_CONTACT]);

#endif
