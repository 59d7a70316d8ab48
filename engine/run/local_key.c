#include "engine/run/local_hosts.h"

#include "engine/worlds/uv/uvnode.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char heading[] = "partyline identity v1\n";

enum {
    HEADING = sizeof heading - 1,
    PUBLIC_AT = HEADING,
    SECRET_AT = PUBLIC_AT + 2 * IDENTITY_PUBLIC + 1,
    SECRETS = IDENTITY_SECRET + IDENTITY_KEY,
    KEY_FILE = SECRET_AT + 2 * SECRETS + 1
};

int local_key_make(struct identity *id, struct err *e)
{
    struct prng rng;
    if (!uvnode_entropy(&rng))
        return err_set(e, ERR_IO, "the system gives no random bytes");
    identity_make(id, &rng);
    prng_wipe(&rng);
    return OK;
}

static void key_text(const struct identity *id, char out[KEY_FILE + 1])
{
    uint8_t pub[IDENTITY_PUBLIC], secret[SECRETS];
    identity_encode(&id->pub, pub);
    memcpy(secret, id->ed25519_secret, IDENTITY_SECRET);
    memcpy(secret + IDENTITY_SECRET, id->x25519_secret, IDENTITY_KEY);
    memcpy(out, heading, HEADING);
    local_hex(pub, sizeof pub, out + PUBLIC_AT);
    out[SECRET_AT - 1] = '\n';
    local_hex(secret, sizeof secret, out + SECRET_AT);
    out[KEY_FILE - 1] = '\n';
    sodium_memzero(secret, sizeof secret);
}

int local_key_write(const char *path, const struct identity *id, struct err *e)
{
    char text[KEY_FILE + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good;
    if (fd < 0)
        return err_set(e, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path, strerror(errno));
    key_text(id, text);
    good = write(fd, text, KEY_FILE) == KEY_FILE && fsync(fd) == 0;
    sodium_memzero(text, sizeof text);
    if (close(fd) == 0 && good)
        return OK;
    err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    unlink(path);
    return ERR_IO;
}

int local_key_new(const char *path, char hex[LOCAL_HEX], struct err *e)
{
    struct identity id = {0};
    uint8_t pub[IDENTITY_PUBLIC];
    int rc = local_key_make(&id, e);
    if (rc == OK)
        rc = local_key_write(path, &id, e);
    identity_encode(&id.pub, pub);
    identity_wipe(&id);
    local_hex(pub, sizeof pub, hex);
    return rc;
}

static int parse(const char *path, const char text[KEY_FILE], struct identity *id, struct err *e)
{
    uint8_t pub[IDENTITY_PUBLIC], secret[SECRETS], derived[IDENTITY_SECRET], other[IDENTITY_KEY];
    bool good = memcmp(text, heading, HEADING) == 0 && text[SECRET_AT - 1] == '\n' &&
                local_unhex(text + PUBLIC_AT, 2 * sizeof pub, pub, sizeof pub) &&
                local_unhex(text + SECRET_AT, 2 * sizeof secret, secret, sizeof secret) &&
                identity_decode(&id->pub, pub, sizeof pub) == OK;
    if (!good)
        return err_set(e, ERR_FORMAT, "%s: not a key file of partyline keygen", path);
    memcpy(id->ed25519_secret, secret, IDENTITY_SECRET);
    memcpy(id->x25519_secret, secret + IDENTITY_SECRET, IDENTITY_KEY);
    sodium_memzero(secret, sizeof secret);
    good = identity_verify(&id->pub) == OK &&
           crypto_sign_seed_keypair(other, derived, id->ed25519_secret) == 0 &&
           memcmp(derived, id->ed25519_secret, IDENTITY_SECRET) == 0 &&
           memcmp(other, id->pub.ed25519, IDENTITY_KEY) == 0 &&
           crypto_scalarmult_base(other, id->x25519_secret) == 0 &&
           memcmp(other, id->pub.x25519, IDENTITY_KEY) == 0;
    sodium_memzero(derived, sizeof derived);
    return good ? OK
                : err_set(e, ERR_AUTH, "%s: its secret keys don't belong to its identity", path);
}

int local_key_read(const char *path, struct identity *id, struct err *e)
{
    char text[KEY_FILE + 1];
    struct stat st;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;
    *id = (struct identity){0};
    if (fd < 0 || fstat(fd, &st) != 0) {
        rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    got = read(fd, text, sizeof text);
    close(fd);
    if (st.st_mode & 077)
        rc = err_set(e, ERR_AUTH, "%s: others may read this key: chmod 600 it", path);
    else if (got != KEY_FILE)
        rc = err_set(e, ERR_FORMAT, "%s: not a key file of partyline keygen", path);
    else
        rc = parse(path, text, id, e);
    sodium_memzero(text, sizeof text);
    if (rc != OK)
        identity_wipe(id);
    return rc;
}
