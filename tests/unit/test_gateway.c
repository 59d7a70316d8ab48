/* links: nothing beyond the library.
 * What a gateway makes of requests (worlds/uv/gateways/json.h), and share_url of what they say
 * (protocols/share_url/foreign.c). Over real sockets: tests/interop/gateway_check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/gateway.h"
#include "engine/protocols/share_url/server.h"
#include "engine/worlds/uv/gateways/json.h"
#include "engine/worlds/uv/gateways/smtp.h"

static struct json_request r;

static int get(const char *target)
{
    return json_read(&r, false, target, "", 0);
}
static int post(const char *body)
{
    return json_read(&r, true, "/api/answer", body, strlen(body));
}

static void targets(void **state)
{
    (void)state;
    assert_int_equal(get("/"), OK);
    assert_string_equal(r.path, "/");
    assert_int_equal(get("/api/server?a=1&b=x-_.~"), OK);
    assert_int_equal(r.request.n_fields, 2);
    assert_string_equal(r.fields[1].name, "b");
    assert_string_equal(r.fields[1].text, "x-_.~");
    static const char *const bad[] = {"",        "x",      "http://h/", "*",        "/?a",
                                      "/?=1",    "/?a=1&", "/?a=%41",   "/?a=1+2",  "/?a=1#b",
                                      "/?a=b=c", "/?&a=1", "/?a=1;b=2", "//x?a=1\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(get(bad[i]), OK);
    assert_int_equal(get("/?a=1&a=2"), ERR_LIMIT);
    assert_int_equal(get("/?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9"), ERR_LIMIT);
    assert_int_equal(get("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                     ERR_FORMAT);
}

static void bodies(void **state)
{
    (void)state;
    assert_int_equal(post("{\"a\": \"x\", \"b\": [1, -2], \"c\": 7}"), OK);
    assert_int_equal(r.request.n_fields, 3);
    assert_int_equal(r.fields[1].n_numbers, 2);
    assert_int_equal(r.fields[1].numbers[1], -2);
    assert_int_equal(r.fields[2].numbers[0], 7);
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "7",
                                      "{\"a\": 1.5}",
                                      "{\"a\": 1e3}",
                                      "{\"a\": 9223372036854775808}",
                                      "{\"a\": null}",
                                      "{\"a\": {}}",
                                      "{\"a\": [\"x\"]}",
                                      "{\"a\": [1, 2, 3, 4, 5]}",
                                      "{\"a\": \"x\\u0000y\"}",
                                      "{\"a\": 1, \"a\": 1}",
                                      "{\"a\": 1} {}",
                                      "{\"a\": \"\xff\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(post(bad[i]), OK);
    assert_int_equal(
        post("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}"),
        ERR_LIMIT);
}

/* A mail goes to one address, and nothing in it is a command or a header. */
static void addresses(void **state)
{
    char contact[SEAL_CONTACT];
    (void)state;
    static const char *const good[] = {"a@b", "alice.liddell+deal@mail.example", "x_y@a-b.c"};
    static const char *const bad[] = {
        "",     "a",    "@b",    "a@",      "a@b@c",     "a@b c", "a@b\r\nBcc: c@d",
        "a@b>", "-a@b", "a,b@c", "a@b,c@d", "\"a b\"@c", "a@b;c", "a@b\x7f",
        "<a@b>"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        memset(contact, 0, sizeof contact);
        memcpy(contact, good[i], strlen(good[i]));
        assert_true(share_contact_valid(contact));
        assert_true(smtp_address_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(contact, 0, sizeof contact);
        memcpy(contact, bad[i], strlen(bad[i]));
        assert_false(share_contact_valid(contact));
        assert_false(smtp_address_valid(bad[i]));
    }
    memset(contact, 'a', sizeof contact); /* without an end */
    contact[5] = '@';
    contact[SEAL_CONTACT - 1] = 0;
    assert_true(share_contact_valid(contact));
}

static void replies(void **state)
{
    static const struct share_opts opts = {.host = "mpc.example"};
    static const struct roster roster = {.n = 1};
    struct share_plan plan = {.opts = &opts, .roster = &roster};
    struct gateway_reply reply;
    uint8_t result[RESULT_LEN] = {STATUS_DONE};
    char *text;
    (void)state;
    deal_put(result + 1, (struct deal){.kind = DEAL_MEET, .price = 70});
    share_gateway.answer(&plan, (struct label){0, SHARE_RESULT}, result, sizeof result, &reply);
    text = json_write(&reply);
    assert_string_equal(text,
                        "{\"price\": 70, \"result\": \"meet at 70\", \"status\": \"done\"}\n");
    assert_int_equal(reply.status, 200);
    free(text);
    static const unsigned http[STATUS_KINDS] = {200, 200, 409, 410, 422, 403, 429, 503};
    for (uint8_t s = 0; s < STATUS_KINDS; s++) {
        share_gateway.answer(&plan, (struct label){0, SHARE_STATUS}, &s, 1, &reply);
        assert_int_equal(reply.status, http[s]);
    }
    share_gateway.answer(&plan, (struct label){0, SHARE_LETTER}, result, sizeof result, &reply);
    assert_int_equal(reply.status, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(targets), cmocka_unit_test(bodies),
                                       cmocka_unit_test(addresses), cmocka_unit_test(replies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
