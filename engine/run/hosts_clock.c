#include "engine/run/hosts_world.h"

#include "engine/run/files.h"

#include <stdlib.h>
#include <string.h>

static bool own_kernel(const struct hosts_machine *m)
{
    char *text;
    size_t len;
    bool same = false;
    if (files_read("/proc/sys/kernel/random/boot_id", 0x100, &text, &len, NULL) != OK)
        return false;
    same = m->boot[0] && strncmp(text, m->boot, strlen(m->boot)) == 0;
    free(text);
    return same;
}

bool hosts_clock_one(const struct hosts_session *s, const struct trial_spec *t)
{
    bool one = true;
    for (party_t i = 0; i < t->roster->n; i++)
        one &= own_kernel(&s->machines[hosts_machine_of(s, t->roster->entries[i].name)]);
    return one;
}

ns_t hosts_clock_bound(const struct hosts_session *s, const struct trial_spec *t)
{
    ns_t worst = 0, second = 0;
    size_t first = s->n_machines;
    if (hosts_clock_one(s, t))
        return 0;
    for (party_t i = 0; i < t->roster->n; i++) {
        size_t at = hosts_machine_of(s, t->roster->entries[i].name);
        ns_t bound = s->machines[at].clock_bound;
        if (bound < 0)
            return -1;
        if (at == first)
            continue;
        if (first == s->n_machines || bound > worst) {
            second = first == s->n_machines ? 0 : worst;
            worst = bound;
            first = at;
        } else if (bound > second) {
            second = bound;
        }
    }
    return worst + second;
}

/* One-way delays stay if the clocks are good enough for the smallest of them. */
int hosts_clock_judge(const struct hosts_session *s, const struct trial_spec *t, const char *trial,
                      struct trial_result *r, struct err *e)
{
    static const int one_way[] = {METRIC_MESSAGE, METRIC_PACKET};
    ns_t bound = hosts_clock_bound(s, t);
    char path[PATH_MAX + 64];
    json_t *o = json_object();
    uint64_t negative = 0;
    bool left_out = false;
    int rc;
    for (size_t i = 0; i < sizeof one_way / sizeof *one_way; i++) {
        struct hist *h = &r->metrics.hist[one_way[i]];
        negative += h->negative;
        if (bound < 0 || h->negative || (hist_count(h) && hist_min(h) / 10 < bound)) {
            left_out |= hist_count(h) > 0 || h->negative;
            hist_free(h);
        }
    }
    json_object_set_new(o, "clock_bound_ns", bound < 0 ? json_null() : json_integer(bound));
    json_object_set_new(o, "negative", json_integer((json_int_t)negative));
    json_object_set_new(o, "one_way", json_string(left_out ? "left out" : "kept"));
    snprintf(path, sizeof path, "%s/hosts/%s/clock.json", s->results, trial);
    rc = files_write_json(path, o, e);
    json_decref(o);
    return rc;
}
