/* Protocol idle: parties that do nothing, and connect to nobody: what nodes cost by themselves.
 * Nothing ever comes, so what a protocol does about peers and room is left out. */
#include "engine/protocol.h"

#include <stdio.h>
#include <stdlib.h>

struct idle_opts {
    int64_t lasts;
};
struct idle {
    ns_t lasts;
};

extern const struct protocol protocol_idle;

static const char result[] = "idle";

static bool idle_pairs(const void *opts, const char *role_a, const char *role_b)
{
    (void)opts;
    (void)role_a;
    (void)role_b;
    return false;
}

static int idle_plan(const struct protocol_shape *shape, void **out, struct err *e)
{
    struct idle *plan = calloc(1, sizeof *plan);
    const struct idle_opts *o = shape->opts;
    *out = plan;
    if (!plan)
        return err_set(e, ERR_NOMEM, "no memory for a plan");
    plan->lasts = o ? o->lasts : 0;
    return OK;
}

static int idle_init(void *self, struct party *p, const void *plan, const struct input *own,
                     struct err *e)
{
    (void)p;
    (void)own;
    (void)e;
    *(struct idle *)self = *(const struct idle *)plan;
    return OK;
}

static void idle_timer(void *self, struct party *p, unsigned timer)
{
    (void)self;
    (void)timer;
    party_result(p, result, sizeof result - 1);
}

static void idle_start(void *self, struct party *p)
{
    struct idle *idle = self;
    if (idle->lasts)
        party_arm(p, 0, party_now(p) + idle->lasts);
    else
        party_result(p, result, sizeof result - 1);
}

static void idle_recv(void *self, struct party *p, party_t from, struct label label,
                      const uint8_t *data, size_t len)
{
    (void)self;
    (void)from;
    (void)label;
    (void)data;
    (void)len;
    party_drop(p, DROP_LABEL_UNKNOWN);
}

static void idle_free(void *self)
{
    (void)self;
}

static int idle_verify(const struct protocol_shape *shape, const void *plan,
                       const struct outcome *outcome, struct err *e)
{
    (void)plan;
    for (uint32_t who = 0; who < shape->roster->n_parties; who++)
        if (outcome[who].done && !outcome[who].failure &&
            (outcome[who].len != sizeof result - 1 ||
             memcmp(outcome[who].result, result, sizeof result - 1) != 0))
            return err_set(e, ERR_WRONG, "%s was not idle", shape->roster->entries[who].name);
    return OK;
}

static void idle_print(const void *plan, const uint8_t *bytes, size_t len, char *buf, size_t cap)
{
    (void)plan;
    snprintf(buf, cap, "%.*s", (int)len, (const char *)bytes);
}

static const struct protocol_role roles[] = {
    {.name = "idler", .help = "does nothing", .min = 0, .max = 0}, {.name = NULL}};
static const struct opt opts[] = {
    {.name = "for",
     .type = OPT_DURATION,
     .offset = offsetof(struct idle_opts, lasts),
     .fallback = "0",
     .min = 0,
     .max = 1000 * 3600 * NS_S,
     .help = "For how long it does nothing; then it is done."},
    {.name = NULL},
};

const struct protocol protocol_idle = {
    .name = "idle",
    .help = "Does nothing at all: what nodes cost by themselves.",
    .roles = roles,
    .opts = opts,
    .opts_size = sizeof(struct idle_opts),
    .barrier = false,
    .size = sizeof(struct idle),
    .plan = idle_plan,
    .free_plan = free,
    .pairs = idle_pairs,
    .init = idle_init,
    .start = idle_start,
    .recv = idle_recv,
    .timer = idle_timer,
    .free = idle_free,
    .verify = idle_verify,
    .print = idle_print,
};
