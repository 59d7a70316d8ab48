#include "engine/worlds/link/nat.h"

#include <stdlib.h>

struct entry {
    const char *name;
    uint32_t host;
};

static int by_name_then_host(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->host > y->host) - (x->host < y->host);
}

static uint32_t new_box(struct nat *n, uint32_t host)
{
    n->boxes[n->n_boxes] = (struct nat_box){.first = host};
    return n->n_boxes++;
}

/* Hosts whose box has a name share it: sorted by name, they stand together. */
static int share_boxes(struct nat *nat, const struct host_spec *hosts, uint32_t n)
{
    struct entry *list = malloc(n * sizeof *list);
    size_t k = 0;
    if (!list)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (nat_translates(hosts[i].nat) && hosts[i].nat_box)
            list[k++] = (struct entry){hosts[i].nat_box, i};
    qsort(list, k, sizeof *list, by_name_then_host);
    for (size_t i = 0; i < k; i++)
        nat->box[list[i].host] = i && strcmp(list[i].name, list[i - 1].name) == 0
                                     ? nat->box[list[i - 1].host]
                                     : new_box(nat, list[i].host);
    free(list);
    return OK;
}

static void count_hosts(struct nat *nat, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (nat->box[i] != NAT_NO_BOX)
            nat->boxes[nat->box[i]].hosts++;
}

int nat_init(struct nat *nat, const struct host_spec *hosts, uint32_t n)
{
    uint32_t inside = 0;
    int rc;
    *nat = (struct nat){0};
    for (uint32_t i = 0; i < n; i++)
        inside += nat_translates(hosts[i].nat);
    if (inside == 0)
        return OK;
    nat->box = malloc(n * sizeof *nat->box);
    nat->boxes = calloc(inside, sizeof *nat->boxes);
    rc = nat->box && nat->boxes ? share_boxes(nat, hosts, n) : ERR_NOMEM;
    for (uint32_t i = 0; rc == OK && i < n; i++) {
        if (!nat_translates(hosts[i].nat))
            nat->box[i] = NAT_NO_BOX;
        else if (!hosts[i].nat_box)
            nat->box[i] = new_box(nat, i);
    }
    if (rc == OK)
        count_hosts(nat, n);
    else
        nat_free(nat);
    return rc;
}

void nat_free(struct nat *nat)
{
    for (uint32_t i = 0; i < nat->n_boxes; i++)
        map_free(&nat->boxes[i].ports);
    free(nat->boxes);
    free(nat->box);
    *nat = (struct nat){0};
}

uint32_t nat_public(const struct nat *nat, uint32_t host)
{
    return nat_inside(nat, host) ? nat->boxes[nat->box[host]].first : host;
}

void nat_private(uint32_t host, uint8_t ip[16])
{
    uint32_t low = host + 1;
    memset(ip, 0, 10);
    ip[10] = ip[11] = 0xff;
    ip[12] = 10;
    ip[13] = (uint8_t)(low >> 16);
    ip[14] = (uint8_t)(low >> 8);
    ip[15] = (uint8_t)low;
}

int nat_map(struct nat *nat, uint32_t host, uint16_t port, uint16_t *mapped)
{
    struct nat_box *box;
    uint32_t value, at;
    if (!nat_inside(nat, host)) {
        *mapped = port;
        return OK;
    }
    box = &nat->boxes[nat->box[host]];
    if (box->live == NAT_PORTS)
        return ERR_LIMIT;
    do {
        at = NAT_PORT_MIN + box->next;
        box->next = (uint16_t)((box->next + 1) % NAT_PORTS);
        value = map_get(&box->ports, at, 0);
    } while (value && (value - 1) & 1);
    if (map_put(&box->ports, at, 1 + (host << 1 | 1)) != OK)
        return ERR_NOMEM;
    box->live++;
    *mapped = (uint16_t)at;
    return OK;
}

void nat_release(struct nat *nat, uint32_t host, uint16_t mapped)
{
    struct nat_box *box;
    if (!nat_inside(nat, host))
        return;
    box = &nat->boxes[nat->box[host]];
    if (map_get(&box->ports, mapped, 0) != 1 + (host << 1 | 1))
        return;
    if (map_put(&box->ports, mapped, 1 + (host << 1)) == OK)
        box->live--;
}

uint32_t nat_owner(const struct nat *nat, uint32_t host, uint16_t port)
{
    const struct nat_box *box;
    uint32_t value;
    if (!nat_inside(nat, host))
        return host;
    box = &nat->boxes[nat->box[host]];
    if (box->hosts == 1 || box->first != host)
        return host;
    value = map_get(&box->ports, port, 0);
    return value ? (value - 1) >> 1 : PARTY_NONE;
}
