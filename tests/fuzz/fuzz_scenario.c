/* Any bytes as a scenario: findings, or cells that can be shown, the same each time. What
 * follows a NUL is an override, path=value. No file is read. */
#include "engine/run/scenario.h"
#include "tests/unit/scenario_plugins.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int truth)
{
    if (!truth)
        abort();
}

/* Valid and only slow: huge crowds, thousands of cells. */
static int too_slow(const char *text)
{
    const char *matrix = strstr(text, "matrix");
    size_t values = 0;
    for (const char *p = matrix ? matrix : ""; *p; p++)
        values += *p == ',' || *p == '-';
    if (values > 20)
        return 1;
    for (const char *p = strstr(text, "count") ? text : ""; *p; p += strcspn(p, "0123456789")) {
        size_t digits = strspn(p, "0123456789");
        if (digits > 3)
            return 1;
        p += digits;
    }
    return 0;
}

static struct scenario *load(const char *text, size_t len, const struct scenario_set *set)
{
    struct scenario *s;
    struct diag_list diags;
    diag_init(&diags);
    int rc = scenario_load_text("fuzz", text, len, NULL, set, set->path ? 1 : 0, &s, &diags);
    need((rc == OK) == (s != NULL));
    need((rc == OK) == (diags.n == 0));
    char *out = NULL;
    size_t n;
    FILE *f = open_memstream(&out, &n);
    need(f != NULL);
    diag_print(&diags, f);
    fclose(f);
    free(out);
    diag_free(&diags);
    return s;
}

static char *shown(const struct scenario *s)
{
    char *out = NULL;
    size_t n;
    FILE *f = open_memstream(&out, &n);
    need(f != NULL);
    scenario_show(s, f, false);
    scenario_show(s, f, true);
    fclose(f);
    return out;
}

static void check(const struct scenario *s)
{
    need(s->n_cells > 0);
    for (size_t i = 0; i < s->n_cells; i++) {
        const struct trial_spec *t = &s->cells[i].spec;
        need(t->transport && t->protocol && t->limit > 0 && s->cells[i].repeat > 0);
        need(t->roster->n_parties > 0 && t->roster->n >= t->roster->n_parties);
        for (uint32_t k = 0; k < t->roster->n; k++) {
            need(t->roster->entries[k].name && t->roster->entries[k].role);
            need(t->hosts[k].region < t->regions->n && t->hosts[k].start >= 0);
        }
        for (uint32_t k = 0; k < t->roster->n_parties; k++)
            need(t->programs[k] && t->inputs[k].values);
        for (size_t k = 0; k < t->n_actions; k++)
            need(t->actions[k].at >= 0 && t->actions[k].node < t->roster->n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct scenario_set set = {NULL, NULL};
    need(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    size_t len = strlen(text);
    char *equals = len < size ? strchr(text + len + 1, '=') : NULL;
    if (equals) {
        *equals = '\0';
        set = (struct scenario_set){text + len + 1, equals + 1};
    }
    if (!too_slow(text) && !(set.path && too_slow(set.path)) &&
        !(set.value && too_slow(set.value))) {
        struct scenario *one = load(text, len, &set), *two = one ? load(text, len, &set) : NULL;
        if (one) {
            check(one);
            char *a = shown(one), *b = shown(two);
            need(strcmp(a, b) == 0 && one->digest == two->digest);
            free(a);
            free(b);
        }
        scenario_free(one);
        scenario_free(two);
    }
    free(text);
    return 0;
}
