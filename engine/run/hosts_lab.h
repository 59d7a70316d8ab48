/* A lab that is up, as an inventory of Ansible: its hosts with what reaches them. Each gets an SSH
 * server of its own, at 127.0.0.1:2200 of its network namespace, so that nothing of it is in the
 * experiment's network; with keys made for this lab, in the lab's folder (ssh/), which `partyline
 * lab down` takes away.
 */
#ifndef PARTYLINE_RUN_HOSTS_LAB_H
#define PARTYLINE_RUN_HOSTS_LAB_H

#include "engine/base/err.h"

#include <jansson.h>

/* The lab: its number, its scenario's name, or NAME.yaml with any folder before it. *out is what
 * `--list` prints. ERR_ABSENT: no such lab is up, or a program is lacking; ERR_IO. */
int hosts_lab_inventory(const char *lab, json_t **out, struct err *e);

#endif
