/* The server's part when the session is closed: chunk after chunk of submissions goes to the
 * analyst, is verified with her, and added up; then the aggregates. A chunk is counted once, in
 * order; from the first one everything may be repeated (either side may have crashed), but only
 * with the same challenge and to the same end: else an analyst could leave people out and learn
 * the rest by subtraction. */
#include "engine/crypto/field61.h"
#include "engine/protocols/web_mpc/inner.h"

#include <sodium.h>

/* ---- FETCH ---------------------------------------------------------------------------------- */

static void swap_boxes(uint8_t *entries)
{
    uint8_t box[BOX_LEN], *a = entries + ENTRY - BOX_LEN, *b = a + ENTRY;
    memcpy(box, a, BOX_LEN);
    memcpy(a, b, BOX_LEN);
    memcpy(b, box, BOX_LEN);
}

static void on_fetch(struct server *s, struct party *p, uint32_t first)
{
    const struct plan *plan = s->plan;
    struct writer w = writer_of(s->reply, s->reply_cap);
    uint32_t n = 0, id = first;
    if (s->session != SESSION_STOPPED || (first != 0 && first != s->first)) {
        server_deny(s, p, REFUSAL_ORDER);
        return;
    }
    write_room(&w, 8);
    for (; id < plan->n && n < (uint32_t)plan->opts->chunk; id++) {
        if (!s->slots[id].counter || server_load(s, p, id) != OK)
            continue;
        write_u32(&w, id);
        write_bytes(&w, s->record, RECORD_HEAD);
        n++;
    }
    if (first == 0 && n > 1 && plan->opts->attack == ATTACK_SWAPPED_SHARES)
        swap_boxes(s->reply + 8);
    put_le32(s->reply, id);
    put_le32(s->reply + 4, n);
    s->first = first;
    s->next = id;
    s->fetched = true;
    s->opened = false;
    server_reply(s, p, CHUNK, w.len);
}

/* ---- OPEN ----------------------------------------------------------------------------------- */

/* The first challenge stands for ever. */
static int take_challenge(struct server *s, struct party *p, const uint8_t *challenge)
{
    struct store *store = party_store(p);
    uint8_t first[SNIP_SEED];
    size_t len = 0;
    int rc = store->ops->insert(store, "challenge", 9, challenge, SNIP_SEED);
    if (rc == ERR_EXISTS && (server_get(p, "challenge", first, sizeof first, &len) != OK ||
                             len != sizeof first || memcmp(first, challenge, sizeof first) != 0))
        return ERR_MISMATCH;
    if (rc != OK && rc != ERR_EXISTS)
        return rc;
    if (!s->has_query && snip_query_init(&s->query, &s->plan->snip, challenge) != OK)
        return ERR_NOMEM;
    s->has_query = true;
    return OK;
}

/* Our share of the submission in s->record, into the batch's room for one. */
static bool own_share(struct server *s, uint32_t id)
{
    size_t n = s->plan->len;
    uint64_t *share = s->batch.share;
    uint8_t *bytes = (uint8_t *)share, hash[BOX_HASH];
    if (box_unrest(s->rest_key, id, get_le32(s->record), s->record + RECORD_HEAD - BOX_LEN,
                   s->record + RECORD_HEAD, 8 * n, bytes))
        return false;
    box_hash(bytes, 8 * n, hash);
    if (memcmp(hash, s->record + 8, sizeof hash) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        share[i] = get_le64(bytes + 8 * i);
        if (!f61_valid(share[i]))
            return false;
    }
    return true;
}

static void fill_batch(struct server *s, struct party *p)
{
    s->batch.n = 0;
    for (uint32_t id = s->first; id < s->next; id++) {
        bool good;
        if (!s->slots[id].counter || server_load(s, p, id) != OK)
            continue;
        good = own_share(s, id);
        if (!good)
            party_drop(p, DROP_PROTOCOL_AUTH);
        batch_add(&s->batch, &s->query, id, get_le32(s->record), get_le32(s->record + 4), good);
    }
    party_charge(p, COST_AEAD, s->batch.n);
    party_charge(p, COST_FIELD_MUL, 2 * s->batch.n * s->plan->len);
}

static void on_open(struct server *s, struct party *p, struct reader *r)
{
    const uint8_t *challenge = read_bytes(r, SNIP_SEED);
    uint32_t n = read_u32(r);
    struct writer w = writer_of(s->reply, s->reply_cap);
    int rc;
    if (r->bad || r->left != 16 * (size_t)n) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        return;
    }
    if (!s->fetched || s->opened) {
        server_deny(s, p, REFUSAL_ORDER);
        return;
    }
    rc = take_challenge(s, p, challenge);
    if (rc == OK)
        fill_batch(s, p);
    if (rc != OK || s->batch.n != n) {
        server_deny(s, p, rc == ERR_MISMATCH ? REFUSAL_CHANGED : REFUSAL_STORE);
        return;
    }
    write_u32(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        struct batch_entry *entry = &s->batch.entries[i];
        uint64_t d = read_u64(r), e = read_u64(r);
        bool ours = entry->good;
        batch_sigma(entry, d, e, true);
        write_u64(&w, ours ? entry->half.d : NO_SHARE);
        write_u64(&w, ours ? entry->half.e : NO_SHARE);
        write_u64(&w, entry->good ? entry->sigma : NO_SHARE);
    }
    s->opened = true;
    server_reply(s, p, OPENED, w.len);
}

/* ---- SIGMA ---------------------------------------------------------------------------------- */

/* valid becomes the hash of itself and of who passed with which submission. */
static void chain(struct server *s)
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, BOX_HASH);
    crypto_generichash_update(&h, s->valid, BOX_HASH);
    for (uint32_t i = 0; i < s->batch.n; i++) {
        const struct batch_entry *e = &s->batch.entries[i];
        uint8_t line[9];
        put_le32(line, e->id);
        put_le32(line + 4, e->counter);
        line[8] = e->valid;
        crypto_generichash_update(&h, line, sizeof line);
    }
    crypto_generichash_final(&h, s->valid, BOX_HASH);
}

static void on_sigma(struct server *s, struct party *p, struct reader *r)
{
    uint32_t n = read_u32(r);
    if (r->bad || r->left != 8 * (size_t)n) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        return;
    }
    if (!s->opened || n != s->batch.n) {
        server_deny(s, p, REFUSAL_ORDER);
        return;
    }
    if (s->first == 0) {
        totals_reset(&s->totals, s->plan);
        memset(s->valid, 0, sizeof s->valid);
    }
    for (uint32_t i = 0; i < n; i++)
        batch_judge(&s->batch.entries[i], read_u64(r), true);
    batch_count(&s->batch, &s->totals);
    chain(s);
    s->first = s->next;
    s->fetched = s->opened = false;
    put_le32(s->reply, n);
    server_reply(s, p, COUNTED, 4);
}

/* ---- RELEASE -------------------------------------------------------------------------------- */

/* What was given out before, and what may be now: kept before it is given. */
static int judge_queries(struct server *s, struct party *p, const uint8_t *asked, uint32_t n,
                         bool *allowed)
{
    uint8_t kept[4 * COHORT_QUERIES_MAX];
    uint32_t given[COHORT_QUERIES_MAX], n_given = 0;
    size_t len = 0;
    if (server_get(p, "published", kept, sizeof kept, &len) == OK && len <= sizeof kept)
        for (; 4 * n_given < len; n_given++)
            given[n_given] = get_le32(kept + 4 * n_given);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t query = get_le32(asked + 4 * i);
        allowed[i] = false;
        for (uint32_t k = 0; k < n_given; k++)
            allowed[i] |= given[k] == query;
        if (allowed[i] || n_given == COHORT_QUERIES_MAX || query >> s->plan->cohorts ||
            !cohort_allows(&s->totals.cohorts, given, n_given, query))
            continue;
        allowed[i] = true;
        put_le32(kept + 4 * n_given, query);
        given[n_given++] = query;
    }
    return server_put(p, "published", kept, 4 * (size_t)n_given);
}

static int same_submissions(struct server *s, struct party *p)
{
    struct store *store = party_store(p);
    uint8_t first[BOX_HASH];
    size_t len = 0;
    int rc = store->ops->insert(store, "valid", 5, s->valid, BOX_HASH);
    if (rc != ERR_EXISTS)
        return rc;
    rc = server_get(p, "valid", first, sizeof first, &len);
    return rc == OK && (len != sizeof first || memcmp(first, s->valid, sizeof first) != 0)
               ? ERR_MISMATCH
               : rc;
}

static void on_release(struct server *s, struct party *p, struct reader *r)
{
    uint32_t n = read_u32(r);
    bool allowed[COHORT_QUERIES_MAX];
    const uint8_t *asked = r->at;
    struct writer w = writer_of(s->reply, s->reply_cap);
    int rc;
    if (r->bad || n > s->plan->n_queries || r->left != 4 * (size_t)n) {
        party_drop(p, DROP_PROTOCOL_FORMAT);
        return;
    }
    if (s->session != SESSION_STOPPED || s->fetched || s->first != s->plan->n) {
        server_deny(s, p, REFUSAL_ORDER);
        return;
    }
    rc = same_submissions(s, p);
    if (rc == OK)
        rc = judge_queries(s, p, asked, n, allowed);
    if (rc != OK) {
        server_deny(s, p, rc == ERR_MISMATCH ? REFUSAL_CHANGED : REFUSAL_STORE);
        return;
    }
    write_u32(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t query = get_le32(asked + 4 * i), width = s->plan->cells;
        write_u32(&w, cohort_members(&s->totals.cohorts, query));
        write_u32(&w, allowed[i]);
        for (uint32_t k = 0; k < 2 * width; k++) /* of each cell: the value's, then the square's */
            write_u64(&w, allowed[i]
                              ? totals_sum(&s->totals, s->plan, query, k / 2 + (k % 2 ? width : 0))
                              : 0);
    }
    server_reply(s, p, SUMS, w.len);
}

void server_close(struct server *s, struct party *p, uint32_t kind, struct reader *r)
{
    if (kind == FETCH && r->left == 4)
        on_fetch(s, p, read_u32(r));
    else if (kind == OPEN)
        on_open(s, p, r);
    else if (kind == SIGMA)
        on_sigma(s, p, r);
    else if (kind == RELEASE)
        on_release(s, p, r);
    else
        party_drop(p, DROP_PROTOCOL_FORMAT);
}
