#include "engine/run/evlog.h"

#include "engine/base/bytes.h"
#include "engine/run/evlog_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static const char *const kinds[] = {"start", "go", "timer", "up", "data", "room", "down"};
static const char *const reasons[] = {
#define X(name, text) text,
    DOWN_REASONS(X)
#undef X
};

/* ---- the head and the marks ----------------------------------------------------------- */

static const char *read_head(const uint8_t *p, size_t len, struct evlog *log, size_t *plain)
{
    uint64_t kept;
    if (len < EVLOG_HEAD || memcmp(p, EVLOG_MAGIC, 8) != 0)
        return "not a log of events, or of another version";
    log->digest = get_le64(p + 8);
    log->n_all = get_le64(p + 16);
    log->step = get_le32(p + 24);
    log->n_marks = get_le32(p + 28);
    kept = get_le32(p + 32);
    *plain = get_le32(p + 36);
    log->n = (size_t)kept;
    if (log->step < EVLOG_STEP || (log->step & (log->step - 1)) ||
        log->n_marks != log->n_all / log->step || log->n_marks > EVLOG_MARKS)
        return "its marks don't fit its events";
    if (kept != (log->n_all < EVLOG_EVENTS ? log->n_all : EVLOG_EVENTS) ||
        *plain > kept * EVLOG_EVENT_MAX)
        return "its sizes are wrong";
    if (len - EVLOG_HEAD < log->n_marks * EVLOG_MARK)
        return "it is cut off";
    return NULL;
}

static const char *read_marks(const uint8_t *p, struct evlog *log)
{
    ns_t before = 0;
    for (size_t i = 0; i < log->n_marks; i++, p += EVLOG_MARK) {
        log->marks[i] = (struct evlog_mark){(ns_t)get_le64(p), get_le64(p + 8)};
        if (log->marks[i].at < before)
            return "its marks go back in time";
        before = log->marks[i].at;
    }
    return NULL;
}

/* ---- the events ----------------------------------------------------------------------- */

struct bytes {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t get_number(struct bytes *b, uint64_t most)
{
    uint64_t v = 0;
    for (unsigned shift = 0; b->at < b->end && shift < 64; shift += 7) {
        uint64_t part = *b->at & 0x7f;
        if (shift == 63 && part > 1)
            break;
        v |= part << shift;
        if (!(*b->at++ & 0x80)) {
            b->bad |= v > most;
            return v;
        }
    }
    b->bad = true;
    return 0;
}

static bool read_event(struct bytes *b, struct evlog_event *e, const struct evlog_event *before)
{
    ns_t at = before ? before->at : 0;
    uint8_t head = b->at < b->end ? *b->at++ : 0xff;
    *e = (struct evlog_event){.kind = head & EVLOG_KIND, .peer = PARTY_NONE};
    e->at = at + (ns_t)get_number(b, (uint64_t)(NS_NEVER - at));
    e->node = before ? before->node : PARTY_NONE;
    if (!(head & EVLOG_SAME))
        e->node = (party_t)get_number(b, PARTY_NONE - 1);
    if (head & EVLOG_LINK)
        e->link = (link_t)get_number(b, UINT32_MAX);
    if (head & EVLOG_SIZE)
        e->size = get_number(b, UINT64_MAX);
    if (head & EVLOG_PEER)
        e->peer = (party_t)get_number(b, PARTY_NONE - 1);
    return !b->bad && !(head & 0x80) && e->kind <= EV_DOWN && e->node != PARTY_NONE;
}

static const char *read_events(const uint8_t *plain, size_t len, struct evlog *log)
{
    struct bytes b = {plain, plain + len, false};
    for (size_t i = 0; i < log->n; i++)
        if (!read_event(&b, &log->events[i], i ? &log->events[i - 1] : NULL))
            return "an event is none";
    return b.at == b.end ? NULL : "there is more than its events";
}

static const char *inflate_all(const uint8_t *from, size_t len, uint8_t *to, size_t plain)
{
    uLongf got = (uLongf)plain;
    uLong used = (uLong)len;
    uint8_t none;
    if (uncompress2(plain ? to : &none, plain ? &got : &(uLongf){1}, from, &used) != Z_OK ||
        used != len || got != plain)
        return "its zlib stream is damaged";
    return NULL;
}

int evlog_read(const uint8_t *data, size_t len, struct evlog *log, struct err *e)
{
    const char *wrong;
    uint8_t *text;
    size_t plain = 0, marks;
    *log = (struct evlog){0};
    wrong = read_head(data, len, log, &plain);
    if (wrong) {
        *log = (struct evlog){0};
        return err_set(e, ERR_FORMAT, "%s", wrong);
    }
    marks = log->n_marks * EVLOG_MARK;
    text = malloc(plain + 1);
    log->events = calloc(log->n + 1, sizeof *log->events);
    log->marks = calloc(log->n_marks + 1, sizeof *log->marks);
    if (!text || !log->events || !log->marks) {
        free(text);
        evlog_free(log);
        return err_set(e, ERR_NOMEM, "no memory for a log of events");
    }
    wrong = read_marks(data + EVLOG_HEAD, log);
    if (!wrong)
        wrong = inflate_all(data + EVLOG_HEAD + marks, len - EVLOG_HEAD - marks, text, plain);
    if (!wrong)
        wrong = read_events(text, plain, log);
    free(text);
    if (!wrong)
        return OK;
    evlog_free(log);
    return err_set(e, ERR_FORMAT, "%s", wrong);
}

void evlog_free(struct evlog *log)
{
    free(log->events);
    free(log->marks);
    *log = (struct evlog){0};
}

/* ---- comparing ------------------------------------------------------------------------ */

static bool same(const struct evlog_event *a, const struct evlog_event *b)
{
    return a->at == b->at && a->node == b->node && a->link == b->link && a->kind == b->kind &&
           a->size == b->size;
}

static const struct evlog_mark *mark_at(const struct evlog *log, uint64_t events)
{
    uint64_t i = events / log->step;
    return i && i <= log->n_marks ? &log->marks[i - 1] : NULL;
}

struct evlog_part evlog_compare(const struct evlog *a, const struct evlog *b)
{
    struct evlog_part p = {.where = EVLOG_EQUAL, .at_a = -1, .at_b = -1};
    size_t n = a->n < b->n ? a->n : b->n, i = 0;
    uint64_t step = a->step > b->step ? a->step : b->step, equal = n, at;
    while (i < n && same(&a->events[i], &b->events[i]))
        p.after = a->events[i++].at;
    if (i < n || a->n != b->n) {
        p.where = EVLOG_EVENT;
        p.from = p.until = i + 1;
        return p;
    }
    if (a->digest == b->digest && a->n_all == b->n_all)
        return p;
    p.where = EVLOG_RANGE;
    p.until = a->n_all > b->n_all ? a->n_all : b->n_all;
    for (at = step; mark_at(a, at) && mark_at(b, at); at += step) {
        const struct evlog_mark *x = mark_at(a, at), *y = mark_at(b, at);
        if (x->hash != y->hash && at > n) {
            p.until = at;
            p.at_a = x->at;
            p.at_b = y->at;
            break;
        }
        if (at > equal) {
            equal = at;
            p.after = x->at;
        }
    }
    p.from = equal + 1;
    return p;
}

/* ---- printing ------------------------------------------------------------------------- */

static const char *name_of(const struct roster *r, party_t id)
{
    return id < r->n && r->entries[id].name ? r->entries[id].name : "?";
}

const char *evlog_print(const struct evlog_event *e, const struct roster *r, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%" PRId64 " %s %s", e->at, name_of(r, e->node), kinds[e->kind]);
    size_t len = n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
    if (e->kind >= EV_UP) {
        n = snprintf(buf + len, cap - len, " link %" PRIu32 "%s%s", e->link,
                     e->kind == EV_DATA ? " from " : " with ",
                     e->peer == PARTY_NONE ? "nobody" : name_of(r, e->peer));
        len = len + (size_t)n < cap ? len + (size_t)n : cap - 1;
    }
    if (e->kind == EV_DOWN)
        snprintf(buf + len, cap - len, ": %s",
                 e->size < sizeof reasons / sizeof *reasons ? reasons[e->size] : "?");
    else if (e->kind == EV_DATA)
        snprintf(buf + len, cap - len, ", %" PRIu64 " bytes", e->size);
    else if (e->kind == EV_TIMER || e->size)
        snprintf(buf + len, cap - len, " %" PRIu64, e->size);
    return buf;
}
