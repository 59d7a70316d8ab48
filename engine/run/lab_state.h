/* What a lab writes down of itself: LAB_DIR/ID/lab.json, for whoever wants to use its hosts.
 *
 *     schema    1
 *     id        the lab's number
 *     scenario  its name; cell: which of its cells
 *     owner     the process that the lab ends with; 0: it stays until `partyline lab down`
 *     wan       the process that is the internet
 *     inside    where a host sees its share: /var/lib/partyline
 *     hosts     one a node of the roster, in its order:
 *       name, role, region, nat
 *       netns      its network namespace: `ip netns exec NETNS nc 127.0.0.1 22` talks to an sshd in
 *                  it without a way from the experiment's network to that port
 *       pid        its process 1: `nsenter -t PID -a COMMAND` runs a command on the host
 *       address    its published address, what the others know of it
 *       bind       its own address: another one behind a NAT
 *       share      a folder of the machine that the host sees as `inside`
 *     boxes     one a NAT: netns, address, outer (the number of the box that it is behind, or null)
 *
 * Beside it: owner (process and its start), wan.board (worlds/lab/wan.h), wan.log, and
 * hosts/NAME/{log,share}. The file appears when all of it is up.
 */
#ifndef PARTYLINE_RUN_LAB_STATE_H
#define PARTYLINE_RUN_LAB_STATE_H

#include "engine/run/scenario.h"
#include "engine/worlds/lab/lab.h"

#include <jansson.h>

int lab_state_write(const struct lab *, const struct lab_options *, struct err *);
/* Reads it again. ERR_ABSENT (no such lab, or it is not up yet), ERR_FORMAT. */
int lab_state_read(const char *id, json_t **out, struct err *);

#endif
