#include "engine/protocols/shamir/integers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/bytes.h"
#include "engine/crypto/field61.h"

int integers_parse(const char *text, int64_t low, int64_t high, int64_t *out)
{
    enum { DIGITS = 18 };
    bool minus = *text == '-';
    const char *at = text + (minus ? 1 : 0), *first = at;
    int64_t v = 0;
    for (; *at >= '0' && *at <= '9' && at - first < DIGITS; at++)
        v = v * 10 + (*at - '0');
    if (*at || at == first || (*first == '0' && (minus || at - first > 1)))
        return ERR_FORMAT;
    v = minus ? -v : v;
    if (v < low || v > high)
        return ERR_FORMAT;
    *out = v;
    return OK;
}

void integers_limit(struct plan *p, int64_t limit)
{
    p->low = -limit;
    p->high = limit;
}

int integers_admit(const struct plan *p, uint32_t n, uint32_t least, struct err *e)
{
    for (party_t who = 0; who < p->parties; who++)
        if (p->given[who] > n)
            return err_set(e, ERR_INVALID, "%s takes at most %u input%s a party: %s has %u",
                           p->program->name, n, n == 1 ? "" : "s", plan_name(p, who),
                           p->given[who]);
    if (p->values < least)
        return err_set(e, ERR_INVALID, "%s needs at least %u input%s: there %s %u",
                       p->program->name, least, least == 1 ? "" : "s",
                       p->values == 1 ? "is" : "are", p->values);
    return OK;
}

static int parse_all(const struct plan *p, party_t who, const struct input *in, int64_t *values,
                     struct err *e)
{
    for (uint32_t i = 0; i < in->n; i++)
        if (integers_parse(in->values[i], p->low, p->high, &values[i]))
            return err_set(e, ERR_INVALID,
                           "%s's input '%.40s': for %s with these parties, expected an integer "
                           "from %lld to %lld",
                           plan_name(p, who), in->values[i], p->program->name, (long long)p->low,
                           (long long)p->high);
    return OK;
}

size_t integers_result_len(const struct plan *p, uint32_t n_outputs)
{
    (void)p;
    return (size_t)n_outputs * 8;
}

int integers_encode(const struct plan *p, party_t who, const struct input *in, uint64_t *elements,
                    struct err *e)
{
    for (uint32_t i = 0; i < in->n; i++) {
        struct input one = {.values = in->values + i, .n = 1};
        int64_t value;
        int rc = parse_all(p, who, &one, &value, e);
        if (rc)
            return rc;
        elements[i] = f61_from_signed(value);
    }
    return OK;
}

void integers_result(const struct plan *p, const uint64_t *outputs, uint8_t *bytes)
{
    for (size_t i = 0; i < p->result_len / 8; i++)
        put_le64(bytes + 8 * i, (uint64_t)f61_to_signed(outputs[i]));
}

int64_t integers_get(const uint8_t *result, uint32_t k)
{
    return (int64_t)get_le64(result + 8 * (size_t)k);
}

static int gather(const struct plan *p, const struct input *inputs, int64_t *values, party_t *who,
                  struct err *e)
{
    uint32_t n = 0;
    for (party_t id = 0; id < p->parties; id++) {
        int rc = parse_all(p, id, &inputs[id], values + n, e);
        if (rc)
            return rc;
        for (uint32_t i = 0; i < inputs[id].n; i++)
            who[n++] = id;
    }
    return OK;
}

int integers_expect(const struct plan *p, const struct input *inputs, uint8_t *bytes, struct err *e)
{
    size_t n = p->result_len / 8;
    int64_t *values = calloc((size_t)p->values + 1, sizeof *values);
    int64_t *out = calloc(n + 1, sizeof *out);
    party_t *who = calloc((size_t)p->values + 1, sizeof *who);
    int rc = ERR_NOMEM;
    if (values && out && who)
        rc = gather(p, inputs, values, who, e);
    else
        err_set(e, rc, "no memory to verify");
    if (rc == OK)
        p->program->clear(p, values, who, out);
    for (size_t i = 0; rc == OK && i < n; i++)
        put_le64(bytes + 8 * i, (uint64_t)out[i]);
    free(values);
    free(out);
    free(who);
    return rc;
}

void integers_append(char *buf, size_t cap, const char *format, ...)
{
    size_t len = cap ? strlen(buf) : 0;
    va_list ap;
    if (len >= cap)
        return;
    va_start(ap, format);
    vsnprintf(buf + len, cap - len, format, ap);
    va_end(ap);
}

uint64_t integers_sqrt(u128 v)
{
    uint64_t root = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t next = root | UINT64_C(1) << bit;
        if ((u128)next * next <= v)
            root = next;
    }
    return root;
}
