#include "engine/run/local_hosts.h"
#include "engine/run/local_node.h"

#include "engine/plugins.h"
#include "engine/run/files.h"

#include <stdarg.h>
#include <stdlib.h>

enum { RESULT_MAX_BYTES = 256 << 20 };

int local_result_write(const char *path, const char *name, const struct local_result *r,
                       struct err *e)
{
    json_t *o = json_pack("{s:i, s:s, s:b, s:b, s:o}", "schema", 1, "node", name, "done",
                          (int)r->outcome.done, "timed_out", (int)r->timed_out, "trial",
                          trial_encode(&r->record));
    int rc;
    if (!o)
        return err_set(e, ERR_NOMEM, "%s: no memory", path);
    if (r->outcome.result) {
        char *hex = malloc(2 * r->outcome.len + 1);
        if (hex) {
            local_hex(r->outcome.result, r->outcome.len, hex);
            json_object_set_new(o, "result", json_string(hex));
        }
        free(hex);
    }
    if (r->outcome.failure)
        json_object_set_new(o, "failure", json_string(r->outcome.failure));
    if (r->waits)
        json_object_set_new(o, "waits", json_string(r->waits));
    rc = files_write_json(path, o, e);
    json_decref(o);
    return rc;
}

static int decode(const json_t *o, struct local_result *r, struct err *e)
{
    const json_t *result = json_object_get(o, "result"), *done = json_object_get(o, "done");
    const char *failure = json_string_value(json_object_get(o, "failure"));
    const char *waits = json_string_value(json_object_get(o, "waits"));
    int rc = trial_decode(json_object_get(o, "trial"), &r->record, e);
    if (rc != OK)
        return rc;
    if (json_integer_value(json_object_get(o, "schema")) != 1 || !json_is_boolean(done))
        return err_set(e, ERR_FORMAT, "not a node's result");
    r->outcome.done = json_is_true(done);
    r->timed_out = json_is_true(json_object_get(o, "timed_out"));
    if (result) {
        size_t len = json_string_length(result);
        uint8_t *bytes = malloc(len / 2 + 1);
        if (bytes)
            bytes[len / 2] = 0;
        r->outcome.result = bytes;
        r->outcome.len = len / 2;
        if (!bytes || !json_is_string(result) ||
            !local_unhex(json_string_value(result), len, bytes, len / 2))
            return err_set(e, ERR_FORMAT, "a node's result that is not hexadecimal");
    }
    r->outcome.failure = failure ? strdup(failure) : NULL;
    r->waits = waits ? strdup(waits) : NULL;
    return OK;
}

int local_result_read(const char *path, struct local_result *r, struct err *e)
{
    char *text;
    size_t len;
    json_t *o;
    int rc = files_read(path, RESULT_MAX_BYTES, &text, &len, e);
    *r = (struct local_result){0};
    if (rc != OK)
        return rc;
    o = json_loadb(text, len, 0, NULL);
    free(text);
    rc = o ? decode(o, r, e) : err_set(e, ERR_FORMAT, "%s: not JSON", path);
    json_decref(o);
    if (rc != OK)
        local_result_free(r);
    return rc;
}

void local_result_free(struct local_result *r)
{
    free((void *)(uintptr_t)r->outcome.result);
    free((void *)(uintptr_t)r->outcome.failure);
    free(r->waits);
    trial_record_free(&r->record);
    *r = (struct local_result){0};
}

/* ---- many nodes' as one trial's -------------------------------------------------------- */

/* A text of the plugins' own, which outlives the trial. */
static const char *lasting(const char *text)
{
    static const char *const facts[] = {"party_address", "party_member", "party_pair",
                                        "party_input"};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(facts[i], text) == 0)
            return facts[i];
    return NULL;
}

static int add_exposures(struct trial_result *to, const struct trial_record *from, uint32_t nodes)
{
    struct exposure *rows =
        realloc(to->exposures, (to->n_exposures + from->n_exposures + 1) * sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    to->exposures = rows;
    for (size_t i = 0; i < from->n_exposures; i++) {
        const struct exposure_row *x = &from->exposures[i];
        const struct observer *o = plugin_observer(x->observer);
        const char *what = lasting(x->what);
        if (x->who >= nodes && x->who < 2 * nodes)
            continue; /* of its line, which others see (replay.h) */
        if (!o || !what || x->who >= nodes || (x->whom >= nodes && x->whom != PARTY_NONE) ||
            (x->other >= nodes && x->other != PARTY_NONE))
            return ERR_FORMAT;
        rows[to->n_exposures++] = (struct exposure){.observer = o->name,
                                                    .what = what,
                                                    .who = x->who,
                                                    .whom = x->whom,
                                                    .other = x->other,
                                                    .level = x->level,
                                                    .first = x->first};
    }
    return OK;
}

void local_result_why(struct trial_result *r, const char *format, ...)
{
    char line[1024];
    size_t len = r->why ? strlen(r->why) : 0;
    char *more;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    more = realloc(r->why, len + strlen(line) + 2);
    if (!more)
        return;
    r->why = more;
    memcpy(more + len, line, strlen(line) + 1);
    strcat(more, "\n");
}

int local_result_merge(const struct trial_spec *t, party_t id, struct local_result *one,
                       struct trial_result *r)
{
    int rc = metrics_merge(&r->metrics, &one->record.metrics);
    if (rc == OK)
        rc = add_exposures(r, &one->record, t->roster->n);
    if (id < t->roster->n_parties) {
        r->outcomes[id] = one->outcome;
        one->outcome = (struct outcome){0};
        if (!r->outcomes[id].done && !r->outcomes[id].failure)
            local_result_why(r, "%s %s", t->roster->entries[id].name,
                             one->waits && one->waits[0] ? one->waits
                                                         : "waits for nobody that it can name");
    }
    r->timed_out |= one->timed_out;
    r->ended = one->record.ended > r->ended ? one->record.ended : r->ended;
    return rc;
}
