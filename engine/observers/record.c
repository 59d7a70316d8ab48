#include "engine/observers/record.h"

#include "engine/base/bytes.h"

static const uint8_t magic[8] = "PLSIGHT1";

enum { TRUTH = 21, VISIBLE = 56, KEPT = 52, OWNER = 22, END = 17, ADDRESS = 18 };

_Static_assert(27 + 2 * ADDRESS <= RECORD_ENTRY_MAX, "the longest entry");

/* ---- writing ---------------------------------------------------------------------------- */

static void put_address(uint8_t *p, const struct addr *a)
{
    memcpy(p, a->ip, 16);
    put_le16(p + 16, a->port);
}

static struct addr get_address(const uint8_t *p)
{
    struct addr a;
    memcpy(a.ip, p, 16);
    a.port = get_le16(p + 16);
    return a;
}

void record_head(uint8_t *out, unsigned wants, uint32_t nodes, uint32_t parties, uint32_t regions)
{
    memcpy(out, magic, sizeof magic);
    put_le32(out + 8, wants);
    put_le32(out + 12, nodes);
    put_le32(out + 16, parties);
    put_le32(out + 20, regions);
}

size_t record_address(uint8_t *out, const struct addr *a)
{
    put_address(out, a);
    return ADDRESS;
}

size_t record_truth(uint8_t *out, const struct packet_truth *t, uint32_t on_stream)
{
    memset(out, 0, 1 + TRUTH);
    out[0] = 'T';
    out[1] = (uint8_t)t->kind;
    put_le32(out + 2, t->from);
    put_le32(out + 6, t->to);
    put_le64(out + 10, t->serial);
    put_le32(out + 18, on_stream);
    return 1 + TRUTH;
}

static size_t put_visible(uint8_t *out, const struct sighting *s)
{
    memset(out, 0, 1 + VISIBLE);
    out[0] = 'V';
    put_le64(out + 1, (uint64_t)s->when);
    put_le32(out + 9, s->at);
    out[13] = (uint8_t)s->visible->kind;
    out[14] = s->visible->in_clear;
    put_le32(out + 15, s->visible->whom);
    put_le32(out + 19, s->visible->other);
    put_address(out + 23, &s->visible->addr);
    put_le64(out + 41, (uint64_t)s->visible->delay);
    return 1 + VISIBLE;
}

static size_t put_kept(uint8_t *out, const struct sighting *s)
{
    const struct retained *k = s->kept;
    memset(out, 0, 1 + KEPT);
    out[0] = 'K';
    put_le64(out + 1, (uint64_t)s->when);
    put_le32(out + 9, s->at);
    put_le64(out + 13, k->record);
    put_le32(out + 21, k->fields);
    put_le64(out + 25, k->bits);
    put_le32(out + 33, k->whom);
    put_le32(out + 37, k->other);
    put_le64(out + 41, (uint64_t)k->until);
    return 1 + KEPT;
}

size_t record_sighting(uint8_t *out, const struct sighting *s)
{
    if (s->visible)
        return put_visible(out, s);
    if (s->kept)
        return put_kept(out, s);
    out[0] = 'S';
    put_le64(out + 1, (uint64_t)s->when);
    out[9] = (uint8_t)(s->point | (s->out ? 4 : 0) | (s->opens ? 8 : 0) | (s->datagram ? 16 : 0));
    out[10] = 0;
    put_le32(out + 11, s->at);
    put_le32(out + 15, s->beyond);
    put_le32(out + 19, s->bytes);
    put_le32(out + 23, s->packets);
    put_address(out + 27, &s->from);
    put_address(out + 27 + ADDRESS, &s->to);
    return 27 + 2 * ADDRESS;
}

size_t record_owner(uint8_t *out, const struct addr *a, party_t who)
{
    out[0] = 'O';
    put_address(out + 1, a);
    put_le32(out + 1 + ADDRESS, who);
    return 1 + OWNER;
}

size_t record_end(uint8_t *out, ns_t ended, uint64_t sightings, bool cut)
{
    out[0] = 'E';
    put_le64(out + 1, (uint64_t)ended);
    put_le64(out + 9, sightings);
    out[17] = cut;
    return 1 + END;
}

/* ---- reading ---------------------------------------------------------------------------- */

/* Past a text of at most RECORD_TEXT_MAX printable bytes. */
static bool pass_text(const struct record *r, size_t *at)
{
    size_t n;
    if (*at >= r->len)
        return false;
    n = r->data[*at];
    if (n > RECORD_TEXT_MAX || r->len - *at - 1 < n)
        return false;
    for (size_t i = 1; i <= n; i++)
        if (r->data[*at + i] < 33 || r->data[*at + i] > 126)
            return false;
    *at += 1 + n;
    return true;
}

/* Past a node's role and address. */
static bool pass_node(const struct record *r, size_t *at)
{
    if (!pass_text(r, at) || r->len - *at < ADDRESS)
        return false;
    *at += ADDRESS;
    return true;
}

int record_open(struct record *r, const uint8_t *data, size_t len, struct err *e)
{
    *r = (struct record){.data = data, .len = len, .names = RECORD_HEAD};
    if (len < sizeof magic || memcmp(data, magic, sizeof magic - 1) != 0)
        return err_set(e, ERR_FORMAT, "not a recording of sightings (PLSIGHT1)");
    if (data[7] != magic[7])
        return err_set(e, ERR_FORMAT, "a recording of version %c, this program reads 1",
                       data[7] >= '0' && data[7] <= '9' ? data[7] : '?');
    if (len < RECORD_HEAD)
        return err_set(e, ERR_FORMAT, "ends in its head");
    r->wants = get_le32(data + 8);
    r->n_nodes = get_le32(data + 12);
    r->n_parties = get_le32(data + 16);
    r->n_regions = get_le32(data + 20);
    if (r->n_nodes > RECORD_NODES_MAX || r->n_parties > r->n_nodes ||
        r->n_regions > RECORD_NODES_MAX)
        return err_set(e, ERR_FORMAT, "has %u nodes, %u parties and %u regions", r->n_nodes,
                       r->n_parties, r->n_regions);
    r->entries = RECORD_HEAD;
    for (uint64_t i = 0; i < (uint64_t)r->n_nodes + r->n_regions; i++)
        if (!pass_text(r, &r->entries) || (i < r->n_nodes && !pass_node(r, &r->entries)))
            return err_set(e, ERR_FORMAT, "a name at byte %zu is cut off or not printable",
                           r->entries);
    record_rewind(r);
    return OK;
}

void record_rewind(struct record *r)
{
    r->at = r->entries;
    r->ended = false;
}

static void take_text(const struct record *r, size_t *at, char *out)
{
    size_t n = r->data[*at];
    memcpy(out, r->data + *at + 1, n);
    out[n] = 0;
    *at += 1 + n;
}

void record_name(const struct record *r, size_t *at, bool node, struct record_names *out)
{
    take_text(r, at, out->name);
    out->role[0] = 0;
    if (!node)
        return;
    take_text(r, at, out->role);
    out->addr = get_address(r->data + *at);
    *at += ADDRESS;
}

static bool take_sighting(const struct record *r, const uint8_t *p, struct record_entry *x)
{
    struct sighting *s = &x->sighting;
    uint32_t places;
    *s = (struct sighting){.when = (ns_t)get_le64(p),
                           .point = p[8] & 3,
                           .out = p[8] & 4,
                           .opens = p[8] & 8,
                           .datagram = p[8] & 16,
                           .at = get_le32(p + 10),
                           .beyond = get_le32(p + 14),
                           .bytes = get_le32(p + 18),
                           .packets = get_le32(p + 22),
                           .from = get_address(p + 26),
                           .to = get_address(p + 26 + ADDRESS)};
    places = s->point == SIGHT_BORDER ? r->n_regions : r->n_nodes;
    return s->point < SIGHT_POINTS && p[8] < 32 && s->at < places && s->when >= 0 &&
           (s->point != SIGHT_BORDER || s->beyond < places);
}

static bool take_visible(const struct record *r, const uint8_t *p, struct record_entry *x)
{
    if (p[12] > SHOWN_ROUTE || p[13] > 1)
        return false;
    x->shown = (struct shown){.kind = (enum shown_kind)p[12],
                              .whom = get_le32(p + 14),
                              .other = get_le32(p + 18),
                              .addr = get_address(p + 22),
                              .delay = (ns_t)get_le64(p + 40),
                              .in_clear = p[13] != 0};
    x->sighting = (struct sighting){.when = (ns_t)get_le64(p),
                                    .at = get_le32(p + 8),
                                    .beyond = PARTY_NONE,
                                    .visible = &x->shown};
    return x->sighting.at < r->n_nodes && x->sighting.when >= 0;
}

static bool take_kept(const struct record *r, const uint8_t *p, struct record_entry *x)
{
    x->retained = (struct retained){.record = get_le64(p + 12),
                                    .fields = get_le32(p + 20),
                                    .bits = get_le64(p + 24),
                                    .whom = get_le32(p + 32),
                                    .other = get_le32(p + 36),
                                    .until = (ns_t)get_le64(p + 40)};
    x->sighting = (struct sighting){.when = (ns_t)get_le64(p),
                                    .at = get_le32(p + 8),
                                    .beyond = PARTY_NONE,
                                    .kept = &x->retained};
    return x->sighting.at < r->n_nodes && x->sighting.when >= 0;
}

static bool take_truth(const uint8_t *p, struct record_entry *x)
{
    x->truth = (struct packet_truth){.kind = (enum truth_kind)p[0],
                                     .from = get_le32(p + 1),
                                     .to = get_le32(p + 5),
                                     .serial = get_le64(p + 9)};
    x->on_stream = get_le32(p + 17);
    return p[0] <= TRUTH_CONTROL;
}

static size_t size_of(char kind)
{
    switch (kind) {
    case 'T':
        return TRUTH;
    case 'S':
        return 26 + 2 * ADDRESS;
    case 'V':
        return VISIBLE;
    case 'K':
        return KEPT;
    case 'O':
        return OWNER;
    case 'E':
        return END;
    default:
        return 0;
    }
}

static bool take(struct record *r, const uint8_t *p, struct record_entry *x)
{
    switch (x->kind) {
    case 'T':
        return take_truth(p, x);
    case 'S':
        return take_sighting(r, p, x);
    case 'V':
        return take_visible(r, p, x);
    case 'K':
        return take_kept(r, p, x);
    case 'O':
        x->addr = get_address(p);
        x->owner = get_le32(p + ADDRESS);
        return x->owner < r->n_nodes || x->owner == PARTY_NONE;
    default:
        x->ended = (ns_t)get_le64(p);
        x->sightings = get_le64(p + 8);
        x->cut = p[16] != 0;
        r->ended = true;
        return x->ended >= 0 && r->at == r->len;
    }
}

int record_next(struct record *r, struct record_entry *x, struct err *e)
{
    size_t begin = r->at, size;
    if (r->ended)
        return ERR_ABSENT;
    if (r->at >= r->len)
        return err_set(e, ERR_FORMAT, "ends at byte %zu without its end entry: cut off", r->at);
    x->kind = (char)r->data[r->at];
    size = size_of(x->kind);
    if (size == 0)
        return err_set(e, ERR_FORMAT, "an entry of unknown kind 0x%02x at byte %zu", r->data[r->at],
                       begin);
    if (r->len - r->at - 1 < size)
        return err_set(e, ERR_FORMAT, "an entry at byte %zu is cut off", begin);
    r->at += 1 + size;
    if (!take(r, r->data + begin + 1, x))
        return err_set(e, ERR_FORMAT, "an entry at byte %zu with a value out of range", begin);
    return OK;
}
