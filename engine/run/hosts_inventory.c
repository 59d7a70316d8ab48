#include "engine/run/hosts_world.h"

#include "engine/run/files.h"

#include <stdlib.h>
#include <string.h>

enum { INVENTORY_MAX_BYTES = 16 << 20 };

static const char *text_of(const json_t *vars, const char *key)
{
    return json_string_value(json_object_get(vars, key));
}

static int take(struct hosts_machine *m, const char *name, const json_t *vars, struct err *e)
{
    const json_t *port = json_object_get(vars, "partyline_port");
    const char *address = text_of(vars, "partyline_address"),
               *bind = text_of(vars, "partyline_bind");
    json_t *nodes = json_object_get(vars, "partyline_nodes");
    address = address ? address : text_of(vars, "ansible_host");
    address = address ? address : name;
    bind = bind ? bind : strchr(address, ':') ? "::" : "0.0.0.0";
    if (strlen(name) >= HOSTS_NAME || strlen(address) >= HOSTS_NAME || strlen(bind) >= HOSTS_NAME ||
        strchr(name, '/'))
        return err_set(e, ERR_INVALID,
                       "the inventory's host %.60s: a name or an address that "
                       "can't be used",
                       name);
    if (port && (!json_is_integer(port) || json_integer_value(port) < 0 ||
                 json_integer_value(port) > 65535))
        return err_set(e, ERR_INVALID,
                       "the inventory's host %s: partyline_port is a number up to 65535", name);
    if (nodes && !json_is_array(nodes))
        return err_set(e, ERR_INVALID,
                       "the inventory's host %s: partyline_nodes is a list of names", name);
    *m = (struct hosts_machine){.port = port ? (int32_t)json_integer_value(port) : -1,
                                .nodes = json_incref(nodes),
                                .clock_bound = -1};
    strcpy(m->name, name);
    strcpy(m->address, address);
    strcpy(m->bind, bind);
    return OK;
}

static int add(struct hosts_session *s, const char *name, const json_t *vars, struct err *e)
{
    for (size_t i = 0; i < s->n_machines; i++)
        if (strcmp(s->machines[i].name, name) == 0)
            return OK;
    if (s->n_machines == HOSTS_MAX)
        return err_set(e, ERR_INVALID, "an inventory of more than %d hosts", HOSTS_MAX);
    return take(&s->machines[s->n_machines++], name, vars, e);
}

/* The hosts of all groups, as ansible-inventory lists them. */
static int take_all(struct hosts_session *s, const json_t *list, struct err *e)
{
    const json_t *all = json_object_get(json_object_get(list, "_meta"), "hostvars"), *group;
    const char *key;
    int rc = OK;
    s->machines = calloc(HOSTS_MAX, sizeof *s->machines);
    if (!s->machines)
        return err_set(e, ERR_NOMEM, "no memory for an inventory");
    json_object_foreach((json_t *)(uintptr_t)list, key, group)
    {
        const json_t *hosts = json_object_get(group, "hosts");
        for (size_t i = 0; rc == OK && i < json_array_size(hosts); i++) {
            const char *name = json_string_value(json_array_get(hosts, i));
            if (name)
                rc = add(s, name, json_object_get(all, name), e);
        }
    }
    return rc;
}

int hosts_inventory_read(struct hosts_session *s, struct err *e)
{
    const char *argv[] = {"ansible-inventory", "-i", s->inventory, "--list", NULL};
    char path[128], *text = NULL, *from;
    json_t *list;
    size_t len;
    int rc, status;
    snprintf(path, sizeof path, "%s/inventory.json", s->dir);
    status = hosts_run_tool(argv, path);
    if (status < 0 || status == 127)
        return err_set(e, ERR_ABSENT,
                       "ansible-inventory can't be started: apt-get install ansible-core");
    rc = files_read(path, INVENTORY_MAX_BYTES, &text, &len, e);
    if (rc != OK)
        return rc;
    /* Warnings come first. */
    from = text;
    while (*from && *from != '{')
        from = strchr(from, '\n') ? strchr(from, '\n') + 1 : from + strlen(from);
    list = status == 0 ? json_loads(from, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    rc = json_is_object(list) ? take_all(s, list, e) : OK;
    if (rc == OK && s->n_machines == 0)
        rc = err_set(e, ERR_INVALID, "%s: an inventory without hosts: %.*s", s->inventory,
                     (int)(from - text < 300 ? from - text : 300), text);
    json_decref(list);
    free(text);
    return rc;
}

size_t hosts_machine_of(const struct hosts_session *s, const char *node)
{
    for (size_t i = 0; i < s->n_machines; i++) {
        const struct hosts_machine *m = &s->machines[i];
        for (size_t k = 0; k < json_array_size(m->nodes); k++) {
            const char *name = json_string_value(json_array_get(m->nodes, k));
            if (name && strcmp(name, node) == 0)
                return i;
        }
        if (!m->nodes && strcmp(m->name, node) == 0)
            return i;
    }
    return s->n_machines;
}
