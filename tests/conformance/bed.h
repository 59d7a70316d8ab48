/* A test bed: trial_specs made in C, for every world, transport and channel that there is.
 *
 * n parties in three regions (round trips 2 to 150 ms), public addresses, ideal last miles
 * unless a test changes `hosts`, and one service for each server role of the transport. */
#ifndef PARTYLINE_TESTS_BED_H
#define PARTYLINE_TESTS_BED_H

#include "engine/plugins.h"
#include "engine/run/people.h"
#include "engine/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { BED_NODES = 64, BED_MIXES = 4 };

struct bed {
    struct trial_spec spec;
    struct roster roster;
    struct roster_entry entries[BED_NODES];
    char names[BED_NODES][16];
    struct host_spec hosts[BED_NODES];
    struct input inputs[BED_NODES];
    const char *programs[BED_NODES];
    struct people people;
    void *transport_opts;
};

static const char *const bed_region_names[] = {"near", "far", "further"};
static const ns_t bed_rtts[] = {
    2 * NS_MS,   80 * NS_MS,  150 * NS_MS, /* from near */
    80 * NS_MS,  2 * NS_MS,   110 * NS_MS, /* from far */
    150 * NS_MS, 110 * NS_MS, 2 * NS_MS,   /* from further */
};
static const struct regions bed_regions = {3, bed_region_names, bed_rtts};

static inline void *bed_opts(const struct opt *table, size_t size)
{
    void *opts = calloc(1, size ? size : 1);
    if (opts && table)
        opt_defaults(table, opts);
    return opts;
}

static inline void bed_node(struct bed *b, uint32_t i, const char *name, const char *role)
{
    snprintf(b->names[i], sizeof b->names[i], "%s%u", name, i);
    b->entries[i] = (struct roster_entry){
        .name = b->names[i],
        .role = role,
        .addr = {.ip = {[10] = 255, [11] = 255, [12] = 203, [14] = 113, [15] = (uint8_t)(i + 1)}}};
    b->hosts[i] = (struct host_spec){.region = i % 3};
    b->programs[i] = "conformance";
}

/* False: no memory. The spec may be changed until bed_people. */
static inline bool bed_make(struct bed *b, const struct transport *t, const struct protocol *p,
                            uint32_t n_parties)
{
    *b = (struct bed){0};
    for (uint32_t i = 0; i < n_parties; i++)
        bed_node(b, i, "p", p->roles[0].name);
    b->roster = (struct roster){.n = n_parties, .n_parties = n_parties, .entries = b->entries};
    for (const struct transport_role *r = t->roles; r->size; r++)
        for (int k = 0; r->name && k < (strcmp(r->name, "mix") == 0 ? BED_MIXES : 1); k++)
            bed_node(b, b->roster.n++, r->name, r->name);
    b->transport_opts = bed_opts(t->opts, t->opts_size);
    b->spec = (struct trial_spec){.scenario = "conformance",
                                  .roster = &b->roster,
                                  .hosts = b->hosts,
                                  .regions = &bed_regions,
                                  .transport = t,
                                  .transport_opts = b->transport_opts,
                                  .protocol = p,
                                  .inputs = b->inputs,
                                  .programs = b->programs,
                                  .limit = 60 * NS_S};
    return b->transport_opts != NULL;
}

/* One of the transport's options, as a person would write it. */
static inline bool bed_set(struct bed *b, const char *option, const char *value)
{
    const struct opt *o = opt_find(b->spec.transport->opts, option);
    return o && opt_set(o, b->transport_opts, value, NULL) == OK;
}

/* A further service of each server role. */
static inline void bed_more_services(struct bed *b, const struct transport *t)
{
    for (const struct transport_role *r = t->roles; r->size; r++)
        if (r->name)
            bed_node(b, b->roster.n++, r->name, r->name);
}

/* Gives the nodes of a secured channel their identities. */
static inline bool bed_people(struct bed *b)
{
    return people_make(&b->people, &b->spec, 1) == OK;
}

static inline void bed_free(struct bed *b)
{
    people_free(&b->people);
    free(b->transport_opts);
}

/* ---- one case after the other, and the last line ---------------------------------------- */

struct tally {
    const char *only; /* run what has this in its name; NULL: all */
    unsigned passed, failed, skipped;
};

static inline bool tally_wants(const struct tally *t, const char *name)
{
    return !t->only || strstr(name, t->only);
}
static inline void tally_ok(struct tally *t, const char *name, const char *note)
{
    t->passed++;
    printf("ok %s%s%s\n", name, note[0] ? " # " : "", note);
    fflush(stdout);
}
static inline void tally_skip(struct tally *t, const char *name, const char *why)
{
    t->skipped++;
    printf("skip %s # %s\n", name, why);
    fflush(stdout);
}
static inline void tally_not_ok(struct tally *t, const char *name, const char *why,
                                const char *program)
{
    t->failed++;
    printf("not ok %s # %s\n  repeat: %s %s\n", name, why, program, name);
    fflush(stdout);
}
static inline int tally_end(const struct tally *t)
{
    printf("%u passed, %u failed, %u skipped\n", t->passed, t->failed, t->skipped);
    return t->failed || t->passed == 0;
}

/* Worlds that run in this process and give the same twice. */
static inline bool bed_can(const struct world *w, const struct transport *t)
{
    return w->run && w->deterministic && (w->handover || !t->needs_handover);
}

static inline const char *bed_channel_name(enum channel_mode mode)
{
    return mode == CHANNEL_NOISE ? "noise" : "none";
}

#endif
