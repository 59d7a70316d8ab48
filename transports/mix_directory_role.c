/* The directory itself. Its links: those who ask get documents until they go; those who publish
 * are watched: a node whose link ends is left out until it publishes again. */
#include "transports/mix_directory.h"

#include "engine/base/bytes.h"

#include <assert.h>
#include <stdlib.h>

enum { TIMER_EPOCH, TIMER_ISSUE, LINKS_MAX = 1 << 20 };
#define SETTLE (20 * NS_MS) /* changes within this time make one document */

struct reader_link {
    link_t link;
    party_t node; /* whose descriptors came here; PARTY_NONE */
    bool asks, behind;
};

struct mix_directory {
    struct mix_net net;
    struct {
        struct mix_descriptor now, next;
        bool has_now, has_next;
    } * nodes;                 /* by index */
    struct reader_link *links; /* a link's tag: its index + 1 */
    uint32_t n_links, cap_links;
    struct mix_descriptor *list;
    uint8_t *document;
    size_t len;
    uint32_t version;
    bool due;
};

static void send_to(struct mix_directory *d, struct reader_link *l)
{
    struct env *env = d->net.setup.env;
    l->behind = env->ops->send(env, l->link, d->document, d->len) == ERR_AGAIN;
}

static void issue(struct mix_directory *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->net.n_mixes + d->net.n_providers; i++)
        if (d->nodes[i].has_now)
            d->list[n++] = d->nodes[i].now;
    d->due = false;
    d->len = mix_document_encode(&d->net, d->net.epoch, ++d->version, d->list, n, d->document);
    for (uint32_t i = 0; i < d->n_links; i++)
        if (d->links[i].asks)
            send_to(d, &d->links[i]);
}

static void issue_soon(struct mix_directory *d)
{
    if (d->due)
        return;
    d->due = true;
    mix_arm(&d->net, TIMER_ISSUE, d->net.setup.env->now + SETTLE);
}

static void turn(struct mix_directory *d)
{
    ns_t now = d->net.setup.env->now, length = d->net.opts->epoch;
    uint32_t epoch = (uint32_t)(now / length);
    mix_arm(&d->net, TIMER_EPOCH, (ns_t)(epoch + 1) * length);
    for (uint32_t i = 0; i < d->net.n_mixes + d->net.n_providers && epoch != d->net.epoch; i++) {
        d->nodes[i].has_now = d->nodes[i].has_next && d->nodes[i].next.epoch == epoch;
        d->nodes[i].now = d->nodes[i].next;
        d->nodes[i].has_next = false;
    }
    d->version = epoch == d->net.epoch ? d->version : 0;
    d->net.epoch = epoch;
    issue(d);
}

static void on_publish(struct mix_directory *d, struct reader_link *l, const uint8_t *data,
                       size_t len)
{
    struct mix_descriptor x;
    uint32_t i;
    if (mix_descriptor_decode(&d->net, data, len, &x) != OK ||
        (x.epoch != d->net.epoch && x.epoch != d->net.epoch + 1)) {
        mix_drop(&d->net, DROP_MIX_DOCUMENT);
        return;
    }
    i = mix_net_index(&d->net, x.node);
    l->node = x.node;
    if (x.epoch == d->net.epoch) {
        d->nodes[i].now = x;
        d->nodes[i].has_now = true;
        issue_soon(d);
    } else {
        d->nodes[i].next = x;
        d->nodes[i].has_next = true;
    }
}

static void on_data(struct mix_directory *d, struct reader_link *l, const struct event *ev)
{
    if (ev->len == 1 && ev->data[0] == MIX_GET) {
        l->asks = true;
        send_to(d, l);
    } else if (ev->data[0] == MIX_PUBLISH) {
        on_publish(d, l, ev->data + 1, ev->len - 1);
    } else {
        mix_drop(&d->net, DROP_TRANSPORT_FORMAT);
    }
}

static void on_up(struct mix_directory *d, const struct event *ev)
{
    struct env *env = d->net.setup.env;
    if (d->n_links == d->cap_links) {
        uint32_t cap = d->cap_links ? 2 * d->cap_links : 16;
        struct reader_link *list = cap <= LINKS_MAX ? realloc(d->links, cap * sizeof *list) : NULL;
        if (!list) {
            env->ops->close(env, ev->link);
            mix_drop(&d->net, DROP_MIX_FULL);
            return;
        }
        d->links = list;
        d->cap_links = cap;
    }
    env->ops->tag(env, ev->link, d->n_links + 1);
    d->links[d->n_links++] = (struct reader_link){.link = ev->link, .node = PARTY_NONE};
}

static void on_down(struct mix_directory *d, struct reader_link *l)
{
    struct env *env = d->net.setup.env;
    struct reader_link gone = *l;
    uint32_t k;
    *l = d->links[--d->n_links];
    env->ops->tag(env, l->link, (uint32_t)(l - d->links) + 1); /* of none, if that was the last */
    for (uint32_t j = 0; j < d->n_links; j++)                  /* it has another link already */
        if (gone.node == PARTY_NONE || d->links[j].node == gone.node)
            return;
    k = mix_net_index(&d->net, gone.node);
    if (k == UINT32_MAX)
        return;
    d->nodes[k].has_now = d->nodes[k].has_next = false;
    issue_soon(d);
}

static void on_timer(struct mix_directory *d, unsigned timer)
{
    if (timer == TIMER_EPOCH)
        turn(d);
    else if (d->due)
        issue(d);
}

void mix_directory_event(void *self, const struct event *ev)
{
    struct mix_directory *d = *(struct mix_directory **)self;
    struct reader_link *l = ev->tag ? &d->links[ev->tag - 1] : NULL;
    assert(!l || l->link == ev->link);
    if (ev->kind == EV_START)
        turn(d);
    else if (ev->kind == EV_TIMER)
        on_timer(d, ev->timer - d->net.setup.timer_base);
    else if (ev->kind == EV_UP)
        on_up(d, ev);
    else if (ev->kind == EV_DATA && l)
        on_data(d, l, ev);
    else if (ev->kind == EV_ROOM && l && l->behind)
        send_to(d, l);
    else if (ev->kind == EV_DOWN && l)
        on_down(d, l);
}

int mix_directory_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct mix_directory *d = calloc(1, sizeof *d);
    size_t n;
    int rc;
    if (!d)
        return err_set(e, ERR_NOMEM, "no memory for a directory");
    *(struct mix_directory **)self = d;
    rc = mix_net_init(&d->net, setup, e);
    if (rc != OK) {
        mix_directory_free(self);
        return rc;
    }
    n = (size_t)d->net.n_mixes + d->net.n_providers + 1;
    d->net.directory = setup->self;
    d->nodes = calloc(n, sizeof *d->nodes);
    d->list = calloc(n, sizeof *d->list);
    d->document = malloc(LINK_MESSAGE_MAX);
    if (d->nodes && d->list && d->document)
        return OK;
    mix_directory_free(self);
    return err_set(e, ERR_NOMEM, "no memory for a directory");
}

void mix_directory_free(void *self)
{
    struct mix_directory *d = *(struct mix_directory **)self;
    if (!d)
        return;
    free(d->nodes);
    free(d->list);
    free(d->document);
    free(d->links);
    mix_net_free(&d->net);
    free(d);
    *(struct mix_directory **)self = NULL;
}
