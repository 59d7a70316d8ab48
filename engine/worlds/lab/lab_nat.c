#include "engine/worlds/lab/lab_nat.h"

#include "engine/worlds/link/nat_spec.h"

#include <stdarg.h>
#include <stdio.h>

const char *lab_nat_lacks(const struct nat_spec *s)
{
    bool carriers = s == nat_carrier();
    if (s->udp_blocked)
        return NULL;
    if (s->mapping == NAT_ADDRESS_DEPENDENT)
        return "mapping: address_dependent";
    if (s->mapping == NAT_ADDRESS_AND_PORT_DEPENDENT &&
        (s->ports != NAT_RANDOM || s->filtering != NAT_ADDRESS_AND_PORT_DEPENDENT))
        return "mapping by address and port, unless ports are random and filtering is the same";
    if (s->mapping == NAT_ENDPOINT_INDEPENDENT && s->ports != NAT_PRESERVING && !carriers)
        return "an endpoint-independent mapping that does not preserve ports";
    return s->outer ? lab_nat_lacks(s->outer) : NULL;
}

struct text {
    char *at;
    size_t left;
};

static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *format, ...)
{
    va_list args;
    int n;
    va_start(args, format);
    n = vsnprintf(t->at, t->left, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->left)
        n = (int)t->left;
    t->at += n;
    t->left -= (size_t)n;
}

static bool is_cone(const struct nat_spec *s)
{
    return s->mapping == NAT_ENDPOINT_INDEPENDENT && !s->udp_blocked &&
           s->filtering != NAT_ADDRESS_AND_PORT_DEPENDENT;
}

/* Both protocols' forwarded ports of the hosts directly behind it. */
static void forwards(struct text *t, const struct lab *lab, uint32_t box)
{
    char ip[16];
    for (uint32_t i = 0; i < lab->spec->roster->n; i++) {
        const struct nat_spec *s = lab->spec->hosts[i].nat_spec;
        for (uint32_t k = 0; s && lab->hosts[i].box == box && k < s->n_forwards; k++)
            say(t, "  iifname wan0 meta l4proto { tcp, udp } th dport %u dnat to %s:%u\n",
                (unsigned)s->forwards[k].outer, lab_ip(lab->hosts[i].address, ip),
                (unsigned)s->forwards[k].inner);
    }
}

int lab_nat_rules(const struct lab *lab, uint32_t box, char *buf, size_t cap)
{
    const struct nat_spec *s = lab->boxes[box].spec;
    long long seconds = s->udp_timeout / NS_S > 0 ? s->udp_timeout / NS_S : 1;
    bool cone = is_cone(s), open = s->filtering == NAT_ENDPOINT_INDEPENDENT;
    struct text t = {buf, cap};
    say(&t, "table ip lab {\n");
    if (cone) {
        say(&t, " map mapped { type inet_service : ipv4_addr; flags dynamic, timeout; ");
        say(&t, "timeout %llds; size 65536; }\n", seconds);
        say(&t, " set met { type inet_service . ipv4_addr; flags dynamic, timeout; ");
        say(&t, "timeout %llds; size 65536; }\n", seconds);
    }
    say(&t, " chain arriving {\n  type nat hook prerouting priority dstnat;\n");
    forwards(&t, lab, box);
    if (cone)
        say(&t, "  iifname wan0 %s dnat to udp dport map @mapped\n",
            open ? "meta l4proto udp" : "udp dport . ip saddr @met");
    say(&t, " }\n chain leaving {\n  type nat hook postrouting priority srcnat;\n");
    say(&t, "  oifname wan0 masquerade%s\n",
        s->mapping == NAT_ADDRESS_AND_PORT_DEPENDENT ? " fully-random" : "");
    say(&t, " }\n chain through {\n  type filter hook forward priority filter; policy drop;\n");
    if (s->udp_blocked)
        say(&t, "  meta l4proto udp drop\n");
    if (cone) {
        say(&t, "  iifname lan* oifname wan0 meta l4proto udp ");
        say(&t, "update @mapped { udp sport : ip saddr } update @met { udp sport . ip daddr }\n");
    }
    say(&t, "  iifname lan* accept\n  ct state established,related accept\n");
    say(&t, "  ct status dnat accept\n }\n");
    say(&t, " chain local {\n  type filter hook input priority filter; policy drop;\n");
    say(&t, "  iifname lan* meta l4proto icmp accept\n  ct state established,related accept\n");
    say(&t, " }\n}\n");
    return t.left ? OK : ERR_TOO_BIG;
}
