#include "engine/cmd/cmd.h"

#include "analysis/load.h"
#include "engine/run/evlog.h"
#include "engine/run/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cmd_option options[] = {
    {"--reason", "TEXT", "why the change is right; goes into the baseline's CHANGES (required)"},
    {"--to", "DIR", "where baselines are (default results/baselines)"},
    {"--help", NULL, "this text"},
    {0},
};

enum { FILE_MAX = 256 << 20, REASON_MAX = 2000 };

static const char *const kept[] = {"manifest.json", "summary.json", "digest", "exposure.csv"};
enum { N_KEPT = sizeof kept / sizeof *kept };

static int path_in(char out[PATH_MAX], const char *dir, const char *name, struct err *e)
{
    return snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX
               ? OK
               : err_set(e, ERR_INVALID, "%s: the path is too long", dir);
}

static int copy_file(const char *from, const char *to, const char *name, struct err *e)
{
    char a[PATH_MAX], b[PATH_MAX], *text;
    size_t len;
    int rc = path_in(a, from, name, e);
    if (rc == OK)
        rc = path_in(b, to, name, e);
    if (rc == OK)
        rc = files_read(a, FILE_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    rc = files_write(b, text, len, e);
    free(text);
    return rc;
}

/* Those of an older version, or of a real world, have no logs of events. */
static int copy_log(const struct load_run *r, const char *to, uint32_t cell, uint32_t k,
                    struct err *e)
{
    char name[64], path[PATH_MAX];
    struct stat st;
    int rc;
    snprintf(name, sizeof name, EVLOG_NAME, (unsigned)cell, (unsigned)k);
    rc = path_in(path, r->dir, name, e);
    if (rc != OK || stat(path, &st) != 0)
        return rc;
    rc = path_in(path, to, EVLOG_DIR, e);
    if (rc == OK)
        rc = files_make_dir(path, e);
    return rc == OK ? copy_file(r->dir, to, name, e) : rc;
}

static int copy_trials(const struct load_run *r, const char *to, struct err *e)
{
    char name[64];
    int rc = OK;
    for (size_t i = 0; i < r->n_cells; i++)
        for (uint32_t k = 0; rc == OK && k < r->cells[i].n_seeds; k++) {
            snprintf(name, sizeof name, "trials/%u-%u.json", (unsigned)r->cells[i].index,
                     (unsigned)k);
            rc = copy_file(r->dir, to, name, e);
            if (rc == OK)
                rc = copy_log(r, to, r->cells[i].index, k, e);
        }
    return rc;
}

/* Without what a comparison decided: that is of two runs. */
static int copy_verdict(const struct load_run *r, const char *to, struct err *e)
{
    char path[PATH_MAX];
    json_t *verdict = json_copy(r->verdict);
    int rc = path_in(path, to, "verdict.json", e);
    if (rc == OK && verdict) {
        json_object_del(verdict, "compare");
        rc = files_write_json(path, verdict, e);
    }
    json_decref(verdict);
    return rc;
}

static int remove_files(const char *dir, struct err *e)
{
    char path[PATH_MAX];
    struct dirent *d;
    DIR *list = opendir(dir);
    int rc = OK;
    if (!list)
        return OK;
    while (rc == OK && (d = readdir(list)))
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
            (rc = path_in(path, dir, d->d_name, e)) == OK && unlink(path) != 0 && errno != EISDIR &&
            errno != EPERM)
            rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    closedir(list);
    return rc;
}

/* A baseline's folder, its trials/ and its events/: nothing else is ever made there. */
static int remove_baseline(const char *dir, struct err *e)
{
    static const char *const parts[] = {"trials", EVLOG_DIR, "."};
    char path[PATH_MAX];
    int rc = OK;
    for (size_t i = 0; rc == OK && i < 3; i++) {
        if (snprintf(path, sizeof path, "%s/%s", dir, parts[i]) >= PATH_MAX)
            return err_set(e, ERR_INVALID, "%s: the path is too long", dir);
        rc = remove_files(path, e);
        if (rc == OK && rmdir(i < 2 ? path : dir) != 0 && errno != ENOENT)
            rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return rc;
}

/* CHANGES: what it said before, and one more line. */
static int write_changes(const struct load_run *r, const char *before, const char *to,
                         const char *reason, struct err *e)
{
    char path[PATH_MAX], *text = NULL, *all = NULL, was[32] = "none";
    struct load_run old;
    size_t len = 0, n;
    FILE *f;
    int rc = path_in(path, before, "CHANGES", e);
    if (rc == OK && files_read(path, FILE_MAX, &text, &n, NULL) != OK)
        text = NULL;
    if (rc == OK && load_open(before, &old, NULL) == OK) {
        snprintf(was, sizeof was, "%016llx", (unsigned long long)old.digest);
        load_close(&old);
    }
    f = rc == OK ? open_memstream(&all, &len) : NULL;
    if (rc == OK && !f)
        rc = err_set(e, ERR_NOMEM, "no memory for CHANGES");
    if (f) {
        fprintf(f, "%s%s -> %016llx (run %s, Partyline %s, %s): %s\n", text ? text : "", was,
                (unsigned long long)r->digest, r->id, r->version, r->revision, reason);
        rc = fclose(f) == 0 ? path_in(path, to, "CHANGES", e) : ERR_NOMEM;
    }
    if (rc == OK)
        rc = files_write(path, all, len, e);
    free(text);
    free(all);
    return rc;
}

/* The new baseline is made whole beside the old one, then takes its place. */
static int replace(const struct load_run *r, const char *dir, const char *reason, struct err *e)
{
    char made[PATH_MAX], old[PATH_MAX], trials[PATH_MAX];
    int rc = OK;
    if (snprintf(made, sizeof made, "%s.new", dir) >= PATH_MAX ||
        snprintf(old, sizeof old, "%s.old", dir) >= PATH_MAX)
        return err_set(e, ERR_INVALID, "%s: the path is too long", dir);
    rc = remove_baseline(made, e);
    if (rc == OK)
        rc = remove_baseline(old, e);
    if (rc == OK)
        rc = path_in(trials, made, "trials", e);
    if (rc == OK)
        rc = files_make_dir(trials, e);
    for (size_t i = 0; rc == OK && i < N_KEPT; i++)
        rc = copy_file(r->dir, made, kept[i], e);
    if (rc == OK)
        rc = copy_trials(r, made, e);
    if (rc == OK)
        rc = copy_verdict(r, made, e);
    if (rc == OK)
        rc = write_changes(r, dir, made, reason, e);
    if (rc == OK && rename(dir, old) != 0 && errno != ENOENT)
        rc = err_set(e, ERR_IO, "%s: %s", dir, strerror(errno));
    if (rc == OK && rename(made, dir) != 0)
        rc = err_set(e, ERR_IO, "%s: %s", made, strerror(errno));
    return rc == OK ? remove_baseline(old, e) : rc;
}

static bool good_reason(const char *reason)
{
    size_t visible = 0;
    if (!reason) {
        fprintf(stderr, "partyline bless: why? --reason TEXT is required: it goes into CHANGES\n");
        return false;
    }
    for (const char *p = reason; *p; p++) {
        visible += *p != ' ';
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            visible = REASON_MAX; /* refused below */
    }
    if (visible && strlen(reason) < REASON_MAX && visible < REASON_MAX)
        return true;
    fprintf(stderr, "partyline bless: --reason: expected one line of text, of at most %d bytes\n",
            REASON_MAX - 1);
    return false;
}

static int bless_run(struct load_run *r, const char *to, const char *reason)
{
    int64_t code = json_integer_value(json_object_get(r->verdict, "exit"));
    char dir[PATH_MAX];
    struct err e = {0};
    int rc;
    if (code != EXIT_DONE) {
        fprintf(stderr, "partyline bless: %s ended with %d: a baseline meets its expectations\n",
                r->dir, (int)code);
        return (int)code;
    }
    rc = path_in(dir, to, r->scenario, &e);
    if (rc == OK)
        rc = files_make_dir(to, &e);
    if (rc == OK)
        rc = replace(r, dir, reason, &e);
    if (rc != OK) {
        fprintf(stderr, "partyline bless: %s\n", e.text);
        return EXIT_LACKING;
    }
    printf("%s: now %016llx\n", dir, (unsigned long long)r->digest);
    return EXIT_DONE;
}

static int bless(const struct cmd_args *args)
{
    const char *reason = cmd_given(args, "--reason"), *to = cmd_given(args, "--to");
    struct load_run r;
    struct err e = {0};
    int code = EXIT_NOT_COMPARABLE;
    if (args->n_files != 1) {
        fprintf(stderr, "partyline bless: expected one run; usage: partyline bless %s\n",
                cmd_bless.usage);
        return EXIT_USAGE;
    }
    if (!good_reason(reason))
        return EXIT_USAGE;
    if (load_open(args->files[0], &r, &e) == OK && load_trials(&r, &e) == OK)
        code = bless_run(&r, to ? to : "results/baselines", reason);
    else
        fprintf(stderr, "partyline bless: %s\n", e.text);
    load_close(&r);
    return code;
}

const struct cmd cmd_bless = {
    .name = "bless",
    .usage = "RUN --reason TEXT [--to DIR]",
    .help = "Makes a run the baseline of its scenario, with the reason.",
    .options = options,
    .run = bless,
};
