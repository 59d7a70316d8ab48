/* links: transports/noiselink.c engine/crypto/noise.c engine/crypto/identity.c
 * engine/base/prng.c engine/base/err.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "engine/base/bytes.h"
#include "transports/noiselink.h"

/* Nodes 0 and 1 dial, 2 and 3 serve. A send appends to the sender's `out`. */
enum { NODES = 4, OUT = 16 };

struct end {
    struct env env; /* first */
    struct noiselink_self self;
    struct noiselink link;
    bool trusted;
    int send_rc;
    unsigned n_out;
    struct {
        size_t len;
        uint8_t data[256];
    } out[OUT];
};

static struct identity ids[NODES];
static struct identity_public publics[NODES];
static struct roster roster = {.n = NODES, .n_parties = 2};

static int fake_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct end *e = (struct end *)(void *)env;
    assert_int_equal(link, 7);
    if (e->send_rc != OK)
        return e->send_rc;
    assert_in_range(len, 1, 256);
    assert_in_range(e->n_out, 0, OUT - 1);
    e->out[e->n_out].len = len;
    memcpy(e->out[e->n_out++].data, data, len);
    return OK;
}
static const struct env_ops ops = {.send = fake_send};

static void make(struct end *e, party_t self, const char *mode)
{
    struct prng rng;
    memset(e, 0, sizeof *e);
    for (uint32_t i = 0; i < NODES; i++) {
        prng_name(&rng, 1, "id", i, "identity");
        (mode[0] == 'm' ? identity_make_modelled : identity_make)(&ids[i], &rng);
        publics[i] = ids[i].pub;
    }
    roster.identities = mode[0] == 'p' ? NULL : publics;
    e->env.ops = &ops;
    e->env.incarnation = 3;
    prng_name(&e->env.rng, 1, "node", self, "test");
    e->self = (struct noiselink_self){.env = &e->env,
                                      .roster = &roster,
                                      .identity = mode[0] == 'p' ? NULL : &ids[self],
                                      .self = self,
                                      .context = "test v1"};
}

/* Message k of `from` arrives at `to`, in memory of its size. */
static int pass(const struct end *from, unsigned k, struct end *to, const uint8_t **plain,
                size_t *len)
{
    static uint8_t buf[LINK_MESSAGE_MAX];
    uint8_t *exact = malloc(from->out[k].len);
    int rc;
    assert_non_null(exact);
    assert_in_range(k, 0, from->n_out - 1);
    memcpy(exact, from->out[k].data, from->out[k].len);
    rc = noiselink_read(&to->link, &to->self, exact, from->out[k].len, buf, plain, len);
    if (*len && *plain == exact) {
        memcpy(buf, exact, *len);
        *plain = buf;
    }
    free(exact);
    return rc;
}

static int send_text(struct end *e, const char *text)
{
    uint8_t buf[64 + NOISE_TAG];
    memcpy(buf, text, strlen(text));
    return noiselink_send(&e->link, &e->self, buf, strlen(text));
}

static int dial(struct end *c, party_t service)
{
    return noiselink_dial(&c->link, &c->self, 7, service, 5, &c->trusted);
}

static const uint8_t *plain;
static size_t len;

static void open_both(struct end *c, struct end *s, const char *mode)
{
    make(c, 0, mode);
    make(s, 2, mode);
    noiselink_accept(&s->link, 7);
    assert_int_equal(dial(c, 2), OK);
    assert_int_equal(pass(c, 0, s, &plain, &len), OK);
    if (mode[0] != 'p') {
        assert_int_equal(s->link.stage, NOISELINK_PROVING);
        assert_int_equal(send_text(s, "x"), ERR_STATE);
        assert_int_equal(pass(s, 0, c, &plain, &len), OK);
        assert_int_equal(pass(c, 1, s, &plain, &len), OK);
    }
    assert_int_equal(s->link.stage, NOISELINK_OPEN);
    assert_int_equal(c->link.stage, NOISELINK_OPEN);
    assert_int_equal(s->link.peer, 0);
    assert_true(s->link.session == ((uint64_t)4 << 32 | 5));
}

static void close_both(struct end *c, struct end *s)
{
    noiselink_wipe(&c->link);
    noiselink_wipe(&s->link);
}

static void test_opens(void **state)
{
    static const char *const modes[] = {"plain", "noise", "modelled"};
    (void)state;
    for (int k = 0; k < 3; k++) {
        bool plainly = k == 0;
        struct end c, s;
        open_both(&c, &s, modes[k]);
        assert_int_equal(c.out[0].len, plainly ? NOISELINK_PLAIN : NOISELINK_HELLO);
        if (!plainly) {
            assert_int_equal(s.out[0].len, NOISELINK_ANSWER);
            assert_int_equal(c.out[1].len, NOISELINK_PROOF);
        }
        assert_int_equal(send_text(&c, "hello"), OK);
        assert_int_equal(c.out[c.n_out - 1].len, plainly ? 5 : 5 + NOISE_TAG);
        assert_int_equal(pass(&c, c.n_out - 1, &s, &plain, &len), OK);
        assert_int_equal(len, 5);
        assert_memory_equal(plain, "hello", 5);
        assert_int_equal(send_text(&s, "back"), OK);
        assert_int_equal(pass(&s, s.n_out - 1, &c, &plain, &len), OK);
        assert_memory_equal(plain, "back", 4);
        close_both(&c, &s);
    }
}

/* What a network could read of who dials. */
static void test_hides_who_dials(void **state)
{
    struct end c, s;
    (void)state;
    open_both(&c, &s, "noise");
    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; i + 8 <= c.out[k].len; i++) {
            assert_memory_not_equal(c.out[k].data + i, publics[0].x25519, 8);
            assert_memory_not_equal(c.out[k].data + i, publics[0].ed25519, 8);
        }
    close_both(&c, &s);
}

static void test_every_altered_byte_is_refused(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 3; step++)
        for (size_t i = 0; i < (step == 0 ? 113u : step == 1 ? 48u : 80u); i++) {
            struct end c, s, *from = step == 1 ? &s : &c, *to = step == 1 ? &c : &s;
            make(&c, 0, "noise");
            make(&s, 2, "noise");
            noiselink_accept(&s.link, 7);
            dial(&c, 2);
            if (step > 0)
                assert_int_equal(pass(&c, 0, &s, &plain, &len), OK);
            if (step > 1)
                assert_int_equal(pass(&s, 0, &c, &plain, &len), OK);
            from->out[step == 2].data[i] ^= 0x40;
            assert_int_equal(pass(from, step == 2, to, &plain, &len), ERR_AUTH);
            assert_int_not_equal(s.link.stage, NOISELINK_OPEN);
            close_both(&c, &s);
            i += i > 32 ? 7 : 1;
        }
}

static void test_sizes(void **state)
{
    struct end c, s;
    (void)state;
    for (size_t n = 1; n < 256; n++) {
        make(&c, 0, "noise");
        make(&s, 2, "noise");
        noiselink_accept(&s.link, 7);
        dial(&c, 2);
        c.out[0].len = n;
        assert_int_equal(pass(&c, 0, &s, &plain, &len), n == NOISELINK_HELLO ? OK : ERR_FORMAT);
        close_both(&c, &s);
    }
    open_both(&c, &s, "noise");
    c.n_out = 1;
    for (size_t n = 1; n <= NOISE_TAG; n++) {
        c.out[0].len = n;
        assert_int_equal(pass(&c, 0, &s, &plain, &len), ERR_FORMAT);
    }
    close_both(&c, &s);
}

/* Message 1 again: an answer, and no more without its ephemeral key. */
static void test_replayed(void **state)
{
    struct end c, s, t;
    (void)state;
    open_both(&c, &s, "noise");
    make(&t, 2, "noise");
    prng_name(&t.env.rng, 2, "node", 2, "test");
    noiselink_accept(&t.link, 7);
    assert_int_equal(pass(&c, 0, &t, &plain, &len), OK);
    assert_int_equal(t.link.stage, NOISELINK_PROVING);
    assert_int_equal(pass(&c, 1, &t, &plain, &len), ERR_AUTH);
    assert_int_not_equal(t.link.stage, NOISELINK_OPEN);
    noiselink_wipe(&t.link);
    assert_int_equal(send_text(&c, "once"), OK);
    assert_int_equal(pass(&c, 2, &s, &plain, &len), OK);
    assert_int_equal(pass(&c, 2, &s, &plain, &len), ERR_AUTH);
    close_both(&c, &s);
    open_both(&c, &s, "noise");
    send_text(&c, "first");
    send_text(&c, "second");
    assert_int_equal(pass(&c, 3, &s, &plain, &len), ERR_AUTH); /* out of order */
    close_both(&c, &s);
}

/* Service 2 is dialled by 0 and tries to pass for it at service 3. */
static void test_cannot_be_forwarded(void **state)
{
    struct end c, s, far;
    (void)state;
    make(&c, 0, "noise");
    make(&far, 3, "noise");
    noiselink_accept(&far.link, 7);
    dial(&c, 2);
    assert_int_equal(pass(&c, 0, &far, &plain, &len), ERR_AUTH);
    noiselink_wipe(&far.link);
    /* It dials 3 itself, with its own keys, and claims to be 0. */
    make(&s, 2, "noise");
    make(&far, 3, "noise");
    s.self.self = 0;
    noiselink_accept(&far.link, 7);
    assert_int_equal(noiselink_dial(&s.link, &s.self, 7, 3, 1, &s.trusted), OK);
    assert_int_equal(pass(&s, 0, &far, &plain, &len), ERR_AUTH);
    noiselink_wipe(&s.link);
    noiselink_wipe(&far.link);
    /* It knows 0's X25519 secret, and not the Ed25519 one: the proof fails. */
    make(&s, 0, "noise");
    make(&far, 3, "noise");
    memcpy(ids[0].ed25519_secret, ids[1].ed25519_secret, IDENTITY_SECRET);
    noiselink_accept(&far.link, 7);
    assert_int_equal(noiselink_dial(&s.link, &s.self, 7, 3, 1, &s.trusted), OK);
    assert_int_equal(pass(&s, 0, &far, &plain, &len), OK);
    assert_int_equal(pass(&far, 0, &s, &plain, &len), OK);
    assert_int_equal(pass(&s, 1, &far, &plain, &len), ERR_AUTH);
    assert_int_equal(far.link.stage, NOISELINK_PROVING);
    close_both(&s, &far);
    close_both(&c, &far);
}

static void test_untrusted_service(void **state)
{
    struct end c;
    (void)state;
    make(&c, 0, "noise");
    publics[2].signature[0] ^= 1;
    assert_int_equal(dial(&c, 2), ERR_AUTH);
    assert_int_equal(c.n_out, 0);
    noiselink_wipe(&c.link);
}

static void test_plain_claims(void **state)
{
    (void)state;
    for (int k = 0; k < 6; k++) {
        struct end c, s;
        uint8_t *hello = c.out[0].data;
        make(&c, 0, "plain");
        make(&s, 2, "plain");
        noiselink_accept(&s.link, 7);
        dial(&c, 2);
        if (k == 1)
            hello[0] = 9;
        else if (k == 2)
            put_le32(hello + 1, NODES);
        else if (k == 3)
            put_le32(hello + 1, 2); /* itself */
        else if (k == 4)
            put_le32(hello + 5, 3);
        else if (k == 5)
            put_le64(hello + 9, 0);
        assert_int_equal(pass(&c, 0, &s, &plain, &len), k == 0   ? OK
                                                        : k == 1 ? ERR_FORMAT
                                                                 : ERR_AUTH);
        close_both(&c, &s);
    }
}

/* The world refuses each message once: nothing is lost, and no nonce seals two messages. */
static void test_refused_sends(void **state)
{
    struct end c, s;
    (void)state;
    make(&c, 0, "noise");
    make(&s, 2, "noise");
    noiselink_accept(&s.link, 7);
    c.send_rc = s.send_rc = ERR_AGAIN;
    assert_int_equal(dial(&c, 2), OK);
    assert_int_equal(noiselink_room(&c.link, &c.self), ERR_AGAIN);
    c.send_rc = OK;
    assert_int_equal(noiselink_room(&c.link, &c.self), OK);
    assert_int_equal(pass(&c, 0, &s, &plain, &len), OK);
    s.send_rc = OK;
    assert_int_equal(noiselink_room(&s.link, &s.self), OK);
    c.send_rc = ERR_AGAIN;
    assert_int_equal(pass(&s, 0, &c, &plain, &len), OK);
    assert_int_equal(send_text(&c, "early"), ERR_AGAIN); /* the proof comes first */
    c.send_rc = OK;
    assert_int_equal(noiselink_room(&c.link, &c.self), OK);
    assert_int_equal(pass(&c, 1, &s, &plain, &len), OK);
    c.send_rc = ERR_AGAIN;
    assert_int_equal(send_text(&c, "refused"), ERR_AGAIN);
    c.send_rc = OK;
    assert_int_equal(send_text(&c, "taken"), OK);
    assert_int_equal(pass(&c, 2, &s, &plain, &len), OK);
    assert_memory_equal(plain, "taken", 5);
    close_both(&c, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens),
        cmocka_unit_test(test_hides_who_dials),
        cmocka_unit_test(test_every_altered_byte_is_refused),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_replayed),
        cmocka_unit_test(test_cannot_be_forwarded),
        cmocka_unit_test(test_untrusted_service),
        cmocka_unit_test(test_plain_claims),
        cmocka_unit_test(test_refused_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
