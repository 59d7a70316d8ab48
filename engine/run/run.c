#include "engine/run/run.h"

#include "engine/base/bytes.h"
#include "engine/run/files.h"
#include "engine/run/outputs.h"
#include "engine/run/run_trial.h"
#include "engine/run/workers.h"

#include <stdlib.h>
#include <time.h>

/* ---- what to run ---------------------------------------------------------------------- */

static bool wanted(const struct cell *c, const struct run_options *opts)
{
    for (size_t i = 0; i < opts->n_only; i++) {
        bool found = false;
        for (size_t a = 0; a < c->n_axes; a++)
            found |= strcmp(c->axes[a].name, opts->only[i].path) == 0 &&
                     strcmp(c->axes[a].value, opts->only[i].value) == 0;
        if (!found)
            return false;
    }
    return true;
}

struct refusals {
    struct diag_list *diags;
    const struct scenario *scenario;
    const char *world;
};

static void refuse(void *ctx, int line, const char *text)
{
    struct refusals *r = ctx;
    diag_add(r->diags, r->scenario->source, line, 0, "the world %s can't honour this: %s", r->world,
             text);
}

static void name_run(struct run *r)
{
    XXH3_state_t *h = XXH3_createState();
    uint64_t head[4] = {r->scenario->digest, r->scenario->seed, r->n_trials, 1};
    uint8_t bytes[8];
    if (!h)
        abort();
    XXH3_64bits_reset(h);
    for (int i = 0; i < 4 + (int)r->n_cells * 2; i++) {
        uint64_t v = i < 4   ? head[i]
                     : i % 2 ? r->cells[(i - 4) / 2].cell->repeat
                             : r->cells[(i - 4) / 2].cell->index;
        for (int b = 0; b < 8; b++)
            bytes[b] = (uint8_t)(v >> (8 * b));
        XXH3_64bits_update(h, bytes, sizeof bytes);
    }
    XXH3_64bits_update(h, r->opts.world->name, strlen(r->opts.world->name));
    for (size_t i = 0; i < r->n_cells; i++) {
        char *text = json_dumps(r->cells[i].cell->json, JSON_SORT_KEYS | JSON_COMPACT);
        if (text)
            XXH3_64bits_update(h, text, strlen(text));
        free(text);
    }
    snprintf(r->id, sizeof r->id, "%016llx", (unsigned long long)XXH3_64bits_digest(h));
    XXH3_freeState(h);
}

int run_init(struct run *r, const struct scenario *s, const struct run_options *opts,
             struct diag_list *diags, struct err *e)
{
    struct refusals refusals = {diags, s, opts->world->name};
    bool good = true;
    *r = (struct run){.scenario = s, .opts = *opts};
    r->cells = calloc(s->n_cells + 1, sizeof *r->cells);
    if (!r->cells)
        return err_set(e, ERR_NOMEM, "no memory for %zu cells", s->n_cells);
    for (size_t i = 0; i < s->n_cells; i++) {
        struct run_cell *c = &r->cells[r->n_cells];
        if (!wanted(&s->cells[i], opts))
            continue;
        c->cell = &s->cells[i];
        r->n_cells++;
        r->n_trials += c->cell->repeat;
        good &= opts->world->check(&c->cell->spec, refuse, &refusals) == OK;
    }
    if (r->n_cells == 0)
        return err_set(e, ERR_ABSENT, "no cell of the matrix matches --only");
    for (size_t i = 0; good && i < r->n_cells; i++) {
        const struct trial_spec *t = &r->cells[i].cell->spec;
        const char *dropped = opts->world->drops ? opts->world->drops(t) : NULL;
        if (dropped) {
            fprintf(stderr, "partyline: %s: warning: in the world %s %s\n", s->file,
                    opts->world->name, dropped);
            break;
        }
    }
    if (!good)
        return err_set(e, ERR_INVALID, "the world %s can't honour this scenario",
                       opts->world->name);
    name_run(r);
    if (opts->out)
        snprintf(r->dir, sizeof r->dir, "%s", opts->out);
    else
        snprintf(r->dir, sizeof r->dir, "results/%s/%s-%s", s->name, opts->world->name, r->id);
    for (size_t i = 0; i < r->n_cells; i++) {
        struct run_cell *c = &r->cells[i];
        c->verdicts = calloc(c->cell->n_expects + 1, sizeof *c->verdicts);
        if (!c->verdicts || people_make(&c->people, &c->cell->spec, c->cell->seed) != OK ||
            tally_init(&c->tally, &c->cell->spec, c->cell->repeat) != OK)
            return err_set(e, ERR_NOMEM, "no memory for a cell");
        c->tally.privacy.segments = opts->world->real;
    }
    return OK;
}

void run_free(struct run *r)
{
    for (size_t i = 0; i < r->n_cells; i++) {
        if (r->cells[i].tally.spec)
            tally_free(&r->cells[i].tally);
        people_free(&r->cells[i].people);
        free(r->cells[i].verdicts);
    }
    free(r->cells);
    json_decref(r->world_env);
    *r = (struct run){0};
}

/* ---- running -------------------------------------------------------------------------- */

/* Trial number i of the run, counted through all its cells. */
static struct run_cell *nth(struct run *r, uint32_t i, uint32_t *k)
{
    struct run_cell *c = r->cells;
    while (i >= c->cell->repeat) {
        i -= c->cell->repeat;
        c++;
    }
    *k = i;
    return c;
}

static bool there_already(void *ctx, uint32_t i)
{
    struct run *r = ctx;
    struct trial_record rec;
    uint32_t k;
    struct run_cell *c = nth(r, i, &k);
    if (!r->opts.resume || run_trial_load(r, c->cell, k, &rec, NULL) != OK)
        return false;
    trial_record_free(&rec);
    return true;
}

static int do_trial(void *ctx, uint32_t i, uint64_t *events, struct err *e)
{
    uint32_t k;
    struct run_cell *c = nth(ctx, i, &k);
    return run_trial(ctx, c->cell, k, events, e);
}

static int add_up(struct run *r, struct err *e)
{
    int rc = OK;
    for (size_t i = 0; i < r->n_cells; i++) {
        struct run_cell *c = &r->cells[i];
        for (uint32_t k = 0; rc == OK && k < c->cell->repeat; k++) {
            struct trial_record rec;
            rc = run_trial_load(r, c->cell, k, &rec, e);
            if (rc != OK)
                break;
            rc = tally_add(&c->tally, &rec);
            if (rc != OK)
                err_set(e, rc, "%s", err_name(rc));
            trial_record_free(&rec);
        }
    }
    return rc;
}

/* Of its cells' digests, in their order. */
static uint64_t digest_of(const struct run *r)
{
    XXH3_state_t *h = XXH3_createState();
    uint64_t digest;
    if (!h)
        abort();
    XXH3_64bits_reset(h);
    for (size_t i = 0; i < r->n_cells; i++) {
        uint8_t bytes[8];
        put_le64(bytes, tally_digest(&r->cells[i].tally));
        XXH3_64bits_update(h, bytes, sizeof bytes);
    }
    digest = XXH3_64bits_digest(h);
    XXH3_freeState(h);
    return digest;
}

/* Does it speak of what a real world has no model of, or what it did not measure? */
static bool beyond(const struct world *w, const struct expect *x, const struct expect_result *res)
{
    bool beyond_it = res->absent;
    for (size_t i = 0; i < x->n; i++)
        beyond_it |= x->terms[i].unit == OPT_DURATION || strstr(x->terms[i].path, ".nat_") ||
                     strstr(x->terms[i].path, ".wire_");
    return w->real && beyond_it;
}

int run_judge(struct run *r)
{
    bool failed = false, unmet = false;
    r->digest = digest_of(r);
    for (size_t i = 0; i < r->n_cells; i++) {
        struct run_cell *c = &r->cells[i];
        for (size_t j = 0; j < c->cell->n_expects; j++) {
            const struct cell_expect *x = &c->cell->expects[j];
            c->verdicts[j] = (struct run_verdict){
                .line = x->line,
                .text = x->expect->text,
                .result = expect_eval(x->expect, tally_lookup, &c->tally),
            };
            c->completion_judged |= expect_of_completion(x->expect);
            c->verdicts[j].unjudged = beyond(r->opts.world, x->expect, &c->verdicts[j].result);
            unmet |= !c->verdicts[j].result.met && !c->verdicts[j].unjudged;
        }
        failed |= c->tally.wrong > 0 || c->tally.invalid ||
                  (c->tally.unfinished > 0 && !c->completion_judged);
    }
    return failed ? EXIT_TRIAL_FAILED : unmet ? EXIT_UNMET : EXIT_DONE;
}

/* Is the folder free, or this very run's? */
static int claim_folder(struct run *r, struct err *e)
{
    char path[PATH_MAX + 32], *text;
    size_t len;
    const char *id;
    json_t *o;
    int rc;
    snprintf(path, sizeof path, "%s/trials", r->dir);
    rc = files_make_dir(path, e);
    if (rc != OK)
        return rc;
    snprintf(path, sizeof path, "%s/manifest.json", r->dir);
    rc = files_read(path, RUN_FILE_MAX, &text, &len, e);
    if (rc != OK)
        return rc == ERR_ABSENT ? OK : rc;
    o = json_loadb(text, len, 0, NULL);
    free(text);
    id = json_string_value(json_object_get(o, "run"));
    rc =
        id && strcmp(id, r->id) == 0
            ? OK
            : err_set(e, ERR_EXISTS,
                      "%s holds another run; name another folder with --out, or remove it", r->dir);
    json_decref(o);
    return rc;
}

/* Tells the world that a run begins. EXIT_DONE, or how the run ends. */
static int begin_world(struct run *r, const struct trial_spec **cells)
{
    const struct world *w = r->opts.world;
    char share[PATH_MAX];
    struct err e = {0};
    int rc;
    snprintf(share, sizeof share, "%s/..", scenario_data_dir());
    for (size_t i = 0; i < r->n_cells; i++)
        cells[i] = &r->cells[i].cell->spec;
    rc = w->begin(&(struct world_run){.cells = cells,
                                      .n_cells = r->n_cells,
                                      .inventory = r->opts.inventory,
                                      .share = share,
                                      .dir = r->dir,
                                      .quiet = r->opts.quiet},
                  &e);
    if (rc == OK)
        return EXIT_DONE;
    fprintf(stderr, "partyline: %s\n", e.text);
    return rc == ERR_INVALID  ? EXIT_USAGE
           : rc == ERR_ABSENT ? EXIT_LACKING
           : rc == ERR_CLOSED ? EXIT_INTERRUPTED
                              : EXIT_PROVISIONING;
}

/* What it has to say at the end, and the code that this comes to. */
static int end_world(struct run *r)
{
    struct world_verdict v = {0};
    r->opts.world->end(&v);
    r->world_env = v.env;
    if (v.left[0])
        fprintf(stderr, "partyline: left behind: %s\n", v.left);
    if (v.poor[0])
        fprintf(stderr, "partyline: the measurement is poor: %s\n", v.poor);
    return v.left[0] ? EXIT_LEFT_BEHIND : v.poor[0] ? EXIT_POOR : EXIT_DONE;
}

static int run_trials(struct run *r, struct workers_report *report, struct err *e)
{
    struct timespec from, to;
    int rc;
    clock_gettime(CLOCK_MONOTONIC, &from);
    rc = workers_run(&(struct workers){.jobs = r->opts.world->begin ? 1 : r->opts.jobs,
                                       .n = r->n_trials,
                                       .quiet = r->opts.quiet,
                                       .title = r->scenario->name,
                                       .done_before = there_already,
                                       .work = do_trial,
                                       .ctx = r},
                     report, e);
    clock_gettime(CLOCK_MONOTONIC, &to);
    r->wall_s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
    r->events = report->events;
    r->peak_kib = report->peak_kib;
    r->n_redone = report->ran;
    return rc;
}

int run_all(struct run *r)
{
    struct err e = {0};
    struct workers_report report = {0};
    const struct trial_spec **cells = NULL;
    int code, begun = EXIT_DONE, world = EXIT_DONE, rc = claim_folder(r, &e);
    if (rc != OK) {
        fprintf(stderr, "partyline: %s\n", e.text);
        return rc == ERR_EXISTS ? EXIT_USAGE : EXIT_LACKING;
    }
    rc = outputs_manifest(r, &e);
    if (rc == OK && r->opts.world->begin) {
        cells = calloc(r->n_cells + 1, sizeof *cells);
        begun = cells ? begin_world(r, cells) : EXIT_LACKING;
    }
    if (rc == OK && begun == EXIT_DONE)
        rc = run_trials(r, &report, &e);
    if (cells)
        world = end_world(r);
    free(cells);
    if (report.interrupted) {
        fprintf(stderr, "partyline: interrupted; what was finished is in %s (--resume goes on)\n",
                r->dir);
        return EXIT_INTERRUPTED;
    }
    if (begun != EXIT_DONE)
        return begun;
    if (rc == OK)
        rc = add_up(r, &e);
    code = run_judge(r);
    code = code != EXIT_DONE ? code : world;
    if (rc == OK)
        rc = outputs_write(r, code, &e);
    if (rc == OK)
        return code;
    fprintf(stderr, "partyline: %s\n", e.text);
    return rc == ERR_IO || rc == ERR_NOMEM ? EXIT_LACKING : EXIT_BUG;
}
