/* The analyst's part when the session is closed. */
#include "engine/crypto/field61.h"
#include "engine/protocols/web_mpc/inner.h"

#include <sodium.h>
#include <stdlib.h>

static void fetch(struct analyst *a, struct party *p)
{
    put_le32(a->request + BOX_ID, a->first);
    analyst_ask(a, p, FETCH, 4);
}

static void release(struct analyst *a, struct party *p)
{
    uint8_t *at = a->request + BOX_ID;
    put_le32(at, a->plan->n_queries);
    for (uint32_t i = 0; i < a->plan->n_queries; i++)
        put_le32(at + 4 + 4 * i, a->plan->query[i]);
    analyst_ask(a, p, RELEASE, 4 + 4 * (size_t)a->plan->n_queries);
}

void analyst_close(struct analyst *a, struct party *p)
{
    if (!a->query.f && snip_query_init(&a->query, &a->plan->snip, a->challenge) != OK) {
        a->over = true;
        party_fail(p, "no memory to verify");
        return;
    }
    a->first = 0;
    totals_reset(&a->totals, a->plan);
    memset(a->marks, 0, a->plan->n * sizeof *a->marks);
    fetch(a, p);
}

/* Her share of an entry, into the batch's room for one. */
static bool own_share(struct analyst *a, const struct binding *b, const uint8_t *box)
{
    uint8_t seed[BOX_SEED];
    if (box_open(&a->pair, b, box, seed))
        return false;
    snip_expand(seed, a->batch.share, a->plan->len);
    sodium_memzero(seed, sizeof seed);
    return true;
}

static int take_entry(struct analyst *a, struct party *p, struct reader *r, uint32_t least)
{
    const struct plan *plan = a->plan;
    struct binding b = {.cells = plan->cells};
    const uint8_t *hash, *box;
    bool good;
    b.id = read_u32(r);
    b.counter = read_u32(r);
    b.cohort = read_u32(r);
    hash = read_bytes(r, BOX_HASH);
    box = read_bytes(r, BOX_LEN);
    if (b.id < least || b.id >= a->next || b.cohort >= plan->cohorts || b.counter == 0 ||
        b.counter & RESULT_EXCLUDED)
        return ERR_FORMAT;
    memcpy(b.session, plan->session, BOX_ID);
    memcpy(b.share, hash, BOX_HASH);
    plan_token(plan, b.id, b.token);
    good = own_share(a, &b, box);
    if (!good)
        party_drop(p, DROP_PROTOCOL_AUTH);
    batch_add(&a->batch, &a->query, b.id, b.counter, b.cohort, good);
    party_disclose(p, &(struct shown){.kind = SHOWN_MEMBER, .whom = plan->party_of[b.id]});
    return OK;
}

static int on_chunk(struct analyst *a, struct party *p, struct reader *r)
{
    struct writer w = writer_of(a->request + BOX_ID, a->request_cap - BOX_ID);
    uint32_t next = read_u32(r), n = read_u32(r), least = a->first;
    if (r->bad || n > (uint32_t)a->plan->opts->chunk || r->left != (size_t)n * ENTRY ||
        next <= a->first || next > a->plan->n || n > next - a->first)
        return ERR_FORMAT;
    a->next = next;
    a->batch.n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (take_entry(a, p, r, least))
            return ERR_FORMAT;
        least = a->batch.entries[i].id + 1;
    }
    party_charge(p, COST_X25519, n);
    party_charge(p, COST_AEAD, n);
    party_charge(p, COST_FIELD_MUL, 2 * n * a->plan->len);
    write_bytes(&w, a->challenge, SNIP_SEED);
    write_u32(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct batch_entry *e = &a->batch.entries[i];
        write_u64(&w, e->good ? e->half.d : NO_SHARE);
        write_u64(&w, e->good ? e->half.e : NO_SHARE);
    }
    analyst_ask(a, p, OPEN, w.len);
    return OK;
}

static int on_opened(struct analyst *a, struct party *p, struct reader *r)
{
    struct writer w = writer_of(a->request + BOX_ID, a->request_cap - BOX_ID);
    uint32_t n = read_u32(r);
    if (n != a->batch.n || r->left != 24 * (size_t)n)
        return ERR_FORMAT;
    write_u32(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        struct batch_entry *entry = &a->batch.entries[i];
        uint64_t d = read_u64(r), e = read_u64(r), sigma = read_u64(r);
        batch_sigma(entry, d, e, false);
        batch_judge(entry, sigma, false);
        write_u64(&w, entry->good ? entry->sigma : NO_SHARE);
        a->marks[entry->id] = entry->counter | (entry->valid ? 0 : RESULT_EXCLUDED);
    }
    batch_count(&a->batch, &a->totals);
    analyst_ask(a, p, SIGMA, w.len);
    return OK;
}

static int on_counted(struct analyst *a, struct party *p, struct reader *r)
{
    if (r->left != 4 || read_u32(r) != a->batch.n)
        return ERR_FORMAT;
    a->first = a->next;
    if (a->first < a->plan->n)
        fetch(a, p);
    else
        release(a, p);
    return OK;
}

/* The server's shares of an aggregate, and hers. */
static int join_query(const struct analyst *a, uint32_t query, struct reader *r, struct writer *w)
{
    uint32_t members = read_u32(r), published = read_u32(r), cells = a->plan->cells;
    if (members != cohort_members(&a->totals.cohorts, query) || published > 1)
        return ERR_FORMAT;
    write_u32(w, query);
    write_u32(w, members);
    write_u32(w, published);
    for (uint32_t k = 0; k < 2 * cells; k++) {
        uint64_t theirs = read_u64(r);
        uint64_t ours = totals_sum(&a->totals, a->plan, query, k / 2 + (k % 2 ? cells : 0));
        if (!f61_valid(theirs))
            return ERR_FORMAT;
        write_u64(w, published ? snip_join(theirs, ours) : 0);
    }
    return OK;
}

static int on_sums(struct analyst *a, struct party *p, struct reader *r)
{
    const struct plan *plan = a->plan;
    size_t size = result_size(plan);
    uint8_t *result;
    struct writer w;
    int rc = OK;
    if (r->left != sums_len(plan, plan->n_queries) || read_u32(r) != plan->n_queries)
        return ERR_FORMAT;
    result = malloc(size);
    if (!result)
        return ERR_NOMEM;
    w = writer_of(result, size);
    write_u32(&w, plan->n);
    for (uint32_t rank = 0; rank < plan->n; rank++)
        write_u32(&w, a->marks[rank]);
    write_u32(&w, plan->n_queries);
    for (uint32_t i = 0; rc == OK && i < plan->n_queries; i++)
        rc = join_query(a, plan->query[i], r, &w);
    if (rc == OK) {
        ns_t closed = a->began + plan->opts->close_after, now = party_now(p);
        a->over = true;
        party_round(p, closed < now ? closed : now); /* a server may have closed early */
        party_result(p, result, w.len);
    }
    free(result);
    return rc;
}

int analyst_closing(struct analyst *a, struct party *p, uint32_t kind, struct reader *r)
{
    switch (kind) {
    case CHUNK:
        return on_chunk(a, p, r);
    case OPENED:
        return on_opened(a, p, r);
    case COUNTED:
        return on_counted(a, p, r);
    default:
        return on_sums(a, p, r);
    }
}
