/* A transport that records what the world tells it, in two nodes, and a script that works them
 * from outside. For test_uv.c alone. */
#ifndef PARTYLINE_TESTS_UV_PROBE_H
#define PARTYLINE_TESTS_UV_PROBE_H

#include "tests/conformance/bed.h"
#include "tests/unit/uv_bed.h"

#include <unistd.h>

enum { MESSAGES = 7000, BYTES, DATAGRAMS, RECORDS = 4096 };

struct record {
    struct event ev;
    uint8_t first, last; /* of its data */
    ns_t at;
};

struct probe {
    struct env *env;
    struct record log[RECORDS];
    size_t n;
    bool in_op, echo;
    size_t bytes;
};

static struct probe probes[2];

static int probe_init(void *self, const struct transport_setup *setup, struct err *e)
{
    (void)e;
    *(uint32_t *)self = setup->self;
    probes[setup->self].env = setup->env;
    return OK;
}

static int probe_send(void *self, party_t to, const void *data, size_t len)
{
    (void)self, (void)to, (void)data, (void)len;
    return ERR_CLOSED;
}

static link_t link_a; /* of probe 0 */

/* Of a tagged link it is ~link: probe 0 gives it when it opens one, probe 1 at EV_UP. */
static void check_tag(struct probe *p, const struct event *ev)
{
    bool given = p == &probes[0] ? ev->link == link_a : ev->kind != EV_UP;
    if (!ev->link || (p == &probes[1] && !given))
        assert_int_equal(ev->tag, 0);
    else if (given)
        assert_int_equal(ev->tag, ~ev->link);
    if (p == &probes[1] && ev->kind == EV_UP)
        p->env->ops->tag(p->env, ev->link, ~ev->link);
}

static void probe_event(void *self, const struct event *ev)
{
    struct probe *p = &probes[*(uint32_t *)self];
    assert_false(p->in_op);
    check_tag(p, ev);
    if (p->n < RECORDS)
        p->log[p->n++] = (struct record){.ev = *ev,
                                         .first = ev->len ? ev->data[0] : 0,
                                         .last = ev->len ? ev->data[ev->len - 1] : 0,
                                         .at = p->env->now};
    if (ev->kind != EV_DATA)
        return;
    p->bytes += ev->len;
    if (!p->echo)
        return;
    p->in_op = true;
    if (ev->link_kind == LINK_DATAGRAM)
        p->env->ops->send_to(p->env, ev->link, ev->peer, ev->data, ev->len);
    else
        p->env->ops->send(p->env, ev->link, ev->data, ev->len);
    p->in_op = false;
}

static const struct accept accepts[] = {
    {MESSAGES, LINK_MESSAGE}, {BYTES, LINK_BYTES}, {DATAGRAMS, LINK_DATAGRAM}, {0}};
static const struct transport_role roles[] = {{.accepts = accepts,
                                               .size = sizeof(uint32_t),
                                               .init = probe_init,
                                               .send = probe_send,
                                               .event = probe_event},
                                              {0}};
static const struct transport probe_transport = {
    .name = "probe", .help = "records", .roles = roles, .max_message = 60000};

/* Nobody sends anything through it: the transport's events are what is looked at. */
static int mute_init(void *self, struct party *p, const void *plan, const struct input *own,
                     struct err *e)
{
    (void)self, (void)p, (void)plan, (void)own, (void)e;
    return OK;
}

static void mute_start(void *self, struct party *p)
{
    (void)self, (void)p;
}

static void mute_recv(void *self, struct party *p, party_t from, struct label label,
                      const uint8_t *data, size_t len)
{
    (void)self, (void)p, (void)from, (void)label, (void)data, (void)len;
}

static const struct protocol_role mute_roles[] = {{.name = "peer"}, {0}};
static const struct protocol mute = {.name = "mute",
                                     .help = "says nothing",
                                     .roles = mute_roles,
                                     .size = 8,
                                     .init = mute_init,
                                     .start = mute_start,
                                     .recv = mute_recv};

/* ---- a script: steps that are tried at every tick until they are through ---------------- */

struct script {
    bool (*const *steps)(struct uv_bed *);
    size_t n, at;
};

static int raw_socket = -1;

static void tick(struct uv_bed *b)
{
    struct script *s = b->user;
    while (s->at < s->n && s->steps[s->at](b))
        s->at++;
    b->over = s->at == s->n;
}

static void play(bool (*const *steps)(struct uv_bed *), size_t n, uint32_t links, bool six)
{
    struct script script = {steps, n, 0};
    struct uv_bed uv = {.links = links, .six = six, .poll = tick, .user = &script};
    struct trial_result r;
    struct bed b;
    memset(probes, 0, sizeof probes);
    link_a = 0;
    assert_true(bed_make(&b, &probe_transport, &mute, 2));
    b.spec.channel = CHANNEL_NONE;
    b.spec.limit = 10 * NS_S;
    int rc = uv_bed_run(&uv, &b.spec, &r);
    if (rc != OK)
        fail_msg("%s", uv.err.text);
    if (script.at < n)
        fail_msg("step %zu was not reached", script.at);
    trial_result_free(&r, 2);
    bed_free(&b);
    if (raw_socket >= 0)
        close(raw_socket);
    raw_socket = -1;
}

static const struct record *find(const struct probe *p, enum event_kind kind, link_t link)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->log[i].ev.kind == kind && (!link || p->log[i].ev.link == link))
            return &p->log[i];
    return NULL;
}

static struct addr at(const struct uv_bed *b, uint32_t node, uint16_t port)
{
    struct addr a = b->spec->roster->entries[node].addr;
    a.port = port;
    return a;
}

static link_t dial(struct uv_bed *b, enum link_kind kind, uint16_t port)
{
    struct env *env = probes[0].env;
    link_t link = 0;
    probes[0].in_op = true;
    assert_int_equal(env->ops->open(env, kind, at(b, 1, port), &link), OK);
    env->ops->tag(env, link, ~link);
    probes[0].in_op = false;
    return link;
}

static bool both_started(struct uv_bed *b)
{
    (void)b;
    probes[1].echo = true;
    return find(&probes[0], EV_START, 0) && find(&probes[1], EV_START, 0) &&
           find(&probes[1], EV_UP, 0); /* its datagram port's own link */
}

#endif
