#include "transports/mix_links.h"

#include <assert.h>
#include <stdlib.h>

/* ---- a queue ---------------------------------------------------------------------------- */

static bool queue_grow(struct mix_queue *q)
{
    uint32_t cap = q->cap ? 2 * q->cap : 8;
    struct mix_waiting *list = malloc(cap * sizeof *list);
    if (!list)
        return false;
    for (uint32_t i = 0; i < q->n; i++)
        list[i] = q->list[(q->at + i) & (q->cap - 1)];
    free(q->list);
    q->list = list;
    q->at = 0;
    q->cap = cap;
    return true;
}

int mix_queue_add(struct mix_queue *q, const struct env *env, const uint8_t *frame, size_t len,
                  uint32_t most)
{
    uint8_t *copy;
    if (q->n >= most)
        return ERR_LIMIT;
    if (q->n == q->cap && !queue_grow(q))
        return ERR_NOMEM;
    copy = malloc(len);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, frame, len);
    q->list[(q->at + q->n++) & (q->cap - 1)] =
        (struct mix_waiting){.frame = copy, .len = len, .truth = mix_truth(env)};
    return OK;
}

struct mix_waiting mix_queue_pop(struct mix_queue *q)
{
    struct mix_waiting w = q->list[q->at];
    q->at = (q->at + 1) & (q->cap - 1);
    q->n--;
    return w;
}

bool mix_queue_flush(struct mix_queue *q, struct env *env, link_t link, uint32_t most)
{
    while (q->n && most--) {
        const struct mix_waiting *w = &q->list[q->at];
        int rc;
        mix_truth_again(env, &w->truth);
        rc = env->ops->send(env, link, w->frame, w->len);
        if (rc == ERR_AGAIN || rc == ERR_CLOSED)
            return false;
        free(mix_queue_pop(q).frame);
    }
    return true;
}

void mix_queue_free(struct mix_queue *q)
{
    while (q->n)
        free(mix_queue_pop(q).frame);
    free(q->list);
    *q = (struct mix_queue){0};
}

/* ---- links ------------------------------------------------------------------------------ */

int mix_links_init(struct mix_links *l, struct mix_net *net, uint32_t timer)
{
    const struct roster *r = net->setup.roster;
    *l = (struct mix_links){.net = net, .timer = timer, .n = r->n - roster_clients(r)};
    l->list = calloc(l->n + (size_t)1, sizeof *l->list);
    for (uint32_t i = 0; l->list && i < l->n; i++)
        l->list[i].answer = NS_NEVER;
    return l->list ? OK : ERR_NOMEM;
}

void mix_links_free(struct mix_links *l)
{
    for (uint32_t i = 0; l->list && i < l->n; i++)
        mix_queue_free(&l->list[i].queue);
    free(l->list);
    l->list = NULL;
}

static struct mix_link *of(const struct mix_links *l, party_t id)
{
    return &l->list[id - roster_clients(l->net->setup.roster)];
}

static void dial_later(struct mix_links *l, uint32_t i)
{
    struct mix_link *k = &l->list[i];
    k->at = l->net->setup.env->now + mix_backoff(l->net, k->fails);
    if (k->fails < UINT8_MAX)
        k->fails++;
    if (!k->armed) {
        k->armed = true;
        mix_arm(l->net, l->timer + i, k->at);
    }
}

static void dial(struct mix_links *l, uint32_t i)
{
    struct env *env = l->net->setup.env;
    struct mix_link *k = &l->list[i];
    const struct roster *r = l->net->setup.roster;
    struct addr to = r->entries[roster_clients(r) + i].addr;
    if (k->link)
        return;
    k->armed = false;
    to.port = k->port;
    if (env->ops->open(env, LINK_MESSAGE, to, &k->link) != OK) {
        k->link = 0;
        dial_later(l, i);
        return;
    }
    env->ops->tag(env, k->link, MIX_LINK | i);
}

void mix_links_keep(struct mix_links *l, party_t id, uint16_t port, bool greets)
{
    of(l, id)->keep = true;
    of(l, id)->greets = greets;
    of(l, id)->port = port;
    dial(l, id - roster_clients(l->net->setup.roster));
}

int mix_links_send(struct mix_links *l, party_t id, uint16_t port, const uint8_t *frame, size_t len)
{
    struct env *env = l->net->setup.env;
    struct mix_link *k = of(l, id);
    int rc;
    if (k->up && k->queue.n == 0) {
        rc = env->ops->send(env, k->link, frame, len);
        if (rc == OK)
            return OK;
    }
    rc = mix_queue_add(&k->queue, env, frame, len, MIX_QUEUE);
    if (rc != OK)
        mix_drop(l->net, DROP_MIX_FULL);
    k->port = port;
    if (!k->link && !k->armed)
        dial(l, id - roster_clients(l->net->setup.roster));
    return rc;
}

uint32_t mix_links_waiting(const struct mix_links *l, party_t id)
{
    return of(l, id)->queue.n;
}

static void lose(struct mix_links *l, uint32_t i)
{
    struct mix_link *k = &l->list[i];
    k->fails = k->up && l->net->setup.env->now - k->at > l->net->opts->backoff_max ? 0 : k->fails;
    k->link = 0;
    k->up = false;
    k->answer = NS_NEVER;
    if (k->keep || k->queue.n)
        dial_later(l, i);
}

static void give_up(struct mix_links *l, party_t id)
{
    struct env *env = l->net->setup.env;
    env->ops->close(env, of(l, id)->link);
    lose(l, id - roster_clients(l->net->setup.roster));
}

/* It is up, or takes frames again. */
static void begin(struct mix_links *l, struct mix_link *k)
{
    k->at = k->up ? k->at : l->net->setup.env->now;
    k->up = true;
    mix_queue_flush(&k->queue, l->net->setup.env, k->link, UINT32_MAX);
}

void mix_links_greet(struct mix_links *l, party_t id, const uint8_t *frame, size_t len)
{
    struct env *env = l->net->setup.env;
    struct mix_link *k = of(l, id);
    if (k->link && !k->up && env->ops->send(env, k->link, frame, len) == OK)
        begin(l, k);
    else if (k->link && !k->up)
        give_up(l, id);
}

static void on_timer(struct mix_links *l, uint32_t i)
{
    struct mix_link *k = &l->list[i];
    if (k->link && k->answer <= l->net->setup.env->now) {
        give_up(l, roster_clients(l->net->setup.roster) + i);
        return;
    }
    if (k->link || l->net->setup.env->now < k->at)
        return;
    k->armed = false;
    if (k->keep || k->queue.n)
        dial(l, i);
}

void mix_links_expect(struct mix_links *l, party_t id)
{
    struct mix_link *k = of(l, id);
    k->answer = l->net->setup.env->now + MIX_ANSWER_LIMIT;
    mix_arm(l->net, l->timer + (uint32_t)(k - l->list), k->answer);
}

bool mix_links_event(struct mix_links *l, const struct event *ev, enum mix_happened *what,
                     party_t *whose)
{
    uint32_t i = ev->tag & ~MIX_LINK;
    *what = MIX_NOTHING;
    *whose = PARTY_NONE;
    if (ev->kind == EV_TIMER) {
        i = ev->timer - l->net->setup.timer_base - l->timer;
        if (i >= l->n)
            return false;
        on_timer(l, i);
        return true;
    }
    if (!(ev->tag & MIX_LINK))
        return false;
    assert(l->list[i].link == ev->link);
    *whose = roster_clients(l->net->setup.roster) + i;
    if (ev->kind == EV_UP) {
        if (!l->list[i].greets)
            begin(l, &l->list[i]);
        else
            mix_links_expect(l, *whose);
        *what = MIX_UP;
    } else if (ev->kind == EV_ROOM) {
        if (l->list[i].up)
            begin(l, &l->list[i]);
    } else if (ev->kind == EV_DATA) {
        l->list[i].answer = NS_NEVER;
        *what = MIX_FRAME;
    } else {
        lose(l, i);
        *what = MIX_DOWN;
    }
    return true;
}
