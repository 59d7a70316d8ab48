/* A provider: its clients' way into the network and out of it. What they send it passes on; what
 * comes for them it unwraps and stores, at most `mailbox` packets each, until they take it: at
 * once if they are there (push), or when they ask (option `poll`). It delays nothing.
 *
 * A client proves who it is by signing the nonce that greets its link. A link that has not
 * within MIX_HELLO_LIMIT, or is one too many, is closed. */
#include "engine/base/bytes.h"
#include "transports/mix_directory.h"
#include "transports/mix_hop.h"
#include "transports/mix_lies.h"
#include "transports/strangers.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum { TIMER_STRANGERS, TIMER_LINKS, STRANGERS_MAX = 64 };
#define MIX_HELLO_LIMIT (10 * NS_S)
#define STRANGER 0x80000000U
#define NOBODY UINT32_MAX

struct mailbox {
    struct mix_queue queue;
    link_t link;
    bool known; /* its client was here */
};

struct mix_provider {
    struct mix_net net;
    struct mix_links links;
    struct mix_ring ring;
    struct mix_fetch fetch;
    struct mix_tags tags;
    struct mix_lies lies;
    struct strangers strangers;
    struct mailbox *boxes;
    uint32_t n, mine; /* clients; this provider's number */
    uint8_t nonces[32];
    uint8_t *frame;
};

/* Client c is at place c / n_providers of provider c mod n_providers. */
static party_t client_of(const struct mix_provider *p, uint32_t place)
{
    return mix_net_client_id(&p->net, place * p->net.n_providers + p->mine);
}

static uint32_t place_of(const struct mix_provider *p, party_t id)
{
    uint32_t c = mix_net_client(&p->net, id);
    return c != UINT32_MAX && c % p->net.n_providers == p->mine ? c / p->net.n_providers
                                                                : UINT32_MAX;
}

static void nonce_of(const struct mix_provider *p, link_t link, uint8_t out[MIX_NONCE])
{
    uint8_t name[4];
    put_le32(name, link);
    crypto_generichash(out, MIX_NONCE, name, sizeof name, p->nonces, sizeof p->nonces);
}

/* Its tag, less one, is a client's place, or STRANGER and its slot, or NOBODY: it came so. */
static void tag(struct mix_provider *p, link_t link, uint32_t whose)
{
    p->net.setup.env->ops->tag(p->net.setup.env, link, whose + 1);
}

/* ---- mailboxes -------------------------------------------------------------------------- */

/* What a seizure would find: whose packets, and how many. */
static void declare(struct mix_provider *p, uint32_t place)
{
    const struct mailbox *b = &p->boxes[place];
    struct env *env = p->net.setup.env;
    env_keep(env, &(struct retained){.record = place,
                                     .fields = KEPT_IDENTITY | KEPT_SEALED,
                                     .bits = 8 * (uint64_t)b->queue.n * mix_frame_size(&p->net),
                                     .whom = client_of(p, place),
                                     .other = PARTY_NONE,
                                     .until = b->queue.n ? NS_NEVER : env->now});
}

static void give(struct mix_provider *p, uint32_t place, uint32_t most)
{
    struct mailbox *b = &p->boxes[place];
    uint32_t before = b->queue.n;
    if (b->link)
        mix_queue_flush(&b->queue, p->net.setup.env, b->link, most);
    if (b->queue.n != before)
        declare(p, place);
}

static void store(struct mix_provider *p, uint32_t place, const uint8_t *frame)
{
    struct mailbox *b = &p->boxes[place];
    struct env *env = p->net.setup.env;
    uint32_t most = (uint32_t)p->net.opts->mailbox;
    if (p->net.opts->poll == 0 && b->link && b->queue.n == 0 &&
        env->ops->send(env, b->link, frame, mix_frame_size(&p->net)) == OK)
        return;
    if (mix_queue_add(&b->queue, env, frame, mix_frame_size(&p->net), most) != OK) {
        mix_drop(&p->net, DROP_MIX_FULL);
        return;
    }
    declare(p, place);
    if (p->net.opts->poll == 0)
        give(p, place, UINT32_MAX);
}

/* ---- packets ---------------------------------------------------------------------------- */

/* It is for us: a client's last hop but one. */
static void leaves_network(struct mix_provider *p, const struct event *ev)
{
    struct mix_hop_view v;
    uint32_t place;
    if (ev->len != mix_frame_size(&p->net)) {
        mix_drop(&p->net, DROP_TRANSPORT_FORMAT);
        return;
    }
    memcpy(p->frame, ev->data, ev->len);
    if (mix_hop_open(&p->net, &p->ring, &p->tags, p->frame, ev->len, &v) != OK)
        return;
    place = place_of(p, v.next);
    if (mix_net_index(&p->net, v.next) < p->net.n_mixes) /* a mix's loop */
        mix_links_send(&p->links, v.next, MIX_PORT, p->frame, ev->len);
    else if (place == UINT32_MAX)
        mix_drop(&p->net, DROP_MIX_ROUTE);
    else
        store(p, place, p->frame);
}

/* From a client of ours. */
static void enters_network(struct mix_provider *p, uint32_t place, const struct event *ev)
{
    party_t next;
    if (ev->len == 1 && ev->data[0] == MIX_PULL) {
        give(p, place, (uint32_t)p->net.opts->poll_batch);
        return;
    }
    if (ev->len != mix_frame_size(&p->net) || ev->data[0] != MIX_PACKET) {
        mix_drop(&p->net, DROP_TRANSPORT_FORMAT);
        return;
    }
    next = get_le32(ev->data + 5);
    if (mix_net_index(&p->net, next) >= p->net.n_mixes) {
        mix_drop(&p->net, DROP_MIX_ROUTE);
        return;
    }
    memcpy(p->frame, ev->data, ev->len);
    if (mix_lies_pass(&p->lies, client_of(p, place), p->frame))
        mix_links_send(&p->links, next, MIX_PORT, p->frame, ev->len);
}

static void let_go(struct mix_provider *p)
{
    struct mix_waiting w;
    while (mix_lies_take(&p->lies, &w)) {
        mix_truth_again(p->net.setup.env, &w.truth);
        mix_links_send(&p->links, get_le32(w.frame + 5), MIX_PORT, w.frame, w.len);
        free(w.frame);
    }
}

/* ---- clients ---------------------------------------------------------------------------- */

static void stranger_close(struct mix_provider *p, uint32_t slot)
{
    struct env *env = p->net.setup.env;
    env->ops->close(env, p->strangers.slots[slot].link);
    strangers_remove(&p->strangers, slot);
    mix_drop(&p->net, DROP_TRANSPORT_STRANGER);
}

static void on_up(struct mix_provider *p, const struct event *ev)
{
    struct env *env = p->net.setup.env;
    uint8_t frame[1 + MIX_NONCE] = {MIX_CHALLENGE};
    uint32_t slot;
    if (ev->local.port != MIX_CLIENT_PORT)
        return;
    if (p->strangers.n >= STRANGERS_MAX + p->n)
        stranger_close(p, p->strangers.oldest);
    slot = strangers_add(&p->strangers, ev->link, ev->peer, env->now + MIX_HELLO_LIMIT);
    if (slot == STRANGERS_NONE) {
        env->ops->close(env, ev->link);
        return;
    }
    tag(p, ev->link, STRANGER | slot);
    nonce_of(p, ev->link, frame + 1);
    env->ops->send(env, ev->link, frame, sizeof frame);
    if (p->strangers.n == 1)
        mix_arm(&p->net, TIMER_STRANGERS, env->now + MIX_HELLO_LIMIT);
}

static int check_hello(const struct mix_provider *p, link_t link, const uint8_t *data)
{
    const struct transport_setup *s = &p->net.setup;
    uint8_t said[MIX_NONCE + 4];
    env_charge(s->env, COST_ED25519_VERIFY, 1);
    if (p->net.open)
        return OK;
    nonce_of(p, link, said);
    put_le32(said + MIX_NONCE, s->self);
    return identity_check(&s->roster->identities[get_le32(data + 2)], "partyline mix client", said,
                          sizeof said, data + 6);
}

static void on_hello(struct mix_provider *p, uint32_t slot, const struct event *ev)
{
    struct env *env = p->net.setup.env;
    struct stranger t = p->strangers.slots[slot];
    uint32_t place;
    if (ev->len != MIX_HELLO_SIZE || ev->data[0] != MIX_HELLO || ev->data[1] != MIX_VERSION) {
        mix_drop(&p->net, DROP_TRANSPORT_FORMAT);
        stranger_close(p, slot);
        return;
    }
    place = place_of(p, get_le32(ev->data + 2));
    if (place == UINT32_MAX || check_hello(p, ev->link, ev->data) != OK) {
        stranger_close(p, slot);
        return;
    }
    strangers_remove(&p->strangers, slot);
    if (p->boxes[place].link)
        env->ops->close(env, p->boxes[place].link);
    tag(p, ev->link, place);
    p->boxes[place].link = ev->link;
    env->ops->show(
        env, &(struct shown){.kind = SHOWN_ADDRESS, .whom = client_of(p, place), .addr = t.addr});
    if (!p->boxes[place].known)
        env->ops->show(env, &(struct shown){.kind = SHOWN_MEMBER, .whom = client_of(p, place)});
    p->boxes[place].known = true;
    if (p->net.opts->poll == 0)
        give(p, place, UINT32_MAX);
}

static void expire(struct mix_provider *p)
{
    ns_t now = p->net.setup.env->now;
    while (p->strangers.n && p->strangers.slots[p->strangers.oldest].until <= now)
        stranger_close(p, p->strangers.oldest);
    if (p->strangers.n)
        mix_arm(&p->net, TIMER_STRANGERS, p->strangers.slots[p->strangers.oldest].until);
}

static void on_timer(struct mix_provider *p, uint32_t timer)
{
    if (timer == p->lies.timer)
        let_go(p);
    else
        expire(p);
}

/* ---- events ----------------------------------------------------------------------------- */

static void on_client(struct mix_provider *p, uint32_t place, const struct event *ev)
{
    assert(p->boxes[place].link == ev->link);
    if (ev->kind == EV_DATA)
        enters_network(p, place, ev);
    else if (ev->kind == EV_DOWN)
        p->boxes[place].link = 0;
    else if (ev->kind == EV_ROOM && p->net.opts->poll == 0)
        give(p, place, UINT32_MAX);
}

static void on_stranger(struct mix_provider *p, uint32_t slot, const struct event *ev)
{
    assert(p->strangers.slots[slot].link == ev->link);
    if (ev->kind == EV_DATA)
        on_hello(p, slot, ev);
    else if (ev->kind == EV_DOWN)
        strangers_remove(&p->strangers, slot);
}

void mix_provider_event(void *self, const struct event *ev)
{
    struct mix_provider *p = *(struct mix_provider **)self;
    uint32_t from = ev->tag - 1;
    enum mix_happened what;
    party_t whose;
    if (mix_links_event(&p->links, ev, &what, &whose)) {
        if (whose == p->net.directory && what != MIX_NOTHING)
            mix_fetch_event(&p->fetch, what, ev);
        return;
    }
    if (from != NOBODY && from & STRANGER)
        on_stranger(p, from & ~STRANGER, ev);
    else if (from != NOBODY)
        on_client(p, from, ev);
    else if (ev->kind == EV_DATA)
        leaves_network(p, ev);
    else if (ev->kind == EV_UP)
        on_up(p, ev);
    else if (ev->kind == EV_START)
        mix_fetch_start(&p->fetch);
    else if (ev->kind == EV_TIMER)
        on_timer(p, ev->timer - p->net.setup.timer_base);
}

int mix_provider_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct mix_provider *p = calloc(1, sizeof *p);
    int rc;
    if (!p)
        return err_set(e, ERR_NOMEM, "no memory for a provider");
    *(struct mix_provider **)self = p;
    strangers_init(&p->strangers);
    rc = mix_net_init(&p->net, setup, e);
    if (rc == OK && mix_links_init(&p->links, &p->net, TIMER_LINKS) != OK)
        rc = ERR_NOMEM;
    if (rc != OK) {
        mix_provider_free(self);
        return rc;
    }
    p->mine = mix_net_index(&p->net, setup->self) - p->net.n_mixes;
    p->n = mix_net_clients(&p->net) / p->net.n_providers + 1;
    mix_tags_init(&p->tags, (uint32_t)p->net.opts->tags);
    p->fetch = (struct mix_fetch){.net = &p->net, .links = &p->links, .ring = &p->ring};
    mix_lies_init(&p->lies, &p->net, TIMER_LINKS + p->links.n);
    prng_bytes(&setup->env->rng, p->nonces, sizeof p->nonces);
    p->boxes = calloc(p->n, sizeof *p->boxes);
    p->frame = malloc(mix_frame_size(&p->net));
    if (p->boxes && p->frame)
        return OK;
    mix_provider_free(self);
    return err_set(e, ERR_NOMEM, "no memory for a provider's mailboxes");
}

void mix_provider_free(void *self)
{
    struct mix_provider *p = *(struct mix_provider **)self;
    if (!p)
        return;
    for (uint32_t i = 0; p->boxes && i < p->n; i++)
        mix_queue_free(&p->boxes[i].queue);
    free(p->boxes);
    free(p->frame);
    mix_lies_free(&p->lies);
    strangers_free(&p->strangers);
    mix_tags_free(&p->tags);
    mix_links_free(&p->links);
    mix_ring_wipe(&p->ring);
    mix_net_free(&p->net);
    free(p);
    *(struct mix_provider **)self = NULL;
}
