/* The mail server: keeps a letter until its reader has it.
 *
 * In its store: "m" | tag | contact -> DEAL_RESULT, or nothing once it is read: the same letter
 * again is taken, and not delivered. `mail_refuses` and `mail_silent` go by the try (label.round).
 */
#include "engine/protocols/share_url/server.h"

enum { KEY = 1 + SEAL_TAG + SEAL_CONTACT };

static void key_of(uint8_t key[KEY], const uint8_t tag[SEAL_TAG], const void *contact)
{
    key[0] = 'm';
    memcpy(key + 1, tag, SEAL_TAG);
    memcpy(key + 1 + SEAL_TAG, contact, SEAL_CONTACT);
}

static void hand_over(struct party *p, party_t to, const uint8_t *tag, const uint8_t *result)
{
    uint8_t letter[LETTER_LEN];
    memcpy(letter, tag, SEAL_TAG);
    memcpy(letter + SEAL_TAG, result, DEAL_RESULT);
    share_send(p, to, SHARE_LETTER, 0, letter, sizeof letter);
}

/* A letter, or, once it is read, that there was one. */
static void kept(struct party *p, const uint8_t *tag, party_t whose, size_t len)
{
    party_keep(p, &(struct retained){.record = get_le64(tag),
                                     .fields = KEPT_IDENTITY,
                                     .bits = 8 * (KEY + len),
                                     .whom = whose,
                                     .other = PARTY_NONE,
                                     .until = NS_NEVER});
}

static void on_mail(const struct share *s, struct party *p, party_t from, uint32_t try,
                    const uint8_t *mail)
{
    const struct share_opts *o = s->plan->opts;
    const uint8_t *result = mail + SEAL_TAG + SEAL_CONTACT;
    party_t to = share_of_contact(s->plan, (const char *)mail + SEAL_TAG);
    uint8_t reply[SEAL_TAG + 1], key[KEY];
    int rc = ERR_ABSENT;
    key_of(key, mail, mail + SEAL_TAG);
    if (to != PARTY_NONE && try >= (uint64_t)o->mail_refuses)
        rc = party_store(p)->ops->insert(party_store(p), key, sizeof key, result, DEAL_RESULT);
    if (rc == OK) {
        party_disclose(p, &(struct shown){.kind = SHOWN_MEMBER, .whom = to, .other = PARTY_NONE});
        kept(p, mail, to, DEAL_RESULT);
        hand_over(p, to, mail, result);
    }
    memcpy(reply, mail, SEAL_TAG);
    reply[SEAL_TAG] = rc == OK || rc == ERR_EXISTS;
    if (rc == ERR_ABSENT || try >= (uint64_t)(o->mail_refuses + o->mail_silent))
        share_send(p, from, SHARE_MAILED, try, reply, sizeof reply);
}

static void on_reader(struct party *p, party_t from, enum share_kind kind, const uint8_t *tag)
{
    struct store *store = party_store(p);
    char contact[SEAL_CONTACT];
    uint8_t key[KEY], result[DEAL_RESULT];
    size_t len = 0;
    int rc;
    share_contact(contact, from);
    key_of(key, tag, contact);
    rc = store->ops->get(store, key, sizeof key, result, sizeof result, &len);
    if (rc != OK || len != DEAL_RESULT)
        return;
    if (kind == SHARE_READ && store->ops->put(store, key, sizeof key, "", 0) == OK)
        kept(p, tag, from, 0);
    else if (kind != SHARE_READ)
        hand_over(p, from, tag, result);
}

static int mail_init(struct share *s, struct party *p, struct err *e)
{
    (void)s;
    return party_store(p) ? OK : err_set(e, ERR_UNSUPPORTED, "this world gives mail no store");
}

static void mail_start(struct share *s, struct party *p)
{
    (void)s;
    party_result(p, "serving", 7);
}

static void mail_recv(struct share *s, struct party *p, party_t from, struct label label,
                      const uint8_t *data, size_t len)
{
    (void)len;
    if (label.instance == SHARE_MAILING)
        on_mail(s, p, from, label.round, data);
    else
        on_reader(p, from, (enum share_kind)label.instance, data);
}

/* A reader who was given up, or a channel that forgot: she asks when she
 * restarts. */
const struct share_role_ops share_mail_ops = {
    .init = mail_init,
    .start = mail_start,
    .recv = mail_recv,
};
