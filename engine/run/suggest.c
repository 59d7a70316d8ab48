#include "engine/run/suggest.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 64 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

unsigned suggest_distance(const char *a, const char *b, unsigned limit)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    if (n > LONGEST || m > LONGEST || (n > m ? n - m : m - n) > limit)
        return limit + 1;
    for (unsigned j = 0; j <= m; j++)
        last[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            char x = folded(a[i - 1]), y = folded(b[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return least(last[m], limit + 1);
}

struct suggest suggest_for(const char *wrong)
{
    size_t len = strlen(wrong);
    /* a third of the letters may be wrong */
    unsigned within = len > LONGEST ? 0 : (unsigned)(len + 2) / 3;
    return (struct suggest){.wrong = wrong, .best = NULL, .distance = within + 1};
}

void suggest_offer(struct suggest *s, const char *candidate)
{
    if (s->distance == 0)
        return;
    unsigned d = suggest_distance(s->wrong, candidate, s->distance - 1);
    if (d < s->distance) {
        s->distance = d;
        s->best = candidate;
    }
}

const char *suggest_text(const struct suggest *s, char *buf, size_t cap)
{
    if (s->best)
        snprintf(buf, cap, ", did you mean \"%s\"?", s->best);
    else
        buf[0] = '\0';
    return buf;
}
