/* A relay's server with a world played by the test (or the fuzzer), links in the clear. What it
 * sends is kept for each link, and each link can be told to refuse. The relay is node N_PARTIES,
 * another one N_PARTIES + 1: that one dials. To be included once in an executable. */
#ifndef PARTYLINE_TESTS_RELAY_BED_H
#define PARTYLINE_TESTS_RELAY_BED_H

#include <assert.h>
#include <stdlib.h>

#include "engine/base/bytes.h"
#include "transports/relay_server.h"

extern const struct transport transport_relay;

enum { N_PARTIES = 6, SELF = N_PARTIES, OTHER, N_NODES, BED_LINKS = 2048, BED_TIMERS = 1 << 14 };

struct bed_frame {
    struct bed_frame *next;
    size_t len;
    uint8_t data[];
};

struct bed_link {
    bool live;
    uint32_t tag;
    size_t room; /* sends that it takes before it refuses */
    bool refused;
    struct bed_frame *first, **last;
};

struct relay_bed {
    struct env env;
    struct metrics metrics;
    struct roster_entry entries[N_NODES];
    struct roster roster;
    struct relay_opts opts;
    struct relay_server server;
    struct bed_link links[BED_LINKS]; /* link i + 1 */
    struct {
        unsigned timer;
        ns_t at;
    } timers[BED_TIMERS];
    size_t n_timers;
    uint32_t shown;
};

static struct relay_bed *bed;

static struct bed_link *bed_link(link_t link)
{
    assert(link > 0 && link <= BED_LINKS);
    return &bed->links[link - 1];
}

static int bed_open(struct env *env, enum link_kind kind, struct addr to, link_t *out)
{
    (void)env, (void)kind, (void)to, (void)out;
    return ERR_LIMIT;
}
static int bed_send(struct env *env, link_t link, const void *data, size_t len)
{
    struct bed_link *l = bed_link(link);
    struct bed_frame *f;
    (void)env;
    assert(l->live && len > 0 && len <= LINK_MESSAGE_MAX);
    if (l->room == 0) {
        l->refused = true;
        return ERR_AGAIN;
    }
    l->room--;
    f = malloc(sizeof *f + len);
    assert(f);
    *f = (struct bed_frame){.len = len};
    memcpy(f->data, data, len);
    *l->last = f;
    l->last = &f->next;
    return OK;
}
static int bed_send_to(struct env *env, link_t l, struct addr to, const void *data, size_t len)
{
    (void)env, (void)l, (void)to, (void)data, (void)len;
    abort();
}
static void bed_close(struct env *env, link_t link)
{
    (void)env;
    assert(bed_link(link)->live);
    bed_link(link)->live = false;
}
static void bed_tag(struct env *env, link_t link, uint32_t tag)
{
    (void)env;
    assert(bed_link(link)->live);
    bed_link(link)->tag = tag;
}
static void bed_arm(struct env *env, unsigned timer, ns_t at)
{
    assert(at >= env->now && bed->n_timers < BED_TIMERS);
    bed->timers[bed->n_timers].timer = timer;
    bed->timers[bed->n_timers++].at = at;
}
static void bed_nothing(struct env *env)
{
    (void)env;
    abort();
}
static void bed_show(struct env *env, const struct shown *shown)
{
    (void)env;
    assert(shown->whom < N_PARTIES);
    bed->shown++;
}
static const struct env_ops bed_ops = {.open = bed_open,
                                       .send = bed_send,
                                       .send_to = bed_send_to,
                                       .close = bed_close,
                                       .tag = bed_tag,
                                       .arm = bed_arm,
                                       .ready = bed_nothing,
                                       .done = bed_nothing,
                                       .show = bed_show};

static inline void bed_begin(void)
{
    struct transport_setup setup;
    bed = calloc(1, sizeof *bed);
    assert(bed);
    metrics_init(&bed->metrics);
    bed->env.ops = &bed_ops;
    bed->env.metrics = &bed->metrics;
    prng_name(&bed->env.rng, 1, "relay", 0, "test");
    for (party_t i = 0; i < N_NODES; i++)
        bed->entries[i] = (struct roster_entry){.role = i < N_PARTIES ? "peer" : "relay"};
    bed->roster = (struct roster){.n = N_NODES, .n_parties = N_PARTIES, .entries = bed->entries};
    opt_defaults(transport_relay.opts, &bed->opts);
    setup = (struct transport_setup){
        .env = &bed->env, .roster = &bed->roster, .self = SELF, .opts = &bed->opts};
    assert(relay_server_init(&bed->server, &setup, NULL) == OK);
}

static inline void bed_tell(struct event ev)
{
    ev.link_kind = LINK_MESSAGE;
    ev.tag = ev.link ? bed_link(ev.link)->tag : 0;
    relay_server_event(&bed->server, &ev);
}

/* The frames that a link has, forgotten. */
static inline void bed_forget(link_t link)
{
    struct bed_link *l = bed_link(link);
    for (struct bed_frame *f = l->first, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    l->first = NULL;
    l->last = &l->first;
}

static inline void bed_end(void)
{
    relay_server_free(&bed->server);
    for (link_t i = 1; i <= BED_LINKS; i++)
        if (bed_link(i)->last)
            bed_forget(i);
    metrics_free(&bed->metrics);
    free(bed);
}

/* A link comes in from 10.0.0.`host`. 0: none is unused. */
static inline link_t bed_up(unsigned host)
{
    struct event ev = {.kind = EV_UP};
    for (link_t i = 1; i <= BED_LINKS; i++)
        if (!bed_link(i)->live && !bed_link(i)->last) {
            *bed_link(i) = (struct bed_link){.live = true, .room = SIZE_MAX};
            bed_link(i)->last = &bed_link(i)->first;
            ev.link = i;
            ev.peer = (struct addr){.ip = {[10] = 255, [11] = 255, [12] = 10}, .port = 9};
            ev.peer.ip[14] = (uint8_t)(host >> 8);
            ev.peer.ip[15] = (uint8_t)host;
            bed_tell(ev);
            return i;
        }
    return 0;
}

/* In memory of its size. */
static inline void bed_data(link_t link, const void *data, size_t len)
{
    uint8_t *exact;
    if (!bed_link(link)->live || len == 0)
        return;
    exact = malloc(len);
    assert(exact);
    memcpy(exact, data, len);
    bed_tell((struct event){.kind = EV_DATA, .link = link, .data = exact, .len = len});
    free(exact);
}

static inline void bed_down(link_t link)
{
    bed_link(link)->live = false;
    bed_tell((struct event){.kind = EV_DOWN, .link = link, .why = DOWN_RESET});
}

/* It takes `room` more sends. */
static inline void bed_room(link_t link, size_t room)
{
    struct bed_link *l = bed_link(link);
    bool told = l->refused;
    l->room = room;
    l->refused = false;
    if (told && l->live && room)
        bed_tell((struct event){.kind = EV_ROOM, .link = link});
}

/* Time passes; timers fire in order. */
static inline void bed_until(ns_t then)
{
    for (;;) {
        size_t first = bed->n_timers;
        unsigned timer;
        for (size_t i = 0; i < bed->n_timers; i++)
            if (bed->timers[i].at <= then &&
                (first == bed->n_timers || bed->timers[i].at < bed->timers[first].at))
                first = i;
        if (first == bed->n_timers)
            break;
        if (bed->timers[first].at > bed->env.now)
            bed->env.now = bed->timers[first].at;
        timer = bed->timers[first].timer;
        bed->timers[first] = bed->timers[--bed->n_timers];
        bed_tell((struct event){.kind = EV_TIMER, .timer = timer});
    }
    if (then > bed->env.now)
        bed->env.now = then;
}

static inline void bed_hello(link_t link, party_t who, uint64_t session)
{
    uint8_t hello[NOISELINK_PLAIN] = {NOISELINK_VERSION};
    put_le32(hello + 1, who);
    put_le32(hello + 5, SELF);
    put_le64(hello + 9, session);
    bed_data(link, hello, sizeof hello);
}

static inline void bed_watch(link_t link, party_t whom)
{
    uint8_t frame[5] = {RELAY_WATCH};
    put_le32(frame + 1, whom);
    bed_data(link, frame, sizeof frame);
}

/* A client that watches all others. */
static inline link_t bed_client(party_t who, uint64_t session)
{
    link_t link = bed_up(100 + who);
    bed_hello(link, who, session);
    for (party_t i = 0; i < N_PARTIES; i++)
        if (i != who)
            bed_watch(link, i);
    return link;
}

/* A message of len bytes, all `mark`. */
static inline void bed_message(link_t link, party_t to, uint8_t mark, size_t len)
{
    uint8_t frame[LINK_MESSAGE_MAX];
    frame[0] = RELAY_SEND;
    put_le32(frame + 1, to);
    memset(frame + RELAY_HEADER, mark, len);
    bed_data(link, frame, RELAY_HEADER + len);
}

#endif
