#include "transports/strangers.h"

#include "engine/base/err.h"

#include <stdlib.h>

#define NONE STRANGERS_NONE

void strangers_init(struct strangers *s)
{
    *s = (struct strangers){.oldest = NONE, .newest = NONE, .unused = NONE};
}

void strangers_free(struct strangers *s)
{
    free(s->slots);
    strangers_init(s);
}

static int grow(struct strangers *s)
{
    uint32_t cap = s->cap ? 2 * s->cap : 4;
    struct stranger *slots = cap >> 31 ? NULL : realloc(s->slots, cap * sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = cap; i-- > s->cap;) {
        slots[i].newer = s->unused;
        s->unused = i;
    }
    s->slots = slots;
    s->cap = cap;
    return OK;
}

uint32_t strangers_add(struct strangers *s, link_t link, struct addr addr, ns_t until)
{
    uint32_t i;
    if (s->unused == NONE && grow(s) != OK)
        return NONE;
    i = s->unused;
    s->unused = s->slots[i].newer;
    s->slots[i] = (struct stranger){
        .until = until, .link = link, .older = s->newest, .newer = NONE, .addr = addr};
    *(s->newest == NONE ? &s->oldest : &s->slots[s->newest].newer) = i;
    s->newest = i;
    s->n++;
    return i;
}

void strangers_remove(struct strangers *s, uint32_t slot)
{
    struct stranger *t = &s->slots[slot];
    *(t->older == NONE ? &s->oldest : &s->slots[t->older].newer) = t->newer;
    *(t->newer == NONE ? &s->newest : &s->slots[t->newer].older) = t->older;
    t->newer = s->unused;
    s->unused = slot;
    s->n--;
}
