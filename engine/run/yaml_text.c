/* Texts of YAML nodes: what is ambiguous, what is equal, how one is shown. */
#include "engine/run/yaml.h"

#include <string.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool among(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* Only these characters. */
static bool only(const char *text, const char *set)
{
    return *text && text[strspn(text, set)] == '\0';
}

static bool base_60(const char *p)
{
    if (!digit(*p) || !strchr(p, ':'))
        return false;
    while (digit(*p) || *p == '_')
        p++;
    while (*p == ':' && digit(p[1])) {
        for (p++; digit(*p);)
            p++;
    }
    return *p == '\0' || (*p == '.' && (p[1] == '\0' || only(p + 1, "0123456789_")));
}

/* 1e3, 1.5e3: a number only for YAML 1.2, which wants no point and no sign. */
static bool exponent(const char *p)
{
    size_t whole = strspn(p, "0123456789.");
    if (!whole || (p[whole] != 'e' && p[whole] != 'E'))
        return false;
    const char *e = p + whole + 1;
    bool sign = *e == '+' || *e == '-', point = memchr(p, '.', whole) != NULL;
    return only(e + sign, "0123456789") && !(sign && point);
}

static bool date(const char *p)
{
    for (int i = 0; i < 4; i++)
        if (!digit(p[i]))
            return false;
    if (p[4] != '-' || !digit(p[5]))
        return false;
    p += digit(p[6]) ? 7 : 6;
    if (p[0] != '-' || !digit(p[1]))
        return false;
    p += digit(p[2]) ? 3 : 2;
    return *p == '\0' || *p == 'T' || *p == 't' || *p == ' ';
}

const char *yaml_ambiguous(const char *text)
{
    static const char *const booleans[] = {"y",  "Y",   "yes", "Yes", "YES", "n",
                                           "N",  "no",  "No",  "NO",  "on",  "On",
                                           "ON", "off", "Off", "OFF", NULL};
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    const char *p = text + (*text == '-' || *text == '+');
    if (among(text, booleans))
        return "is a boolean for YAML 1.1 and a text for YAML 1.2: write true or false, or put it "
               "in quotes";
    if (among(text, nulls))
        return "means no value at all: leave the key out, or put it in quotes";
    if (strcmp(text, "=") == 0)
        return "has a meaning of its own in YAML 1.1: put it in quotes";
    if (p[0] == '0' && only(p + 1, "0123456789_"))
        return "is octal for YAML 1.1 and decimal for YAML 1.2: drop the zeros in front, or put it "
               "in quotes";
    if ((strncmp(p, "0b", 2) == 0 && only(p + 2, "01_")) ||
        (strncmp(p, "0o", 2) == 0 && only(p + 2, "01234567")))
        return "is a number for one YAML version only: write it in decimal, or put it in quotes";
    if (digit(*p) && strchr(p, '_') && only(p, "0123456789_."))
        return "is a number for YAML 1.1 and a text for YAML 1.2: drop the underscores, or put it "
               "in quotes";
    if (base_60(p))
        return "is a number to base 60 for YAML 1.1: write a unit, such as 90s, or put it in "
               "quotes";
    if (exponent(p))
        return "is a number for YAML 1.2 and a text for YAML 1.1: write it without exponent, or "
               "put it in quotes";
    if (date(text))
        return "is a date for YAML 1.1: put it in quotes";
    return NULL;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    const struct yaml_item *it = yaml_item(map, key);
    return it ? it->value : NULL;
}

const struct yaml_item *yaml_item(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i].key->text, key) == 0)
            return &map->items[i];
    return NULL;
}

bool yaml_equal(const struct yaml_node *a, const struct yaml_node *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->n != b->n || a->weight != b->weight)
        return false;
    if (a->kind == YAML_TEXT)
        return strcmp(a->text, b->text) == 0;
    for (uint32_t i = 0; i < a->n; i++) {
        const struct yaml_node *other =
            a->kind == YAML_LIST ? b->items[i].value : yaml_get(b, a->items[i].key->text);
        if (!other || !yaml_equal(a->items[i].value, other))
            return false;
    }
    return true;
}

struct line {
    char *buf;
    size_t at, cap; /* room for "..." and NUL is kept */
    bool full;
};

static void put(struct line *l, const char *text, size_t len)
{
    if (l->full)
        return;
    size_t room = l->cap - l->at;
    l->full = len > room;
    memcpy(l->buf + l->at, text, l->full ? room : len);
    l->at += l->full ? room : len;
    if (l->full) { /* no character is cut in two */
        while (l->at && ((unsigned char)l->buf[l->at - 1] & 0xc0) == 0x80)
            l->at--;
        if (l->at && ((unsigned char)l->buf[l->at - 1] & 0x80))
            l->at--;
        memcpy(l->buf + l->at, "...", 3);
        l->at += 3;
    }
    l->buf[l->at] = '\0';
}

bool yaml_plain(const char *text)
{
    size_t len = strlen(text);
    if (!len || strchr(" &*!|>%@`?", *text) || text[len - 1] == ' ' || yaml_ambiguous(text) ||
        strcmp(text, "<<") == 0)
        return false;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr(",:{}[]#'\"\\", *p))
            return false;
    return *text != '-' || (text[1] && text[1] != ' ' && text[1] != '-');
}

static void put_scalar(struct line *l, const char *text)
{
    if (yaml_plain(text)) {
        put(l, text, strlen(text));
        return;
    }
    put(l, "\"", 1);
    for (const char *p = text; *p; p++) {
        char escaped[8];
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f)
            snprintf(escaped, sizeof escaped, "\\x%02x", c);
        else
            snprintf(escaped, sizeof escaped, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
        put(l, escaped, strlen(escaped));
    }
    put(l, "\"", 1);
}

static void put_node(struct line *l, const struct yaml_node *node)
{
    if (node->kind == YAML_TEXT) {
        put_scalar(l, node->text);
        return;
    }
    put(l, node->kind == YAML_MAP ? "{" : "[", 1);
    for (uint32_t i = 0; i < node->n && !l->full; i++) {
        if (i)
            put(l, ", ", 2);
        if (node->items[i].key) {
            put_scalar(l, node->items[i].key->text);
            put(l, ": ", 2);
        }
        put_node(l, node->items[i].value);
    }
    put(l, node->kind == YAML_MAP ? "}" : "]", 1);
}

const char *yaml_line(const struct yaml_node *node, char *buf, size_t cap)
{
    struct line l = {.buf = buf, .cap = cap - 4};
    buf[0] = '\0';
    if (node->kind == YAML_TEXT)
        put(&l, node->text, strlen(node->text));
    else
        put_node(&l, node);
    return buf;
}
