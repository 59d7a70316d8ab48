#include "engine/run/schema.h"

#include "engine/plugins.h"
#include "engine/worlds/link/access.h"

#include <assert.h>
#include <string.h>

static const char *const nat_kinds[] = {
    "none",  "open",        "full_cone", "restricted_cone", "port_restricted", "symmetric",
    "cgnat", "udp_blocked", NULL};
static const char *const channels[] = {"noise", "none", NULL};
static const char *const cryptos[] = {"real", "modelled", NULL};
static const char *const any_later[] = {"", NULL};

#define HELP(text) .opt = {.type = OPT_TEXT, .help = text}
#define VALUE(kind, def, low, high, text)                                                          \
    .forms = FORM_TEXT,                                                                            \
    .opt = {.type = OPT_##kind, .fallback = def, .min = low, .max = high, .help = text}
#define CHOICE(list, def, text)                                                                    \
    .opt = {.type = OPT_CHOICE, .choices = list, .fallback = def, .help = text}

enum { MAX_COUNT = 1000000 };

/* clang-format off */
/* What parties and services have in common. */
#define HOST(list) \
    {list, FORM_MAP, HELP("An entry: one host, or a crowd of them.")}, \
    {list ".name", .required = true, VALUE(TEXT, NULL, 0, 0, "Its name: letters, digits, _ and -.")}, \
    {list ".count", VALUE(INT, NULL, 1, MAX_COUNT, "A crowd of so many: name_1, name_2, ...")}, \
    {list ".region", FORM_TEXT | FORM_MAP, HELP("Where it is: a region of the table; for a crowd also shares of several, {us-east-1: 60%, eu-west-1: 40%}.")}, \
    {list ".region.*", VALUE(RATIO, NULL, 1, 1000000, "The share of a crowd in this region.")}, \
    {list ".access", FORM_TEXT | FORM_MAP, OF_ACCESS, HELP("Its last mile: the name of a profile or a map; an ideal one unless given.")}, \
    {list ".access.down", VALUE(RATE, NULL, 1, INT64_MAX, "To the host, per second; no limit unless given.")}, \
    {list ".access.up", VALUE(RATE, NULL, 1, INT64_MAX, "From the host, per second; no limit unless given.")}, \
    {list ".access.latency", VALUE(DURATION, "0", 0, INT64_MAX, "One way, in both directions.")}, \
    {list ".access.jitter", VALUE(DURATION, "0", 0, INT64_MAX, "Mean of an exponential extra delay a packet.")}, \
    {list ".access.loss", VALUE(RATIO, "0", 0, 1000000, "Share of packets that are lost.")}, \
    {list ".access.queue", VALUE(BYTES, "0", 0, INT64_MAX, "The bottleneck's buffer for datagrams; 0: the world's own choice.")}, \
    {list ".nat", FORM_TEXT | FORM_MAP, CHOICE(nat_kinds, "none", "The NAT it is behind: a kind, or a map where several hosts share one.")}, \
    {list ".nat.box", .required = true, VALUE(TEXT, NULL, 0, 0, "The NAT's name: hosts that name the same share it.")}, \
    {list ".nat.kind", FORM_TEXT, .required = true, CHOICE(nat_kinds, NULL, "Its kind.")}, \
    {list ".nat.mapping", FORM_ANY, .later = any_later, HELP("")}, \
    {list ".nat.filtering", FORM_ANY, .later = any_later, HELP("")}, \
    {list ".nat.udp_timeout", FORM_ANY, .later = any_later, HELP("")}, \
    {list ".start", FORM_TEXT | FORM_MAP, .opt = {.type = OPT_DURATION, .fallback = "0", .max = INT64_MAX, .help = "When its node starts."}}, \
    {list ".start.uniform", .required = true, VALUE(DURATION, NULL, 1, INT64_MAX, "Drawn at random, evenly up to this time; the same in every trial.")}

const struct schema_row schema_rows[] = {
    {"", FORM_MAP, HELP("A scenario.")},
    {"schema", .required = true, VALUE(INT, NULL, 1, 1, "The version of this format.")},
    {"name", .required = true, VALUE(TEXT, NULL, 0, 0, "Its name; results go to results/NAME/.")},
    {"about", VALUE(TEXT, "", 0, 0, "One sentence on what it shows.")},
    {"seed", VALUE(INT, "1", 0, INT64_MAX, "Where all randomness comes from: trial k of each cell derives its seed from (seed, k).")},
    {"repeat", VALUE(INT, "1", 1, 1000000, "Trials per cell.")},
    {"limit", VALUE(DURATION, "60s", 1, INT64_MAX, "Of the world's time: a trial that has not finished by then is unfinished.")},
    {"templates", FORM_ANY, HELP("Never read by itself: a place for anchors that merge keys use.")},
    {"regions", FORM_TEXT | FORM_MAP, .opt = {.type = OPT_TEXT, .fallback = "aws", .help = "Round trips between regions: the name of a table in scenarios/regions/, or a map {eu: {eu: 1ms, us: 80ms}, us: {us: 1ms}}, symmetric unless both directions are given. Where nobody names a region, there is one only, with 0.5 ms."}},
    {"regions.*", FORM_MAP, HELP("From this region.")},
    {"regions.*.*", VALUE(DURATION, NULL, 0, INT64_MAX, "The round trip to that region.")},
    {"parties", FORM_LIST, .required = true, HELP("Who takes part in the computation.")},
    HOST("parties[]"),
    {"parties[].role", VALUE(TEXT, NULL, 0, 0, "A role of the protocol; its first one unless given.")},
    {"parties[].input", FORM_TEXT | FORM_LIST, HELP("Its own input: one value or a list; what it means is the protocol's.")},
    {"parties[].input[]", VALUE(TEXT, NULL, 0, 0, "One value of the input.")},
    {"parties[].protocol", FORM_MAP, HELP("Options of the protocol as this party alone believes them, to see a mismatch found.")},
    {"parties[].protocol.*", FORM_TEXT, HELP("An option of the protocol.")},
    {"services", FORM_LIST, HELP("Nodes that only help: relays, servers. One that a cell's transport and protocol don't use is not started in it.")},
    HOST("services[]"),
    {"services[].role", .required = true, VALUE(TEXT, NULL, 0, 0, "A role of any transport or protocol.")},
    {"transport", FORM_PLUGIN, OF_TRANSPORT, .required = true, HELP("What carries the messages.")},
    {"channel", FORM_TEXT, CHOICE(channels, "noise", "End-to-end encryption between parties; none is the baseline.")},
    {"crypto", FORM_TEXT, CHOICE(cryptos, "real", "modelled: sizes, messages and charged costs as ever, but channels and transports compute no cryptography. Protocols go on computing real results.")},
    {"compute", FORM_TEXT | FORM_MAP, .opt = {.type = OPT_TEXT, .fallback = "none", .help = "What computing costs: none, the name of a table in scenarios/compute/ (calibrated is what `partyline calibrate` writes), or a map of operations and durations."}},
#define X(id, text) {"compute." text, VALUE(DURATION, "0", 0, INT64_MAX, "What one " text " costs.")},
    ENV_COSTS(X)
#undef X
    {"protocol", FORM_PLUGIN, OF_PROTOCOL, .required = true, HELP("What the parties compute.")},
    {"events", FORM_LIST, HELP("What happens to hosts and links: each entry has one of crash, restart, partition, link.")},
    {"events[]", FORM_MAP, HELP("One event.")},
    {"events[].at", .required = true, VALUE(DURATION, NULL, 0, INT64_MAX, "When it happens.")},
    {"events[].until", VALUE(DURATION, NULL, 1, INT64_MAX, "When a partition or a link's change ends; for good unless given.")},
    {"events[].crash", VALUE(TEXT, NULL, 0, 0, "The node that crashes and loses its memory.")},
    {"events[].restart", VALUE(TEXT, NULL, 0, 0, "The node that starts again after a crash.")},
    {"events[].partition", FORM_LIST, HELP("Groups of nodes that can't reach each other; who is in no group reaches all. A crowd's name stands for all of it.")},
    {"events[].partition[]", FORM_LIST, HELP("One group.")},
    {"events[].partition[][]", VALUE(TEXT, NULL, 0, 0, "A node's name.")},
    {"events[].link", FORM_MAP, HELP("Changes the path between two nodes, in both directions.")},
    {"events[].link.between", FORM_LIST, .required = true, HELP("The two nodes.")},
    {"events[].link.between[]", VALUE(TEXT, NULL, 0, 0, "A node's name.")},
    {"events[].link.loss", VALUE(RATIO, NULL, 0, 1000000, "Share of packets lost; as before unless given.")},
    {"events[].link.latency", VALUE(DURATION, NULL, 0, INT64_MAX, "One way, in place of the path's; as before unless given.")},
    {"events[].link.rate", VALUE(RATE, NULL, 1, INT64_MAX, "Per second; as before unless given.")},
    {"observers", FORM_LIST, HELP("Who watches. exposure does unless it is disabled.")},
    {"observers[]", FORM_PLUGIN, OF_OBSERVER, HELP("An observer.")},
    {"observers[].enabled", VALUE(BOOL, "true", 0, 1, "false leaves it out.")},
    {"expect", FORM_LIST, HELP("What the results must be, judged per cell.")},
    {"expect[]", FORM_MAP, HELP("One expectation.")},
    {"expect[].when", FORM_MAP, HELP("Only for cells in which these keys have these values: {transport: relay}, or one of a list.")},
    {"expect[].when.*", FORM_ANY, HELP("A value, or a list of values.")},
    {"expect[].that", .required = true, VALUE(TEXT, NULL, 0, 0, "An expression: completed == 100%, or completion.p50 < 2s and drops.loss == 0.")},
    {"matrix", FORM_MAP, HELP("Axes: each replaces the key of its name (a path such as protocol.threshold, or parties.count: the first n) by each of its values; every combination is a cell.")},
    {"matrix.*", FORM_LIST, HELP("The values of an axis.")},
    {"matrix.*[]", FORM_ANY, HELP("A value.")},
    {.path = NULL},
};
/* clang-format on */

const struct schema_row *schema_find(const char *path)
{
    const struct schema_row *row = schema_rows;
    while (row->path && strcmp(row->path, path) != 0)
        row++;
    assert(row->path);
    return row;
}

const char *schema_key(const struct schema_row *parent, const struct schema_row *row)
{
    size_t len = strlen(parent->path);
    const char *key = row->path + len;
    if (strncmp(row->path, parent->path, len) != 0 || row == parent)
        return NULL;
    if (len && *key == '.')
        key++;
    else if (len && strcmp(key, "[]") != 0)
        return NULL;
    return strpbrk(key, len && *key == '[' ? "." : ".[") ? NULL : key;
}

const struct schema_row *schema_child(const struct schema_row *parent, const char *key)
{
    const struct schema_row *any = NULL;
    for (const struct schema_row *row = schema_rows; row->path; row++) {
        const char *its = schema_key(parent, row);
        if (its && strcmp(its, key) == 0)
            return row;
        if (its && strcmp(its, "*") == 0)
            any = row;
    }
    return strcmp(key, "[]") == 0 ? NULL : any;
}

const char *schema_name(const struct schema_row *row, size_t i)
{
    switch (row->names) {
    case OF_TRANSPORT:
        return plugin_transports[i] ? plugin_transports[i]->name : NULL;
    case OF_PROTOCOL:
        return plugin_protocols[i] ? plugin_protocols[i]->name : NULL;
    case OF_OBSERVER:
        return plugin_observers[i] ? plugin_observers[i]->name : NULL;
    case OF_ACCESS:
        return access_names[i];
    case OF_NOTHING:
        break;
    }
    return row->opt.type == OPT_CHOICE ? row->opt.choices[i] : NULL;
}

static const struct opt no_options[] = {{.name = NULL}};

const struct opt *schema_plugin(enum schema_names kind, const char *name, const char **help)
{
    const struct transport *t = kind == OF_TRANSPORT ? plugin_transport(name) : NULL;
    const struct protocol *p = kind == OF_PROTOCOL ? plugin_protocol(name) : NULL;
    const struct observer *o = kind == OF_OBSERVER ? plugin_observer(name) : NULL;
    const struct opt *opts = t ? t->opts : p ? p->opts : o ? o->opts : NULL;
    *help = t ? t->help : p ? p->help : o ? o->help : NULL;
    return opts || !(t || p || o) ? opts : no_options;
}

const char *schema_expects(const struct schema_row *row)
{
    switch (row->names) {
    case OF_TRANSPORT:
        return "the name of a transport";
    case OF_PROTOCOL:
        return "the name of a protocol";
    case OF_OBSERVER:
        return "the name of an observer";
    case OF_ACCESS:
        return "the name of an access profile";
    case OF_NOTHING:
        break;
    }
    return opt_expects(row->opt.type);
}

int64_t schema_value(const char *path, const struct yaml_node *node)
{
    const struct schema_row *row = schema_find(path);
    struct opt o = row->opt;
    int64_t value = 0;
    o.offset = 0;
    if (node && node->kind == YAML_TEXT && opt_set(&o, &value, node->text, NULL) == OK)
        return value;
    if (o.fallback)
        opt_set(&o, &value, o.fallback, NULL);
    else
        value = o.min;
    return value;
}

const char *schema_text(const char *path, const struct yaml_node *node)
{
    if (node && node->kind == YAML_TEXT)
        return node->text;
    return schema_find(path)->opt.fallback;
}
