/* links: engine/base/err.c engine/base/prng.c engine/crypto/field61.c engine/crypto/gf256.c
   engine/crypto/shamir.c engine/protocols/shamir/ (all) */
/* Gates, and gates made of gates, evaluated by all parties in lockstep and compared with plain
 * arithmetic; what the compiler places where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/base/err.h"
#include "engine/base/prng.h"
#include "engine/crypto/field61.h"
#include "engine/protocols/shamir/compile.h"
#include "engine/protocols/shamir/eval.h"
#include "engine/protocols/shamir/gadget.h"

enum { M = 5, T = 2, OUTPUTS_MAX = 400 };

static const int64_t LIMIT = (INT64_C(1) << 59) - 1;

struct lockstep {
    struct schedule s;
    struct eval party[M];
    struct prng rng;
    uint64_t out[OUTPUTS_MAX];
    bool stuck;
};

static void exchange(struct lockstep *l, uint32_t round, uint32_t kind, const uint64_t *inputs)
{
    struct eval_work work = {0};
    for (party_t who = 0; who < M; who++)
        eval_begin(&l->party[who], round, kind, inputs + (l->s.input[who].first), &l->rng, &work);
    for (party_t from = 0; from < M; from++) {
        for (party_t to = 0; to < M; to++) {
            size_t len;
            const void *data;
            if (!schedule_message(&l->s, round, kind, from, to))
                continue;
            data = eval_message(&l->party[from], round, kind, to, &len);
            assert_int_equal(eval_absorb(&l->party[to], round, kind, from, data, len, &work), OK);
        }
    }
}

/* inputs: all parties', in order; input slots are numbered alike. */
static void run(struct lockstep *l, struct program *p, const uint64_t *inputs, uint64_t seed)
{
    struct eval_work work = {0};
    *l = (struct lockstep){0};
    prng_name(&l->rng, seed, "gadget", 0, "test");
    assert_int_equal(compile_program(&l->s, p, M, T), OK);
    program_free(p);
    for (party_t who = 0; who < M; who++) {
        assert_int_equal(eval_init(&l->party[who], &l->s, who), OK);
        eval_local(&l->party[who], l->s.before, &work);
    }
    for (uint32_t r = 0; r < l->s.rounds; r++) {
        for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
            exchange(l, r, kind, inputs);
        for (party_t who = 0; who < M; who++)
            eval_local(&l->party[who], l->s.round[r].local, &work);
    }
    assert_in_range(l->s.n_outputs, 0, OUTPUTS_MAX);
    for (uint32_t k = 0; k < l->s.n_outputs; k++) {
        l->out[k] = eval_output(&l->party[0], k);
        for (party_t who = 1; who < M; who++)
            assert_int_equal(eval_output(&l->party[who], k), l->out[k]);
    }
    for (party_t who = 0; who < M; who++) {
        l->stuck |= l->party[who].stuck;
        eval_free(&l->party[who]);
    }
}

static void done(struct lockstep *l)
{
    schedule_free(&l->s);
}

static const int64_t edges[] = {0, 1, -1, 2, -2, 3, 1000, -1000};
enum { EDGES = sizeof edges / sizeof *edges, VALUES = EDGES + 6 };

static void fill(int64_t *values, uint64_t seed)
{
    struct dice d = dice_name(seed, "gadget", 0, 0, 0);
    memcpy(values, edges, sizeof edges);
    values[EDGES] = LIMIT;
    values[EDGES + 1] = -LIMIT;
    values[EDGES + 2] = LIMIT - 1;
    for (int i = EDGES + 3; i < VALUES; i++)
        values[i] = (int64_t)dice_below(&d, 2 * (uint64_t)LIMIT) - LIMIT;
}

/* Every value against every other. */
static void comparisons(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct program p;
        struct lockstep l;
        int64_t v[VALUES];
        uint64_t inputs[VALUES];
        wire_t w[VALUES];
        uint32_t k = 0;
        fill(v, seed);
        program_init(&p, &field_p61);
        for (uint32_t i = 0; i < VALUES; i++) {
            inputs[i] = f61_from_signed(v[i]);
            w[i] = program_input(&p, i < 6 ? 0 : 3, i < 6 ? i : i - 6);
        }
        for (int i = 0; i < VALUES; i++) {
            for (int j = 0; j < VALUES; j++) {
                wire_t less = gadget_less_than(&p, w[i], w[j]);
                program_output(&p, less);
                if ((i + j) % 3 == 0)
                    program_output(&p, gadget_equal(&p, w[i], w[j]));
            }
        }
        run(&l, &p, inputs, seed);
        assert_int_equal(l.s.rounds, 10);
        for (int i = 0; i < VALUES; i++) {
            for (int j = 0; j < VALUES; j++) {
                assert_int_equal(l.out[k++], v[i] < v[j]);
                if ((i + j) % 3 == 0)
                    assert_int_equal(l.out[k++], v[i] == v[j]);
            }
        }
        assert_false(l.stuck);
        done(&l);
    }
}

static void random_bits_are_bits(void **state)
{
    struct program p;
    struct lockstep l;
    int ones = 0;
    (void)state;
    program_init(&p, &field_p61);
    for (int i = 0; i < OUTPUTS_MAX; i++)
        program_output(&p, gadget_random_bit(&p));
    run(&l, &p, (const uint64_t[]){0}, 3);
    assert_int_equal(l.s.rounds, GADGET_BIT_ROUNDS + 1);
    for (int i = 0; i < OUTPUTS_MAX; i++) {
        assert_true(l.out[i] <= 1);
        ones += (int)l.out[i];
    }
    assert_in_range(ones, 140, 260); /* 6 standard deviations */
    done(&l);
}

/* Gates one by one, public and secret. */
static void gates(void **state)
{
    static const uint64_t inputs[] = {7, 11, F61_P - 5};
    struct program p;
    struct lockstep l;
    wire_t a, b, c, k, open;
    (void)state;
    program_init(&p, &field_p61);
    a = program_input(&p, 0, 0);
    b = program_input(&p, 0, 1);
    c = program_input(&p, 4, 0);
    k = program_constant(&p, 3);
    open = program_open(&p, program_add(&p, a, b));
    program_output(&p, program_sub(&p, a, c));                       /* 12 */
    program_output(&p, program_mul(&p, program_scale(&p, a, 2), b)); /* 154 */
    program_output(&p, program_mul(&p, k, c));                       /* -15 */
    program_output(&p, program_mul(&p, k, k));                       /* 9, public */
    program_output(&p, program_bit(&p, open, 1));                    /* 18: 1 */
    program_output(&p, program_bit(&p, open, 0));                    /* 18: 0 */
    program_output(&p, program_mul(&p, open, a));                    /* 126 */
    program_output(&p, program_inner(&p, (wire_t[]){a, b, c}, (wire_t[]){b, b, a}, 3));
    program_output(&p, gadget_select(&p, program_constant(&p, 1), a, b)); /* 7 */
    program_output(&p, gadget_select(&p, program_constant(&p, 0), a, b)); /* 11 */
    program_output(&p, open);                                             /* 18 */
    program_output(&p, program_add_constant(&p, a, F61_P - 7));           /* 0 */
    run(&l, &p, inputs, 1);
    static const int64_t right[] = {12, 154, -15, 9, 1, 0, 126, 77 + 121 - 35, 7, 11, 18, 0};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_int_equal(f61_to_signed(l.out[i]), right[i]);
    assert_int_equal(l.s.rounds, 3); /* input; sum opened, products; results */
    assert_int_equal(schedule_messages(&l.s), 2 * 4 + (5 * 4 + 2 * 5) + 2 * 5);
    done(&l);
}

/* 1 / sqrt(0) can't be: the run says so. */
static void a_random_zero_is_noticed(void **state)
{
    struct program p;
    struct lockstep l;
    (void)state;
    program_init(&p, &field_p61);
    program_output(&p, program_inv_sqrt(&p, program_open(&p, program_input(&p, 0, 0))));
    run(&l, &p, (const uint64_t[]){0}, 1);
    assert_true(l.stuck);
    done(&l);
    program_init(&p, &field_p61);
    program_output(&p, program_inv_sqrt(&p, program_open(&p, program_input(&p, 0, 0))));
    run(&l, &p, (const uint64_t[]){25}, 1);
    assert_false(l.stuck);
    assert_int_equal(f61_mul(f61_mul(l.out[0], l.out[0]), 25), 1);
    done(&l);
}

/* Slots of local steps are used again; those of exchanges are not. */
static void slots_follow_lifetimes(void **state)
{
    struct program p;
    struct lockstep l;
    wire_t a, sum;
    (void)state;
    program_init(&p, &field_gf256);
    a = sum = program_input(&p, 0, 0);
    for (int i = 0; i < 1000; i++)
        sum = program_add_constant(&p, program_add(&p, sum, a), (uint64_t)i & 255);
    program_add(&p, sum, a); /* nobody reads it: no step */
    program_output(&p, sum);
    run(&l, &p, (const uint64_t[]){0x53}, 1);
    uint64_t right = 0x53;
    for (int i = 0; i < 1000; i++)
        right ^= 0x53 ^ (uint64_t)(i & 255);
    assert_int_equal(l.out[0], right);
    assert_int_equal(l.s.round[0].local.n, 2000);
    assert_in_range(l.s.slots, 2, 5);
    done(&l);
}

/* Random programs over GF(2^8), secret and public wires mixed, against plain arithmetic. */
static void random_programs(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        enum { GATES = 150 };
        struct dice d = dice_name(seed, "program", 0, 0, 0);
        struct program p;
        struct lockstep l;
        wire_t w[GATES];
        uint64_t v[GATES], inputs[M];
        program_init(&p, &field_gf256);
        for (uint32_t i = 0; i < GATES; i++) {
            uint32_t a = i ? (uint32_t)dice_below(&d, i) : 0,
                     b = i ? (uint32_t)dice_below(&d, i) : 0;
            uint64_t k = dice_below(&d, 256);
            if (i < M) {
                v[i] = inputs[i] = k;
                w[i] = program_input(&p, i, 0);
                continue;
            }
            switch (dice_below(&d, 7)) {
            case 0:
                w[i] = program_mul(&p, w[a], w[b]);
                v[i] = field_gf256.mul(v[a], v[b]);
                break;
            case 1:
                w[i] = program_constant(&p, k);
                v[i] = k;
                break;
            case 2:
                w[i] = program_scale(&p, w[a], k);
                v[i] = field_gf256.mul(v[a], k);
                break;
            case 3:
                w[i] = program_inner(&p, (wire_t[]){w[a], w[b]}, (wire_t[]){w[b], w[i - 1]}, 2);
                v[i] = field_gf256.mul(v[a], v[b]) ^ field_gf256.mul(v[b], v[i - 1]);
                break;
            case 4:
                w[i] = program_open(&p, w[a]);
                v[i] = v[a];
                break;
            default:
                w[i] = program_add(&p, w[a], w[b]);
                v[i] = v[a] ^ v[b];
            }
            if (k < 20)
                program_output(&p, w[i]);
        }
        program_output(&p, w[GATES - 1]);
        wire_t outputs[GATES];
        uint32_t n = p.n_outputs;
        memcpy(outputs, p.outputs, n * sizeof *outputs);
        run(&l, &p, inputs, seed);
        for (uint32_t k = 0, i = 0; k < n; k++) {
            while (w[i] != outputs[k])
                i++;
            assert_int_equal(l.out[k], v[i]);
        }
        done(&l);
    }
}

static void too_many_gates(void **state)
{
    struct program p;
    struct schedule s;
    (void)state;
    program_init(&p, &field_gf256);
    wire_t w = program_input(&p, 0, 0);
    for (uint32_t i = 0; i < PROGRAM_GATES_MAX; i++)
        w = program_add_constant(&p, w, 1);
    assert_int_equal(p.code, ERR_LIMIT);
    assert_int_equal(program_mul(&p, w, w), 0); /* does nothing any more */
    assert_int_equal(gadget_select(&p, w, w, w), 0);
    assert_int_equal(compile_program(&s, &p, 3, 1), ERR_LIMIT);
    program_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gates),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(random_bits_are_bits),
        cmocka_unit_test(a_random_zero_is_noticed),
        cmocka_unit_test(slots_follow_lifetimes),
        cmocka_unit_test(random_programs),
        cmocka_unit_test(too_many_gates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
