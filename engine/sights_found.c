#include "engine/sights_found.h"

#include <stdio.h>
#include <stdlib.h>

/* Room for one more behind n. */
static bool grow(void **list, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? 2 * *cap : 16;
    void *grown;
    if (n < *cap)
        return true;
    grown = realloc(*list, more * size);
    if (!grown)
        return false;
    *list = grown;
    *cap = more;
    return true;
}

int sights_found_exposure(struct sights_found *f, const struct exposure *x)
{
    if (!grow((void **)&f->exposures, f->n_exposures, &f->cap_exposures, sizeof *x))
        return ERR_NOMEM;
    f->exposures[f->n_exposures++] = *x;
    return OK;
}

static struct hist *copy_of(const struct hist *h)
{
    struct hist *own = malloc(sizeof *own);
    if (!own)
        return NULL;
    hist_init(own);
    if (hist_merge(own, h) == OK)
        return own;
    hist_free(own);
    free(own);
    return NULL;
}

int sights_found_row(struct sights_found *f, struct finding_row *row)
{
    if (!grow((void **)&f->findings, f->n_findings, &f->cap_findings, sizeof *f->findings))
        return ERR_NOMEM;
    f->findings[f->n_findings++] = *row;
    row->hist = NULL;
    return OK;
}

int sights_found_finding(struct sights_found *f, uint32_t entry, const char *observer,
                         const char *at, const struct finding *x)
{
    struct finding_row row = {.entry = entry,
                              .what = x->what,
                              .value = x->value,
                              .n = x->n,
                              .population = x->population,
                              .window = x->window};
    snprintf(row.observer, sizeof row.observer, "%s", observer);
    snprintf(row.at, sizeof row.at, "%s", at);
    snprintf(row.about, sizeof row.about, "%s", x->about ? x->about : "");
    snprintf(row.prior, sizeof row.prior, "%s", x->prior ? x->prior : "");
    if (sights_found_row(f, &row) != OK)
        return ERR_NOMEM;
    if (!x->hist || !hist_count(x->hist))
        return OK;
    f->findings[f->n_findings - 1].hist = copy_of(x->hist);
    return f->findings[f->n_findings - 1].hist ? OK : ERR_NOMEM;
}

int sights_found_invalid(struct sights_found *f, const char *why)
{
    if (f->invalid)
        return OK;
    f->invalid = malloc(strlen(why) + 1);
    if (!f->invalid)
        return ERR_NOMEM;
    memcpy(f->invalid, why, strlen(why) + 1);
    return OK;
}

void sights_found_free(struct sights_found *f)
{
    for (size_t i = 0; i < f->n_findings; i++)
        if (f->findings[i].hist) {
            hist_free(f->findings[i].hist);
            free(f->findings[i].hist);
        }
    free(f->exposures);
    free(f->findings);
    free(f->invalid);
    *f = (struct sights_found){0};
}
