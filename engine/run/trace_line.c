#include "engine/run/trace_line.h"

#include "engine/world.h"

#include <inttypes.h>
#include <string.h>

const char *const trace_kind_names[TRACE_COUNT] = {
#define X(name, text) text,
    TRACE_KINDS(X)
#undef X
};

enum { WITH_BYTES = 1 << TRACE_DATA | 1 << TRACE_LOST | TRACE_OF_PROTOCOL | TRACE_OF_TRANSPORT };

/* ---- printing ------------------------------------------------------------------------- */

void trace_line_print(FILE *out, const struct trial_spec *t, const struct trace_layer *l)
{
    static const enum trace_kind kinds[] = {TRACE_SEND, TRACE_DELIVER, TRACE_EMIT, TRACE_RECEIVE,
                                            TRACE_CHANNEL};
    static const char *const states[] = {"up", "down", "restarted", "lost"};
    const struct roster_entry *who = t->roster->entries;
    fprintf(out, "%" PRId64 " %s %s %s", l->at, who[l->node].name, trace_kind_names[kinds[l->step]],
            who[l->peer].name);
    if (l->step == LAYER_PEER) {
        fprintf(out, " %s\n", states[l->state]);
        return;
    }
    fprintf(out, " %zu", l->len);
    if (l->step == LAYER_DELIVER)
        fprintf(out, " %" PRId64, l->sent);
    if (l->step == LAYER_SEND || l->step == LAYER_DELIVER)
        fprintf(out, " %s %" PRIu32 " %" PRIu32 "\n", t->protocol->name, l->label.round,
                l->label.instance);
    else
        fprintf(out, " %s\n", t->transport->name);
}

/* ---- reading -------------------------------------------------------------------------- */

/* The next word, ended in place; NULL at the end. */
static char *word(char **at)
{
    char *w = *at, *end;
    if (!*w)
        return NULL;
    end = w + strcspn(w, " ");
    *at = *end ? end + 1 : end;
    *end = 0;
    return *w ? w : NULL;
}

static bool number(const char *text, int64_t *out)
{
    int64_t v = 0;
    if (!text || !*text || strlen(text) > 18)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        v = 10 * v + (*text - '0');
    }
    *out = v;
    return true;
}

static bool kind_of(const char *name, enum trace_kind *out)
{
    for (int i = 0; name && i < TRACE_COUNT; i++)
        if (strcmp(name, trace_kind_names[i]) == 0) {
            *out = (enum trace_kind)i;
            return true;
        }
    return false;
}

static bool rest(char *at, struct trace_line *out)
{
    int64_t n;
    switch (out->kind) {
    case TRACE_TIMER:
        out->more = word(&at);
        return number(out->more, &n) && !*at;
    case TRACE_UP:
    case TRACE_DATA:
    case TRACE_ROOM:
    case TRACE_DOWN:
        if (!number(word(&at), &n) || !(out->peer = word(&at)))
            return false;
        break;
    case TRACE_LOST:
    case TRACE_SEND:
    case TRACE_DELIVER:
    case TRACE_EMIT:
    case TRACE_RECEIVE:
    case TRACE_CHANNEL:
        if (!(out->peer = word(&at)))
            return false;
        break;
    default:
        return !*at;
    }
    if (1U << out->kind & WITH_BYTES) {
        if (!number(word(&at), &n))
            return false;
        out->bytes = (uint64_t)n;
    }
    if (out->kind == TRACE_DATA)
        return number(word(&at), &out->sent) && out->sent <= out->at && !*at;
    if (out->kind == TRACE_DELIVER && (!number(word(&at), &out->sent) || out->sent > out->at))
        return false;
    out->more = at;
    return out->kind == TRACE_ROOM ? !*at : *at != 0;
}

int trace_line_parse(char *text, struct trace_line *out)
{
    *out = (struct trace_line){0};
    text[strcspn(text, "\n")] = 0;
    if (!*text || *text == '#')
        return ERR_ABSENT;
    if (!number(word(&text), &out->at) || !(out->node = word(&text)) ||
        !kind_of(word(&text), &out->kind))
        return ERR_FORMAT;
    out->sent = out->at;
    return rest(text, out) ? OK : ERR_FORMAT;
}

/* ---- choosing ------------------------------------------------------------------------- */

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static bool in_pairs(const struct trace_filter *f, const char *a, const char *b)
{
    for (size_t i = 0; i < f->n_pairs; i++) {
        const struct trace_pair *p = &f->pairs[i];
        if ((is(a, p->a) && is(b, p->b)) || (is(a, p->b) && is(b, p->a)))
            return true;
    }
    return f->n_pairs == 0;
}

static bool in_parties(const struct trace_filter *f, const char *a, const char *b)
{
    for (size_t i = 0; i < f->n_parties; i++)
        if (is(a, f->parties[i]) || is(b, f->parties[i]))
            return true;
    return f->n_parties == 0;
}

bool trace_filter_between(const struct trace_filter *f, const char *a, const char *b)
{
    return in_parties(f, a, b) && in_pairs(f, a, b);
}

bool trace_filter_concerns(const struct trace_filter *f, const struct trace_line *l)
{
    bool life = l->kind == TRACE_CRASH || l->kind == TRACE_RESTART, of_pair = false;
    if (f->kinds && !(f->kinds & 1U << l->kind))
        return false;
    if (is(l->node, "-"))
        return true;
    for (size_t i = 0; life && i < f->n_pairs; i++)
        of_pair |= is(l->node, f->pairs[i].a) || is(l->node, f->pairs[i].b);
    return in_parties(f, l->node, l->peer) && (of_pair || in_pairs(f, l->node, l->peer));
}
