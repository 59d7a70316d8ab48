#include "engine/protocols/ping_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_BYTES = 16 << 20, COUNT_MAX = 1000000 };

const struct protocol_role ping_plan_roles[] = {
    {.name = "peer", .help = "pings every other peer", .min = 0, .max = 0},
    {.name = "client", .help = "pings every server", .min = 0, .max = 0},
    {.name = "server", .help = "answers", .min = 0, .max = 0, .serves = true},
    {.name = NULL}};

#define OPT(field) offsetof(struct ping_opts, field)

/* clang-format off */
const struct opt ping_plan_opts[] = {
    {"size", OPT_BYTES, OPT(size), "64B", 1, SIZE_MAX_BYTES, NULL, "Bytes of a ping."},
    {"reply", OPT_BYTES, OPT(reply), NULL, 0, SIZE_MAX_BYTES, NULL,
     "Bytes of a pong; 0: as many as the ping has."},
    {"count", OPT_INT, OPT(count), "10", 1, COUNT_MAX, NULL, "Pings to each target."},
    {"interval", OPT_DURATION, OPT(interval), "100ms", 0, 86400 * NS_S, NULL,
     "From ping to ping, whatever became of the one before; 0: all at once."},
    {"one_way", OPT_BOOL, OPT(one_way), "false", 0, 0, NULL,
     "No pongs: a party is done when all is sent, and all that is sent to it has come."},
    {.name = NULL}};
/* clang-format on */

static enum ping_role role_named(const char *name)
{
    unsigned i = 0;
    while (i < ROLES && strcmp(name, ping_plan_roles[i].name) != 0)
        i++;
    return (enum ping_role)i;
}

bool ping_plan_pairs(const void *opts, const char *a, const char *b)
{
    enum ping_role role_a = role_named(a);
    (void)opts;
    return role_a < ROLES && ping_partner(role_a) == role_named(b);
}

void ping_plan_free(void *p)
{
    struct ping_plan *plan = p;
    if (!plan)
        return;
    free(plan->place);
    free(plan->payload);
    free(plan);
}

static int make_plan(struct ping_plan *plan, struct err *e)
{
    const struct ping_opts *o = plan->opts;
    uint32_t n = plan->roster->n;
    size_t most = (size_t)(o->size > o->reply ? o->size : o->reply);
    if (o->interval && o->count > INT64_MAX / 4 / o->interval)
        return err_set(e, ERR_INVALID, "count x interval is too long: beyond 70 years");
    plan->place = calloc(n + (size_t)1, sizeof *plan->place);
    plan->payload = calloc(most + 1, 1);
    if (!plan->place || !plan->payload)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    plan->count = (uint32_t)o->count;
    plan->reply = (size_t)(o->reply ? o->reply : o->size);
    for (uint32_t i = 0; i < n; i++) {
        enum ping_role role = role_named(plan->roster->entries[i].role);
        plan->place[i] = (uint32_t)role << ROLE_SHIFT;
        if (role < ROLES)
            plan->place[i] |= plan->in_role[role]++;
    }
    if (plan->in_role[CLIENT] && !plan->in_role[SERVER])
        return err_set(e, ERR_INVALID, "ping has clients, but no party or service of role server");
    return OK;
}

int ping_plan_make(const struct protocol_shape *shape, void **out, struct err *e)
{
    struct ping_plan *plan = calloc(1, sizeof *plan);
    int rc;
    *out = NULL;
    if (!plan)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    plan->opts = shape->opts;
    plan->roster = shape->roster;
    rc = make_plan(plan, e);
    if (rc)
        ping_plan_free(plan);
    else
        *out = plan;
    return rc;
}

int ping_result_text(const struct ping_plan *plan, enum ping_role role, char *buf)
{
    unsigned long long all = (unsigned long long)plan->count * ping_partners(plan, role);
    if (plan->opts->one_way)
        return snprintf(buf, PING_TEXT, "sent %llu, received %llu", ping_sends(role) ? all : 0,
                        ping_receives(role) ? all : 0);
    if (role == SERVER)
        return snprintf(buf, PING_TEXT, "serving");
    return snprintf(buf, PING_TEXT, "pongs %llu of %llu", all, all);
}

int ping_plan_verify(const struct protocol_shape *shape, const void *plan,
                     const struct outcome *outcome, struct err *e)
{
    const struct ping_plan *p = plan;
    char text[PING_TEXT];
    for (uint32_t who = 0; who < shape->roster->n_parties; who++) {
        const struct outcome *o = &outcome[who];
        size_t len = (size_t)ping_result_text(p, ping_role_of(p, who), text);
        if (o->done && !o->failure && (o->len != len || memcmp(o->result, text, len) != 0))
            return err_set(e, ERR_WRONG, "%s got '%.*s', expected '%s'",
                           shape->roster->entries[who].name, (int)o->len, (const char *)o->result,
                           text);
    }
    return OK;
}

void ping_plan_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap)
{
    (void)plan;
    snprintf(buf, cap, "%.*s", (int)len, (const char *)result);
}
