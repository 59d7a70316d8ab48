/* What a trial's observers found, gathered while they report.
 *
 * Everything is copied; adding is OK or ERR_NOMEM.
 */
#ifndef PARTYLINE_SIGHTS_FOUND_H
#define PARTYLINE_SIGHTS_FOUND_H

#include "engine/observer.h"

/* A figure with its observer. */
struct finding_row {
    uint32_t entry; /* of the observers */
    char observer[32], at[96], about[64], prior[48];
    enum privacy what;
    int64_t value;
    uint64_t n, population;
    ns_t window;
    struct hist *hist; /* own; may be NULL */
};

/* What a trial's observers found. Freed with sights_found_free. */
struct sights_found {
    struct exposure *exposures;
    size_t n_exposures, cap_exposures;
    struct finding_row *findings;
    size_t n_findings, cap_findings;
    char *invalid; /* why the trial's figures are void; NULL: they are not */
};

int sights_found_exposure(struct sights_found *, const struct exposure *);
/* Of an observer and its place, by their names. */
int sights_found_finding(struct sights_found *, uint32_t entry, const char *observer,
                         const char *at, const struct finding *);
/* One that is ready made: takes its histogram over. */
int sights_found_row(struct sights_found *, struct finding_row *);
/* The first reason stays. */
int sights_found_invalid(struct sights_found *, const char *why);
void sights_found_free(struct sights_found *);

#endif
