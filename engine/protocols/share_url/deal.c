#include "engine/protocols/share_url/deal.h"

#include "engine/base/bytes.h"

#include <stdio.h>

unsigned deal_n_values(enum deal_program program)
{
    return program == DEAL_FAIR ? 2 : 1;
}

bool deal_valid(enum deal_program program, const int64_t v[2])
{
    return v[0] >= 0 && v[0] <= DEAL_MAX && v[1] >= 0 && v[1] <= DEAL_MAX &&
           (program == DEAL_FAIR ? v[0] <= v[1] : v[1] == 0);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct deal answer(bool yes)
{
    return (struct deal){.kind = yes ? DEAL_YES : DEAL_NO};
}

struct deal deal_compute(enum deal_program program, const int64_t a[2], const int64_t b[2])
{
    int64_t low, high;
    if (program == DEAL_EQUAL)
        return answer(a[0] == b[0]);
    if (program == DEAL_LESS_THAN)
        return answer(a[0] < b[0]);
    low = larger(a[0], b[0]);
    high = smaller(a[1], b[1]);
    if (low > high)
        return (struct deal){.kind = DEAL_NO_OVERLAP};
    return (struct deal){.kind = DEAL_MEET, .price = low + (high - low) / 2};
}

bool deal_plausible(enum deal_program program, const int64_t own[2], struct deal d)
{
    return program != DEAL_FAIR || d.kind != DEAL_MEET || (own[0] <= d.price && d.price <= own[1]);
}

struct deal deal_lie(enum deal_program program, const int64_t a[2], const int64_t b[2], bool within)
{
    struct deal d = deal_compute(program, a, b);
    if (program != DEAL_FAIR)
        return within ? d : answer(d.kind == DEAL_NO);
    if (within) {
        int64_t low = larger(a[0], b[0]);
        if (d.kind == DEAL_MEET)
            d.price = d.price == low ? smaller(a[1], b[1]) : low;
        return d;
    }
    return (struct deal){.kind = DEAL_MEET, .price = larger(a[1], b[1]) + 1};
}

void deal_put_values(uint8_t out[DEAL_VALUES], const int64_t v[2])
{
    put_le64(out, (uint64_t)v[0]);
    put_le64(out + 8, (uint64_t)v[1]);
}

void deal_get_values(int64_t v[2], const uint8_t in[DEAL_VALUES])
{
    v[0] = (int64_t)get_le64(in);
    v[1] = (int64_t)get_le64(in + 8);
}

void deal_put(uint8_t out[DEAL_RESULT], struct deal d)
{
    out[0] = (uint8_t)d.kind;
    put_le64(out + 1, (uint64_t)d.price);
}

bool deal_get(enum deal_program program, struct deal *d, const uint8_t in[DEAL_RESULT])
{
    *d = (struct deal){.kind = (enum deal_kind)in[0], .price = (int64_t)get_le64(in + 1)};
    if (d->kind != DEAL_MEET && d->price != 0)
        return false;
    return program == DEAL_FAIR ? d->kind == DEAL_NO_OVERLAP || d->kind == DEAL_MEET
                                : d->kind == DEAL_NO || d->kind == DEAL_YES;
}

int deal_text(struct deal d, char *buf, size_t cap)
{
    static const char *const words[] = {
        [DEAL_NO_OVERLAP] = "no overlap", [DEAL_NO] = "no", [DEAL_YES] = "yes"};
    if (d.kind == DEAL_MEET)
        return snprintf(buf, cap, "meet at %lld", (long long)d.price);
    if (d.kind == DEAL_TRIED)
        return snprintf(buf, cap, "tried, %lld accepted", (long long)d.price);
    return snprintf(buf, cap, "%s", d.kind < DEAL_KINDS ? words[d.kind] : "?");
}
