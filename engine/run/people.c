#include "engine/run/people.h"

#include <stdlib.h>

int people_make(struct people *p, struct trial_spec *spec, uint64_t seed)
{
    uint32_t n = spec->roster->n;
    *p = (struct people){.roster = *spec->roster};
    if (spec->channel == CHANNEL_NONE)
        return OK;
    p->identities = calloc(n, sizeof *p->identities);
    p->publics = calloc(n, sizeof *p->publics);
    p->secrets = calloc(n, sizeof *p->secrets);
    if (!p->identities || !p->publics || !p->secrets) {
        people_free(p);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct prng rng;
        prng_name(&rng, seed, spec->roster->entries[i].name, 0, "identity");
        (spec->modelled ? identity_make_modelled : identity_make)(&p->identities[i], &rng);
        prng_wipe(&rng);
        p->publics[i] = p->identities[i].pub;
        p->secrets[i] = &p->identities[i];
    }
    p->roster.identities = p->publics;
    spec->roster = &p->roster;
    spec->secrets = p->secrets;
    return OK;
}

void people_free(struct people *p)
{
    for (uint32_t i = 0; p->identities && i < p->roster.n; i++)
        identity_wipe(&p->identities[i]);
    free(p->identities);
    free(p->publics);
    free(p->secrets);
    *p = (struct people){0};
}
