#include "engine/run/circuitgen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run/gates.h"

static int usage(const struct circuitgen_kind *kind, struct err *e, const char *what,
                 const char *found)
{
    return err_set(e, ERR_INVALID, "circuit %s: %s, found '%.40s'; usage: circuit %s %s",
                   kind->name, what, found, kind->name, kind->usage);
}

static int set_number(uint32_t *out, const struct circuitgen_kind *kind, const char *name,
                      uint32_t max, const char *arg, struct err *e)
{
    char what[64];
    uint32_t v = 0;
    const char *at = arg;
    for (; *at >= '0' && *at <= '9' && v <= max; at++)
        v = v * 10 + (uint32_t)(*at - '0');
    if (*at || v < 1 || v > max) {
        snprintf(what, sizeof what, "expected %s, from 1 to %" PRIu32, name, max);
        return usage(kind, e, what, arg);
    }
    *out = v;
    return OK;
}

static int set_option(struct circuitgen *o, const struct circuitgen_kind *kind, const char *arg,
                      struct err *e)
{
    for (const char *const *known = kind->options; *known; known++) {
        if (strcmp(arg, *known) != 0)
            continue;
        o->fast |= strcmp(arg, "--fast") == 0;
        o->full |= strcmp(arg, "--full") == 0;
        return OK;
    }
    return usage(kind, e, kind->options[0] ? "expected one of its options" : "it has no options",
                 arg);
}

static int set_args(struct circuitgen *o, const struct circuitgen_kind *kind, size_t n_args,
                    const char *const args[], struct err *e)
{
    int rc = OK;
    for (size_t i = 0; i < n_args && !rc; i++) {
        if (args[i][0] == '-')
            rc = set_option(o, kind, args[i], e);
        else if (kind->takes_count && !o->count)
            rc = set_number(&o->count, kind, "COUNT", CIRCUITGEN_MAX_COUNT, args[i], e);
        else if (!o->n)
            rc = set_number(&o->n, kind, "N", kind->max_bits, args[i], e);
        else
            rc = usage(kind, e, "expected no further argument", args[i]);
    }
    if (!rc && !o->n)
        rc = usage(kind, e, kind->takes_count && !o->count ? "expected COUNT" : "expected N",
                   "nothing");
    if (!kind->takes_count)
        o->count = 2;
    return rc;
}

static const struct circuitgen_kind *find_kind(const char *name, struct err *e)
{
    const struct circuitgen_kind *k = circuitgen_kinds();
    char known[160];
    size_t len = 0;
    while (k->name && strcmp(k->name, name) != 0)
        k++;
    if (k->name)
        return k;
    for (k = circuitgen_kinds(); k->name && len < sizeof known; k++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", k->name);
    err_set(e, ERR_INVALID, "unknown kind of circuit '%.40s', expected one of %s", name, known);
    return NULL;
}

int circuitgen_write(const char *kind, size_t n_args, const char *const args[], char **text,
                     size_t *len, struct err *e)
{
    struct circuitgen o = {0};
    struct gates g;
    const struct circuitgen_kind *k = find_kind(kind, e);
    int rc = k ? set_args(&o, k, n_args, args, e) : ERR_INVALID;
    if (rc)
        return rc;
    k->build(&g, &o);
    rc = gates_write(&g, text, len);
    gates_free(&g);
    if (rc == ERR_LIMIT)
        return err_set(e, rc, "circuit %s: more than %d wires", kind, GATES_MAX);
    return rc ? err_set(e, rc, "circuit %s: %s", kind, err_name(rc)) : OK;
}
