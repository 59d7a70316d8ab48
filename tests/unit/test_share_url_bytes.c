/* links: libpartyline */
/* share_url's bytes: the URL's one spelling, the seal, the programs, the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "engine/base/err.h"
#include "engine/protocols/share_url/ledger.h"
#include "engine/protocols/share_url/url.h"
#include "engine/worlds/sim/store.h"

static struct identity server;
static struct prng rng;

static int setup(void **state)
{
    (void)state;
    prng_name(&rng, 1, "test", 0, "share_url");
    identity_make(&server, &rng);
    return sodium_init() < 0;
}

static void make(uint8_t post[POST_LEN], struct seal *in)
{
    *in = (struct seal){.program = DEAL_FAIR, .created = 5, .values = {60, 1000}};
    strcpy(in->contact, "party-0@mail.example");
    prng_bytes(&rng, in->id, sizeof in->id);
    assert_int_equal(seal_close(post, in, server.pub.x25519, &rng, false), OK);
}

/* ---- URL --------------------------------------------------------------------------------- */

/* RFC 4648, section 10, without padding; and all the lengths there and back. */
static void base64url(void **state)
{
    static const char *const vectors[][2] = {
        {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},    {"foob", "Zm9vYg"},
        {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char text[16] = "";
        uint8_t back[16];
        size_t n = strlen(vectors[i][0]), len = strlen(vectors[i][1]);
        url_encode(text, (const uint8_t *)vectors[i][0], n);
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(url_decode(back, n, text, len), OK);
        assert_memory_equal(back, vectors[i][0], n);
    }
}

static void one_spelling(void **state)
{
    uint8_t payload[PAYLOAD_LEN], back[PAYLOAD_LEN];
    char url[URL_MAX + 8];
    size_t len, accepted = 0;
    (void)state;
    prng_bytes(&rng, payload, sizeof payload);
    len = url_make(url, "mpc.example", payload);
    assert_int_equal(len, 18 + 11 + 344);
    assert_memory_equal(url, "https://mpc.example/?payload=", 29);
    assert_int_equal(url_parse(back, "mpc.example", url, len), OK);
    assert_memory_equal(back, payload, PAYLOAD_LEN);
    assert_int_equal(url_parse(back, "mpc.example", url, len - 1), ERR_FORMAT);
    assert_int_equal(url_parse(back, "mpc.exampl", url, len), ERR_FORMAT);
    url[len] = '=';
    assert_int_equal(url_parse(back, "mpc.example", url, len + 1), ERR_FORMAT);
    /* whatever stands anywhere: either it is refused, or it is another payload */
    for (size_t i = 0; i < len; i++)
        for (unsigned c = 0; c < 256; c++) {
            char was = url[i];
            if ((char)c == was)
                continue;
            url[i] = (char)c;
            if (url_parse(back, "mpc.example", url, len) == OK) {
                accepted++;
                assert_true(memcmp(back, payload, PAYLOAD_LEN) != 0);
            }
            url[i] = was;
        }
    /* 344 characters hold 258 bytes and no bit more: each has 63 others */
    assert_int_equal(accepted, 344 * 63);
}

/* ---- seal -------------------------------------------------------------------------------- */

static void every_bit_counts(void **state)
{
    struct seal in, out;
    uint8_t post[POST_LEN], payload[PAYLOAD_LEN];
    ns_t stamp;
    (void)state;
    make(post, &in);
    assert_int_equal(seal_open(&out, post, &server), OK);
    assert_int_equal(out.created, 5);
    assert_int_equal(out.values[1], 1000);
    assert_string_equal(out.contact, "party-0@mail.example");
    assert_memory_equal(out.id, in.id, SEAL_ID);
    for (size_t i = 0; i < POST_LEN * 8; i++) {
        post[i / 8] ^= (uint8_t)(1u << i % 8);
        /* X25519 ignores the highest bit of a key; our key derivation does not */
        assert_int_equal(seal_open(&out, post, &server), ERR_AUTH);
        assert_true(sodium_is_zero((const uint8_t *)&out, sizeof out));
        post[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    seal_sign(payload, post, 77, &server);
    assert_int_equal(seal_check(payload, &server.pub, false, &stamp), OK);
    assert_int_equal(stamp, 77);
    for (size_t i = 0; i < PAYLOAD_LEN * 8; i++) {
        payload[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(seal_check(payload, &server.pub, false, &stamp), ERR_AUTH);
        payload[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

/* Sealed by somebody who knows the format, but not to be believed. */
static void sealed_nonsense(void **state)
{
    struct seal in, out;
    uint8_t post[POST_LEN], other[POST_LEN];
    (void)state;
    make(post, &in);
    make(other, &in);
    memcpy(post + 1, other + 1, SEAL_TAG); /* another's tag */
    assert_int_equal(seal_open(&out, post, &server), ERR_AUTH);
    in.values[0] = 1001; /* low above high */
    assert_int_equal(seal_close(post, &in, server.pub.x25519, &rng, false), OK);
    assert_int_equal(seal_open(&out, post, &server), ERR_FORMAT);
    in.values[0] = -1;
    assert_int_equal(seal_close(post, &in, server.pub.x25519, &rng, false), OK);
    assert_int_equal(seal_open(&out, post, &server), ERR_FORMAT);
    in.values[0] = 1;
    in.created = -1;
    assert_int_equal(seal_close(post, &in, server.pub.x25519, &rng, false), OK);
    assert_int_equal(seal_open(&out, post, &server), ERR_FORMAT);
    in.created = 1;
    in.contact[SEAL_CONTACT - 1] = 'x'; /* behind its end */
    assert_int_equal(seal_close(post, &in, server.pub.x25519, &rng, false), OK);
    assert_int_equal(seal_open(&out, post, &server), ERR_FORMAT);
    in.contact[SEAL_CONTACT - 1] = 0;
    in.program = DEAL_PROGRAMS;
    assert_int_equal(seal_close(post, &in, server.pub.x25519, &rng, false), OK);
    assert_int_equal(seal_open(&out, post, &server), ERR_FORMAT);
    /* a key of low order */
    memset(other, 0, sizeof other);
    assert_int_equal(seal_close(post, &in, other, &rng, false), ERR_AUTH);
}

/* ---- programs ---------------------------------------------------------------------------- */

static void programs(void **state)
{
    (void)state;
    for (int64_t a = 0; a < 6; a++)
        for (int64_t b = a; b < 6; b++)
            for (int64_t c = 0; c < 6; c++)
                for (int64_t d = c; d < 6; d++) {
                    const int64_t x[2] = {a, b}, y[2] = {c, d};
                    struct deal r = deal_compute(DEAL_FAIR, x, y), again;
                    struct deal lie = deal_lie(DEAL_FAIR, x, y, false);
                    uint8_t bytes[DEAL_RESULT];
                    int64_t n = 0, sum = 0;
                    for (int64_t p = 0; p < 6; p++)
                        if (a <= p && p <= b && c <= p && p <= d) {
                            n++;
                            sum += p;
                        }
                    assert_int_equal(r.kind, n ? DEAL_MEET : DEAL_NO_OVERLAP);
                    assert_int_equal(r.price, n ? sum / n : 0);
                    assert_true(deal_plausible(DEAL_FAIR, x, r) && deal_plausible(DEAL_FAIR, y, r));
                    assert_true(!deal_plausible(DEAL_FAIR, x, lie) &&
                                !deal_plausible(DEAL_FAIR, y, lie));
                    lie = deal_lie(DEAL_FAIR, x, y, true);
                    assert_true(deal_plausible(DEAL_FAIR, x, lie) &&
                                deal_plausible(DEAL_FAIR, y, lie));
                    assert_int_equal(lie.price != r.price, n > 1);
                    deal_put(bytes, r);
                    assert_true(deal_get(DEAL_FAIR, &again, bytes));
                    assert_int_equal(again.price, r.price);
                    assert_false(deal_get(DEAL_EQUAL, &again, bytes));
                    /* in the others any answer is plausible */
                    for (int k = DEAL_EQUAL; k < DEAL_PROGRAMS; k++) {
                        const int64_t u[2] = {a, 0}, v[2] = {c, 0};
                        bool yes = k == DEAL_EQUAL ? a == c : a < c;
                        r = deal_compute((enum deal_program)k, u, v);
                        assert_int_equal(r.kind, yes ? DEAL_YES : DEAL_NO);
                        lie = deal_lie((enum deal_program)k, u, v, false);
                        assert_int_not_equal(lie.kind, r.kind);
                        assert_true(deal_plausible((enum deal_program)k, u, lie));
                    }
                }
}

/* ---- ledger ------------------------------------------------------------------------------ */

static void tag_number(uint8_t tag[SEAL_TAG], unsigned k)
{
    memset(tag, 0, SEAL_TAG);
    memcpy(tag, &k, sizeof k);
}

/* Rows come, are sent and purged, and the node dies at any operation: what is stored is always what
 * the ledger of the next life says, byte for byte, and nothing used is ever free again. */
static void ledger_lives(void **state)
{
    enum { ROWS = 40 };
    (void)state;
    for (uint64_t die = 0; die < 300; die++) {
        struct store_fate fate = {.die_after = die % 2 ? die : 0, .die_before = die % 2 ? 0 : die};
        struct sim_store store;
        struct ledger l = {0};
        bool used[ROWS] = {false};
        uint64_t unsent = 0, number;
        sim_store_init(&store, &fate);
        if (ledger_open(&l, &store.base) != OK) {
            assert_true(store.dead && die <= 2);
            sim_store_revive(&store);
            assert_int_equal(ledger_open(&l, &store.base), OK);
        }
        for (unsigned k = 0; k < ROWS;) {
            struct ledger_entry e = {.state = LEDGER_PENDING}, back;
            uint8_t tag[SEAL_TAG];
            tag_number(tag, k);
            memset(e.mac, (int)k, sizeof e.mac);
            if (ledger_use(&l, tag, k, &e, &number) == OK && k % 3 &&
                ledger_sent(&l, ledger_row(&l, number)) == OK)
                assert_int_equal(ledger_row_of(&l, tag)->state, LEDGER_SENT);
            if (k % 8 == 7)
                ledger_purge(&l, k, k - 4, &unsent);
            if (store.dead) {
                sim_store_revive(&store);
                ledger_free(&l);
                assert_int_equal(ledger_open(&l, &store.base), OK);
            }
            /* an "l" without its "u" may be left, to be overwritten */
            assert_true(store.bytes == l.bytes || store.bytes == l.bytes + 9 + SEAL_TAG);
            used[k] = ledger_find(&l, tag, &back) == OK;
            if (used[k])
                assert_int_equal(back.mac[3], k);
            /* purged or not, it is used, or refused by its time; else it is tried again */
            k += used[k] || ledger_forgot(&l, k);
        }
        ledger_purge(&l, ROWS, ROWS + 1, &unsent);
        ledger_purge(&l, ROWS, ROWS + 1, &unsent);
        if (store.dead) {
            sim_store_revive(&store);
            ledger_free(&l);
            assert_int_equal(ledger_open(&l, &store.base), OK);
            ledger_purge(&l, ROWS, ROWS + 1, &unsent);
        }
        assert_int_equal(l.n, 0);
        assert_int_equal(store.bytes, LEDGER_FIXED);
        assert_true(ledger_forgot(&l, ROWS));
        ledger_free(&l);
        sim_store_free(&store);
    }
}

/* Exactly one of two ledgers over one store inserts. */
static void exactly_one(void **state)
{
    struct sim_store store;
    struct ledger a = {0}, b = {0};
    struct ledger_entry e = {.state = LEDGER_SENT};
    uint8_t tag[SEAL_TAG] = {1};
    uint64_t number;
    (void)state;
    sim_store_init(&store, NULL);
    assert_int_equal(ledger_open(&a, &store.base), OK);
    assert_int_equal(ledger_open(&b, &store.base), OK);
    assert_int_equal(ledger_use(&a, tag, 1, &e, &number), OK);
    assert_int_equal(ledger_use(&b, tag, 1, &e, &number), ERR_EXISTS);
    ledger_free(&a);
    ledger_free(&b);
    sim_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url),        cmocka_unit_test(one_spelling),
        cmocka_unit_test(every_bit_counts), cmocka_unit_test(sealed_nonsense),
        cmocka_unit_test(programs),         cmocka_unit_test(ledger_lives),
        cmocka_unit_test(exactly_one),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
