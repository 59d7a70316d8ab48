#include "engine/worlds/lab/lab_inner.h"
#include "engine/worlds/lab/lab_nat.h"

#include "engine/worlds/link/nat_spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCRIPT = 65536 };

/* A router's address inside: link-local, and a different one for each, as one that is behind
 * another would take that one's for its own. */
static uint32_t gateway_of(uint32_t box)
{
    return (169u << 24 | 254u << 16) + (1 + box / 250) * 256 + 1 + box % 250;
}

static const char *const ip_batch[] = {"ip", "-batch", "-", NULL};

struct script {
    char *text;
    size_t len, cap;
};

static void add(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct script *s, const char *format, ...)
{
    va_list args;
    int n;
    if (s->cap - s->len < 512) {
        char *more = realloc(s->text, s->cap + SCRIPT);
        if (!more)
            abort();
        s->text = more;
        s->cap += SCRIPT;
    }
    va_start(args, format);
    n = vsnprintf(s->text + s->len, s->cap - s->len, format, args);
    va_end(args);
    s->len += n > 0 ? (size_t)n : 0;
}

/* ---- names ---------------------------------------------------------------------------- */

static const char *host_ns(const struct lab *lab, uint32_t i, char *buf)
{
    return lab_netns(lab->id, "h", lab->spec->roster->entries[i].name, buf);
}

static const char *box_ns(const struct lab *lab, uint32_t b, char *buf)
{
    char number[12];
    snprintf(number, sizeof number, "%u", (unsigned)b);
    return lab_netns(lab->id, "n", number, buf);
}

static uint32_t outermost(const struct lab *lab, uint32_t host)
{
    uint32_t b = lab->hosts[host].box;
    while (b != LAB_NONE && lab->boxes[b].outer != LAB_NONE)
        b = lab->boxes[b].outer;
    return b;
}

uint32_t lab_site(const struct lab *lab, uint32_t host)
{
    uint32_t b = outermost(lab, host);
    return b == LAB_NONE ? host : lab->boxes[b].first;
}

const char *lab_net_site(const struct lab *lab, uint32_t host, char *buf)
{
    uint32_t b = outermost(lab, host);
    return b == LAB_NONE ? host_ns(lab, host, buf) : box_ns(lab, b, buf);
}

/* ---- namespaces and the cables between them ------------------------------------------- */

static void add_cable(struct script *s, const char *inner, const char *its, const char *outer,
                      uint32_t lan)
{
    add(s, "link add %s netns %s type veth peer name lan%u netns %s\n", its, inner, (unsigned)lan,
        outer);
}

int lab_net_make(const struct lab *lab, struct err *e)
{
    struct script s = {0};
    char a[LAB_PATH], b[LAB_PATH];
    int rc;
    add(&s, "netns add %s\n", lab_netns(lab->id, "wan", "", a));
    for (uint32_t i = 0; i < lab->spec->roster->n; i++)
        add(&s, "netns add %s\n", host_ns(lab, i, a));
    for (uint32_t i = 0; i < lab->n_boxes; i++)
        add(&s, "netns add %s\n", box_ns(lab, i, a));
    for (uint32_t i = 0; i < lab->spec->roster->n; i++)
        if (lab->hosts[i].box != LAB_NONE)
            add_cable(&s, host_ns(lab, i, a), "eth0", box_ns(lab, lab->hosts[i].box, b),
                      lab->hosts[i].lan);
    for (uint32_t i = 0; i < lab->n_boxes; i++)
        if (lab->boxes[i].outer != LAB_NONE)
            add_cable(&s, box_ns(lab, i, a), "wan0", box_ns(lab, lab->boxes[i].outer, b),
                      lab->boxes[i].lan);
    rc = lab_tool(NULL, ip_batch, s.text, e);
    free(s.text);
    return rc;
}

/* ---- addresses, routes, rules --------------------------------------------------------- */

/* `ip -batch` stays in one namespace: one call for each. */
static int configure(const char *netns, struct script *s, struct err *e)
{
    int rc;
    add(s, "link set lo up\n");
    rc = lab_tool(netns, ip_batch, s->text, e);
    free(s->text);
    return rc;
}

/* outer: the box that it leads to; LAB_NONE: the WAN. */
static void add_uplink(struct script *s, const char *device, uint32_t address, uint32_t outer)
{
    char ip[16];
    add(s, "addr add %s/32 dev %s\n", lab_ip(address, ip), device);
    add(s, "link set %s up txqueuelen 10000\n", device);
    if (outer == LAB_NONE)
        add(s, "route add default dev %s\n", device);
    else
        add(s, "route add default via %s dev %s onlink\n", lab_ip(gateway_of(outer), ip), device);
}

static int join_host(const struct lab *lab, uint32_t i, struct err *e)
{
    const struct lab_host *h = &lab->hosts[i];
    struct script s = {0};
    char name[LAB_PATH];
    add_uplink(&s, h->box == LAB_NONE ? "wan0" : "eth0", h->address, h->box);
    return configure(host_ns(lab, i, name), &s, e);
}

static void add_lan(struct script *s, uint32_t box, uint32_t lan, uint32_t address)
{
    char ip[16];
    add(s, "addr add %s/32 dev lan%u\n", lab_ip(gateway_of(box), ip), (unsigned)lan);
    add(s, "link set lan%u up\n", (unsigned)lan);
    add(s, "route add %s dev lan%u\n", lab_ip(address, ip), (unsigned)lan);
}

static int set_timeouts(const struct nat_spec *s, const char *netns, struct err *e)
{
    static const char *const udp[] = {"udp_timeout", "udp_timeout_stream"};
    char path[96], text[24];
    int rc = lab_set(netns, "/proc/sys/net/ipv4/ip_forward", "1", e);
    for (int i = 0; rc == OK && i < 2; i++) {
        snprintf(path, sizeof path, "/proc/sys/net/netfilter/nf_conntrack_%s", udp[i]);
        snprintf(text, sizeof text, "%lld",
                 (long long)(s->udp_timeout > NS_S ? s->udp_timeout / NS_S : 1));
        rc = lab_set(netns, path, text, e);
    }
    snprintf(text, sizeof text, "%lld",
             (long long)(s->tcp_timeout > NS_S ? s->tcp_timeout / NS_S : 1));
    return rc == OK ? lab_set(netns, "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established",
                              text, e)
                    : rc;
}

static int join_box(const struct lab *lab, uint32_t b, struct err *e)
{
    static const char *const nft[] = {"nft", "-f", "-", NULL};
    struct script s = {0};
    char name[LAB_PATH], *rules;
    int rc;
    add_uplink(&s, "wan0", lab->boxes[b].address, lab->boxes[b].outer);
    for (uint32_t i = 0; i < lab->spec->roster->n; i++)
        if (lab->hosts[i].box == b)
            add_lan(&s, b, lab->hosts[i].lan, lab->hosts[i].address);
    for (uint32_t i = 0; i < lab->n_boxes; i++)
        if (lab->boxes[i].outer == b)
            add_lan(&s, b, lab->boxes[i].lan, lab->boxes[i].address);
    box_ns(lab, b, name);
    rc = configure(name, &s, e);
    rules = malloc(LAB_NAT_RULES);
    if (rc == OK && !rules)
        rc = err_set(e, ERR_NOMEM, "no memory for a NAT's rules");
    if (rc == OK && lab_nat_rules(lab, b, rules, LAB_NAT_RULES) != OK)
        rc = err_set(e, ERR_TOO_BIG, "a NAT with too many rules");
    if (rc == OK)
        rc = lab_tool(name, nft, rules, e);
    free(rules);
    return rc == OK ? set_timeouts(lab->boxes[b].spec, name, e) : rc;
}

int lab_net_join(const struct lab *lab, struct err *e)
{
    int rc = OK;
    for (uint32_t i = 0; rc == OK && i < lab->spec->roster->n; i++)
        rc = join_host(lab, i, e);
    for (uint32_t i = 0; rc == OK && i < lab->n_boxes; i++)
        rc = join_box(lab, i, e);
    return rc;
}
