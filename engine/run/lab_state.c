#include "engine/run/lab_state.h"

#include "engine/run/files.h"
#include "engine/worlds/link/nat_spec.h"

#include <stdlib.h>
#include <unistd.h>

enum { STATE_MAX = 16 << 20 };

static json_t *host_of(const struct lab *lab, const struct lab_options *o, uint32_t i)
{
    const struct trial_spec *t = lab->spec;
    const struct lab_host *h = &lab->hosts[i];
    const struct roster_entry *entry = &t->roster->entries[i];
    char netns[LAB_PATH], share[2 * LAB_PATH], a[16], b[16];
    if (o->shares)
        snprintf(share, sizeof share, "%s", o->shares[i]);
    else
        snprintf(share, sizeof share, "%s/hosts/%s/share", lab->dir, entry->name);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "name", entry->name, "role",
                     entry->role ? entry->role : "", "region",
                     t->regions->names[t->hosts[i].region], "nat", nat_kinds[t->hosts[i].nat],
                     "netns", lab_netns(lab->id, "h", entry->name, netns), "pid", (int)h->init,
                     "address", lab_ip(h->published, a), "bind", lab_ip(h->address, b), "share",
                     share);
}

static json_t *box_of(const struct lab *lab, uint32_t i)
{
    char number[12], netns[LAB_PATH], ip[16];
    const struct lab_box *b = &lab->boxes[i];
    snprintf(number, sizeof number, "%u", (unsigned)i);
    return json_pack("{s:s, s:s, s:o}", "netns", lab_netns(lab->id, "n", number, netns), "address",
                     lab_ip(b->address, ip), "outer",
                     b->outer == LAB_NONE ? json_null() : json_integer(b->outer));
}

int lab_state_write(const struct lab *lab, const struct lab_options *o, struct err *e)
{
    json_t *hosts = json_array(), *boxes = json_array(), *all;
    char path[LAB_PATH + 16];
    int rc;
    for (uint32_t i = 0; i < lab->spec->roster->n; i++)
        json_array_append_new(hosts, host_of(lab, o, i));
    for (uint32_t i = 0; i < lab->n_boxes; i++)
        json_array_append_new(boxes, box_of(lab, i));
    all = json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:s, s:o, s:o}", "schema", 1, "id", lab->id,
                    "scenario", lab->spec->scenario, "cell",
                    lab->spec->cell ? (int)lab->spec->cell->index : 0, "owner",
                    o->mine ? (int)getpid() : 0, "wan", (int)lab->wan, "inside", LAB_SHARE, "hosts",
                    hosts, "boxes", boxes);
    snprintf(path, sizeof path, "%s/lab.json", lab->dir);
    rc = all ? files_write_json(path, all, e) : err_set(e, ERR_NOMEM, "%s: no memory", path);
    json_decref(all);
    return rc;
}

int lab_state_read(const char *id, json_t **out, struct err *e)
{
    char root[LAB_PATH], path[2 * LAB_PATH], *text;
    size_t len;
    int rc;
    *out = NULL;
    if (strlen(id) != LAB_ID || strchr(id, '/'))
        return err_set(e, ERR_ABSENT, "there is no lab %s", id);
    snprintf(path, sizeof path, "%s/%s/lab.json", lab_root(root), id);
    rc = files_read(path, STATE_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    *out = json_loadb(text, len, 0, NULL);
    free(text);
    if (json_is_array(json_object_get(*out, "hosts")))
        return OK;
    json_decref(*out);
    *out = NULL;
    return err_set(e, ERR_FORMAT, "%s: not a lab's state", path);
}
