#include "engine/cmd/trace_wish.h"

#include "engine/base/opt.h"
#include "engine/run/suggest.h"

#include <stdlib.h>

static int parse_time(const struct cmd_args *args, const char *option, ns_t *out)
{
    const char *text = cmd_given(args, option);
    struct err e;
    if (!text || opt_parse(OPT_DURATION, text, out, &e) == OK)
        return OK;
    fprintf(stderr, "partyline trace: %s %s: expected %s\n", option, text,
            opt_expects(OPT_DURATION));
    return ERR_INVALID;
}

static char *keep(struct trace_wish *w, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    return w->texts[w->n_texts++] = copy;
}

static int parse_kinds(const char *list, unsigned *out)
{
    char text[256], *save = NULL;
    if (snprintf(text, sizeof text, "%s", list) >= (int)sizeof text)
        text[0] = 0;
    for (char *k = strtok_r(text, ",", &save); k; k = strtok_r(NULL, ",", &save)) {
        struct suggest near = suggest_for(k);
        char hint[96];
        int i = 0;
        while (i < TRACE_COUNT && strcmp(k, trace_kind_names[i]) != 0)
            suggest_offer(&near, trace_kind_names[i++]);
        if (i < TRACE_COUNT) {
            *out |= 1U << i;
            continue;
        }
        fprintf(stderr, "partyline trace: --kind %s: there is no such kind%s; there are:", k,
                suggest_text(&near, hint, sizeof hint));
        for (i = 0; i < TRACE_COUNT; i++)
            fprintf(stderr, " %s", trace_kind_names[i]);
        fputc('\n', stderr);
        return ERR_INVALID;
    }
    if (*out)
        return OK;
    fprintf(stderr, "partyline trace: --kind: expected kinds such as up,data\n");
    return ERR_INVALID;
}

static int parse_layers(const char *list, unsigned *out)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } layers[] = {{"world", TRACE_OF_WORLD},
                  {"transport", TRACE_OF_TRANSPORT},
                  {"channel", TRACE_OF_CHANNEL},
                  {"protocol", TRACE_OF_PROTOCOL}};
    for (size_t len; *list; list += len + (list[len] == ',')) {
        size_t i = 0;
        len = strcspn(list, ",");
        while (i < 4 && (strlen(layers[i].name) != len || strncmp(layers[i].name, list, len) != 0))
            i++;
        if (i == 4) {
            fprintf(stderr,
                    "partyline trace: --layer %s: expected world, transport, channel, protocol\n",
                    list);
            return ERR_INVALID;
        }
        *out |= layers[i].kinds;
    }
    return OK;
}

/* Which kinds are wanted. The layers within nodes are told only where they are asked for. */
static int parse_what(const struct cmd_args *args, struct trace_wish *w)
{
    unsigned kinds = 0, layers = 0;
    size_t at = 0;
    const char *text;
    while ((text = cmd_next(args, "--kind", &at)))
        if (parse_kinds(text, &kinds) != OK)
            return ERR_INVALID;
    for (at = 0; (text = cmd_next(args, "--layer", &at));)
        if (parse_layers(text, &layers) != OK)
            return ERR_INVALID;
    if (w->protocol)
        layers |= TRACE_OF_PROTOCOL;
    w->filter.kinds = kinds && layers ? kinds & layers : kinds | layers;
    if (w->filter.kinds || !kinds)
        return OK;
    fprintf(stderr, "partyline trace: none of these kinds is of this layer\n");
    return ERR_INVALID;
}

int trace_wish_read(const struct cmd_args *args, struct trace_wish *w)
{
    struct trace_filter *f = &w->filter;
    size_t at = 0;
    const char *text;
    *w = (struct trace_wish){.protocol = cmd_given(args, "--protocol")};
    *f = (struct trace_filter){.parties = w->parties, .pairs = w->pairs, .until = NS_NEVER};
    while ((text = cmd_next(args, "--party", &at)))
        w->parties[f->n_parties++] = text;
    for (at = 0; (text = cmd_next(args, "--link", &at));) {
        char *a = keep(w, text), *b = strchr(a, ',');
        if (!b || b == a || !b[1] || strchr(b + 1, ',')) {
            fprintf(stderr, "partyline trace: --link %s: expected two names, A,B\n", text);
            return ERR_INVALID;
        }
        *b++ = 0;
        w->pairs[f->n_pairs++] = (struct trace_pair){a, b};
    }
    if (parse_what(args, w) != OK)
        return ERR_INVALID;
    if (parse_time(args, "--from", &f->from) != OK || parse_time(args, "--until", &f->until) != OK)
        return ERR_INVALID;
    if (f->from < f->until)
        return OK;
    fprintf(stderr, "partyline trace: --from must be before --until\n");
    return ERR_INVALID;
}

static int check_name(const struct roster *r, const char *option, const char *name)
{
    struct suggest near = suggest_for(name);
    char hint[96];
    for (uint32_t i = 0; i < r->n; i++) {
        if (strcmp(r->entries[i].name, name) == 0)
            return OK;
        suggest_offer(&near, r->entries[i].name);
    }
    fprintf(stderr, "partyline trace: %s %s: there is no such node in this cell%s\n", option, name,
            suggest_text(&near, hint, sizeof hint));
    return ERR_INVALID;
}

int trace_wish_check(const struct trace_wish *w, const struct roster *r)
{
    int rc = OK;
    for (size_t i = 0; rc == OK && i < w->filter.n_parties; i++)
        rc = check_name(r, "--party", w->parties[i]);
    for (size_t i = 0; rc == OK && i < w->filter.n_pairs; i++) {
        rc = check_name(r, "--link", w->pairs[i].a);
        if (rc == OK)
            rc = check_name(r, "--link", w->pairs[i].b);
    }
    return rc;
}

void trace_wish_free(struct trace_wish *w)
{
    while (w->n_texts)
        free(w->texts[--w->n_texts]);
}
