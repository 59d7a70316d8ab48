/* Eve: a responder who has seen somebody's URL and does worse than answering it.
 *
 * Each attack is a list of requests, one after the other's answer; what comes back and should not
 * have is counted in `accepted`: her result (DEAL_TRIED).
 *
 * replay: when the payload is used, by her or by somebody else, three answers with other inputs.
 * repost: then posts the ciphertext as an initiator, and answers with the fresh signature.
 * alter: asks about, and answers with, the same payload in other spellings, and with a flipped bit
 *     in each part.
 * probe: PROBES questions; twice `questions` may be answered, if an hour ends meanwhile.
 */
#include "engine/protocols/share_url/share_url.h"

enum { PROBES = 200, REPLAYS = 3, SPELLINGS = 6, TEXT_ROOM = PAYLOAD_TEXT + 4 };

/* Where a bit is flipped: version, tag, ephemeral key, ciphertext, its tag,
 * timestamp, signature. */
static const unsigned flips[] = {0,   1,   32,  33,  64,  65,  80,  100, 169,
                                 170, 185, 186, 193, 194, 225, 226, 257};
enum { FLIPS = sizeof flips / sizeof flips[0], ALTERATIONS = SPELLINGS + FLIPS };

_Static_assert(POST_LEN == 186 && PAYLOAD_LEN == 258, "where the parts are");

/* The k-th alteration of a payload's text; its length. */
static size_t alter(char out[TEXT_ROOM], const char text[PAYLOAD_TEXT], unsigned k)
{
    uint8_t payload[PAYLOAD_LEN];
    char *last = out + PAYLOAD_TEXT - 1;
    memcpy(out, text, PAYLOAD_TEXT);
    switch (k) {
    case 0: /* a byte more */
        out[PAYLOAD_TEXT] = 'A';
        return PAYLOAD_TEXT + 1;
    case 1: /* padding */
        memcpy(out + PAYLOAD_TEXT, "==", 2);
        return PAYLOAD_TEXT + 2;
    case 2: /* another last character */
        *last = (char)(*last + 1);
        return PAYLOAD_TEXT;
    case 3: /* the other alphabet */
        for (size_t i = 0; i < PAYLOAD_TEXT; i++)
            out[i] = out[i] == '-' ? '+' : out[i] == '_' ? '/' : out[i];
        if (memcmp(out, text, PAYLOAD_TEXT) == 0)
            out[1] = '+';
        return PAYLOAD_TEXT;
    case 4: /* white space */
        out[PAYLOAD_TEXT] = '\n';
        return PAYLOAD_TEXT + 1;
    case 5: /* a byte less */
        return PAYLOAD_TEXT - 1;
    default:
        url_decode(payload, PAYLOAD_LEN, text, PAYLOAD_TEXT);
        payload[flips[k - SPELLINGS]] ^= (uint8_t)(1u << k % 8);
        url_encode(out, payload, PAYLOAD_LEN);
        return PAYLOAD_TEXT;
    }
}

static void try(struct share *s, struct party *p, enum share_kind kind, const char *text,
                size_t len)
{
    struct share_responder *r = &s->as.r;
    uint8_t body[TEXT_ROOM + DEAL_VALUES + ANSWER_NONCE];
    int64_t values[2] = {s->values[0] + r->step, s->values[1] ? s->values[1] + r->step : 0};
    memcpy(body, text, len);
    deal_put_values(body + len, values);
    prng_bytes(party_rng(p), body + len + DEAL_VALUES, ANSWER_NONCE);
    share_send(p, s->plan->server, kind, r->step, body,
               kind == SHARE_ASK ? len : len + DEAL_VALUES + ANSWER_NONCE);
}

static void over(struct share *s, struct party *p)
{
    uint8_t result[DEAL_RESULT];
    int64_t n = s->as.r.accepted;
    if (s->plan->opts->attack == ATTACK_PROBE) /* an hour may have begun meanwhile */
        n = n > 2 * s->plan->opts->questions ? n - 2 * s->plan->opts->questions : 0;
    s->as.r.over = true;
    deal_put(result, (struct deal){.kind = DEAL_TRIED, .price = n});
    party_result(p, result, sizeof result);
}

static void repost(struct share *s, struct party *p, enum share_kind came, const uint8_t *data)
{
    struct share_responder *r = &s->as.r;
    uint8_t payload[PAYLOAD_LEN];
    if (r->step == 1) {
        url_decode(payload, PAYLOAD_LEN, r->text, PAYLOAD_TEXT);
        share_send(p, s->plan->server, SHARE_POST, 0, payload, POST_LEN);
    } else if (r->step == 2 && came == SHARE_SIGNED) {
        url_encode(r->text, data, PAYLOAD_LEN);
        try(s, p, SHARE_ANSWER, r->text, PAYLOAD_TEXT);
    } else {
        over(s, p);
    }
}

static void alterations(struct share *s, struct party *p)
{
    struct share_responder *r = &s->as.r;
    char text[TEXT_ROOM];
    unsigned k = (r->step - 1) / 2;
    if (k == ALTERATIONS)
        over(s, p);
    else
        try(s, p, r->step % 2 ? SHARE_ASK : SHARE_ANSWER, text, alter(text, r->text, k));
}

static bool accepted(const struct share *s, enum share_kind came, const uint8_t *data)
{
    if (came == SHARE_RESULT)
        return data[0] == STATUS_DONE;
    if (came != SHARE_STATUS)
        return false;
    if (s->plan->opts->attack == ATTACK_PROBE)
        return data[0] != STATUS_LIMITED;
    return data[0] == STATUS_FRESH;
}

void share_eve_next(struct share *s, struct party *p, enum share_kind came, const uint8_t *data,
                    size_t len)
{
    struct share_responder *r = &s->as.r;
    (void)len;
    if (r->step && accepted(s, came, data))
        r->accepted++;
    r->step++;
    switch ((enum share_attack)s->plan->opts->attack) {
    case ATTACK_REPLAY:
        if (r->step > REPLAYS)
            over(s, p);
        else
            try(s, p, SHARE_ANSWER, r->text, PAYLOAD_TEXT);
        break;
    case ATTACK_REPOST:
        repost(s, p, came, data);
        break;
    case ATTACK_ALTER:
        alterations(s, p);
        break;
    case ATTACK_PROBE:
        if (r->step > PROBES)
            over(s, p);
        else
            try(s, p, SHARE_ASK, r->text, PAYLOAD_TEXT);
        break;
    case ATTACK_ANSWER:
        break;
    }
}
