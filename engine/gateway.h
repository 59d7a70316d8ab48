/* What a protocol says to people who run no node of it: they come to one of its nodes with a
 * browser and a mailbox, through that node's gateway (engine/worlds/uv/gateways/), which speaks
 * HTTP and SMTP. To the protocol they are parties as any others: a request becomes a message
 * from one of them, and what the node sends them becomes the response, or a mail.
 *
 * These functions are pure: they translate, and know no socket. A request has been taken apart
 * into fields before (of a JSON object, or of the query), each a text or up to GATEWAY_NUMBERS
 * whole numbers; a reply is fields likewise. The node answers a request within the event in which
 * it gets the message, with a message to the same party whose label.round is the request's; if
 * it doesn't, the request was one too many (429).
 */
#ifndef PARTYLINE_GATEWAY_H
#define PARTYLINE_GATEWAY_H

#include "engine/protocol.h"

#include <assert.h>

enum { GATEWAY_FIELDS = 8, GATEWAY_TEXT = 512, GATEWAY_NUMBERS = 4, GATEWAY_MESSAGE = 1024 };
enum { GATEWAY_KEY = 32, GATEWAY_ADDRESS = 254, GATEWAY_MAIL = 1024 };

/* Lent: what a request says. */
struct gateway_field {
    const char *name, *text; /* text: NULL if it is numbers */
    int64_t numbers[GATEWAY_NUMBERS];
    size_t n_numbers;
};

struct gateway_request {
    bool post;        /* else GET */
    const char *path; /* without the query: "/api/answer" */
    const struct gateway_field *fields;
    size_t n_fields;
};

/* What it answers: an HTTP status and a JSON object. */
struct gateway_reply {
    unsigned status;
    size_t n;
    struct {
        const char *name; /* static */
        bool is_number;
        int64_t number;
        char text[GATEWAY_TEXT];
    } fields[GATEWAY_FIELDS];
};

/* A message of a foreign party to this node. */
struct gateway_message {
    const char *role; /* the party's */
    uint32_t instance;
    size_t len;
    uint8_t data[GATEWAY_MESSAGE];
};

enum gateway_what {
    GATEWAY_REPLIES, /* the reply is complete: an error, or nothing that the node is asked */
    GATEWAY_ASKS,    /* the node is sent the message, and answers */
    GATEWAY_TELLS,   /* it is sent the message; the reply is complete; what was kept goes */
    GATEWAY_FETCHES  /* what is kept under the key is the reply, else 404 */
};

struct gateway_call {
    enum gateway_what what;
    struct gateway_reply reply;
    struct gateway_message message;
    uint8_t key[GATEWAY_KEY];
};

/* What becomes of a message of the node's own accord. */
enum gateway_fate {
    GATEWAY_DROPS,
    GATEWAY_MAILS, /* it is a mail; one of `sent` and `unsent` is the mail server's word on it */
    GATEWAY_KEEPS  /* it is kept under the key until somebody fetches it */
};

struct gateway_mail {
    uint8_t key[GATEWAY_KEY]; /* the same for each try of the same mail: its Message-ID */
    char to[GATEWAY_ADDRESS + 1], subject[80], body[GATEWAY_MAIL];
    struct gateway_message sent, unsent;
};

struct gateway {
    const char *const *roles; /* that may come through; ends with NULL */
    /* The only paths there are; what is on none of them is 404. Ends with NULL. */
    const char *const *paths;
    void (*call)(const void *plan, const struct roster *, const struct gateway_request *,
                 struct gateway_call *);
    /* The node's answer, or what was kept, as a reply. */
    void (*answer)(const void *plan, struct label, const uint8_t *data, size_t len,
                   struct gateway_reply *);
    enum gateway_fate (*notice)(const void *plan, const char *role, struct label,
                                const uint8_t *data, size_t len, struct gateway_mail *);
};

/* Adds a field; one too many, or too long, is our own mistake. */
static inline void gateway_text(struct gateway_reply *r, const char *name, const char *text,
                                size_t len)
{
    assert(r->n < GATEWAY_FIELDS && len < GATEWAY_TEXT);
    r->fields[r->n].name = name;
    r->fields[r->n].is_number = false;
    memcpy(r->fields[r->n].text, text, len);
    r->fields[r->n++].text[len] = 0;
}

static inline void gateway_number(struct gateway_reply *r, const char *name, int64_t number)
{
    assert(r->n < GATEWAY_FIELDS);
    r->fields[r->n].name = name;
    r->fields[r->n].is_number = true;
    r->fields[r->n++].number = number;
}

#endif
