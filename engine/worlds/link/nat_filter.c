/* What gets in, and for how long: RFC 4787, 4.3 and 5; RFC 5382, 4 and 5; RFC 7857, 2, 6 to 8. */
#include "engine/worlds/link/nat.h"

/* What a filter keeps of an address. */
static struct addr kept(enum nat_rule rule, const struct addr *remote)
{
    struct addr a = *remote;
    if (rule != NAT_ADDRESS_AND_PORT_DEPENDENT)
        a.port = 0;
    return a;
}

/* The session of that remote, made if it is not there. */
static uint32_t session_of(struct nat *nat, uint32_t mapping, const struct addr *remote, ns_t now)
{
    uint32_t s = nat_find_session(nat, mapping, remote, now);
    return s == NAT_NONE_SUCH ? nat_add_session(nat, mapping, remote, now) : s;
}

static void last_until(ns_t *expires, ns_t until)
{
    if (until > *expires)
        *expires = until;
}

/* ---- UDP ------------------------------------------------------------------------------ */

static enum drop udp_out(struct nat *nat, uint32_t i, const struct nat_spec *spec,
                         const struct addr *to, ns_t now)
{
    struct nat_mapping *m = &nat->table.mappings[i];
    struct addr remote = kept(spec->filtering, to);
    uint32_t s;
    last_until(&m->expires, now + spec->udp_timeout);
    if (m->forward || spec->filtering == NAT_ENDPOINT_INDEPENDENT)
        return DROP_COUNT;
    s = session_of(nat, i, &remote, now);
    if (s == NAT_NONE_SUCH)
        return DROP_NAT_FULL;
    last_until(&nat->table.sessions[s].expires, now + spec->udp_timeout);
    return DROP_COUNT;
}

static enum drop udp_in(struct nat *nat, uint32_t i, const struct nat_spec *spec,
                        const struct addr *from, ns_t now)
{
    struct nat_mapping *m = &nat->table.mappings[i];
    struct addr remote = kept(spec->filtering, from);
    uint32_t s = NAT_NONE_SUCH;
    if (!m->forward && spec->filtering != NAT_ENDPOINT_INDEPENDENT) {
        s = nat_find_session(nat, i, &remote, now);
        if (s == NAT_NONE_SUCH)
            return DROP_NAT_FILTERED;
    }
    if (spec->inbound_refresh) {
        last_until(&m->expires, now + spec->udp_timeout);
        if (s != NAT_NONE_SUCH)
            last_until(&nat->table.sessions[s].expires, now + spec->udp_timeout);
    }
    return DROP_COUNT;
}

/* ---- TCP ------------------------------------------------------------------------------ */

/* The stage after a packet. */
static enum nat_stage stage_after(const struct nat_session *s, enum nat_flag flag, bool inward)
{
    enum nat_stage now = (enum nat_stage)s->stage;
    switch (flag) {
    case NAT_FIN:
        return NAT_CLOSED;
    case NAT_RST:
        return now == NAT_CLOSED ? NAT_CLOSED : NAT_RESET;
    case NAT_SYN:
        return now == NAT_OPENING && s->inward == inward ? NAT_OPENING
               : now == NAT_OPENING                      ? NAT_ESTABLISHED
               : now == NAT_ESTABLISHED                  ? NAT_ESTABLISHED
                                                         : NAT_OPENING;
    case NAT_DATA:
        break;
    }
    return now == NAT_CLOSED || (now == NAT_OPENING && s->inward == inward) ? now : NAT_ESTABLISHED;
}

/* Of a mapping one of whose sessions ends sooner than was thought. */
static void shorten(struct nat *nat, struct nat_mapping *m)
{
    const struct nat_session *sessions = nat->table.sessions;
    m->expires = 0;
    for (uint32_t s = m->sessions; s != NAT_NONE_SUCH; s = sessions[s].next)
        last_until(&m->expires, sessions[s].expires);
}

/* A packet passes: its session's stage, and until when it and its mapping last. */
static void advance(struct nat *nat, uint32_t i, const struct nat_spec *spec, enum nat_flag flag,
                    bool inward, ns_t now)
{
    struct nat_session *s = &nat->table.sessions[i];
    struct nat_mapping *m = &nat->table.mappings[s->mapping];
    enum nat_stage stage = stage_after(s, flag, inward);
    ns_t before = s->expires, soon = now + spec->tcp_transitory_timeout;
    if (s->stage >= NAT_RESET && stage == NAT_OPENING)
        s->inward = inward;
    if (stage == NAT_ESTABLISHED)
        s->expires = now + spec->tcp_timeout;
    else if (stage == NAT_OPENING)
        s->expires = soon;
    else if (stage != s->stage && soon < s->expires)
        s->expires = soon; /* an end never makes it last longer: RFC 7857, 8 */
    s->stage = (uint8_t)stage;
    if (s->expires >= before)
        last_until(&m->expires, s->expires);
    else if (!m->forward)
        shorten(nat, m);
}

static enum drop tcp_out(struct nat *nat, uint32_t i, const struct nat_spec *spec,
                         enum nat_flag flag, const struct addr *to, ns_t now)
{
    struct addr remote = kept(NAT_ADDRESS_DEPENDENT, to);
    uint32_t s = nat_find_session(nat, i, to, now), any;
    if (s == NAT_NONE_SUCH) {
        if (flag != NAT_SYN)
            return DROP_NAT_NO_MAPPING;
        s = nat_add_session(nat, i, to, now);
        if (s == NAT_NONE_SUCH)
            return DROP_NAT_FULL;
    }
    if (spec->filtering == NAT_ADDRESS_DEPENDENT) {
        any = session_of(nat, i, &remote, now); /* what an inbound SYN of that address needs */
        if (any == NAT_NONE_SUCH)
            return DROP_NAT_FULL;
        last_until(&nat->table.sessions[any].expires, now + spec->tcp_transitory_timeout);
    }
    advance(nat, s, spec, flag, false, now);
    return DROP_COUNT;
}

static enum drop tcp_in(struct nat *nat, uint32_t i, const struct nat_spec *spec,
                        enum nat_flag flag, const struct addr *from, ns_t now)
{
    const struct nat_mapping *m = &nat->table.mappings[i];
    struct addr remote = kept(NAT_ADDRESS_DEPENDENT, from);
    uint32_t s = nat_find_session(nat, i, from, now);
    if (s == NAT_NONE_SUCH) {
        bool open = m->forward || spec->filtering == NAT_ENDPOINT_INDEPENDENT ||
                    (spec->filtering == NAT_ADDRESS_DEPENDENT &&
                     nat_find_session(nat, i, &remote, now) != NAT_NONE_SUCH);
        if (flag != NAT_SYN || !open)
            return DROP_NAT_FILTERED;
        s = nat_add_session(nat, i, from, now);
        if (s == NAT_NONE_SUCH)
            return DROP_NAT_FULL;
        nat->table.sessions[s].inward = true;
    }
    advance(nat, s, spec, flag, true, now);
    return DROP_COUNT;
}

/* ---- both ----------------------------------------------------------------------------- */

enum drop nat_pass_out(struct nat *nat, uint32_t mapping, enum nat_flag flag, const struct addr *to,
                       ns_t now)
{
    const struct nat_mapping *m = &nat->table.mappings[mapping];
    const struct nat_spec *spec = nat->boxes[m->box].spec;
    return m->protocol == NAT_UDP ? udp_out(nat, mapping, spec, to, now)
                                  : tcp_out(nat, mapping, spec, flag, to, now);
}

enum drop nat_pass_in(struct nat *nat, uint32_t mapping, enum nat_flag flag,
                      const struct addr *from, ns_t now)
{
    const struct nat_mapping *m = &nat->table.mappings[mapping];
    const struct nat_spec *spec = nat->boxes[m->box].spec;
    return m->protocol == NAT_UDP ? udp_in(nat, mapping, spec, from, now)
                                  : tcp_in(nat, mapping, spec, flag, from, now);
}
