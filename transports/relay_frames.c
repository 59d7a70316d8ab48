#include "engine/base/bytes.h"
#include "transports/relay_server.h"

/* ---- frames of clients ---------------------------------------------------------------- */

static void on_send(struct relay_server *s, struct relay_out *out, const uint8_t *frame, size_t len)
{
    party_t from = out->link.peer, to;
    struct relay_flow *f, *back;
    if (len <= RELAY_HEADER || len > RELAY_HEADER + RELAY_MESSAGE_MAX) {
        relay_drop(s, DROP_TRANSPORT_FORMAT);
        return;
    }
    to = get_le32(frame + 1);
    f = relay_flow_find(s, from, to);
    if (!f) {
        back = relay_flow_find(s, to, from);
        if (!back || !back->watched) {
            relay_drop(s, DROP_TRANSPORT_STRANGER);
            return;
        }
        f = relay_flow_get(s, from, to);
    }
    if (f)
        relay_lies_take(s, f, out->link.session, frame + RELAY_HEADER, len - RELAY_HEADER);
    else
        relay_drop(s, DROP_RELAY_LIMIT);
}

static void on_watch(struct relay_server *s, struct relay_out *out, const uint8_t *frame,
                     size_t len)
{
    party_t to = out->link.peer;
    if (len == 1 || (len - 1) % 4) {
        relay_drop(s, DROP_TRANSPORT_FORMAT);
        return;
    }
    for (size_t at = 1; at < len; at += 4) {
        party_t from = get_le32(frame + at);
        struct relay_flow *f = NULL;
        if (from < roster_clients(s->setup.roster) && from != to)
            f = relay_flow_get(s, from, to);
        if (!f) {
            relay_drop(s, DROP_TRANSPORT_STRANGER);
            continue;
        }
        f->watched = true;
        relay_flow_due(s, f);
    }
}

/* ---- frames of relays ----------------------------------------------------------------- */

static void on_forward(struct relay_server *s, struct relay_out *out, const uint8_t *frame,
                       size_t len)
{
    party_t from, to, n = roster_clients(s->setup.roster);
    struct relay_flow *f;
    uint64_t session;
    if (len <= RELAY_FORWARD_HEADER) {
        relay_drop(s, DROP_TRANSPORT_FORMAT);
        return;
    }
    from = get_le32(frame + 1);
    to = get_le32(frame + 5);
    session = get_le64(frame + 9);
    if (from >= n || to >= n || from == to || session == 0 || session == RELAY_UNSURE) {
        relay_drop(s, DROP_TRANSPORT_STRANGER);
        return;
    }
    if (session < s->stations[from].session) {
        relay_drop(s, DROP_TRANSPORT_REPLAY);
        return;
    }
    f = s->stations[to].out || s->stations[to].held ? relay_flow_get(s, from, to) : NULL;
    if (f) {
        relay_flow_take(s, f, session, frame + RELAY_FORWARD_HEADER, len - RELAY_FORWARD_HEADER);
    } else {
        relay_drop(s, DROP_RELAY_ABSENT);
        relay_say_lost(s, out, from, to);
    }
}

static void passed(struct relay_server *s, party_t from, party_t to, uint32_t bytes)
{
    struct relay_flow *f = relay_flow_find(s, from, to);
    if (!f || !f->out || !f->out->relay)
        return;
    f->credit += bytes;
    if (f->credit > relay_opts_of(s)->window)
        f->credit = relay_opts_of(s)->window;
    relay_flow_due(s, f);
}

static void on_relay_list(struct relay_server *s, struct relay_out *out, const uint8_t *frame,
                          size_t len)
{
    size_t size = frame[0] == RELAY_LOST ? 8 : 12;
    party_t n = roster_clients(s->setup.roster), relay = out->link.peer;
    if (len == 1 || (len - 1) % size) {
        relay_drop(s, DROP_TRANSPORT_FORMAT);
        return;
    }
    for (size_t at = 1; at < len; at += size) {
        party_t a = get_le32(frame + at), b = get_le32(frame + at + 4);
        bool pair = frame[0] == RELAY_LOST || frame[0] == RELAY_PASSED;
        uint64_t session = pair ? 0 : get_le64(frame + at + 4);
        if (a >= n || (pair ? b >= n : session == 0 || session == RELAY_UNSURE))
            relay_drop(s, DROP_TRANSPORT_STRANGER);
        else if (frame[0] == RELAY_LOST)
            relay_flow_break(s, a, b, true);
        else if (frame[0] == RELAY_PASSED)
            passed(s, a, b, get_le32(frame + at + 8));
        else if (frame[0] == RELAY_ARRIVED)
            relay_arrived(s, relay, a, session);
        else
            relay_left(s, relay, a, session);
    }
}

void relay_on_frame(struct relay_server *s, struct relay_out *out, const uint8_t *frame, size_t len)
{
    enum relay_frame kind = frame[0];
    if (kind == RELAY_PING && len == 1) {
        out->pong = true;
        relay_dirty(s, out);
    } else if (kind == RELAY_PONG && len == 1) {
        return;
    } else if (out->relay && kind == RELAY_FORWARD) {
        on_forward(s, out, frame, len);
    } else if (out->relay && (kind == RELAY_ARRIVED || kind == RELAY_LEFT || kind == RELAY_PASSED ||
                              kind == RELAY_LOST)) {
        on_relay_list(s, out, frame, len);
    } else if (!out->relay && kind == RELAY_SEND) {
        on_send(s, out, frame, len);
    } else if (!out->relay && kind == RELAY_WATCH) {
        on_watch(s, out, frame, len);
    } else {
        relay_drop(s, DROP_TRANSPORT_FORMAT);
    }
}
