/* links: engine/base/err.c engine/base/prng.c engine/crypto/lioness.c engine/crypto/sphinx.c */
/* Sphinx as networks use it: every size and length of way, every alteration, replies, delays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "engine/crypto/sphinx.h"

enum { MOST = SPHINX_HOPS_MAX, PAYLOAD_MOST = 4096 };

static struct {
    uint8_t secrets[MOST][32], publics[MOST][32];
    struct sphinx_hop hops[MOST];
    struct sphinx_keys keys[MOST];
    uint8_t packet[SPHINX_HEADER_MAX + PAYLOAD_MOST];
    struct prng rng;
} w;

static int people(void **state)
{
    (void)state;
    prng_name(&w.rng, 1, "test", 0, "sphinx");
    for (unsigned i = 0; i < MOST; i++) {
        prng_bytes(&w.rng, w.secrets[i], 32);
        crypto_scalarmult_base(w.publics[i], w.secrets[i]);
        w.hops[i] = (struct sphinx_hop){.key = w.publics[i], .id = {0xff, (uint8_t)(i + 1)}};
    }
    return 0;
}

static void make(const struct sphinx_params *p, unsigned n, const char *text)
{
    assert_int_equal(sphinx_make(p, w.hops, n, (const uint8_t *)"\0", 1, &w.rng, w.packet, w.keys),
                     OK);
    sphinx_body(p, text, strlen(text), w.packet + sphinx_header(p));
    sphinx_wrap(p, w.keys, n, w.packet + sphinx_header(p));
}

static void need_text(const struct sphinx_params *p, const char *text)
{
    const uint8_t *message;
    size_t len;
    assert_int_equal(sphinx_open(p, w.packet + sphinx_header(p), &message, &len), OK);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(message, text, len);
}

static void every_way(void **state)
{
    static const unsigned hops[] = {1, 3, 5, 9, MOST};
    static const size_t payloads[] = {SPHINX_PAYLOAD_MIN, 2048, PAYLOAD_MOST};
    (void)state;
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b < 3; b++)
            for (unsigned n = 1; n <= hops[a]; n++) {
                struct sphinx_params p = {&sphinx_network, hops[a], payloads[b]};
                struct sphinx_route r;
                make(&p, n, "through");
                for (unsigned i = 0; i < n; i++) {
                    assert_int_equal(sphinx_unwrap(&p, w.secrets[i], w.packet, &r), OK);
                    assert_memory_equal(r.tag, w.keys[i].tag, SPHINX_TAG);
                    assert_true(r.delay == w.keys[i].delay);
                    if (i + 1 < n)
                        assert_memory_equal(r.id, w.hops[i + 1].id, SPHINX_ID);
                }
                assert_int_equal(r.id[0], 0);
                need_text(&p, "through");
            }
}

static void too_many_hops(void **state)
{
    struct sphinx_params p = {&sphinx_network, 3, 256};
    (void)state;
    assert_int_equal(sphinx_make(&p, w.hops, 4, (const uint8_t *)"", 1, &w.rng, w.packet, w.keys),
                     ERR_LIMIT);
    assert_int_equal(sphinx_make(&p, w.hops, 0, (const uint8_t *)"", 1, &w.rng, w.packet, w.keys),
                     ERR_LIMIT);
}

static void bad_keys(void **state)
{
    static const uint8_t zero[32];
    struct sphinx_params p = {&sphinx_network, 3, 256};
    struct sphinx_hop hops[3];
    (void)state;
    for (unsigned bad = 0; bad < 3; bad++) {
        memcpy(hops, w.hops, sizeof hops);
        hops[bad].key = zero;
        assert_int_equal(sphinx_make(&p, hops, 3, (const uint8_t *)"", 1, &w.rng, w.packet, w.keys),
                         ERR_INVALID);
    }
}

/* Every byte of the header, at every hop that sees it. */
static void header_altered(void **state)
{
    struct sphinx_params p = {&sphinx_network, 3, 256};
    struct sphinx_route r;
    uint8_t copy[SPHINX_HEADER_MAX + 256];
    (void)state;
    make(&p, 3, "x");
    for (unsigned hop = 0; hop < 3; hop++) {
        memcpy(copy, w.packet, sphinx_packet(&p));
        for (size_t i = 0; i < sphinx_header(&p); i++)
            for (unsigned bit = 0; bit < 8; bit += 7) {
                int rc;
                w.packet[i] ^= (uint8_t)(1 << bit);
                rc = sphinx_unwrap(&p, w.secrets[hop], w.packet, &r);
                assert_true(rc == ERR_AUTH || rc == ERR_INVALID);
                w.packet[i] ^= (uint8_t)(1 << bit);
                assert_memory_equal(copy, w.packet, sphinx_packet(&p));
            }
        assert_int_equal(sphinx_unwrap(&p, w.secrets[hop], w.packet, &r), OK);
    }
}

/* Every byte of the body: the hops do not notice, the exit does. */
static void body_altered(void **state)
{
    struct sphinx_params p = {&sphinx_network, 3, 256};
    struct sphinx_route r;
    const uint8_t *message;
    size_t len;
    (void)state;
    for (unsigned hop = 0; hop < 3; hop++)
        for (size_t i = 0; i < p.payload; i += hop ? 17 : 1) {
            make(&p, 3, "x");
            for (unsigned j = 0; j < 3; j++) {
                if (j == hop)
                    w.packet[sphinx_header(&p) + i] ^= 1;
                assert_int_equal(sphinx_unwrap(&p, w.secrets[j], w.packet, &r), OK);
            }
            assert_int_equal(sphinx_open(&p, w.packet + sphinx_header(&p), &message, &len),
                             ERR_AUTH);
        }
}

static void alpha_refused(void **state)
{
    struct sphinx_params p = {&sphinx_network, 3, 256};
    struct sphinx_route r;
    uint8_t prime[32];
    (void)state;
    memset(prime, 0xff, 32);
    prime[31] = 0x7f;
    for (unsigned low = 0xec; low <= 0xff; low++) {
        make(&p, 3, "x");
        prime[0] = (uint8_t)low;
        memcpy(w.packet, prime, 32);
        assert_int_equal(sphinx_unwrap(&p, w.secrets[0], w.packet, &r), ERR_INVALID);
    }
    memset(w.packet, 0, 32); /* all-zero secret */
    assert_int_equal(sphinx_unwrap(&p, w.secrets[0], w.packet, &r), ERR_INVALID);
    w.packet[0] = 1; /* low order */
    assert_int_equal(sphinx_unwrap(&p, w.secrets[0], w.packet, &r), ERR_INVALID);
    make(&p, 3, "x");
    w.packet[31] |= 0x80; /* the bit that X25519 ignores */
    assert_int_equal(sphinx_unwrap(&p, w.secrets[0], w.packet, &r), ERR_INVALID);
}

static void wrong_hop(void **state)
{
    struct sphinx_params p = {&sphinx_network, 3, 256};
    struct sphinx_route r;
    (void)state;
    make(&p, 3, "x");
    assert_int_equal(sphinx_unwrap(&p, w.secrets[1], w.packet, &r), ERR_AUTH);
}

static void reply(void **state)
{
    struct sphinx_params p = {&sphinx_network, 5, 512};
    struct sphinx_route r;
    uint8_t key[32], *delta = w.packet + sphinx_header(&p);
    (void)state;
    prng_bytes(&w.rng, key, sizeof key);
    assert_int_equal(
        sphinx_make(&p, w.hops, 4, (const uint8_t *)"name", 4, &w.rng, w.packet, w.keys), OK);
    sphinx_body(&p, "reply", 5, delta);
    sphinx_surb_seal(&p, key, delta);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(sphinx_unwrap(&p, w.secrets[i], w.packet, &r), OK);
    assert_memory_equal(r.id, "name", 4);
    sphinx_surb_open(&p, key, w.keys, 4, delta);
    need_text(&p, "reply");
}

/* Subkeys have nothing in common: no two of them are equal or the start of the other. */
static void independent(void **state)
{
    struct sphinx_keys k;
    static const uint8_t secret[32] = {7}, alpha[32] = {9};
    uint8_t parts[6][32];
    (void)state;
    sphinx_network.derive(&k, alpha, secret);
    memcpy(parts[0], k.stream, 32);
    memcpy(parts[1], k.mac, 32);
    memcpy(parts[2], k.wide, 32);
    memcpy(parts[3], k.blind, 32);
    memcpy(parts[4], k.tag, 32);
    crypto_stream_chacha20(parts[5], 32, (const uint8_t[8]){0}, k.stream);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(parts[i], parts[j], 32);
}

static void delays(void **state)
{
    double sum = 0.0;
    ns_t last = INT64_MAX;
    (void)state;
    assert_int_equal(sphinx_delay(UINT64_MAX, NS_S), 0);
    assert_true(sphinx_delay(0, NS_S) > 36 * NS_S && sphinx_delay(0, NS_S) < 37 * NS_S);
    for (uint64_t u = 1; u < 1000; u++) {
        ns_t d = sphinx_delay(u * (UINT64_MAX / 1000), NS_S);
        assert_true(d <= last);
        last = d;
        sum += (double)d;
    }
    assert_true(sum / 999 > 0.98e9 && sum / 999 < 1.01e9);
    assert_true(sphinx_delay(UINT64_MAX / 2, NS_S) / NS_US == 693147);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way),    cmocka_unit_test(too_many_hops),
        cmocka_unit_test(bad_keys),     cmocka_unit_test(header_altered),
        cmocka_unit_test(body_altered), cmocka_unit_test(alpha_refused),
        cmocka_unit_test(wrong_hop),    cmocka_unit_test(reply),
        cmocka_unit_test(independent),  cmocka_unit_test(delays),
    };
    return cmocka_run_group_tests(tests, people, NULL);
}
