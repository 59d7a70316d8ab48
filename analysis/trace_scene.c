#include "analysis/trace_scene.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -2 };
/* An arrow's beginning, or too much to be seen. */
enum { UNDRAWN = 1 << TRACE_ROOM | 1 << TRACE_SEND | TRACE_OF_TRANSPORT | TRACE_OF_CHANNEL };

/* ---- arrays --------------------------------------------------------------------------- */

/* One more item at the end of an array, all zero; NULL: no memory. */
static void *more(void *array, size_t *n, size_t *cap, size_t size)
{
    char **at = array, *bigger;
    if (*n == *cap) {
        size_t want = *cap ? 2 * *cap : 64;
        bigger = realloc(*at, want * size);
        if (!bigger)
            return NULL;
        *at = bigger;
        *cap = want;
    }
    bigger = *at + (*n)++ * size;
    memset(bigger, 0, size);
    return bigger;
}

#define MORE(s, what) more(&(s)->what, &(s)->n_##what, &(s)->cap_##what, sizeof *(s)->what)

/* Where a name is, or would be. */
static uint32_t *place_of(const struct scene *s, const char *name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (const char *c = name; *c; c++)
        h = (h ^ (uint8_t)*c) * 16777619u;
    for (;; h++) {
        uint32_t *place = &s->places[h & (s->n_places - 1)];
        if (!*place || strcmp(s->nodes[*place - 1].name, name) == 0)
            return place;
    }
}

static int make_places(struct scene *s)
{
    size_t n = s->n_places ? 2 * s->n_places : 256;
    uint32_t *places = calloc(n, sizeof *places);
    if (!places)
        return ERR_NOMEM;
    free(s->places);
    s->places = places;
    s->n_places = n;
    for (size_t i = 0; i < s->n_nodes; i++)
        *place_of(s, s->nodes[i].name) = (uint32_t)i + 1;
    return OK;
}

/* The node of that name, new or not; SCENE_WORLD; NO_MEMORY. */
static int node_of(struct scene *s, const char *name)
{
    struct scene_node *n;
    uint32_t *place;
    char *copy;
    if (!name || strcmp(name, "-") == 0)
        return SCENE_WORLD;
    if (2 * s->n_nodes >= s->n_places && make_places(s) != OK)
        return NO_MEMORY;
    place = place_of(s, name);
    if (*place)
        return (int)*place - 1;
    copy = strdup(name);
    n = copy ? MORE(s, nodes) : NULL;
    if (!n) {
        free(copy);
        return NO_MEMORY;
    }
    *n = (struct scene_node){.name = copy, .column = -1};
    *place = (uint32_t)s->n_nodes;
    return (int)s->n_nodes - 1;
}

static void set_why(char why[SCENE_WHY], const char *text)
{
    size_t n = text ? strlen(text) : 0;
    if (n >= SCENE_WHY)
        n = SCENE_WHY - 1;
    if (n)
        memcpy(why, text, n);
    why[n] = 0;
}

/* ---- reading -------------------------------------------------------------------------- */

static bool same_arrow(const struct scene_arrow *a, const struct scene_arrow *b)
{
    return a->from == b->from && a->to == b->to && a->sent == b->sent && a->came == b->came &&
           a->lost == b->lost && strcmp(a->why, b->why) == 0;
}

static int add_arrow(struct scene *s, const struct scene_arrow *a)
{
    struct scene_arrow *slot;
    size_t i = s->n_arrows;
    while (i > 0 && s->arrows[i - 1].came == a->came)
        if (same_arrow(&s->arrows[--i], a)) {
            s->arrows[i].bytes += a->bytes;
            s->arrows[i].count++;
            return OK;
        }
    if (s->n_arrows == TRACE_SVG_ARROWS) {
        s->size.left_out++;
        return OK;
    }
    slot = MORE(s, arrows);
    if (!slot)
        return ERR_NOMEM;
    *slot = *a;
    return OK;
}

/* What still holds when the window begins. */
static void before(struct scene *s, enum trace_kind kind, int node)
{
    if (kind == TRACE_PARTITION || kind == TRACE_LINK)
        s->depth++;
    else if (kind == TRACE_HEAL)
        s->depth--;
    else if (node >= 0 && (kind == TRACE_CRASH || kind == TRACE_RESTART))
        s->nodes[node].down = kind == TRACE_CRASH;
}

static int take(struct scene *s, const struct trace_line *l, const struct trace_filter *f)
{
    bool came = l->kind == TRACE_DATA || l->kind == TRACE_DELIVER;
    bool message = came || l->kind == TRACE_LOST;
    int node = node_of(s, l->node), peer = node_of(s, l->peer);
    struct scene_mark *m;
    if (node == NO_MEMORY || peer == NO_MEMORY)
        return ERR_NOMEM;
    if (!trace_filter_concerns(f, l) || l->sent >= f->until || (message && node < 0))
        return OK;
    if (l->at < f->from) {
        before(s, l->kind, node);
        return OK;
    }
    if (message) {
        struct scene_arrow a = {.from = came ? peer : node,
                                .to = came ? node : peer,
                                .sent = l->sent,
                                .came = l->at,
                                .bytes = l->bytes,
                                .count = 1,
                                .lost = l->kind == TRACE_LOST};
        set_why(a.why, l->kind == TRACE_LOST ? l->more : NULL);
        return a.from < 0 ? OK : add_arrow(s, &a);
    }
    if (l->at >= f->until || 1U << l->kind & UNDRAWN)
        return OK;
    m = MORE(s, marks);
    if (!m)
        return ERR_NOMEM;
    *m = (struct scene_mark){.kind = l->kind, .node = node, .at = l->at};
    set_why(m->why, l->more);
    return OK;
}

static int read_lines(struct scene *s, FILE *lines, const struct trace_filter *f, struct err *e)
{
    unsigned long number = 0;
    char *text = NULL;
    size_t cap = 0;
    int rc = OK;
    while (rc == OK && getline(&text, &cap, lines) >= 0) {
        struct trace_line l;
        number++;
        rc = trace_line_parse(text, &l);
        if (rc == OK)
            rc = take(s, &l, f);
        else if (rc == ERR_FORMAT)
            err_set(e, rc, "line %lu is none of a trace", number);
        else
            rc = OK;
    }
    free(text);
    return rc == ERR_NOMEM ? err_set(e, rc, "no memory for the diagram") : rc;
}

/* ---- columns and moments -------------------------------------------------------------- */

static void show_node(struct scene *s, int node)
{
    if (node >= 0)
        s->nodes[node].column = 0;
}

static int number_columns(struct scene *s, struct err *e)
{
    for (size_t i = 0; i < s->n_arrows; i++) {
        show_node(s, s->arrows[i].from);
        show_node(s, s->arrows[i].to);
    }
    for (size_t i = 0; i < s->n_marks; i++)
        show_node(s, s->marks[i].node);
    for (size_t i = 0; i < s->n_nodes; i++)
        if (s->nodes[i].column == 0)
            s->nodes[i].column = (int)s->n_columns++;
    if (s->n_columns > TRACE_SVG_NODES)
        return err_set(e, ERR_LIMIT,
                       "%zu nodes are too many for a diagram, which takes %d; "
                       "choose with --party or --link",
                       s->n_columns, TRACE_SVG_NODES);
    return s->n_columns ? OK : err_set(e, ERR_ABSENT, "nothing of this trial is in the diagram");
}

static int add_moment(struct scene *s, ns_t t, const struct trace_filter *f)
{
    ns_t *slot = MORE(s, moments);
    if (!slot)
        return ERR_NOMEM;
    *slot = t < f->from ? f->from : t > f->until ? f->until : t;
    return OK;
}

static int rising(const void *a, const void *b)
{
    const ns_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int find_moments(struct scene *s, const struct trace_filter *f)
{
    size_t kept = 0;
    int rc = OK;
    for (size_t i = 0; rc == OK && i < s->n_arrows; i++) {
        rc = add_moment(s, s->arrows[i].sent, f);
        if (rc == OK)
            rc = add_moment(s, s->arrows[i].came, f);
    }
    for (size_t i = 0; rc == OK && i < s->n_marks; i++)
        rc = add_moment(s, s->marks[i].at, f);
    if (rc != OK)
        return rc;
    qsort(s->moments, s->n_moments, sizeof *s->moments, rising);
    for (size_t i = 0; i < s->n_moments; i++)
        if (kept == 0 || s->moments[kept - 1] != s->moments[i])
            s->moments[kept++] = s->moments[i];
    s->n_moments = kept;
    s->size.from = s->moments[0];
    s->size.until = s->moments[kept - 1];
    return OK;
}

/* ---- the axis ------------------------------------------------------------------------- */

/* Tenths of a pixel for a gap, at a scale in nanoseconds per tenth. */
static int gap_height(ns_t gap, ns_t scale)
{
    return gap / scale >= SCENE_GAP ? SCENE_GAP : (int)(gap / scale);
}

static int64_t lay_out(struct scene *s, ns_t scale)
{
    int64_t h = 0;
    for (size_t i = 0; i < s->n_moments; i++) {
        if (i > 0)
            h += gap_height(s->moments[i] - s->moments[i - 1], scale);
        s->heights[i] = (int)h;
    }
    return h;
}

/* The finest scale at which the picture is not higher than it needs to be. */
static int make_axis(struct scene *s)
{
    int64_t want = 3000 + 110 * (int64_t)(s->n_arrows + s->n_marks / 4);
    ns_t fine = 1, coarse = NS_S * 1000;
    s->heights = calloc(s->n_moments, sizeof *s->heights);
    if (!s->heights)
        return ERR_NOMEM;
    if (want > 100000)
        want = 100000;
    while (fine < coarse) {
        ns_t middle = fine + (coarse - fine) / 2;
        if (lay_out(s, middle) > want)
            fine = middle + 1;
        else
            coarse = middle;
    }
    lay_out(s, fine);
    return OK;
}

int scene_height(const struct scene *s, ns_t t)
{
    size_t lo = 0, hi = s->n_moments - 1;
    if (t <= s->moments[0])
        return 0;
    while (lo < hi) {
        size_t middle = (lo + hi + 1) / 2;
        if (s->moments[middle] <= t)
            lo = middle;
        else
            hi = middle - 1;
    }
    return s->heights[lo];
}

int scene_read(struct scene *s, FILE *lines, const struct trace_filter *f, struct err *e)
{
    int rc;
    memset(s, 0, sizeof *s);
    rc = read_lines(s, lines, f, e);
    if (rc == OK)
        rc = number_columns(s, e);
    if (rc != OK)
        return rc;
    rc = find_moments(s, f);
    if (rc == OK)
        rc = make_axis(s);
    s->size.nodes = s->n_columns;
    for (size_t i = 0; i < s->n_arrows; i++)
        *(s->arrows[i].lost ? &s->size.lost : &s->size.messages) += s->arrows[i].count;
    return rc == OK ? OK : err_set(e, rc, "no memory for the diagram");
}

void scene_free(struct scene *s)
{
    for (size_t i = 0; i < s->n_nodes; i++)
        free(s->nodes[i].name);
    free(s->nodes);
    free(s->places);
    free(s->arrows);
    free(s->marks);
    free(s->moments);
    free(s->heights);
}
