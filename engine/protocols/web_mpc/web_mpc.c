#include "engine/protocols/web_mpc/web_mpc.h"

#include "engine/protocols/web_mpc/inner.h"

#include <stdio.h>

struct web_mpc {
    enum role role;
    union {
        struct submitter submitter;
        struct analyst analyst;
        struct server server;
    } as;
};

static bool pairs(const void *opts, const char *a, const char *b)
{
    enum role x = plan_role(a), y = plan_role(b);
    (void)opts;
    return x < ROLES && y < ROLES && (x == SERVER) != (y == SERVER);
}

static int init(void *self, struct party *p, const void *plan, const struct input *own,
                struct err *e)
{
    struct web_mpc *w = self;
    w->role = plan_role(party_roster(p)->entries[party_self(p)].role);
    if (w->role == INPUT_PARTY)
        return submitter_init(&w->as.submitter, p, plan, own, e);
    if (w->role == ANALYST)
        return analyst_init(&w->as.analyst, p, plan, e);
    return server_init(&w->as.server, p, plan, e);
}

static void start(void *self, struct party *p)
{
    struct web_mpc *w = self;
    if (w->role == INPUT_PARTY)
        submitter_start(&w->as.submitter, p);
    else if (w->role == ANALYST)
        analyst_start(&w->as.analyst, p);
    else
        server_start(&w->as.server, p);
}

static void recv_message(void *self, struct party *p, party_t from, struct label label,
                         const uint8_t *data, size_t len)
{
    struct web_mpc *w = self;
    if (label.round != 0 || label.instance >= MESSAGES)
        party_drop(p, DROP_LABEL_UNKNOWN);
    else if (w->role == INPUT_PARTY)
        submitter_recv(&w->as.submitter, p, label.instance, data, len);
    else if (w->role == ANALYST)
        analyst_recv(&w->as.analyst, p, label.instance, data, len);
    else
        server_recv(&w->as.server, p, from, label.instance, data, len);
}

static void peer(void *self, struct party *p, party_t who, enum peer_state state)
{
    struct web_mpc *w = self;
    if (w->role == INPUT_PARTY)
        submitter_peer(&w->as.submitter, p, state);
    else if (w->role == ANALYST)
        analyst_peer(&w->as.analyst, p, state);
    else
        server_peer(&w->as.server, p, who, state);
}

static void room(void *self, struct party *p, party_t who)
{
    struct web_mpc *w = self;
    if (w->role == INPUT_PARTY)
        submitter_room(&w->as.submitter, p);
    else if (w->role == ANALYST)
        analyst_room(&w->as.analyst, p);
    else
        server_room(&w->as.server, p, who);
}

static void timer(void *self, struct party *p, unsigned which)
{
    struct web_mpc *w = self;
    if (w->role == INPUT_PARTY)
        submitter_timer(&w->as.submitter, p, which);
    else if (w->role == ANALYST)
        analyst_timer(&w->as.analyst, p);
}

static void waiting(const void *self, const struct party *p, char *buf, size_t cap)
{
    const struct web_mpc *w = self;
    if (w->role == INPUT_PARTY)
        submitter_waiting(&w->as.submitter, buf, cap);
    else if (w->role == ANALYST)
        analyst_waiting(&w->as.analyst, p, buf, cap);
    else
        snprintf(buf, cap, "nobody");
}

static void release(void *self)
{
    struct web_mpc *w = self;
    if (w->role == INPUT_PARTY)
        submitter_free(&w->as.submitter);
    else if (w->role == ANALYST)
        analyst_free(&w->as.analyst);
    else
        server_free(&w->as.server);
}

const struct protocol protocol_web_mpc = {
    .name = "web_mpc",
    .help = "Sums, means and deviations of tables that many submit, each at its own time.",
    .roles = web_mpc_roles,
    .opts = web_mpc_opts,
    .opts_size = sizeof(struct web_mpc_opts),
    .barrier = false,
    .size = sizeof(struct web_mpc),
    .plan = plan_make,
    .free_plan = plan_drop,
    .pairs = pairs,
    .check_input = plan_check,
    .init = init,
    .start = start,
    .recv = recv_message,
    .peer = peer,
    .room = room,
    .timer = timer,
    .waiting = waiting,
    .free = release,
    .verify = result_verify,
    .print = result_print,
};
