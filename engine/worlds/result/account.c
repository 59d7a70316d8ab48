#include "engine/worlds/result/account.h"

#include "engine/node.h"

#include <stdio.h>
#include <stdlib.h>

int account_keep(struct outcome *to, const struct outcome *from)
{
    *to = (struct outcome){.done = from->done};
    if (from->result) {
        uint8_t *bytes = malloc(from->len + 1);
        if (!bytes)
            return ERR_NOMEM;
        memcpy(bytes, from->result, from->len);
        bytes[from->len] = 0;
        to->result = bytes;
        to->len = from->len;
    }
    if (from->failure && !(to->failure = strdup(from->failure)))
        return ERR_NOMEM;
    return OK;
}

static void measure(const struct account *a, struct metrics *m)
{
    uint64_t useful = a->useful + (a->node ? node_useful_bytes(a->node) : 0);
    ns_t completion = a->kept.done ? a->completion : a->node ? node_completion(a->node) : -1;
    if (completion >= 0)
        metrics_add(m, METRIC_COMPLETION, completion);
    metrics_add(m, METRIC_WIRE_BYTES, (int64_t)a->wire_bytes);
    metrics_add(m, METRIC_WIRE_PACKETS, (int64_t)a->wire_packets);
    if (a->wire_bytes)
        metrics_add(m, METRIC_GOODPUT, (int64_t)(useful * 1000000 / a->wire_bytes));
    metrics_add(m, METRIC_COMPUTE, a->compute);
}

static void explain_one(const struct account *a, const char *name, FILE *f)
{
    char waits[512] = "";
    if (a->node)
        node_waiting(a->node, waits, sizeof waits);
    fprintf(f, "%s %s\n", name,
            !a->node   ? a->incarnations ? "crashed and is down" : "has not been started"
            : waits[0] ? waits
                       : "waits for nobody that it can name");
}

/* Who waits for whom, a line a party that has not ended. */
static int explain(const struct accounts *all, struct trial_result *r)
{
    size_t len;
    char *text = NULL;
    FILE *f = open_memstream(&text, &len);
    bool first = true;
    if (!f)
        return ERR_NOMEM;
    for (party_t i = 0; i < all->roster->n_parties; i++) {
        const struct outcome *o = &r->outcomes[i];
        struct account a;
        if (o->done || o->failure)
            continue;
        a = all->of(all->world, i);
        if (first && !r->timed_out && all->n_done < all->roster->n_parties)
            fputs("nothing is left to happen: a deadlock\n", f);
        first = false;
        explain_one(&a, all->roster->entries[i].name, f);
    }
    if (fclose(f) != 0 || first) {
        free(text);
        return first ? OK : ERR_NOMEM;
    }
    r->why = text;
    return OK;
}

int accounts_settle(const struct accounts *all, struct trial_result *r)
{
    r->outcomes = calloc(all->roster->n_parties, sizeof *r->outcomes);
    if (!r->outcomes)
        return ERR_NOMEM;
    for (party_t i = 0; i < all->roster->n_parties; i++) {
        const struct account a = all->of(all->world, i);
        struct outcome o = a.kept;
        int rc;
        if (!o.done && a.node)
            o = node_outcome(a.node);
        rc = account_keep(&r->outcomes[i], &o);
        if (rc != OK)
            return rc;
        measure(&a, &r->metrics);
    }
    return explain(all, r);
}

void trial_result_free(struct trial_result *r, uint32_t n_parties)
{
    for (uint32_t i = 0; r->outcomes && i < n_parties; i++) {
        free((void *)(uintptr_t)r->outcomes[i].result);
        free((void *)(uintptr_t)r->outcomes[i].failure);
    }
    free(r->outcomes);
    sights_found_free(&(struct sights_found){.exposures = r->exposures,
                                             .findings = r->findings,
                                             .n_findings = r->n_findings,
                                             .invalid = r->invalid});
    free(r->why);
    metrics_free(&r->metrics);
    *r = (struct trial_result){0};
}
