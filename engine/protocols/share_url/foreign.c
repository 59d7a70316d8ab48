/* People with a browser and a mailbox (engine/gateway.h): the document's steps as JSON over HTTP.
 *
 *   GET  /api/server   what to seal to          {identity (hex), host, program, window (seconds)}
 *   POST /api/payload  steps 3, 4  {payload: base64url of post}     {payload, url}
 *   GET  /?payload=T   steps 7, 8                                   {status}
 *   POST /api/status   the same    {payload}                        {status}
 *   POST /api/answer   steps 10-12 {payload, input, nonce}          {status, result, price?}
 *   POST /api/notice   where no mail went through, to who knows the seal's id
 *                                  {id: base64url}                  {result, price?}
 *   POST /api/read     and she has it                {id}           {}
 *
 * A status is also an HTTP status: fresh and done 200, bad 403, used 409, expired 410, clock 422,
 * limited 429, again 503. The payload's texts are passed on as they are: whether they are the one
 * spelling is the server's to say.
 */
#include "engine/gateway.h"
#include "engine/protocols/share_url/server.h"

#include <stdio.h>

static const char *const roles[] = {"initiator", "responder", "messenger", "mail", NULL};
static const char *const paths[] = {"/",           "/api/server", "/api/payload", "/api/status",
                                    "/api/answer", "/api/notice", "/api/read",    NULL};
static const char *const programs[] = {"fair_deal", "equal", "less_than"};
enum { POST_TEXT = (POST_LEN * 8 + 5) / 6, ID_TEXT = (SEAL_ID * 8 + 5) / 6 };

_Static_assert((int)URL_MAX < (int)GATEWAY_TEXT && 2 * (int)PAYLOAD_TEXT < (int)GATEWAY_MESSAGE &&
                   (int)ANSWER_LEN <= (int)GATEWAY_MESSAGE && (int)SEAL_TAG == (int)GATEWAY_KEY,
               "what passes a gateway has room in it");

/* ---- requests -------------------------------------------------------------------------------- */

static void refuse(struct gateway_call *c, unsigned status, const char *why)
{
    c->what = GATEWAY_REPLIES;
    c->reply = (struct gateway_reply){.status = status};
    gateway_text(&c->reply, "error", why, strlen(why));
}

static const struct gateway_field *field(const struct gateway_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_fields; i++)
        if (strcmp(r->fields[i].name, name) == 0)
            return &r->fields[i];
    return NULL;
}

/* The request has these texts and numbers and nothing else; NULL ends the list. */
static bool consists_of(const struct gateway_request *r, const char *const *texts, bool numbers)
{
    size_t n = 0;
    for (; texts[n]; n++)
        if (!field(r, texts[n]) || !field(r, texts[n])->text)
            return false;
    if (numbers && (!field(r, "input") || field(r, "input")->text))
        return false;
    return r->n_fields == n + numbers;
}

static bool decode(const struct gateway_request *r, const char *name, uint8_t *out, size_t n)
{
    const char *text = field(r, name)->text;
    return url_decode(out, n, text, strlen(text)) == OK;
}

static void ask(struct gateway_call *c, const char *role, enum share_kind kind, size_t len)
{
    c->what = GATEWAY_ASKS;
    c->message.role = role;
    c->message.instance = kind;
    c->message.len = len;
}

static void tell_server(const struct share_plan *plan, const struct roster *roster,
                        struct gateway_call *c)
{
    static const char digits[] = "0123456789abcdef";
    const struct identity_public *id =
        roster->identities ? &roster->identities[plan->server] : &plan->keys->pub;
    const char *program = programs[plan->opts->program];
    uint8_t bytes[IDENTITY_PUBLIC];
    char hex[2 * IDENTITY_PUBLIC];
    identity_encode(id, bytes);
    for (size_t i = 0; i < sizeof hex; i++)
        hex[i] = digits[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    c->reply = (struct gateway_reply){.status = 200};
    gateway_text(&c->reply, "host", plan->opts->host, strlen(plan->opts->host));
    gateway_text(&c->reply, "identity", hex, sizeof hex);
    gateway_text(&c->reply, "program", program, strlen(program));
    gateway_number(&c->reply, "window", plan->opts->window / NS_S);
}

static void post(const struct gateway_request *r, struct gateway_call *c)
{
    static const char *const texts[] = {"payload", NULL};
    if (!consists_of(r, texts, false) || !decode(r, "payload", c->message.data, POST_LEN))
        refuse(c, 400, "expected {\"payload\": a sealed input in base64url}");
    else
        ask(c, "initiator", SHARE_POST, POST_LEN);
}

static void look(const struct gateway_request *r, struct gateway_call *c)
{
    static const char *const texts[] = {"payload", NULL};
    size_t len = consists_of(r, texts, false) ? strlen(field(r, "payload")->text) : 0;
    if (len == 0 || len > 2 * PAYLOAD_TEXT) {
        refuse(c, 400, "expected a payload");
        return;
    }
    memcpy(c->message.data, field(r, "payload")->text, len);
    ask(c, "responder", SHARE_ASK, len);
}

static void answer(const struct share_plan *plan, const struct gateway_request *r,
                   struct gateway_call *c)
{
    static const char *const texts[] = {"payload", "nonce", NULL};
    unsigned need = deal_n_values((enum deal_program)plan->opts->program);
    int64_t values[2] = {0, 0};
    uint8_t *at = c->message.data;
    const struct gateway_field *input;
    if (!consists_of(r, texts, true) || strlen(field(r, "payload")->text) != PAYLOAD_TEXT ||
        !decode(r, "nonce", at + PAYLOAD_TEXT + DEAL_VALUES, ANSWER_NONCE)) {
        refuse(c, 400, "expected {\"payload\", \"input\", \"nonce\": 16 bytes in base64url}");
        return;
    }
    input = field(r, "input");
    for (size_t i = 0; i < input->n_numbers && i < need; i++)
        values[i] = input->numbers[i];
    if (input->n_numbers != need || !deal_valid((enum deal_program)plan->opts->program, values)) {
        refuse(c, 400,
               need == 2 ? "expected as input the lowest and the highest price, as in [20, 45]"
                         : "expected as input one whole number from 0 to 10^15");
        return;
    }
    memcpy(at, field(r, "payload")->text, PAYLOAD_TEXT);
    deal_put_values(at + PAYLOAD_TEXT, values);
    ask(c, "responder", SHARE_ANSWER, ANSWER_LEN);
}

/* Who knows the id has sealed it, or was told by who has. */
static void notice(const struct gateway_request *r, struct gateway_call *c, bool read)
{
    static const char *const texts[] = {"id", NULL};
    uint8_t id[SEAL_ID];
    if (!consists_of(r, texts, false) || !decode(r, "id", id, SEAL_ID)) {
        refuse(c, 400, "expected {\"id\": 16 bytes in base64url}");
        return;
    }
    seal_tag_of(c->key, id);
    ask(c, "messenger", SHARE_TAKEN, SEAL_TAG);
    memcpy(c->message.data, c->key, SEAL_TAG);
    c->what = read ? GATEWAY_TELLS : GATEWAY_FETCHES;
    c->reply = (struct gateway_reply){.status = 200};
}

static void foreign_call(const void *p, const struct roster *roster,
                         const struct gateway_request *r, struct gateway_call *c)
{
    const struct share_plan *plan = p;
    bool page = strcmp(r->path, "/") == 0, server = strcmp(r->path, "/api/server") == 0;
    if (r->post == (page || server))
        refuse(c, 405, page || server ? "expected GET" : "expected POST");
    else if (server && r->n_fields)
        refuse(c, 400, "expected no parameter");
    else if (server)
        tell_server(plan, roster, c);
    else if (strcmp(r->path, "/api/payload") == 0)
        post(r, c);
    else if (strcmp(r->path, "/api/answer") == 0)
        answer(plan, r, c);
    else if (strcmp(r->path, "/api/notice") == 0 || strcmp(r->path, "/api/read") == 0)
        notice(r, c, strcmp(r->path, "/api/read") == 0);
    else
        look(r, c);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void put_result(const struct share_plan *plan, const uint8_t *result,
                       struct gateway_reply *out)
{
    struct deal d;
    char text[64];
    if (!deal_get((enum deal_program)plan->opts->program, &d, result))
        return;
    gateway_text(out, "result", text, (size_t)deal_text(d, text, sizeof text));
    if (d.kind == DEAL_MEET)
        gateway_number(out, "price", d.price);
}

static void put_status(uint8_t status, struct gateway_reply *out)
{
    static const struct {
        unsigned http;
        const char *name;
    } of[STATUS_KINDS] = {
        [STATUS_FRESH] = {200, "fresh"},     [STATUS_DONE] = {200, "done"},
        [STATUS_USED] = {409, "used"},       [STATUS_EXPIRED] = {410, "expired"},
        [STATUS_CLOCK] = {422, "clock"},     [STATUS_BAD] = {403, "bad"},
        [STATUS_LIMITED] = {429, "limited"}, [STATUS_AGAIN] = {503, "again"},
    };
    const char *words = share_status_words((enum share_status)status);
    assert(status < STATUS_KINDS);
    out->status = of[status].http;
    gateway_text(out, "status", of[status].name, strlen(of[status].name));
    if (out->status != 200)
        gateway_text(out, "error", words, strlen(words));
}

static void foreign_answer(const void *p, struct label label, const uint8_t *data, size_t len,
                           struct gateway_reply *out)
{
    const struct share_plan *plan = p;
    char text[URL_MAX];
    *out = (struct gateway_reply){.status = 200};
    if (label.instance == SHARE_SIGNED && len == PAYLOAD_LEN) {
        url_encode(text, data, PAYLOAD_LEN);
        gateway_text(out, "payload", text, PAYLOAD_TEXT);
        gateway_text(out, "url", text, url_make(text, plan->opts->host, data));
    } else if (label.instance == SHARE_STATUS && len == STATUS_LEN) {
        put_status(data[0], out);
    } else if (label.instance == SHARE_RESULT && len == RESULT_LEN) {
        put_status(data[0], out);
        if (data[0] == STATUS_DONE)
            put_result(plan, data + 1, out);
    } else if (label.instance == SHARE_TEXT && len == TEXT_HEAD + LETTER_LEN) {
        put_result(plan, data + TEXT_HEAD + SEAL_TAG, out);
    } else {
        out->status = 500;
    }
}

static void confirm(struct gateway_message *m, const uint8_t *tag, bool taken)
{
    m->role = "mail";
    m->instance = SHARE_MAILED;
    m->len = SEAL_TAG + 1;
    memcpy(m->data, tag, SEAL_TAG);
    m->data[SEAL_TAG] = taken;
}

static enum gateway_fate foreign_notice(const void *p, const char *role, struct label label,
                                        const uint8_t *data, size_t len, struct gateway_mail *m)
{
    const struct share_plan *plan = p;
    const char *program = programs[plan->opts->program];
    struct deal d;
    char text[64];
    if (strcmp(role, "messenger") == 0 && label.instance == SHARE_TEXT && data[0] == TEXT_NOTICE &&
        len == TEXT_HEAD + LETTER_LEN) {
        memcpy(m->key, data + TEXT_HEAD, SEAL_TAG);
        return GATEWAY_KEEPS;
    }
    if (strcmp(role, "mail") != 0 || label.instance != SHARE_MAILING || len != MAIL_LEN ||
        !deal_get((enum deal_program)plan->opts->program, &d, data + SEAL_TAG + SEAL_CONTACT))
        return GATEWAY_DROPS;
    memcpy(m->key, data, SEAL_TAG);
    memcpy(m->to, data + SEAL_TAG, SEAL_CONTACT);
    deal_text(d, text, sizeof text);
    snprintf(m->subject, sizeof m->subject, "Your result of %s at %.40s", program,
             plan->opts->host);
    snprintf(m->body, sizeof m->body,
             "The other side has answered.\r\n\r\nResult of %s: %s\r\n\r\nIf the other side has "
             "another one, somebody else has answered in between.\r\n",
             program, text);
    confirm(&m->sent, data, true);
    confirm(&m->unsent, data, false);
    return GATEWAY_MAILS;
}

const struct gateway share_gateway = {
    .roles = roles,
    .paths = paths,
    .call = foreign_call,
    .answer = foreign_answer,
    .notice = foreign_notice,
};
