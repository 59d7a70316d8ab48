/* links: transports/relay*.c transports/noiselink.c transports/strangers.c engine/base/ */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/relay_bed.h"

enum { KIB = 1024, BIG = 60000 };

static uint64_t drops(enum drop which)
{
    return bed->metrics.drops[which];
}

/* What a link was sent since the last time, as words, data by its first byte. */
static const char *said(link_t link)
{
    static const char *const names[] = {
        [RELAY_RECV] = "recv",     [RELAY_HERE] = "here",       [RELAY_GONE] = "gone",
        [RELAY_CREDIT] = "credit", [RELAY_FORWARD] = "forward", [RELAY_ARRIVED] = "arrived",
        [RELAY_LEFT] = "left",     [RELAY_PASSED] = "passed",   [RELAY_LOST] = "lost",
        [RELAY_PONG] = "pong"};
    static char text[4096];
    size_t n = 0;
    text[0] = 0;
    for (struct bed_frame *f = bed_link(link)->first; f && n < sizeof text - 64; f = f->next) {
        uint8_t kind = f->data[0];
        size_t step = kind == RELAY_CREDIT                                                  ? 8
                      : kind == RELAY_ARRIVED || kind == RELAY_LEFT || kind == RELAY_PASSED ? 12
                                                                                            : 4;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", names[kind]);
        if (kind == RELAY_RECV)
            n += (size_t)snprintf(text + n, sizeof text - n, "%u=%c", f->data[1], f->data[5]);
        else if (kind == RELAY_FORWARD)
            n += (size_t)snprintf(text + n, sizeof text - n, "%u>%u=%c", f->data[1], f->data[5],
                                  f->data[17]);
        else
            for (size_t at = 1; at < f->len; at += step)
                n += (size_t)snprintf(text + n, sizeof text - n, "%s%u", at > 1 ? "," : "",
                                      f->data[at]);
        n += (size_t)snprintf(text + n, sizeof text - n, " ");
    }
    bed_forget(link);
    return text;
}

static void test_forwards(void **state)
{
    link_t a, b;
    (void)state;
    bed_begin();
    a = bed_client(0, 1);
    assert_string_equal(said(a), "");
    b = bed_client(1, 1);
    assert_string_equal(said(a), "here1 ");
    assert_string_equal(said(b), "here0 ");
    bed_message(a, 1, 'x', 10);
    bed_message(b, 0, 'y', RELAY_MESSAGE_MAX);
    assert_string_equal(said(b), "recv0=x ");
    assert_string_equal(said(a), "recv1=y ");
    bed_down(b);
    assert_string_equal(said(a), "gone1 ");
    bed_message(a, 1, 'z', 10);
    assert_int_equal(drops(DROP_RELAY_ABSENT), 1);
    b = bed_client(1, 2);
    assert_string_equal(said(a), "here1 ");
    assert_string_equal(said(b), "here0 ");
    bed_data(a, (const uint8_t[]){RELAY_PING}, 1);
    assert_string_equal(said(a), "pong ");
    bed_end();
}

/* GONE comes behind the last message, HERE before the first; a later link takes the place. */
static void test_order_of_presence(void **state)
{
    link_t a, b, again;
    (void)state;
    bed_begin();
    a = bed_client(0, 1);
    b = bed_client(1, 1);
    said(b);
    bed_room(b, 0);
    bed_message(a, 1, 'x', 10);
    bed_message(a, 1, 'y', 10);
    bed_down(a);
    bed_room(b, 100);
    assert_string_equal(said(b), "recv0=x recv0=y gone0 ");
    a = bed_client(0, 2);
    assert_string_equal(said(b), "here0 ");
    bed_room(b, 0);
    bed_message(a, 1, 'p', 10);
    again = bed_client(0, 3);
    assert_false(bed_link(a)->live);
    bed_message(again, 1, 'q', 10);
    bed_room(b, 100);
    assert_string_equal(said(b), "recv0=p here0 recv0=q ");
    bed_end();
}

static void test_unproven_and_replayed(void **state)
{
    link_t a, b, c;
    (void)state;
    bed_begin();
    a = bed_client(0, 5);
    b = bed_up(1);
    bed_message(b, 0, 'x', 10); /* before its hello */
    assert_false(bed_link(b)->live);
    assert_int_equal(drops(DROP_TRANSPORT_FORMAT), 1);
    c = bed_up(1);
    bed_hello(c, N_NODES, 1);
    assert_false(bed_link(c)->live);
    assert_int_equal(drops(DROP_TRANSPORT_AUTH), 1);
    for (uint64_t session = 4; session <= 5; session++) {
        c = bed_up(1);
        bed_hello(c, 0, session); /* not later than the one that is there */
        assert_false(bed_link(c)->live);
    }
    assert_int_equal(drops(DROP_TRANSPORT_REPLAY), 2);
    assert_true(bed_link(a)->live);
    assert_string_equal(said(a), "");
    bed_end();
}

static void test_bad_frames(void **state)
{
    static const uint8_t bad[][6] = {{RELAY_SEND, 1, 0, 0, 0},
                                     {RELAY_WATCH, 1, 0, 0, 0, 0},
                                     {RELAY_RECV, 1, 0, 0, 0, 1},
                                     {RELAY_FORWARD, 1},
                                     {RELAY_ARRIVED, 1},
                                     {0},
                                     {200},
                                     {RELAY_PING, 1}};
    static const size_t lens[] = {5, 6, 6, 6, 6, 1, 1, 2};
    link_t a, b;
    (void)state;
    bed_begin();
    a = bed_client(0, 1);
    b = bed_up(9);
    bed_hello(b, 1, 1);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
        bed_data(a, bad[i], lens[i]);
    assert_int_equal(drops(DROP_TRANSPORT_FORMAT), sizeof lens / sizeof lens[0]);
    bed_watch(a, 0);          /* itself */
    bed_watch(a, N_PARTIES);  /* a relay */
    bed_watch(a, UINT32_MAX); /* nobody */
    bed_message(a, 77, 'x', 3);
    bed_message(b, 2, 'x', 3); /* whom it does not watch */
    assert_int_equal(drops(DROP_TRANSPORT_STRANGER), 5);
    assert_true(bed_link(a)->live);
    bed_end();
}

static void test_floods_of_links(void **state)
{
    unsigned live = 0;
    link_t first, l = 0;
    (void)state;
    bed_begin();
    bed->opts.strangers = 50;
    bed->opts.per_address = 20;
    first = bed_up(0);
    for (unsigned i = 1; i < 500; i++)
        l = bed_up(i);
    for (link_t i = 1; i <= BED_LINKS; i++)
        live += bed_link(i)->live;
    assert_int_equal(live, 50);
    assert_false(bed_link(first)->live);
    assert_true(bed_link(l)->live);
    assert_int_equal(drops(DROP_TRANSPORT_STRANGER), 450);
    bed_until(RELAY_PROOF_LIMIT);
    assert_false(bed_link(l)->live);
    assert_int_equal(bed->server.strangers.n, 0);
    for (unsigned i = 0; i < 100; i++)
        l = bed_up(7);
    assert_int_equal(drops(DROP_RELAY_LIMIT), 80);
    assert_false(bed_link(l)->live);
    bed_end();
}

/* One who does not read stops those who send to it; nobody else notices. */
static void test_slow_reader(void **state)
{
    link_t a, b, c;
    unsigned credits = 0;
    size_t full, most = 2 * ((1 << 20) + LINK_MESSAGE_MAX);
    (void)state;
    bed_begin();
    a = bed_client(0, 1);
    b = bed_client(1, 1);
    c = bed_client(2, 1);
    said(a), said(b), said(c);
    bed_room(b, 0);
    for (int i = 0; i < 17; i++)
        bed_message(a, 1, 'x', BIG);
    assert_string_equal(said(a), ""); /* a window, and no credit */
    bed_message(a, 2, 'y', 10);
    assert_string_equal(said(c), "recv0=y ");
    for (int i = 0; i < 200; i++)
        bed_message(a, 1, 'x', BIG); /* no client of ours does */
    assert_true(bed->server.queued <= most);
    full = 1 + most / (BIG + RELAY_COST); /* with the one that is too many, all are dropped */
    assert_int_equal(drops(DROP_RELAY_LIMIT), 217 / full * full);
    assert_non_null(strstr(said(a), "here1 "));
    bed_forget(a);
    bed_room(b, 1000);
    for (struct bed_frame *f = bed_link(a)->first; f; f = f->next)
        credits += f->data[0] == RELAY_CREDIT;
    assert_true(credits > 0);
    assert_int_equal(bed->server.queued, 0);
    bed_end();
}

static void test_memory_in_all(void **state)
{
    link_t links[N_PARTIES];
    (void)state;
    bed_begin();
    bed->opts.memory = 3 << 20;
    for (party_t i = 0; i < N_PARTIES; i++)
        links[i] = bed_client(i, 1);
    for (party_t i = 0; i < N_PARTIES; i++)
        bed_room(links[i], 0);
    for (party_t i = 0; i < N_PARTIES; i++)
        for (int k = 0; k < 50; k++)
            bed_message(links[i], (i + 1) % N_PARTIES, 'x', BIG);
    assert_true(bed->server.queued <= 3 << 20);
    assert_true(drops(DROP_RELAY_LIMIT) > 200);
    bed_end();
}

/* Who sends little does not wait behind who sends much. */
static void test_fair(void **state)
{
    link_t a, b, c;
    unsigned big = 0, small = 0;
    (void)state;
    bed_begin();
    a = bed_client(0, 1);
    b = bed_client(1, 1);
    c = bed_client(2, 1);
    said(c);
    bed_room(c, 0);
    for (int i = 0; i < 17; i++)
        bed_message(a, 2, 'A', BIG);
    for (int i = 0; i < 100; i++)
        bed_message(b, 2, 'b', 100);
    bed_room(c, 110);
    for (struct bed_frame *f = bed_link(c)->first; f && small < 100; f = f->next) {
        big += f->data[5] == 'A';
        small += f->data[5] == 'b';
    }
    assert_int_equal(small, 100);
    assert_in_range(big, 1, 2);
    bed_end();
}

static void test_retention(void **state)
{
    link_t a, b;
    (void)state;
    bed_begin();
    bed->opts.retention = 60 * NS_S;
    bed->opts.retention_bytes = 8 * KIB;
    a = bed_client(0, 1);
    b = bed_client(1, 1);
    said(a);
    bed_down(b);
    bed_message(a, 1, 'x', KIB);
    bed_message(a, 1, 'y', KIB);
    assert_string_equal(said(a), "");
    bed_until(30 * NS_S);
    b = bed_client(1, 2);
    assert_string_equal(said(b), "here0 recv0=x recv0=y ");
    assert_string_equal(said(a), "here1 ");
    bed_down(b);
    for (int i = 0; i < 20; i++)
        bed_message(a, 1, 'z', KIB);
    assert_string_equal(said(a), "gone1 "); /* full */
    assert_int_equal(drops(DROP_RELAY_EXPIRED) + drops(DROP_RELAY_ABSENT), 13);
    assert_true(bed->server.queued <= 8 * KIB);
    bed_data(a, (const uint8_t[]){RELAY_PING}, 1);
    bed_until(bed->env.now + 61 * NS_S);
    assert_int_equal(bed->server.queued, 0);
    assert_int_equal(drops(DROP_RELAY_EXPIRED) + drops(DROP_RELAY_ABSENT), 20);
    bed_end();
}

static void test_silent_clients(void **state)
{
    link_t a, b;
    (void)state;
    bed_begin();
    a = bed_client(0, 1);
    b = bed_client(1, 1);
    said(b);
    for (int i = 1; i <= 4; i++) {
        bed_until(i * 25 * NS_S - NS_S);
        bed_data(b, (const uint8_t[]){RELAY_PING}, 1);
    }
    assert_false(bed_link(a)->live);
    assert_true(bed_link(b)->live);
    bed_end();
}

static void forward(link_t link, party_t from, party_t to, uint64_t session, uint8_t mark)
{
    uint8_t frame[RELAY_FORWARD_HEADER + 4];
    frame[0] = RELAY_FORWARD;
    put_le32(frame + 1, from);
    put_le32(frame + 5, to);
    put_le64(frame + 9, session);
    memset(frame + RELAY_FORWARD_HEADER, mark, 4);
    bed_data(link, frame, sizeof frame);
}

static void news(link_t link, enum relay_frame kind, party_t who, uint64_t session)
{
    uint8_t frame[13] = {(uint8_t)kind};
    put_le32(frame + 1, who);
    put_le64(frame + 5, session);
    bed_data(link, frame, sizeof frame);
}

static void test_between_relays(void **state)
{
    link_t a, r;
    (void)state;
    bed_begin();
    a = bed_client(0, 1);
    r = bed_up(50);
    bed_hello(r, OTHER, 1);
    assert_string_equal(said(r), "arrived0 ");
    news(r, RELAY_ARRIVED, 1, 7);
    assert_string_equal(said(a), "here1 ");
    bed_message(a, 1, 'x', 9);
    assert_string_equal(said(r), "forward0>1=x ");
    forward(r, 1, 0, 7, 'y');
    assert_string_equal(said(a), "recv1=y ");
    forward(r, 1, 0, 6, 'o'); /* an earlier life of it */
    assert_int_equal(drops(DROP_TRANSPORT_REPLAY), 1);
    forward(r, 1, 3, 7, 'n'); /* who is not here */
    assert_string_equal(said(r), "lost1,3 ");
    assert_int_equal(drops(DROP_RELAY_ABSENT), 1);
    forward(r, N_PARTIES, 0, 7, 'n');
    forward(r, 1, 1, 7, 'n');
    assert_int_equal(drops(DROP_TRANSPORT_STRANGER), 2);
    news(r, RELAY_LEFT, 1, 6); /* late */
    assert_string_equal(said(a), "");
    news(r, RELAY_ARRIVED, 0, 2); /* ours has moved there */
    assert_false(bed_link(a)->live);
    a = bed_client(0, 3);
    said(a);
    bed_down(r);
    assert_string_equal(said(a), "gone1 ");
    bed_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forwards),
        cmocka_unit_test(test_order_of_presence),
        cmocka_unit_test(test_unproven_and_replayed),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_floods_of_links),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_memory_in_all),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_retention),
        cmocka_unit_test(test_silent_clients),
        cmocka_unit_test(test_between_relays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
