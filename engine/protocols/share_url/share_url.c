#include "engine/protocols/share_url/share_url.h"

#include <sodium.h>
#include <stdio.h>

static const struct protocol_role roles[] = {
    {.name = "initiator", .help = "posts a sealed input, and sends the share URL", .min = 1},
    {.name = "responder",
     .help = "opens the share URL; those beyond the initiators' number are Eves",
     .min = 1},
    {.name = "server",
     .help = "signs, computes, and keeps fingerprints",
     .min = 1,
     .max = 1,
     .serves = true},
    {.name = "messenger",
     .help = "carries the share URL, at a person's pace",
     .min = 1,
     .max = 1,
     .serves = true},
    {.name = "mail", .help = "takes the initiators' mail", .min = 1, .max = 1, .serves = true},
    {.name = NULL}};

static const struct share_role_ops *const ops_of[SHARE_ROLES] = {
    &share_initiator_ops, &share_responder_ops, &share_server_ops, &share_messenger_ops,
    &share_mail_ops};

enum {
    I = 1 << SHARE_INITIATOR,
    R = 1 << SHARE_RESPONDER,
    S = 1 << SHARE_SERVER,
    M = 1 << SHARE_MESSENGER,
    L = 1 << SHARE_MAIL
};

/* Who sends it to whom, and how long it is. Anybody can post; a bad payload may
 * have any length. */
static const struct {
    unsigned from, to;
    size_t min, max;
} kinds[SHARE_KINDS] = {
    [SHARE_POST] = {I | R, S, POST_LEN, POST_LEN},
    [SHARE_SIGNED] = {S, I | R, PAYLOAD_LEN, PAYLOAD_LEN},
    [SHARE_TEXT] = {I | R | S | M, M | I | R, TEXT_HEAD, TEXT_HEAD + TEXT_MAX},
    [SHARE_TAKEN] = {M, S, SEAL_TAG, SEAL_TAG},
    [SHARE_ASK] = {R, S, 1, 2 * PAYLOAD_TEXT},
    [SHARE_STATUS] = {S, R, STATUS_LEN, STATUS_LEN},
    [SHARE_ANSWER] = {R, S, DEAL_VALUES + ANSWER_NONCE, 2 * ANSWER_LEN},
    [SHARE_RESULT] = {S, R, RESULT_LEN, RESULT_LEN},
    [SHARE_MAILING] = {S, L, MAIL_LEN, MAIL_LEN},
    [SHARE_MAILED] = {L, S, SEAL_TAG + 1, SEAL_TAG + 1},
    [SHARE_LETTER] = {L, I, LETTER_LEN, LETTER_LEN},
    [SHARE_READ] = {I, L, SEAL_TAG, SEAL_TAG},
    [SHARE_FETCH] = {I, L, SEAL_TAG, SEAL_TAG},
};

static bool share_pairs(const void *opts, const char *a, const char *b)
{
    unsigned pair = 0;
    (void)opts;
    for (int i = 0; i < SHARE_ROLES; i++)
        if (strcmp(a, roles[i].name) == 0 || strcmp(b, roles[i].name) == 0)
            pair |= 1u << i;
    return pair == (I | S) || pair == (I | M) || pair == (I | L) || pair == (R | S) ||
           pair == (R | M) || pair == (S | M) || pair == (S | L);
}

/* ---- what roles share ------------------------------------------------------------------------ */

bool share_send(struct party *p, party_t to, enum share_kind kind, uint32_t round, const void *data,
                size_t len)
{
    return party_send(p, to, (struct label){.round = round, .instance = kind}, data, len) == OK;
}

bool share_text(const struct share *s, struct party *p, party_t via, party_t whom,
                enum share_text kind, const void *text, size_t len)
{
    uint8_t buf[TEXT_HEAD + TEXT_MAX];
    struct writer w = writer_of(buf, sizeof buf);
    (void)s;
    write_u8(&w, (uint8_t)kind);
    write_u32(&w, whom);
    write_bytes(&w, text, len);
    return !w.bad && share_send(p, via, SHARE_TEXT, 0, buf, w.len);
}

const char *share_status_words(enum share_status status)
{
    static const char *const words[STATUS_KINDS] = {
        [STATUS_FRESH] = "not used",
        [STATUS_DONE] = "done",
        [STATUS_USED] = "used by somebody else, or with another input",
        [STATUS_EXPIRED] = "expired",
        [STATUS_CLOCK] = "from the future: a clock is wrong",
        [STATUS_BAD] = "not authentic",
        [STATUS_LIMITED] = "asked too often",
        [STATUS_AGAIN] = "to be asked again"};
    return status < STATUS_KINDS ? words[status] : "nonsense";
}

/* ---- struct protocol ------------------------------------------------------------------------- */

static int share_init(void *self, struct party *p, const void *plan, const struct input *own,
                      struct err *e)
{
    struct share *s = self;
    const struct identity *id = party_identity(p);
    s->plan = plan;
    s->role = (enum share_role)s->plan->role[party_self(p)];
    s->modelled = id && id->modelled;
    share_values(s->plan, own, s->values);
    return ops_of[s->role]->init ? ops_of[s->role]->init(s, p, e) : OK;
}

static void share_start(void *self, struct party *p)
{
    struct share *s = self;
    if (ops_of[s->role]->start)
        ops_of[s->role]->start(s, p);
}

static void share_recv(void *self, struct party *p, party_t from, struct label label,
                       const uint8_t *data, size_t len)
{
    struct share *s = self;
    unsigned role = from < s->plan->roster->n ? 1u << s->plan->role[from] : 0;
    if (label.instance >= SHARE_KINDS || !(kinds[label.instance].from & role) ||
        !(kinds[label.instance].to & 1u << s->role))
        party_drop(p, DROP_LABEL_UNKNOWN);
    else if (len < kinds[label.instance].min || len > kinds[label.instance].max)
        party_drop(p, DROP_PROTOCOL_FORMAT);
    else
        ops_of[s->role]->recv(s, p, from, label, data, len);
}

static void share_peer(void *self, struct party *p, party_t peer, enum peer_state state)
{
    struct share *s = self;
    if (peer < s->plan->roster->n && ops_of[s->role]->peer)
        ops_of[s->role]->peer(s, p, peer, state);
}

static void share_timer(void *self, struct party *p, unsigned timer)
{
    struct share *s = self;
    if (ops_of[s->role]->timer)
        ops_of[s->role]->timer(s, p, timer);
}

static void share_waiting(const void *self, const struct party *p, char *buf, size_t cap)
{
    const struct share *s = self;
    (void)p;
    if (cap)
        buf[0] = '\0';
    if (cap && ops_of[s->role]->waiting)
        ops_of[s->role]->waiting(s, buf, cap);
}

static void share_free(void *self)
{
    struct share *s = self;
    if (s->plan && ops_of[s->role]->free)
        ops_of[s->role]->free(s);
    sodium_memzero(s, sizeof *s);
}

static void share_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap)
{
    (void)plan;
    if (len == DEAL_RESULT)
        deal_text((struct deal){.kind = (enum deal_kind)result[0],
                                .price = (int64_t)get_le64(result + 1)},
                  buf, cap);
    else
        snprintf(buf, cap, "serving");
}

/* ---- options --------------------------------------------------------------------------------- */

#define OPT(field) offsetof(struct share_opts, field)
#define DAY (86400 * NS_S)

static const char *const programs[] = {"fair_deal", "equal", "less_than", NULL};
static const char *const laws[] = {"exponential", "lognormal", "uniform", "constant", NULL};
static const char *const eves[] = {"first", "together", "later", NULL};
static const char *const attacks[] = {"answer", "replay", "repost", "alter", "probe", NULL};
static const char *const lies[] = {"honest",      "miscalculates", "within_range",
                                   "two_results", "retains",       NULL};

/* clang-format off */
static const struct opt opts[] = {
    {"program", OPT_CHOICE, OPT(program), "fair_deal", 0, 0, programs, "What is computed: where two price ranges meet; are two numbers equal; is the initiator's less."},
    {"window", OPT_DURATION, OPT(window), "24h", NS_S, 3650 * DAY, NULL, "A payload expires so long after its creation."},
    {"tolerance", OPT_DURATION, OPT(tolerance), "5min", 0, DAY, NULL, "Clocks may differ by so much."},
    {"delay", OPT_DURATION, OPT(delay), "1h", 0, 365 * DAY, NULL, "Mean time until a person sees a message that the messenger carries."},
    {"law", OPT_CHOICE, OPT(law), "lognormal", 0, 0, laws, "How that time is distributed: lognormal with sigma 1, exponential, uniform from 0 to twice the mean, constant."},
    {"loss", OPT_RATIO, OPT(loss), "0%", 0, 1000000, NULL, "The messenger loses a message."},
    {"duplicates", OPT_RATIO, OPT(duplicates), "0%", 0, 1000000, NULL, "The messenger delivers a message twice."},
    {"eve", OPT_CHOICE, OPT(eve), "first", 0, 0, eves, "When responders beyond the initiators' number see a URL: at once, with its responder, or after him."},
    {"attack", OPT_CHOICE, OPT(attack), "answer", 0, 0, attacks, "What they do: answer; answer, and again with other inputs; answer, post the ciphertext anew and answer again; alter the payload; ask without end."},
    {"server", OPT_CHOICE, OPT(server), "honest", 0, 0, lies, "A malicious server miscalculates, errs within both ranges, tells two results, or retains inputs."},
    {"clock_ahead", OPT_DURATION, OPT(clock_ahead), "0", 0, 3650 * DAY, NULL, "The server's clock is ahead by so much,"},
    {"clock_behind", OPT_DURATION, OPT(clock_behind), "0", 0, 3650 * DAY, NULL, "or behind by so much,"},
    {"skew_from", OPT_DURATION, OPT(skew_from), "0", 0, 3650 * DAY, NULL, "from this time on,"},
    {"skew_until", OPT_DURATION, OPT(skew_until), "0", 0, 3650 * DAY, NULL, "until then; 0: for good."},
    {"questions", OPT_INT, OPT(questions), "20", 1, 60000, NULL, "The server answers a responder so many questions and answers an hour."},
    {"retry", OPT_DURATION, OPT(retry), "30s", NS_S, DAY, NULL, "Who has no answer asks again after this time, then after twice that, up to 64 times."},
    {"sample", OPT_DURATION, OPT(sample), "10min", NS_S, 365 * DAY, NULL, "The server purges, and measures what it stores, at this interval."},
    {"compare", OPT_BOOL, OPT(compare), "false", 0, 0, NULL, "The responder tells the initiator through the messenger what he got, and she compares."},
    {"wait", OPT_DURATION, OPT(wait), "0", 0, 3650 * DAY, NULL, "A responder gives up so long after his start; 0: as an initiator does, when all mail must have come."},
    {"mail_refuses", OPT_INT, OPT(mail_refuses), "0", 0, 1000000, NULL, "The mail server refuses so many tries of each mail,"},
    {"mail_silent", OPT_INT, OPT(mail_silent), "0", 0, 1000000, NULL, "and then takes so many of them without saying so."},
    {"mail_tries", OPT_INT, OPT(mail_tries), "5", 1, 100, NULL, "After so many tries the messenger notifies the initiator instead."},
    {"mail_retry", OPT_DURATION, OPT(mail_retry), "1min", NS_S, DAY, NULL, "From the first try to the second; then twice that, up to 64 times."},
    {"host", OPT_TEXT, OPT(host), "mpc.example", 0, 0, NULL, "The host's name in the share URL."},
    {.name = NULL}};
/* clang-format on */

const struct protocol protocol_share_url = {
    .name = "share_url",
    .help = "Two who are not there together compute through a server that "
            "keeps a fingerprint: a "
            "sealed input, a signed share URL, an answer within a day, a mail.",
    .roles = roles,
    .opts = opts,
    .opts_size = sizeof(struct share_opts),
    .barrier = false,
    .size = sizeof(struct share),
    .plan = share_plan_make,
    .free_plan = share_plan_free,
    .pairs = share_pairs,
    .check_input = share_check_input,
    .init = share_init,
    .start = share_start,
    .recv = share_recv,
    .peer = share_peer,
    .timer = share_timer,
    .waiting = share_waiting,
    .free = share_free,
    .verify = share_verify,
    .print = share_print,
    .gateway = &share_gateway,
};
