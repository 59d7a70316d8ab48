#include "engine/base/opt.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

struct unit {
    const char *name;
    int64_t size; /* in stored units */
    int decimals; /* at most this many when printed */
};

/* Largest first; printing takes the first one that fits exactly. */
static const struct unit durations[] = {
    {"d", 86400 * NS_S, 0}, {"h", 3600 * NS_S, 0}, {"min", 60 * NS_S, 0}, {"s", NS_S, 3},
    {"ms", NS_MS, 3},       {"us", NS_US, 3},      {"ns", 1, 0},          {NULL, 0, 0},
};
static const struct unit sizes[] = {
    {"GiB", 1 << 30, 0}, {"GB", 1000000000, 0}, {"MiB", 1 << 20, 0}, {"MB", 1000000, 0},
    {"KiB", 1 << 10, 0}, {"KB", 1000, 0},       {"B", 1, 0},         {NULL, 0, 0},
};
static const struct unit rates[] = {
    {"Gbit", 1000000000, 3}, {"Mbit", 1000000, 3}, {"Kbit", 1000, 3}, {"bit", 1, 0}, {NULL, 0, 0},
};
static const struct unit ratios[] = {{"%", 10000, 4}, {NULL, 0, 0}};

static const struct {
    const char *expects;
    const struct unit *units;
    const char *zero;
    int64_t max;
} types[] = {
    [OPT_INT] = {"a whole number such as 12", NULL, "0", INT64_MAX},
    [OPT_BOOL] = {"true or false", NULL, "false", 1},
    [OPT_DURATION] = {"a duration such as 20ms", durations, "0s", INT64_MAX},
    [OPT_BYTES] = {"a size such as 64KiB", sizes, "0B", INT64_MAX},
    [OPT_RATE] = {"a rate such as 100Mbit", rates, "0bit", INT64_MAX},
    [OPT_RATIO] = {"a ratio such as 1.5%", ratios, "0%", 1000000},
    [OPT_CHOICE] = {"one of a few words", NULL, "", INT64_MAX},
    [OPT_TEXT] = {"a text", NULL, "", 0},
    [OPT_FILE] = {"the path of a file", NULL, "", 0},
};

const char *opt_expects(enum opt_type type)
{
    return types[type].expects;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One decimal number: digits, or digits '.' digits, as whole and frac / scale. */
struct decimal {
    uint64_t whole, frac, scale;
    bool negative, too_big;
};

/* Returns what follows the number, or NULL. Zeros in front are refused, zeros at the end of
 * a fraction dropped. */
static const char *read_decimal(const char *p, struct decimal *d)
{
    *d = (struct decimal){.scale = 1};
    if (*p == '-') {
        d->negative = true;
        p++;
    }
    if (!digit(*p) || (p[0] == '0' && digit(p[1])))
        return NULL;
    for (; digit(*p); p++) {
        if (d->whole > (UINT64_MAX - 9) / 10)
            d->too_big = true;
        else
            d->whole = 10 * d->whole + (uint64_t)(*p - '0');
    }
    if (*p != '.')
        return p;
    const char *end = ++p;
    while (digit(*end))
        end++;
    if (end == p)
        return NULL;
    const char *last = end;
    while (last > p && last[-1] == '0')
        last--;
    if (last - p > 18)
        return NULL;
    for (; p < last; p++) {
        d->frac = 10 * d->frac + (uint64_t)(*p - '0');
        d->scale *= 10;
    }
    return end;
}

static int expected(enum opt_type type, struct err *e)
{
    return err_set(e, ERR_INVALID, "expected %s", opt_expects(type));
}

static int parse_int(const struct decimal *d, int64_t *out, struct err *e)
{
    if (d->too_big || d->whole > INT64_MAX)
        return err_set(e, ERR_INVALID, "the number is too big");
    *out = d->negative ? -(int64_t)d->whole : (int64_t)d->whole;
    return OK;
}

static int scale(enum opt_type type, const struct decimal *d, int64_t unit, int64_t *out,
                 struct err *e)
{
    u128 frac = (u128)d->frac * (u128)unit;
    u128 value = (u128)d->whole * (u128)unit + frac / d->scale;
    if (frac % d->scale)
        return err_set(e, ERR_INVALID, "that is too fine: expected a whole number of %s",
                       type == OPT_DURATION ? "nanoseconds"
                       : type == OPT_BYTES  ? "bytes"
                       : type == OPT_RATE   ? "bits per second"
                                            : "parts per million");
    if (d->too_big || value > (u128)INT64_MAX)
        return err_set(e, ERR_INVALID, "the quantity is too big");
    *out = (int64_t)value;
    return OK;
}

int opt_parse(enum opt_type type, const char *text, int64_t *out, struct err *e)
{
    struct decimal d;
    if (type == OPT_BOOL) {
        *out = strcmp(text, "true") == 0;
        return *out || strcmp(text, "false") == 0 ? OK : expected(type, e);
    }
    assert(type == OPT_INT || types[type].units);
    const char *unit = read_decimal(text, &d);
    if (type == OPT_INT)
        return unit && *unit == '\0' && !strchr(text, '.') ? parse_int(&d, out, e)
                                                           : expected(type, e);
    if (!unit || d.negative)
        return expected(type, e);
    if (*unit == '\0' && d.whole == 0 && d.frac == 0 && !d.too_big) {
        *out = 0;
        return OK;
    }
    for (const struct unit *u = types[type].units; u->name; u++)
        if (strcmp(unit, u->name) == 0)
            return scale(type, &d, u->size, out, e);
    return *unit == '\0'
               ? err_set(e, ERR_INVALID, "the unit is missing: expected %s", opt_expects(type))
               : expected(type, e);
}

static int set_choice(const struct opt *o, int64_t *value, const char *text, struct err *e)
{
    char list[ERR_TEXT / 2] = "";
    size_t len = 0;
    for (int64_t i = 0; o->choices[i]; i++) {
        if (strcmp(o->choices[i], text) == 0) {
            *value = i;
            return OK;
        }
        int n = snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", o->choices[i]);
        len += (size_t)n < sizeof list - len ? (size_t)n : 0;
    }
    return err_set(e, ERR_INVALID, "expected one of %s", list);
}

static int set_number(const struct opt *o, int64_t *value, const char *text, struct err *e)
{
    char low[32], high[32];
    int64_t v = 0;
    int rc = opt_parse(o->type, text, &v, e);
    if (rc != OK)
        return rc;
    bool ranged = o->min || o->max;
    int64_t max = ranged ? o->max : types[o->type].max;
    int64_t min = ranged ? o->min : o->type == OPT_INT ? INT64_MIN : 0;
    if (v < min)
        return err_set(e, ERR_INVALID, "expected at least %s",
                       opt_print_value(o->type, min, low, sizeof low));
    if (v > max)
        return err_set(e, ERR_INVALID, "expected at most %s",
                       opt_print_value(o->type, max, high, sizeof high));
    *value = v;
    return OK;
}

int opt_set(const struct opt *o, void *opts, const char *text, struct err *e)
{
    void *at = (char *)opts + o->offset;
    switch (o->type) {
    case OPT_TEXT:
        *(const char **)at = text;
        return OK;
    case OPT_FILE:
        return err_set(e, ERR_UNSUPPORTED, "files cannot be read here");
    case OPT_CHOICE:
        return set_choice(o, at, text, e);
    default:
        return set_number(o, at, text, e);
    }
}

void opt_defaults(const struct opt *table, void *opts)
{
    for (const struct opt *o = table; o && o->name; o++) {
        void *at = (char *)opts + o->offset;
        if (o->type == OPT_FILE)
            *(struct opt_file *)at = (struct opt_file){NULL, NULL, 0};
        else if (o->type == OPT_TEXT)
            *(const char **)at = o->fallback;
        else
            *(int64_t *)at = 0;
        if (o->fallback && o->type != OPT_FILE) {
            int rc = opt_set(o, opts, o->fallback, NULL);
            assert(rc == OK);
            (void)rc;
        }
    }
}

const struct opt *opt_find(const struct opt *table, const char *name)
{
    for (const struct opt *o = table; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

/* value / unit with the fewest decimals, or false if it takes more than allowed. */
static bool print_in(const struct unit *u, uint64_t value, const char *sign, char *buf, size_t cap)
{
    uint64_t size = (uint64_t)u->size, rest = value % size;
    char digits[8] = "";
    for (int n = 0; rest && n < u->decimals; n++) {
        rest *= 10;
        digits[n] = (char)('0' + rest / size);
        rest %= size;
    }
    if (rest)
        return false;
    snprintf(buf, cap, "%s%llu%s%s%s", sign, (unsigned long long)(value / size), *digits ? "." : "",
             digits, u->name);
    return true;
}

const char *opt_print_value(enum opt_type type, int64_t value, char *buf, size_t cap)
{
    const char *sign = value < 0 ? "-" : "";
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const struct unit *u = types[type].units;
    if (type == OPT_BOOL || value == 0) {
        snprintf(buf, cap, "%s", value ? "true" : types[type].zero);
    } else if (!u) {
        snprintf(buf, cap, "%s%llu", sign, (unsigned long long)size);
    } else {
        bool done = false;
        for (; u->name && !done; u++)
            done = (size >= (uint64_t)u->size || !u[1].name) && print_in(u, size, sign, buf, cap);
        assert(done);
    }
    return buf;
}

const char *opt_print(const struct opt *o, const void *opts, char *buf, size_t cap)
{
    const void *at = (const char *)opts + o->offset;
    const char *text = NULL;
    if (o->type == OPT_TEXT)
        text = *(const char *const *)at;
    else if (o->type == OPT_FILE)
        text = ((const struct opt_file *)at)->path;
    else if (o->type == OPT_CHOICE)
        text = o->choices[*(const int64_t *)at];
    else
        return opt_print_value(o->type, *(const int64_t *)at, buf, cap);
    snprintf(buf, cap, "%s", text ? text : "");
    return buf;
}
