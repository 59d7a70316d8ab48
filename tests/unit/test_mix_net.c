/* links: libpartyline */
/* A mix network's parts: routes, packets in both forms, replays, descriptors and documents that
 * are forged, stale or torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "engine/base/bytes.h"
#include "transports/mix_directory.h"
#include "transports/mix_hop.h"

enum {
    PARTIES = 4,
    MIXES = 7,
    PROVIDERS = 2,
    DIRECTORY = PARTIES + MIXES + PROVIDERS,
    ALL = DIRECTORY + 1
};

static struct {
    struct roster_entry entries[ALL];
    struct identity people[ALL];
    struct identity_public publics[ALL];
    struct roster roster;
    struct mix_opts opts;
    struct env env;
    struct metrics metrics;
} w;

static void ignore_show(struct env *env, const struct shown *s)
{
    (void)env, (void)s;
}
static const struct env_ops ops = {.show = ignore_show};

static int people(void **state)
{
    (void)state;
    prng_name(&w.env.rng, 1, "test", 0, "net");
    w.env.ops = &ops;
    w.env.metrics = &w.metrics;
    metrics_init(&w.metrics);
    opt_defaults(mix_opts, &w.opts);
    for (party_t i = 0; i < ALL; i++) {
        identity_make(&w.people[i], &w.env.rng);
        w.publics[i] = w.people[i].pub;
        w.entries[i] = (struct roster_entry){.name = "x",
                                             .role = i < PARTIES           ? "party"
                                                     : i < PARTIES + MIXES ? "mix"
                                                     : i < DIRECTORY       ? "provider"
                                                                           : "directory"};
    }
    w.roster = (struct roster){
        .n = ALL, .n_parties = PARTIES, .entries = w.entries, .identities = w.publics};
    return 0;
}

static struct mix_net net_of(party_t self, bool directory, bool modelled)
{
    struct mix_net n = {0};
    struct transport_setup s = {.env = &w.env,
                                .roster = &w.roster,
                                .self = self,
                                .opts = &w.opts,
                                .identity = &w.people[self],
                                .modelled = modelled};
    w.roster.n = directory ? ALL : DIRECTORY;
    assert_int_equal(mix_net_init(&n, &s, NULL), OK);
    return n;
}

/* ---- routes ----------------------------------------------------------------------------- */

static void routes(void **state)
{
    struct mix_net n = net_of(0, false, true);
    unsigned seen[ALL] = {0};
    (void)state;
    for (int64_t topology = 0; topology < 3; topology++) {
        w.opts.topology = topology;
        for (int i = 0; i < 3000; i++) {
            party_t to = (party_t)(i % PARTIES), r[SPHINX_HOPS_MAX];
            assert_int_equal(mix_net_route(&n, to, &w.env.rng, r), 5);
            assert_int_equal(r[4], to);
            assert_int_equal(r[3], PARTIES + MIXES + to % PROVIDERS);
            assert_true(r[0] != r[1] && r[1] != r[2] && r[0] != r[2]);
            for (unsigned l = 0; l < 3; l++) {
                uint32_t mix = r[l] - PARTIES;
                assert_true(mix < MIXES);
                if (topology == MIX_STRATIFIED)
                    assert_int_equal(mix % 3, l);
                if (topology == MIX_CASCADE)
                    assert_true(mix % 3 == l && r[l] == r[0] + l);
                seen[r[l]] += topology == MIX_STRATIFIED;
            }
        }
    }
    assert_in_range(seen[PARTIES], 880, 1120);      /* one of three in layer 1 */
    assert_in_range(seen[PARTIES + 1], 1390, 1610); /* one of two in layer 2 */
    w.opts.topology = MIX_STRATIFIED;
    n.there[1] = n.there[4] = false;
    assert_int_equal(mix_net_route(&n, 0, &w.env.rng, (party_t[SPHINX_HOPS_MAX]){0}), 0);
    mix_net_free(&n);
}

/* ---- packets ---------------------------------------------------------------------------- */

/* The whole way of a packet; the delays that its mixes see are those the sender was told. */
static void way(bool modelled)
{
    struct mix_net sender = net_of(0, false, modelled), hop[5];
    struct mix_tags tags;
    struct mix_hop_view v;
    uint8_t *frame = malloc(mix_frame_size(&sender)), *copy = malloc(mix_frame_size(&sender));
    const uint8_t *message;
    size_t len;
    party_t r[SPHINX_HOPS_MAX];
    ns_t delay, sum = 0;
    unsigned n = mix_net_route(&sender, 3, &w.env.rng, r);
    assert_int_equal(mix_packet_make(&sender, r, n, "hello", 5, frame, &delay), OK);
    mix_tags_init(&tags, 100);
    for (unsigned i = 0; i < n; i++) {
        struct mix_ring ring = {0};
        hop[i] = net_of(r[i], false, modelled);
        assert_int_equal(get_le32(frame + 5), r[i]);
        memcpy(copy, frame, mix_frame_size(&sender));
        assert_int_equal(mix_hop_open(&hop[i], &ring, &tags, frame, mix_frame_size(&sender), &v),
                         OK);
        assert_int_equal(mix_hop_open(&hop[i], &ring, &tags, copy, mix_frame_size(&sender), &v),
                         ERR_REPLAY);
        assert_int_equal(v.next, i + 1 < n ? r[i + 1] : PARTY_NONE);
        sum += i + 2 < n ? sphinx_delay(v.delay, w.opts.mean_delay) : 0;
        assert_int_equal(mix_hop_open(&hop[i], &ring, &tags, copy, mix_frame_size(&sender) - 1, &v),
                         ERR_FORMAT);
        put_le32(copy + 1, 7);
        assert_int_equal(mix_hop_open(&hop[i], &ring, &tags, copy, mix_frame_size(&sender), &v),
                         ERR_ABSENT);
        mix_net_free(&hop[i]);
    }
    assert_true(sum == delay && delay > 0);
    assert_int_equal(mix_packet_message(&sender, frame, &message, &len), OK);
    assert_int_equal(len, 5);
    assert_memory_equal(message, "hello", 5);
    mix_tags_free(&tags);
    mix_net_free(&sender);
    free(frame);
    free(copy);
}

static void packets(void **state)
{
    (void)state;
    way(false);
    way(true);
}

/* ---- the directory ---------------------------------------------------------------------- */

static struct mix_descriptor describe(party_t node, uint32_t epoch)
{
    struct mix_descriptor d = {.node = node, .epoch = epoch};
    uint8_t bytes[MIX_DESCRIPTOR];
    prng_bytes(&w.env.rng, d.key, 32);
    mix_descriptor_encode(&d, bytes);
    identity_sign(&w.people[node], "partyline mix descriptor", bytes, MIX_SIGNED, d.signature);
    return d;
}

static void descriptors(void **state)
{
    struct mix_net n = net_of(DIRECTORY, true, false);
    struct mix_descriptor d = describe(PARTIES + 1, 3), back;
    uint8_t bytes[MIX_DESCRIPTOR + 1] = {0};
    (void)state;
    mix_descriptor_encode(&d, bytes);
    assert_int_equal(mix_descriptor_decode(&n, bytes, MIX_DESCRIPTOR, &back), OK);
    assert_memory_equal(back.key, d.key, 32);
    assert_int_equal(back.epoch, 3);
    assert_int_equal(mix_descriptor_decode(&n, bytes, MIX_DESCRIPTOR - 1, &back), ERR_FORMAT);
    assert_int_equal(mix_descriptor_decode(&n, bytes, MIX_DESCRIPTOR + 1, &back), ERR_FORMAT);
    for (size_t i = 0; i < MIX_DESCRIPTOR; i++) {
        bytes[i] ^= 1;
        assert_int_not_equal(mix_descriptor_decode(&n, bytes, MIX_DESCRIPTOR, &back), OK);
        bytes[i] ^= 1;
    }
    d = describe(0, 3); /* a party is no mix */
    mix_descriptor_encode(&d, bytes);
    assert_int_equal(mix_descriptor_decode(&n, bytes, MIX_DESCRIPTOR, &back), ERR_ABSENT);
    mix_net_free(&n);
}

static size_t document(uint8_t *out, party_t by, uint32_t epoch, uint32_t version, uint32_t n)
{
    struct mix_net d = net_of(by, true, false);
    struct mix_descriptor list[MIXES];
    size_t len;
    for (uint32_t i = 0; i < n; i++)
        list[i] = describe(PARTIES + i, epoch);
    len = mix_document_encode(&d, epoch, version, list, n, out);
    mix_net_free(&d);
    return len;
}

static void documents(void **state)
{
    static uint8_t doc[LINK_MESSAGE_MAX], old[LINK_MESSAGE_MAX], forged[LINK_MESSAGE_MAX];
    struct mix_net n = net_of(0, true, false);
    size_t len = document(doc, DIRECTORY, 5, 1, MIXES), old_len, forged_len;
    (void)state;
    for (uint32_t i = 0; i < MIXES; i++)
        assert_false(n.there[i]);
    for (size_t i = 1; i < len; i += i < 60 ? 1 : 13) { /* any byte altered */
        doc[i] ^= 1;
        assert_int_not_equal(mix_document_take(&n, doc + 1, len - 1), OK);
        doc[i] ^= 1;
    }
    for (size_t cut = 0; cut < len - 1; cut += 11) /* torn */
        assert_int_not_equal(mix_document_take(&n, doc + 1, cut), OK);
    assert_int_equal(n.version, 0);
    assert_int_equal(mix_document_take(&n, doc + 1, len - 1), OK);
    assert_true(n.epoch == 5 && n.version == 1 && n.there[0] && n.there[MIXES - 1]);
    assert_false(n.there[MIXES]);
    assert_int_equal(mix_document_take(&n, doc + 1, len - 1), ERR_REPLAY);
    old_len = document(old, DIRECTORY, 4, 9, MIXES);
    assert_int_equal(mix_document_take(&n, old + 1, old_len - 1), ERR_REPLAY);
    forged_len = document(forged, PARTIES, 6, 1, MIXES); /* signed by a mix */
    assert_int_equal(mix_document_take(&n, forged + 1, forged_len - 1), ERR_AUTH);
    len = document(doc, DIRECTORY, 5, 2, 2);
    assert_int_equal(mix_document_take(&n, doc + 1, len - 1), OK);
    assert_true(n.there[1] && !n.there[2]);
    mix_net_free(&n);
}

/* The directory signs, but a descriptor in it is not its node's, or of another epoch. */
static void bad_directory(void **state)
{
    static uint8_t doc[LINK_MESSAGE_MAX];
    struct mix_net n = net_of(0, true, false), d = net_of(DIRECTORY, true, false);
    struct mix_descriptor list[2] = {describe(PARTIES, 1), describe(PARTIES + 1, 1)};
    size_t len;
    (void)state;
    list[1].key[0] ^= 1;
    len = mix_document_encode(&d, 1, 1, list, 2, doc);
    assert_int_equal(mix_document_take(&n, doc + 1, len - 1), ERR_AUTH);
    list[1] = describe(PARTIES + 1, 0);
    len = mix_document_encode(&d, 1, 1, list, 2, doc);
    assert_int_equal(mix_document_take(&n, doc + 1, len - 1), ERR_FORMAT);
    assert_int_equal(n.version, 0);
    mix_net_free(&n);
    mix_net_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes),    cmocka_unit_test(packets),       cmocka_unit_test(descriptors),
        cmocka_unit_test(documents), cmocka_unit_test(bad_directory),
    };
    return cmocka_run_group_tests(tests, people, NULL);
}
