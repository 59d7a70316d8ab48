/* An HTTP/1.1 server on a libuv loop (libmicrohttpd, which runs in no thread of its own). What is
 * beyond its bounds never reaches handle(): requests above HTTP_BODY (413) or with a target above
 * HTTP_TARGET (414), methods but GET and POST (405), bodies that don't say they are JSON (415).
 * Connections: HTTP_CONNECTIONS in all, HTTP_PER_CLIENT from one address; one that says nothing
 * for HTTP_SILENCE_S seconds is closed. TLS is the business of whatever stands before it. */
#ifndef PARTYLINE_WORLDS_UV_GATEWAYS_HTTP_H
#define PARTYLINE_WORLDS_UV_GATEWAYS_HTTP_H

#include "engine/base/err.h"
#include "engine/env.h"

#include <uv.h>

enum {
    HTTP_BODY = 4096,
    HTTP_TARGET = 1024,
    HTTP_CONNECTIONS = 512,
    HTTP_PER_CLIENT = 64,
    HTTP_SILENCE_S = 10
};

struct http_request {
    bool post;
    const char *target; /* as it came: path and query */
    const char *body;   /* of a POST; not NUL-terminated */
    size_t len;
    struct addr client;
};

struct http_response {
    unsigned status;
    char *body; /* JSON, from malloc; or NULL */
};

struct http_setup {
    uv_loop_t *loop;
    struct addr at;
    void (*handle)(void *ctx, const struct http_request *, struct http_response *);
    void (*gone)(void *ctx); /* after http_free: nothing is left of it */
    void *ctx;
};

struct http;

/* ERR_EXISTS: the port is in use; ERR_IO. */
int http_new(struct http **, const struct http_setup *, struct err *);
void http_free(struct http *);

#endif
