#include "engine/run/calibrate.h"

#include "engine/crypto/field61.h"
#include "engine/crypto/identity.h"
#include "engine/crypto/noise.h"
#include "engine/crypto/shamir.h"
#include "engine/plugins.h"
#include "engine/run/scenario.h"
#include "engine/run/trial.h"

#include <sodium.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 9, AEAD_SMALL = 64, AEAD_BIG = 32 << 10, SHARES = 5, ELEMENTS = 256 };

struct bench {
    struct prng rng;
    struct identity id;
    struct noise_cipher cipher;
    uint8_t key[32], signature[IDENTITY_SIGNATURE];
    uint8_t plain[AEAD_BIG], sealed[AEAD_BIG + NOISE_TAG];
    uint64_t secrets[ELEMENTS], shares[SHARES * ELEMENTS];
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void do_x25519(struct bench *b)
{
    if (crypto_scalarmult(b->key, b->id.x25519_secret, b->id.pub.x25519) != 0)
        b->key[0] = 1;
}
static void do_sign(struct bench *b)
{
    identity_sign(&b->id, "calibrate", b->plain, AEAD_SMALL, b->signature);
}
static void do_verify(struct bench *b)
{
    b->plain[0] ^=
        (uint8_t)identity_check(&b->id.pub, "calibrate", b->plain, AEAD_SMALL, b->signature);
}
static void do_seal_small(struct bench *b)
{
    noise_seal(&b->cipher, NULL, 0, b->plain, AEAD_SMALL, b->sealed);
}
static void do_seal_big(struct bench *b)
{
    noise_seal(&b->cipher, NULL, 0, b->plain, AEAD_BIG, b->sealed);
}
static void do_share(struct bench *b)
{
    shamir61_share(b->secrets, ELEMENTS, SHARES / 2, SHARES, &b->rng, b->shares);
}
static void do_mul(struct bench *b)
{
    uint64_t x = b->secrets[1];
    for (int i = 0; i < ELEMENTS; i++)
        x = f61_mul(x, b->shares[i]);
    b->secrets[1] = x;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static ns_t nanoseconds(double s)
{
    return s * 1e9 < 1 ? 1 : (ns_t)(s * 1e9 + 0.5);
}

/* The median time of one call, in seconds: each run calls for at least a millisecond. */
static double time_of(struct bench *b, void (*call)(struct bench *))
{
    double runs[RUNS];
    unsigned n = 1;
    for (int i = 0; i < RUNS; i++) {
        double start = seconds(), took;
        for (unsigned j = 0; j < n; j++)
            call(b);
        took = seconds() - start;
        if (took < 1e-3) {
            n *= 2;
            i = -1;
            continue;
        }
        runs[i] = took / n;
    }
    qsort(runs, RUNS, sizeof *runs, by_value);
    return runs[RUNS / 2];
}

static int time_messages(double *one, struct err *e)
{
    static const char text[] =
        "schema: 1\nname: calibrate\nchannel: none\ntransport: \"null\"\nlimit: 1000s\n"
        "observers: [{name: exposure, enabled: false}]\n"
        "parties: [{name: a, role: server}, {name: b, role: client}]\n"
        "protocol: {name: ping, count: 10000, interval: 1us}\n";
    struct diag_list diags;
    struct scenario *s = NULL;
    struct trial_record rec;
    double runs[RUNS];
    int rc;
    diag_init(&diags);
    rc = scenario_load_text("calibrate", text, sizeof text - 1, NULL, NULL, 0, &s, &diags);
    diag_free(&diags);
    if (rc != OK)
        return err_set(e, rc, "the scenario that times messages is invalid");
    for (int i = 0; i < RUNS && rc == OK; i++) {
        double start = seconds();
        uint64_t messages;
        rc = trial_run(plugin_world("sim"), &s->cells[0].spec, 0, 0, 1, NULL, &rec, e);
        messages = rec.metrics.counts[COUNT_DELIVERED];
        runs[i] = (seconds() - start) / (double)(messages ? messages : 1);
        trial_record_free(&rec);
    }
    scenario_free(s);
    qsort(runs, RUNS, sizeof *runs, by_value);
    *one = runs[RUNS / 2];
    return rc;
}

int calibrate(ns_t costs[COST_COUNT], struct err *e)
{
    struct bench *b = calloc(1, sizeof *b);
    double small, message;
    int rc;
    if (!b)
        return err_set(e, ERR_NOMEM, "no memory");
    prng_name(&b->rng, 1, "calibrate", 0, "bench");
    identity_make(&b->id, &b->rng);
    for (int i = 0; i < ELEMENTS; i++)
        b->secrets[i] = prng_below(&b->rng, F61_P);
    costs[COST_X25519] = nanoseconds(time_of(b, do_x25519));
    costs[COST_ED25519_SIGN] = nanoseconds(time_of(b, do_sign));
    costs[COST_ED25519_VERIFY] = nanoseconds(time_of(b, do_verify));
    small = time_of(b, do_seal_small);
    costs[COST_AEAD] = nanoseconds(small);
    costs[COST_AEAD_KIB] = nanoseconds((time_of(b, do_seal_big) - small) * 1024 / AEAD_BIG);
    costs[COST_SHARE] = nanoseconds(time_of(b, do_share) / (ELEMENTS * SHARES));
    costs[COST_FIELD_MUL] = nanoseconds(time_of(b, do_mul) / ELEMENTS);
    rc = time_messages(&message, e);
    if (rc == OK)
        costs[COST_MESSAGE] = nanoseconds(message);
    sodium_memzero(b, sizeof *b);
    free(b);
    return rc;
}
