#include "analysis/first_diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void find_trial(const struct load_run *a, const struct load_run *b, const size_t *cells_b,
                       bool of_events, struct first_diff *out)
{
    for (size_t i = 0; !out->found && i < a->n_cells; i++) {
        const struct load_cell *ca = &a->cells[i], *cb = &b->cells[cells_b[i]];
        for (uint32_t k = 0; !out->found && k < ca->n && k < cb->n; k++) {
            const struct load_trial *ta = &ca->trials[k], *tb = &cb->trials[k];
            if (of_events ? ta->digest == tb->digest : ta->content == tb->content)
                continue;
            out->found = true;
            out->in_event = of_events;
            out->cell = i;
            out->trial = k;
            out->digest_a = ta->digest;
            out->digest_b = tb->digest;
        }
    }
}

static FILE *open_trace(const struct load_run *r, const struct load_cell *c, uint32_t k,
                        struct first_diff *out)
{
    char path[PATH_MAX + 64];
    FILE *f;
    snprintf(path, sizeof path, "%s/traces/%u-%u.txt", r->dir, (unsigned)c->index, (unsigned)k);
    f = fopen(path, "r");
    if (!f)
        snprintf(out->untraced, sizeof out->untraced,
                 "no recording of it in %.60s (partyline run --trace makes them)", r->dir);
    return f;
}

/* A line as printable text, cut to FIRST_DIFF_LINE; false at the end. */
static bool read_line(FILE *f, char *out)
{
    size_t n = 0;
    int c = getc(f);
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(f))
        if (n < FIRST_DIFF_LINE - 1)
            out[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    out[n] = 0;
    return true;
}

static unsigned read_rest(FILE *f, bool has_first, char side[FIRST_DIFF_SIDE][FIRST_DIFF_LINE])
{
    unsigned n = 0;
    if (has_first)
        for (n = 1; n < FIRST_DIFF_SIDE && read_line(f, side[n]);)
            n++;
    return n;
}

static void compare_traces(FILE *a, FILE *b, struct first_diff *out)
{
    unsigned long line = 0;
    for (;;) {
        bool has_a = read_line(a, out->a[0]), has_b = read_line(b, out->b[0]);
        line++;
        if (!has_a && !has_b)
            return;
        if (!has_a || !has_b || strcmp(out->a[0], out->b[0]) != 0) {
            out->line = line;
            out->n_a = read_rest(a, has_a, out->a);
            out->n_b = read_rest(b, has_b, out->b);
            return;
        }
        if (out->n_before == FIRST_DIFF_CONTEXT) {
            memmove(out->before[0], out->before[1],
                    (FIRST_DIFF_CONTEXT - 1) * sizeof out->before[0]);
            out->n_before--;
        }
        memcpy(out->before[out->n_before++], out->a[0], FIRST_DIFF_LINE);
    }
}

void first_diff_find(const struct load_run *a, const struct load_run *b, const size_t *cells_b,
                     struct first_diff *out)
{
    FILE *fa, *fb;
    memset(out, 0, sizeof *out);
    find_trial(a, b, cells_b, true, out);
    if (!out->found)
        find_trial(a, b, cells_b, false, out);
    if (!out->found)
        return;
    snprintf(out->command, sizeof out->command,
             "partyline trace %s.yaml --cell %u --trial %u --seed %" PRId64, a->scenario,
             (unsigned)a->cells[out->cell].index, (unsigned)out->trial, a->seed);
    if (!out->in_event) {
        snprintf(out->untraced, sizeof out->untraced,
                 "every event is the same; what was counted of them differs");
        return;
    }
    fa = open_trace(a, &a->cells[out->cell], out->trial, out);
    fb = fa ? open_trace(b, &b->cells[cells_b[out->cell]], out->trial, out) : NULL;
    if (fb) {
        compare_traces(fa, fb, out);
        out->traced = out->line > 0;
        if (!out->traced)
            snprintf(out->untraced, sizeof out->untraced,
                     "the recordings are equal: one of them is of another run");
        fclose(fb);
    }
    if (fa)
        fclose(fa);
}
