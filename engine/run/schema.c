#include "engine/run/schema.h"

#include "engine/plugins.h"
#include "engine/worlds/link/access.h"
#include "engine/worlds/link/nat_spec.h"

#include <assert.h>
#include <string.h>

static const char *const nats[] = {
    "none",      "open",  "full_cone",   "restricted_cone", "port_restricted",
    "symmetric", "cgnat", "udp_blocked", "population",      NULL};
static const char *const behinds[] = {"cgnat", NULL};
static const char *const shapes[] = {"exponential", "lognormal", NULL};
static const char *const tcps[] = {"linux", "ns3", NULL};
static const char *const channels[] = {"noise", "none", NULL};
static const char *const cryptos[] = {"real", "modelled", NULL};

#define HELP(text) .opt = {.type = OPT_TEXT, .help = text}
#define VALUE(kind, def, low, high, text)                                                          \
    .forms = FORM_TEXT,                                                                            \
    .opt = {.type = OPT_##kind, .fallback = def, .min = low, .max = high, .help = text}
#define CHOICE(list, def, text)                                                                    \
    .opt = {.type = OPT_CHOICE, .choices = list, .fallback = def, .help = text}

enum { MAX_COUNT = 1000000 };

/* clang-format off */
/* A NAT's own behaviour; what is absent is its kind's. */
#define NAT_BOX(nat) \
    {nat ".mapping", FORM_TEXT, CHOICE(nat_rules, NULL, "What of the destination decides the outer port (RFC 4787); the kind's unless given, as below.")}, \
    {nat ".filtering", FORM_TEXT, CHOICE(nat_rules, NULL, "Who of those that were not sent to gets in.")}, \
    {nat ".ports", FORM_TEXT, CHOICE(nat_port_rules, NULL, "How outer ports are chosen.")}, \
    {nat ".parity", VALUE(BOOL, NULL, 0, 1, "An even port is mapped to an even one.")}, \
    {nat ".hairpin", VALUE(BOOL, NULL, 0, 1, "Packets to its own outer address come back in.")}, \
    {nat ".inbound_refresh", VALUE(BOOL, NULL, 0, 1, "Inbound datagrams keep a mapping, too.")}, \
    {nat ".udp_timeout", VALUE(DURATION, NULL, 1, INT64_MAX / 4, "A mapping of UDP ends so long after its last packet.")}, \
    {nat ".tcp_timeout", VALUE(DURATION, NULL, 1, INT64_MAX / 4, "The same of an established connection.")}, \
    {nat ".tcp_transitory_timeout", VALUE(DURATION, NULL, 1, INT64_MAX / 4, "The same of one that is being opened, or is over.")}, \
    {nat ".port_limit", VALUE(INT, NULL, 0, 65535, "Ports that one subscriber may use at a time; 0: any number.")}

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
    {list ".access.jitter", VALUE(DURATION, "0", 0, INT64_MAX, "Mean of a random extra delay a packet.")}, \
    {list ".access.jitter_shape", FORM_TEXT, CHOICE(shapes, "exponential", "How jitter is distributed; lognormal has sigma 1.")}, \
    {list ".access.loss", VALUE(RATIO, "0", 0, 1000000, "Share of packets that are lost.")}, \
    {list ".access.burst", VALUE(INT, "0", 0, 65535, "Losses come in bursts (Gilbert-Elliott) of so many packets on average; 0: each by itself.")}, \
    {list ".access.burst_loss", VALUE(RATIO, "100%", 1, 1000000, "Share of packets lost within a burst.")}, \
    {list ".access.queue", VALUE(BYTES, "0", 0, INT64_MAX, "The bottleneck's buffer in each direction, drop-tail; 0: no limit.")}, \
    {list ".nat", FORM_TEXT | FORM_MAP, CHOICE(nats, "none", "The NAT it is behind: a kind, or a map: of one box, or of a crowd's shares of kinds. population: shares as in the field. cgnat: a home's NAT behind a carrier's.")}, \
    {list ".nat.kind", FORM_TEXT, CHOICE(nat_kinds, "port_restricted", "What the NAT is like, but for the keys beside; with cgnat they are the carrier's.")}, \
    {list ".nat.box", VALUE(TEXT, NULL, 0, 0, "The NAT's name: hosts that name the same share it; the box alone is as it was described first. With cgnat the carrier's.")}, \
    NAT_BOX(list ".nat"), \
    {list ".nat.forward", FORM_LIST, HELP("Ports of the NAT that lead to the host, with both protocols.")}, \
    {list ".nat.forward[]", .forms = FORM_TEXT | FORM_MAP, .opt = {.type = OPT_INT, .min = 1, .max = 65535, .help = "A port."}}, \
    {list ".nat.forward[].port", .required = true, VALUE(INT, NULL, 1, 65535, "The NAT's port.")}, \
    {list ".nat.forward[].to", VALUE(INT, NULL, 1, 65535, "The host's port; the same unless given.")}, \
    {list ".nat.behind", FORM_TEXT | FORM_MAP, CHOICE(behinds, NULL, "A second NAT in front of this one: a carrier's, or a map.")}, \
    {list ".nat.behind.box", VALUE(TEXT, NULL, 0, 0, "Its name: those who name the same share it.")}, \
    NAT_BOX(list ".nat.behind"), \
    {list ".nat.none", VALUE(RATIO, NULL, 0, 1000000, "The share of a crowd with a public address.")}, \
    {list ".nat.open", VALUE(RATIO, NULL, 0, 1000000, "The same.")}, \
    {list ".nat.full_cone", VALUE(RATIO, NULL, 0, 1000000, "The share of a crowd behind such a NAT, each behind its own.")}, \
    {list ".nat.restricted_cone", VALUE(RATIO, NULL, 0, 1000000, "The same.")}, \
    {list ".nat.port_restricted", VALUE(RATIO, NULL, 0, 1000000, "The same.")}, \
    {list ".nat.symmetric", VALUE(RATIO, NULL, 0, 1000000, "The same.")}, \
    {list ".nat.cgnat", VALUE(RATIO, NULL, 0, 1000000, "The same.")}, \
    {list ".nat.udp_blocked", VALUE(RATIO, NULL, 0, 1000000, "The same.")}, \
    {list ".start", FORM_TEXT | FORM_MAP, .opt = {.type = OPT_DURATION, .fallback = "0", .max = INT64_MAX, .help = "When its node starts."}}, \
    {list ".start.uniform", .required = true, VALUE(DURATION, NULL, 1, INT64_MAX, "Drawn at random, evenly up to this time; the same in every trial.")}, \
    {list ".start.after", VALUE(DURATION, "0", 0, INT64_MAX / 4, "What is drawn counts from here.")}, \
    {list ".start.days", VALUE(INT, "1", 1, 1000, "And is on one of so many days, drawn as well.")}

#define LINK(link) \
    {link ".between", FORM_LIST, HELP("The two nodes, both directions.")}, \
    {link ".between[]", VALUE(TEXT, NULL, 0, 0, "A node's name.")}, \
    {link ".from", VALUE(TEXT, NULL, 0, 0, "One direction only: from this node")}, \
    {link ".to", VALUE(TEXT, NULL, 0, 0, "to this one.")}, \
    {link ".loss", VALUE(RATIO, NULL, 0, 1000000, "Share of packets lost; as before unless given.")}, \
    {link ".burst", VALUE(INT, NULL, 0, 65535, "Packets in a burst of losses; as before unless given.")}, \
    {link ".latency", VALUE(DURATION, NULL, 0, INT64_MAX, "One way, in place of the path's; as before unless given.")}, \
    {link ".jitter", VALUE(DURATION, NULL, 0, INT64_MAX, "Mean, in place of both last miles'; as before unless given.")}, \
    {link ".rate", VALUE(RATE, NULL, 1, INT64_MAX, "Per second; as before unless given.")}

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
    {"tcp", FORM_TEXT | FORM_MAP, CHOICE(tcps, "linux", "How the hosts' TCP behaves: like Linux or like ns-3, or a map.")},
    {"tcp.like", FORM_TEXT, CHOICE(tcps, "linux", "What it is like but for the keys beside.")},
    {"tcp.delayed_ack", VALUE(DURATION, NULL, 0, 1000000000, "How long the acknowledgement of a single segment waits; Linux 40 ms, ns-3 200 ms.")},
    {"tcp.min_rto", VALUE(DURATION, NULL, 1000000, 120000000000, "The least retransmission timeout; 200 ms unless given.")},
    {"tcp.receive_window", VALUE(BYTES, NULL, 2920, 1073741824, "The receiver's window; 6 MiB unless given.")},
    {"tcp.initial_window", VALUE(INT, NULL, 1, 1000, "Segments that may be sent at first; 10 unless given.")},
    {"tcp.keepalive", VALUE(DURATION, NULL, 1000000000, INT64_MAX / 4, "Idle links are probed after so long, every 75 s, and end with the 9th unanswered probe; not probed unless given.")},
    {"tcp.hystart", VALUE(BOOL, NULL, 0, 1, "Whether slow start ends before losses; true unless given.")},
    {"links", FORM_LIST, HELP("Paths between two hosts that differ from what regions and last miles make of them; of two entries for the same path the last one counts.")},
    {"links[]", FORM_MAP, HELP("One path.")},
    LINK("links[]"),
    {"events", FORM_LIST, HELP("What happens to hosts and links: each entry has one of crash, restart, pause, resume, readdress, partition, link, flap.")},
    {"events[]", FORM_MAP, HELP("One event.")},
    {"events[].at", .required = true, VALUE(DURATION, NULL, 0, INT64_MAX, "When it happens.")},
    {"events[].until", VALUE(DURATION, NULL, 1, INT64_MAX, "When a partition, flapping, a link's change or a pause ends; for good unless given.")},
    {"events[].crash", VALUE(TEXT, NULL, 0, 0, "The node that crashes and loses its memory.")},
    {"events[].restart", VALUE(TEXT, NULL, 0, 0, "The node that starts again after a crash.")},
    {"events[].pause", VALUE(TEXT, NULL, 0, 0, "The node whose process stands still, until resume; its host's TCP goes on.")},
    {"events[].resume", VALUE(TEXT, NULL, 0, 0, "The node that goes on after a pause.")},
    {"events[].readdress", VALUE(TEXT, NULL, 0, 0, "The node whose host, or its NAT, gets another public address: its connections die.")},
    {"events[].partition", FORM_LIST | FORM_MAP, HELP("Groups of nodes that can't reach each other; who is in no group reaches all. A crowd's name stands for all of it. Or one way: {from: [...], to: [...]}.")},
    {"events[].partition.from", FORM_LIST, .required = true, HELP("Those whose packets don't arrive,")},
    {"events[].partition.from[]", VALUE(TEXT, NULL, 0, 0, "A node's name.")},
    {"events[].partition.to", FORM_LIST, .required = true, HELP("at these.")},
    {"events[].partition.to[]", VALUE(TEXT, NULL, 0, 0, "A node's name.")},
    {"events[].partition[]", FORM_LIST, HELP("One group.")},
    {"events[].partition[][]", VALUE(TEXT, NULL, 0, 0, "A node's name.")},
    {"events[].flap", FORM_MAP, HELP("Cuts the path between two nodes again and again.")},
    {"events[].flap.between", FORM_LIST, .required = true, HELP("The two nodes.")},
    {"events[].flap.between[]", VALUE(TEXT, NULL, 0, 0, "A node's name.")},
    {"events[].flap.up", .required = true, VALUE(DURATION, NULL, 1, INT64_MAX / 4, "How long it holds, first.")},
    {"events[].flap.down", .required = true, VALUE(DURATION, NULL, 1, INT64_MAX / 4, "How long it does not, then.")},
    {"events[].link", FORM_MAP, HELP("Changes the path between two nodes.")},
    LINK("events[].link"),
    {"observers", FORM_LIST, HELP("Who watches. exposure does unless it is disabled.")},
    {"observers[]", FORM_PLUGIN, OF_OBSERVER, HELP("An observer.")},
    {"observers[].at", FORM_TEXT | FORM_LIST, .opt = {.type = OPT_TEXT, .help = "What this adversary has tapped, all together: parties, services, roles (relay, mix ...), isp_NAME (a host's access line), region_NAME, link_NAME_NAME (between two regions), global (every access line). Unless given: what the observer names as its own, see `partyline list observers`."}},
    {"observers[].at[]", VALUE(TEXT, NULL, 0, 0, "A place.")},
    {"observers[].coalitions", FORM_MAP, HELP("Many adversaries instead: each of them has tapped so many of the places.")},
    {"observers[].coalitions.size", .required = true, VALUE(INT, NULL, 1, 1000, "How many places an adversary has: 1 is each place on its own, 2 every pair ...")},
    {"observers[].coalitions.draws", VALUE(INT, NULL, 1, 10000, "So many coalitions at random instead of all; needed where there are more than 10000 (or worst).")},
    {"observers[].coalitions.worst", VALUE(TEXT, NULL, 0, 0, "A metric: only the coalition in which it is worst counts. Of more than 10000 one is put together greedily, and said to be.")},
    {"observers[].coalitions.with", VALUE(TEXT, NULL, 0, 0, "A place that each of them has tapped besides: with global it sees every line as well.")},
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
