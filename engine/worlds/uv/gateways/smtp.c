#include "engine/worlds/uv/gateways/smtp.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TEXT_MAX = 2048 };

struct
try {
    struct smtp *smtp; /* NULL: free */
    CURL *easy;
    struct curl_slist *to;
    party_t whose;
    struct gateway_mail mail;
    char text[TEXT_MAX];
    size_t len, sent;
};

struct smtp {
    struct smtp_setup setup;
    CURLM *multi;
    uv_timer_t timer;
    unsigned handles;
    bool dead;
    struct try tries[SMTP_AT_ONCE];
};

struct watch {
    uv_poll_t poll;
    struct smtp *smtp;
    curl_socket_t fd;
};

/* ---- a mail --------------------------------------------------------------------------- */

bool smtp_address_valid(const char *a)
{
    static const char names[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+";
    size_t local = strspn(a, names), domain = a[local] == '@' ? strspn(a + local + 1, names) : 0;
    return local > 0 && domain > 0 && a[local + 1 + domain] == 0 && a[0] != '-' &&
           local + 1 + domain <= GATEWAY_ADDRESS;
}

static bool write_text(struct try *t, const char *from)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const struct gateway_mail *m = &t->mail;
    char key[2 * GATEWAY_KEY + 1];
    time_t now = time(NULL);
    struct tm tm;
    int n;
    for (size_t i = 0; i < GATEWAY_KEY; i++)
        snprintf(key + 2 * i, 3, "%02x", m->key[i]);
    gmtime_r(&now, &tm);
    n = snprintf(t->text, sizeof t->text,
                 "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\nFrom: <%s>\r\nTo: <%s>\r\n"
                 "Subject: %s\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\nAuto-Submitted: auto-generated\r\n"
                 "\r\n%s",
                 days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
                 tm.tm_min, tm.tm_sec, from, m->to, m->subject, key, strchr(from, '@') + 1,
                 m->body);
    t->len = n > 0 ? (size_t)n : 0;
    t->sent = 0;
    return n > 0 && t->len < sizeof t->text;
}

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
    struct try *t = ctx;
    size_t room = size * n, left = t->len - t->sent;
    room = room < left ? room : left;
    memcpy(out, t->text + t->sent, room);
    t->sent += room;
    return room;
}

static void clear(struct try *t)
{
    if (t->easy) {
        curl_multi_remove_handle(t->smtp->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->to);
    memset(t, 0, sizeof *t); /* the text has somebody's result */
}

static void finish(struct try *t, bool taken)
{
    struct smtp *s = t->smtp;
    struct gateway_mail mail = t->mail;
    party_t whose = t->whose;
    clear(t);
    s->setup.done(s->setup.ctx, whose, &mail, taken);
}

static void reap(struct smtp *s)
{
    CURLMsg *m;
    int left;
    while (!s->dead && (m = curl_multi_info_read(s->multi, &left)) != NULL) {
        struct try *t = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, m->data.result == CURLE_OK);
    }
}

static bool set_up(struct try *t, const struct smtp_setup *s)
{
    char from[GATEWAY_ADDRESS + 3], to[GATEWAY_ADDRESS + 3];
    CURL *e = t->easy;
    snprintf(from, sizeof from, "<%s>", s->from);
    snprintf(to, sizeof to, "<%s>", t->mail.to);
    t->to = curl_slist_append(NULL, to);
    return t->to && curl_easy_setopt(e, CURLOPT_URL, s->url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)SMTP_LIMIT_S) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)SMTP_CONNECT_S) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_MAIL_RCPT, t->to) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READDATA, t) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PRIVATE, t) == CURLE_OK;
}

int smtp_send(struct smtp *s, party_t whose, const struct gateway_mail *m)
{
    struct try *t = NULL;
    if (!smtp_address_valid(m->to))
        return ERR_INVALID;
    for (size_t i = 0; i < SMTP_AT_ONCE; i++) {
        if (s->tries[i].smtp && memcmp(s->tries[i].mail.key, m->key, GATEWAY_KEY) == 0)
            return OK;
        if (!s->tries[i].smtp)
            t = &s->tries[i];
    }
    if (!t || s->dead)
        return ERR_LIMIT;
    t->smtp = s;
    t->whose = whose;
    t->mail = *m;
    t->easy = curl_easy_init();
    if (t->easy && write_text(t, s->setup.from) && set_up(t, &s->setup) &&
        curl_multi_add_handle(s->multi, t->easy) == CURLM_OK)
        return OK;
    clear(t);
    return ERR_NOMEM;
}

/* ---- on the loop ---------------------------------------------------------------------- */

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct watch *w = p->data;
    struct smtp *s = w->smtp;
    int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    curl_multi_socket_action(s->multi, w->fd, flags, &running);
    reap(s);
}

static void release(struct smtp *s)
{
    if (--s->handles)
        return;
    if (s->setup.gone)
        s->setup.gone(s->setup.ctx);
    free(s);
}

static void on_unwatched(uv_handle_t *h)
{
    struct watch *w = h->data;
    release(w->smtp);
    free(w);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *own)
{
    struct smtp *s = ctx;
    struct watch *w = own;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            uv_close((uv_handle_t *)&w->poll, on_unwatched);
        curl_multi_assign(s->multi, fd, NULL);
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        if (!w || uv_poll_init_socket(s->setup.loop, &w->poll, fd) != 0) {
            free(w);
            return -1;
        }
        w->smtp = s;
        w->fd = fd;
        w->poll.data = w;
        s->handles++;
        curl_multi_assign(s->multi, fd, w);
    }
    uv_poll_start(&w->poll, events, on_poll);
    return 0;
}

static void on_timer(uv_timer_t *t)
{
    struct smtp *s = t->data;
    int running;
    curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    reap(s);
}

static int on_timeout(CURLM *multi, long ms, void *ctx)
{
    struct smtp *s = ctx;
    (void)multi;
    if (ms < 0)
        uv_timer_stop(&s->timer);
    else if (!s->dead)
        uv_timer_start(&s->timer, on_timer, ms ? (uint64_t)ms : 1, 0);
    return 0;
}

int smtp_new(struct smtp **out, const struct smtp_setup *setup, struct err *e)
{
    struct smtp *s = calloc(1, sizeof *s);
    if (!s || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(s->multi = curl_multi_init())) {
        free(s);
        return err_set(e, ERR_NOMEM, "no memory for mail");
    }
    s->setup = *setup;
    uv_timer_init(setup->loop, &s->timer);
    s->timer.data = s;
    s->handles = 1;
    curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
    curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
    *out = s;
    return OK;
}

static void on_timer_closed(uv_handle_t *h)
{
    release(h->data);
}

void smtp_free(struct smtp *s)
{
    s->dead = true;
    for (size_t i = 0; i < SMTP_AT_ONCE; i++)
        if (s->tries[i].smtp)
            clear(&s->tries[i]);
    curl_multi_cleanup(s->multi);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}
