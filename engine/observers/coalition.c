#include "engine/observers/coalition.h"

#include "engine/observers/exposure.h"

#include <stdio.h>
#include <stdlib.h>

int coalition_make(struct coalition *c, const struct exposure *rows, size_t n, uint32_t n_nodes,
                   uint32_t n_parties)
{
    const size_t square = (size_t)n_parties * n_parties;
    bool pairs = false;
    *c = (struct coalition){.n_nodes = n_nodes, .n_parties = n_parties};
    for (size_t i = 0; i < n; i++)
        pairs |= rows[i].other != PARTY_NONE;
    c->knows = calloc((size_t)n_nodes * n_parties + 1, 1);
    c->input = calloc((size_t)n_parties + 1, 1);
    c->pair = pairs ? calloc(n_nodes * square + 1, 1) : NULL;
    if (!c->knows || !c->input || (pairs && !c->pair)) {
        coalition_free(c);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct exposure *x = &rows[i];
        if (x->who >= n_nodes || x->whom >= n_parties)
            continue;
        if (strcmp(x->what, "party_address") == 0)
            c->knows[(size_t)x->who * n_parties + x->whom] = x->level;
        else if (strcmp(x->what, "party_input") == 0)
            c->input[x->whom] = 1;
        else if (x->other < n_parties) {
            c->pair[x->who * square + (size_t)x->whom * n_parties + x->other] = 1;
            c->pair[x->who * square + (size_t)x->other * n_parties + x->whom] = 1;
        }
    }
    return OK;
}

void coalition_free(struct coalition *c)
{
    free(c->knows);
    free(c->pair);
    free(c->input);
    *c = (struct coalition){0};
}

static bool has(const struct coalition *c, party_t who, party_t whom)
{
    return who == whom || c->knows[(size_t)who * c->n_parties + whom] == 2;
}

static bool links(const struct coalition *c, party_t who, party_t a, party_t b)
{
    const size_t square = (size_t)c->n_parties * c->n_parties;
    return who == a || who == b ||
           (c->pair && c->pair[who * square + (size_t)a * c->n_parties + b]);
}

unsigned coalition_address(const struct coalition *c, party_t whom)
{
    for (party_t x = 0; x < c->n_nodes; x++)
        if (x != whom && has(c, x, whom))
            return 1;
    return 0;
}

unsigned coalition_input(const struct coalition *c, party_t whom)
{
    return c->input[whom];
}

unsigned coalition_pair(const struct coalition *c, party_t a, party_t b)
{
    bool one = false, other = false;
    for (party_t x = 0; x < c->n_nodes; x++) {
        if (has(c, x, a) && has(c, x, b) && links(c, x, a, b))
            return 1;
        one |= x != a && x != b && has(c, x, a);
        other |= x != a && x != b && has(c, x, b);
    }
    return one || other ? 2 : 0; /* with the party itself, which knows whom it talks to */
}

/* ---- the best of a size ----------------------------------------------------------------- */

static uint32_t reach(const struct coalition *c, const uint32_t *member, uint32_t k)
{
    uint32_t n = 0;
    for (party_t p = 0; p < c->n_parties; p++) {
        bool known = false, inside = false;
        for (uint32_t i = 0; i < k; i++) {
            inside |= member[i] == p;
            known |= has(c, member[i], p);
        }
        n += known && !inside;
    }
    return n;
}

static bool few(uint32_t n, uint32_t k)
{
    uint64_t all = 1;
    for (uint32_t i = 1; i <= k && all <= COALITION_EXHAUSTIVE; i++)
        all = all * (n - k + i) / i;
    return all <= COALITION_EXHAUSTIVE;
}

static uint32_t try_all(const struct coalition *c, uint32_t *member, uint32_t k)
{
    uint32_t best = 0, i;
    for (i = 0; i < k; i++)
        member[i] = i;
    for (;;) {
        uint32_t n = reach(c, member, k);
        best = n > best ? n : best;
        for (i = k; i > 0 && member[i - 1] == c->n_nodes - k + i - 1;)
            i--;
        if (i == 0)
            return best;
        member[i - 1]++;
        for (; i < k; i++)
            member[i] = member[i - 1] + 1;
    }
}

static uint32_t take_greedily(const struct coalition *c, uint32_t *member, uint32_t k)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < k; i++) {
        uint32_t pick = 0;
        best = 0;
        for (party_t x = 0; x < c->n_nodes; x++) {
            bool in = false;
            for (uint32_t j = 0; j < i; j++)
                in |= member[j] == x;
            if (in)
                continue;
            member[i] = x;
            uint32_t n = reach(c, member, i + 1);
            if (n > best) {
                best = n;
                pick = x;
            }
        }
        member[i] = pick;
    }
    return best;
}

uint32_t coalition_best(const struct coalition *c, uint32_t k, bool *exhaustive)
{
    uint32_t member[16];
    *exhaustive = true;
    if (k == 0 || k > c->n_nodes || k > sizeof member / sizeof *member)
        return 0;
    *exhaustive = few(c->n_nodes, k);
    return *exhaustive ? try_all(c, member, k) : take_greedily(c, member, k);
}

/* ---- the observer ----------------------------------------------------------------------- */

struct sizes {
    uint32_t least, most, none, all;
};

static void count(struct sizes *s, unsigned size)
{
    s->all++;
    if (size == 0) {
        s->none++;
        return;
    }
    s->least = s->least == 0 || size < s->least ? size : s->least;
    s->most = size > s->most ? size : s->most;
}

static void tell(const struct report *out, enum privacy what, const struct sizes *s,
                 uint32_t population)
{
    const struct {
        const char *about;
        uint32_t value;
    } rows[] = {{"smallest", s->least}, {"largest", s->most}, {"without one", s->none}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        out->finding(out->ctx, &(struct finding){.what = what,
                                                 .about = rows[i].about,
                                                 .value = rows[i].value,
                                                 .n = s->all,
                                                 .population = population});
}

static void tell_best(const struct report *out, const struct coalition *c)
{
    for (uint32_t k = 1; k <= 3 && k <= c->n_nodes; k++) {
        char about[64];
        bool exhaustive;
        uint32_t n = coalition_best(c, k, &exhaustive);
        snprintf(about, sizeof about, "to the best %u%s", (unsigned)k,
                 exhaustive ? "" : " (greedy)");
        out->finding(out->ctx, &(struct finding){.what = PRIVACY_EXPOSED_TIED,
                                                 .about = about,
                                                 .value = n,
                                                 .n = c->n_nodes,
                                                 .population = c->n_parties});
    }
}

static void report_first(const struct exposure_score *s, const struct truth *truth,
                         const struct report *out)
{
    const struct roster *r = truth->roster;
    static const char *const to[] = {"to parties", "to services", "to ISPs"};
    for (unsigned kind = 0; kind < 3; kind++) {
        struct finding f = {.about = to[kind], .population = r->n_parties};
        uint64_t tied = 0;
        ns_t first = NS_NEVER;
        for (uint32_t i = 0; i < s->n; i++) {
            party_t who = s->rows[i].who;
            unsigned its = who < r->n_parties ? 0 : who < r->n ? 1 : 2;
            if (its != kind || strcmp(s->rows[i].what, "party_address") != 0)
                continue;
            f.n++;
            tied += s->rows[i].level == 2;
            first = s->rows[i].first < first ? s->rows[i].first : first;
        }
        f.what = PRIVACY_EXPOSED;
        f.value = (int64_t)f.n;
        out->finding(out->ctx, &f);
        f.what = PRIVACY_EXPOSED_TIED;
        f.value = (int64_t)tied;
        out->finding(out->ctx, &f);
        f.what = PRIVACY_FIRST_EXPOSURE;
        f.value = first;
        if (f.n)
            out->finding(out->ctx, &f);
    }
}

static void coalition_report(void *score, const struct truth *truth, const struct report *out)
{
    struct exposure_score *s = score;
    const struct roster *r = truth->roster;
    struct sizes addresses = {0}, pairs = {0}, inputs = {0};
    struct coalition c;
    exposure_settle(s);
    report_first(s, truth, out);
    if (r->n_parties > COALITION_PARTIES_MAX || r->n > 2 * COALITION_PARTIES_MAX ||
        coalition_make(&c, s->rows, s->n, r->n, r->n_parties) != OK)
        return;
    for (party_t a = 0; a < r->n_parties; a++) {
        count(&addresses, coalition_address(&c, a));
        count(&inputs, coalition_input(&c, a));
        for (party_t b = a + 1; b < r->n_parties; b++)
            count(&pairs, coalition_pair(&c, a, b));
    }
    tell(out, PRIVACY_COALITION_ADDRESS, &addresses, r->n);
    tell(out, PRIVACY_COALITION_PAIR, &pairs, r->n);
    tell(out, PRIVACY_COALITION_INPUT, &inputs, r->n);
    tell_best(out, &c);
    coalition_free(&c);
}

const struct observer observer_coalition = {
    .name = "coalition",
    .help = "how many parties and services must collude to learn an address, a pair or an input, "
            "and when the first address is learned",
    .wants = EXPOSURE_WANTS,
    .size = sizeof(struct exposures),
    .init = exposure_init,
    .see = exposure_see,
    .end = exposure_end,
    .free = exposure_free,
    .score_size = sizeof(struct exposure_score),
    .judge = exposure_judge,
    .report = coalition_report,
    .score_free = exposure_score_free,
};
