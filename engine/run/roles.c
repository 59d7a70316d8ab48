/* What a group is in a cell: its role in the protocol or the transport. */
#include "engine/run/resolve.h"
#include "engine/run/suggest.h"

#include "engine/plugins.h"

#include <string.h>

/* Does this transport have a server, or this protocol a party, of that role? */
static bool transport_has(const struct transport *t, const char *role)
{
    for (const struct transport_role *x = t ? t->roles : NULL; x && x->size; x++)
        if (x->name && strcmp(x->name, role) == 0)
            return true;
    return false;
}

static bool protocol_has(const struct protocol *p, const char *role)
{
    for (const struct protocol_role *x = p ? p->roles : NULL; x && x->name; x++)
        if (strcmp(x->name, role) == 0)
            return true;
    return false;
}

static bool known_role(const char *role, struct suggest *s)
{
    bool known = false;
    for (size_t i = 0; plugin_transports[i]; i++) {
        const struct transport_role *x = plugin_transports[i]->roles;
        for (; x && x->size; x++)
            if (x->name)
                suggest_offer(s, x->name);
        known |= transport_has(plugin_transports[i], role);
    }
    for (size_t i = 0; plugin_protocols[i]; i++) {
        const struct protocol_role *x = plugin_protocols[i]->roles;
        for (; x && x->name; x++)
            suggest_offer(s, x->name);
        known |= protocol_has(plugin_protocols[i], role);
    }
    return known;
}

void roles_party(struct resolving *r, struct group *g)
{
    const struct protocol *p = r->cell->spec.protocol;
    const struct yaml_node *node = yaml_get(g->node, "role");
    char shown[128], near[128];
    g->role = p && p->roles ? p->roles[0].name : NULL;
    if (!node || node->kind != YAML_TEXT || node->refused || !p)
        return;
    g->role = node->text;
    if (protocol_has(p, node->text))
        return;
    struct suggest s = suggest_for(node->text);
    for (const struct protocol_role *x = p->roles; x && x->name; x++)
        suggest_offer(&s, x->name);
    RESOLVE_SAY(r, node, "the protocol %s has no role %s%s", p->name,
                diag_quote(node->text, shown, sizeof shown), suggest_text(&s, near, sizeof near));
    r->hosts_good = false;
}

/* The transport's role of that name, if these options have it; a party's role has none. */
static const struct transport_role *server_role(const struct trial_spec *spec, const char *name)
{
    const struct transport_role *x = spec->transport ? spec->transport->roles : NULL;
    for (; x && x->size; x++)
        if (x->name && strcmp(x->name, name) == 0)
            return !x->wanted || x->wanted(spec->transport_opts) ? x : NULL;
    return NULL;
}

/* A service whose role this cell's plugins don't have is not in the cell. */
bool roles_service(struct resolving *r, struct group *g)
{
    const struct trial_spec *spec = &r->cell->spec;
    const struct yaml_node *node = yaml_get(g->node, "role");
    char shown[128], near[128];
    if (!node || node->kind != YAML_TEXT || node->refused)
        return false;
    g->role = node->text;
    if (server_role(spec, g->role) || protocol_has(spec->protocol, g->role))
        return true;
    struct suggest s = suggest_for(g->role);
    if (!known_role(g->role, &s)) {
        RESOLVE_SAY(r, node, "no transport or protocol has a role %s%s",
                    diag_quote(g->role, shown, sizeof shown), suggest_text(&s, near, sizeof near));
        r->hosts_good = false;
    }
    return false;
}

void roles_check(struct resolving *r)
{
    const struct protocol *p = r->cell->spec.protocol;
    const struct yaml_node *at = yaml_get(r->tree.root, "protocol");
    for (const struct protocol_role *x = p ? p->roles : NULL; x && x->name; x++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < r->roster->n; i++)
            n += r->entries[i].role && strcmp(r->entries[i].role, x->name) == 0;
        if (n >= x->min && (n <= x->max || !x->max))
            continue;
        RESOLVE_SAY(r, at, "%s has %u of role %s: expected %s %u", p->name, (unsigned)n, x->name,
                    n < x->min ? "at least" : "at most", (unsigned)(n < x->min ? x->min : x->max));
        r->hosts_good = false;
    }
}

unsigned roles_rank(const struct resolving *r, const struct group *g)
{
    const struct yaml_node *node = yaml_get(g->node, "role");
    const struct trial_spec *spec = &r->cell->spec;
    if (!g->service)
        return 0;
    if (g->implicit || !node || node->kind != YAML_TEXT || server_role(spec, node->text))
        return 2;
    return protocol_has(spec->protocol, node->text) ? 1 : 2;
}
