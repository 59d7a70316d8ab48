#include "engine/base/map.h"

#include "engine/base/err.h"
#include "engine/base/pages.h"

#include <assert.h>

enum { FIRST_CAP = 4 };

/* The slot that holds the key, or the empty one where it belongs. */
static uint32_t find(const struct map *m, uint32_t key)
{
    uint32_t i = map_home(m, key);
    while (m->slots[i].key && m->slots[i].key != key)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static int grow(struct map *m)
{
    struct map bigger = {.n = m->n, .cap = m->cap ? 2 * m->cap : FIRST_CAP};
    if (bigger.cap < m->cap)
        return ERR_NOMEM;
    bigger.slots = pages_take(bigger.cap * sizeof *bigger.slots);
    if (!bigger.slots)
        return ERR_NOMEM;
    if (m->cap == 0 && m->n)
        bigger.slots[find(&bigger, m->one.key)] = m->one;
    for (uint32_t i = 0; i < m->cap; i++)
        if (m->slots[i].key)
            bigger.slots[find(&bigger, m->slots[i].key)] = m->slots[i];
    map_free(m);
    *m = bigger;
    return OK;
}

int map_put(struct map *m, uint32_t key, uint32_t value)
{
    uint32_t i;
    assert(key);
    if (m->cap == 0 && (m->n == 0 || m->one.key == key)) {
        m->one = (struct map_slot){.key = key, .value = value};
        m->n = 1;
        return OK;
    }
    if (m->n >= m->cap / 4 * 3 && grow(m) != OK)
        return ERR_NOMEM;
    i = find(m, key);
    m->n += m->slots[i].key == 0;
    m->slots[i] = (struct map_slot){.key = key, .value = value};
    return OK;
}

bool map_remove(struct map *m, uint32_t key)
{
    uint32_t hole, i;
    if (m->n == 0 || key == 0)
        return false;
    if (m->cap == 0 && m->one.key == key)
        m->n = 0;
    if (m->cap == 0)
        return m->n == 0;
    hole = find(m, key);
    if (!m->slots[hole].key)
        return false;
    /* Whatever follows in the run moves up if its own way passes the hole. */
    for (i = (hole + 1) & (m->cap - 1); m->slots[i].key; i = (i + 1) & (m->cap - 1)) {
        uint32_t way = (i - map_home(m, m->slots[i].key)) & (m->cap - 1);
        if (way >= ((i - hole) & (m->cap - 1))) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].key = 0;
    m->n--;
    return true;
}

void map_free(struct map *m)
{
    if (m->cap)
        pages_give(m->slots);
    *m = (struct map){0};
}
