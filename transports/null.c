#include "transports/mesh.h"

static int null_init(void *self, const struct transport_setup *setup, struct err *e)
{
    return mesh_init(self, setup, LINK_HANDOVER, e);
}

static const struct accept null_accepts[] = {{MESH_PORT, LINK_HANDOVER}, {0}};

static const struct transport_role null_roles[] = {
    {
        .accepts = null_accepts,
        .size = sizeof(struct mesh),
        .init = null_init,
        .send = mesh_send,
        .event = mesh_event,
        .free = mesh_free,
    },
    {0},
};

const struct transport transport_null = {
    .name = "null",
    .help = "full mesh without a network beneath, no delay and no loss: it tests what is above",
    .roles = null_roles,
    .opts = mesh_opts,
    .opts_size = sizeof(struct mesh_opts),
    .max_message = MESH_MESSAGE_MAX,
    .needs_handover = true,
};
