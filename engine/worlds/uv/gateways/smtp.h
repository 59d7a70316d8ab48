/* Mail over SMTP (RFC 5321, by libcurl) on a libuv loop: STARTTLS where the server offers it. One
 * try for each smtp_send(); to try again is its caller's business. SMTP_AT_ONCE tries run at a
 * time, for SMTP_LIMIT_S seconds each. The Message-ID is made of the key alone, so that a mail
 * that was sent twice, because its acceptance got lost, is known as one (RFC 5322, 3.6.4). */
#ifndef PARTYLINE_WORLDS_UV_GATEWAYS_SMTP_H
#define PARTYLINE_WORLDS_UV_GATEWAYS_SMTP_H

#include "engine/base/err.h"
#include "engine/gateway.h"

#include <uv.h>

enum { SMTP_AT_ONCE = 16, SMTP_LIMIT_S = 30, SMTP_CONNECT_S = 10 };

struct smtp_setup {
    uv_loop_t *loop;
    const char *url;  /* smtp://HOST:PORT or smtps://..., may name user and password */
    const char *from; /* an address */
    /* How a try ended: in order of smtp_send()'s calls or not. */
    void (*done)(void *ctx, party_t whose, const struct gateway_mail *, bool taken);
    void (*gone)(void *ctx); /* after smtp_free: nothing is left of it */
    void *ctx;
};

struct smtp;

bool smtp_address_valid(const char *);
int smtp_new(struct smtp **, const struct smtp_setup *, struct err *);
void smtp_free(struct smtp *);
/* OK: done() will be told, or a try of that mail is under way already; ERR_LIMIT, ERR_NOMEM,
 * ERR_INVALID: not an address. */
int smtp_send(struct smtp *, party_t whose, const struct gateway_mail *);

#endif
