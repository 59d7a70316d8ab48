#include "transports/mesh.h"
#include "transports/punch.h"

#include "engine/base/opt.h"

#include <stdlib.h>

enum direct_punch { PUNCH_NONE, PUNCH_UDP };

struct direct_opts {
    struct mesh_opts mesh; /* first */
    int64_t punch;         /* enum direct_punch */
};

static const char *const punch_choices[] = {"none", "udp", NULL};

static const struct opt direct_opts[] = {
    MESH_OPTS,
    {.name = "punch",
     .type = OPT_CHOICE,
     .offset = offsetof(struct direct_opts, punch),
     .fallback = "none",
     .choices = punch_choices,
     .help = "udp: datagrams between all, through NATs, after a matchmaker told both sides where "
             "the other is; one is started where the scenario lists none."},
    {0},
};

static bool punches(const void *opts)
{
    return ((const struct direct_opts *)opts)->punch == PUNCH_UDP;
}

struct direct {
    bool punches;
    union {
        struct mesh mesh;
        struct punch *punch; /* apart, as it is much larger */
    } as;
};

static int direct_init(void *self, const struct transport_setup *setup, struct err *e)
{
    struct direct *d = self;
    int rc;
    d->punches = punches(setup->opts);
    if (!d->punches)
        return mesh_init(&d->as.mesh, setup, LINK_MESSAGE, e);
    d->as.punch = calloc(1, sizeof *d->as.punch);
    if (!d->as.punch)
        return err_set(e, ERR_NOMEM, "no memory for punching");
    rc = punch_init(d->as.punch, setup, e);
    if (rc != OK)
        free(d->as.punch);
    return rc;
}

static int direct_send(void *self, party_t to, const void *data, size_t len)
{
    struct direct *d = self;
    return d->punches ? punch_send(d->as.punch, to, data, len)
                      : mesh_send(&d->as.mesh, to, data, len);
}

static void direct_event(void *self, const struct event *ev)
{
    struct direct *d = self;
    if (d->punches)
        punch_event(d->as.punch, ev);
    else
        mesh_event(&d->as.mesh, ev);
}

static void direct_expect(const void *self, uint32_t peer)
{
    const struct direct *d = self;
    if (!d->punches)
        mesh_expect(&d->as.mesh, peer);
}

static void direct_free(void *self)
{
    struct direct *d = self;
    if (d->punches) {
        punch_free(d->as.punch);
        free(d->as.punch);
    } else {
        mesh_free(&d->as.mesh);
    }
}

static const struct accept streams[] = {{MESH_PORT, LINK_MESSAGE}, {0}};
static const struct accept datagrams[] = {{MESH_PORT, LINK_DATAGRAM}, {0}};

static const struct accept *direct_accepts(const void *opts)
{
    return punches(opts) ? datagrams : streams;
}

static const struct transport_role direct_roles[] = {
    {
        .accepts = streams,
        .accepts_with = direct_accepts,
        .size = sizeof(struct direct),
        .init = direct_init,
        .send = direct_send,
        .event = direct_event,
        .expect = direct_expect,
        .free = direct_free,
    },
    MATCHMAKER_ROLE(punches),
    {0},
};

const struct transport transport_direct = {
    .name = "direct",
    .help = "full mesh between all paired parties, who see each other's addresses: streams (TCP), "
            "or datagrams that punch holes into NATs",
    .roles = direct_roles,
    .opts = direct_opts,
    .opts_size = sizeof(struct direct_opts),
    .max_message = MESH_MESSAGE_MAX,
};
