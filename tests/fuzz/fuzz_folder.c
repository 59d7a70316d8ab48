/* Any bytes as a run's folder: manifest.json, summary.json, verdict.json, digest, the first trial,
 * exposure.csv and the log of events, with a NUL between them. Refused with a sentence, or a run
 * that compares with itself as equal, whatever the log. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/compare.h"
#include "engine/run/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"manifest.json",   "summary.json", "verdict.json",  "digest",
                                    "trials/0-0.json", "exposure.csv", "events/0-0.bin"};
enum { N_NAMES = sizeof names / sizeof *names };

static char dir[64];

static void need(int truth)
{
    if (!truth)
        abort();
}

static void remove_all(void)
{
    char path[128];
    for (size_t i = 0; i < N_NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
}

static void remove_dir(void)
{
    char path[128];
    remove_all();
    snprintf(path, sizeof path, "%s/trials", dir);
    rmdir(path);
    snprintf(path, sizeof path, "%s/events", dir);
    rmdir(path);
    rmdir(dir);
}

static void make_dir(void)
{
    char path[128];
    snprintf(dir, sizeof dir, "%s",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm/plXXXXXX" : P_tmpdir "/plXXXXXX");
    need(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/trials", dir);
    need(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/events", dir);
    need(mkdir(path, 0700) == 0);
    atexit(remove_dir);
}

static void fill(const uint8_t *data, size_t size)
{
    char path[128];
    remove_all();
    for (size_t i = 0; i < N_NAMES; i++) {
        const uint8_t *end = i + 1 < N_NAMES ? memchr(data, 0, size) : NULL;
        size_t len = end ? (size_t)(end - data) : size;
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        need(files_write(path, data, len, NULL) == OK);
        if (!end)
            return;
        data += len + 1;
        size -= len + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct compare_options none = {0};
    struct load_run a, b;
    struct compare c = {0};
    struct err e = {0};
    if (!dir[0])
        make_dir();
    if (size == 0)
        return 0;
    fill(data, size);
    if (load_open(dir, &a, &e) != OK) {
        need(e.text[0] != 0);
        return 0;
    }
    need(load_open(dir, &b, &e) == OK);
    if (compare_match(&a, &b, &c)) {
        if (load_trials(&a, &e) == OK) {
            need(load_trials(&b, &e) == OK);
            need(compare_decide(&c, &none) == OK);
            need(c.code == EXIT_DONE || c.code == EXIT_NOT_COMPARABLE ||
                 (!a.deterministic && c.code == EXIT_INCONCLUSIVE));
            /* As if they differed: where, and how to see it. */
            a.cells[0].trials[0].digest ^= 1;
            first_diff_find(&a, &b, c.cells_b, &c.first);
            need(c.first.found && c.first.untraced[0]);
        } else {
            need(e.text[0] != 0);
        }
    } else {
        need(c.reason[0] != 0);
    }
    compare_free(&c);
    load_close(&a);
    load_close(&b);
    return 0;
}
