/* `events`: what happens to nodes and links; `links` and `tcp`, too. */
#include "engine/run/events.h"

#include "engine/worlds/link/tcp.h"

#include <string.h>

/* ---- links
 * ------------------------------------------------------------------------------------------ */

static int64_t given(const struct yaml_node *link, const char *key, const char *path)
{
    const struct yaml_node *node = yaml_get(link, key);
    return node ? schema_value(path, node) : -1;
}

/* False if a node that is named is not in this cell. */
static bool change_link(struct eventing *e, const struct yaml_node *link, struct action *out)
{
    out->kind = ACT_LINK;
    out->loss_ppm = given(link, "loss", "events[].link.loss");
    out->latency = given(link, "latency", "events[].link.latency");
    out->rate_bps = given(link, "rate", "events[].link.rate");
    out->jitter = given(link, "jitter", "events[].link.jitter");
    out->burst = given(link, "burst", "events[].link.burst");
    if (link->kind == YAML_MAP && out->loss_ppm < 0 && out->latency < 0 && out->rate_bps < 0 &&
        out->jitter < 0 && out->burst < 0)
        EVENT_SAY(e, link,
                  "this changes nothing: expected loss, burst, latency, jitter or "
                  "rate");
    return events_find_two(e, link, out);
}

static bool flap(struct eventing *e, const struct yaml_node *link, struct action *out)
{
    out->kind = ACT_FLAP;
    out->up = schema_value("events[].flap.up", yaml_get(link, "up"));
    out->down = schema_value("events[].flap.down", yaml_get(link, "down"));
    return events_find_two(e, link, out);
}

/* ---- one entry
 * --------------------------------------------------------------------------------------- */

enum { KINDS = 8 };

const char *const events_kinds[KINDS] = {"crash", "restart", "partition", "link",
                                         "flap",  "pause",   "resume",    "readdress"};

/* Its only kind, or NULL with a finding. */
static const struct yaml_item *kind_of(struct eventing *e, const struct yaml_node *entry,
                                       enum action_kind *kind)
{
    const struct yaml_item *found = NULL;
    for (int i = 0; i < KINDS; i++) {
        const struct yaml_item *it = yaml_item(entry, events_kinds[i]);
        if (it && found) {
            EVENT_SAY(e, it->key, "%s and %s in one event: expected one of them", found->key->text,
                      events_kinds[i]);
            return NULL;
        }
        if (it) {
            found = it;
            *kind = (enum action_kind)i;
        }
    }
    if (!found && entry->kind == YAML_MAP)
        EVENT_SAY(e, entry,
                  "an event without what happens: expected one of crash, restart, "
                  "partition, link, flap, pause, resume, readdress");
    return found;
}

static void read_times(struct eventing *e, const struct yaml_node *entry, struct action *out)
{
    struct diag_list *diags = e->r->l->diags;
    struct yaml_node *at = yaml_get(entry, "at");
    const struct yaml_item *until = yaml_item(entry, "until");
    out->at = schema_value("events[].at", at);
    out->until = NS_NEVER;
    if (!until)
        return;
    if (out->kind == ACT_CRASH || out->kind == ACT_RESTART || out->kind == ACT_RESUME ||
        out->kind == ACT_READDRESS) {
        EVENT_SAY(e, until->key, "a %s has no end: expected no \"until\"", events_kinds[out->kind]);
        return;
    }
    out->until = schema_value("events[].until", until->value);
    if (at && out->until <= out->at && schema_check_at("events[].at", at, diags) &&
        schema_check_at("events[].until", until->value, diags))
        EVENT_SAY(e, until->value, "until %s is not after at %s", until->value->text, at->text);
}

static void read_event(struct eventing *e, const struct yaml_node *entry)
{
    struct action out = {.loss_ppm = -1,
                         .latency = -1,
                         .rate_bps = -1,
                         .jitter = -1,
                         .burst = -1,
                         .line = entry->line};
    const struct yaml_item *it = kind_of(e, entry, &out.kind);
    bool here;
    if (!it)
        return;
    if (out.kind == ACT_PARTITION)
        here = events_find_sides(e, it->value, &out);
    else if (out.kind == ACT_LINK)
        here = change_link(e, it->value, &out);
    else if (out.kind == ACT_FLAP)
        here = flap(e, it->value, &out);
    else
        here = events_find_node(e, it->value, &out.node);
    read_times(e, entry, &out);
    if (!here)
        return;
    e->entries[e->n] = entry;
    struct action *kept = &e->actions[e->n++];
    *kept = out;
    if (out.kind == ACT_CRASH || out.kind == ACT_RESTART || out.kind == ACT_PAUSE ||
        out.kind == ACT_RESUME)
        e->spots[e->n_spots++] = (struct event_spot){kept, it->value};
}

/* ---- links, tcp ------------------------------------------------------------------------ */

static void resolve_links(struct eventing *e)
{
    struct resolving *r = e->r;
    const struct yaml_node *list = yaml_get(r->tree.root, "links");
    uint32_t n = list && list->kind == YAML_LIST ? list->n : 0;
    struct action *links = arena_array(r->l->arena, n, sizeof *links);
    size_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct action out = {.until = NS_NEVER, .line = list->items[i].value->line};
        if (change_link(e, list->items[i].value, &out))
            links[kept++] = out;
    }
    r->cell->spec.links = links;
    r->cell->spec.n_links = kept;
}

static void resolve_tcp(struct resolving *r)
{
    const struct yaml_node *node = yaml_get(r->tree.root, "tcp"), *key;
    struct tcp_spec *t;
    if (!node || node->refused || (node->kind != YAML_TEXT && node->kind != YAML_MAP))
        return;
    t = arena_alloc(r->l->arena, sizeof *t);
    *t = node->kind == YAML_TEXT
             ? (schema_value("tcp", node) ? tcp_ns3 : tcp_linux)
             : (schema_value("tcp.like", yaml_get(node, "like")) ? tcp_ns3 : tcp_linux);
    if ((key = yaml_get(node, "like")) || node->kind == YAML_TEXT)
        t->like_line = (key ? key : node)->line;
    if ((key = yaml_get(node, "keepalive"))) {
        t->keepalive = schema_value("tcp.keepalive", key);
        t->keepalive_line = key->line;
    }
    if ((key = yaml_get(node, "delayed_ack")))
        t->delayed_ack = schema_value("tcp.delayed_ack", key);
    if ((key = yaml_get(node, "min_rto")))
        t->min_rto = schema_value("tcp.min_rto", key);
    if ((key = yaml_get(node, "receive_window")))
        t->receive_window = schema_value("tcp.receive_window", key);
    if ((key = yaml_get(node, "initial_window")))
        t->initial_window = schema_value("tcp.initial_window", key);
    if ((key = yaml_get(node, "hystart")))
        t->hystart = schema_value("tcp.hystart", key) != 0;
    r->cell->spec.tcp = t;
}

void events_resolve(struct resolving *r)
{
    const struct yaml_node *list = yaml_get(r->tree.root, "events");
    uint32_t n = list && list->kind == YAML_LIST ? list->n : 0;
    struct eventing e = {.r = r, .good = true};
    e.actions = arena_array(r->l->arena, n, sizeof *e.actions);
    e.entries = arena_array(&r->l->scratch, n, sizeof *e.entries);
    e.spots = arena_array(&r->l->scratch, n, sizeof *e.spots);
    for (uint32_t i = 0; i < n; i++)
        read_event(&e, list->items[i].value);
    events_check(&e);
    r->cell->spec.actions = e.actions;
    r->cell->spec.n_actions = e.n;
    resolve_links(&e);
    resolve_tcp(r);
}
