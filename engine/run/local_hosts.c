#include "engine/run/local_hosts.h"

#include "engine/run/files.h"
#include "engine/run/yaml.h"
#include "engine/worlds/uv/gateways/smtp.h"
#include "engine/worlds/uv/uvnode.h"

#include <stdlib.h>

enum { HOSTS_MAX_BYTES = 4 << 20, ARENA_MAX = 64 << 20 };

/* ---- hexadecimal ---------------------------------------------------------------------- */

void local_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = 0;
}

bool local_unhex(const char *text, size_t text_len, uint8_t *out, size_t len)
{
    if (text_len != 2 * len)
        return false;
    for (size_t i = 0; i < 2 * len; i++) {
        char c = text[i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (v < 0)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | v : v);
    }
    return true;
}

/* ---- the hosts file ------------------------------------------------------------------- */

static bool number(const struct yaml_node *node, int64_t max, int64_t *out)
{
    char *end;
    if (!node || node->kind != YAML_TEXT || node->text[0] < '0' || node->text[0] > '9' ||
        strlen(node->text) > 18)
        return false;
    *out = strtoll(node->text, &end, 10);
    return *end == 0 && *out <= max;
}

static bool text_of(const struct yaml_node *node)
{
    return node && node->kind == YAML_TEXT && node->text[0];
}

static void check_keys(const struct yaml_node *map, const char *const *known, struct diag_list *d)
{
    char shown[128];
    for (uint32_t i = 0; i < map->n; i++) {
        const struct yaml_node *key = map->items[i].key;
        bool found = false;
        for (size_t k = 0; known[k]; k++)
            found |= strcmp(known[k], key->text) == 0;
        if (!found)
            yaml_say(d, key, "a hosts file knows no key %s here",
                     diag_quote(key->text, shown, sizeof shown));
    }
}

static void read_address(const struct yaml_node *node, uint16_t port, struct addr *out,
                         struct diag_list *d)
{
    struct err e;
    if (uvplace_resolve(node->text, port, out, &e) != OK)
        yaml_say(d, node, "%s", e.text);
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT" */
static bool split_port(const char *text, char *host, size_t cap, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    const struct yaml_node digits = {.kind = YAML_TEXT, .text = colon ? colon + 1 : ""};
    int64_t n = 0;
    if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= cap || !number(&digits, 65535, &n) || n == 0)
        return false;
    memcpy(host, text, len);
    host[len] = 0;
    *port = (uint16_t)n;
    return true;
}

static void read_http(struct local_hosts *h, const struct yaml_node *node, struct diag_list *d)
{
    char host[256];
    uint16_t port;
    if (text_of(node) && split_port(node->text, host, sizeof host, &port))
        read_address(&(struct yaml_node){.kind = YAML_TEXT,
                                         .text = host,
                                         .source = node->source,
                                         .line = node->line,
                                         .column = node->column},
                     port, &h->http, d);
    else
        yaml_say(d, node, "expected an address and a port, as in 127.0.0.1:8080");
}

/* What a node with a gateway has besides. */
static void read_gateway(struct local_hosts *h, party_t i, const struct yaml_node *node,
                         struct diag_list *d)
{
    const struct yaml_node *http = yaml_get(node, "http"), *smtp = yaml_get(node, "smtp");
    const struct yaml_node *from = yaml_get(node, "from");
    if (!http && !smtp && !from)
        return;
    if (h->gateway != PARTY_NONE)
        yaml_say(d, node, "one node can have a gateway, and another one has it already");
    h->gateway = i;
    if (http)
        read_http(h, http, d);
    if (!smtp != !from) {
        yaml_say(d, node, "smtp and from belong together: who sends the mail?");
    } else if (smtp && (!text_of(smtp) || (strncmp(smtp->text, "smtp://", 7) != 0 &&
                                           strncmp(smtp->text, "smtps://", 8) != 0))) {
        yaml_say(d, smtp, "expected smtp://HOST:PORT or smtps://HOST:PORT");
    } else if (from && (!text_of(from) || !smtp_address_valid(from->text))) {
        yaml_say(d, from, "expected a mail address");
    } else if (smtp) {
        h->smtp = strdup(smtp->text);
        h->from = strdup(from->text);
        if (!h->smtp || !h->from)
            yaml_say(d, smtp, "no memory for a hosts file");
    }
}

/* Does it come through a gateway? Then it has nothing else here. */
static bool read_through(struct local_hosts *h, const struct trial_spec *t, party_t i,
                         const struct yaml_node *node, struct diag_list *d)
{
    const struct yaml_node *through = yaml_get(node, "through");
    party_t k = 0;
    if (!through)
        return false;
    h->through[i] = true;
    while (text_of(through) && k < t->roster->n &&
           strcmp(t->roster->entries[k].name, through->text) != 0)
        k++;
    if (node->n != 1)
        yaml_say(d, node, "who comes through a gateway has no node: expected {through: NAME}");
    else if (!text_of(through) || k == t->roster->n)
        yaml_say(d, through, "there is no such node");
    else if (h->gateway == PARTY_NONE || h->gateway != k)
        yaml_say(d, through, "%s has no gateway: expected a node with `http` or `smtp`",
                 through->text);
    return true;
}

static void read_host(struct local_hosts *h, const struct trial_spec *t, uint32_t i,
                      const struct yaml_node *node, struct diag_list *d)
{
    static const char *const keys[] = {"address", "port",    "identity", "bind",    "http", "smtp",
                                       "from",    "through", "start",    "foreign", NULL};
    const struct yaml_node *address = yaml_get(node, "address"), *bind = yaml_get(node, "bind");
    const struct yaml_node *identity = yaml_get(node, "identity");
    const char *name = t->roster->entries[i].name;
    uint8_t bytes[IDENTITY_PUBLIC];
    int64_t port = 0;
    check_keys(node, keys, d);
    if (read_through(h, t, i, node, d))
        return;
    if (yaml_get(node, "port") &&
        (!number(yaml_get(node, "port"), 65536 - UVPLACE_PORTS, &port) || port < 1))
        yaml_say(d, node, "%s: expected a port from 1 to %d, or none", name, 65536 - UVPLACE_PORTS);
    if (text_of(address))
        read_address(address, (uint16_t)port, &h->places[i].address, d);
    else
        yaml_say(d, node, "%s needs an address", name);
    h->places[i].bind = h->places[i].address;
    if (text_of(bind))
        read_address(bind, 0, &h->places[i].bind, d);
    h->places[i].foreign = yaml_get(node, "foreign") != NULL;
    if (h->places[i].foreign && (!text_of(yaml_get(node, "foreign")) ||
                                 strcmp(yaml_get(node, "foreign")->text, "true") != 0))
        yaml_say(d, node, "%s: expected foreign: true, or nothing", name);
    if (yaml_get(node, "start") && !number(yaml_get(node, "start"), INT64_MAX, &h->starts[i]))
        yaml_say(d, node, "%s: expected start as a number of nanoseconds", name);
    if (t->channel == CHANNEL_NONE)
        return;
    if (!text_of(identity) ||
        !local_unhex(identity->text, strlen(identity->text), bytes, sizeof bytes) ||
        identity_decode(&h->identities[i], bytes, sizeof bytes) != OK ||
        identity_verify(&h->identities[i]) != OK)
        yaml_say(d, identity ? identity : node,
                 "%s needs an identity as partyline keygen prints it", name);
}

static void read_hosts(struct local_hosts *h, const struct trial_spec *t,
                       const struct yaml_node *root, struct diag_list *d)
{
    static const char *const keys[] = {"schema", "origin", "epoch", "hosts", NULL};
    const struct yaml_node *list = yaml_get(root, "hosts"), *origin = yaml_get(root, "origin");
    const struct yaml_node *epoch = yaml_get(root, "epoch");
    int64_t schema;
    if (root->kind != YAML_MAP || !list || list->kind != YAML_MAP) {
        yaml_say(d, root, "expected a map with schema and hosts");
        return;
    }
    check_keys(root, keys, d);
    if (!number(yaml_get(root, "schema"), 1, &schema) || schema != 1)
        yaml_say(d, root, "expected schema: 1");
    if (origin && !number(origin, INT64_MAX, &h->origin))
        yaml_say(d, origin, "expected a number of nanoseconds");
    if (epoch && (origin || !number(epoch, INT64_MAX, &h->epoch)))
        yaml_say(d, epoch, "expected a number of nanoseconds, and either origin or epoch");
    for (uint32_t i = 0; i < t->roster->n; i++) {
        const char *name = t->roster->entries[i].name;
        const struct yaml_node *node = yaml_get(list, name);
        if (node && node->kind == YAML_MAP)
            read_gateway(h, i, node, d);
    }
    for (uint32_t i = 0; i < t->roster->n; i++) {
        const char *name = t->roster->entries[i].name;
        const struct yaml_node *node = yaml_get(list, name);
        if (node && node->kind == YAML_MAP)
            read_host(h, t, i, node, d);
        else
            yaml_say(d, node ? node : list,
                     "the node %s has no entry: expected {address, port, "
                     "identity}",
                     name);
    }
}

int local_hosts_read(struct local_hosts *h, const char *path, const struct trial_spec *t,
                     struct diag_list *d)
{
    struct source source = {.name = path};
    struct arena arena;
    const struct yaml_node *root;
    struct err e;
    char *text = NULL;
    jmp_buf landing;
    *h = (struct local_hosts){.origin = -1, .epoch = -1, .gateway = PARTY_NONE};
    if (files_read(path, HOSTS_MAX_BYTES, &text, &source.len, &e) != OK) {
        diag_add(d, &source, 0, 0, "%s", e.text);
        return ERR_IO;
    }
    source.text = text;
    h->places = calloc(t->roster->n, sizeof *h->places);
    h->identities = calloc(t->roster->n, sizeof *h->identities);
    h->starts = calloc(t->roster->n, sizeof *h->starts);
    h->through = calloc(t->roster->n, sizeof *h->through);
    arena_init(&arena, ARENA_MAX);
    arena.landing = &landing;
    if (!h->places || !h->identities || !h->starts || !h->through || setjmp(landing)) {
        diag_add(d, &source, 0, 0, "no memory for a hosts file");
    } else {
        root = yaml_read(&arena, &source, d);
        if (root)
            read_hosts(h, t, root, d);
        if (h->gateway != PARTY_NONE && (h->origin >= 0 || h->epoch >= 0))
            diag_add(d, &source, 0, 0,
                     "with a gateway clocks show the time of day: no origin, no epoch");
    }
    arena_free(&arena);
    free(text);
    return d->said ? ERR_INVALID : OK;
}

int local_hosts_publish(struct local_hosts *h, struct roster *r)
{
    h->entries = malloc(r->n * sizeof *h->entries);
    if (!h->entries)
        return ERR_NOMEM;
    memcpy(h->entries, r->entries, r->n * sizeof *h->entries);
    for (party_t i = 0; i < r->n; i++)
        if (h->places[i].address.port == 0 && !h->through[i])
            memcpy(h->entries[i].addr.ip, h->places[i].address.ip, sizeof h->entries[i].addr.ip);
    r->entries = h->entries;
    return OK;
}

void local_hosts_free(struct local_hosts *h)
{
    free(h->places);
    free(h->entries);
    free(h->identities);
    free(h->starts);
    free(h->through);
    free(h->smtp);
    free(h->from);
    *h = (struct local_hosts){.origin = -1, .epoch = -1, .gateway = PARTY_NONE};
}
