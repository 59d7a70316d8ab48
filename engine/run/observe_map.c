#include "engine/run/observe.h"

#include "engine/run/yaml.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>

enum { MAP_NODES_MAX = 100000 };

struct mapping {
    struct observe_people *people;
    const char *name;
    struct err *e;
    int rc;
};

static void refuse(struct mapping *m, const struct yaml_node *at, const char *what)
{
    if (m->rc == OK)
        m->rc = err_set(m->e, ERR_INVALID, "%s:%d:%d: %s", m->name, at->line, at->column, what);
}

static bool parse(const char *text, struct addr *out)
{
    struct in_addr v4;
    *out = (struct addr){0};
    if (inet_pton(AF_INET, text, &v4) == 1) {
        out->ip[10] = out->ip[11] = 0xff;
        memcpy(out->ip + 12, &v4, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, out->ip) == 1;
}

static void add_address(struct mapping *m, const struct yaml_node *at, party_t who)
{
    struct observe_owner o = {.who = who, .any_port = true};
    if (at->kind != YAML_TEXT || !parse(at->text, &o.addr)) {
        refuse(m, at, "expected an IPv4 or IPv6 address such as 10.0.0.1");
        return;
    }
    if (m->rc == OK && who >= m->people->roster.n_parties)
        m->people->published[who] = o.addr;
    if (m->rc == OK)
        m->rc = observe_add_owner(m->people, o);
}

static bool good_name(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return n > 0 && n < 64;
}

static void add_addresses(struct mapping *m, const struct yaml_node *value, party_t who)
{
    if (value->kind != YAML_LIST)
        add_address(m, value, who);
    for (uint32_t k = 0; value->kind == YAML_LIST && k < value->n; k++)
        add_address(m, value->items[k].value, who);
}

/* The role of a service; *value becomes its address. */
static const char *role_of(struct mapping *m, const char *name, const struct yaml_node **value)
{
    const struct yaml_node *map = *value, *role;
    if (map->kind != YAML_MAP)
        return name;
    for (uint32_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i].key->text, "role") != 0 &&
            strcmp(map->items[i].key->text, "address") != 0)
            refuse(m, map->items[i].key, "unknown key: expected role or address");
    role = yaml_get(map, "role");
    *value = yaml_get(map, "address");
    if (!*value || (role && (role->kind != YAML_TEXT || !good_name(role->text))))
        refuse(m, map, "expected {role: ROLE, address: ADDRESS}");
    return role && m->rc == OK ? role->text : name;
}

static void add_hosts(struct mapping *m, const struct yaml_node *map, bool party)
{
    if (map && map->kind != YAML_MAP) {
        refuse(m, map, "expected a map of names to addresses");
        return;
    }
    for (uint32_t i = 0; map && i < map->n && m->rc == OK; i++) {
        static const struct addr nowhere;
        const struct yaml_node *key = map->items[i].key, *value = map->items[i].value;
        party_t who = m->people->roster.n;
        const char *role = party ? "party" : role_of(m, key->text, &value);
        if (!good_name(key->text))
            refuse(m, key, "expected a name of at most 63 printable characters");
        else if (who >= MAP_NODES_MAX)
            refuse(m, key, "more hosts than 100000");
        if (m->rc == OK)
            m->rc = observe_add_node(m->people, key->text, role, party, &nowhere);
        if (m->rc == OK)
            add_addresses(m, value, who);
    }
}

/* Nanoseconds since 1970. */
static ns_t time_at(struct mapping *m, const struct yaml_node *at)
{
    char *end = NULL;
    long long ns = at && at->kind == YAML_TEXT ? strtoll(at->text, &end, 10) : 0;
    if (at && (!end || *end || end == at->text || ns <= 0 || ns == LLONG_MAX))
        refuse(m, at, "expected nanoseconds since 1970");
    return ns;
}

static void check_twice(struct mapping *m)
{
    const struct observe_people *p = m->people;
    observe_settle(m->people);
    for (size_t i = 1; i < p->n_owners && m->rc == OK; i++)
        if (addr_equal(&p->owners[i].addr, &p->owners[i - 1].addr))
            m->rc = err_set(m->e, ERR_INVALID, "%s: %s and %s have an address in common", m->name,
                            p->names[p->owners[i - 1].who], p->names[p->owners[i].who]);
}

static void check_keys(struct mapping *m, const struct yaml_node *root)
{
    static const char *const known[] = {"parties", "services", "began", "ended"};
    if (root->kind != YAML_MAP) {
        refuse(m, root, "expected the keys parties and services");
        return;
    }
    for (uint32_t i = 0; i < root->n; i++) {
        size_t k = 0;
        while (k < 4 && strcmp(root->items[i].key->text, known[k]) != 0)
            k++;
        if (k == 4)
            refuse(m, root->items[i].key,
                   "unknown key: expected parties, services, began or ended");
    }
    if (!yaml_get(root, "parties"))
        refuse(m, root, "the key \"parties\" is missing");
}

static int first_finding(const struct diag_list *diags, struct err *e)
{
    const struct diag *d = diags->items;
    return diags->n ? err_set(e, ERR_INVALID, "%s:%d:%d: %s", d->file, d->line, d->column, d->text)
                    : OK;
}

/* Whatever the tree is, of the arena that has landed. */
static int read_tree(struct mapping *m, struct arena *arena, const struct source *from,
                     struct diag_list *diags)
{
    const struct yaml_node *root = yaml_read(arena, from, diags);
    diag_sort(diags);
    m->rc = first_finding(diags, m->e);
    if (m->rc == OK && root)
        check_keys(m, root);
    if (m->rc == OK && root) {
        add_hosts(m, yaml_get(root, "parties"), true);
        add_hosts(m, yaml_get(root, "services"), false);
        m->people->began = time_at(m, yaml_get(root, "began"));
        m->people->ended = time_at(m, yaml_get(root, "ended"));
        if (m->people->ended && m->people->ended <= m->people->began)
            refuse(m, yaml_get(root, "ended"), "not after began");
        check_twice(m);
    }
    return m->rc;
}

int observe_map(struct observe_people *people, const char *name, const char *text, size_t len,
                struct err *e)
{
    struct mapping m = {.people = people, .name = name, .e = e};
    const struct source from = {.name = name, .text = text, .len = len};
    struct diag_list diags;
    struct arena arena;
    jmp_buf landing;
    volatile int rc;
    diag_init(&diags);
    arena_init(&arena, 64 << 20);
    if (setjmp(landing) == 0) {
        arena.landing = &landing;
        rc = read_tree(&m, &arena, &from, &diags);
    } else {
        rc = err_set(e, ERR_NOMEM, "%s: too big", name);
    }
    arena_free(&arena);
    diag_free(&diags);
    return rc;
}
