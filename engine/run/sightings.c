#include "engine/run/sightings.h"

#include "engine/base/map.h"
#include "engine/observers/record.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#define NONE UINT32_MAX

struct seen {
    struct addr addr;
    uint32_t next; /* of the same hash */
};

struct sightings {
    FILE *file;
    char *path;
    uint64_t n, limit;
    bool cut, ended;
    struct map by_hash;
    struct seen *seen; /* every address in it */
    uint32_t n_seen, cap;
    int broken;
};

static void put(struct sightings *s, const uint8_t *data, size_t len)
{
    if (fwrite(data, 1, len, s->file) != len)
        s->broken = ERR_IO;
}

static void note(struct sightings *s, const struct addr *a)
{
    uint8_t bytes[18];
    uint32_t key, head;
    memcpy(bytes, a->ip, 16);
    memcpy(bytes + 16, &a->port, 2);
    key = (uint32_t)XXH3_64bits(bytes, sizeof bytes) | 1;
    head = map_get(&s->by_hash, key, NONE);
    for (uint32_t i = head; i != NONE; i = s->seen[i].next)
        if (addr_equal(&s->seen[i].addr, a))
            return;
    if (s->n_seen == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 64;
        struct seen *more = realloc(s->seen, cap * sizeof *more);
        if (!more) {
            s->broken = ERR_NOMEM;
            return;
        }
        s->seen = more;
        s->cap = cap;
    }
    s->seen[s->n_seen] = (struct seen){*a, head};
    if (map_put(&s->by_hash, key, s->n_seen) == OK)
        s->n_seen++;
    else
        s->broken = ERR_NOMEM;
}

void sightings_take(struct sightings *s, const struct sighting *x, const struct packet_truth *truth,
                    uint32_t on_stream)
{
    uint8_t entry[RECORD_ENTRY_MAX];
    if (s->n == s->limit) {
        s->cut = true;
        return;
    }
    s->n++;
    if (truth)
        put(s, entry, record_truth(entry, truth, on_stream));
    put(s, entry, record_sighting(entry, x));
    if (x->visible && x->visible->kind == SHOWN_ADDRESS)
        note(s, &x->visible->addr);
    if (!x->visible && !x->kept) {
        note(s, &x->from);
        note(s, &x->to);
    }
}

static void take(void *ctx, const struct sighting *x, const struct packet_truth *truth)
{
    sightings_take(ctx, x, truth, 0);
}

void sightings_end(struct sightings *s, const struct truth *truth, ns_t now)
{
    uint8_t entry[RECORD_ENTRY_MAX];
    for (uint32_t i = 0; truth && i < s->n_seen; i++) {
        party_t who = truth->owner(truth->world, &s->seen[i].addr);
        if (who != PARTY_NONE)
            put(s, entry, record_owner(entry, &s->seen[i].addr, who));
    }
    put(s, entry, record_end(entry, now, s->n, s->cut));
    s->ended = true;
}

static void end(void *ctx, const struct truth *truth, ns_t now)
{
    sightings_end(ctx, truth, now);
}

static void put_text(struct sightings *s, const char *text)
{
    uint8_t n = (uint8_t)(strlen(text) > RECORD_TEXT_MAX ? RECORD_TEXT_MAX : strlen(text));
    put(s, &n, 1);
    put(s, (const uint8_t *)text, n);
}

static void put_head(struct sightings *s, const struct trial_spec *t, unsigned wants)
{
    const struct roster *r = t->roster;
    uint32_t regions = t->regions ? t->regions->n : 0;
    uint8_t head[RECORD_HEAD], address[RECORD_ENTRY_MAX];
    static const struct addr nowhere;
    record_head(head, wants, r->n, r->n_parties, regions);
    put(s, head, sizeof head);
    for (uint32_t i = 0; i < r->n; i++) {
        put_text(s, r->entries[i].name);
        put_text(s, r->entries[i].role);
        put(s, address, record_address(address, i < r->n_parties ? &nowhere : &r->entries[i].addr));
    }
    for (uint32_t i = 0; i < regions; i++)
        put_text(s, t->regions->names[i]);
}

int sightings_open(struct sightings **out, const char *path, const struct trial_spec *t,
                   unsigned wants, uint64_t limit, struct err *e)
{
    struct sightings *s = calloc(1, sizeof *s);
    if (!s || t->roster->n > RECORD_NODES_MAX) {
        free(s);
        return err_set(e, ERR_LIMIT, "%s: too many nodes to record what is seen", path);
    }
    s->limit = limit;
    s->path = strdup(path);
    s->file = s->path ? fopen(path, "wb") : NULL;
    if (!s->file) {
        int rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
        free(s->path);
        free(s);
        return rc;
    }
    put_head(s, t, wants);
    *out = s;
    return OK;
}

int sightings_begin(struct sightings **out, const char *path, const struct trial_spec *t,
                    struct trace *to, uint64_t limit, struct err *e)
{
    const unsigned wants = SIGHTINGS_OF_NODES | WANT_LINE_OPENS | WANT_LINE | WANT_BORDER;
    int rc = sightings_open(out, path, t, wants, limit, e);
    if (rc != OK)
        return rc;
    to->sights = wants;
    to->sighting = take;
    to->sighted = end;
    to->sights_ctx = *out;
    return OK;
}

int sightings_close(struct sightings *s, struct err *e)
{
    int rc = s->broken;
    if (fclose(s->file) != 0)
        rc = ERR_IO;
    if (rc != OK) {
        unlink(s->path);
        err_set(e, rc, "%s: can't be written", s->path);
    } else if (!s->ended) {
        unlink(s->path); /* a world that shows nobody what is seen */
    }
    map_free(&s->by_hash);
    free(s->seen);
    free(s->path);
    free(s);
    return rc;
}
