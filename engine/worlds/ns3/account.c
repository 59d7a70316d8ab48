#include "engine/worlds/ns3/inner.h"

#include "engine/node.h"

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

static void measure(struct ns3 *w, const struct ns3_node *n)
{
    uint64_t useful = n->useful + (n->alive ? node_useful_bytes(n->env.node) : 0);
    ns_t completion = n->kept.done ? n->completion : n->alive ? node_completion(n->env.node) : -1;
    if (completion >= 0)
        metrics_add(w->metrics, METRIC_COMPLETION, completion);
    metrics_add(w->metrics, METRIC_WIRE_BYTES, (int64_t)n->wire_bytes);
    metrics_add(w->metrics, METRIC_WIRE_PACKETS, (int64_t)n->wire_packets);
    if (n->wire_bytes)
        metrics_add(w->metrics, METRIC_GOODPUT, (int64_t)(useful * 1000000 / n->wire_bytes));
    metrics_add(w->metrics, METRIC_COMPUTE, n->compute);
}

/* Who waits for whom, a line a party that has not ended. */
static int explain(struct ns3 *w)
{
    size_t len;
    char *text = NULL;
    FILE *f = open_memstream(&text, &len);
    bool first = true;
    if (!f)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < w->n_parties; i++) {
        const struct outcome *o = &w->result->outcomes[i];
        const struct ns3_node *n = &w->nodes[i];
        char waits[512] = "";
        if (o->done || o->failure)
            continue;
        if (first && !w->result->timed_out && w->n_done < w->n_parties)
            fputs("nothing is left to happen: a deadlock\n", f);
        first = false;
        if (n->alive)
            node_waiting(n->env.node, waits, sizeof waits);
        fprintf(f, "%s %s\n", w->spec->roster->entries[i].name,
                !n->alive  ? n->incarnations ? "crashed and is down" : "has not been started"
                : waits[0] ? waits
                           : "waits for nobody that it can name");
    }
    if (fclose(f) != 0 || first) {
        free(text);
        return first ? OK : ERR_NOMEM;
    }
    w->result->why = text;
    return OK;
}

int account_outcomes(struct ns3 *w)
{
    struct trial_result *r = w->result;
    r->outcomes = calloc(w->n_parties, sizeof *r->outcomes);
    if (!r->outcomes)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < w->n_parties; i++) {
        const struct ns3_node *n = &w->nodes[i];
        struct outcome o = n->kept;
        int rc;
        if (!o.done && n->alive)
            o = node_outcome(n->env.node);
        rc = account_keep(&r->outcomes[i], &o);
        if (rc != OK)
            return rc;
        measure(w, n);
    }
    return explain(w);
}
