/* links: engine/worlds/uv/ engine/node.c engine/node_make.c: the seam, by a transport that
 * records */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/uv_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- messages ------------------------------------------------------------------------- */

static uint8_t big[LINK_MESSAGE_MAX + 1];

static bool open_messages(struct uv_bed *b)
{
    link_a = dial(b, LINK_MESSAGE, MESSAGES);
    assert_int_equal(probes[0].env->ops->send(probes[0].env, link_a, big, 1), ERR_CLOSED);
    return true;
}

static bool send_messages(struct uv_bed *b)
{
    struct env *env = probes[0].env;
    const struct record *up = find(&probes[0], EV_UP, link_a);
    if (!up)
        return false;
    assert_true(addr_equal(&up->ev.peer, &(struct addr){0}) == false);
    struct addr want = at(b, 1, MESSAGES);
    assert_true(addr_equal(&up->ev.peer, &want));
    big[0] = 7;
    big[LINK_MESSAGE_MAX - 1] = 9;
    assert_int_equal(env->ops->send(env, link_a, big, 0), ERR_INVALID);
    assert_int_equal(env->ops->send(env, link_a, big, LINK_MESSAGE_MAX + 1), ERR_TOO_BIG);
    assert_int_equal(env->ops->send(env, link_a, big, 1), OK);
    assert_int_equal(env->ops->send(env, link_a, big, LINK_MESSAGE_MAX), OK);
    assert_int_equal(env->ops->send(env, link_a, big, 2), OK);
    return true;
}

static bool echoed_messages(struct uv_bed *b)
{
    static const size_t sizes[] = {1, LINK_MESSAGE_MAX, 2};
    size_t k = 0;
    (void)b;
    for (size_t i = 0; i < probes[0].n; i++) {
        const struct record *r = &probes[0].log[i];
        if (r->ev.kind != EV_DATA)
            continue;
        assert_true(k < 3);
        assert_int_equal(r->ev.len, sizes[k]);
        assert_int_equal(r->first, 7);
        assert_int_equal(r->last, k == 0 ? 7 : k == 1 ? 9 : 0);
        k++;
    }
    return k == 3;
}

static bool close_there(struct uv_bed *b)
{
    const struct record *up = NULL;
    for (size_t i = 0; i < probes[1].n; i++)
        if (probes[1].log[i].ev.kind == EV_UP && probes[1].log[i].ev.link_kind != LINK_DATAGRAM)
            up = &probes[1].log[i];
    assert_non_null(up);
    /* Whose connection it is shows in its address. */
    assert_int_equal(uvplace_owner(&(struct uvplaces){b->spec, b->places}, &up->ev.peer), 0);
    probes[1].env->ops->close(probes[1].env, up->ev.link);
    probes[1].env->ops->tag(probes[1].env, up->ev.link, 5); /* of none: ignored */
    assert_int_equal(probes[1].env->ops->send(probes[1].env, up->ev.link, "x", 1), ERR_CLOSED);
    return true;
}

static bool heard_of_it(struct uv_bed *b)
{
    const struct record *down = find(&probes[0], EV_DOWN, link_a);
    (void)b;
    if (down)
        assert_int_equal(down->ev.why, DOWN_CLOSED);
    return down != NULL;
}

static void messages_arrive_whole(void **state)
{
    static bool (*const steps[])(struct uv_bed *) = {both_started,    open_messages, send_messages,
                                                     echoed_messages, close_there,   heard_of_it};
    (void)state;
    play(steps, 6, 0, false);
    play(steps, 6, 0, true);
}

/* ---- back-pressure -------------------------------------------------------------------- */

static size_t taken;

static bool fill(struct uv_bed *b)
{
    struct env *env = probes[0].env;
    (void)b;
    if (!find(&probes[0], EV_UP, link_a))
        return false;
    probes[1].echo = false;
    for (taken = 0; taken < 4000; taken++) {
        int rc = env->ops->send(env, link_a, big, LINK_MESSAGE_MAX);
        if (rc == ERR_AGAIN)
            break;
        assert_int_equal(rc, OK);
    }
    assert_true(taken < 1000); /* what is kept is bounded */
    assert_int_equal(env->ops->send(env, link_a, big, 1), ERR_AGAIN);
    return true;
}

static bool has_room(struct uv_bed *b)
{
    (void)b;
    if (!find(&probes[0], EV_ROOM, link_a) || probes[1].bytes < taken * LINK_MESSAGE_MAX)
        return false;
    assert_int_equal(probes[1].bytes, taken * LINK_MESSAGE_MAX);
    return true;
}

static void a_full_link_refuses_and_has_room_again(void **state)
{
    static bool (*const steps[])(struct uv_bed *) = {both_started, open_messages, fill, has_room};
    (void)state;
    play(steps, 4, 0, false);
}

/* ---- links that do not come up, raw bytes, datagrams, timers ------------------------------ */

static bool open_badly(struct uv_bed *b)
{
    struct env *env = probes[0].env;
    link_t link;
    struct addr nobody = at(b, 1, 0);
    assert_int_equal(env->ops->open(env, LINK_MESSAGE, nobody, &link), ERR_INVALID);
    assert_int_equal(env->ops->open(env, LINK_HANDOVER, at(b, 1, 1), &link), ERR_UNSUPPORTED);
    link_a = dial(b, LINK_MESSAGE, 1); /* nobody listens there */
    return true;
}

static bool was_refused(struct uv_bed *b)
{
    const struct record *down = find(&probes[0], EV_DOWN, link_a);
    (void)b;
    if (down)
        assert_int_equal(down->ev.why, DOWN_REFUSED);
    return down != NULL;
}

static bool open_bytes(struct uv_bed *b)
{
    link_a = dial(b, LINK_BYTES, BYTES);
    return true;
}

static bool send_bytes(struct uv_bed *b)
{
    (void)b;
    return find(&probes[0], EV_UP, link_a) &&
           probes[0].env->ops->send(probes[0].env, link_a, "hello", 5) == OK;
}

static bool echoed_bytes(struct uv_bed *b)
{
    (void)b;
    return probes[0].bytes == 5;
}

static bool open_datagrams(struct uv_bed *b)
{
    struct env *env = probes[0].env;
    link_t further;
    probes[0].bytes = 0;
    link_a = dial(b, LINK_DATAGRAM, DATAGRAMS);
    assert_int_equal(env->ops->open(env, LINK_DATAGRAM, (struct addr){0}, &further), OK);
    assert_int_equal(env->ops->send_to(env, further, at(b, 1, DATAGRAMS), "again", 5), OK);
    assert_int_equal(env->ops->send(env, link_a, "datagram", 8), OK);
    assert_int_equal(env->ops->send(env, link_a, big, 65000), ERR_TOO_BIG);
    return true;
}

static bool echoed_datagrams(struct uv_bed *b)
{
    const struct record *up = find(&probes[0], EV_UP, link_a);
    if (probes[0].bytes < 13 || !up)
        return false;
    assert_int_equal(up->ev.local.port, DATAGRAMS); /* the shared one */
    struct addr want = at(b, 1, DATAGRAMS);
    assert_true(addr_equal(&up->ev.peer, &want));
    return true;
}

static bool arm(struct uv_bed *b)
{
    struct env *env = probes[0].env;
    (void)b;
    env->ops->arm(env, 3, env->now + 40 * NS_MS);
    env->ops->arm(env, 1, env->now - NS_S);
    env->ops->arm(env, 2, env->now + 20 * NS_MS);
    env->ops->arm(env, 2, env->now + 30 * NS_MS);
    return true;
}

static bool rang(struct uv_bed *b)
{
    static const unsigned want[] = {1, 2, 2, 3};
    size_t k = 0;
    (void)b;
    for (size_t i = 0; i < probes[0].n; i++)
        if (probes[0].log[i].ev.kind == EV_TIMER && probes[0].log[i].ev.timer < 10)
            assert_int_equal(probes[0].log[i].ev.timer, want[k++]);
    return k == 4;
}

static void the_other_kinds(void **state)
{
    static bool (*const steps[])(struct uv_bed *) = {
        both_started, open_badly,     was_refused,      open_bytes, send_bytes,
        echoed_bytes, open_datagrams, echoed_datagrams, arm,        rang};
    (void)state;
    play(steps, 10, 0, false);
    play(steps, 10, 0, true);
}

/* ---- a stranger ----------------------------------------------------------------------- */

static bool lie(struct uv_bed *b)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(b->places[1].address.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    raw_socket = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(raw_socket, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(raw_socket, "\2\0\0\0ab\1\0\1\0x", 11), 11); /* 65537 bytes to come */
    return true;
}

static bool thrown_out(struct uv_bed *b)
{
    const struct record *down = find(&probes[1], EV_DOWN, 0);
    const struct record *data = find(&probes[1], EV_DATA, 0);
    if (!down)
        return false;
    assert_int_equal(down->ev.why, DOWN_TOO_BIG);
    assert_non_null(data);
    assert_int_equal(data->ev.len, 2);
    assert_int_equal(b->result->metrics.drops[DROP_TRANSPORT_FORMAT], 1);
    return true;
}

static void a_frame_above_the_limit_ends_its_link(void **state)
{
    static bool (*const steps[])(struct uv_bed *) = {both_started, lie, thrown_out};
    (void)state;
    play(steps, 3, 0, false);
}

static bool too_many(struct uv_bed *b)
{
    struct env *env = probes[0].env;
    link_t link;
    unsigned n = 0;
    while (env->ops->open(env, LINK_MESSAGE, at(b, 1, MESSAGES), &link) == OK)
        n++;
    assert_int_equal(n, 3); /* and its datagram port's own link */
    return true;
}

static void links_have_a_limit(void **state)
{
    static bool (*const steps[])(struct uv_bed *) = {both_started, too_many};
    (void)state;
    play(steps, 2, 4, false);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(messages_arrive_whole),
        cmocka_unit_test(a_full_link_refuses_and_has_room_again),
        cmocka_unit_test(the_other_kinds),
        cmocka_unit_test(a_frame_above_the_limit_ends_its_link),
        cmocka_unit_test(links_have_a_limit),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
