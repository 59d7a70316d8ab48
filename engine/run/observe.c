#include "engine/run/observe.h"

#include "engine/observers/record.h"
#include "engine/run/files.h"
#include "engine/run/observe_truth.h"
#include "engine/run/places.h"
#include "engine/run/schema.h"

#include <errno.h>
#include <stdlib.h>

/* ---- who is in it ---------------------------------------------------------------------- */

static bool grow(void **list, size_t n, size_t size)
{
    void *more;
    if (n & (n - 1))
        return true; /* grown at every power of two */
    more = realloc(*list, (n ? 2 * n : 1) * size);
    if (more)
        *list = more;
    return more != NULL;
}

int observe_add_node(struct observe_people *p, const char *name, const char *role, bool party,
                     const struct addr *published)
{
    uint32_t n = p->roster.n;
    char *own = strdup(name), *its = strdup(role);
    if (!own || !its || !grow((void **)&p->names, n, sizeof *p->names) ||
        !grow((void **)&p->roles, n, sizeof *p->roles) ||
        !grow((void **)&p->published, n, sizeof *p->published)) {
        free(own);
        free(its);
        return ERR_NOMEM;
    }
    p->names[n] = own;
    p->roles[n] = its;
    p->published[n] = *published;
    p->roster.n++;
    p->roster.n_parties += party;
    return OK;
}

int observe_add_region(struct observe_people *p, const char *name)
{
    char *own = strdup(name);
    if (!own || !grow((void **)&p->regions, p->n_regions, sizeof *p->regions)) {
        free(own);
        return ERR_NOMEM;
    }
    p->regions[p->n_regions++] = own;
    return OK;
}

int observe_add_owner(struct observe_people *p, struct observe_owner o)
{
    if (!grow((void **)&p->owners, p->n_owners, sizeof *p->owners))
        return ERR_NOMEM;
    p->owners[p->n_owners++] = o;
    return OK;
}

static int by_address(const void *a, const void *b)
{
    const struct observe_owner *x = a, *y = b;
    int order = memcmp(x->addr.ip, y->addr.ip, sizeof x->addr.ip);
    return order ? order : (x->addr.port > y->addr.port) - (x->addr.port < y->addr.port);
}

void observe_settle(struct observe_people *p)
{
    struct roster_entry *entries = calloc((size_t)p->roster.n + 1, sizeof *entries);
    for (uint32_t i = 0; entries && i < p->roster.n; i++)
        entries[i] = (struct roster_entry){
            .name = p->names[i], .role = p->roles[i], .addr = p->published[i]};
    free((void *)(uintptr_t)p->roster.entries);
    p->roster.entries = entries;
    if (p->n_owners)
        qsort(p->owners, p->n_owners, sizeof *p->owners, by_address);
}

party_t observe_owner(const void *world, const struct addr *a)
{
    const struct observe_people *p = world;
    struct observe_owner key = {.addr = *a}, *found = NULL;
    if (p->n_owners)
        found = bsearch(&key, p->owners, p->n_owners, sizeof key, by_address);
    key.addr.port = 0;
    if (!found && p->n_owners) {
        found = bsearch(&key, p->owners, p->n_owners, sizeof key, by_address);
        if (found && !found->any_port)
            found = NULL;
    }
    return found ? found->who : PARTY_NONE;
}

void observe_people_free(struct observe_people *p)
{
    for (uint32_t i = 0; i < p->roster.n; i++) {
        free(p->names[i]);
        free(p->roles[i]);
    }
    for (uint32_t i = 0; i < p->n_regions; i++)
        free(p->regions[i]);
    free(p->names);
    free(p->roles);
    free(p->published);
    free(p->regions);
    free(p->owners);
    free((void *)(uintptr_t)p->roster.entries);
    *p = (struct observe_people){0};
}

static int people_of(struct record *r, struct observe_people *p, struct err *e)
{
    struct record_names names;
    struct record_entry x;
    size_t at = r->names;
    int rc = OK;
    for (uint32_t i = 0; rc == OK && i < r->n_nodes; i++) {
        record_name(r, &at, true, &names);
        rc = observe_add_node(p, names.name, names.role, i < r->n_parties, &names.addr);
    }
    for (uint32_t i = 0; rc == OK && i < r->n_regions; i++) {
        record_name(r, &at, false, &names);
        rc = observe_add_region(p, names.name);
    }
    if (rc != OK)
        return err_set(e, rc, "no memory");
    while ((rc = record_next(r, &x, e)) == OK)
        if (x.kind == 'O' && observe_add_owner(p, (struct observe_owner){x.addr, x.owner, false}))
            return err_set(e, ERR_NOMEM, "no memory");
    record_rewind(r);
    return rc == ERR_ABSENT ? OK : rc;
}

/* ---- which observer, where ------------------------------------------------------------- */

/* The entry of `observers` that the command line describes, as a scenario would write it. */
static char *entry_text(const struct observe_setup *s)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    fprintf(f, "name: %s\n", s->observer->name);
    for (size_t i = 0; i < s->n_options; i++) {
        const char *equals = strchr(s->options[i], '=');
        fprintf(f, "%.*s: %s\n", (int)(equals - s->options[i]), s->options[i], equals + 1);
    }
    for (size_t i = 0; i < s->n_at; i++)
        fprintf(f, "%s%s%s", i ? ", " : "at: [", s->at[i], i + 1 == s->n_at ? "]\n" : "");
    return fclose(f) == 0 ? text : NULL;
}

/* As a scenario's cell would resolve it, from what stands in for one. */
static bool resolve(struct loading *l, const struct observe_people *p, struct yaml_node *root,
                    struct observer_spec *spec)
{
    struct resolving r = {.l = l, .roster = (struct roster *)(uintptr_t)&p->roster};
    struct cell cell = {0};
    struct regions regions = {.n = p->n_regions, .names = (const char *const *)p->regions};
    bool good = true;
    cell.spec.regions = &regions;
    r.cell = &cell;
    r.entries = (struct roster_entry *)(uintptr_t)p->roster.entries;
    r.nodes = names_in(l->arena);
    r.absent = names_in(l->arena);
    r.crowds = names_in(l->arena);
    for (uint32_t i = 0; i < p->roster.n; i++)
        names_add(&r.nodes, p->names[i], i);
    if (!root || !schema_check_at("observers[]", root, l->diags))
        return false;
    spec->opts = cell_options(l, spec->ops->opts, spec->ops->opts_size, root, &good);
    return good && places_resolve(&r, root, spec) && l->diags->n == 0;
}

/* ---- seeing ---------------------------------------------------------------------------- */

static void see(void *ctx, const struct sighting *s, const struct packet_truth *truth)
{
    sights_see(ctx, s, truth);
}

static int replay(struct record *r, struct sights *sights, ns_t *ended, struct err *e)
{
    struct packet_truth truth = {0};
    struct record_entry x;
    int rc;
    while ((rc = record_next(r, &x, e)) == OK) {
        if (x.kind == 'T')
            truth = x.truth;
        if (x.kind == 'E')
            *ended = x.ended;
        if (x.kind != 'S' && x.kind != 'V' && x.kind != 'K')
            continue;
        sights_see(sights, &x.sighting, truth.kind ? &truth : NULL);
        truth = (struct packet_truth){0};
    }
    return rc == ERR_ABSENT ? OK : rc;
}

struct observing {
    const struct observe_setup *setup;
    struct observe_people *people;
    struct sights_found *found;
    struct record *record; /* NULL: a pcap */
    struct err *e;
};

enum { TRUTH_NODES_MAX = 1000 };

/* The number here of a node of another roster. */
static party_t renumber(const struct observe_people *p, const party_t *here, uint32_t n, party_t id)
{
    return id < n && here[id] < p->roster.n ? here[id] : PARTY_NONE;
}

static party_t number_of(const struct observe_people *p, const char *name)
{
    party_t i = 0;
    while (i < p->roster.n && strcmp(p->names[i], name) != 0)
        i++;
    return i;
}

static int take_truth(struct observing *o, struct record *r, struct observe_truth *t, struct err *e)
{
    party_t *here = calloc((size_t)r->n_nodes + 1, sizeof *here);
    struct packet_truth truth = {0};
    struct record_names names;
    struct record_entry x;
    uint32_t on_stream = 0;
    size_t at = r->names;
    int rc = here ? OK : err_set(e, ERR_NOMEM, "no memory");
    for (uint32_t i = 0; rc == OK && i < r->n_nodes; i++) {
        record_name(r, &at, true, &names);
        here[i] = number_of(o->people, names.name);
    }
    while (rc == OK && (rc = record_next(r, &x, e)) == OK) {
        if (x.kind == 'T') {
            truth = x.truth;
            truth.from = renumber(o->people, here, r->n_nodes, truth.from);
            truth.to = renumber(o->people, here, r->n_nodes, truth.to);
            on_stream = x.on_stream;
        } else if (x.kind == 'S') {
            observe_truth_note(t, &x.sighting, &truth, on_stream);
        }
    }
    free(here);
    rc = rc == ERR_ABSENT ? OK : rc;
    return rc == OK && observe_truth_broken(t) ? err_set(e, ERR_NOMEM, "no memory") : rc;
}

static int read_truth(struct observing *o, struct observe_truth **out)
{
    const char *path = o->setup->truth;
    struct record r;
    struct err why = {0};
    char *data;
    size_t len;
    int rc = files_read(path, OBSERVE_FILE_MAX, &data, &len, o->e);
    if (rc != OK)
        return rc;
    rc = record_open(&r, (const uint8_t *)data, len, &why);
    if (rc == OK && r.n_nodes > TRUTH_NODES_MAX)
        rc = err_set(&why, ERR_LIMIT, "of %u nodes, more than any lab has", r.n_nodes);
    *out = rc == OK ? observe_truth_new(r.n_nodes) : NULL;
    if (rc == OK)
        rc = *out ? take_truth(o, &r, *out, &why) : err_set(&why, ERR_NOMEM, "no memory");
    free(data);
    return rc == OK ? OK : err_set(o->e, rc, "%s: %s", path, why.text);
}

static int watch_pcap(struct observing *o, struct sights *sights, ns_t *ended)
{
    struct observe_capture capture = {
        .name = o->setup->file, .people = o->people, .see = see, .ctx = sights};
    int rc = o->setup->truth ? read_truth(o, &capture.truth) : OK;
    FILE *f = rc == OK ? fopen(o->setup->file, "rb") : NULL;
    if (f)
        rc = observe_pcap(f, &capture, ended, o->e);
    else if (rc == OK)
        rc = err_set(o->e, ERR_IO, "%s: %s", o->setup->file, strerror(errno));
    observe_truth_free(capture.truth);
    return rc;
}

static int work(struct observing *o, const struct observer_spec *spec)
{
    const struct sights_setup setup = {.observers = spec,
                                       .n_observers = 1,
                                       .roster = &o->people->roster,
                                       .owner = observe_owner,
                                       .world = o->people};
    struct sights *sights;
    ns_t ended = 0;
    int rc = sights_new(&sights, &setup, o->e);
    if (rc != OK || !sights)
        return rc;
    rc = o->record ? replay(o->record, sights, &ended, o->e) : watch_pcap(o, sights, &ended);
    if (rc == OK)
        rc = sights_end(sights, ended, o->found);
    sights_free(sights);
    return rc;
}

static int with_entry(struct observing *o, const char *text)
{
    const struct source from = {.name = "--at or --option", .text = text, .len = strlen(text)};
    struct observer_spec spec = {.ops = o->setup->observer};
    struct diag_list diags;
    struct arena arena;
    struct loading l = {.arena = &arena, .diags = &diags};
    jmp_buf landing;
    volatile int rc = ERR_INVALID;
    diag_init(&diags);
    arena_init(&arena, 256 << 20);
    if (setjmp(landing) == 0) {
        arena.landing = &landing;
        if (resolve(&l, o->people, yaml_read(&arena, &from, &diags), &spec)) {
            arena.landing = NULL;
            rc = work(o, &spec);
        } else {
            diag_print(&diags, o->setup->say);
            err_set(o->e, ERR_INVALID, "the observer's places or options are wrong");
        }
    } else {
        rc = err_set(o->e, ERR_NOMEM, "too many places");
    }
    arena_free(&arena);
    diag_free(&diags);
    return rc;
}

/* ---- the files ------------------------------------------------------------------------- */

static int read_map(const struct observe_setup *s, struct observe_people *p, struct err *e)
{
    char *text;
    size_t len;
    int rc = files_read(s->map, 4 << 20, &text, &len, e);
    if (rc != OK)
        return rc;
    rc = observe_map(p, s->map, text, len, e);
    free(text);
    return rc;
}

static int from_data(struct observing *o, const char *data, size_t len)
{
    struct record record;
    bool pcap = observe_is_pcap((const uint8_t *)data, len);
    struct err why = {0};
    char *text;
    int rc;
    if (pcap && !o->setup->map)
        return err_set(o->e, ERR_INVALID, "%s: a pcap needs --map, which names its hosts",
                       o->setup->file);
    rc = o->setup->map && pcap ? read_map(o->setup, o->people, o->e) : OK;
    if (!pcap) {
        rc = record_open(&record, (const uint8_t *)data, len, &why);
        if (rc == OK)
            rc = people_of(&record, o->people, &why);
        if (rc != OK)
            return err_set(o->e, rc, "%s: %s", o->setup->file, why.text);
        o->record = &record;
    }
    if (rc != OK)
        return rc;
    observe_settle(o->people);
    if (!o->people->roster.entries)
        return err_set(o->e, ERR_NOMEM, "no memory");
    text = entry_text(o->setup);
    rc = text ? with_entry(o, text) : err_set(o->e, ERR_NOMEM, "no memory");
    free(text);
    return rc;
}

int observe_file(const struct observe_setup *s, struct sights_found *found,
                 struct observe_people *people, struct err *e)
{
    struct observing o = {.setup = s, .people = people, .found = found, .e = e};
    char *data;
    size_t len;
    int rc;
    *found = (struct sights_found){0};
    *people = (struct observe_people){0};
    rc = files_read(s->file, OBSERVE_FILE_MAX, &data, &len, e);
    if (rc != OK)
        return rc;
    rc = from_data(&o, data, len);
    free(data);
    return rc;
}
