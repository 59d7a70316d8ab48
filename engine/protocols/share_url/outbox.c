#include "engine/protocols/share_url/server.h"

#include <stdio.h>

static const char before[] = "party-", behind[] = "@mail.example";

void share_contact(char out[SEAL_CONTACT], party_t initiator)
{
    memset(out, 0, SEAL_CONTACT);
    snprintf(out, SEAL_CONTACT, "%s%u%s", before, (unsigned)initiator, behind);
}

bool share_contact_valid(const char contact[SEAL_CONTACT])
{
    static const char names[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+";
    size_t local = strspn(contact, names), domain;
    if (local == 0 || contact[local] != '@')
        return false;
    domain = strspn(contact + local + 1, names);
    return domain > 0 && contact[local + 1 + domain] == 0 && contact[0] != '-' &&
           contact[local + 1] != '-';
}

party_t share_of_contact(const struct share_plan *plan, const char contact[SEAL_CONTACT])
{
    char again[SEAL_CONTACT];
    uint64_t id = 0;
    for (size_t i = sizeof before - 1;
         i < SEAL_CONTACT && contact[i] >= '0' && contact[i] <= '9' && id < PARTY_NONE; i++)
        id = id * 10 + (uint64_t)(contact[i] - '0');
    if (id >= plan->roster->n || plan->role[id] != SHARE_INITIATOR)
        return PARTY_NONE;
    share_contact(again, (party_t)id);
    return memcmp(again, contact, SEAL_CONTACT) == 0 ? (party_t)id : PARTY_NONE;
}

void share_row_kept(const struct share *s, struct party *p, uint64_t number,
                    const struct ledger_entry *e)
{
    const struct share_opts *o = s->plan->opts;
    const struct ledger_row *row = ledger_row(&s->as.server->ledger, number);
    struct retained kept = {.record = number,
                            .fields = KEPT_TIME,
                            .bits = 8 * LEDGER_USED,
                            .whom = PARTY_NONE,
                            .other = PARTY_NONE};
    kept.until = row->used + o->window + 2 * o->tolerance + party_now(p) - share_server_now(s, p);
    if (row->state == LEDGER_PENDING) {
        kept.fields |= KEPT_IDENTITY;
        kept.bits += 8 * (uint64_t)LEDGER_OUTBOX;
        kept.whom = share_of_contact(s->plan, e->contact);
    }
    party_keep(p, &kept);
}

static void mail(const struct share *s, struct party *p, const struct ledger_row *row,
                 const struct ledger_entry *e)
{
    uint8_t body[MAIL_LEN];
    memcpy(body, row->tag, SEAL_TAG);
    memcpy(body + SEAL_TAG, e->contact, SEAL_CONTACT);
    memcpy(body + SEAL_TAG + SEAL_CONTACT, e->result, DEAL_RESULT);
    share_send(p, s->plan->mail, SHARE_MAILING, row->tries, body, sizeof body);
}

static void notify(const struct share *s, struct party *p, const struct ledger_row *row,
                   const struct ledger_entry *e)
{
    uint8_t body[LETTER_LEN];
    memcpy(body, row->tag, SEAL_TAG);
    memcpy(body + SEAL_TAG, e->result, DEAL_RESULT);
    share_text(s, p, s->plan->messenger, share_of_contact(s->plan, e->contact), TEXT_NOTICE, body,
               sizeof body);
}

void share_mail_row(const struct share *s, struct party *p, uint64_t number)
{
    const struct share_opts *o = s->plan->opts;
    struct ledger *l = &s->as.server->ledger;
    struct ledger_row *row = ledger_row(l, number);
    struct ledger_entry e;
    if (!row || row->state != LEDGER_PENDING)
        return;
    if (ledger_find(l, row->tag, &e) == OK) {
        if (row->tries < o->mail_tries)
            mail(s, p, row, &e);
        else
            notify(s, p, row, &e);
        row->tries++;
    }
    party_arm(p, TIMER_ROWS + (unsigned)(number % OUTBOX_TIMERS),
              party_now(p) + share_backoff(o->mail_retry, row->tries ? row->tries - 1 : 0));
}

void share_mail_timer(const struct share *s, struct party *p, unsigned timer)
{
    struct ledger *l = &s->as.server->ledger;
    uint64_t behind_first = (timer - l->first) % OUTBOX_TIMERS;
    if (l->open)
        share_mail_row(s, p, l->first + behind_first);
}

void share_mail_all(const struct share *s, struct party *p)
{
    struct share_server *v = s->as.server;
    if (v->mailing || ledger_open(&v->ledger, party_store(p)) != OK)
        return;
    v->mailing = true;
    for (size_t i = 0; i < v->ledger.n; i++)
        share_mail_row(s, p, v->ledger.first + i);
}

static uint64_t number_of(const struct ledger *l, const struct ledger_row *row)
{
    uint64_t place = (uint64_t)(row - l->rows), first = l->first % l->cap;
    return l->first + (place + l->cap - first) % l->cap;
}

void share_mail_sent(const struct share *s, struct party *p, const uint8_t tag[SEAL_TAG], bool ok)
{
    struct ledger *l = &s->as.server->ledger;
    struct ledger_row *row = l->open ? ledger_row_of(l, tag) : NULL;
    if (!row)
        party_drop(p, DROP_LABEL_LATE);
    else if (row->state == LEDGER_SENT)
        party_drop(p, DROP_LABEL_TWICE);
    else if (ok && ledger_sent(l, row) == OK)
        share_row_kept(s, p, number_of(l, row), NULL);
}
