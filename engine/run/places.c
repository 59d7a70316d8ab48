#include "engine/run/places.h"

#include "engine/base/prng.h"
#include "engine/run/schema.h"
#include "engine/run/suggest.h"

#include <stdio.h>

const struct places_word places_words[] = {
    {"NAME", "a party or service: what comes to it and leaves it, and what its role can read"},
    {"ROLE", "every party or service of that role, or every member of a crowd"},
    {"party", "every party"},
    {"isp_NAME", "the access line of a host: the packets between it and the internet"},
    {"region_NAME", "every packet that enters or leaves a region"},
    {"link_NAME_NAME", "every packet between these two regions"},
    {"global", "every access line (the global passive adversary)"},
    {NULL, NULL},
};

struct placing {
    struct resolving *r;
    struct place *places;
    const char **names;
    uint32_t n, cap;
    bool good;
    const struct placing *base; /* what each coalition has besides; NULL: nothing */
    const char *with;
};

static void add(struct placing *p, struct place place, const char *name)
{
    struct arena *arena = p->r->l->arena;
    for (uint32_t i = 0; i < p->n; i++)
        if (p->places[i].point == place.point && p->places[i].at == place.at &&
            p->places[i].beyond == place.beyond)
            return;
    if (p->n == p->cap) {
        uint32_t cap = p->cap ? 2 * p->cap : 8;
        struct place *places = arena_array(arena, cap, sizeof *places);
        const char **names = arena_array(arena, cap, sizeof *names);
        if (p->n) {
            memcpy(places, p->places, p->n * sizeof *places);
            memcpy(names, p->names, p->n * sizeof *names);
        }
        p->places = places;
        p->names = names;
        p->cap = cap;
    }
    p->places[p->n] = place;
    p->names[p->n++] = name;
}

static void add_node(struct placing *p, party_t id)
{
    add(p, (struct place){.point = SIGHT_NODE, .at = id, .beyond = PARTY_NONE},
        p->r->entries[id].name);
}

static void add_line(struct placing *p, party_t id)
{
    add(p, (struct place){.point = SIGHT_LINE, .at = id, .beyond = PARTY_NONE},
        arena_printf(p->r->l->arena, "isp_%s", p->r->entries[id].name));
}

/* Everyone of a crowd or of a role (`party`: every party); false if there is no such name. */
static bool add_many(struct placing *p, const char *name, void (*one)(struct placing *, party_t))
{
    const struct resolving *r = p->r;
    uint32_t crowd = names_find(&r->crowds, name);
    bool any = crowd != NAMES_NONE;
    if (any) {
        for (uint32_t i = 0; i < r->groups[crowd].present; i++)
            one(p, r->groups[crowd].id + i);
        return true;
    }
    for (party_t i = 0; i < r->roster->n; i++) {
        bool party = i < r->roster->n_parties;
        if (strcmp(r->entries[i].role, name) == 0 || (party && strcmp(name, "party") == 0)) {
            one(p, i);
            any = true;
        }
    }
    return any;
}

static bool region_of(const struct resolving *r, const char *name, size_t len, uint32_t *out)
{
    const struct regions *regions = r->cell->spec.regions;
    for (uint32_t i = 0; regions && i < regions->n; i++)
        if (strlen(regions->names[i]) == len && memcmp(regions->names[i], name, len) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool add_border(struct placing *p, const char *text)
{
    struct place place = {.point = SIGHT_BORDER, .beyond = PARTY_NONE};
    if (strncmp(text, "region_", 7) == 0 &&
        region_of(p->r, text + 7, strlen(text + 7), &place.at)) {
        add(p, place, text);
        return true;
    }
    for (const char *mid = strncmp(text, "link_", 5) == 0 ? strchr(text + 5, '_') : NULL; mid;
         mid = strchr(mid + 1, '_'))
        if (region_of(p->r, text + 5, (size_t)(mid - text - 5), &place.at) &&
            region_of(p->r, mid + 1, strlen(mid + 1), &place.beyond)) {
            add(p, place, text);
            return true;
        }
    return false;
}

/* A service that other cells of the matrix have, or a role that the file knows. */
static bool elsewhere(const struct placing *p, const char *name)
{
    static const char *const services[] = {"relay",    "turn",      "mix",
                                           "provider", "directory", "matchmaker"};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (strcmp(services[i], name) == 0)
            return true;
    return names_find(&p->r->absent, name) != NAMES_NONE;
}

static void offer(struct suggest *s, const struct resolving *r, const char *name)
{
    suggest_offer(s, name);
    suggest_offer(s, arena_printf(r->l->arena, "isp_%s", name));
}

static void say_unknown(struct placing *p, const struct yaml_node *at)
{
    const struct resolving *r = p->r;
    char shown[128], near[128];
    struct suggest s = suggest_for(at->text);
    static const char *const words[] = {"party", "global",   "relay",    "turn",
                                        "mix",   "provider", "directory"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        suggest_offer(&s, words[i]);
    for (size_t g = 0; g < r->n_groups; g++)
        for (uint32_t i = 0; r->groups[g].name && i < r->groups[g].count && i < 100; i++)
            offer(&s, r, r->groups[g].members[i]);
    for (party_t i = 0; r->n_groups == 0 && i < r->roster->n && i < 1000; i++)
        offer(&s, r, r->entries[i].name);
    for (uint32_t i = 0; r->cell->spec.regions && i < r->cell->spec.regions->n; i++)
        suggest_offer(&s, arena_printf(r->l->arena, "region_%s", r->cell->spec.regions->names[i]));
    RESOLVE_SAY(r, at,
                "there is no place %s: expected a party, a service, a role, isp_NAME, "
                "region_NAME, link_NAME_NAME or global%s",
                diag_quote(at->text, shown, sizeof shown), suggest_text(&s, near, sizeof near));
    p->good = false;
}

static void add_named(struct placing *p, const struct yaml_node *at)
{
    const char *name = at->text;
    bool line = name && strncmp(name, "isp_", 4) == 0;
    uint32_t id;
    if (at->kind != YAML_TEXT || at->refused) {
        p->good = false;
        return;
    }
    if (strcmp(name, "global") == 0) {
        add(p, (struct place){.point = SIGHT_LINE, .at = PARTY_NONE, .beyond = PARTY_NONE}, name);
        return;
    }
    id = names_find(&p->r->nodes, name);
    if (id != NAMES_NONE) {
        add_node(p, id);
        return;
    }
    if (line && (id = names_find(&p->r->nodes, name + 4)) != NAMES_NONE) {
        add_line(p, id);
        return;
    }
    if (add_many(p, line ? name + 4 : name, line ? add_line : add_node) || add_border(p, name))
        return;
    if (!elsewhere(p, line ? name + 4 : name))
        say_unknown(p, at);
}

/* ---- coalitions ------------------------------------------------------------------------ */

uint64_t places_combinations(uint32_t n, uint32_t k, uint64_t limit)
{
    uint64_t c = 1;
    if (k > n)
        return 0;
    for (uint32_t i = 1; i <= k; i++) {
        c = c * (n - k + i) / i;
        if (c > limit)
            return limit;
    }
    return c;
}

/* The next one in lexicographic order. */
static void step(uint32_t *pick, uint32_t n, uint32_t k)
{
    uint32_t i = k;
    while (i > 0 && pick[i - 1] == n - k + i - 1)
        i--;
    if (i == 0)
        return;
    pick[i - 1]++;
    for (; i < k; i++)
        pick[i] = pick[i - 1] + 1;
}

/* k different ones of n: Floyd's, then sorted. */
static void draw(struct dice *dice, uint32_t *pick, uint32_t n, uint32_t k)
{
    for (uint32_t j = 0; j < k; j++) {
        uint32_t v = (uint32_t)dice_below(dice, n - k + j + 1), i = 0;
        for (uint32_t x = 0; x < j; x++)
            if (pick[x] == v)
                v = n - k + j;
        for (i = j; i > 0 && pick[i - 1] > v; i--)
            pick[i] = pick[i - 1];
        pick[i] = v;
    }
}

static const char *words_of(const struct placing *p, const uint32_t *pick, uint32_t k)
{
    char text[96] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < k && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " + " : "",
                                p->names[pick[i]]);
    if (p->with && len < sizeof text)
        len += (size_t)snprintf(text + len, sizeof text - len, " with %s", p->with);
    if (len >= sizeof text)
        return arena_printf(p->r->l->arena, "%s + %u more", p->names[pick[0]], (unsigned)k - 1);
    return arena_text(p->r->l->arena, text, len);
}

static struct stake stake_of(const struct placing *p, const uint32_t *pick, uint32_t k)
{
    uint32_t besides = p->base ? p->base->n : 0;
    struct place *places = arena_array(p->r->l->arena, k + besides, sizeof *places);
    for (uint32_t i = 0; i < k; i++)
        places[i] = p->places[pick[i]];
    for (uint32_t i = 0; i < besides; i++)
        places[k + i] = p->base->places[i];
    return (struct stake){.places = places, .n_places = k + besides, .at = words_of(p, pick, k)};
}

static void make_stakes(struct placing *p, uint32_t k, uint32_t draws, struct observer_spec *spec)
{
    struct arena *arena = p->r->l->arena;
    uint32_t n = draws ? draws : (uint32_t)places_combinations(p->n, k, PLACES_COALITIONS_MAX);
    struct stake *stakes = arena_array(arena, n, sizeof *stakes);
    uint32_t *pick = arena_array(arena, k, sizeof *pick);
    struct dice dice = dice_name(p->r->cell->seed, "coalition", p->n, k, 0);
    for (uint32_t i = 0; i < k; i++)
        pick[i] = i;
    for (uint32_t i = 0; i < n; i++) {
        if (draws)
            draw(&dice, pick, p->n, k);
        stakes[i] = stake_of(p, pick, k);
        if (spec->by_worst) /* its name is nobody's business, but it is to be one */
            stakes[i].at = arena_printf(arena, "%u", (unsigned)i);
        if (!draws)
            step(pick, p->n, k);
    }
    spec->stakes = stakes;
    spec->n_stakes = n;
    spec->draws = draws;
}

/* The metric by which a coalition is the worst. */
static bool read_worst(struct placing *p, const struct yaml_node *worst, struct observer_spec *spec)
{
    struct suggest s = suggest_for(worst->text);
    char shown[128], near[128];
    for (int i = 0; i < PRIVACY_COUNT; i++) {
        if (privacy_sense((enum privacy)i) == PRIVACY_NEUTRAL)
            continue;
        suggest_offer(&s, privacy_infos[i].name);
        if (strcmp(privacy_infos[i].name, worst->text) == 0) {
            spec->worst = (enum privacy)i;
            spec->by_worst = true;
        }
    }
    if (!spec->by_worst)
        RESOLVE_SAY(
            p->r, worst, "there is no metric %s that can be worst: see partyline list metrics%s",
            diag_quote(worst->text, shown, sizeof shown), suggest_text(&s, near, sizeof near));
    return spec->by_worst;
}

static bool read_coalitions(struct placing *p, const struct yaml_node *node,
                            struct observer_spec *spec)
{
    const struct yaml_node *size = yaml_get(node, "size");
    uint32_t k = (uint32_t)schema_value("observers[].coalitions.size", size);
    const struct yaml_node *some = yaml_get(node, "draws"), *worst = yaml_get(node, "worst");
    const struct yaml_node *with = yaml_get(node, "with");
    struct placing besides = {.r = p->r, .good = true};
    uint32_t draws = some ? (uint32_t)schema_value("observers[].coalitions.draws", some) : 0;
    if (p->n == 0)
        return true; /* nothing of it is in this cell */
    if (k > p->n) {
        RESOLVE_SAY(p->r, size ? size : node,
                    "coalitions of %u among %u places: expected %u at most", (unsigned)k,
                    (unsigned)p->n, (unsigned)p->n);
        return false;
    }
    if (worst && worst->kind == YAML_TEXT && !worst->refused && !read_worst(p, worst, spec))
        return false;
    if (with)
        add_named(&besides, with);
    if (!besides.good)
        return false;
    spec->coalition = k;
    if (besides.n) {
        p->base = &besides;
        p->with = spec->with = with->text;
        spec->base = besides.places;
        spec->n_base = besides.n;
    }
    if (!draws && places_combinations(p->n, k, PLACES_COALITIONS_MAX + 1) > PLACES_COALITIONS_MAX) {
        if (spec->by_worst) {
            spec->pool = p->places;
            spec->n_pool = p->n;
            return true;
        }
        RESOLVE_SAY(p->r, node,
                    "more than %d coalitions of %u among %u places: expected draws, which takes "
                    "so many of them at random, or worst",
                    PLACES_COALITIONS_MAX, (unsigned)k, (unsigned)p->n);
        return false;
    }
    make_stakes(p, k, draws, spec);
    return true;
}

static void keep_names(struct arena *arena, const struct yaml_node *at, struct observer_spec *spec)
{
    const char **named = arena_array(arena, at->kind == YAML_LIST ? at->n : 1, sizeof *named);
    if (at->kind == YAML_TEXT)
        named[spec->n_named++] = at->text;
    for (uint32_t i = 0; at->kind == YAML_LIST && i < at->n; i++)
        if (at->items[i].value->kind == YAML_TEXT)
            named[spec->n_named++] = at->items[i].value->text;
    spec->named = named;
}

bool places_resolve(struct resolving *r, const struct yaml_node *node, struct observer_spec *spec)
{
    struct placing p = {.r = r, .good = true};
    const struct yaml_node *at = yaml_get(node, "at"), *coalitions = yaml_get(node, "coalitions");
    struct yaml_node standard = {.kind = YAML_TEXT, .text = spec->ops->at};
    if (!at && !spec->ops->at && !coalitions)
        return true;
    if (at)
        keep_names(r->l->arena, at, spec);
    if (!at && !spec->ops->at) {
        add_many(&p, "party", add_node);
        for (party_t i = r->roster->n_parties; i < r->roster->n; i++)
            add_node(&p, i);
    } else if (!at || at->kind == YAML_TEXT) {
        add_named(&p, at ? at : &standard);
    } else {
        for (uint32_t i = 0; i < at->n; i++)
            add_named(&p, at->items[i].value);
        if (at->n == 0) {
            RESOLVE_SAY(r, at, "an observer at no place");
            p.good = false;
        }
    }
    if (!p.good)
        return false;
    if (coalitions && coalitions->kind == YAML_MAP && !coalitions->refused)
        return read_coalitions(&p, coalitions, spec);
    spec->nowhere = p.n == 0;
    if (p.n) {
        uint32_t *all = arena_array(r->l->arena, p.n, sizeof *all);
        struct stake *stake = arena_array(r->l->arena, 1, sizeof *stake);
        for (uint32_t i = 0; i < p.n; i++)
            all[i] = i;
        *stake = stake_of(&p, all, p.n);
        spec->stakes = stake;
        spec->n_stakes = 1;
    }
    return true;
}
