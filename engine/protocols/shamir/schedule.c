#include "engine/protocols/shamir/schedule.h"

#include <stdlib.h>

void schedule_free(struct schedule *s)
{
    free(s->round);
    free(s->exchange);
    free(s->local);
    free(s->pairs);
    free(s->output);
    free(s->input);
    free(s->reshare_coef);
    free(s->open_coef);
    *s = (struct schedule){0};
}

struct range schedule_batch(const struct schedule *s, uint32_t round, uint32_t kind, party_t from)
{
    if (round >= s->rounds || kind >= KIND_COUNT || (round == 0) != (kind <= KIND_RANDOM))
        return (struct range){0, 0};
    return kind == KIND_INPUT ? s->input[from] : s->round[round].batch[kind % 2];
}

bool schedule_deals(const struct schedule *s, uint32_t kind, party_t who)
{
    switch (kind) {
    case KIND_INPUT:
        return s->input[who].n > 0;
    case KIND_RANDOM:
        return who <= s->threshold;
    case KIND_RESHARE:
        return who <= 2 * s->threshold;
    default:
        return false;
    }
}

/* How many places `from` comes before `to`, in the circle. */
static uint32_t places(const struct schedule *s, party_t from, party_t to)
{
    return to >= from ? to - from : to + s->parties - from;
}

bool schedule_sends(const struct schedule *s, uint32_t kind, party_t from, party_t to)
{
    if (from == to || from >= s->parties || to >= s->parties)
        return false;
    return kind == KIND_OPEN ? places(s, from, to) <= s->threshold : schedule_deals(s, kind, from);
}

bool schedule_message(const struct schedule *s, uint32_t round, uint32_t kind, party_t from,
                      party_t to)
{
    return schedule_sends(s, kind, from, to) && schedule_batch(s, round, kind, from).n > 0;
}

uint64_t schedule_coef(const struct schedule *s, uint32_t kind, party_t from, party_t to)
{
    switch (kind) {
    case KIND_RESHARE:
        return s->reshare_coef[from];
    case KIND_OPEN:
        return s->open_coef[(size_t)to * (s->threshold + 1) + places(s, from, to)];
    default:
        return 1;
    }
}

uint64_t schedule_messages(const struct schedule *s)
{
    uint64_t m = s->parties, t = s->threshold, n = 0, dealers = 0;
    for (uint32_t who = 0; who < m; who++)
        dealers += s->input[who].n > 0;
    for (uint32_t r = 0; r < s->rounds; r++) {
        uint64_t first = r ? (2 * t + 1) * (m - 1) : dealers * (m - 1);
        uint64_t second = r ? t * m : (t + 1) * (m - 1);
        n += s->round[r].batch[0].n ? first : 0;
        n += s->round[r].batch[1].n ? second : 0;
    }
    return n;
}

const char *schedule_kind_name(uint32_t kind)
{
    static const char *const names[] = {"input", "random", "multiply", "open"};
    return kind < KIND_COUNT ? names[kind] : "?";
}

const char *schedule_round_name(const struct schedule *s, uint32_t round)
{
    static const char *const names[2][3] = {{"input", "random", "input and random"},
                                            {"multiply", "open", "multiply and open"}};
    unsigned has = (s->round[round].batch[0].n ? 1u : 0u) | (s->round[round].batch[1].n ? 2u : 0u);
    return has ? names[round ? 1 : 0][has - 1] : "nothing";
}
