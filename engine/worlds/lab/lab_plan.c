#include "engine/worlds/lab/lab.h"

#include "engine/worlds/link/nat.h"

#include <stdio.h>
#include <stdlib.h>

static const uint32_t PUBLISHED = 198u << 24 | 18u << 16;

const char *lab_root(char *buf)
{
    const char *other = getenv("PARTYLINE_LABS");
    snprintf(buf, LAB_PATH, "%s", other && other[0] == '/' ? other : LAB_DIR);
    return buf;
}

const char *lab_netns(const char *id, const char *kind, const char *name, char *buf)
{
    snprintf(buf, LAB_PATH, "pl-%s-%s%s%s", id, kind, *name ? "-" : "", name);
    return buf;
}

const char *lab_ip(uint32_t a, char text[16])
{
    snprintf(text, 16, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
    return text;
}

static uint32_t low_bytes(const uint8_t ip[16])
{
    return (uint32_t)ip[12] << 24 | (uint32_t)ip[13] << 16 | (uint32_t)ip[14] << 8 | ip[15];
}

static void plan_boxes(struct lab *lab, const struct nat *nat)
{
    for (uint32_t b = 0; b < nat->n_boxes; b++) {
        const struct nat_box *from = &nat->boxes[b];
        bool outermost = from->outer == NAT_NONE_SUCH;
        lab->boxes[b] = (struct lab_box){
            .spec = from->spec,
            .outer = outermost ? LAB_NONE : from->outer,
            .first = from->first,
            .address = outermost ? lab->hosts[from->first].published : low_bytes(from->address.ip),
        };
    }
    for (uint32_t b = 0; b < nat->n_boxes; b++)
        if (lab->boxes[b].outer != LAB_NONE)
            lab->boxes[b].lan = lab->boxes[lab->boxes[b].outer].lans++;
}

static void plan_hosts(struct lab *lab, const struct nat *nat)
{
    uint8_t ip[16];
    for (uint32_t i = 0; i < lab->spec->roster->n; i++) {
        struct lab_host *h = &lab->hosts[i];
        if (!nat_inside(nat, i))
            continue;
        nat_private(i, ip);
        h->address = low_bytes(ip);
        h->box = nat->insides[i].box;
        h->lan = lab->boxes[h->box].lans++;
    }
}

int lab_plan(struct lab *lab, const struct trial_spec *spec, struct err *e)
{
    const struct roster *r = spec->roster;
    struct nat nat;
    *lab = (struct lab){.spec = spec};
    if (nat_init(&nat, spec->hosts, r->entries, r->n, 0) != OK)
        return err_set(e, ERR_NOMEM, "no memory for a lab of %u hosts", (unsigned)r->n);
    lab->hosts = calloc(r->n, sizeof *lab->hosts);
    lab->boxes = calloc(nat.n_boxes + 1, sizeof *lab->boxes);
    lab->n_boxes = nat.n_boxes;
    if (lab->hosts && lab->boxes) {
        for (uint32_t i = 0; i < r->n; i++)
            lab->hosts[i] = (struct lab_host){
                .box = LAB_NONE, .published = PUBLISHED + i + 1, .address = PUBLISHED + i + 1};
        plan_boxes(lab, &nat);
        plan_hosts(lab, &nat);
    }
    nat_free(&nat);
    if (lab->hosts && lab->boxes)
        return OK;
    lab_free(lab);
    return err_set(e, ERR_NOMEM, "no memory for a lab of %u hosts", (unsigned)r->n);
}
