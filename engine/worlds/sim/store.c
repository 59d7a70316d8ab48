#include "engine/worlds/sim/store.h"

#include "engine/base/err.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_BUCKETS = 8 };

struct sim_store_entry {
    struct sim_store_entry *next;
    uint64_t hash;
    uint32_t key_len, len;
    unsigned char bytes[]; /* key, value */
};

struct key {
    const void *at;
    size_t len;
    uint64_t hash;
};

static struct key key_of(const void *at, size_t len)
{
    return (struct key){at, len, XXH3_64bits(at, len)};
}

/* Where the entry hangs, or where a new one would: *result is NULL if it is absent. */
static struct sim_store_entry **find(const struct sim_store *s, struct key key)
{
    struct sim_store_entry **at = &s->buckets[key.hash & (s->n_buckets - 1)];
    while (*at && !((*at)->hash == key.hash && (*at)->key_len == key.len &&
                    memcmp((*at)->bytes, key.at, key.len) == 0))
        at = &(*at)->next;
    return at;
}

static int grow(struct sim_store *s)
{
    uint32_t n = s->n_buckets ? 2 * s->n_buckets : FIRST_BUCKETS;
    struct sim_store_entry **buckets = n ? calloc(n, sizeof(struct sim_store_entry *)) : NULL;
    if (!buckets)
        return ERR_LIMIT;
    for (size_t i = 0; i < s->n_buckets; i++) {
        struct sim_store_entry *e = s->buckets[i];
        while (e) {
            struct sim_store_entry *next = e->next, **to = &buckets[e->hash & (n - 1)];
            e->next = *to;
            *to = e;
            e = next;
        }
    }
    free(s->buckets);
    s->buckets = buckets;
    s->n_buckets = n;
    return OK;
}

static void drop(struct sim_store *s, struct sim_store_entry **at)
{
    struct sim_store_entry *e = *at;
    *at = e->next;
    s->bytes -= e->key_len + e->len;
    s->n--;
    free(e);
}

static int set(struct sim_store *s, struct key key, const void *value, size_t len)
{
    struct sim_store_entry **at, *e;
    if (s->n >= s->n_buckets && grow(s) != OK)
        return ERR_LIMIT;
    at = find(s, key);
    if (s->bytes - (*at ? (*at)->key_len + (*at)->len : 0) + key.len + len > SIM_STORE_BYTES_MAX)
        return ERR_LIMIT;
    e = malloc(sizeof *e + key.len + len);
    if (!e)
        return ERR_LIMIT;
    if (*at)
        drop(s, at);
    e->hash = key.hash;
    e->key_len = (uint32_t)key.len;
    e->len = (uint32_t)len;
    memcpy(e->bytes, key.at, key.len);
    if (len)
        memcpy(e->bytes + key.len, value, len);
    e->next = *at;
    *at = e;
    s->n++;
    s->bytes += (uint32_t)(key.len + len);
    return OK;
}

/* ---- an operation, with its fate ------------------------------------------------------ */

static int die(struct sim_store *s)
{
    s->dead = true;
    s->fate->fired++;
    if (s->fate->died)
        s->fate->died(s);
    return ERR_IO;
}

/* Before the effect: OK, or why there is none. */
static int begin(struct sim_store *s, size_t key_len, size_t len)
{
    struct store_fate *f = s->fate;
    if (s->dead)
        return ERR_IO;
    if (f) {
        f->operations++;
        if (f->operations == f->die_before)
            return die(s);
        if (f->operations == f->fail) {
            f->fired++;
            return ERR_IO;
        }
    }
    if (key_len == 0)
        return ERR_INVALID;
    return key_len > STORE_KEY_MAX || len > STORE_VALUE_MAX ? ERR_TOO_BIG : OK;
}

/* After it: what the caller is told. */
static int end(struct sim_store *s, int rc)
{
    if (s->fate && s->fate->operations == s->fate->die_after)
        return die(s);
    return rc;
}

static int op_get(struct store *base, const void *key, size_t key_len, void *out, size_t cap,
                  size_t *len)
{
    struct sim_store *s = (struct sim_store *)base;
    const struct sim_store_entry *e;
    int rc = begin(s, key_len, 0);
    if (rc != OK)
        return rc;
    e = s->n ? *find(s, key_of(key, key_len)) : NULL;
    if (!e)
        return end(s, ERR_ABSENT);
    if (cap)
        memcpy(out, e->bytes + key_len, e->len < cap ? e->len : cap);
    *len = e->len;
    return end(s, OK);
}

static int op_put(struct store *base, const void *key, size_t key_len, const void *value,
                  size_t len)
{
    struct sim_store *s = (struct sim_store *)base;
    int rc = begin(s, key_len, len);
    return rc == OK ? end(s, set(s, key_of(key, key_len), value, len)) : rc;
}

static int op_insert(struct store *base, const void *key, size_t key_len, const void *value,
                     size_t len)
{
    struct sim_store *s = (struct sim_store *)base;
    struct key k;
    int rc = begin(s, key_len, len);
    if (rc != OK)
        return rc;
    k = key_of(key, key_len);
    return end(s, s->n && *find(s, k) ? ERR_EXISTS : set(s, k, value, len));
}

static int op_remove(struct store *base, const void *key, size_t key_len)
{
    struct sim_store *s = (struct sim_store *)base;
    struct sim_store_entry **at;
    int rc = begin(s, key_len, 0);
    if (rc != OK)
        return rc;
    at = s->n ? find(s, key_of(key, key_len)) : NULL;
    if (at && *at)
        drop(s, at);
    return end(s, OK);
}

static const struct store_ops ops = {
    .get = op_get,
    .put = op_put,
    .insert = op_insert,
    .remove = op_remove,
};

void sim_store_init(struct sim_store *s, struct store_fate *fate)
{
    *s = (struct sim_store){.base = {.ops = &ops}, .fate = fate};
}

void sim_store_revive(struct sim_store *s)
{
    s->dead = false;
}

void sim_store_free(struct sim_store *s)
{
    for (size_t i = 0; i < s->n_buckets; i++)
        while (s->buckets[i])
            drop(s, &s->buckets[i]);
    free(s->buckets);
    sim_store_init(s, s->fate);
}
