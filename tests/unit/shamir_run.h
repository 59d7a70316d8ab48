/* A trial of protocol shamir among fake parties: options and inputs as text. */
#ifndef PARTYLINE_TESTS_SHAMIR_RUN_H
#define PARTYLINE_TESTS_SHAMIR_RUN_H

#include "engine/protocols/shamir/plan.h"
#include "engine/protocols/shamir/shamir.h"
#include "tests/unit/fake_party.h"

enum { RUN_VALUES_MAX = 64, RUN_PARTIES_MAX = 64 };

/* What is asked for. */
struct run {
    const char *program; /* NULL: the default */
    int64_t threshold;   /* -1: the default */
    int64_t candidates;
    struct opt_file circuit;
    uint32_t parties, given[RUN_PARTIES_MAX];
    char text[RUN_VALUES_MAX][136];
    uint32_t n; /* texts */
    const char *values[RUN_VALUES_MAX];
    struct shamir_opts opts;
};

/* The next value of a party; parties in ascending order. */
FAKE_UNUSED static void run_text(struct run *r, party_t who, const char *text)
{
    assert(r->n < RUN_VALUES_MAX && strlen(text) < sizeof r->text[0]);
    strcpy(r->text[r->n], text);
    r->n++;
    r->given[who]++;
}

FAKE_UNUSED static void run_value(struct run *r, party_t who, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    run_text(r, who, text);
}

/* A program on 10, 11, 12 ... */
FAKE_UNUSED static struct run run_ascending(const char *program, uint32_t parties)
{
    struct run r = {.program = program, .threshold = -1, .parties = parties};
    for (party_t who = 0; who < parties; who++)
        run_value(&r, who, 10 + (int64_t)who);
    return r;
}

/* The plan, in f; or the refusal in e. f is to be freed in any case. */
static int run_plan(struct run *r, struct fake *f, uint64_t seed, struct err *e)
{
    uint32_t at = 0;
    fake_init(f, &protocol_shamir, r->parties, seed);
    opt_defaults(protocol_shamir.opts, &r->opts);
    r->opts.circuit = r->circuit;
    if (r->program &&
        opt_set(opt_find(protocol_shamir.opts, "program"), &r->opts, r->program, e) != OK)
        return ERR_INVALID;
    if (r->threshold != -1)
        r->opts.threshold = r->threshold;
    if (r->candidates)
        r->opts.candidates = r->candidates;
    f->opts = &r->opts;
    for (uint32_t i = 0; i < r->n; i++)
        r->values[i] = r->text[i];
    for (party_t who = 0; who < r->parties; who++) {
        f->inputs[who] = (struct input){.values = r->values + at, .n = r->given[who]};
        at += r->given[who];
    }
    return fake_plan(f, e);
}

/* Planned, booted and started. */
FAKE_UNUSED static int run_start(struct run *r, struct fake *f, uint64_t seed, struct err *e)
{
    int rc = run_plan(r, f, seed, e);
    if (rc == OK)
        rc = fake_boot_all(f, seed, e);
    if (rc == OK)
        fake_start(f);
    return rc;
}

/* What party `who` has got, for a person. */
FAKE_UNUSED static const char *run_print(const struct fake *f, party_t who, char *buf, size_t cap)
{
    const struct party *p = &f->parties[who];
    if (!p->result)
        return p->failure;
    f->protocol->print(f->plan, p->result, p->result_len, buf, cap);
    return buf;
}

#endif
