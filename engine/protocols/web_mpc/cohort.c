#include "engine/protocols/web_mpc/cohort.h"

#include "engine/crypto/field61.h"

/* Rank of the aggregates' matrix in those columns. */
static uint32_t rank_of(const uint32_t *rows, uint32_t n_rows, uint32_t columns)
{
    uint64_t m[COHORT_QUERIES_MAX + 1][COHORTS_MAX];
    uint32_t rank = 0;
    for (uint32_t i = 0; i < n_rows; i++)
        for (uint32_t c = 0; c < COHORTS_MAX; c++)
            m[i][c] = (rows[i] & columns) >> c & 1;
    for (uint32_t c = 0; c < COHORTS_MAX && rank < n_rows; c++) {
        uint32_t pivot = rank;
        while (pivot < n_rows && !m[pivot][c])
            pivot++;
        if (pivot == n_rows)
            continue;
        for (uint32_t k = 0; k < COHORTS_MAX; k++) {
            uint64_t swap = m[pivot][k];
            m[pivot][k] = m[rank][k];
            m[rank][k] = swap;
        }
        uint64_t inverse = f61_inv(m[rank][c]);
        for (uint32_t i = rank + 1; i < n_rows; i++) {
            uint64_t factor = f61_mul(m[i][c], inverse);
            for (uint32_t k = c; factor && k < COHORTS_MAX; k++)
                m[i][k] = f61_sub(m[i][k], f61_mul(factor, m[rank][k]));
        }
        rank++;
    }
    return rank;
}

uint32_t cohort_members(const struct cohorts_of *of, uint32_t query)
{
    uint32_t sum = 0;
    for (uint32_t c = 0; c < of->n; c++)
        sum += query >> c & 1 ? of->members[c] : 0;
    return sum;
}

bool cohort_allows(const struct cohorts_of *of, const uint32_t *published, uint32_t n_published,
                   uint32_t query)
{
    uint32_t rows[COHORT_QUERIES_MAX + 1], populated = 0, all;
    for (uint32_t c = 0; c < of->n; c++)
        populated |= of->members[c] ? UINT32_C(1) << c : 0;
    if (n_published > COHORT_QUERIES_MAX || cohort_members(of, query) < of->least ||
        !(query & populated))
        return false;
    for (uint32_t i = 0; i < n_published; i++)
        rows[i] = published[i];
    rows[n_published] = query;
    all = rank_of(rows, n_published + 1, populated);
    for (uint32_t set = 1; set <= populated; set++)
        if ((set & ~populated) == 0 && cohort_members(of, set) < of->least &&
            rank_of(rows, n_published + 1, populated & ~set) < all)
            return false;
    return true;
}
