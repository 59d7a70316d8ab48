/* M2, M3, M4, M5 and M12 on a mix network: who sent what was delivered, in the eyes of one who
 * sees packets pass, and perhaps runs mixes.
 *
 * The attack follows beliefs (belief.h) and the message-level filter (anonymity.h) from line to
 * line. A tapped line of a sender begins a belief; a link between two tapped hosts and a relay
 * pass it on (transit.h: where several packets could be the one, the mean of their beliefs); a
 * mix is a pool, or, if the adversary runs it (a place of its own), lets every packet keep its
 * belief; a provider passes its clients' packets on in order, and what comes for them is a pool.
 * What comes from where nothing is tapped could be anybody's. Exact for mixes that draw who leaves
 * at random (poisson, threshold, timed, pool), and for fifo; a mix's own loops and lost packets
 * shift a pool's size until they are back, so with them it is an approximation. Without mixes a
 * packet is whose line it comes from.
 *
 * Prior: every sender alike. Window: with mixes from `settle` after the first packet on, because
 * empty pools deflate entropy. Cover counts in pools like all else (the adversary can't tell), but
 * only real packets are judged.
 */
#include "engine/observers/anonymity.h"
#include "engine/observers/belief.h"
#include "engine/observers/bits.h"
#include "engine/observers/burnin.h"
#include "engine/observers/entropy_score.h"
#include "engine/observers/lines.h"
#include "engine/observers/transit.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_BYTES = 300, NODES_MOST = 65000, KEPT_MOST = 4096 };

/* At a mix that the adversary runs. */
struct kept {
    ns_t due;
    uint32_t next;
};

struct place_state {
    bool corrupt;
    struct anonymity pool;
    struct belief_pool beliefs;
    struct belief_fifo outward; /* a provider's clients' packets; a corrupt mix's unread ones */
    struct transit passing;     /* a relay's */
    struct kept *kept;
    double *kept_beliefs;
    uint32_t n_kept, cap_kept;
};

struct entropy {
    struct observer_setup setup;
    struct lines lines;
    struct belief_shape shape;
    uint32_t *name;         /* a node's place in a belief, UINT32_MAX: it sends nothing */
    uint8_t *tap;           /* where a node's packets are seen: enum sight_point */
    struct place_state *at; /* of services */
    struct map link_of;     /* from << 16 | to, plus 1 */
    struct transit *links;
    uint32_t n_links, cap_links;
    struct candidate *candidates;
    double *belief;
    struct burnin burnin;
    bool mixes; /* there are any */
};

/* ---- claims ------------------------------------------------------------------------------ */

static void claim_message(struct entropy *x, const struct sighting *s, const struct anonymity *a)
{
    const struct entropy_message m = {a->guess, a->collision, a->guesswork};
    if (burnin_judges(&x->burnin, s->when) && a->inside)
        x->setup.claim(x->setup.ctx, &(struct claim){.what = ENTROPY_MESSAGE,
                                                     .when = s->when,
                                                     .figure = a->entropy,
                                                     .more = &m});
}

static void claim_sent(struct entropy *x, const struct sighting *s)
{
    const double people = (double)x->shape.width + (x->shape.others ? x->shape.others - 1 : 0);
    x->setup.claim(x->setup.ctx,
                   &(struct claim){.what = ENTROPY_SENT, .when = s->when, .figure = people});
}

static void claim_party(struct entropy *x, const struct sighting *s)
{
    if (!burnin_judges(&x->burnin, s->when))
        return;
    for (uint32_t i = 0; i < x->shape.width; i++)
        x->candidates[i].p = x->belief[i];
    x->setup.claim(x->setup.ctx, &(struct claim){.what = ENTROPY_PARTY,
                                                 .when = s->when,
                                                 .candidates = x->candidates,
                                                 .n = x->shape.width});
}

/* ---- links ------------------------------------------------------------------------------- */

static struct transit *link_of(struct entropy *x, uint32_t from, uint32_t to)
{
    uint32_t key = (from << 16 | to) + 1, i = map_get(&x->link_of, key, UINT32_MAX);
    if (from > UINT16_MAX || to >= UINT16_MAX)
        return NULL;
    if (i != UINT32_MAX)
        return &x->links[i];
    if (x->n_links == x->cap_links) {
        uint32_t more = x->cap_links ? 2 * x->cap_links : 64;
        struct transit *grown = realloc(x->links, more * sizeof *grown);
        if (!grown)
            return NULL;
        x->links = grown;
        x->cap_links = more;
    }
    if (map_put(&x->link_of, key, x->n_links) != OK)
        return NULL;
    x->links[x->n_links] = (struct transit){0};
    return &x->links[x->n_links++];
}

/* ---- mixes that the adversary runs ------------------------------------------------------- */

static void keep(struct entropy *x, struct place_state *p, ns_t due, uint32_t next)
{
    size_t width = x->shape.width;
    if (p->n_kept == p->cap_kept) {
        uint32_t more = p->cap_kept ? 2 * p->cap_kept : 16;
        struct kept *kept = more <= KEPT_MOST ? realloc(p->kept, more * sizeof *kept) : NULL;
        double *beliefs;
        if (!kept)
            return;
        p->kept = kept;
        beliefs = realloc(p->kept_beliefs, more * width * sizeof *beliefs);
        if (!beliefs)
            return;
        p->kept_beliefs = beliefs;
        p->cap_kept = more;
    }
    p->kept[p->n_kept] = (struct kept){due, next};
    memcpy(p->kept_beliefs + p->n_kept++ * width, x->belief, width * sizeof *x->belief);
}

/* The packet to `next` that was due first. */
static bool give(struct entropy *x, struct place_state *p, uint32_t next)
{
    size_t width = x->shape.width;
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < p->n_kept; i++)
        if (p->kept[i].next == next && (best == UINT32_MAX || p->kept[i].due < p->kept[best].due))
            best = i;
    if (best == UINT32_MAX)
        return false;
    memcpy(x->belief, p->kept_beliefs + best * width, width * sizeof *x->belief);
    p->kept[best] = p->kept[--p->n_kept];
    memmove(p->kept_beliefs + best * width, p->kept_beliefs + p->n_kept * width,
            width * sizeof *x->belief);
    return true;
}

/* ---- packets ----------------------------------------------------------------------------- */

/* An address that nobody's line has shown yet is a client's: services are known. */
static enum lines_role role_of(const struct entropy *x, uint32_t who)
{
    return who < x->setup.n_nodes ? lines_role(&x->setup, who) : LINES_SENDER;
}

static void arrives(struct entropy *x, const struct sighting *s, uint32_t peer)
{
    enum lines_role role = role_of(x, s->at);
    struct transit *link = link_of(x, peer, s->at);
    const struct transit_entry here = {s->when, s->bytes, peer, lines_flow(s)};
    struct place_state *p = role == LINES_SENDER ? NULL : &x->at[s->at - x->setup.n_parties];
    if (!link)
        return;
    transit_leave(link, &x->shape, s->datagram ? TRANSIT_DATAGRAM : TRANSIT_STREAM, &here,
                  x->belief);
    if (role == LINES_SENDER) {
        claim_party(x, s);
    } else if (role == LINES_MIX) {
        anonymity_arrive(&p->pool);
        if (p->corrupt)
            belief_fifo_arrive(&p->outward, &x->shape, x->belief); /* its route is shown next */
        else
            belief_pool_arrive(&p->beliefs, &x->shape, x->belief);
    } else if (role == LINES_RELAY) {
        transit_arrive(&p->passing, &x->shape, &here, x->belief);
    } else if (role_of(x, peer) == LINES_SENDER) {
        belief_fifo_arrive(&p->outward, &x->shape, x->belief);
    } else {
        belief_pool_arrive(&p->beliefs, &x->shape, x->belief);
    }
}

static void leaves(struct entropy *x, const struct sighting *s, uint32_t peer)
{
    enum lines_role role = role_of(x, s->at);
    struct transit *link = link_of(x, s->at, peer);
    const struct transit_entry here = {s->when, s->bytes, peer, lines_flow(s)};
    struct place_state *p = role == LINES_SENDER ? NULL : &x->at[s->at - x->setup.n_parties];
    if (role == LINES_SENDER) {
        belief_certain(&x->shape, x->belief, x->name[s->at]);
        burnin_see(&x->burnin, s->when);
        claim_sent(x, s);
    } else if (role == LINES_MIX) {
        claim_message(x, s, &p->pool);
        anonymity_leave(&p->pool);
        if (!p->corrupt)
            belief_pool_leave(&p->beliefs, &x->shape, x->belief);
        else if (!give(x, p, peer))
            belief_uniform(&x->shape, x->belief);
    } else if (role == LINES_RELAY) {
        transit_leave(&p->passing, &x->shape, TRANSIT_SERVER, &here, x->belief);
    } else if (p->outward.n && role_of(x, peer) != LINES_SENDER) {
        belief_fifo_leave(&p->outward, &x->shape, x->belief);
    } else {
        belief_pool_leave(&p->beliefs, &x->shape, x->belief);
    }
    if (link)
        transit_arrive(link, &x->shape, &here, x->belief);
}

static void entropy_see(void *self, const struct sighting *s)
{
    struct entropy *x = self;
    struct place_state *p;
    uint32_t peer;
    if (s->visible && s->visible->kind == SHOWN_ROUTE && s->at >= x->setup.n_parties &&
        s->at < x->setup.n_nodes) {
        p = &x->at[s->at - x->setup.n_parties];
        if (p->corrupt && belief_fifo_leave(&p->outward, &x->shape, x->belief) &&
            s->visible->other != PARTY_NONE)
            keep(x, p, s->when + s->visible->delay, s->visible->other);
        return;
    }
    if (s->packets == 0 || s->at >= x->setup.n_nodes || s->point != x->tap[s->at])
        return;
    peer =
        lines_peer(&x->lines, s); /* a connection's first packet tells whose addresses these are */
    if (s->opens || (x->mixes && s->bytes < LEAST_BYTES) || role_of(x, s->at) == LINES_OTHER ||
        role_of(x, peer) == LINES_OTHER)
        return;
    if (s->out)
        leaves(x, s, peer);
    else
        arrives(x, s, peer);
}

/* ---- making and ending ------------------------------------------------------------------- */

static void entropy_free(void *self)
{
    struct entropy *x = self;
    for (uint32_t i = 0; x->at && i < x->setup.n_nodes - x->setup.n_parties; i++) {
        belief_pool_free(&x->at[i].beliefs);
        belief_fifo_free(&x->at[i].outward);
        transit_free(&x->at[i].passing);
        free(x->at[i].kept);
        free(x->at[i].kept_beliefs);
    }
    for (uint32_t i = 0; i < x->n_links; i++)
        transit_free(&x->links[i]);
    free(x->links);
    map_free(&x->link_of);
    free(x->at);
    free(x->name);
    free(x->tap);
    free(x->candidates);
    free(x->belief);
    lines_free(&x->lines);
}

/* Senders in the order of ids; those beyond BELIEF_WIDTH are the last weight
 * together. */
static void name_senders(struct entropy *x)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->setup.n_nodes; i++) {
        n += lines_role(&x->setup, i) == LINES_SENDER;
        x->mixes |= lines_role(&x->setup, i) == LINES_MIX;
    }
    x->shape.width = n <= BELIEF_WIDTH ? n : BELIEF_WIDTH;
    x->shape.others = n <= BELIEF_WIDTH ? 0 : n - BELIEF_WIDTH + 1;
    n = 0;
    for (uint32_t i = 0; i < x->setup.n_nodes; i++) {
        bool sends = lines_role(&x->setup, i) == LINES_SENDER;
        uint32_t place = n < x->shape.width ? n : x->shape.width - 1;
        x->name[i] = sends ? place : UINT32_MAX;
        if (sends && n < x->shape.width)
            x->candidates[n].who = x->shape.others && place == x->shape.width - 1 ? PARTY_NONE : i;
        n += sends;
    }
}

/* A line shows all that a node's own view does, but what it runs there. */
static void tap(struct entropy *x)
{
    const struct observer_setup *s = &x->setup;
    memset(x->tap, s->n_places ? SIGHT_POINTS : SIGHT_LINE, s->n_nodes);
    for (size_t i = 0; i < s->n_places; i++) {
        const struct place *p = &s->places[i];
        for (uint32_t n = p->at == PARTY_NONE ? 0 : p->at; n < s->n_nodes; n++) {
            if (p->point == SIGHT_LINE || (p->point == SIGHT_NODE && x->tap[n] != SIGHT_LINE))
                x->tap[n] = p->point;
            if (p->point == SIGHT_NODE && n >= s->n_parties)
                x->at[n - s->n_parties].corrupt = true;
            if (p->at != PARTY_NONE)
                break;
        }
    }
}

static int entropy_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct entropy *x = self;
    const struct entropy_opts *o = setup->opts;
    uint32_t services = setup->n_nodes - setup->n_parties;
    int rc;
    x->setup = *setup;
    if (setup->n_nodes > NODES_MOST)
        return err_set(e, ERR_INVALID, "observer entropy: %u nodes are more than %d",
                       (unsigned)setup->n_nodes, NODES_MOST);
    x->name = calloc((size_t)setup->n_nodes + 1, sizeof *x->name);
    x->tap = calloc((size_t)setup->n_nodes + 1, sizeof *x->tap);
    x->at = calloc((size_t)services + 1, sizeof *x->at);
    x->candidates = calloc(BELIEF_WIDTH, sizeof *x->candidates);
    x->belief = calloc(BELIEF_WIDTH, sizeof *x->belief);
    rc = lines_init(&x->lines, setup);
    if (rc != OK || !x->name || !x->tap || !x->at || !x->candidates || !x->belief)
        rc = ERR_NOMEM;
    if (rc == OK)
        name_senders(x);
    x->burnin = burnin_of(x->mixes ? o->settle : 0);
    for (uint32_t i = 0; rc == OK && i < services; i++)
        rc = belief_pool_init(&x->at[i].beliefs, &x->shape);
    if (rc == OK) {
        tap(x);
        return OK;
    }
    entropy_free(x);
    return err_set(e, rc, "no memory for observer entropy");
}

static const struct opt opts[] = {
    {.name = "settle",
     .type = OPT_DURATION,
     .offset = offsetof(struct entropy_opts, settle),
     .fallback = "1s",
     .min = 0,
     .max = 86400 * NS_S,
     .help = "What passes so soon after the first packet is not judged: ten "
             "mean delays of all "
             "mixes together or more."},
    {0},
};

const struct observer observer_entropy = {
    .name = "entropy",
    .help = "who sent what a mix network delivers: message and party-level "
            "anonymity, linking",
    .opts = opts,
    .opts_size = sizeof(struct entropy_opts),
    .wants = WANT_LINE | WANT_NODE_IN | WANT_NODE_OUT | WANT_SHOWN | WANT_TRUTH,
    .at = "global",
    .size = sizeof(struct entropy),
    .init = entropy_init,
    .see = entropy_see,
    .free = entropy_free,
    .score_size = sizeof(struct entropy_score),
    .score_init = entropy_score_init,
    .judge = entropy_judge,
    .report = entropy_report,
    .score_free = entropy_score_free,
};
