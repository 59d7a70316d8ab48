#include "engine/observers/burnin.h"

struct burnin burnin_of(ns_t first, ns_t last, ns_t lifetime)
{
    ns_t whole = last - first, edge = whole / 3;
    if (lifetime <= edge / BURNIN_LIFETIMES)
        return (struct burnin){.from = first + BURNIN_LIFETIMES * lifetime,
                               .until = last - BURNIN_LIFETIMES * lifetime};
    return (struct burnin){.from = first + edge, .until = last - edge, .short_run = true};
}
