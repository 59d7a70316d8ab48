/* links: engine/run/local_hosts.c engine/run/local_key.c engine/worlds/uv/uvstore.c uvplace.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/node.h"
#include "engine/run/local_hosts.h"
#include "engine/worlds/uv/uvstore.h"
#include "tests/conformance/bed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/partyline-test-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const void *data, size_t len, mode_t mode)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* ---- the store ------------------------------------------------------------------------ */

static void store_keeps_what_it_accepted(void **state)
{
    static uint8_t big[STORE_VALUE_MAX + 1];
    struct uvstore *kept = NULL;
    uint32_t life = 99;
    struct err e;
    char out[8];
    size_t len;
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(uvstore_open(&kept, in_dir("store.db"), &life, &e), OK);
        assert_int_equal(life, i);
        struct store *s = uvstore_base(kept);
        if (i == 0) {
            assert_int_equal(s->ops->get(s, "k", 1, out, sizeof out, &len), ERR_ABSENT);
            assert_int_equal(s->ops->insert(s, "k", 1, "one", 3), OK);
            assert_int_equal(s->ops->insert(s, "k", 1, "two", 3), ERR_EXISTS);
            assert_int_equal(s->ops->put(s, "p", 1, "first", 5), OK);
            assert_int_equal(s->ops->put(s, "p", 1, "", 0), OK);
            assert_int_equal(s->ops->put(s, "gone", 4, "x", 1), OK);
            assert_int_equal(s->ops->remove(s, "gone", 4), OK);
            assert_int_equal(s->ops->remove(s, "never", 5), OK);
        }
        assert_int_equal(s->ops->get(s, "k", 1, out, 2, &len), OK);
        assert_int_equal(len, 3);
        assert_memory_equal(out, "on", 2);
        assert_int_equal(s->ops->get(s, "p", 1, out, sizeof out, &len), OK);
        assert_int_equal(len, 0);
        assert_int_equal(s->ops->get(s, "gone", 4, out, sizeof out, &len), ERR_ABSENT);
        assert_int_equal(s->ops->put(s, "", 0, "x", 1), ERR_INVALID);
        assert_int_equal(s->ops->put(s, big, STORE_KEY_MAX + 1, "x", 1), ERR_TOO_BIG);
        assert_int_equal(s->ops->insert(s, "b", 1, big, sizeof big), ERR_TOO_BIG);
        uvstore_close(kept);
    }
    write_file("junk.db", "this is no database, and never was one", 38, 0600);
    assert_int_equal(uvstore_open(&kept, in_dir("junk.db"), &life, &e), ERR_IO);
    assert_int_equal(uvstore_open(&kept, in_dir("no/such/folder"), &life, &e), ERR_IO);
}

/* ---- keys ----------------------------------------------------------------------------- */

static void keys_are_checked(void **state)
{
    struct identity made, read_back;
    struct err e;
    char text[2048];
    struct stat st;
    ssize_t len;
    int fd;
    (void)state;
    assert_int_equal(local_key_make(&made, &e), OK);
    assert_int_equal(local_key_write(in_dir("a.key"), &made, &e), OK);
    assert_int_equal(stat(in_dir("a.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(local_key_write(in_dir("a.key"), &made, &e), ERR_EXISTS);
    assert_int_equal(local_key_read(in_dir("a.key"), &read_back, &e), OK);
    assert_memory_equal(made.ed25519_secret, read_back.ed25519_secret, IDENTITY_SECRET);
    assert_memory_equal(made.x25519_secret, read_back.x25519_secret, IDENTITY_KEY);
    assert_true(identity_equal(&made.pub, &read_back.pub));
    fd = open(in_dir("a.key"), O_RDONLY);
    len = read(fd, text, sizeof text);
    close(fd);
    assert_true(len > 400);
    write_file("open.key", text, (size_t)len, 0644);
    assert_int_equal(local_key_read(in_dir("open.key"), &read_back, &e), ERR_AUTH);
    write_file("short.key", text, (size_t)len - 1, 0600);
    assert_int_equal(local_key_read(in_dir("short.key"), &read_back, &e), ERR_FORMAT);
    /* Every byte counts: another digit, or none, anywhere. */
    for (ssize_t i = 0; i < len; i += 7) {
        char was = text[i];
        text[i] = was == '0' ? '1' : '0';
        write_file("bad.key", text, (size_t)len, 0600);
        int rc = local_key_read(in_dir("bad.key"), &read_back, &e);
        if (rc == OK) /* bits of an X25519 secret that do not count (RFC 7748, section 5) */
            assert_true(i >= len - 1 - 2 * IDENTITY_KEY);
        text[i] = was;
    }
    assert_int_equal(local_key_read(in_dir("none.key"), &read_back, &e), ERR_IO);
}

static void hexadecimal_is_exact(void **state)
{
    uint8_t out[2];
    char text[5];
    (void)state;
    assert_true(local_unhex("a0ff", 4, out, 2));
    assert_int_equal(out[0], 0xa0);
    local_hex(out, 2, text);
    assert_string_equal(text, "a0ff");
    assert_false(local_unhex("a0f", 3, out, 2));
    assert_false(local_unhex("A0FF", 4, out, 2));
    assert_false(local_unhex("a0fg", 4, out, 2));
    assert_false(local_unhex("a0ff0", 5, out, 2));
}

/* ---- hosts ---------------------------------------------------------------------------- */

static size_t findings(const struct trial_spec *t, const char *text, struct local_hosts *h)
{
    struct diag_list diags;
    size_t said;
    write_file("hosts.yaml", text, strlen(text), 0600);
    diag_init(&diags);
    int rc = local_hosts_read(h, in_dir("hosts.yaml"), t, &diags);
    said = diags.n;
    assert_int_equal(rc == OK, said == 0);
    diag_free(&diags);
    return said;
}

static void hosts_are_checked(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "schema: 1",
        "{schema: 2, hosts: {p0: {address: 127.0.0.1, port: 9}}}",
        "{schema: 1, hosts: {p0: {}}}",
        "{schema: 1, hosts: {p0: {address: 127.0.0.1, foreign: 7}}}",
        "{schema: 1, hosts: {p0: {address: 127.0.0.1, port: 65500}}}",
        "{schema: 1, hosts: {p0: {address: 127.0.0.1, port: 0}}}",
        "{schema: 1, hosts: {p0: {address: 127.0.0.1, port: -1}}}",
        "{schema: 1, hosts: {p0: {port: 900}}}",
        "{schema: 1, hosts: {p0: {address: no-such-host.invalid, port: 900}}}",
        "{schema: 1, hosts: {p1: {address: 127.0.0.1, port: 900}}}",
        "{schema: 1, hosts: {p0: 127.0.0.1}}",
        "{schema: 1, origin: x, hosts: {p0: {address: 127.0.0.1, port: 900}}}",
        "{schema: 1, hosts: {p0: {address: 127.0.0.1, port: 900, colour: red}}}",
        "{schema: 1, guests: 1, hosts: {p0: {address: 127.0.0.1, port: 900}}}"};
    struct bed b;
    struct local_hosts h;
    (void)state;
    assert_true(bed_make(&b, plugin_transport("direct"), plugin_protocol("idle"), 1));
    b.roster.n = 1;
    b.spec.channel = CHANNEL_NONE;
    assert_int_equal(findings(&b.spec,
                              "{schema: 1, origin: 77, hosts: {p0: {address: \"::1\", port: 900, "
                              "bind: \"::\"}, other: {}}}",
                              &h),
                     0);
    assert_int_equal(h.origin, 77);
    assert_int_equal(h.places[0].address.port, 900);
    assert_true(uvplace_loopback(&h.places[0].address));
    assert_false(uvplace_loopback(&h.places[0].bind));
    local_hosts_free(&h);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (findings(&b.spec, bad[i], &h) == 0)
            fail_msg("nothing is found in %s", bad[i]);
        local_hosts_free(&h);
    }
    b.spec.channel = CHANNEL_NOISE; /* now identities are needed, and real ones */
    assert_true(findings(&b.spec, "{schema: 1, hosts: {p0: {address: 127.0.0.1, port: 900}}}", &h));
    local_hosts_free(&h);
    assert_true(findings(
        &b.spec, "{schema: 1, hosts: {p0: {address: 127.0.0.1, port: 900, identity: ab}}}", &h));
    local_hosts_free(&h);
    bed_free(&b);
}

/* Nodes at one address are told apart by port, those with one each by address. */
static void addresses_go_in_and_out(void **state)
{
    struct uvplace list[BED_NODES];
    struct bed b;
    struct addr a;
    (void)state;
    assert_true(bed_make(&b, plugin_transport("relay"), plugin_protocol("idle"), 2));
    struct uvplaces p = {&b.spec, list};
    for (uint32_t i = 0; i < b.roster.n; i++)
        assert_int_equal(uvplace_resolve(i == 2 ? "127.0.0.9" : "127.0.0.1",
                                         (uint16_t)(20000 + 64 * i), &list[i].address, NULL),
                         OK);
    a = b.entries[2].addr;
    a.port = node_accepts(&b.spec, 2)[0].port;
    struct addr real = uvplace_outward(&p, false, a);
    assert_int_equal(real.port, 20128);
    real = uvplace_inward(&p, false, real);
    assert_true(addr_equal(&real, &a));
    real = list[0].address;
    real.port = 20064 + 20; /* opened by the second */
    a = uvplace_inward(&p, false, real);
    assert_int_equal(uvplace_owner(&p, &a), 1);
    assert_int_equal(a.port, real.port);
    a = uvplace_outward(&p, false, a);
    assert_true(addr_equal(&a, &real));
    real.port = 50000; /* two nodes have this address: nobody's */
    a = uvplace_inward(&p, false, real);
    assert_true(addr_equal(&a, &real));
    assert_int_equal(uvplace_owner(&p, &a), PARTY_NONE);
    real = list[2].address;
    real.port = 50000; /* and this only one */
    a = uvplace_inward(&p, false, real);
    assert_int_equal(uvplace_owner(&p, &a), 2);
    bed_free(&b);
}

/* Who has an address to itself keeps its ports, and the roster is told of the address. */
static void addresses_of_one_s_own_stay(void **state)
{
    struct local_hosts h;
    struct bed b;
    struct addr a, self;
    (void)state;
    assert_true(bed_make(&b, plugin_transport("relay"), plugin_protocol("idle"), 1));
    b.roster.n = 2;
    b.spec.channel = CHANNEL_NONE;
    assert_int_equal(findings(&b.spec,
                              "{schema: 1, hosts: {p0: {address: 198.18.0.1, bind: 10.0.0.1}, "
                              "relay1: {address: 198.18.0.2, foreign: true}}}",
                              &h),
                     0);
    assert_true(h.places[1].foreign);
    assert_false(h.places[0].foreign);
    assert_int_equal(local_hosts_publish(&h, &b.roster), OK);
    struct uvplaces p = {&b.spec, h.places};
    a = b.roster.entries[0].addr;
    assert_memory_equal(a.ip, h.places[0].address.ip, sizeof a.ip);
    a.port = 4711;
    self = uvplace_outward(&p, true, a);
    assert_true(addr_equal(&self, &a));
    self = uvplace_inward(&p, true, a);
    assert_true(addr_equal(&self, &a));
    assert_int_equal(uvplace_port(&h.places[0], 3, &(struct accept){.port = 99}), 99);
    self = uvplace_self(&p, 0); /* behind a NAT: its private address */
    assert_memory_equal(self.ip, h.places[0].bind.ip, sizeof a.ip);
    self = uvplace_self(&p, 1);
    assert_memory_equal(self.ip, h.places[1].address.ip, sizeof a.ip);
    local_hosts_free(&h);
    bed_free(&b);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(store_keeps_what_it_accepted),
        cmocka_unit_test(keys_are_checked),
        cmocka_unit_test(hexadecimal_is_exact),
        cmocka_unit_test(hosts_are_checked),
        cmocka_unit_test(addresses_go_in_and_out),
        cmocka_unit_test(addresses_of_one_s_own_stay),
    };
    static const char *const files[] = {"store.db",  "junk.db", "a.key",     "open.key",
                                        "short.key", "bad.key", "hosts.yaml"};
    if (!mkdtemp(dir))
        return 1;
    int rc = cmocka_run_group_tests(all, NULL, NULL);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(in_dir(files[i]));
    rmdir(dir);
    return rc;
}
