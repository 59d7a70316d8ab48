#include "engine/worlds/ns3/inner.h"
#include "engine/worlds/result/refusal.h"

static void check_host(const struct trial_spec *t, uint32_t i, struct refusal *r)
{
    const struct host_spec *h = &t->hosts[i];
    const char *name = t->roster->entries[i].name;
    if (h->access.queue_bytes > UINT32_MAX)
        refuse(r, h->line, "the queue of %s's access has more than 4 GiB", name);
}

static void check_link(const struct trial_spec *t, const struct action *a, struct refusal *r)
{
    const char *from = t->roster->entries[a->a].name, *to = t->roster->entries[a->b].name;
    ns_t lines = t->hosts[a->a].access.latency + t->hosts[a->b].access.latency;
    if (a->latency >= 0 && a->latency < lines)
        refuse(r, a->line, "the link of %s and %s is faster than their access lines", from, to);
}

static void check_action(const struct trial_spec *t, const struct action *a, struct refusal *r)
{
    switch (a->kind) {
    case ACT_CRASH:
    case ACT_RESTART:
    case ACT_PARTITION:
    case ACT_FLAP:
    case ACT_PAUSE:
    case ACT_RESUME:
    case ACT_READDRESS:
        break;
    case ACT_LINK:
        check_link(t, a, r);
        break;
    default:
        refuse(r, a->line, "this event of %s", t->roster->entries[a->node].name);
    }
}

static void check_tcp(const struct tcp_spec *tcp, struct refusal *r)
{
    if (tcp->like_line && !tcp->like_ns3)
        refuse(r, tcp->like_line, "a TCP like Linux: it has ns-3's own");
    if (tcp->keepalive_line)
        refuse(r, tcp->keepalive_line, "keep-alive: ns-3's TCP does not probe idle connections");
}

int ns3_check(const struct trial_spec *t, void (*say)(void *, int line, const char *), void *ctx)
{
    struct refusal r = {say, ctx, OK};
    int first = t->roster->n ? t->hosts[0].line : 0;
    if (t->transport->needs_handover)
        refuse(&r, first, "the transport %s needs nodes that share one memory", t->transport->name);
    if (t->roster->n > NS3_NODES_MAX)
        refuse(&r, first, "%u nodes; it takes %d", (unsigned)t->roster->n, NS3_NODES_MAX);
    if (t->tcp)
        check_tcp(t->tcp, &r);
    for (uint32_t i = 0; i < t->roster->n; i++)
        check_host(t, i, &r);
    for (size_t i = 0; i < t->n_links; i++)
        check_link(t, &t->links[i], &r);
    for (size_t i = 0; i < t->n_actions; i++)
        check_action(t, &t->actions[i], &r);
    return r.rc;
}
