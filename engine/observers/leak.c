#include "engine/observers/leak.h"

#include "engine/base/err.h"
#include "engine/observers/bits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LN2 0.6931471805599453

static int by_observation(const struct leak_cell *a, const struct leak_cell *b)
{
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    if (a->packets != b->packets)
        return a->packets < b->packets ? -1 : 1;
    return 0;
}

static int by_cell(const struct leak_cell *a, const struct leak_cell *b)
{
    int order = by_observation(a, b);
    return order ? order : a->class < b->class ? -1 : a->class > b->class;
}

static bool room(struct leak *l)
{
    uint32_t more = l->cap ? 2 * l->cap : 64;
    struct leak_cell *cells;
    if (l->n < l->cap)
        return true;
    cells = more <= LEAK_CELLS ? realloc(l->cells, more * sizeof *cells) : NULL;
    if (!cells)
        return false;
    l->cells = cells;
    l->cap = more;
    return true;
}

void leak_add(struct leak *l, uint32_t class, uint32_t bytes, uint32_t packets)
{
    const struct leak_cell one = {.count = 1, .class = class, .bytes = bytes, .packets = packets};
    uint32_t low = 0, high = l->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (by_cell(&l->cells[mid], &one) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < l->n && by_cell(&l->cells[low], &one) == 0) {
        l->cells[low].count++;
    } else if (room(l)) {
        memmove(l->cells + low + 1, l->cells + low, (l->n - low) * sizeof one);
        l->cells[low] = one;
        l->n++;
    } else {
        l->lost++;
        return;
    }
    l->samples++;
}

void leak_free(struct leak *l)
{
    free(l->cells);
    *l = (struct leak){0};
}

struct class_count {
    uint32_t class;
    uint64_t count;
};

static int by_class(const void *a, const void *b)
{
    const struct class_count *x = a, *y = b;
    return x->class < y->class ? -1 : x->class > y->class;
}

/* The classes' totals, ascending; returns how many. */
static uint32_t classes_of(const struct leak *l, struct class_count *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++)
        c[i] = (struct class_count){l->cells[i].class, l->cells[i].count};
    qsort(c, l->n, sizeof *c, by_class);
    for (uint32_t i = 0; i < l->n; i++)
        if (n && c[n - 1].class == c[i].class)
            c[n - 1].count += c[i].count;
        else
            c[n++] = c[i];
    return n;
}

static double part(uint64_t count, uint64_t all)
{
    double p = (double)count / (double)all;
    return -p * bits_log2(p);
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

int leak_judge(const struct leak *l, struct leak_figures *f)
{
    struct class_count *c = malloc((l->n ? l->n : 1) * sizeof *c);
    double joint = 0, most = 0, top;
    *f = (struct leak_figures){0};
    if (!c || l->samples == 0) {
        free(c);
        return l->samples ? ERR_NOMEM : ERR_ABSENT;
    }
    f->classes = classes_of(l, c);
    for (uint32_t i = 0; i < f->classes; i++)
        f->class_entropy += part(c[i].count, l->samples);
    for (uint32_t i = 0; i < l->n; f->observations++) {
        uint64_t here = 0;
        double best = 0;
        uint32_t begin = i;
        for (; i < l->n && by_observation(&l->cells[begin], &l->cells[i]) == 0; i++) {
            const struct class_count key = {l->cells[i].class, 0};
            const struct class_count *own = bsearch(&key, c, f->classes, sizeof *c, by_class);
            double p = (double)l->cells[i].count / (double)own->count;
            best = p > best ? p : best;
            joint += part(l->cells[i].count, l->samples);
            here += l->cells[i].count;
        }
        f->observed_entropy += part(here, l->samples);
        most += best;
    }
    free(c);
    f->max_leakage = bits_log2(most);
    f->plug_in = f->class_entropy + f->observed_entropy - joint;
    f->bias =
        ((double)f->classes - 1) * ((double)f->observations - 1) / (2 * (double)l->samples * LN2);
    top = smaller(f->class_entropy, f->observed_entropy);
    f->corrected = smaller(f->plug_in - f->bias, top);
    f->corrected = f->corrected > 0 ? f->corrected : 0;
    return OK;
}
