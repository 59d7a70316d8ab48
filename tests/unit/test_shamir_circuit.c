/* links: engine/base/err.c engine/base/opt.c engine/base/prng.c engine/crypto/field61.c
   engine/crypto/gf256.c engine/crypto/shamir.c engine/protocols/shamir/ (all) */
/* Published circuits, evaluated by three parties, give the known answers in as many rounds as
 * they have levels of ANDs, and two; small ones have their corners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/data.h"
#include "tests/unit/shamir_run.h"

static struct opt_file load(const char *name)
{
    char path[64];
    size_t len = 0;
    snprintf(path, sizeof path, "bristol/%s", name);
    char *text = data_text(path, &len);
    if (!text)
        skip();
    return (struct opt_file){.path = name, .data = (uint8_t *)text, .len = len};
}

/* The answer of a circuit with two inputs, in `depth` levels of ANDs. */
static void expect_circuit(const char *name, uint32_t depth, const char *a, const char *b,
                           const char *text)
{
    struct run r = {.threshold = -1, .parties = 3, .circuit = load(name)};
    struct fake f;
    struct err e = {0};
    char buf[256];
    run_text(&r, 0, a);
    run_text(&r, 1, b);
    if (run_plan(&r, &f, 1, &e) || fake_boot_all(&f, 1, &e))
        fail_msg("%s: %s", name, e.text);
    f.mode = FAKE_TIMED;
    f.delay = 10;
    fake_start(&f);
    fake_run(&f);
    if (fake_verify(&f, &e))
        fail_msg("%s: %s", name, e.text);
    assert_int_equal(f.messages, 2 * 2 + (uint64_t)depth * 3 * 2 + 3);
    for (party_t who = 0; who < 3; who++) {
        assert_string_equal(run_print(&f, who, buf, sizeof buf), text);
        assert_int_equal(f.parties[who].rounds, depth + 2);
        assert_int_equal(f.parties[who].completion, (depth + 2) * 10);
    }
    fake_free(&f);
    free((void *)(uintptr_t)r.circuit.data);
}

static void adder64(void **state)
{
    (void)state;
    expect_circuit("adder64.txt", 63, "18446744073709551615", "43",
                   "output 0x000000000000002a (42)");
    expect_circuit("adder64.txt", 63, "-1", "0x2A", "output 0x0000000000000029 (41)");
}

static void mult64(void **state)
{
    (void)state;
    expect_circuit("mult64.txt", 63, "4294967297", "12345678901",
                   "output 0xdfdc1c37dfdc1c35 (16130798991638797365)");
}

static void aes_128_of_fips_197(void **state)
{
    (void)state;
    expect_circuit("aes_128.txt", 60, "0x000102030405060708090a0b0c0d0e0f",
                   "0x00112233445566778899aabbccddeeff",
                   "output 0x69c4e0d86a7b0430d8cdb78070b4c55a");
}

static void sha_256_of_abc(void **state)
{
    char block[136] = "0x61626380";
    (void)state;
    for (int i = 10; i < 128; i++)
        block[i] = '0';
    strcpy(block + 128, "18");
    expect_circuit("sha256.txt.gz", 1607, block,
                   "0x6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19",
                   "output 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* A party that nobody waits for until the end may be far behind: one of its links stands still
 * while the others carry all 63 levels, early. */
static void far_behind(void **state)
{
    struct run r = {.threshold = 1, .parties = 7, .circuit = load("adder64.txt")};
    struct fake f;
    struct err e = {0};
    struct fake_pair held = {0}, *slow;
    (void)state;
    run_value(&r, 0, 1000000007);
    run_value(&r, 1, 35);
    assert_int_equal(run_start(&r, &f, 3, &e), OK);
    slow = &f.pairs[0 * 7 + 6];
    for (bool more = true; more;) { /* whatever 0 sends to 6 is set aside */
        while (slow->head) {
            struct fake_message *m = slow->head;
            slow->head = m->next;
            slow->tail = slow->head ? slow->tail : &slow->head;
            m->next = NULL;
            if (held.tail)
                *held.tail = m;
            else
                held.head = m;
            held.tail = &m->next;
            f.in_flight--;
        }
        more = fake_step(&f);
    }
    assert_int_equal(f.parties[6].rounds, 0);
    assert_int_equal(f.parties[3].rounds, 65);
    for (struct fake_message *m = held.head, *next; m; m = next) {
        next = m->next;
        fake_recv(&f, 0, 6, m->label, m->data, m->len);
        free(m);
    }
    fake_run(&f);
    for (party_t who = 0; who < 7; who++)
        assert_int_equal(f.parties[who].rounds, 65);
    assert_int_equal(fake_verify(&f, &e), OK);
    for (int drop = 0; drop < DROP_COUNT; drop++)
        assert_int_equal(f.drops[drop], 0);
    fake_free(&f);
    free((void *)(uintptr_t)r.circuit.data);
}

/* Input and constants straight to the output, copies, an input of one party alone. */
static void small_circuits(void **state)
{
    static const char text[] = "4 7\n1 3\n2 3 1\n\n1 1 0 3 EQW\n1 1 1 4 INV\n1 1 1 5 EQ\n"
                               "2 1 0 2 6 AND\n";
    struct run r = {
        .threshold = -1,
        .parties = 3,
        .circuit = {.path = "t", .data = (const uint8_t *)text, .len = sizeof text - 1}};
    struct fake f;
    struct err e = {0};
    char buf[64];
    (void)state;
    run_value(&r, 0, 5);
    assert_int_equal(run_start(&r, &f, 1, &e), OK);
    fake_run(&f);
    assert_int_equal(fake_verify(&f, &e), OK);
    assert_string_equal(run_print(&f, 1, buf, sizeof buf), "outputs 0x07 (7), 0x01 (1)");
    assert_int_equal(f.messages, 2 + 6 + 3);
    fake_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adder64),
        cmocka_unit_test(mult64),
        cmocka_unit_test(aes_128_of_fips_197),
        cmocka_unit_test(sha_256_of_abc),
        cmocka_unit_test(far_behind),
        cmocka_unit_test(small_circuits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
