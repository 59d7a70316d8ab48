#include "engine/run/replay.h"

#include "engine/observers/record.h"
#include "engine/run/files.h"
#include "engine/run/observe_truth.h"

#include <errno.h>
#include <stdlib.h>

enum { RECORDING_MAX = 1 << 28 };

struct file {
    struct record record;
    char *data;
    party_t node;
};

/* A sighting in a file; `at` is where it begins, or its truth. */
struct entry {
    ns_t when;
    uint32_t file;
    size_t at;
};

struct replay {
    struct replay_setup setup;
    struct file *files;
    uint32_t n_files, cap_files;
    struct entry *entries;
    size_t n, cap, next;
    struct observe_truth *truth;
    struct sights *sights;
    struct err *e;
    int broken;
};

unsigned replay_wants(const struct trial_spec *t, const struct trace *trace)
{
    unsigned wants = trace ? trace->sights : 0;
    for (size_t i = 0; i < t->n_observers; i++)
        if (!t->observers[i].nowhere && strcmp(t->observers[i].ops->name, "exposure") != 0)
            wants |= t->observers[i].ops->wants;
    return wants;
}

int replay_new(struct replay **out, const struct replay_setup *setup)
{
    struct replay *r = calloc(1, sizeof *r);
    if (r)
        r->truth = observe_truth_new(setup->spec->roster->n);
    if (!r || !r->truth) {
        free(r);
        return ERR_NOMEM;
    }
    r->setup = *setup;
    *out = r;
    return OK;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->n_files; i++)
        free(r->files[i].data);
    free(r->files);
    free(r->entries);
    observe_truth_free(r->truth);
    sights_free(r->sights);
    free(r);
}

/* ---- what nodes wrote down -------------------------------------------------------------- */

static bool push(struct replay *r, struct entry x)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 1024;
        struct entry *more = realloc(r->entries, cap * sizeof *more);
        if (!more)
            return false;
        r->entries = more;
        r->cap = cap;
    }
    r->entries[r->n++] = x;
    return true;
}

static bool is_sighting(char kind)
{
    return kind == 'S' || kind == 'V' || kind == 'K';
}

static int list_entries(struct replay *r, uint32_t file)
{
    struct record *rec = &r->files[file].record;
    struct record_entry x;
    size_t from = rec->at, before = SIZE_MAX; /* before: where its truth is */
    for (; record_next(rec, &x, NULL) == OK; from = rec->at) {
        if (x.kind == 'T')
            before = from;
        if (!is_sighting(x.kind))
            continue;
        if (x.sighting.at == r->files[file].node && x.sighting.point == SIGHT_NODE &&
            !push(r, (struct entry){x.sighting.when, file, before == SIZE_MAX ? from : before}))
            return ERR_NOMEM;
        before = SIZE_MAX;
    }
    return OK;
}

int replay_add(struct replay *r, party_t node, const char *path, struct err *e)
{
    struct file f = {.node = node};
    size_t len;
    int rc = files_read(path, RECORDING_MAX, &f.data, &len, e);
    if (rc != OK)
        return rc;
    rc = record_open(&f.record, (const uint8_t *)f.data, len, e);
    if (rc == OK && f.record.n_nodes != r->setup.spec->roster->n)
        rc = err_set(e, ERR_FORMAT, "%s: of another trial", path);
    if (rc == OK && r->n_files == r->cap_files) {
        uint32_t cap = r->cap_files ? 2 * r->cap_files : 16;
        struct file *more = realloc(r->files, cap * sizeof *more);
        if (more) {
            r->files = more;
            r->cap_files = cap;
        }
        rc = more ? OK : err_set(e, ERR_NOMEM, "%s: no memory", path);
    }
    if (rc != OK) {
        free(f.data);
        return rc;
    }
    r->files[r->n_files++] = f;
    return list_entries(r, r->n_files - 1) == OK ? OK : err_set(e, ERR_NOMEM, "no memory");
}

static int by_time(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* ---- playing it ------------------------------------------------------------------------- */

/* As the lines have a node's own address. */
static struct packet_truth note(struct replay *r, const struct record_entry *x,
                                const struct packet_truth *truth, uint32_t on_stream)
{
    struct sighting s = x->sighting;
    struct addr *own = s.out ? &s.from : &s.to;
    struct packet_truth known;
    memcpy(own->ip, r->setup.outside[s.at].ip, sizeof own->ip);
    known = observe_truth_note(r->truth, &s, truth, on_stream);
    if (r->setup.truth && x->kind == 'S' && !s.datagram && (s.out || s.opens))
        sightings_take(r->setup.truth, &s, &known, on_stream);
    return known;
}

static void play(struct replay *r, const struct entry *entry)
{
    struct record *rec = &r->files[entry->file].record;
    struct packet_truth truth = {0};
    struct record_entry x = {0};
    uint32_t on_stream = 0;
    rec->at = entry->at;
    rec->ended = false;
    if (record_next(rec, &x, NULL) == OK && x.kind == 'T') {
        truth = x.truth;
        on_stream = x.on_stream;
        if (record_next(rec, &x, NULL) != OK)
            return;
    }
    if (!is_sighting(x.kind))
        return;
    truth = note(r, &x, &truth, on_stream);
    if (r->sights)
        sights_see(r->sights, &x.sighting, &truth);
}

static void play_until(struct replay *r, ns_t when)
{
    while (r->next < r->n && r->entries[r->next].when <= when)
        play(r, &r->entries[r->next++]);
}

/* Where it arrives. */
static void see_border(const struct replay *r, struct sighting s, const struct packet_truth *truth)
{
    const struct host_spec *hosts = r->setup.spec->hosts;
    party_t from = observe_owner(r->setup.people, &s.from);
    if (s.out || from >= r->setup.spec->roster->n || hosts[from].region == hosts[s.at].region)
        return;
    s.point = SIGHT_BORDER;
    s.beyond = hosts[s.at].region;
    s.at = hosts[from].region;
    sights_see(r->sights, &s, truth);
}

static void see(void *ctx, const struct sighting *s, const struct packet_truth *truth)
{
    const struct replay *r = ctx;
    if (!r->sights)
        return;
    if (sights_wants(r->sights) & WANT_BORDER)
        see_border(r, *s, truth);
    sights_see(r->sights, s, truth);
}

/* What nodes saw before a packet was caught comes first: they know what it is. */
static void reach(void *ctx, ns_t when)
{
    play_until(ctx, when);
}

static int play_all(struct replay *r)
{
    const struct observe_capture capture = {.name = r->setup.pcap,
                                            .people = r->setup.people,
                                            .truth = r->truth,
                                            .reach = reach,
                                            .see = see,
                                            .ctx = r};
    ns_t ended;
    FILE *f;
    int rc = OK;
    if (r->n)
        qsort(r->entries, r->n, sizeof *r->entries, by_time);
    if (r->setup.pcap) {
        f = fopen(r->setup.pcap, "rb");
        rc = f ? observe_pcap(f, &capture, &ended, r->e)
               : err_set(r->e, ERR_IO, "%s: %s", r->setup.pcap, strerror(errno));
    }
    if (r->setup.ended == 0 && r->n)
        r->setup.ended = r->entries[r->n - 1].when;
    play_until(r, r->setup.ended);
    return rc;
}

int replay_play(struct replay *r, struct sights_found *found, struct err *e)
{
    const struct trace *trace = r->setup.trace;
    struct sights_setup setup = {.observers = r->setup.spec->observers,
                                 .n_observers = r->setup.spec->n_observers,
                                 .roster = &r->setup.people->roster,
                                 .owner = observe_owner,
                                 .world = r->setup.people,
                                 .seed = r->setup.seed};
    int rc;
    *found = (struct sights_found){0};
    r->e = e;
    if (trace && trace->sighting) {
        setup.record = trace->sighting;
        setup.recorded = trace->sighted;
        setup.record_ctx = trace->sights_ctx;
        setup.record_wants = trace->sights;
    }
    rc = sights_new(&r->sights, &setup, e);
    if (rc == OK)
        rc = play_all(r);
    if (rc == OK && observe_truth_broken(r->truth) != OK)
        rc = err_set(e, ERR_NOMEM, "no memory for what was seen");
    if (rc == OK)
        rc = sights_end(r->sights, r->setup.ended, found);
    return rc;
}
