/* links: transports/stun.c -lre */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "transports/turn_wire.h"

static size_t unhex(const char *text, uint8_t *out)
{
    unsigned byte;
    size_t n = 0;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        out[n++] = (uint8_t)byte;
    return n;
}

static json_t *vectors(void)
{
    const char *dir = getenv("PARTYLINE_DATA");
    char path[512];
    snprintf(path, sizeof path, "%s/stun/rfc5769.json", dir ? dir : "../shared/data");
    return json_load_file(path, 0, NULL);
}

/* RFC 5769. Keys of the short-term vectors are longer than ours and stay unchecked here. */
static void rfc5769(void **state)
{
    json_t *all = vectors(), *v;
    size_t i;
    unsigned keys = 0, prints = 0;
    (void)state;
    if (!all) {
        print_message("SKIP: no stun/rfc5769.json\n");
        skip();
    }
    json_array_foreach(all, i, v)
    {
        uint8_t data[512], key[128];
        size_t len = unhex(json_string_value(json_object_get(v, "hex")), data);
        size_t key_len = unhex(json_string_value(json_object_get(v, "integrity_key_hex")), key);
        struct stun_packet m;
        assert_int_equal(stun_read(&m, data, len), OK);
        assert_true(m.has & STUN_HAS_INTEGRITY);
        if (json_object_get(v, "username"))
            assert_string_equal(m.username, json_string_value(json_object_get(v, "username")));
        if (json_object_get(v, "realm"))
            assert_string_equal(m.realm, json_string_value(json_object_get(v, "realm")));
        if (json_object_get(v, "xor_mapped"))
            assert_int_equal(m.mapped.port, 32853);
        if (key_len == STUN_KEY) {
            keys++;
            assert_true(stun_signed_with(&m, key));
            key[0] ^= 1;
            assert_false(stun_signed_with(&m, key));
        }
        stun_drop(&m);
        if (json_is_true(json_object_get(v, "fingerprint_ok"))) {
            prints++;
            data[len - 1] ^= 1;
            assert_int_equal(stun_read(&m, data, len), ERR_FORMAT);
        }
    }
    json_decref(all);
    assert_int_equal(keys, 1);
    assert_int_equal(prints, 3);
}

/* RFC 5769, 2.4: the key of the long-term vector, from user, realm and prepared password. */
static void keys(void **state)
{
    static const uint8_t want[STUN_KEY] = {0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb,
                                           0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb};
    uint8_t key[STUN_KEY];
    char password[STUN_PASSWORD];
    (void)state;
    stun_key(key, "user", "realm", "pass"); /* RFC 8489, 9.2.2 */
    assert_memory_equal(key, want, sizeof key);
    /* openssl dgst -sha1 -hmac SECRET -binary | base64 */
    stun_rest_password(password, "not much of a secret", "4102444800:alice");
    assert_string_equal(password, "2Bjuezjz0+AQTTTgNcflZvGGXvc=");
}

static struct stun_packet full(void)
{
    return (struct stun_packet){
        .kind = STUN_REQUEST,
        .name = STUN_ALLOCATE,
        .tid = "tidtidtidti",
        .has = STUN_HAS_LIFETIME | STUN_HAS_CHANNEL | STUN_HAS_TRANSPORT | STUN_HAS_FAMILY |
               STUN_HAS_RELAYED | STUN_HAS_MAPPED | STUN_HAS_ALTERNATE | STUN_HAS_FINGERPRINT |
               STUN_HAS_EVEN_PORT | STUN_HAS_DONT_FRAGMENT,
        .lifetime = 123456,
        .channel = 0x4abc,
        .transport = TURN_UDP,
        .family = 2,
        .even_port_next = true,
        .relayed = {.ip = {[10] = 255, [11] = 255, 192, 0, 2, 1}, .port = 1},
        .mapped = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 7}, .port = 65535},
        .alternate = {.ip = {[10] = 255, [11] = 255, 192, 0, 2, 3}, .port = 3478},
        .username = "u",
        .realm = "re",
        .nonce = "non",
        .software = "soft",
        .peers = {{.ip = {[10] = 255, [11] = 255, 1, 2, 3, 4}, .port = 5},
                  {.ip = {[10] = 255, [11] = 255, 1, 2, 3, 5}, .port = 6}},
        .n_peers = 2,
        .data = (const uint8_t *)"some data",
        .len = 9};
}

static void there_and_back(void **state)
{
    const uint8_t key[STUN_KEY] = "0123456789abcde";
    struct stun_packet m = full(), back;
    uint8_t one[1024], two[1024];
    size_t len = stun_write(&m, key, one, sizeof one);
    (void)state;
    memset(two, 0xff, sizeof two);
    assert_int_equal(stun_write(&m, key, two, sizeof two), len); /* padding and all */
    assert_memory_equal(one, two, len);
    assert_int_equal(len % 4, 0);
    assert_int_equal(stun_read(&back, one, len), OK);
    assert_int_equal(back.has, m.has | STUN_HAS_INTEGRITY);
    assert_int_equal(back.lifetime, m.lifetime);
    assert_int_equal(back.channel, m.channel);
    assert_int_equal(back.family, 2);
    assert_true(addr_equal(&back.relayed, &m.relayed));
    assert_true(addr_equal(&back.mapped, &m.mapped));
    assert_true(addr_equal(&back.alternate, &m.alternate));
    assert_int_equal(back.n_peers, 2);
    assert_true(addr_equal(&back.peers[1], &m.peers[1]));
    assert_string_equal(back.nonce, "non");
    assert_string_equal(back.software, "soft");
    assert_int_equal(back.len, 9);
    assert_memory_equal(back.data, "some data", 9);
    assert_true(stun_signed_with(&back, key));
    stun_drop(&back);
    assert_int_equal(stun_write(&m, key, one, len - 1), 0);
}

/* Every cut and every flipped bit is refused, or read without harm and never believed. */
static void damage(void **state)
{
    const uint8_t key[STUN_KEY] = "0123456789abcde";
    struct stun_packet m = full(), back;
    uint8_t good[1024], bad[1024];
    size_t len;
    (void)state;
    m.has &= ~(unsigned)STUN_HAS_FINGERPRINT;
    len = stun_write(&m, key, good, sizeof good);
    for (size_t n = 0; n < len; n++)
        assert_int_not_equal(stun_read(&back, good, n), OK);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        memcpy(bad, good, len);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (stun_read(&back, bad, len) != OK)
            continue;
        assert_false(stun_signed_with(&back, key));
        stun_drop(&back);
    }
}

/* RFC 8656, 11.5: ICMP in a Data indication; 18.13: 16 bits, type 7 bits, code 9, data 32. */
static void icmp(void **state)
{
    static const uint8_t data[] = {0x00, 0x17, 0, 12, 0x21, 0x12, 0xA4, 0x42, 1,  2,    3,
                                   4,    5,    6, 7,  8,    9,    10,   11,   12, 0x80, 0x04,
                                   0,    8,    0, 0,  0x06, 0x03, 0,    0,    0,  0};
    struct stun_packet m;
    (void)state;
    assert_int_equal(stun_read(&m, data, sizeof data), OK);
    assert_true(m.has & STUN_HAS_ICMP);
    assert_int_equal(m.icmp_type, 3);
    assert_int_equal(m.icmp_code, 3);
    assert_int_equal(m.kind, STUN_INDICATION);
    stun_drop(&m);
}

/* RFC 8656: 12.4, ChannelData is four bytes more; 10.1, a Send indication 36 and padding. */
static void overheads(void **state)
{
    uint8_t out[TURN_MESSAGE_MAX];
    struct stun_packet m = {.kind = STUN_INDICATION,
                            .name = STUN_SEND,
                            .peers = {{.ip = {[10] = 255, [11] = 255, 1, 2, 3, 4}, .port = 5}},
                            .n_peers = 1,
                            .data = out};
    (void)state;
    for (size_t n = 1; n <= 9; n++) {
        m.data = (const uint8_t *)"123456789";
        m.len = n;
        assert_int_equal(turn_channel_write(0x4000, m.data, n, false, out), n + 4);
        assert_int_equal(turn_channel_write(0x4000, m.data, n, true, out), (n + 3) / 4 * 4 + 4);
        assert_int_equal(stun_write(&m, NULL, out, sizeof out), TURN_SEND_HEADER + (n + 3) / 4 * 4);
    }
}

static void streams(void **state)
{
    struct turn_stream s = {0};
    const uint8_t *message;
    uint8_t bytes[TURN_MESSAGE_MAX];
    size_t len = turn_channel_write(0x4001, "hello", 5, true, bytes), n;
    (void)state;
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(turn_stream_next(&s, &message, &n), ERR_AGAIN);
        assert_int_equal(turn_stream_add(&s, bytes + i, 1), OK);
    }
    assert_int_equal(turn_stream_next(&s, &message, &n), OK);
    assert_int_equal(n, 9);
    assert_int_equal(turn_stream_next(&s, &message, &n), ERR_AGAIN);
    turn_stream_add(&s, (const uint8_t *)"\x80\0\0\0", 4);
    assert_int_equal(turn_stream_next(&s, &message, &n), ERR_FORMAT);
    turn_stream_free(&s);
    turn_stream_add(&s, (const uint8_t *)"\x40\0\xff\xff", 4);
    assert_int_equal(turn_stream_next(&s, &message, &n), ERR_TOO_BIG);
    turn_stream_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5769), cmocka_unit_test(keys), cmocka_unit_test(there_and_back),
        cmocka_unit_test(damage),  cmocka_unit_test(icmp), cmocka_unit_test(overheads),
        cmocka_unit_test(streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
