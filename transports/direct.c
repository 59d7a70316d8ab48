#include "transports/mesh.h"

static int direct_init(void *self, const struct transport_setup *setup, struct err *e)
{
    return mesh_init(self, setup, LINK_MESSAGE, e);
}

static const struct accept direct_accepts[] = {{MESH_PORT, LINK_MESSAGE}, {0}};

static const struct transport_role direct_roles[] = {
    {
        .accepts = direct_accepts,
        .size = sizeof(struct mesh),
        .init = direct_init,
        .send = mesh_send,
        .event = mesh_event,
        .free = mesh_free,
    },
    {0},
};

const struct transport transport_direct = {
    .name = "direct",
    .help = "full mesh of streams (TCP) between all paired parties, who see each other's addresses",
    .roles = direct_roles,
    .opts = mesh_opts,
    .opts_size = sizeof(struct mesh_opts),
    .max_message = MESH_MESSAGE_MAX,
};
