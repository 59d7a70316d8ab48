#include "engine/crowd.h"

#include "engine/base/err.h"

#include <stdlib.h>

static bool same_role(const char *a, const char *b)
{
    return a == b || strcmp(a, b) == 0;
}

int crowds_find(struct crowds *c, const struct roster *r)
{
    *c = (struct crowds){0};
    for (int pass = 0; pass < 2; pass++) {
        uint32_t n = 0;
        const char *role = NULL;
        for (party_t id = 0; id < r->n; id++) {
            if (role && same_role(role, r->entries[id].role)) {
                if (pass)
                    c->list[n - 1].n++;
                continue;
            }
            role = r->entries[id].role;
            if (pass)
                c->list[n] = (struct crowd){.role = role, .first = id, .n = 1};
            n++;
        }
        if (!pass && !(c->list = calloc(n + (size_t)1, sizeof *c->list)))
            return ERR_NOMEM;
        c->n = n;
    }
    return OK;
}

void crowds_free(struct crowds *c)
{
    free(c->list);
    *c = (struct crowds){0};
}
