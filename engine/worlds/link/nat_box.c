/* Boxes: who is behind which, and what addresses there are. */
#include "engine/worlds/link/nat.h"

#include <stdlib.h>

static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};

/* ---- addresses ------------------------------------------------------------------------ */

void nat_private(uint32_t host, uint8_t ip[16])
{
    uint32_t low = host + 1;
    memcpy(ip, v4, 12);
    ip[12] = 10;
    ip[13] = (uint8_t)(low >> 16);
    ip[14] = (uint8_t)(low >> 8);
    ip[15] = (uint8_t)low;
}

uint32_t nat_private_of(const struct nat *nat, const uint8_t ip[16], bool *is)
{
    uint32_t low = (uint32_t)ip[13] << 16 | (uint32_t)ip[14] << 8 | ip[15];
    *is = memcmp(ip, v4, 12) == 0 && ip[12] == 10;
    return *is && low && low <= nat->n_hosts && nat_inside(nat, low - 1) ? low - 1 : NAT_NONE_SUCH;
}

/* An inner box, on its carrier's network. */
static void carrier_address(uint32_t box, uint8_t ip[16])
{
    memcpy(ip, v4, 12);
    ip[12] = 100;
    ip[13] = (uint8_t)(64 | (box >> 16 & 63));
    ip[14] = (uint8_t)(box >> 8);
    ip[15] = (uint8_t)box;
}

/* A box after its address has changed: 2001:db8:ffff::, the change, the box. */
static void later_address(uint32_t box, uint32_t epoch, uint8_t ip[16])
{
    static const uint8_t prefix[8] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff};
    memcpy(ip, prefix, 8);
    for (int i = 0; i < 4; i++) {
        ip[8 + i] = (uint8_t)(epoch >> (24 - 8 * i));
        ip[12 + i] = (uint8_t)(box >> (24 - 8 * i));
    }
}

static int add_address(struct nat *nat, const uint8_t ip[16], uint32_t box, uint32_t host)
{
    struct nat_address *a;
    uint32_t hash = nat_hash_ip(ip), i = nat->n_addresses;
    if (i == nat->cap_addresses) {
        uint32_t cap = i ? 2 * i : 16;
        a = realloc(nat->addresses, cap * sizeof *a);
        if (!a)
            return ERR_NOMEM;
        nat->addresses = a;
        nat->cap_addresses = cap;
    }
    a = &nat->addresses[i];
    *a = (struct nat_address){.box = box,
                              .host = host,
                              .epoch = nat->boxes[box].epoch,
                              .next = map_get(&nat->by_address, hash, NAT_NONE_SUCH)};
    memcpy(a->ip, ip, 16);
    if (map_put(&nat->by_address, hash, i) != OK)
        return ERR_NOMEM;
    nat->n_addresses++;
    return OK;
}

const struct nat_address *nat_address_find(const struct nat *nat, const uint8_t ip[16])
{
    uint32_t i = map_get(&nat->by_address, nat_hash_ip(ip), NAT_NONE_SUCH);
    while (i != NAT_NONE_SUCH && memcmp(nat->addresses[i].ip, ip, 16) != 0)
        i = nat->addresses[i].next;
    return i == NAT_NONE_SUCH ? NULL : &nat->addresses[i];
}

uint32_t nat_box_at(const struct nat *nat, const uint8_t ip[16], bool *lost)
{
    const struct nat_address *a = nat_address_find(nat, ip);
    *lost = a && a->epoch != nat->boxes[a->box].epoch;
    return a && !*lost ? a->box : NAT_NONE_SUCH;
}

uint32_t nat_outermost(const struct nat *nat, uint32_t host)
{
    uint32_t box = nat->n_boxes ? nat->insides[host].box : NAT_NONE_SUCH;
    while (box != NAT_NONE_SUCH && nat->boxes[box].outer != NAT_NONE_SUCH)
        box = nat->boxes[box].outer;
    return box;
}

/* ---- who is behind what --------------------------------------------------------------- */

struct named {
    const char *name;
    uint32_t inside; /* a host, or n_hosts and a box */
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->inside > y->inside) - (x->inside < y->inside);
}

static const struct nat_spec *spec_of(const struct host_spec *h)
{
    return h->nat_spec ? h->nat_spec : nat_preset(h->nat);
}

static uint32_t new_box(struct nat *nat, const struct nat_spec *spec)
{
    uint32_t box = nat->n_boxes++;
    nat->boxes[box] = (struct nat_box){.spec = spec, .outer = NAT_NONE_SUCH};
    nat->insides[nat->n_hosts + box] =
        (struct nat_inside){.box = NAT_NONE_SUCH, .mappings = NAT_NONE_SUCH};
    return box;
}

/* The spec of the box around an inside. */
static const struct nat_spec *around(const struct nat *nat, const struct host_spec *hosts,
                                     uint32_t inside)
{
    return inside < nat->n_hosts ? spec_of(&hosts[inside])
                                 : nat->boxes[inside - nat->n_hosts].spec->outer;
}

/* Puts those whose box has a name behind the same one: sorted by name, they stand together. */
static void share(struct nat *nat, const struct host_spec *hosts, struct named *list, size_t n)
{
    qsort(list, n, sizeof *list, by_name);
    for (size_t i = 0; i < n; i++)
        nat->insides[list[i].inside].box = i && strcmp(list[i].name, list[i - 1].name) == 0
                                               ? nat->insides[list[i - 1].inside].box
                                               : new_box(nat, around(nat, hosts, list[i].inside));
}

/* The preset cgnat's name is that of the carrier's box. */
static bool names_outer(const struct host_spec *h)
{
    return h->nat == NAT_CGNAT && !h->nat_spec;
}

static void first_boxes(struct nat *nat, const struct host_spec *hosts, struct named *list)
{
    size_t k = 0;
    for (uint32_t i = 0; i < nat->n_hosts; i++)
        if (nat_translates(hosts[i].nat) && hosts[i].nat_box && !names_outer(&hosts[i]))
            list[k++] = (struct named){hosts[i].nat_box, i};
    share(nat, hosts, list, k);
    for (uint32_t i = 0; i < nat->n_hosts; i++)
        if (nat_translates(hosts[i].nat) && nat->insides[i].box == NAT_NONE_SUCH)
            nat->insides[i].box = new_box(nat, spec_of(&hosts[i]));
}

/* The name of the carrier's box around that one; NULL: it has none. */
static const char *outer_name(const struct nat *nat, const struct host_spec *hosts, uint32_t box)
{
    const struct host_spec *h = &hosts[nat->boxes[box].first];
    return names_outer(h) ? h->nat_box : nat->boxes[box].spec->outer_box;
}

static void second_boxes(struct nat *nat, const struct host_spec *hosts, struct named *list)
{
    uint32_t inner = nat->n_boxes;
    size_t k = 0;
    for (uint32_t b = 0; b < inner; b++) {
        const char *name = nat->boxes[b].spec->outer ? outer_name(nat, hosts, b) : NULL;
        if (name)
            list[k++] = (struct named){name, nat->n_hosts + b};
    }
    share(nat, hosts, list, k);
    for (uint32_t b = 0; b < inner; b++) {
        struct nat_inside *x = &nat->insides[nat->n_hosts + b];
        if (nat->boxes[b].spec->outer && x->box == NAT_NONE_SUCH)
            x->box = new_box(nat, nat->boxes[b].spec->outer);
        nat->boxes[b].outer = x->box;
    }
}

static void count_hosts(struct nat *nat, bool outer)
{
    for (uint32_t i = 0; i < nat->n_hosts; i++) {
        uint32_t b = nat->insides[i].box;
        if (b != NAT_NONE_SUCH && outer)
            b = nat->boxes[b].outer;
        if (b != NAT_NONE_SUCH && nat->boxes[b].hosts++ == 0)
            nat->boxes[b].first = i;
    }
}

static int give_addresses(struct nat *nat, const struct roster_entry *entries)
{
    int rc = OK;
    for (uint32_t b = 0; rc == OK && b < nat->n_boxes; b++) {
        struct nat_box *box = &nat->boxes[b];
        box->dice = dice_name(nat->seed, "nat", b, 0, 0);
        if (box->outer == NAT_NONE_SUCH) {
            memcpy(box->address.ip, entries[box->first].addr.ip, 16);
            continue;
        }
        carrier_address(b, box->address.ip);
        rc = add_address(nat, box->address.ip, b, NAT_NONE_SUCH);
    }
    for (uint32_t i = 0; rc == OK && i < nat->n_hosts; i++)
        if (nat_inside(nat, i))
            rc = add_address(nat, entries[i].addr.ip, nat_outermost(nat, i), i);
    return rc;
}

/* ---- ports that a box is told to forward, and who had which --------------------------- */

int nat_note_user(struct nat *nat, uint32_t box, uint16_t port, uint32_t host)
{
    struct nat_box *b = &nat->boxes[box];
    return b->hosts == 1 ? OK : map_put(&b->users, 1 + (b->epoch << 16 | port), host);
}

static int forward(struct nat *nat, uint32_t host, const struct nat_forward *f)
{
    struct nat_mapping m = {.inner_port = f->inner,
                            .outer_port = f->outer,
                            .forward = true,
                            .box = nat->insides[host].box,
                            .inside = host,
                            .expires = NS_NEVER};
    int rc = nat_note_user(nat, m.box, m.outer_port, host);
    nat->boxes[m.box].forwards = true;
    for (int p = 0; rc == OK && p < 2; p++) {
        m.protocol = (uint8_t)p;
        if (!nat_port_free(nat, &m, m.outer_port, 0))
            rc = ERR_EXISTS;
        else if (nat_add_mapping(nat, &m, 0) == NAT_NONE_SUCH)
            rc = ERR_NOMEM;
    }
    return rc;
}

static int forward_all(struct nat *nat, const struct host_spec *hosts)
{
    int rc = OK;
    for (uint32_t i = 0; rc == OK && i < nat->n_hosts; i++) {
        const struct nat_spec *spec = nat_inside(nat, i) ? spec_of(&hosts[i]) : NULL;
        for (uint32_t k = 0; rc == OK && spec && k < spec->n_forwards; k++)
            rc = forward(nat, i, &spec->forwards[k]);
    }
    return rc;
}

/* ---- making and ending ---------------------------------------------------------------- */

int nat_init(struct nat *nat, const struct host_spec *hosts, const struct roster_entry *entries,
             uint32_t n, uint64_t seed)
{
    struct named *list;
    uint32_t inside = 0;
    int rc = ERR_NOMEM;
    *nat = (struct nat){.n_hosts = n, .seed = seed};
    nat_table_init(&nat->table);
    for (uint32_t i = 0; i < n; i++)
        inside += nat_translates(hosts[i].nat);
    if (inside == 0)
        return OK;
    list = malloc(inside * sizeof *list);
    nat->insides = malloc((n + 2 * (size_t)inside) * sizeof *nat->insides);
    nat->boxes = malloc(2 * (size_t)inside * sizeof *nat->boxes);
    if (list && nat->insides && nat->boxes) {
        for (uint32_t i = 0; i < n; i++)
            nat->insides[i] = (struct nat_inside){.box = NAT_NONE_SUCH, .mappings = NAT_NONE_SUCH};
        first_boxes(nat, hosts, list);
        count_hosts(nat, false);
        second_boxes(nat, hosts, list);
        count_hosts(nat, true);
        rc = give_addresses(nat, entries);
    }
    free(list);
    if (rc == OK)
        rc = forward_all(nat, hosts);
    if (rc != OK)
        nat_free(nat);
    return rc;
}

void nat_free(struct nat *nat)
{
    for (uint32_t i = 0; i < nat->n_boxes; i++)
        map_free(&nat->boxes[i].users);
    nat_table_free(&nat->table);
    map_free(&nat->by_address);
    free(nat->addresses);
    free(nat->boxes);
    free(nat->insides);
    *nat = (struct nat){0};
}

/* ---- changes, and the truth ----------------------------------------------------------- */

int nat_readdress(struct nat *nat, uint32_t host)
{
    uint32_t box = nat_outermost(nat, host);
    struct nat_box *b;
    if (box == NAT_NONE_SUCH)
        return ERR_UNSUPPORTED;
    b = &nat->boxes[box];
    for (uint32_t i = 0; i < nat->table.n_mappings; i++) {
        struct nat_mapping *m = &nat->table.mappings[i];
        if (m->live && m->box == box && !m->forward)
            nat_remove_mapping(nat, i);
    }
    b->epoch++;
    b->full = (struct nat_full){0};
    later_address(box, b->epoch, b->address.ip);
    for (uint32_t i = 0; i < nat->table.n_mappings; i++) {
        const struct nat_mapping *m = &nat->table.mappings[i];
        if (m->live && m->box == box && nat_note_user(nat, box, m->outer_port, m->inside) != OK)
            return ERR_NOMEM;
    }
    return add_address(nat, b->address.ip, box, NAT_NONE_SUCH);
}

bool nat_owner(const struct nat *nat, const struct addr *a, party_t *owner)
{
    const struct nat_address *found;
    const struct nat_box *box;
    bool local;
    if (nat->n_boxes == 0)
        return false;
    *owner = nat_private_of(nat, a->ip, &local);
    if (local)
        return *owner != NAT_NONE_SUCH;
    found = nat_address_find(nat, a->ip);
    if (!found)
        return false;
    box = &nat->boxes[found->box];
    if (found->host != NAT_NONE_SUCH && found->host != box->first)
        *owner = found->host;
    else if (box->hosts == 1)
        *owner = box->first;
    else
        *owner = map_get(&box->users, 1 + (found->epoch << 16 | a->port), PARTY_NONE);
    return true;
}
