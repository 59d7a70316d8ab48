/* One node of a scenario as this process: `partyline node`.
 *
 * Into the folder `out` go store.db, the node's durable state, `done`, an empty file that appears
 * when a party is done, and at the end result.json: what the node ended with, and its share of
 * the trial as run/trial.h writes it.
 *
 * A party ends when it is done and lingered for its peers: until no data came for LINGER, or
 * the limit. It gives up at the scenario's limit. Services run until SIGINT or SIGTERM, which
 * end a party, too.
 */
#ifndef PARTYLINE_RUN_LOCAL_NODE_H
#define PARTYLINE_RUN_LOCAL_NODE_H

#include "engine/run/trial.h"

#define LOCAL_LINGER (10 * NS_S)
#define LOCAL_PATIENCE (120 * NS_S)

struct local_node_args {
    const char *scenario, *name, *hosts, *key, *out;
    bool sightings; /* writes down what it sees: OUT/sightings-LIFE, lives counted from 0 */
    const char *go; /* NULL: at once. Else a party begins when this file is there, at the time in
                       nanoseconds since 1970 that it holds; after LOCAL_PATIENCE without it, it
                       fails */
};

/* Returns an exit_code (run/run.h), after saying on stderr what is wrong. */
int local_node_run(const struct local_node_args *);

/* result.json, read again. */
struct local_result {
    struct outcome outcome; /* owned */
    struct trial_record record;
    char *waits; /* an unfinished party's: for whom; or NULL */
    bool timed_out;
};

/* ERR_ABSENT, ERR_IO, ERR_FORMAT with a sentence. */
int local_result_read(const char *path, struct local_result *, struct err *);
void local_result_free(struct local_result *);
/* Takes nothing over. */
int local_result_write(const char *path, const char *name, const struct local_result *,
                       struct err *);

/* Adds what a node ended with to what the trial did; takes its outcome over. ERR_FORMAT: it
 * names what there is not. */
int local_result_merge(const struct trial_spec *, party_t, struct local_result *,
                       struct trial_result *);
/* A line more in why a trial is unfinished. */
void local_result_why(struct trial_result *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
