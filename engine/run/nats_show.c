/* `nat:` of an entry, as `show` writes it. */
#include "engine/run/resolve.h"

static void put(json_t *o, const char *key, json_t *v)
{
    json_object_set_new(o, key, v);
}

static void put_text(json_t *o, const char *key, enum opt_type type, int64_t value)
{
    char text[64];
    put(o, key, json_string(opt_print_value(type, value, text, sizeof text)));
}

static json_t *spec_json(const struct nat_spec *s)
{
    json_t *o = json_object();
    put(o, "mapping", json_string(nat_rules[s->mapping]));
    put(o, "filtering", json_string(nat_rules[s->filtering]));
    put(o, "ports", json_string(nat_port_rules[s->ports]));
    put(o, "parity", json_boolean(s->parity));
    put(o, "hairpin", json_boolean(s->hairpin));
    put(o, "inbound_refresh", json_boolean(s->inbound_refresh));
    put_text(o, "udp_timeout", OPT_DURATION, s->udp_timeout);
    put_text(o, "tcp_timeout", OPT_DURATION, s->tcp_timeout);
    put_text(o, "tcp_transitory_timeout", OPT_DURATION, s->tcp_transitory_timeout);
    put(o, "port_limit", json_integer(s->port_limit));
    return o;
}

static json_t *box_json(const struct group *g)
{
    const struct nat_spec *s = g->nat_spec;
    json_t *o = spec_json(s), *list, *outer;
    put(o, "kind", json_string(nat_kinds[g->nat]));
    if (g->nat_box)
        put(o, "box", json_string(g->nat_box));
    if (s->n_forwards) {
        list = json_array();
        for (uint32_t i = 0; i < s->n_forwards; i++)
            json_array_append_new(list, json_pack("{s:i, s:i}", "port", s->forwards[i].outer, "to",
                                                  s->forwards[i].inner));
        put(o, "forward", list);
    }
    if (s->outer) {
        outer = spec_json(s->outer);
        if (s->outer_box)
            put(outer, "box", json_string(s->outer_box));
        put(o, "behind", outer);
    }
    return o;
}

json_t *nats_json(const struct group *g)
{
    const struct yaml_node *node = yaml_get(g->node, "nat");
    json_t *o;
    if (g->nats && node->kind == YAML_TEXT)
        return json_string(node->text);
    if (g->nats) {
        o = json_object();
        for (size_t k = 0; nat_kinds[k]; k++)
            if (yaml_get(node, nat_kinds[k]))
                put_text(o, nat_kinds[k], OPT_RATIO, nats_share(g, k, node));
        return o;
    }
    if (g->nat_spec)
        return box_json(g);
    if (g->nat_box)
        return json_pack("{s:s, s:s}", "box", g->nat_box, "kind", nat_kinds[g->nat]);
    return json_string(nat_kinds[g->nat]);
}
