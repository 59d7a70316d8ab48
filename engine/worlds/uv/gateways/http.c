#include "engine/worlds/uv/gateways/http.h"

#include "engine/worlds/uv/uvplace.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { UNREAD_MAX = 65536, MEMORY = 16384 };

struct http {
    struct http_setup setup;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned handles;
};

struct call {
    bool begun;
    unsigned refused; /* its status; 0: not */
    size_t len, unread;
    char target[HTTP_TARGET + 1], body[HTTP_BODY];
};

/* ---- one request ---------------------------------------------------------------------- */

static void *on_target(void *ctx, const char *target, struct MHD_Connection *c)
{
    struct call *call = calloc(1, sizeof *call);
    size_t len = strnlen(target, HTTP_TARGET + 1);
    (void)ctx, (void)c;
    if (!call)
        return NULL;
    if (len > HTTP_TARGET)
        call->refused = 414;
    else
        memcpy(call->target, target, len);
    return call;
}

static void on_over(void *ctx, struct MHD_Connection *c, void **call,
                    enum MHD_RequestTerminationCode why)
{
    (void)ctx, (void)c, (void)why;
    free(*call);
    *call = NULL;
}

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, char *body)
{
    static char nothing[] = "{}\n";
    struct MHD_Response *r =
        body ? MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE)
             : MHD_create_response_from_buffer(strlen(nothing), nothing, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result good;
    if (!r) {
        free(body);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", "application/json");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (status == 405)
        MHD_add_response_header(r, "Allow", "GET, POST");
    good = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return good;
}

/* Is it refused by its head alone? The status, or 0. */
static unsigned judge(struct MHD_Connection *c, const char *method)
{
    const char *type = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");
    const char *len = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    bool post = strcmp(method, "POST") == 0;
    if (!post && strcmp(method, "GET") != 0)
        return 405;
    if (len && (strlen(len) > 9 || atol(len) > (post ? HTTP_BODY : 0)))
        return 413;
    if (post && (!type || strncmp(type, "application/json", 16) != 0 ||
                 (type[16] && type[16] != ';' && type[16] != ' ')))
        return 415;
    return 0;
}

static enum MHD_Result take(struct call *call, const char *data, size_t *len)
{
    if (*len > HTTP_BODY - call->len) {
        call->refused = 413;
        call->unread += *len;
    } else if (!call->refused) {
        memcpy(call->body + call->len, data, *len);
        call->len += *len;
    }
    *len = 0;
    return call->unread <= UNREAD_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
    struct http *h = ctx;
    struct call *call = *state;
    const union MHD_ConnectionInfo *client =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_request request = {.post = strcmp(method, "POST") == 0};
    struct http_response response = {.status = 500};
    (void)url, (void)version;
    if (!call)
        return MHD_NO;
    if (!call->begun) {
        unsigned refused = judge(c, method);
        call->begun = true;
        call->refused = call->refused ? call->refused : refused;
        return call->refused ? reply(c, call->refused, NULL) : MHD_YES;
    }
    if (*len)
        return take(call, data, len);
    if (call->refused)
        return reply(c, call->refused, NULL);
    request.target = call->target;
    request.body = call->body;
    request.len = call->len;
    if (client && client->client_addr)
        request.client = uvplace_addr(client->client_addr);
    h->setup.handle(h->setup.ctx, &request, &response);
    return reply(c, response.status, response.body);
}

/* ---- on the loop ---------------------------------------------------------------------- */

static void on_timer(uv_timer_t *t);

static void run(struct http *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    MHD_run(h->daemon);
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
        uv_timer_start(&h->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&h->timer);
}

static void on_timer(uv_timer_t *t)
{
    run(t->data);
}

static void on_ready(uv_poll_t *p, int status, int events)
{
    (void)status, (void)events;
    run(p->data);
}

static int start(struct http *h, struct err *e)
{
    struct sockaddr_storage at;
    const union MHD_DaemonInfo *epoll;
    unsigned flags = MHD_USE_EPOLL;
    uvplace_sockaddr(&h->setup.at, &at);
    if (at.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    errno = 0;
    h->daemon = MHD_start_daemon(
        flags, h->setup.at.port, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR, &at,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)HTTP_PER_CLIENT, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        h, MHD_OPTION_NOTIFY_COMPLETED, on_over, h, MHD_OPTION_END);
    if (!h->daemon)
        return err_set(e, errno == EADDRINUSE ? ERR_EXISTS : ERR_IO,
                       "an HTTP server can't listen at port %u: %s", h->setup.at.port,
                       errno ? strerror(errno) : "libmicrohttpd does not start");
    epoll = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!epoll || uv_poll_init(h->setup.loop, &h->poll, epoll->epoll_fd) != 0) {
        MHD_stop_daemon(h->daemon);
        return err_set(e, ERR_IO, "libuv can't watch libmicrohttpd");
    }
    return OK;
}

int http_new(struct http **out, const struct http_setup *setup, struct err *e)
{
    struct http *h = calloc(1, sizeof *h);
    int rc;
    if (!h)
        return err_set(e, ERR_NOMEM, "no memory for an HTTP server");
    h->setup = *setup;
    rc = start(h, e);
    if (rc != OK) {
        free(h);
        return rc;
    }
    uv_timer_init(setup->loop, &h->timer);
    h->timer.data = h->poll.data = h;
    h->handles = 2;
    uv_poll_start(&h->poll, UV_READABLE, on_ready);
    *out = h;
    return OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct http *h = handle->data;
    if (--h->handles)
        return;
    MHD_stop_daemon(h->daemon);
    if (h->setup.gone)
        h->setup.gone(h->setup.ctx);
    free(h);
}

void http_free(struct http *h)
{
    uv_poll_stop(&h->poll);
    uv_close((uv_handle_t *)&h->poll, on_closed);
    uv_close((uv_handle_t *)&h->timer, on_closed);
}
