/* M12, path compromise: who runs some mixes, how many packets went through these alone?
 *
 * Its places are the mixes that it runs, and the lines of senders (global) for how many packets
 * there are. A mix's holder reads what comes, from where, and where it goes next. A packet that
 * leaves one of its mixes for another comes there as the same bytes, so it is known to be one; the
 * scorer, which is told of no bytes, joins a packet's hops by truth. A packet is compromised if an
 * unbroken chain of corrupt mixes took it in from a provider and gave it out to one. Beside what
 * is measured stands what the layers' corrupt shares say (bounds.h); `layers` and `topology` are
 * the transport's. A session is all from one sender to one receiver.
 *
 * Kept are at most CHAINS packets on their way and SESSIONS sessions.
 */
#include "engine/base/map.h"
#include "engine/observers/bits.h"
#include "engine/observers/bounds.h"
#include "engine/observers/lines.h"

#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4096, SESSIONS = 65536, CLAIM_SENT = 0, CLAIM_HOP };

struct compromise_opts {
    int64_t layers, topology;
};

/* A packet at a corrupt mix; PARTY_NONE: no mix. */
struct hop {
    party_t from, at, next;
};

struct compromise {
    struct observer_setup setup;
    struct lines lines;
    party_t *from; /* by node: who handed in the last packet */
};

static party_t mix_or_none(const struct compromise *x, uint32_t who)
{
    return who < x->setup.n_nodes && lines_role(&x->setup, who) == LINES_MIX ? who : PARTY_NONE;
}

static void compromise_see(void *self, const struct sighting *s)
{
    struct compromise *x = self;
    struct hop h = {.at = s->at};
    uint32_t peer;
    if (s->at >= x->setup.n_nodes)
        return;
    if (s->visible) {
        if (s->point != SIGHT_NODE || s->visible->kind != SHOWN_ROUTE ||
            mix_or_none(x, s->at) != s->at)
            return;
        h.from = mix_or_none(x, x->from[s->at]);
        h.next = mix_or_none(x, s->visible->other);
        if (s->visible->other !=
            PARTY_NONE) /* else it goes nowhere: a mix's own loop, or garbage */
            x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_HOP,
                                                         .when = s->when + s->visible->delay,
                                                         .more = &h});
        return;
    }
    if (s->packets == 0)
        return;
    peer = lines_peer(&x->lines, s);
    if (s->opens)
        return;
    if (s->point == SIGHT_NODE && !s->out)
        x->from[s->at] = peer;
    else if (s->point == SIGHT_LINE && s->out && lines_role(&x->setup, s->at) == LINES_SENDER)
        x->setup.claim(x->setup.ctx, &(struct claim){.what = CLAIM_SENT, .when = s->when});
}

static void compromise_free(void *self)
{
    struct compromise *x = self;
    lines_free(&x->lines);
    free(x->from);
}

static int compromise_init(void *self, const struct observer_setup *setup, struct err *e)
{
    struct compromise *x = self;
    x->setup = *setup;
    x->from = malloc(((size_t)setup->n_nodes + 1) * sizeof *x->from);
    if (!x->from || lines_init(&x->lines, setup) != OK) {
        free(x->from);
        return err_set(e, ERR_NOMEM, "no memory for observer compromise");
    }
    for (uint32_t i = 0; i < setup->n_nodes; i++)
        x->from[i] = PARTY_NONE;
    return OK;
}

/* ---- the judge ---------------------------------------------------------------------------- */

struct chain {
    party_t from, awaited; /* awaited: the corrupt mix, or another one, that it is on its way to */
    uint64_t serial;       /* 0: free */
};

struct session {
    uint64_t packets;
    bool compromised;
};

struct compromise_score {
    struct compromise_opts opts;
    double expected;
    uint32_t mixes, corrupt;
    struct chain *chains;
    struct session *sessions;
    uint32_t n_sessions, cap_sessions;
    struct map session_of;
    uint64_t sent, compromised;
    ns_t first_sent, last_sent, first; /* first: -1: none was */
};

static bool runs(const struct observer_setup *setup, party_t mix)
{
    for (size_t i = 0; i < setup->n_places; i++)
        if (setup->places[i].point == SIGHT_NODE &&
            (setup->places[i].at == mix || setup->places[i].at == PARTY_NONE))
            return true;
    return false;
}

static int compromise_score_init(void *score, const struct observer_setup *setup)
{
    struct compromise_score *s = score;
    bool *corrupt = calloc((size_t)setup->n_nodes + 1, sizeof *corrupt);
    s->opts = *(const struct compromise_opts *)setup->opts;
    s->first = -1;
    s->chains = calloc(CHAINS, sizeof *s->chains);
    if (!corrupt || !s->chains) {
        free(corrupt);
        return ERR_NOMEM;
    }
    for (party_t i = setup->n_parties; i < setup->n_nodes; i++)
        if (lines_role(setup, i) == LINES_MIX) {
            corrupt[s->mixes] = runs(setup, i);
            s->corrupt += corrupt[s->mixes++];
        }
    s->expected = bounds_route(corrupt, s->mixes, (uint32_t)s->opts.layers,
                               (enum bounds_topology)s->opts.topology);
    free(corrupt);
    return OK;
}

/* NULL: one too many, or no memory. */
static struct session *session_of(struct compromise_score *s, const struct packet_truth *p)
{
    uint32_t key = (p->from << 16 | p->to) + 1, i = map_get(&s->session_of, key, UINT32_MAX);
    if (p->from >= UINT16_MAX || p->to >= UINT16_MAX)
        return NULL;
    if (i != UINT32_MAX)
        return &s->sessions[i];
    if (s->n_sessions == s->cap_sessions) {
        uint32_t more = s->cap_sessions ? 2 * s->cap_sessions : 64;
        struct session *grown =
            more <= SESSIONS ? realloc(s->sessions, more * sizeof *grown) : NULL;
        if (!grown)
            return NULL;
        s->sessions = grown;
        s->cap_sessions = more;
    }
    if (map_put(&s->session_of, key, s->n_sessions) != OK)
        return NULL;
    s->sessions[s->n_sessions] = (struct session){0};
    return &s->sessions[s->n_sessions++];
}

static void judge_hop(struct compromise_score *s, const struct hop *h, const struct packet_truth *p,
                      ns_t when)
{
    const uint64_t hash = (p->serial ^ (uint64_t)p->from << 40) * 0x9e3779b97f4a7c15U;
    struct chain *c = &s->chains[(hash >> 32) % CHAINS];
    bool known = c->from == p->from && c->serial == p->serial && c->serial;
    struct session *session;
    if (h->from != PARTY_NONE && (!known || c->awaited != h->at))
        return; /* an honest mix before this one */
    *c = (struct chain){p->from, h->next, h->next == PARTY_NONE ? 0 : p->serial};
    if (h->next != PARTY_NONE)
        return;
    s->compromised++;
    s->first = s->first < 0 ? when : s->first;
    session = session_of(s, p);
    if (session)
        session->compromised = true;
}

static void compromise_judge(void *score, const struct claim *g, const struct truth *t)
{
    struct compromise_score *s = score;
    const struct packet_truth *p = t->packet;
    struct session *session;
    if (!p || p->kind != TRUTH_REAL || p->serial == 0)
        return;
    if (g->what == CLAIM_HOP) {
        judge_hop(s, g->more, p, g->when);
        return;
    }
    s->first_sent = s->sent++ ? s->first_sent : g->when;
    s->last_sent = g->when;
    session = session_of(s, p);
    if (session)
        session->packets++;
}

static void say(const struct compromise_score *s, const struct report *out, enum privacy what,
                double value, uint64_t n)
{
    out->finding(out->ctx, &(struct finding){.what = what,
                                             .value = bits_round(value),
                                             .n = n,
                                             .population = s->mixes,
                                             .prior = "routes drawn alike"});
}

static void compromise_report(void *score, const struct truth *t, const struct report *out)
{
    const struct compromise_score *s = score;
    double expected = 0;
    uint64_t hit = 0, n = 0;
    (void)t;
    if (s->mixes == 0)
        return;
    say(s, out, PRIVACY_PATH_EXPECTED, s->expected * 1e6, s->corrupt);
    for (uint32_t i = 0; i < s->n_sessions; i++) {
        n += s->sessions[i].packets > 0;
        hit += s->sessions[i].packets && s->sessions[i].compromised;
        expected += bounds_session(s->expected, s->sessions[i].packets);
    }
    if (s->sent == 0 || n == 0)
        return; /* nobody's line is tapped */
    say(s, out, PRIVACY_PATH_COMPROMISED, (double)s->compromised * 1e6 / (double)s->sent, s->sent);
    say(s, out, PRIVACY_SESSION_EXPECTED, expected * 1e6 / (double)n, n);
    say(s, out, PRIVACY_SESSION_COMPROMISED, (double)hit * 1e6 / (double)n, n);
    if (s->expected > 0 && s->sent > 1)
        say(s, out, PRIVACY_FIRST_EXPECTED,
            (double)s->first_sent +
                bounds_first(s->expected,
                             (double)(s->last_sent - s->first_sent) / (double)(s->sent - 1)),
            s->sent);
    if (s->first >= 0)
        say(s, out, PRIVACY_FIRST_COMPROMISED, (double)s->first, 1);
}

static void compromise_score_free(void *score)
{
    struct compromise_score *s = score;
    free(s->chains);
    free(s->sessions);
    map_free(&s->session_of);
}

static const char *const topologies[] = {"stratified", "cascade", "free_route", NULL};

static const struct opt opts[] = {
    {.name = "layers",
     .type = OPT_INT,
     .offset = offsetof(struct compromise_opts, layers),
     .fallback = "3",
     .min = 1,
     .max = 18,
     .help = "Mixes on a packet's way: the transport's option."},
    {.name = "topology",
     .type = OPT_CHOICE,
     .offset = offsetof(struct compromise_opts, topology),
     .fallback = "stratified",
     .choices = topologies,
     .help = "How routes are drawn: the transport's option."},
    {0},
};

const struct observer observer_compromise = {
    .name = "compromise",
    .help = "how many packets go through corrupt mixes alone: the mixes among its places",
    .opts = opts,
    .opts_size = sizeof(struct compromise_opts),
    .wants = WANT_LINE | WANT_NODE_IN | WANT_SHOWN | WANT_TRUTH,
    .at = "global",
    .size = sizeof(struct compromise),
    .init = compromise_init,
    .see = compromise_see,
    .free = compromise_free,
    .score_size = sizeof(struct compromise_score),
    .score_init = compromise_score_init,
    .judge = compromise_judge,
    .report = compromise_report,
    .score_free = compromise_score_free,
};
