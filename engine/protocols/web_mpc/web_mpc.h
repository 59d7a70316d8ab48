/* Protocol web_mpc: statistics over values that many submit, when not everybody is there. After
 * WEB-MPC (A. Lapets et al., "Accessible Privacy-Preserving Web-Based Data Analysis for Assessing
 * and Addressing Economic Inequalities", COMPASS 2018) and its demo in JIFF.
 *
 * An analyst sets up a session at the server and may leave; input parties come at any time,
 * leave their tables, and go; when she closes the session, server and analyst compute.
 *
 *   set-up      The analyst makes a key pair, keeps it in her store (her key file), and gives the
 *               public key with the session's id and the number of parties to the server. Her
 *               password lets her in; a ticket, good for this life of the server, lets her go on.
 *   submitting  An input party shows the session key and its token, which came in two mails, and
 *               gets the analyst's key. Each cell x is shared with its square as snip.h says,
 *               Shamir 2 of 2: the analyst's share (its seed) in a box for her, the server's as
 *               it is, within the channel. The server keeps both in one record, its own share
 *               encrypted; a later submission replaces it in one put. Who comes before the
 *               session is started, or while it is paused, waits for it.
 *   closing     stop freezes the submissions. Chunk by chunk the analyst fetches her boxes, both
 *               verify the proofs (a false one is excluded, not the session), and both add up
 *               their shares cohort by cohort. Then the server gives her its shares of those
 *               aggregates that show no small cohort (cohort.h). Only she learns the sums.
 *
 * Who learns what. Server: who took part, when and in which cohort, and who was excluded. Analyst:
 * the same but for the time, and the published aggregates. Neither sees a value, unless the
 * two collude. A server that delivers a key of its own (man_in_the_middle) sees all values and
 * nobody notices; with keys: out_of_band input parties refuse that key. Both are taken to be
 * honest otherwise (semi-honest), and not to collude with an input party; whoever of the two
 * deviates can spoil the result or exclude people, but an analyst can't do so twice with
 * different outcomes: the server keeps the first challenge and the first list of who passed.
 *
 * Crashes. What an ACK confirms is in the store. A server that restarts finds session and
 * submissions; the analyst logs in again and closing begins again at the first chunk, with the
 * same challenge and so to the same end. An analyst that restarts has her key file; one who
 * lost it can't log in to this session (its key is another), and nothing is revealed. An input
 * party that restarts before its ACK submits again under the next number.
 *
 * Memory. The server has 8 bytes and a record of 120 + 40 + 8 (2M + 5) bytes for everyone invited,
 * and one chunk; nothing more for who is absent, whatever he sends.
 *
 * Messages, their sizes and their number: messages.h. Drops: PROTOCOL_AUTH (credentials, tickets
 * or passwords that are wrong; boxes that don't open), PROTOCOL_FORMAT (wrong size or numbers),
 * LABEL_TWICE (an older submission, or another under the same number), LABEL_UNKNOWN, LABEL_LATE,
 * LABEL_EARLY (a second request of the analyst before the answer to the first).
 */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_WEB_MPC_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_WEB_MPC_H

#include "engine/protocol.h"

extern const struct protocol protocol_web_mpc;

#endif
