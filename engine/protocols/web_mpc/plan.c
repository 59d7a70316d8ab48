#include "engine/protocols/web_mpc/plan.h"

#include "engine/crypto/field61.h"

#include <stdlib.h>
#include <string.h>

/* ---- options ------------------------------------------------------------------------------ */

const struct protocol_role web_mpc_roles[] = {
    {.name = "input_party", .help = "submits a table of values, and leaves", .min = 1, .max = 0},
    {.name = "analyst", .help = "sets up, opens and closes the session; gets the result", 1, 1},
    {.name = "server",
     .help = "keeps what is submitted, and computes with the analyst",
     .min = 0,
     .max = 1,
     .serves = true},
    {.name = NULL}};

static const char *const keys_choices[] = {"server", "out_of_band", NULL};
static const char *const assign_choices[] = {"pre", "self", NULL};
static const char *const attack_choices[] = {
    "none",         "man_in_the_middle", "wrong_square", "out_of_range",
    "forged_token", "swapped_shares",    "lost_key",     NULL};

#define OPT(field) offsetof(struct web_mpc_opts, field)

/* clang-format off */
const struct opt web_mpc_opts[] = {
    {"session_key", OPT_TEXT, OPT(session_key), "survey", 0, 0, NULL,
     "What session id and session key are derived from: one of the two mails to an input party."},
    {"invitations", OPT_TEXT, OPT(invitations), "invitations", 0, 0, NULL,
     "What participation tokens are derived from: the other mail."},
    {"password", OPT_TEXT, OPT(password), "correct horse", 0, 0, NULL,
     "The analyst's, at most 64 bytes; the server keeps its hash."},
    {"keys", OPT_CHOICE, OPT(keys), "server", 0, 0, keys_choices,
     "Who vouches for the analyst's key: the server that delivers it, or her identity."},
    {"max", OPT_INT, OPT(max), "1000", 1, (1 << 30) - 1, NULL,
     "The largest value of a cell; the smallest is 0."},
    {"spread", OPT_INT, OPT(spread), "0", 0, (1 << 30) - 1, NULL,
     "Adds to every cell 0 .. spread, by party and cell, so that the members of a crowd differ."},
    {"max_parties", OPT_INT, OPT(max_parties), "0", 0, 1 << 24, NULL,
     "How many input parties the analyst admits; 0: all that are invited."},
    {"cohorts", OPT_INT, OPT(cohorts), "1", 1, COHORTS_MAX, NULL, "Groups of input parties."},
    {"assign", OPT_CHOICE, OPT(assign), "pre", 0, 0, assign_choices,
     "pre: by invitation, in turns; self: an input's first value is its cohort, from 1."},
    {"min_cohort", OPT_INT, OPT(min_cohort), "3", 2, 1 << 24, NULL,
     "No aggregate, and no difference of aggregates, is over fewer input parties."},
    {"publish", OPT_TEXT, OPT(publish), "all each", 0, 0, NULL,
     "Aggregates that the analyst asks for, in order: all, each, or cohorts such as 1+3."},
    {"submissions", OPT_INT, OPT(submissions), "1", 1, 1000, NULL,
     "How often an input party submits; all but the last are mistakes."},
    {"again_after", OPT_DURATION, OPT(again_after), "1s", 0, INT64_C(1000) * 86400 * NS_S, NULL,
     "From an acknowledged submission to the next."},
    {"open_after", OPT_DURATION, OPT(open_after), "1s", 0, INT64_C(1000) * 86400 * NS_S, NULL,
     "From the analyst's first start to the session's."},
    {"pause_after", OPT_DURATION, OPT(pause_after), "0", 0, INT64_C(1000) * 86400 * NS_S, NULL,
     "From the analyst's first start to a pause of the session; 0: none."},
    {"pause_for", OPT_DURATION, OPT(pause_for), "1s", 0, INT64_C(1000) * 86400 * NS_S, NULL,
     "How long the pause is."},
    {"close_after", OPT_DURATION, OPT(close_after), "20s", 1, INT64_C(1000) * 86400 * NS_S, NULL,
     "From the analyst's first start to the end of the session."},
    {"chunk", OPT_INT, OPT(chunk), "256", 1, CHUNK_MAX, NULL,
     "Submissions that server and analyst deal with at a time."},
    {"attack", OPT_CHOICE, OPT(attack), "none", 0, 0, attack_choices,
     "Who cheats: the server (man_in_the_middle, swapped_shares), the first input party, or "
     "nobody, but the analyst lost her key."},
    {.name = NULL}};
/* clang-format on */

/* ---- making --------------------------------------------------------------------------------- */

enum role plan_role(const char *name)
{
    unsigned i = 0;
    while (i < ROLES && strcmp(name, web_mpc_roles[i].name) != 0)
        i++;
    return (enum role)i;
}

static int find_roles(struct plan *p, const struct protocol_shape *shape, struct err *e)
{
    uint32_t n = shape->roster->n, analysts = 0, servers = 0;
    bool first = true;
    p->rank = calloc((size_t)n + 1, sizeof *p->rank);
    p->party_of = calloc((size_t)n + 1, sizeof *p->party_of);
    if (!p->rank || !p->party_of)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    for (party_t id = 0; id < n; id++) {
        enum role role = plan_role(shape->roster->entries[id].role);
        p->rank[id] = NOT_INVITED;
        if (role == SERVER) {
            p->server = id;
            servers++;
        }
        if (id >= shape->roster->n_parties)
            continue;
        if (role == ANALYST) {
            p->analyst = id;
            analysts++;
        }
        if (role != INPUT_PARTY)
            continue;
        if (!first && shape->inputs[id].n != p->cells)
            return err_set(e, ERR_INVALID, "%s has %u values, others have %u",
                           shape->roster->entries[id].name, shape->inputs[id].n, p->cells);
        first = false;
        p->cells = shape->inputs[id].n;
        p->party_of[p->n] = id;
        p->rank[id] = p->n++;
    }
    if (servers != 1 || analysts != 1)
        return err_set(e, ERR_INVALID,
                       "web_mpc needs one party of role analyst and one party or service of role "
                       "server: there are %u and %u",
                       analysts, servers);
    return OK;
}

/* One word of `publish`. */
static int add_queries(struct plan *p, const char *word, size_t len, struct err *e)
{
    uint32_t all = (UINT32_C(1) << p->cohorts) - 1, mask = 0, number = 0;
    if (len == 3 && memcmp(word, "all", 3) == 0) {
        p->query[p->n_queries++] = all;
        return OK;
    }
    if (len == 4 && memcmp(word, "each", 4) == 0) {
        for (uint32_t c = 0; p->cohorts > 1 && c < p->cohorts; c++)
            p->query[p->n_queries++] = UINT32_C(1) << c;
        return OK;
    }
    for (size_t i = 0; i <= len; i++) {
        if (i < len && word[i] >= '0' && word[i] <= '9' && number <= p->cohorts) {
            number = 10 * number + (uint32_t)(word[i] - '0');
            continue;
        }
        if ((i < len && word[i] != '+') || number == 0 || number > p->cohorts)
            return err_set(e, ERR_INVALID,
                           "publish: expected all, each, or cohorts of 1 .. %u such as 1+2, got "
                           "'%.*s'",
                           p->cohorts, (int)len, word);
        mask |= UINT32_C(1) << (number - 1);
        number = 0;
    }
    p->query[p->n_queries++] = mask;
    return OK;
}

static int read_publish(struct plan *p, struct err *e)
{
    const char *at = p->opts->publish ? p->opts->publish : "";
    while (*(at += strspn(at, " "))) {
        size_t len = strcspn(at, " ");
        int rc;
        if (p->n_queries + p->cohorts + 1 > COHORT_QUERIES_MAX)
            return err_set(e, ERR_INVALID, "publish: too many aggregates");
        rc = add_queries(p, at, len, e);
        if (rc)
            return rc;
        at += len;
    }
    return OK;
}

/* Sums of squares must stay below 2^61 - 1. */
static int admit(struct plan *p, struct err *e)
{
    const struct web_mpc_opts *o = p->opts;
    uint64_t square = (uint64_t)o->max * (uint64_t)o->max;
    uint32_t self = o->assign == ASSIGN_SELF;
    if (strlen(o->password ? o->password : "") > PASSWORD_MAX)
        return err_set(e, ERR_INVALID, "password: at most %d bytes", PASSWORD_MAX);
    if (o->spread > o->max)
        return err_set(e, ERR_INVALID, "spread %lld is above max %lld", (long long)o->spread,
                       (long long)o->max);
    if (p->cells <= self)
        return err_set(e, ERR_INVALID, "an input needs at least %u values, it has %u", 1 + self,
                       p->cells);
    p->cells -= self;
    if (square > (F61_P - 1) / p->n)
        return err_set(e, ERR_INVALID,
                       "%u input parties x max %lld squared is 2^61 - 1 or more: with %u the "
                       "largest n x max^2 that fits has max^2 = %llu",
                       p->n, (long long)o->max, p->n, (unsigned long long)((F61_P - 1) / p->n));
    if (o->close_after <= o->open_after ||
        (o->pause_after &&
         (o->pause_after <= o->open_after || o->close_after <= o->pause_after + o->pause_for)))
        return err_set(e, ERR_INVALID,
                       "expected open_after < pause_after < pause_after + pause_for < close_after");
    return OK;
}

static int fill(struct plan *p, const struct protocol_shape *shape, struct err *e)
{
    int rc = find_roles(p, shape, e);
    if (rc == OK)
        rc = admit(p, e);
    if (rc == OK)
        rc = read_publish(p, e);
    if (rc)
        return rc;
    rc = snip_init(&p->snip, p->cells, (uint64_t)p->opts->max);
    if (rc == ERR_LIMIT)
        return err_set(e, ERR_INVALID,
                       "%u cells x (%u bits of max %lld, and a square) is above the %d squarings "
                       "that a proof is for",
                       p->cells, p->snip.bits, (long long)p->opts->max, SNIP_GATES_MAX);
    if (rc)
        return err_set(e, rc, "no memory for a plan");
    p->len = snip_len(&p->snip);
    if (p->n_queries * (8 + 16 * (size_t)p->cells) > LINK_MESSAGE_MAX / 2)
        return err_set(e, ERR_INVALID, "%u aggregates of %u cells are too much for one message",
                       p->n_queries, p->cells);
    box_name("web_mpc session", p->opts->session_key, 0, p->session);
    box_name("web_mpc session key", p->opts->session_key, 0, p->session_key);
    return OK;
}

int plan_make(const struct protocol_shape *shape, void **out, struct err *e)
{
    struct plan *p = calloc(1, sizeof *p);
    int rc;
    *out = NULL;
    if (!p)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    p->opts = shape->opts;
    p->roster = shape->roster;
    p->cohorts = (uint32_t)p->opts->cohorts;
    rc = fill(p, shape, e);
    if (rc)
        plan_drop(p);
    else
        *out = p;
    return rc;
}

void plan_drop(void *plan)
{
    struct plan *p = plan;
    if (!p)
        return;
    snip_free(&p->snip);
    free(p->rank);
    free(p->party_of);
    free(p);
}

/* ---- inputs --------------------------------------------------------------------------------- */

/* A decimal number up to most; or UINT64_MAX. */
static uint64_t number(const char *text, uint64_t most)
{
    uint64_t v = 0;
    if (!text || !*text)
        return UINT64_MAX;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return UINT64_MAX;
        v = 10 * v + (uint64_t)(*text - '0');
        if (v > most)
            return UINT64_MAX;
    }
    return v;
}

int plan_check(const void *plan, party_t who, const struct input *in, struct err *e)
{
    const struct plan *p = plan;
    uint64_t most = (uint64_t)(p->opts->max - p->opts->spread);
    uint32_t self = p->opts->assign == ASSIGN_SELF;
    if (p->rank[who] == NOT_INVITED)
        return in->n ? err_set(e, ERR_INVALID, "only an input_party has an input") : OK;
    for (uint32_t i = 0; i < in->n; i++) {
        bool cohort = self && i == 0;
        uint64_t v = number(in->values[i], cohort ? p->cohorts : most);
        if (v == UINT64_MAX || (cohort && v == 0))
            return err_set(e, ERR_INVALID, "expected a %s of %d .. %llu%s, got '%.40s'",
                           cohort ? "cohort" : "value", cohort,
                           (unsigned long long)(cohort ? p->cohorts : most),
                           cohort || !p->opts->spread ? "" : " (max less spread)", in->values[i]);
    }
    return OK;
}

void plan_token(const struct plan *p, uint32_t rank, uint8_t token[BOX_ID])
{
    box_name("web_mpc token", p->opts->invitations, rank, token);
}

uint64_t plan_value(const struct plan *p, const struct input *in, uint32_t rank, uint32_t cell,
                    uint32_t counter)
{
    uint64_t max = (uint64_t)p->opts->max, spread = (uint64_t)p->opts->spread;
    uint64_t v = number(in->values[cell + (p->opts->assign == ASSIGN_SELF)], max);
    struct dice d = {.key = ((uint64_t)rank << 16) + cell, .n = 0};
    if (spread)
        v += dice_below(&d, spread + 1);
    return counter < (uint32_t)p->opts->submissions ? max - v : v;
}

uint32_t plan_cohort(const struct plan *p, const struct input *in, uint32_t rank)
{
    if (p->opts->assign == ASSIGN_SELF)
        return (uint32_t)number(in->values[0], p->cohorts) - 1;
    return rank % p->cohorts;
}
