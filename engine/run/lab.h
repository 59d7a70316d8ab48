/* The world lab: every node a process on a host of its own, in a lab (worlds/lab/lab.h).
 *
 * Each trial has a lab of its own, made for it and taken away after it, so NATs begin without
 * mappings and nothing outlives a trial. Trials run one at a time: their times are real ones. The
 * nodes' folders and processes are as in the world local (run/local.h); a node sees its own folder
 * alone. Events of nodes (crash, restart, pause) are signals, those of the network (partition,
 * link, flap) the WAN's.
 *
 * All hosts share one clock, so what takes from one node to another is measured exactly. Bytes and
 * packets on the wire are what a party's site sent into the WAN (parties that share a NAT have no
 * such figure); the WAN's losses are among the drops. Of what NATs drop nothing is known.
 *
 * A run is poor if more than 1 % of its packets left the WAN later than WAN_LATE; env.json has the
 * figures in any case.
 *
 * Observers get what the nodes wrote down and what passed the WAN when the trial is over
 * (replay.h). With --trace that stays in traces/: CELL-TRIAL.pcap, .map.yaml (observe.h) and
 * .truth, a recording (observers/record.h) of what nodes sent on streams, each with its truth.
 */
#ifndef PARTYLINE_RUN_LAB_H
#define PARTYLINE_RUN_LAB_H

#include "engine/world.h"

extern const struct world world_lab;

#endif
