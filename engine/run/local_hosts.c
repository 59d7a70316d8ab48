#include "engine/run/local_hosts.h"

#include "engine/run/files.h"
#include "engine/run/yaml.h"
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

static void read_host(struct local_hosts *h, const struct trial_spec *t, uint32_t i,
                      const struct yaml_node *node, struct diag_list *d)
{
    static const char *const keys[] = {"address", "port", "identity", "bind", NULL};
    const struct yaml_node *address = yaml_get(node, "address"), *bind = yaml_get(node, "bind");
    const struct yaml_node *identity = yaml_get(node, "identity");
    const char *name = t->roster->entries[i].name;
    uint8_t bytes[IDENTITY_PUBLIC];
    int64_t port = 0;
    check_keys(node, keys, d);
    if (!number(yaml_get(node, "port"), 65536 - UVPLACE_PORTS, &port) || port < 1)
        yaml_say(d, node, "%s needs a port from 1 to %d", name, 65536 - UVPLACE_PORTS);
    if (text_of(address))
        read_address(address, (uint16_t)port, &h->places[i].address, d);
    else
        yaml_say(d, node, "%s needs an address", name);
    h->places[i].bind = h->places[i].address;
    if (text_of(bind))
        read_address(bind, 0, &h->places[i].bind, d);
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
    static const char *const keys[] = {"schema", "origin", "hosts", NULL};
    const struct yaml_node *list = yaml_get(root, "hosts"), *origin = yaml_get(root, "origin");
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
    *h = (struct local_hosts){.origin = -1};
    if (files_read(path, HOSTS_MAX_BYTES, &text, &source.len, &e) != OK) {
        diag_add(d, &source, 0, 0, "%s", e.text);
        return ERR_IO;
    }
    source.text = text;
    h->places = calloc(t->roster->n, sizeof *h->places);
    h->identities = calloc(t->roster->n, sizeof *h->identities);
    arena_init(&arena, ARENA_MAX);
    arena.landing = &landing;
    if (!h->places || !h->identities || setjmp(landing)) {
        diag_add(d, &source, 0, 0, "no memory for a hosts file");
    } else {
        root = yaml_read(&arena, &source, d);
        if (root)
            read_hosts(h, t, root, d);
    }
    arena_free(&arena);
    free(text);
    return d->said ? ERR_INVALID : OK;
}

void local_hosts_free(struct local_hosts *h)
{
    free(h->places);
    free(h->identities);
    *h = (struct local_hosts){.origin = -1};
}
