#include "engine/run/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1024, SHOWN_MAX = 160, QUOTED_MAX = 48 };

void diag_init(struct diag_list *list)
{
    *list = (struct diag_list){.n = 0};
    arena_init(&list->arena, 64 << 20);
}

void diag_free(struct diag_list *list)
{
    arena_free(&list->arena);
    free(list->items);
    *list = (struct diag_list){.n = 0};
}

const char *diag_quote(const char *text, char *buf, size_t cap)
{
    size_t at = 0, n = 0;
    if (cap < 16)
        return "";
    buf[at++] = '"';
    for (; *text && n < QUOTED_MAX && at + 10 < cap; text++, n++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            at += (size_t)snprintf(buf + at, cap - at, "\\x%02x", c);
        else
            buf[at++] = (char)c;
    }
    if (*text) {
        while (((unsigned char)*text & 0xc0) == 0x80 && ((unsigned char)buf[at - 1] & 0x80)) {
            text--; /* do not cut a character in two */
            at--;
        }
        memcpy(buf + at, "...", 3);
        at += 3;
    }
    buf[at++] = '"';
    buf[at] = '\0';
    return buf;
}

/* The line that a finding points to, cut to SHOWN_MAX characters from its start. */
static const char *shown_line(struct arena *a, const struct source *from, int line)
{
    const char *p = from->text, *end = p ? p + from->len : NULL;
    if (!p || line < 1)
        return NULL;
    for (int i = 1; i < line && p; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    if (!p || p >= end)
        return NULL;
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    size_t len = (size_t)((stop ? stop : end) - p);
    if (len && p[len - 1] == '\r')
        len--;
    return arena_text(a, p, len);
}

static bool same(const struct diag *d, const struct source *from, int line, int column,
                 const char *text)
{
    return d->line == line && d->column == column && d->order == from->order &&
           strcmp(d->text, text) == 0 && strcmp(d->file, from->name) == 0;
}

void diag_add(struct diag_list *list, const struct source *from, int line, int column,
              const char *format, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    list->said++;
    for (size_t i = 0; i < list->n; i++)
        if (same(&list->items[i], from, line, column, text))
            return;
    if (list->n == list->cap && list->n < DIAG_MAX) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        struct diag *items = realloc(list->items, cap * sizeof *items);
        if (items) {
            list->items = items;
            list->cap = cap;
        }
    }
    struct arena *a = &list->arena;
    char *copy = list->n < list->cap ? arena_text(a, text, strlen(text)) : NULL;
    char *file = copy ? arena_text(a, from->name, strlen(from->name)) : NULL;
    if (!file || list->n >= DIAG_MAX) {
        list->more++;
        return;
    }
    list->items[list->n++] = (struct diag){.file = file,
                                           .text = copy,
                                           .shown = shown_line(a, from, line),
                                           .order = from->order,
                                           .line = line,
                                           .column = column};
}

static int by_position(const void *x, const void *y)
{
    const struct diag *a = x, *b = y;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    int c = strcmp(a->file, b->file);
    if (c)
        return c;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return strcmp(a->text, b->text);
}

void diag_sort(struct diag_list *list)
{
    if (list->n)
        qsort(list->items, list->n, sizeof *list->items, by_position);
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static void print_shown(const struct diag *d, FILE *out)
{
    int characters = 0;
    fputs("  ", out);
    for (const char *p = d->shown; *p; p++) {
        characters += begins_character(*p);
        if (characters > SHOWN_MAX)
            break;
        unsigned char c = (unsigned char)*p;
        fputc((c < 0x20 && c != '\t') || c == 0x7f ? '?' : c, out);
    }
    fputc('\n', out);
    if (d->column < 1 || d->column > SHOWN_MAX)
        return;
    fputs("  ", out);
    const char *p = d->shown;
    for (int i = 1; i < d->column; i++) {
        fputc(*p == '\t' ? '\t' : ' ', out);
        if (*p)
            p++;
        while (*p && !begins_character(*p))
            p++;
    }
    fputs("^\n", out);
}

void diag_print(struct diag_list *list, FILE *out)
{
    diag_sort(list);
    for (size_t i = 0; i < list->n; i++) {
        const struct diag *d = &list->items[i];
        if (d->line < 1)
            fprintf(out, "%s: %s\n", d->file, d->text);
        else if (d->column < 1)
            fprintf(out, "%s:%d: %s\n", d->file, d->line, d->text);
        else
            fprintf(out, "%s:%d:%d: %s\n", d->file, d->line, d->column, d->text);
        if (d->shown)
            print_shown(d, out);
    }
    if (list->more)
        fprintf(out, "and %zu more\n", list->more);
}
