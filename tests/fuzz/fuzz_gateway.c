/* Any bytes as an HTTP request to share_url's gateway: a target, a NUL, and the body of a POST. It
 * is malformed, refused, or a message that the protocol would take from a party. */
#include <stdlib.h>

#include "engine/gateway.h"
#include "engine/protocols/share_url/server.h"
#include "engine/worlds/uv/gateways/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int truth)
{
    if (!truth)
        abort();
}

static void check_reply(const struct gateway_reply *r)
{
    char *text = json_write(r);
    need(r->status >= 200 && r->status < 600 && r->n <= GATEWAY_FIELDS);
    need(text && text[0] == '{' && text[strlen(text) - 1] == '\n');
    free(text);
}

static void check_message(const struct gateway_message *m)
{
    int64_t values[2];
    need(m->len > 0 && m->len <= GATEWAY_MESSAGE && m->instance < SHARE_KINDS);
    if (m->instance == SHARE_ANSWER) {
        need(m->len == ANSWER_LEN);
        deal_get_values(values, m->data + PAYLOAD_TEXT);
        need(deal_valid(DEAL_FAIR, values));
    }
    if (m->instance == SHARE_POST)
        need(m->len == POST_LEN);
    if (m->instance == SHARE_ASK)
        need(m->len <= 2 * PAYLOAD_TEXT);
}

static void check_answers(const struct share_plan *plan, const uint8_t *data, size_t size)
{
    struct gateway_mail mail = {0};
    struct gateway_reply reply;
    uint8_t message[GATEWAY_MESSAGE] = {0};
    memcpy(message, data, size < sizeof message ? size : sizeof message);
    memset(message, TEXT_NOTICE, 1);
    share_gateway.answer(plan, (struct label){0, SHARE_TEXT}, message, TEXT_HEAD + LETTER_LEN,
                         &reply);
    check_reply(&reply);
    if (share_gateway.notice(plan, "mail", (struct label){0, SHARE_MAILING}, message, MAIL_LEN,
                             &mail) == GATEWAY_MAILS)
        need(memchr(mail.to, 0, sizeof mail.to) && memchr(mail.body, 0, sizeof mail.body) &&
             memchr(mail.subject, 0, sizeof mail.subject));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct share_opts opts = {.host = "mpc.example", .window = 86400 * NS_S};
    static const struct roster roster = {.n = 1};
    struct identity keys = {0};
    struct share_plan plan = {.opts = &opts, .roster = &roster, .keys = &keys};
    struct json_request request;
    struct gateway_call call = {0};
    char target[1025] = "";
    size_t len = size ? strnlen((const char *)data, size) : 0, body = len < size ? len + 1 : size;
    bool known = false;
    memcpy(target, data, len < sizeof target - 1 ? len : sizeof target - 1);
    check_answers(&plan, data, size);
    if (json_read(&request, body < size, target, (const char *)data + body, size - body) != OK)
        return 0;
    for (size_t i = 0; share_gateway.paths[i]; i++)
        known |= strcmp(share_gateway.paths[i], request.path) == 0;
    if (!known)
        return 0;
    share_gateway.call(&plan, &roster, &request.request, &call);
    if (call.what == GATEWAY_REPLIES)
        check_reply(&call.reply);
    else if (call.what != GATEWAY_FETCHES)
        check_message(&call.message);
    return 0;
}
