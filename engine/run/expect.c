#include "engine/run/expect.h"

#include "engine/metrics.h"
#include "engine/plugins.h"
#include "engine/run/suggest.h"

#include <string.h>

static const char *const ops[] = {"==", "!=", "<=", ">=", "<", ">"};
static const enum expect_op op_codes[] = {EXPECT_EQ, EXPECT_NE, EXPECT_LE,
                                          EXPECT_GE, EXPECT_LT, EXPECT_GT};
static const char *const shares[] = {"completed", "wrong", "unfinished", "success", NULL};
static const char *const numbers[] = {"trials", "protocol_rounds", NULL};
static const char *const fields[] = {"count", "min", "p50", "p90", "p99", "p999", "max", NULL};

struct named {
    const char *name, *unit;
};

static const struct named metrics[] = {
#define X(id, text, unit, sample, about) {text, unit},
    METRICS(X)
#undef X
        {NULL, NULL}};
static const struct named counts[] = {
#define X(id, text, about) {text, ""},
    COUNTS(X)
#undef X
        {NULL, NULL}};
static const struct named drops[] = {
#define X(id, text, about) {text, ""},
    DROPS(X)
#undef X
        {NULL, NULL}};

/* ---- paths --------------------------------------------------------------------------------------
 */

static bool listed(const char *const *list, const char *name, struct suggest *s)
{
    for (; *list; list++) {
        if (strcmp(*list, name) == 0)
            return true;
        suggest_offer(s, *list);
    }
    return false;
}

static const struct named *find_named(const struct named *list, const char *name, struct suggest *s)
{
    for (; list->name; list++) {
        if (strcmp(list->name, name) == 0)
            return list;
        suggest_offer(s, list->name);
    }
    return NULL;
}

static int unknown(struct err *e, const char *what, const struct suggest *s)
{
    char near[128];
    return err_set(e, ERR_INVALID, "there is no %s \"%.48s\"%s", what, s->wrong,
                   suggest_text(s, near, sizeof near));
}

static enum opt_type unit_type(const char *unit)
{
    if (strcmp(unit, "ns") == 0)
        return OPT_DURATION;
    if (strcmp(unit, "ppm") == 0)
        return OPT_RATIO;
    return strcmp(unit, "bytes") == 0 ? OPT_BYTES : OPT_INT;
}

static int metric_path(const char *name, const char *field, enum opt_type *unit, struct err *e)
{
    struct suggest s = suggest_for(name), f = suggest_for(field ? field : "");
    const struct named *m = find_named(metrics, name, &s);
    if (!m)
        return unknown(e, "metric", &s);
    if (!field)
        return err_set(e, ERR_INVALID,
                       "%s is a distribution: expected one of its figures, such as "
                       "%s.p50",
                       name, name);
    if (!listed(fields, field, &f))
        return unknown(e, "figure of a metric (count, min, p50, p90, p99, p999, max)", &f);
    *unit = strcmp(field, "count") == 0 ? OPT_INT : unit_type(m->unit);
    return OK;
}

static bool known_who(const char *who, struct suggest *s)
{
    static const char party[] = "party", isp[] = "isp";
    bool known = strcmp(who, party) == 0 || strcmp(who, isp) == 0;
    suggest_offer(s, party);
    suggest_offer(s, isp);
    who += strncmp(who, "isp_", 4) == 0 ? 4 : 0; /* a service's */
    for (size_t i = 0; plugin_transports[i]; i++)
        for (const struct transport_role *x = plugin_transports[i]->roles; x && x->size; x++)
            if (x->name) {
                known |= strcmp(x->name, who) == 0;
                suggest_offer(s, x->name);
            }
    for (size_t i = 0; plugin_protocols[i]; i++)
        for (const struct protocol_role *x = plugin_protocols[i]->roles; x && x->name; x++) {
            known |= strcmp(x->name, who) == 0;
            suggest_offer(s, x->name);
        }
    return known;
}

static int exposure_path(const char *what, const char *who, struct err *e)
{
    if (!what || !who)
        return err_set(e, ERR_INVALID,
                       "expected exposures.WHAT.WHO, such as "
                       "exposures.party_address.party");
    struct suggest s = suggest_for(who);
    return known_who(who, &s) ? OK : unknown(e, "role", &s);
}

static int privacy_path(const char *metric, const char *observer, enum opt_type *unit,
                        struct err *e)
{
    struct suggest m = suggest_for(metric ? metric : ""), o = suggest_for(observer ? observer : "");
    int what = PRIVACY_COUNT;
    if (!metric || !observer)
        return err_set(e, ERR_INVALID,
                       "expected privacy.METRIC.OBSERVER, such as privacy.party_guess.entropy");
    for (int i = 0; i < PRIVACY_COUNT; i++) {
        what = strcmp(privacy_infos[i].name, metric) == 0 ? i : what;
        suggest_offer(&m, privacy_infos[i].name);
    }
    if (what == PRIVACY_COUNT)
        return unknown(e, "metric of privacy", &m);
    *unit = unit_type(privacy_infos[what].unit);
    for (size_t i = 0; plugin_observers[i]; i++) {
        if (strcmp(plugin_observers[i]->name, observer) == 0)
            return OK;
        suggest_offer(&o, plugin_observers[i]->name);
    }
    return unknown(e, "observer", &o);
}

enum { PARTS = 3, PATH = 96, FULL = PATH + 16 };

/* The path in parts; false if there are too many. An absent part is NULL. */
static bool split(char *text, char *parts[PARTS])
{
    int n = 0;
    for (int i = 0; i < PARTS; i++)
        parts[i] = NULL;
    while (n < PARTS) {
        parts[n++] = text;
        text = strchr(text, '.');
        if (!text)
            return true;
        *text++ = '\0';
    }
    return false;
}

static int sum_path(const struct named *list, const char *what, const char *name, struct err *e)
{
    struct suggest s = suggest_for(name ? name : "");
    return find_named(list, s.wrong, &s) ? OK : unknown(e, what, &s);
}

/* Checks a path, writes it in full. */
static int check_path(const char *path, char *full, enum opt_type *unit, struct err *e)
{
    char text[PATH], *part[PARTS];
    snprintf(text, sizeof text, "%s", path);
    snprintf(full, FULL, "%s", path);
    if (!split(text, part))
        return err_set(e, ERR_INVALID, "there is nothing of the name \"%s\"", path);
    struct suggest s = suggest_for(part[0]);
    *unit = OPT_RATIO;
    if (listed(shares, part[0], &s) && !part[1])
        return OK;
    *unit = OPT_INT;
    if (listed(numbers, part[0], &s) && !part[1])
        return OK;
    if (strcmp(part[0], "counts") == 0) {
        if (part[1] && strcmp(part[1], "message_bytes") == 0)
            *unit = OPT_BYTES;
        return part[2] ? sum_path(counts, "count", path, e) : sum_path(counts, "count", part[1], e);
    }
    if (strcmp(part[0], "drops") == 0)
        return sum_path(drops, "drop", part[2] ? path : part[1], e);
    if (strcmp(part[0], "exposures") == 0)
        return exposure_path(part[1], part[2], e);
    if (strcmp(part[0], "privacy") == 0)
        return privacy_path(part[1], part[2], unit, e);
    if (strcmp(part[0], "metrics") == 0)
        return part[1] ? metric_path(part[1], part[2], unit, e)
                       : err_set(e, ERR_INVALID, "expected metrics.NAME.p50");
    if (find_named(metrics, part[0], &s) && !part[2]) {
        snprintf(full, FULL, "metrics.%s", path);
        return metric_path(part[0], part[1], unit, e);
    }
    static const char *const more[] = {"counts", "drops", "exposures", "metrics", "privacy", NULL};
    listed(more, part[0], &s);
    return unknown(e, "result", &s);
}

/* ---- the expression
 * -------------------------------------------------------------------------------- */

struct cursor {
    const char *text, *at;
};

static void skip_blanks(struct cursor *c)
{
    while (*c->at == ' ' || *c->at == '\t' || *c->at == '\n')
        c->at++;
}

/* The next word, of at most cap - 1 bytes, cut at blanks and at the characters in stop. */
static size_t word(struct cursor *c, const char *stop, char *out, size_t cap)
{
    size_t n = 0;
    skip_blanks(c);
    while (c->at[n] && !strchr(" \t\n", c->at[n]) && !strchr(stop, c->at[n]))
        n++;
    snprintf(out, cap, "%.*s", (int)(n < cap ? n : cap - 1), c->at);
    return n;
}

static int read_op(struct cursor *c, enum expect_op *op, struct err *e)
{
    skip_blanks(c);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strncmp(c->at, ops[i], strlen(ops[i])) == 0) {
            *op = op_codes[i];
            c->at += strlen(ops[i]);
            return OK;
        }
    return err_set(e, ERR_INVALID, "expected one of == != < <= > >= here");
}

static int read_term(struct arena *a, struct cursor *c, struct expect_term *t, struct err *e)
{
    char path[PATH], full[FULL], value[64];
    size_t len = word(c, "=!<>", path, sizeof path);
    if (len == 0 || len >= sizeof path)
        return err_set(e, ERR_INVALID, "expected what to compare, such as completed");
    int rc = check_path(path, full, &t->unit, e);
    if (rc != OK)
        return rc;
    c->at += len;
    rc = read_op(c, &t->op, e);
    if (rc != OK)
        return rc;
    len = word(c, "", value, sizeof value);
    if (len >= sizeof value || opt_parse(t->unit, value, &t->value, NULL) != OK)
        return err_set(e, ERR_INVALID, "%s is compared with %s", full, opt_expects(t->unit));
    c->at += len;
    t->path = arena_text(a, full, strlen(full));
    return OK;
}

int expect_parse(struct arena *a, const char *text, struct expect **out, size_t *at, struct err *e)
{
    struct cursor c = {text, text};
    struct expect *x = arena_alloc(a, sizeof *x);
    size_t most = strlen(text) / 4 + 1; /* "a<1 and " at the least */
    char joint[8];
    x->text = text;
    x->terms = arena_array(a, most, sizeof *x->terms);
    for (;;) {
        int rc = read_term(a, &c, &x->terms[x->n++], e);
        size_t len = rc == OK ? word(&c, "", joint, sizeof joint) : 0;
        if (rc == OK && len == 0) {
            *out = x;
            return OK;
        }
        if (rc == OK && (len != 3 || strcmp(joint, "and") != 0))
            rc = err_set(e, ERR_INVALID, "expected \"and\" or the end here");
        *at = (size_t)(c.at - text);
        if (rc != OK)
            return rc;
        c.at += len;
    }
}

/* ---- judging
 * -------------------------------------------------------------------------------------------- */

static bool holds(enum expect_op op, int64_t a, int64_t b)
{
    switch (op) {
    case EXPECT_EQ:
        return a == b;
    case EXPECT_NE:
        return a != b;
    case EXPECT_LT:
        return a < b;
    case EXPECT_LE:
        return a <= b;
    case EXPECT_GT:
        return a > b;
    case EXPECT_GE:
        return a >= b;
    }
    return false;
}

struct expect_result expect_eval(const struct expect *x, expect_lookup *lookup, void *ctx)
{
    struct expect_result first = {.met = true};
    for (size_t i = 0; i < x->n; i++) {
        struct expect_result one = {.term = &x->terms[i]};
        one.absent = lookup(ctx, one.term->path, &one.value) != OK;
        if (one.absent)
            one.value = 0;
        one.met = !one.absent && holds(one.term->op, one.value, one.term->value);
        if (!one.met)
            return one;
        if (i == 0)
            first = one;
    }
    return first;
}

bool expect_of_completion(const struct expect *x)
{
    struct suggest s = suggest_for("");
    for (size_t i = 0; i < x->n; i++)
        if (listed(shares, x->terms[i].path, &s))
            return true;
    return false;
}
