/* The table of keys as text: for --help, and for the README. */
#include "engine/run/schema.h"

#include <string.h>

enum { WIDTH = 96, MARGIN = 6 };

/* "a duration such as 20ms, or a map". */
static void takes(const struct schema_row *row, char *buf, size_t cap)
{
    size_t at = 0;
    buf[0] = '\0';
    if (row->forms & (FORM_TEXT | FORM_PLUGIN) && row->opt.type == OPT_CHOICE) {
        for (size_t i = 0; schema_name(row, i) && at < cap; i++)
            at += (size_t)snprintf(buf + at, cap - at, "%s%s", i ? " | " : "", schema_name(row, i));
    } else if (row->forms & (FORM_TEXT | FORM_PLUGIN)) {
        snprintf(buf, cap, "%s", schema_expects(row));
    }
    if (row->forms & FORM_LIST)
        snprintf(buf + strlen(buf), cap - strlen(buf), "%sa list", *buf ? ", or " : "");
    if (row->forms & (FORM_MAP | FORM_PLUGIN))
        snprintf(buf + strlen(buf), cap - strlen(buf), "%sa map", *buf ? ", or " : "");
    if (row->forms & FORM_ANY)
        snprintf(buf, cap, "anything");
}

/* "required", "default 60s", or "". */
static void when_absent(const struct schema_row *row, char *buf, size_t cap)
{
    if (row->required)
        snprintf(buf, cap, "required");
    else if (row->opt.fallback && *row->opt.fallback)
        snprintf(buf, cap, "default %s", row->opt.fallback);
    else
        buf[0] = '\0';
}

static void print_wrapped(const char *text, FILE *out)
{
    size_t column = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (column && column + 1 + len > WIDTH - MARGIN) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%*s%.*s", column ? 1 : MARGIN, "", (int)len, text);
        text += len + (text[len] == ' ');
    }
    fputc('\n', out);
}

void schema_print_help(FILE *out)
{
    char value[256], absent[80];
    for (const struct schema_row *row = schema_rows; row->path; row++) {
        if (!*row->path)
            continue;
        takes(row, value, sizeof value);
        when_absent(row, absent, sizeof absent);
        fprintf(out, "  %s: %s%s%s\n", row->path, value, *absent ? "; " : "", absent);
        print_wrapped(row->opt.help, out);
    }
}

void schema_print_markdown(FILE *out)
{
    char value[256], absent[80];
    fputs("| key | takes | if absent | what it means |\n|---|---|---|---|\n", out);
    for (const struct schema_row *row = schema_rows; row->path; row++) {
        if (!*row->path)
            continue;
        takes(row, value, sizeof value);
        when_absent(row, absent, sizeof absent);
        fprintf(out, "| `%s` | ", row->path);
        for (const char *p = value; *p; p++)
            fprintf(out, "%s%c", *p == '|' ? "\\" : "", *p);
        fprintf(out, " | %s | %s |\n", absent, row->opt.help);
    }
}
