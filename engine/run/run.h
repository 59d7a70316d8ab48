/* Runs a scenario: all trials of all its cells in one world, on several processes, into a
 * results folder.
 *
 * A trial is never split; workers take trials one by one and write each as a file; the
 * summary is made from the files alone, in the order of cells and trials. So the output
 * does not depend on the number of workers, and a run that was interrupted goes on with
 * `resume`.
 */
#ifndef PARTYLINE_RUN_RUN_H
#define PARTYLINE_RUN_RUN_H

#include "engine/run/people.h"
#include "engine/run/scenario.h"
#include "engine/run/tally.h"

#include <limits.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_BUG = 1,
    EXIT_USAGE = 2,
    EXIT_SCENARIO = 10,
    EXIT_LACKING = 11,
    EXIT_TRIAL_FAILED = 20,
    EXIT_UNMET = 21,
    EXIT_WORSE = 30,
    EXIT_DIFFERS = 31,
    EXIT_NOT_COMPARABLE = 32,
    EXIT_INCONCLUSIVE = 33,
    EXIT_PROVISIONING = 40,
    EXIT_LEFT_BEHIND = 41,
    EXIT_POOR = 43,
    EXIT_INTERRUPTED = 130
};

struct run_options {
    const struct world *world;
    const char *out;       /* NULL: results/<scenario>/<world>-<run id> */
    const char *inventory; /* for worlds on hosts; NULL: none */
    unsigned jobs;         /* 0: one a core */
    bool resume, quiet;
    bool sightings; /* keeps sightings/<cell>-<trial>.sights: what `partyline observe` reads */
    bool trace; /* keeps traces/<cell>-<trial>.txt: what `partyline trace` prints of each trial */
    const struct scenario_set *only; /* axis=value: cells that match all of them */
    size_t n_only;
    const char *const *words; /* options and values that make the run what it is, as typed: for
                                 whoever wants to repeat it */
    size_t n_words;
};

struct run_verdict {
    int line;
    const char *text;
    struct expect_result result;
    bool unjudged; /* the world says nothing on it: neither met nor unmet */
};

struct run_cell {
    struct cell *cell;
    struct people people;
    struct tally tally;
    struct run_verdict *verdicts; /* one an expectation of the cell */
    bool completion_judged;       /* some expectation speaks of completion */
};

struct run {
    const struct scenario *scenario;
    struct run_options opts;
    char id[20];
    char dir[PATH_MAX];
    struct run_cell *cells;
    size_t n_cells;
    uint32_t n_trials, n_redone; /* in all; not taken over from before */
    uint64_t digest;
    double wall_s;
    uint64_t events;
    long peak_kib;
    json_t *world_env; /* what the world adds to env.json; or NULL */
};

/* Chooses cells, checks them against the world (findings go to diags), names the folder.
 * OK; ERR_INVALID with findings; ERR_ABSENT: no cell matches `only` (a sentence in err). */
int run_init(struct run *, const struct scenario *, const struct run_options *,
             struct diag_list *diags, struct err *);
void run_free(struct run *);

/* From the tallies: the run's digest, what its expectations come to, and with which exit_code it
 * ends. */
int run_judge(struct run *);

/* Runs what is to be run, adds up, writes the results. Returns an exit_code; talks on stderr. */
int run_all(struct run *);

#endif
