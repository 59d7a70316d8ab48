/* What is kept of a trial's events: enough to show the first one in which two runs differ.
 *
 * A deterministic world tells every event as the digest takes it (struct trace, events). Kept are
 * the first EVLOG_EVENTS of them, with the node that each one comes from; and of all, marks: the
 * time and a running hash of the records after each EVLOG_STEP events. There are at most
 * EVLOG_MARKS: when they are full every second one goes, and the step doubles. So a log is bounded,
 * whatever the trial; beyond its events two logs still tell between which of them, and when, the
 * trials part.
 *
 * The file, events/<cell>-<trial>.bin, little-endian:
 *    0  8  "PLEVENT1"
 *    8  8  the trial's digest
 *   16  8  how many events there were
 *   24  4  events from mark to mark: EVLOG_STEP, doubled as often as needed
 *   28  4  marks
 *   32  4  events kept: all, or EVLOG_EVENTS
 *   36  4  bytes of them, inflated
 *   40     marks: time (8), running hash (8)
 *          the events: a zlib stream to the end of the file
 * An event is a head (kind in 3 bits; flags: same node as before, a link, a size, a peer), then as
 * unsigned LEB128: the time since the event before, and node, link, size and peer where the head
 * says so. The bytes depend on the version of zlib, as those of latency.hlog do.
 */
#ifndef PARTYLINE_RUN_EVLOG_H
#define PARTYLINE_RUN_EVLOG_H

#include "engine/world.h"

/* In a run's folder: the logs' own, and the file's name for cell and trial, both unsigned. */
#define EVLOG_DIR "events"
#define EVLOG_NAME EVLOG_DIR "/%u-%u.bin"

enum {
    EVLOG_EVENTS = 1 << 14,
    EVLOG_STEP = 1 << 12,
    EVLOG_MARKS = 1 << 10,
    EVLOG_FILE_MAX = 2 << 20 /* bytes of a file; no log is longer */
};

struct evlog_event {
    ns_t at;
    party_t node, peer; /* peer: PARTY_NONE without one */
    link_t link;
    enum event_kind kind;
    uint64_t size; /* EV_TIMER: its number; EV_DOWN: the reason */
};

struct evlog_mark {
    ns_t at;
    uint64_t hash;
};

/* ---- writing -------------------------------------------------------------------------- */

struct evlog_writer;

struct evlog_writer *evlog_writer_new(void); /* NULL: no memory */
void evlog_writer_free(struct evlog_writer *);
/* As struct trace wants it: ctx is the writer. */
void evlog_take(void *ctx, const uint8_t *records, const party_t *peers, size_t n);
uint64_t evlog_taken(const struct evlog_writer *);
/* The file; *out is malloc'd. ERR_NOMEM, also for an evlog_take that had none. */
int evlog_pack(const struct evlog_writer *, uint64_t digest, uint8_t **out, size_t *len);

/* ---- reading -------------------------------------------------------------------------- */

struct evlog {
    uint64_t digest, n_all, step;
    struct evlog_event *events; /* the first n */
    size_t n;
    struct evlog_mark *marks; /* the i-th is of the first (i + 1) * step events */
    size_t n_marks;
};

/* Foreign bytes: checked. ERR_FORMAT with a sentence, ERR_NOMEM. */
int evlog_read(const uint8_t *data, size_t len, struct evlog *, struct err *);
void evlog_free(struct evlog *);

/* Where two logs part. */
struct evlog_part {
    enum {
        EVLOG_EQUAL,
        EVLOG_EVENT, /* in event `from`, counted from 1; the shorter log may not have it */
        EVLOG_RANGE  /* among the events from..until; both logs' times in at_a, at_b */
    } where;
    uint64_t from, until; /* until: the last one of the longer trial, or a mark */
    ns_t after;           /* a time at or before the difference; and */
    ns_t at_a, at_b;      /* of the mark behind it; -1: the trial's end */
};

struct evlog_part evlog_compare(const struct evlog *a, const struct evlog *b);

/* "time node kind [link peer] [size]" in words; entries may lack the node. Returns buf. */
const char *evlog_print(const struct evlog_event *, const struct roster *, char *buf, size_t cap);

#endif
