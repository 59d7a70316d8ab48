#include "engine/worlds/lab/wan.h"

#include <stdlib.h>

enum { IP_HEADER = 20, IP_PROTOCOL = 9, IP_FROM = 12, IP_TO = 16, PROTOCOL_TCP = 6 };

/* ---- what is on its way ---------------------------------------------------------------- */

static bool before(const struct wan_packet *a, const struct wan_packet *b)
{
    return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static int push(struct wan *w, struct wan_packet *p)
{
    size_t i = w->n_heap;
    if (i == w->cap_heap) {
        size_t cap = w->cap_heap ? 2 * w->cap_heap : 256;
        struct wan_packet **heap = realloc(w->heap, cap * sizeof *heap);
        if (!heap)
            return ERR_NOMEM;
        w->heap = heap;
        w->cap_heap = cap;
    }
    p->order = w->orders++;
    w->n_heap++;
    for (; i && before(p, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = p;
    return OK;
}

static struct wan_packet *pop(struct wan *w)
{
    struct wan_packet *top = w->heap[0], *last = w->heap[--w->n_heap];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < w->n_heap) {
        if (child + 1 < w->n_heap && before(w->heap[child + 1], w->heap[child]))
            child++;
        if (!before(w->heap[child], last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    if (w->n_heap)
        w->heap[i] = last;
    return top;
}

/* ---- the model ------------------------------------------------------------------------- */

int wan_init(struct wan *w, const struct trial_spec *spec, uint32_t *lead, uint32_t first_address,
             uint64_t seed)
{
    uint32_t n = spec->roster->n;
    size_t pairs = (size_t)n * n;
    *w = (struct wan){.spec = spec, .n = n, .lead = lead, .first_address = first_address};
    w->hosts = calloc(n, sizeof *w->hosts);
    w->paths = calloc(pairs, sizeof *w->paths);
    w->pairs = calloc(pairs, sizeof *w->pairs);
    w->dice = calloc(pairs, sizeof *w->dice);
    w->last = calloc(pairs, sizeof *w->last);
    if (!w->hosts || !w->paths || !w->pairs || !w->dice || !w->last ||
        faults_init(&w->faults, spec->actions, spec->n_actions) != OK) {
        wan_free(w);
        return ERR_NOMEM;
    }
    faults_fix(&w->faults, spec->links, spec->n_links);
    for (uint32_t i = 0; i < n; i++)
        w->hosts[i] =
            (struct link_host){.access = &spec->hosts[i].access, .region = spec->hosts[i].region};
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++) {
            size_t k = (size_t)a * n + b;
            w->paths[k] = link_path(spec->regions, &w->hosts[a], &w->hosts[b]);
            faults_mend(&w->faults, a, b, &w->paths[k]);
            w->dice[k] = dice_name(seed, "wan", a, b, 0);
        }
    return OK;
}

void wan_restart(struct wan *w)
{
    while (w->n_heap)
        free(pop(w));
    w->bytes = 0;
    for (uint32_t i = 0; i < w->n; i++)
        w->hosts[i].up_free = w->hosts[i].down_free = 0;
    for (size_t k = 0; k < (size_t)w->n * w->n; k++)
        w->last[k] = w->pairs[k].rate_free = 0;
}

void wan_free(struct wan *w)
{
    while (w->n_heap)
        free(pop(w));
    free(w->heap);
    free(w->hosts);
    free(w->paths);
    free(w->pairs);
    free(w->dice);
    free(w->last);
    faults_free(&w->faults);
    *w = (struct wan){0};
}

static uint32_t address_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The site that has this address, or LAB_NONE. */
static uint32_t site_of(const struct wan *w, uint32_t address)
{
    uint32_t i = address - w->first_address;
    return i < w->n ? w->lead[i] : LAB_NONE;
}

enum drop wan_take(struct wan *w, ns_t now, uint32_t site, const uint8_t *packet, size_t len)
{
    struct link_train train;
    struct wan_packet *p;
    uint32_t to;
    size_t pair;
    enum drop drop;
    if (len < IP_HEADER || packet[0] >> 4 != 4 || site_of(w, address_at(packet + IP_FROM)) != site)
        return DROP_NO_ROUTE;
    to = site_of(w, address_at(packet + IP_TO));
    if (to == LAB_NONE || to == site)
        return DROP_NO_ROUTE;
    if (len > UDP_PAYLOAD_MAX + UDP_HEADERS || len > WAN_PACKET)
        return DROP_MTU;
    if (w->bytes + len > WAN_QUEUE)
        return DROP_QUEUE;
    pair = (size_t)site * w->n + to;
    drop = udp_send(&w->paths[pair], &w->faults, site, to, &w->hosts[site], now,
                    len > UDP_HEADERS ? (uint32_t)len - UDP_HEADERS : 0, &w->pairs[pair],
                    &w->dice[pair], &train);
    if (drop != DROP_COUNT)
        return drop;
    if (packet[IP_PROTOCOL] == PROTOCOL_TCP) {
        if (train.first < w->last[pair])
            train.first = train.last = w->last[pair];
        w->last[pair] = train.first;
    }
    p = malloc(sizeof *p + len);
    if (!p)
        return DROP_QUEUE;
    *p = (struct wan_packet){
        .due = train.first, .from = site, .to = to, .train = train, .len = (uint32_t)len};
    memcpy(p->data, packet, len);
    if (push(w, p) != OK) {
        free(p);
        return DROP_QUEUE;
    }
    w->bytes += len;
    return DROP_COUNT;
}

ns_t wan_next(const struct wan *w)
{
    return w->n_heap ? w->heap[0]->due : NS_NEVER;
}

struct wan_packet *wan_due(struct wan *w, ns_t now, enum drop *drop)
{
    *drop = DROP_COUNT;
    while (w->n_heap && w->heap[0]->due <= now) {
        struct wan_packet *p = pop(w);
        if (!p->arrived) {
            *drop = udp_receive(&w->hosts[p->to], &p->train);
            p->arrived = true;
            if (*drop == DROP_COUNT && p->train.last > p->due) {
                p->due = p->train.last;
                if (push(w, p) == OK)
                    continue;
                *drop = DROP_QUEUE;
            }
        }
        w->bytes -= p->len;
        if (*drop == DROP_COUNT)
            return p;
        free(p);
        return NULL;
    }
    return NULL;
}
