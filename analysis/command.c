#include "analysis/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A word: quoted unless it is plain. */
static void put_word(FILE *f, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:=/-";
    if (*text && strspn(text, plain) == strlen(text)) {
        fprintf(f, " %s", text);
        return;
    }
    fputs(" '", f);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", f);
        else
            fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, f);
    fputc('\'', f);
}

/* What `run` was told: "run", the scenario, then options with their values; NULL if the manifest
 * does not say it, or not so. */
static const json_t *words_of(const struct load_run *r)
{
    const json_t *words = json_object_get(r->manifest, "command");
    size_t n = json_array_size(words);
    for (size_t i = 0; i < n; i++)
        if (!json_is_string(json_array_get(words, i)))
            return NULL;
    return n >= 2 && n % 2 == 0 ? words : NULL;
}

static const char *word(const json_t *words, size_t i)
{
    return json_string_value(json_array_get(words, i));
}

/* The axes that --only narrowed to one value, where the manifest does not say it. */
static void put_only(FILE *f, const struct load_run *r)
{
    const json_t *axes = json_object_get(json_object_get(r->manifest, "scenario"), "axes");
    const char *axis;
    char narrowed[LOAD_CELL_NAME];
    json_t *values;
    json_object_foreach((json_t *)(uintptr_t)axes, axis, values)
    {
        const json_t *first = json_object_get(r->cells[0].axes, axis);
        bool one = json_is_string(first) && json_array_size(values) > 1;
        for (size_t i = 1; i < r->n_cells; i++)
            one &= json_equal(json_object_get(r->cells[i].axes, axis), first);
        if (!one)
            continue;
        snprintf(narrowed, sizeof narrowed, "%s=%s", axis, json_string_value(first));
        fputs(" --only", f);
        put_word(f, narrowed);
    }
}

static void put_scenario(FILE *f, const struct load_run *r)
{
    fprintf(f, " %s.yaml --world", r->scenario);
    put_word(f, r->world);
    fprintf(f, " --seed %" PRId64, r->seed);
}

static char *finish(FILE *f, char **text)
{
    if (fclose(f) == 0)
        return *text;
    free(*text);
    return NULL;
}

char *command_run(const struct load_run *r)
{
    const json_t *words = words_of(r);
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    fputs("partyline run", f);
    for (size_t i = 1; words && i < json_array_size(words); i++)
        put_word(f, word(words, i));
    if (!words) {
        put_scenario(f, r);
        fprintf(f, " --repeat %" JSON_INTEGER_FORMAT,
                json_integer_value(
                    json_object_get(json_object_get(r->manifest, "scenario"), "repeat")));
        put_only(f, r);
    }
    return finish(f, &text);
}

char *command_trace(const struct load_run *r, const struct load_cell *c, uint32_t trial)
{
    static const char *const kept[] = {"--world", "--set", "--seed"};
    const json_t *words = words_of(r);
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    fputs("partyline trace", f);
    if (words)
        put_word(f, word(words, 1));
    else
        put_scenario(f, r);
    for (size_t i = 2; i < json_array_size(words); i += 2)
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            if (strcmp(word(words, i), kept[k]) == 0) {
                put_word(f, kept[k]);
                put_word(f, word(words, i + 1));
            }
    fprintf(f, " --cell %u --trial %u", (unsigned)c->index, (unsigned)trial);
    return finish(f, &text);
}
