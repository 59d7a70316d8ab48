#include "engine/protocols/share_url/ledger.h"

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdlib.h>

enum { USED_KEY = 1 + SEAL_TAG, LINE_KEY = 9, FULL_VALUE = LEDGER_VALUE + LEDGER_OUTBOX };

static const uint8_t tail_key[] = {'t'};

static void used_key(uint8_t key[USED_KEY], const uint8_t tag[SEAL_TAG])
{
    key[0] = 'u';
    memcpy(key + 1, tag, SEAL_TAG);
}

static void line_key(uint8_t key[LINE_KEY], uint64_t number)
{
    key[0] = 'l';
    put_le64(key + 1, number);
}

static int get(const struct ledger *l, const void *key, size_t key_len, void *out, size_t len)
{
    size_t got = 0;
    int rc = l->store->ops->get(l->store, key, key_len, out, len, &got);
    return rc == OK && got != len ? ERR_IO : rc;
}

static int remove_used(struct ledger *l, const uint8_t tag[SEAL_TAG])
{
    uint8_t key[USED_KEY];
    used_key(key, tag);
    return l->store->ops->remove(l->store, key, sizeof key);
}

static int remove_line(struct ledger *l, uint64_t number)
{
    uint8_t key[LINE_KEY];
    line_key(key, number);
    return l->store->ops->remove(l->store, key, sizeof key);
}

static int get_line(const struct ledger *l, uint64_t number, uint8_t tag[SEAL_TAG])
{
    uint8_t key[LINE_KEY];
    line_key(key, number);
    return get(l, key, sizeof key, tag, SEAL_TAG);
}

/* What is stored of a payload, and when it was used. */
static int get_used(const struct ledger *l, const uint8_t tag[SEAL_TAG], struct ledger_entry *e,
                    ns_t *used)
{
    uint8_t key[USED_KEY], value[FULL_VALUE];
    size_t len = 0;
    int rc;
    used_key(key, tag);
    rc = l->store->ops->get(l->store, key, sizeof key, value, sizeof value, &len);
    if (rc != OK)
        return rc;
    if (len != LEDGER_VALUE && len != FULL_VALUE)
        return ERR_IO;
    *e = (struct ledger_entry){.state = len == FULL_VALUE ? LEDGER_PENDING : LEDGER_SENT};
    memcpy(e->mac, value, LEDGER_MAC);
    *used = (ns_t)get_le64(value + LEDGER_MAC);
    if (len == FULL_VALUE) {
        memcpy(e->contact, value + LEDGER_VALUE, SEAL_CONTACT);
        memcpy(e->result, value + LEDGER_VALUE + SEAL_CONTACT, DEAL_RESULT);
    }
    return OK;
}

static size_t put_value(uint8_t value[FULL_VALUE], const struct ledger_entry *e, ns_t used)
{
    memcpy(value, e->mac, LEDGER_MAC);
    put_le64(value + LEDGER_MAC, (uint64_t)used);
    value[LEDGER_VALUE - 1] = (uint8_t)e->state;
    if (e->state == LEDGER_SENT)
        return LEDGER_VALUE;
    memcpy(value + LEDGER_VALUE, e->contact, SEAL_CONTACT);
    memcpy(value + LEDGER_VALUE + SEAL_CONTACT, e->result, DEAL_RESULT);
    return FULL_VALUE;
}

static uint64_t row_bytes(enum ledger_state state)
{
    return state == LEDGER_PENDING ? LEDGER_USED + LEDGER_OUTBOX : LEDGER_USED;
}

/* ---- rows in memory -------------------------------------------------------------------------- */

static int reserve(struct ledger *l)
{
    size_t cap = l->cap ? 2 * l->cap : 16;
    struct ledger_row *rows;
    if (l->n < l->cap)
        return OK;
    if (l->n >= LEDGER_ROWS_MAX)
        return ERR_LIMIT;
    rows = calloc(cap, sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->n; i++)
        rows[(l->first + i) % cap] = l->rows[(l->first + i) % l->cap];
    free(l->rows);
    l->rows = rows;
    l->cap = cap;
    return OK;
}

static struct ledger_row *append(struct ledger *l, const uint8_t tag[SEAL_TAG], ns_t used,
                                 enum ledger_state state)
{
    struct ledger_row *row = &l->rows[(l->first + l->n++) % l->cap];
    *row = (struct ledger_row){.used = used, .state = state};
    memcpy(row->tag, tag, SEAL_TAG);
    l->bytes += row_bytes(state);
    return row;
}

struct ledger_row *ledger_row(struct ledger *l, uint64_t number)
{
    return number - l->first < l->n ? &l->rows[number % l->cap] : NULL;
}

struct ledger_row *ledger_row_of(struct ledger *l, const uint8_t tag[SEAL_TAG])
{
    for (size_t i = l->n; i > 0; i--) {
        struct ledger_row *row = &l->rows[(l->first + i - 1) % l->cap];
        if (memcmp(row->tag, tag, SEAL_TAG) == 0)
            return row;
    }
    return NULL;
}

/* ---- reading, after a start ------------------------------------------------------------------ */

/* Removes the last row that was purged, as far as it is still there. */
static int sweep(struct ledger *l)
{
    uint8_t tag[SEAL_TAG];
    int rc = get_line(l, l->first - 1, tag);
    if (rc == OK)
        rc = remove_used(l, tag);
    if (rc == OK)
        rc = remove_line(l, l->first - 1);
    l->unswept = rc != OK && rc != ERR_ABSENT;
    return l->unswept ? rc : OK;
}

static int read_tail(struct ledger *l)
{
    uint8_t tail[16];
    int rc = get(l, tail_key, sizeof tail_key, tail, sizeof tail);
    if (rc == ERR_ABSENT)
        return OK;
    if (rc != OK)
        return rc;
    l->first = get_le64(tail);
    l->purged = (ns_t)get_le64(tail + 8);
    l->bytes += LEDGER_FIXED;
    return sweep(l);
}

static int read_rows(struct ledger *l)
{
    struct ledger_entry e;
    uint8_t tag[SEAL_TAG];
    ns_t used;
    int rc = OK;
    while (rc == OK) {
        rc = get_line(l, l->first + l->n, tag);
        if (rc == OK)
            rc = get_used(l, tag, &e, &used);
        if (rc == OK)
            rc = reserve(l);
        if (rc == OK)
            append(l, tag, used, e.state);
    }
    return rc == ERR_ABSENT ? OK : rc;
}

int ledger_open(struct ledger *l, struct store *store)
{
    int rc;
    if (l->open)
        return OK;
    ledger_free(l);
    l->store = store;
    rc = read_tail(l);
    if (rc == OK)
        rc = read_rows(l);
    l->open = rc == OK;
    return rc;
}

void ledger_free(struct ledger *l)
{
    free(l->rows);
    *l = (struct ledger){0};
}

/* ---- using, sending, purging ----------------------------------------------------------------- */

int ledger_find(const struct ledger *l, const uint8_t tag[SEAL_TAG], struct ledger_entry *e)
{
    ns_t used;
    return get_used(l, tag, e, &used);
}

int ledger_use(struct ledger *l, const uint8_t tag[SEAL_TAG], ns_t now,
               const struct ledger_entry *e, uint64_t *number)
{
    uint8_t line[LINE_KEY], key[USED_KEY], value[FULL_VALUE];
    int rc = reserve(l);
    if (rc != OK)
        return rc;
    *number = l->first + l->n;
    line_key(line, *number);
    rc = l->store->ops->put(l->store, line, sizeof line, tag, SEAL_TAG);
    if (rc != OK)
        return rc;
    used_key(key, tag);
    rc = l->store->ops->insert(l->store, key, sizeof key, value, put_value(value, e, now));
    if (rc == OK)
        append(l, tag, now, e->state);
    return rc;
}

int ledger_sent(struct ledger *l, struct ledger_row *row)
{
    uint8_t key[USED_KEY], value[FULL_VALUE];
    struct ledger_entry e;
    ns_t used;
    int rc = row->state == LEDGER_PENDING ? get_used(l, row->tag, &e, &used) : ERR_STATE;
    if (rc != OK)
        return rc;
    e.state = LEDGER_SENT;
    used_key(key, row->tag);
    rc = l->store->ops->put(l->store, key, sizeof key, value, put_value(value, &e, used));
    if (rc == OK) {
        row->state = LEDGER_SENT;
        l->bytes -= LEDGER_OUTBOX;
    }
    return rc;
}

static int purge_first(struct ledger *l, ns_t now, uint64_t *unsent)
{
    struct ledger_row row = l->rows[l->first % l->cap];
    uint8_t tail[16];
    int rc;
    put_le64(tail, l->first + 1);
    put_le64(tail + 8, (uint64_t)(now > l->purged ? now : l->purged));
    rc = l->store->ops->put(l->store, tail_key, sizeof tail_key, tail, sizeof tail);
    if (rc != OK)
        return rc;
    l->purged = (ns_t)get_le64(tail + 8);
    l->bytes += l->first == 0 ? (uint64_t)LEDGER_FIXED : 0;
    l->bytes -= row_bytes(row.state);
    *unsent += row.state == LEDGER_PENDING;
    l->first++;
    l->n--;
    return sweep(l);
}

int ledger_purge(struct ledger *l, ns_t now, ns_t until, uint64_t *unsent)
{
    int rc = l->unswept ? sweep(l) : OK;
    while (rc == OK && l->n && l->rows[l->first % l->cap].used < until)
        rc = purge_first(l, now, unsent);
    return rc;
}
