#include "engine/run/local_replay.h"

#include "engine/worlds/uv/uvplace.h"

#include <stdlib.h>

/* As nodes know it: real where a node has its address to itself (worlds/uv/uvplace.h). */
static struct addr address_of(const struct roster_entry *entry, const json_t *hosts)
{
    const json_t *host = json_object_get(hosts, entry->name);
    const char *text = json_string_value(json_object_get(host, "address"));
    struct addr a;
    if (json_object_get(host, "port") || !text || uvplace_resolve(text, 0, &a, NULL) != OK)
        a = entry->addr;
    a.port = 0;
    return a;
}

int local_people(const struct roster *r, const json_t *hosts, struct observe_people *p,
                 struct addr *addresses)
{
    static const struct addr nowhere;
    int rc = OK;
    *p = (struct observe_people){0};
    for (party_t i = 0; rc == OK && i < r->n; i++) {
        struct addr a = address_of(&r->entries[i], hosts);
        addresses[i] = a;
        rc = observe_add_node(p, r->entries[i].name, r->entries[i].role ? r->entries[i].role : "",
                              i < r->n_parties, i < r->n_parties ? &nowhere : &a);
        if (rc == OK)
            rc = observe_add_owner(p, (struct observe_owner){a, i, true});
    }
    observe_settle(p);
    return rc == OK && p->roster.entries ? OK : ERR_NOMEM;
}

/* Nodes have told their own exposures; what lines gave away is told here. */
static int add_lines(struct trial_result *r, const struct sights_found *found, uint32_t nodes)
{
    struct exposure *rows =
        realloc(r->exposures, (r->n_exposures + found->n_exposures + 1) * sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    r->exposures = rows;
    for (size_t i = 0; i < found->n_exposures; i++)
        if (found->exposures[i].who >= nodes)
            rows[r->n_exposures++] = found->exposures[i];
    return OK;
}

static int add_all(struct replay *replay, uint32_t nodes, local_path *path, const void *ctx,
                   struct err *e)
{
    char name[32], file[PATH_MAX];
    int rc = OK;
    for (party_t i = 0; rc == OK && i < nodes; i++) {
        for (unsigned life = 0; rc == OK; life++) {
            snprintf(name, sizeof name, "sightings-%u", life);
            path(ctx, i, name, file);
            rc = replay_add(replay, i, file, e);
        }
        rc = rc == ERR_ABSENT ? OK : rc;
    }
    return rc;
}

int local_replay(const struct replay_setup *setup, local_path *path, const void *ctx,
                 struct trial_result *r, struct err *e)
{
    const uint32_t nodes = setup->spec->roster->n;
    struct sights_found found = {0};
    struct replay *replay = NULL;
    int rc = replay_new(&replay, setup);
    if (rc != OK)
        return err_set(e, rc, "no memory for what was seen");
    rc = add_all(replay, nodes, path, ctx, e);
    if (rc == OK)
        rc = replay_play(replay, &found, e);
    if (rc == OK)
        rc = add_lines(r, &found, nodes);
    if (rc == OK) {
        r->findings = found.findings;
        r->n_findings = found.n_findings;
        r->invalid = found.invalid;
        found.findings = NULL;
        found.n_findings = 0;
        found.invalid = NULL;
    }
    sights_found_free(&found);
    replay_free(replay);
    return rc;
}

int local_replay_nodes(const struct trial_spec *t, uint64_t seed, const json_t *hosts, ns_t ended,
                       const struct trace *trace, local_path *path, const void *ctx,
                       struct trial_result *r, struct err *e)
{
    struct addr *own = calloc(t->roster->n, sizeof *own);
    struct observe_people people = {0};
    const struct replay_setup setup = {
        .spec = t, .seed = seed, .people = &people, .outside = own, .ended = ended, .trace = trace};
    int rc = own ? local_people(t->roster, hosts, &people, own) : ERR_NOMEM;
    rc = rc == OK ? local_replay(&setup, path, ctx, r, e)
                  : err_set(e, rc, "no memory for what was seen");
    observe_people_free(&people);
    free(own);
    return rc;
}
