/* links: engine/worlds/result/, engine/worlds/link/, engine/sights.c, engine/sights_found.c,
 * engine/sights_greedy.c, engine/privacy.c, engine/base/ */
/* What worlds have in common: the sightings that they make, traces, recoveries, outcomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/worlds/result/account.h"
#include "engine/worlds/result/lookout.h"
#include "engine/worlds/result/refusal.h"

enum { NODES = 3, MOST = 16 };

static const struct roster_entry entries[NODES] = {
    {.name = "a", .role = "party"}, {.name = "b", .role = "party"}, {.name = "s", .role = "relay"}};
static const struct roster roster = {.n = NODES, .n_parties = 2, .entries = entries};
static const struct host_spec hosts[NODES] = {{.region = 0}, {.region = 0}, {.region = 1}};
static const struct action actions[] = {
    {.kind = ACT_CRASH, .at = 100, .until = NS_NEVER, .node = 0},
    {.kind = ACT_LINK, .at = 200, .until = 300, .a = 0, .b = 1},
};

static struct sighting seen[MOST];
static struct packet_truth truths[MOST];
static unsigned n_seen, n_true;

static void write_down(void *ctx, const struct sighting *s, const struct packet_truth *truth)
{
    (void)ctx;
    assert_true(n_seen < MOST);
    truths[n_seen] = truth ? *truth : (struct packet_truth){0};
    n_true += truth != NULL;
    seen[n_seen++] = *s;
}

struct bench {
    struct trial_spec spec;
    struct trial_result result;
    struct nat nat;
    struct packet_truth truth;
    struct lookout l;
    char *text;
    size_t len;
};

static party_t nobody(const void *world, const struct addr *a)
{
    (void)world, (void)a;
    return PARTY_NONE;
}

static void begin(struct bench *b, unsigned wants)
{
    const struct trace recorder = {.sights = wants, .sighting = write_down};
    struct err e;
    *b = (struct bench){
        .spec = {.roster = &roster, .hosts = hosts, .actions = actions, .n_actions = 2}};
    n_seen = n_true = 0;
    metrics_init(&b->result.metrics);
    b->l = (struct lookout){.spec = &b->spec,
                            .result = &b->result,
                            .trace = open_memstream(&b->text, &b->len),
                            .nat = &b->nat,
                            .truth = &b->truth};
    assert_non_null(b->l.trace);
    assert_int_equal(lookout_init(&b->l, nobody, NULL, 1, &recorder, &e), OK);
    assert_int_equal(b->l.wants, wants);
}

static void end(struct bench *b)
{
    assert_int_equal(lookout_score(&b->l, 1000), OK);
    lookout_free(&b->l);
    fclose(b->l.trace);
    free(b->text);
    trial_result_free(&b->result, 0);
}

/* ---- sightings ---------------------------------------------------------------------------- */

static void sizes_on_the_wire(void **state)
{
    static const struct {
        uint32_t payload, bytes, packets;
    } rows[] = {{1, 53, 1}, {1448, 1500, 1}, {1449, 1553, 2}, {65540, 65540 + 46 * 52, 46}};
    struct sighting s = lookout_segments(5, 0);
    (void)state;
    assert_true(s.opens && s.bytes == 60 && s.packets == 1 && s.when == 5 && !s.datagram);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s = lookout_segments(5, rows[i].payload);
        assert_true(!s.opens && s.bytes == rows[i].bytes && s.packets == rows[i].packets);
    }
    s = lookout_datagram(6, 100);
    assert_true(s.datagram && s.bytes == 128 && s.packets == 1 && s.when == 6 && !s.opens);
    s = lookout_message(7, 2, true, false, 100);
    assert_true(s.point == SIGHT_NODE && s.at == 2 && s.out && s.bytes == 100 &&
                s.beyond == PARTY_NONE);
}

static void a_border_and_then_the_line(void **state)
{
    struct bench b;
    struct sighting s;
    (void)state;
    begin(&b, WANT_LINE | WANT_LINE_OPENS | WANT_BORDER | WANT_TRUTH);
    lookout_hold(&b.l, &(struct packet_truth){.kind = TRUTH_REAL, .from = 1, .to = 0, .serial = 7});
    s = lookout_segments(1, 10);
    lookout_arrival(&b.l, &s, 0, 2);
    assert_int_equal(n_seen, 2);
    assert_true(seen[0].point == SIGHT_BORDER && seen[0].at == 0 && seen[0].beyond == 1);
    assert_true(seen[1].point == SIGHT_LINE && seen[1].at == 2 && !seen[1].out);
    assert_true(seen[1].beyond == PARTY_NONE);
    assert_true(n_true == 2 && truths[0].serial == 7 && truths[1].from == 1);
    lookout_hold(&b.l, NULL);
    s = lookout_datagram(2, 10);
    lookout_arrival(&b.l, &s, 0, 1); /* one region */
    assert_true(n_seen == 3 && seen[2].point == SIGHT_LINE && seen[2].at == 1);
    assert_int_equal(n_true, 2);
    s = lookout_segments(3, 10);
    lookout_line(&b.l, &s, 0, true);
    assert_true(n_seen == 4 && seen[3].out && seen[3].at == 0);
    end(&b);
}

static void only_what_is_wanted(void **state)
{
    const struct shown shown = {.kind = SHOWN_MEMBER};
    const struct retained kept = {.record = 1};
    struct bench b;
    struct sighting s;
    (void)state;
    begin(&b, WANT_LINE_OPENS | WANT_KEPT);
    lookout_hold(&b.l, &(struct packet_truth){.kind = TRUTH_REAL});
    s = lookout_segments(1, 10);
    lookout_arrival(&b.l, &s, 0, 2);
    assert_int_equal(n_seen, 0);
    s = lookout_segments(1, 0);
    lookout_arrival(&b.l, &s, 0, 2);
    s = lookout_datagram(1, 10);
    lookout_line(&b.l, &s, 0, true);
    assert_int_equal(n_seen, 2);
    lookout_show(&b.l, 3, 1, &shown);
    assert_int_equal(n_seen, 2);
    lookout_keep(&b.l, 3, 1, &kept);
    assert_int_equal(n_seen, 3);
    assert_int_equal(n_true, 0); /* nobody wants it */
    assert_false(lookout_indoors(&b.l, 0, 1));
    end(&b);
}

/* ---- what happens ------------------------------------------------------------------------- */

static void lines_of_a_trace(void **state)
{
    static const char expected[] = "1 a start\n"
                                   "2 b up 3 s 192.0.2.1:80\n"
                                   "3 b up 4 - [2001:db8:0:0:0:0:0:1]:81\n"
                                   "4 b data 3 s 12 1\n"
                                   "5 b timer 9\n"
                                   "6 b down 3 s reset\n"
                                   "7 a lost s 100 loss\n"
                                   "8 - partition\n";
    static const struct addr v4 = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1},
                                   .port = 80};
    static const struct addr v6 = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 81};
    struct bench b;
    (void)state;
    begin(&b, 0);
    lookout_event(&b.l, 1, 0, &(struct event){.kind = EV_START}, PARTY_NONE, 0);
    lookout_event(&b.l, 2, 1, &(struct event){.kind = EV_UP, .link = 3, .peer = v4}, 2, 0);
    lookout_event(&b.l, 3, 1, &(struct event){.kind = EV_UP, .link = 4, .peer = v6}, PARTY_NONE, 0);
    lookout_event(&b.l, 4, 1, &(struct event){.kind = EV_DATA, .link = 3, .len = 12}, 2, 1);
    lookout_event(&b.l, 5, 1, &(struct event){.kind = EV_TIMER, .timer = 9}, PARTY_NONE, 0);
    lookout_event(&b.l, 6, 1, &(struct event){.kind = EV_DOWN, .link = 3, .why = DOWN_RESET}, 2, 0);
    lookout_drop(&b.l, 7, 0, 2, 100, DROP_LOSS);
    lookout_world(&b.l, 8, PARTY_NONE, "partition");
    fflush(b.l.trace);
    assert_string_equal(b.text, expected);
    assert_int_equal(b.result.metrics.drops[DROP_LOSS], 1);
    end(&b);
}

static void recoveries(void **state)
{
    const struct hist *h;
    struct bench b;
    (void)state;
    begin(&b, 0);
    h = &b.result.metrics.hist[METRIC_RECOVERY];
    lookout_crash(&b.l, 100, 0, &actions[0]);
    lookout_progress(&b.l, 110, 0, 2); /* not over yet */
    lookout_restart(&b.l, 120, 1);     /* another node's */
    lookout_progress(&b.l, 130, 0, 2);
    assert_int_equal(hist_count(h), 0);
    lookout_restart(&b.l, 140, 0);
    lookout_progress(&b.l, 150, 1, 2); /* between others */
    assert_int_equal(hist_count(h), 0);
    lookout_progress(&b.l, 160, 2, 0);
    assert_true(hist_count(h) == 1 && hist_min(h) == 60);
    lookout_fault_over(&b.l, 300, &actions[1]);
    lookout_progress(&b.l, 310, 0, 2);
    assert_int_equal(hist_count(h), 1);
    lookout_progress(&b.l, 320, 1, 0);
    assert_true(hist_count(h) == 2 && hist_max(h) == 120);
    lookout_progress(&b.l, 330, 1, 0); /* once each */
    assert_int_equal(hist_count(h), 2);
    end(&b);
}

/* ---- outcomes ----------------------------------------------------------------------------- */

static struct account account_of(const void *world, party_t id)
{
    return ((const struct account *)world)[id];
}

static void outcomes_and_why(void **state)
{
    static const uint8_t bytes[] = {4, 5};
    struct account nodes[2] = {{.kept = {.done = true, .result = bytes, .len = 2},
                                .completion = 77,
                                .useful = 50,
                                .wire_bytes = 200,
                                .wire_packets = 3,
                                .compute = 9},
                               {.completion = -1, .incarnations = 1}};
    struct accounts all = {.roster = &roster, .n_done = 1, .of = account_of, .world = nodes};
    struct trial_result r = {0};
    (void)state;
    metrics_init(&r.metrics);
    assert_int_equal(accounts_settle(&all, &r), OK);
    assert_true(r.outcomes[0].done && r.outcomes[0].result != bytes && r.outcomes[0].len == 2);
    assert_memory_equal(r.outcomes[0].result, bytes, 2);
    assert_false(r.outcomes[1].done);
    assert_string_equal(r.why, "nothing is left to happen: a deadlock\nb crashed and is down\n");
    assert_int_equal(hist_count(&r.metrics.hist[METRIC_COMPLETION]), 1);
    assert_int_equal(hist_max(&r.metrics.hist[METRIC_COMPLETION]), 77);
    assert_int_equal(hist_max(&r.metrics.hist[METRIC_GOODPUT]), 250000);
    trial_result_free(&r, 2);

    nodes[1].incarnations = 0;
    r.timed_out = true;
    metrics_init(&r.metrics);
    assert_int_equal(accounts_settle(&all, &r), OK);
    assert_string_equal(r.why, "b has not been started\n");
    trial_result_free(&r, 2);

    nodes[1].kept = (struct outcome){.failure = "it broke"};
    metrics_init(&r.metrics);
    assert_int_equal(accounts_settle(&all, &r), OK);
    assert_null(r.why);
    assert_string_equal(r.outcomes[1].failure, "it broke");
    trial_result_free(&r, 2);
}

/* ---- refusals ----------------------------------------------------------------------------- */

static int said_line;
static char said[600];
static void say(void *ctx, int line, const char *text)
{
    ++*(int *)ctx;
    said_line = line;
    snprintf(said, sizeof said, "%s", text);
}

static void refusals(void **state)
{
    char big[600];
    int times = 0;
    struct refusal r = {say, &times, OK};
    (void)state;
    refuse(&r, 12, "%s has %d", "alice", 3);
    assert_true(times == 1 && said_line == 12 && r.rc == ERR_UNSUPPORTED);
    assert_string_equal(said, "alice has 3");
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    refuse(&r, 0, "%s", big);
    assert_int_equal(strlen(said), 255);
    assert_int_equal(times, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_on_the_wire),
        cmocka_unit_test(a_border_and_then_the_line),
        cmocka_unit_test(only_what_is_wanted),
        cmocka_unit_test(lines_of_a_trace),
        cmocka_unit_test(recoveries),
        cmocka_unit_test(outcomes_and_why),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
