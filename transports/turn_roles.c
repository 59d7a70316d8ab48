/* The transport's options, roles and what it says to a cell. */
#include "transports/turn.h"

static const char *const over_choices[] = {"udp", "tcp", NULL};
static const char *const relayed_choices[] = {"both", "one", NULL};
static const char *const server_choices[] = {"round_robin", "nearest", NULL};
static const char *const data_choices[] = {"channel", "indication", NULL};
static const char *const username_choices[] = {"pseudonym", "name", NULL};

#define CHOICE(name_, fallback_, help_)                                                            \
    {                                                                                              \
        .name = #name_, .type = OPT_CHOICE, .offset = offsetof(struct turn_opts, name_),           \
        .fallback = fallback_, .choices = name_##_choices, .help = help_                           \
    }
#define DURATION(name_, member, fallback_, min_, max_, help_)                                      \
    {                                                                                              \
        .name = name_, .type = OPT_DURATION, .offset = offsetof(struct turn_opts, member),         \
        .fallback = fallback_, .min = min_, .max = max_, .help = help_                             \
    }
#define NUMBER(name_, member, fallback_, max_, help_)                                              \
    {                                                                                              \
        .name = name_, .type = OPT_INT, .offset = offsetof(struct turn_opts, member),              \
        .fallback = fallback_, .max = max_, .help = help_                                          \
    }
#define TEXT(name_, member, fallback_, help_)                                                      \
    {                                                                                              \
        .name = name_, .type = OPT_TEXT, .offset = offsetof(struct turn_opts, member),             \
        .fallback = fallback_, .help = help_                                                       \
    }

const struct opt turn_opts[] = {
    CHOICE(over, "udp", "How a party reaches its TURN server."),
    CHOICE(relayed, "both",
           "one: the first of a pair, as the scenario lists them, sends from its own UDP port to "
           "the other's relayed one; so the other and the matchmaker learn its address."),
    CHOICE(server, "round_robin",
           "Of several TURN servers: by the party's number, or the first to answer all."),
    CHOICE(data, "channel", "ChannelData, or Send and Data indications."),
    CHOICE(username, "pseudonym",
           "Of the TURN user name: drawn for each life, or the party's name. Either way the "
           "server reads whose it is in what passes to the matchmaker."),
    DURATION("lifetime", lifetime, "10min", 0, 3600 * NS_S,
             "The allocation's, as asked for; 0: the server's default."),
    NUMBER("expires", expires, "2147483647", INT64_C(2147483647),
           "When user names expire, in seconds since 1970 (simulated: since the trial's start)."),
    DURATION("backoff_min", backoff_min, "100ms", NS_MS, 3600 * NS_S,
             "The wait before a lost allocation is made again; each failure doubles it."),
    DURATION("backoff_max", backoff_max, "10s", NS_MS, 3600 * NS_S, "The longest such wait."),
    TEXT("realm", limits.realm, "partyline", "The servers' realm."),
    TEXT("secret", limits.secret, "partyline",
         "What the servers share with who makes user names (coturn: static-auth-secret)."),
    TEXT("alternate", limits.alternate, "",
         "A server's name: all others send every client there (300)."),
    DURATION("stale_nonce", limits.stale_nonce, "10min", 0, 86400 * NS_S,
             "How long a server takes a nonce; 0: for ever."),
    DURATION("max_lifetime", limits.max_lifetime, "1h", NS_S, 86400 * NS_S,
             "The longest allocation that a server grants."),
    DURATION("permission_life", limits.permission_life, "5min", NS_S, 86400 * NS_S,
             "How long a server keeps a permission."),
    DURATION("channel_life", limits.channel_life, "10min", NS_S, 86400 * NS_S,
             "How long a server keeps a channel."),
    NUMBER("user_quota", limits.user_quota, "0", 1 << 20,
           "Allocations of one user at one server; 0: no limit."),
    NUMBER("total_quota", limits.total_quota, "0", 1 << 20, "Allocations at one server; 0: 65536."),
    {.name = "loopback_peers",
     .type = OPT_BOOL,
     .offset = offsetof(struct turn_opts, limits.loopback_peers),
     .fallback = "false",
     .help = "Servers relay to 127.0.0.0/8."},
    {0},
};

static bool always(const void *opts)
{
    (void)opts;
    return true;
}

static int server_init(void *self, const struct transport_setup *setup, struct err *e)
{
    const struct turn_opts *o = setup->opts;
    return turn_server_init(self, setup, &o->limits, e);
}

static const struct transport_role turn_roles[] = {
    {
        .size = sizeof(struct turn),
        .init = turn_init,
        .send = turn_send,
        .event = turn_event,
        .free = turn_free,
    },
    {
        .name = "turn",
        .accepts = turn_server_accepts,
        .size = sizeof(struct turn_server),
        .init = server_init,
        .event = turn_server_event,
        .free = turn_server_free,
    },
    MATCHMAKER_ROLE(always),
    {0},
};

static int turn_check(const struct transport_shape *shape, struct err *e)
{
    const struct turn_opts *o = shape->opts;
    uint32_t n = turn_servers(shape->roster);
    if (n == 0)
        return err_set(e, ERR_INVALID, "turn needs a service of role turn");
    if (o->backoff_min > o->backoff_max)
        return err_set(e, ERR_INVALID, "backoff_min is above backoff_max");
    if (o->server == TURN_NEAREST && n > TURN_SERVERS)
        return err_set(e, ERR_INVALID, "%u TURN servers, but server: nearest compares %d at most",
                       n, TURN_SERVERS);
    if (strlen(o->limits.realm) >= STUN_TEXT)
        return err_set(e, ERR_INVALID, "a realm of %d bytes or more", STUN_TEXT);
    return OK;
}

const struct transport transport_turn = {
    .name = "turn",
    .help =
        "through TURN servers (RFC 8656), reliable sessions over their datagrams; peers and the "
        "matchmaker, which is reached through the relayed port, see relayed addresses",
    .roles = turn_roles,
    .opts = turn_opts,
    .opts_size = sizeof(struct turn_opts),
    .max_message = LINK_MESSAGE_MAX,
    .check = turn_check,
};
