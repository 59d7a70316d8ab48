#include "engine/base/bytes.h"
#include "engine/crypto/field61.h"
#include "engine/protocols/web_mpc/plan.h"

#include <stdio.h>
#include <string.h>

static size_t query_size(const struct plan *p)
{
    return 12 + 16 * (size_t)p->cells;
}

size_t result_size(const struct plan *p)
{
    return 8 + 4 * (size_t)p->n + p->n_queries * query_size(p);
}

/* ---- the oracle ----------------------------------------------------------------------------- */

struct judge {
    const struct protocol_shape *shape;
    const struct plan *plan;
    const uint8_t *marks, *queries; /* within the analyst's result */
    struct cohorts_of cohorts;
    uint32_t published[COHORT_QUERIES_MAX], n_published;
    struct err *e;
};

static const char *name_of(const struct judge *j, uint32_t rank)
{
    return j->plan->roster->entries[j->plan->party_of[rank]].name;
}

/* Who cheats in a way that verification must find? */
static bool must_fail(const struct plan *p, uint32_t rank)
{
    return rank == 0 &&
           (p->opts->attack == ATTACK_WRONG_SQUARE || p->opts->attack == ATTACK_OUT_OF_RANGE);
}

static int judge_submitter(struct judge *j, uint32_t rank, const struct outcome *o)
{
    uint32_t mark = get_le32(j->marks + 4 * (size_t)rank), counter = mark & ~RESULT_EXCLUDED;
    bool excluded = mark & RESULT_EXCLUDED;
    uint32_t acknowledged = o->done && !o->failure && o->len == 4 ? get_le32(o->result) : 0;
    if (counter < acknowledged)
        return err_set(j->e, ERR_WRONG, "submission %u of %s was acknowledged, %u was used",
                       acknowledged, name_of(j, rank), counter);
    if (must_fail(j->plan, rank) && counter && !excluded)
        return err_set(j->e, ERR_WRONG, "%s cheats and was not excluded", name_of(j, rank));
    if (j->plan->opts->attack == ATTACK_FORGED_TOKEN && rank == 0 && counter)
        return err_set(j->e, ERR_WRONG, "%s got in with a forged token", name_of(j, rank));
    if (excluded && !must_fail(j->plan, rank) && j->plan->opts->attack != ATTACK_SWAPPED_SHARES)
        return err_set(j->e, ERR_WRONG, "%s is honest and was excluded", name_of(j, rank));
    if (counter && !excluded)
        j->cohorts
            .members[plan_cohort(j->plan, &j->shape->inputs[j->plan->party_of[rank]], rank)]++;
    return OK;
}

static bool counts(const struct judge *j, uint32_t rank, uint32_t query, uint32_t *counter)
{
    const struct input *in = &j->shape->inputs[j->plan->party_of[rank]];
    uint32_t mark = get_le32(j->marks + 4 * (size_t)rank);
    *counter = mark;
    return mark && !(mark & RESULT_EXCLUDED) && query >> plan_cohort(j->plan, in, rank) & 1;
}

static int judge_sums(const struct judge *j, const uint8_t *at, uint32_t query)
{
    for (uint32_t cell = 0; cell < j->plan->cells; cell++) {
        uint64_t sum = 0, squares = 0;
        for (uint32_t rank = 0; rank < j->plan->n; rank++) {
            const struct input *in = &j->shape->inputs[j->plan->party_of[rank]];
            uint32_t counter;
            uint64_t v;
            if (!counts(j, rank, query, &counter))
                continue;
            v = plan_value(j->plan, in, rank, cell, counter);
            sum += v;
            squares += v * v;
        }
        if (get_le64(at + 16 * (size_t)cell) != sum ||
            get_le64(at + 16 * (size_t)cell + 8) != squares)
            return err_set(j->e, ERR_WRONG,
                           "cell %u: got sum %llu and squares %llu, not %llu, %llu", cell + 1,
                           (unsigned long long)get_le64(at + 16 * (size_t)cell),
                           (unsigned long long)get_le64(at + 16 * (size_t)cell + 8),
                           (unsigned long long)sum, (unsigned long long)squares);
    }
    return OK;
}

static int judge_query(struct judge *j, uint32_t i)
{
    const uint8_t *at = j->queries + i * query_size(j->plan);
    uint32_t query = j->plan->query[i];
    bool allowed = cohort_allows(&j->cohorts, j->published, j->n_published, query);
    if (get_le32(at) != query || get_le32(at + 4) != cohort_members(&j->cohorts, query) ||
        get_le32(at + 8) != allowed)
        return err_set(j->e, ERR_WRONG, "aggregate %u of %u members was%s published", i + 1,
                       get_le32(at + 4), get_le32(at + 8) ? "" : " not");
    if (!allowed)
        return OK;
    j->published[j->n_published++] = query;
    return judge_sums(j, at + 12, query);
}

int result_verify(const struct protocol_shape *shape, const void *plan,
                  const struct outcome *outcomes, struct err *e)
{
    const struct plan *p = plan;
    const struct outcome *o = &outcomes[p->analyst];
    struct judge j = {.shape = shape, .plan = p, .e = e};
    int rc = OK;
    if (!o->done || o->failure)
        return OK;
    if (o->len != result_size(p) || get_le32(o->result) != p->n)
        return err_set(e, ERR_WRONG, "the analyst's result has a wrong size");
    j.cohorts = (struct cohorts_of){.n = p->cohorts, .least = (uint32_t)p->opts->min_cohort};
    j.marks = o->result + 4;
    j.queries = o->result + 8 + 4 * (size_t)p->n;
    for (uint32_t rank = 0; rc == OK && rank < p->n; rank++)
        rc = judge_submitter(&j, rank, &outcomes[p->party_of[rank]]);
    for (uint32_t i = 0; rc == OK && i < p->n_queries; i++)
        rc = judge_query(&j, i);
    return rc;
}

/* ---- for people ------------------------------------------------------------------------------ */

static uint64_t root(u128 v)
{
    uint64_t low = 0, high = UINT64_C(1) << 62;
    while (low < high) {
        uint64_t mid = low + (high - low + 1) / 2;
        if ((u128)mid * mid <= v)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

static void say(char *buf, size_t cap, size_t *at, int n)
{
    (void)buf;
    if (n > 0)
        *at = *at + (size_t)n < cap ? *at + (size_t)n : cap;
}

#define SAY(...) say(buf, cap, &at, snprintf(buf + at, cap - at, __VA_ARGS__))

/* Mean and standard deviation of the population, in thousandths, rounded down. */
static size_t print_cell(uint32_t n, uint64_t sum, uint64_t squares, char *buf, size_t cap)
{
    u128 spread = (u128)n * squares - (u128)sum * sum;
    uint64_t mean = (uint64_t)((u128)sum * 1000 / n), dev = root(spread * 1000000) / n;
    size_t at = 0;
    SAY(" mean %llu.%03u stddev %llu.%03u", (unsigned long long)(mean / 1000),
        (unsigned)(mean % 1000), (unsigned long long)(dev / 1000), (unsigned)(dev % 1000));
    return at;
}

static size_t print_query(const struct plan *p, const uint8_t *q, char *buf, size_t cap)
{
    uint32_t mask = get_le32(q), n = get_le32(q + 4);
    size_t at = 0;
    SAY("; cohorts");
    for (uint32_t c = 0, first = 1; c < p->cohorts; c++)
        if (mask >> c & 1) {
            SAY("%s%u", first ? " " : "+", c + 1);
            first = 0;
        }
    if (!get_le32(q + 8)) {
        SAY(": withheld, too small or the difference would be");
        return at;
    }
    SAY(" (%u):", n);
    for (uint32_t cell = 0; cell < p->cells; cell++) {
        const uint8_t *sums = q + 12 + 16 * (size_t)cell;
        at += print_cell(n, get_le64(sums), get_le64(sums + 8), buf + at, cap - at);
    }
    return at;
}

void result_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap)
{
    const struct plan *p = plan;
    uint32_t submitted = 0, excluded = 0;
    size_t at = 0;
    if (!cap)
        return;
    buf[0] = 0;
    if (len == 0)
        SAY("serving");
    if (len == 4)
        SAY("submission %u stands", get_le32(result));
    if (len != result_size(p))
        return;
    for (uint32_t rank = 0; rank < p->n; rank++) {
        uint32_t mark = get_le32(result + 4 + 4 * (size_t)rank);
        submitted += mark != 0;
        excluded += (mark & RESULT_EXCLUDED) != 0;
    }
    SAY("%u of %u submitted, %u excluded", submitted, p->n, excluded);
    for (uint32_t i = 0; i < p->n_queries && at < cap; i++)
        at += print_query(p, result + 8 + 4 * (size_t)p->n + i * query_size(p), buf + at, cap - at);
}
