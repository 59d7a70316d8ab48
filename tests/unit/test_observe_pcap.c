/* links: everything but engine/main.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/base/bytes.h"
#include "engine/run/observe.h"
#include "engine/run/observe_truth.h"

enum { ALICE, BOB, RELAY, NODES, SYN = 2, ACK = 16, OUT = 4, IN = 0 };

/* ---- what nodes saw --------------------------------------------------------------------- */

static struct addr at(party_t who, uint16_t port)
{
    struct addr a = {.ip = {[10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(who + 1)}, .port = port};
    return a;
}

static struct sighting seen(party_t node, bool out, struct addr from, struct addr to)
{
    return (struct sighting){
        .at = node, .beyond = PARTY_NONE, .out = out, .packets = 1, .from = from, .to = to};
}

static void opens(struct observe_truth *t, party_t node, struct addr own, struct addr peer)
{
    struct sighting s = seen(node, false, peer, own);
    s.opens = true;
    observe_truth_note(t, &s, NULL, 0);
}

static struct packet_truth sends(struct observe_truth *t, party_t node, struct addr own,
                                 struct addr peer, struct packet_truth truth, uint32_t bytes)
{
    const struct sighting s = seen(node, true, own, peer);
    return observe_truth_note(t, &s, &truth, bytes);
}

static struct packet_truth gets(struct observe_truth *t, party_t node, struct addr own,
                                struct addr peer, uint64_t number, uint32_t bytes)
{
    const struct sighting s = seen(node, false, peer, own);
    return observe_truth_note(t, &s, &(struct packet_truth){.serial = number}, bytes);
}

static struct packet_truth real(party_t from, party_t to, uint64_t serial)
{
    return (struct packet_truth){TRUTH_REAL, from, to, serial};
}

/* The serial of the segment that begins at `offset`; 0: unknown. */
static uint64_t ask(struct observe_truth *t, struct addr from, struct addr to, uint32_t first,
                    uint32_t offset)
{
    const struct observe_segment g = {.seq = first + offset, .payload = 10, .acks = true};
    const struct packet_truth *truth = observe_truth_of(t, &from, &to, &g);
    return truth ? truth->serial : 0;
}

static void handshake(struct observe_truth *t, struct addr from, struct addr to, uint32_t isn,
                      uint32_t answer)
{
    const struct observe_segment syn = {.seq = isn, .syn = true},
                                 back = {.seq = answer, .ack = isn + 1, .syn = true, .acks = true};
    assert_null(observe_truth_of(t, &from, &to, &syn));
    assert_null(observe_truth_of(t, &to, &from, &back));
    assert_null(observe_truth_of(t, &to, &from, &back)); /* at its other end, too */
}

static void bytes_are_found_on_their_connection(void **state)
{
    struct observe_truth *t = observe_truth_new(NODES);
    const struct addr a = at(ALICE, 1000), b = at(BOB, 80);
    const uint32_t first = UINT32_MAX - 120; /* of the stream's bytes: it wraps */
    (void)state;
    opens(t, ALICE, a, b);
    opens(t, BOB, b, a);
    sends(t, ALICE, a, b, real(ALICE, BOB, 1), 100);
    sends(t, ALICE, a, b, (struct packet_truth){TRUTH_COVER_DROP, ALICE, ALICE, 2}, 50);
    sends(t, ALICE, a, b, (struct packet_truth){0}, 30); /* nobody knows */
    sends(t, ALICE, a, b, real(ALICE, BOB, 4), 200);
    assert_int_equal(ask(t, a, b, first, 0), 0); /* its numbers are not known yet */
    handshake(t, a, b, first - 1, 7777);
    assert_int_equal(ask(t, a, b, first, 0), 1);
    assert_int_equal(ask(t, a, b, first, 99), 1);
    assert_int_equal(ask(t, a, b, first, 100), 2);
    assert_int_equal(ask(t, a, b, first, 149), 2);
    assert_int_equal(ask(t, a, b, first, 150), 0);
    assert_int_equal(ask(t, a, b, first, 180), 4);
    assert_int_equal(ask(t, a, b, first, 20), 1);                  /* once more */
    assert_int_equal(ask(t, a, b, first, (uint32_t)INT32_MIN), 0); /* before its beginning */
    assert_int_equal(ask(t, b, a, 7778, 0), 0);                    /* bob has sent nothing */
    /* The same addresses again: their second connection. */
    opens(t, ALICE, a, b);
    sends(t, ALICE, a, b, real(ALICE, BOB, 5), 10);
    assert_int_equal(ask(t, a, b, first, 0), 1);
    handshake(t, a, b, 41, 7777 + 5);
    assert_int_equal(ask(t, a, b, 42, 0), 5);
    assert_int_equal(observe_truth_broken(t), OK);
    observe_truth_free(t);
}

/* What a relay sends on is what came to it, at once or later; a node's numbers may have gaps. */
static void truth_passes_through_services(void **state)
{
    struct observe_truth *t = observe_truth_new(NODES);
    const struct addr a = at(ALICE, 1000), in = at(RELAY, 80), out = at(RELAY, 2000),
                      b = at(BOB, 90);
    (void)state;
    opens(t, ALICE, a, in);
    opens(t, RELAY, in, a);
    opens(t, RELAY, out, b);
    opens(t, BOB, b, out);
    sends(t, ALICE, a, in, real(ALICE, BOB, 1), 104);
    sends(t, ALICE, a, in, real(ALICE, BOB, 2), 204);
    assert_int_equal(gets(t, RELAY, in, a, 1, 104).serial, 1);
    assert_int_equal(gets(t, RELAY, in, a, 2, 204).serial, 2);
    assert_int_equal(sends(t, RELAY, out, b, (struct packet_truth){.serial = 2}, 212).serial,
                     2); /* first */
    assert_int_equal(sends(t, RELAY, out, b, (struct packet_truth){.serial = 1}, 112).serial, 1);
    assert_int_equal(sends(t, RELAY, out, b, (struct packet_truth){.serial = 9}, 8).kind,
                     TRUTH_UNKNOWN);
    handshake(t, out, b, 0, 0);
    assert_int_equal(ask(t, out, b, 1, 211), 2);
    assert_int_equal(ask(t, out, b, 1, 212), 1);
    assert_int_equal(ask(t, out, b, 1, 212 + 112), 0);
    assert_int_equal(gets(t, BOB, b, out, 1, 212).from, ALICE);
    /* Number 3 is missing: what comes after it can't be told. */
    assert_int_equal(gets(t, BOB, b, out, 4, 112).serial, 1);
    assert_int_equal(sends(t, BOB, b, out, (struct packet_truth){.serial = 4}, 8).kind,
                     TRUTH_UNKNOWN);
    observe_truth_free(t);
}

/* ---- the capture ------------------------------------------------------------------------ */

struct file {
    uint8_t bytes[4096];
    size_t len;
};

static void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void begin(struct file *f, uint32_t link)
{
    memset(f, 0, sizeof *f);
    put_le32(f->bytes, 0xa1b23c4d);
    put_le32(f->bytes + 4, 4 << 16 | 2);
    put_le32(f->bytes + 16, 65535);
    put_le32(f->bytes + 20, link);
    f->len = 24;
}

/* A TCP segment of IPv4, behind `cooked` bytes of Linux cooked 2. */
static void packet(struct file *f, uint64_t ns, uint8_t way, struct addr from, struct addr to,
                   uint8_t flags, uint32_t seq, uint16_t payload)
{
    uint8_t *head = f->bytes + f->len, *sll = head + 16, *ip = sll + 20, *tcp = ip + 20;
    uint32_t len = 20 + 40 + (uint32_t)payload;
    put_le32(head, (uint32_t)(ns / NS_S));
    put_le32(head + 4, (uint32_t)(ns % NS_S));
    put_le32(head + 8, len);
    put_le32(head + 12, len);
    put_be16(sll, 0x0800);
    sll[10] = way;
    ip[0] = 0x45;
    put_be16(ip + 2, (uint16_t)(40 + payload));
    ip[9] = 6;
    memcpy(ip + 12, from.ip + 12, 4);
    memcpy(ip + 16, to.ip + 12, 4);
    put_be16(tcp, from.port);
    put_be16(tcp + 2, to.port);
    put_be16(tcp + 4, (uint16_t)(seq >> 16));
    put_be16(tcp + 6, (uint16_t)seq);
    tcp[12] = 5 << 4;
    tcp[13] = flags;
    f->len += 16 + len;
}

enum { MOST = 32 };

static struct sighting got[MOST];
static bool known[MOST];
static size_t n_got;

static void see(void *ctx, const struct sighting *s, const struct packet_truth *truth)
{
    (void)ctx;
    assert_true(n_got < MOST);
    known[n_got] = truth != NULL;
    got[n_got++] = *s;
}

static ns_t read_it(struct file *f, const char *map, struct observe_truth *truth)
{
    struct observe_people people = {0};
    const struct observe_capture capture = {
        .name = "it", .people = &people, .truth = truth, .see = see};
    struct err e = {0};
    ns_t ended = -1;
    n_got = 0;
    assert_int_equal(observe_map(&people, "map", map, strlen(map), &e), OK);
    assert_int_equal(observe_pcap(fmemopen(f->bytes, f->len, "rb"), &capture, &ended, &e), OK);
    observe_people_free(&people);
    return ended;
}

#define HOSTS "parties: {alice: 10.0.0.1, bob: 10.0.0.2}\n"

static void a_cooked_packet_is_seen_where_it_was_caught(void **state)
{
    const struct addr a = at(ALICE, 1000), b = at(BOB, 80);
    struct file f;
    (void)state;
    begin(&f, 276);
    packet(&f, 5 * NS_S, OUT, a, b, SYN, 9, 0);
    packet(&f, 5 * NS_S + 40, IN, a, b, SYN, 9, 0);
    packet(&f, 5 * NS_S + 50, OUT, b, a, ACK, 9, 0); /* no payload: nothing */
    packet(&f, 5 * NS_S + 70, OUT, b, a, ACK, 9, 100);
    packet(&f, 5 * NS_S + 90, IN, b, a, ACK, 9, 100);
    assert_int_equal(read_it(&f, HOSTS, NULL), 90);
    assert_int_equal(n_got, 4);
    assert_true(got[0].at == ALICE && got[0].out && got[0].opens && got[0].when == 0);
    assert_true(got[1].at == BOB && !got[1].out && got[1].opens && got[1].when == 40);
    assert_true(got[2].at == BOB && got[2].out && got[2].bytes == 140 && got[2].when == 70);
    assert_true(got[3].at == ALICE && !got[3].out && got[3].when == 90);
    /* Raw IP does not say: at both ends at once. */
    begin(&f, 101);
    f.len = 24;
    packet(&f, NS_S, OUT, a, b, ACK, 9, 100);
    memmove(f.bytes + 24 + 16, f.bytes + 24 + 36, 140);
    put_le32(f.bytes + 24 + 8, 140);
    put_le32(f.bytes + 24 + 12, 140);
    f.len -= 20;
    read_it(&f, HOSTS, NULL);
    assert_int_equal(n_got, 2);
    assert_true(got[0].at == ALICE && got[0].out && got[1].at == BOB && !got[1].out);
}

static void the_map_says_when_the_trial_was(void **state)
{
    const struct addr a = at(ALICE, 1000), b = at(BOB, 80);
    struct observe_people people = {0};
    struct err e;
    struct file f;
    (void)state;
    begin(&f, 276);
    for (uint64_t ns = 0; ns < 10; ns++)
        packet(&f, 5 * NS_S + ns, OUT, a, b, ACK, 9, 100);
    assert_int_equal(read_it(&f, HOSTS "began: 5000000003\nended: 5000000008", NULL), 5);
    assert_int_equal(n_got, 6);
    assert_true(got[0].when == 0 && got[5].when == 5);
    assert_int_equal(read_it(&f, HOSTS "began: 4000000000", NULL), NS_S + 9);
    assert_int_equal(read_it(&f, HOSTS "ended: 5000000002", NULL), 2);
    assert_int_equal(n_got, 3);
    assert_int_equal(observe_map(&people, "m", HOSTS "began: 5\nended: 5", 56, &e), ERR_INVALID);
    observe_people_free(&people);
    assert_int_equal(observe_map(&people, "m", HOSTS "began: soon", 53, &e), ERR_INVALID);
    observe_people_free(&people);
}

static void services_have_roles(void **state)
{
    static const char good[] =
        HOSTS "services: {relay: 10.0.0.9, m: {role: mix, address: [10.0.0.8]}, far: []}";
    static const char *const bad[] = {HOSTS "services: {m: {role: mix}}",
                                      HOSTS "services: {m: {role: mix, address: 10.0.0.8, at: 1}}",
                                      HOSTS "services: {m: {role: [mix], address: 10.0.0.8}}"};
    struct observe_people people = {0};
    struct err e;
    (void)state;
    assert_int_equal(observe_map(&people, "m", good, sizeof good - 1, &e), OK);
    assert_int_equal(people.roster.n, 5);
    assert_string_equal(people.roles[2], "relay");
    assert_string_equal(people.roles[3], "mix");
    assert_string_equal(people.roles[4], "far");
    observe_people_free(&people);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(observe_map(&people, "m", bad[i], strlen(bad[i]), &e), ERR_INVALID);
        observe_people_free(&people);
    }
}

static void truth_reaches_the_judge_at_both_ends(void **state)
{
    struct observe_truth *t = observe_truth_new(NODES);
    const struct addr a = at(ALICE, 1000), b = at(BOB, 80);
    struct file f;
    (void)state;
    opens(t, ALICE, a, b);
    sends(t, ALICE, a, b, real(ALICE, BOB, 1), 100);
    begin(&f, 276);
    packet(&f, 1, OUT, a, b, SYN, 9, 0);
    packet(&f, 2, OUT, b, a, SYN | ACK, 30, 0);
    put_be16(f.bytes + f.len - 12, 0); /* its acknowledgement: 10 */
    put_be16(f.bytes + f.len - 10, 10);
    packet(&f, 3, OUT, a, b, ACK, 10, 60);
    packet(&f, 4, IN, a, b, ACK, 10, 60);
    packet(&f, 5, OUT, a, b, ACK, 70, 40);
    packet(&f, 6, OUT, b, a, ACK, 31, 40);
    read_it(&f, HOSTS, t);
    assert_int_equal(n_got, 5);
    assert_false(known[0]);
    assert_true(known[1] && known[2] && known[3]);
    assert_false(known[4]);
    observe_truth_free(t);
}

extern const struct observer observer_participation;

/* A message that the simulator shows whole weighs as its segments do in a pcap. */
static void participation_counts_packets(void **state)
{
    static const struct place lines = {SIGHT_LINE, PARTY_NONE, PARTY_NONE};
    static const struct stake stake = {&lines, 1, "global"};
    static const struct roster_entry entries[] = {{.name = "alice"}, {.role = "server"}};
    const struct roster roster = {.entries = entries, .n = 2, .n_parties = 1};
    const int64_t window = NS_S;
    const struct observer_spec spec = {
        .ops = &observer_participation, .opts = &window, .stakes = &stake, .n_stakes = 1};
    const struct sights_setup setup = {.observers = &spec, .n_observers = 1, .roster = &roster};
    struct sights_found found;
    struct sights *s;
    struct err e;
    (void)state;
    assert_int_equal(sights_new(&s, &setup, &e), OK);
    for (ns_t t = 1; t < 10 * NS_S; t += NS_S)
        for (party_t who = 0; who < 2; who++) {
            struct sighting x = {.when = t, .at = who, .beyond = PARTY_NONE, .point = SIGHT_LINE};
            x.packets = who == 0 ? 3 : 1;
            for (int i = 0; i < 2; i++) /* alice: 2 messages of 3 packets; the server: 2 of 1 */
                sights_see(s, &x, NULL);
        }
    assert_int_equal(sights_end(s, 10 * NS_S, &found), OK);
    assert_int_equal(found.n_findings, 2);
    assert_int_equal(found.findings[0].what, PRIVACY_PRESENCE_AUC);
    assert_int_equal(found.findings[0].value, 1000000);
    sights_found_free(&found);
    sights_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(participation_counts_packets),
        cmocka_unit_test(bytes_are_found_on_their_connection),
        cmocka_unit_test(truth_passes_through_services),
        cmocka_unit_test(a_cooked_packet_is_seen_where_it_was_caught),
        cmocka_unit_test(the_map_says_when_the_trial_was),
        cmocka_unit_test(services_have_roles),
        cmocka_unit_test(truth_reaches_the_judge_at_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
