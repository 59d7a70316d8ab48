/* The messenger: whatever people write messages with. It carries a text when its reader gets round
 * to it, may lose it or deliver it twice, and shows share URLs to Eve.
 *
 * It remembers what it has delivered, as such services do: a reader that restarts sees it again. It
 * takes one URL and one note of each sender (LABEL_TWICE), and a notice at once, without delay: a
 * notice for somebody who has one already is only acknowledged again.
 */
#include "engine/protocols/share_url/share_url.h"

#include <stdlib.h>

struct text {
    uint8_t *body; /* owned by the first of its copies */
    size_t len;
    party_t from, to;
    bool sent, owner;
};

struct share_messenger {
    struct text *texts;
    size_t n, cap;
    uint8_t *had; /* of each party: bit TEXT_*, a text of which it has sent, or
                     (NOTICE) been sent */
    struct dice dice;
};

enum { TEXTS_MAX = TIMER_ROWS + (1 << 23) };

/* How long until a person sees a message. */
static ns_t human(const struct share *s)
{
    struct share_messenger *m = s->as.messenger;
    int64_t mean = s->plan->opts->delay;
    double x;
    switch ((enum share_law)s->plan->opts->law) {
    case LAW_EXPONENTIAL:
        return dice_exp(&m->dice, mean);
    case LAW_LOGNORMAL:
        x = (double)mean * det_exp(dice_normal(&m->dice) - 0.5);
        return x < 1e18 ? (ns_t)x : (ns_t)1e18;
    case LAW_UNIFORM:
        return (ns_t)dice_below(&m->dice, 2 * (uint64_t)mean + 1);
    case LAW_CONSTANT:
        break;
    }
    return mean;
}

/* ---- delivering ------------------------------------------------------------------------------ */

static void deliver(const struct share *s, struct party *p, size_t k)
{
    struct text *t = &s->as.messenger->texts[k];
    t->sent = share_text(s, p, t->to, t->from, (enum share_text)t->body[0], t->body + TEXT_HEAD,
                         t->len - TEXT_HEAD);
    if (!t->sent)
        party_arm(p, TIMER_ROWS + (unsigned)k, party_now(p) + s->plan->opts->retry);
}

static bool add(const struct share *s, struct party *p, struct text t, ns_t delay)
{
    struct share_messenger *m = s->as.messenger;
    size_t cap = m->cap ? 2 * m->cap : 16;
    if (m->n == m->cap) {
        struct text *more =
            m->n < TEXTS_MAX - TIMER_ROWS ? realloc(m->texts, cap * sizeof *more) : NULL;
        if (!more) {
            if (t.owner)
                free(t.body);
            party_drop(p, DROP_PROTOCOL_LIMIT);
            return false;
        }
        m->texts = more;
        m->cap = cap;
    }
    m->texts[m->n++] = t;
    if (delay)
        party_arm(p, TIMER_ROWS + (unsigned)(m->n - 1), party_now(p) + delay);
    else
        deliver(s, p, m->n - 1);
    return true;
}

/* To whom it is for, unless it is lost; and again if it is doubled. */
static ns_t carry(const struct share *s, struct party *p, struct text *t)
{
    const struct share_opts *o = s->plan->opts;
    struct share_messenger *m = s->as.messenger;
    ns_t delay = human(s);
    bool lost = dice_chance(&m->dice, (uint32_t)o->loss);
    bool twice = dice_chance(&m->dice, (uint32_t)o->duplicates);
    ns_t again = human(s);
    if (lost) {
        party_drop(p, DROP_FAULT);
        return delay;
    }
    if (!add(s, p, *t, delay))
        return delay;
    t->owner = false;
    if (twice)
        add(s, p, *t, delay + again);
    return delay;
}

static void show_to_eves(const struct share *s, struct party *p, struct text *t, ns_t delay)
{
    const struct share_plan *plan = s->plan;
    for (uint32_t r = plan->place[t->from] + plan->n[SHARE_INITIATOR]; r < plan->n[SHARE_RESPONDER];
         r += plan->n[SHARE_INITIATOR]) {
        ns_t at = plan->opts->eve == EVE_FIRST      ? 0
                  : plan->opts->eve == EVE_TOGETHER ? delay
                                                    : delay + human(s) + NS_S;
        t->to = plan->responders[r];
        if (add(s, p, *t, at))
            t->owner = false;
    }
}

/* ---- taking ---------------------------------------------------------------------------------- */

/* Does the text go from such a sender to such a reader? */
static bool in_order(const struct share_plan *plan, const struct text *t)
{
    enum share_role from = (enum share_role)plan->role[t->from];
    enum share_role to = t->to < plan->roster->n ? (enum share_role)plan->role[t->to] : SHARE_ROLES;
    switch (t->body[0]) {
    case TEXT_URL:
        return from == SHARE_INITIATOR && to == SHARE_RESPONDER;
    case TEXT_NOTE:
        return from == SHARE_RESPONDER && to == SHARE_INITIATOR && t->len == TEXT_HEAD + NOTE_LEN;
    case TEXT_NOTICE:
        return from == SHARE_SERVER && to == SHARE_INITIATOR && t->len == TEXT_HEAD + LETTER_LEN;
    default:
        return false;
    }
}

static void take(const struct share *s, struct party *p, struct text *t)
{
    struct share_messenger *m = s->as.messenger;
    uint8_t *had = &m->had[t->body[0] == TEXT_NOTICE ? t->to : t->from];
    uint8_t bit = (uint8_t)(1u << t->body[0]);
    bool again = *had & bit, notice = t->body[0] == TEXT_NOTICE;
    uint8_t *copy = again ? NULL : malloc(t->len);
    if (notice && (again || copy))
        share_send(p, t->from, SHARE_TAKEN, 0, t->body + TEXT_HEAD, SEAL_TAG);
    if (!copy) {
        party_drop(p, again ? DROP_LABEL_TWICE : DROP_PROTOCOL_LIMIT);
        return;
    }
    memcpy(copy, t->body, t->len);
    *had |= bit;
    t->body = copy;
    t->owner = true;
    if (notice) {
        add(s, p, *t, 0);
        return;
    }
    party_disclose(p, &(struct shown){.kind = SHOWN_PAIR, .whom = t->from, .other = t->to});
    if (copy[0] == TEXT_URL)
        show_to_eves(s, p, t, carry(s, p, t));
    else
        carry(s, p, t);
    if (t->owner)
        free(copy);
}

/* ---- struct share_role_ops ------------------------------------------------------------------- */

static int messenger_init(struct share *s, struct party *p, struct err *e)
{
    struct share_messenger *m = calloc(1, sizeof *m);
    s->as.messenger = m;
    if (m)
        m->had = calloc(s->plan->roster->n, 1);
    if (!m || !m->had)
        return err_set(e, ERR_NOMEM, "no memory for a messenger");
    m->dice.key = prng_u64(party_rng(p));
    return OK;
}

static void messenger_start(struct share *s, struct party *p)
{
    (void)s;
    party_result(p, "serving", 7);
}

static void messenger_recv(struct share *s, struct party *p, party_t from, struct label label,
                           const uint8_t *data, size_t len)
{
    struct text t = {.len = len, .from = from, .to = get_le32(data + 1)};
    uint8_t body[TEXT_HEAD + TEXT_MAX];
    (void)label;
    memcpy(body, data, len);
    t.body = body;
    if (in_order(s->plan, &t))
        take(s, p, &t);
    else
        party_drop(p, DROP_PROTOCOL_FORMAT);
}

static void messenger_peer(struct share *s, struct party *p, party_t peer, enum peer_state state)
{
    struct share_messenger *m = s->as.messenger;
    for (size_t k = 0; state == PEER_RESTARTED && k < m->n; k++)
        if (m->texts[k].to == peer && m->texts[k].sent)
            deliver(s, p, k);
}

static void messenger_timer(struct share *s, struct party *p, unsigned timer)
{
    struct share_messenger *m = s->as.messenger;
    if (timer >= TIMER_ROWS && timer - TIMER_ROWS < m->n)
        deliver(s, p, timer - TIMER_ROWS);
}

static void messenger_free(struct share *s)
{
    struct share_messenger *m = s->as.messenger;
    if (!m)
        return;
    for (size_t k = 0; k < m->n; k++)
        if (m->texts[k].owner)
            free(m->texts[k].body);
    free(m->texts);
    free(m->had);
    free(m);
}

const struct share_role_ops share_messenger_ops = {
    .init = messenger_init,
    .start = messenger_start,
    .recv = messenger_recv,
    .peer = messenger_peer,
    .timer = messenger_timer,
    .free = messenger_free,
};
