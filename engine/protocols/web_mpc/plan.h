/* What all parties of a web_mpc session share: roles, invitations, the shape of the table. */
#ifndef PARTYLINE_PROTOCOLS_WEB_MPC_PLAN_H
#define PARTYLINE_PROTOCOLS_WEB_MPC_PLAN_H

#include "engine/protocol.h"
#include "engine/protocols/web_mpc/cohort.h"
#include "engine/protocols/web_mpc/box.h"
#include "engine/protocols/web_mpc/snip.h"

#define NOT_INVITED UINT32_MAX

enum { PASSWORD_MAX = 64, CHUNK_MAX = 400 };

enum role { INPUT_PARTY, ANALYST, SERVER, ROLES };
enum keys { KEYS_SERVER, KEYS_OUT_OF_BAND };
enum assign { ASSIGN_PRE, ASSIGN_SELF };
enum attack {
    ATTACK_NONE,
    ATTACK_MITM,
    ATTACK_WRONG_SQUARE,
    ATTACK_OUT_OF_RANGE,
    ATTACK_FORGED_TOKEN,
    ATTACK_SWAPPED_SHARES,
    ATTACK_LOST_KEY
};

struct web_mpc_opts {
    const char *session_key, *invitations, *password, *publish;
    int64_t keys, assign, attack, max, spread, cohorts, min_cohort, max_parties;
    int64_t submissions, again_after, open_after, pause_after, pause_for, close_after, chunk;
};

struct plan {
    const struct web_mpc_opts *opts;
    const struct roster *roster;
    party_t analyst, server;
    uint32_t n;        /* input parties */
    uint32_t *rank;    /* [party]: its place among input parties: its token's id, or NOT_INVITED */
    party_t *party_of; /* [rank] */
    uint32_t cells, cohorts;
    uint32_t query[COHORT_QUERIES_MAX], n_queries;
    struct snip snip;
    size_t len; /* elements of a submission's vector */
    uint8_t session[BOX_ID], session_key[BOX_ID];
};

extern const struct opt web_mpc_opts[];
extern const struct protocol_role web_mpc_roles[];

int plan_make(const struct protocol_shape *, void **plan, struct err *);
void plan_drop(void *plan);
int plan_check(const void *plan, party_t who, const struct input *, struct err *);

enum role plan_role(const char *name);
/* The token that the mail brought to that input party. */
void plan_token(const struct plan *, uint32_t rank, uint8_t token[BOX_ID]);
/* What it submits for the counter-th time: before the last submission a mistake, max - x. */
uint64_t plan_value(const struct plan *, const struct input *, uint32_t rank, uint32_t cell,
                    uint32_t counter);
/* From 0. */
uint32_t plan_cohort(const struct plan *, const struct input *, uint32_t rank);

/* ---- results ------------------------------------------------------------------------------ */

/* An input party's result: the counter of the submission that stands (4 bytes). The analyst's:
 * n (4), n times its counter (4; 0: none) with RESULT_EXCLUDED set if it failed verification;
 * queries (4), for each its cohorts as bits (4), members (4), whether it is published (4), and
 * for each cell the sum and the sum of squares (8 each; 0 if it is not). The server's is
 * empty. */
#define RESULT_EXCLUDED (UINT32_C(1) << 31)

size_t result_size(const struct plan *);
int result_verify(const struct protocol_shape *, const void *plan, const struct outcome *,
                  struct err *);
void result_print(const void *plan, const uint8_t *result, size_t len, char *buf, size_t cap);

#endif
