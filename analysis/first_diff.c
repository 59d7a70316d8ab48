#include "analysis/first_diff.h"

#include "analysis/command.h"
#include "engine/run/evlog.h"
#include "engine/run/files.h"

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

static FILE *open_trace(const struct load_run *r, const struct load_cell *c, uint32_t k)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/traces/%u-%u.txt", r->dir, (unsigned)c->index, (unsigned)k);
    return fopen(path, "r");
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

static bool from_recordings(const struct load_run *a, const struct load_run *b,
                            const size_t *cells_b, struct first_diff *out)
{
    FILE *fa = open_trace(a, &a->cells[out->cell], out->trial);
    FILE *fb = fa ? open_trace(b, &b->cells[cells_b[out->cell]], out->trial) : NULL;
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
    return fb != NULL;
}

/* ---- logs ----------------------------------------------------------------------------- */

static bool read_log(const struct load_run *r, const struct load_cell *c, uint32_t k,
                     struct evlog *log, struct first_diff *out)
{
    char path[PATH_MAX + 64], *data;
    struct err e = {0};
    size_t len;
    int rc;
    snprintf(path, sizeof path, "%s/" EVLOG_NAME, r->dir, (unsigned)c->index, (unsigned)k);
    rc = files_read(path, EVLOG_FILE_MAX, &data, &len, &e);
    if (rc == ERR_ABSENT) {
        snprintf(out->untraced, sizeof out->untraced,
                 "no log of its events in %.100s: an older Partyline made it", r->dir);
        return false;
    }
    if (rc == OK) {
        rc = evlog_read((const uint8_t *)data, len, log, &e);
        free(data);
    }
    if (rc == OK && log->digest != c->trials[k].digest) {
        evlog_free(log);
        rc = err_set(&e, ERR_MISMATCH, "it is of another trial");
    }
    if (rc != OK)
        snprintf(out->untraced, sizeof out->untraced,
                 "the log of its events in %.100s can't be used: %.100s", r->dir, e.text);
    return rc == OK;
}

/* At most n events from the first on; how many there were. */
static unsigned print_events(const struct evlog *log, size_t first, size_t n,
                             const struct roster *r, char to[][FIRST_DIFF_LINE])
{
    unsigned done = 0;
    while (done < n && first + done < log->n) {
        evlog_print(&log->events[first + done], r, to[done], FIRST_DIFF_LINE);
        for (char *p = to[done]; *p; p++)
            *p = *p >= 0x20 && *p < 0x7f ? *p : '?';
        done++;
    }
    return done;
}

static void show_event(const struct evlog *a, const struct evlog *b, size_t at,
                       const struct roster *r, struct first_diff *out)
{
    size_t before = at < FIRST_DIFF_CONTEXT ? at : FIRST_DIFF_CONTEXT;
    out->traced = out->logged = true;
    out->line = (unsigned long)at + 1;
    out->n_before = print_events(a, at - before, before, r, out->before);
    out->n_a = print_events(a, at, FIRST_DIFF_SIDE, r, out->a);
    out->n_b = print_events(b, at, FIRST_DIFF_SIDE, r, out->b);
}

static void say_range(const struct evlog_part *p, struct first_diff *out)
{
    char a[40] = "its end", b[40] = "its end";
    if (p->at_a < 0 && p->at_b < 0) {
        snprintf(out->untraced, sizeof out->untraced,
                 "events 1 to %" PRIu64 " are equal; it parts between event %" PRIu64
                 " and the end, after %" PRId64 " ns",
                 p->from - 1, p->from, p->after);
        return;
    }
    if (p->at_a >= 0)
        snprintf(a, sizeof a, "%" PRId64 " ns", p->at_a);
    if (p->at_b >= 0)
        snprintf(b, sizeof b, "%" PRId64 " ns", p->at_b);
    snprintf(out->untraced, sizeof out->untraced,
             "events 1 to %" PRIu64 " are equal; it parts between event %" PRIu64
             " and event %" PRIu64 ", after %" PRId64 " ns and before %s in A, %s in B",
             p->from - 1, p->from, p->until, p->after, a, b);
}

static void from_logs(const struct load_run *a, const struct load_run *b, const size_t *cells_b,
                      struct first_diff *out)
{
    const struct load_cell *ca = &a->cells[out->cell], *cb = &b->cells[cells_b[out->cell]];
    struct evlog la, lb;
    struct evlog_part p;
    if (!read_log(a, ca, out->trial, &la, out))
        return;
    if (read_log(b, cb, out->trial, &lb, out)) {
        p = evlog_compare(&la, &lb);
        if (p.where == EVLOG_EVENT)
            show_event(&la, &lb, (size_t)p.from - 1, &ca->roster, out);
        else if (p.where == EVLOG_RANGE)
            say_range(&p, out);
        else
            snprintf(out->untraced, sizeof out->untraced,
                     "the logs of its events are equal: one of them was edited");
        evlog_free(&lb);
    }
    evlog_free(&la);
}

void first_diff_find(const struct load_run *a, const struct load_run *b, const size_t *cells_b,
                     struct first_diff *out)
{
    char *command;
    memset(out, 0, sizeof *out);
    find_trial(a, b, cells_b, true, out);
    if (!out->found)
        find_trial(a, b, cells_b, false, out);
    if (!out->found)
        return;
    command = command_trace(a, &a->cells[out->cell], out->trial);
    snprintf(out->command, sizeof out->command, "%s", command ? command : "");
    free(command);
    if (!out->in_event)
        snprintf(out->untraced, sizeof out->untraced,
                 "every event is the same; what was counted of them differs");
    else if (!from_recordings(a, b, cells_b, out))
        from_logs(a, b, cells_b, out);
}
